//! Keys that no JSON object can have, in Go's words.

use fairlead_yaml::{Mapping, Node, Position, Scalar, Schema, Value};

/// What Go says of the key that stands `at` a place of `document`; `None` if nothing is wrong with it.
///
/// # Follows `sigs.k8s.io/yaml`
/// All nulls are one key, so the value that is told is the last one's. A key that is not written is not even read.
pub(super) fn problem(document: &Node, at: Position) -> Option<String> {
    let mapping = mapping_with(document, at)?;
    let (key, _) = mapping.iter().find(|(key, _)| key.position == at)?;
    if key.as_str().is_none() {
        return Some(format!("yaml: invalid map key: {}", go_syntax(innermost(key))));
    }
    if key.is_bare() {
        let line = at.line.saturating_sub(1);
        let place = if line == 0 { String::new() } else { format!("line {line}: ") };
        return Some(format!("yaml: {place}did not find expected key"));
    }
    let (_, value) = mapping.iter().filter(|(key, _)| is_null(key)).last()?;
    Some(format!("unsupported map key of type: %!s(<nil>), key: <nil>, value: {}", go_syntax(value)))
}

/// The first collection among the keys of `key`, and so on; `key` itself if it has none.
fn innermost(key: &Node) -> &Node {
    let inside =
        key.as_mapping().and_then(|mapping| mapping.iter().map(|(key, _)| key).find(|key| key.as_str().is_none()));
    inside.map_or(key, innermost)
}

fn is_null(node: &Node) -> bool {
    matches!(node.resolve(Schema::SigsYaml), Ok(Scalar::Null)) && node.as_str().is_some()
}

/// The mapping whose key stands `at` a place.
fn mapping_with(node: &Node, at: Position) -> Option<&Mapping> {
    match &node.value {
        Value::Scalar(_) => None,
        Value::Sequence(items) => items.iter().find_map(|item| mapping_with(item, at)),
        Value::Mapping(mapping) => {
            if mapping.iter().any(|(key, _)| key.position == at) {
                return Some(mapping);
            }
            mapping.iter().find_map(|(key, value)| mapping_with(key, at).or_else(|| mapping_with(value, at)))
        }
    }
}

/// A value as Go's verb `%#v` prints it.
fn go_syntax(node: &Node) -> String {
    match &node.value {
        Value::Scalar(text) => match node.resolve(Schema::SigsYaml) {
            Ok(Scalar::Null) => "interface {}(nil)".to_owned(),
            Ok(Scalar::Bool(bool)) => bool.to_string(),
            Ok(Scalar::Int(number)) => number.to_string(),
            Ok(Scalar::UInt(number)) => number.to_string(),
            Ok(Scalar::Float(number)) => crate::number::format_general(number),
            Ok(Scalar::String(_) | Scalar::Timestamp(_)) | Err(_) => crate::fmt::quote(text.as_bytes()),
        },
        Value::Sequence(items) => {
            let items: Vec<String> = items.iter().map(go_syntax).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Value::Mapping(mapping) => {
            let entry = |(key, value): (&Node, &Node)| format!("{}:{}", go_syntax(key), go_syntax(value));
            let entries: Vec<String> = mapping.iter().map(entry).collect();
            format!("map[interface {{}}]interface {{}}{{{}}}", entries.join(", "))
        }
    }
}
