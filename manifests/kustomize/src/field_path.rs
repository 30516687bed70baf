//! Field paths of replacements and vars: `spec.containers.[name=web].image`.
//!
//! # Follows kustomize
//! Parts are separated by dots; one in front means nothing. `\.` is a dot inside a part, and so is one in brackets. `[key=value]` and `[=value]`
//! are elements of a list, a number is one by its place, `*` every one. When a value is read, `-` is the last element, and
//! `value` must be equal; when one is set, `value` is a regular expression that may match several.

use fairlead_yaml::{Mapping, Node, Value};
use regex::Regex;

use crate::node::{self, NodeKind};

/// Splits `path` into its parts.
pub(crate) fn split(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut pieces = split_at_dots(path).into_iter();
    while let Some(piece) = pieces.next() {
        if !piece.starts_with('[') || piece.ends_with(']') {
            parts.push(piece);
            continue;
        }
        let mut bracketed = piece;
        for piece in pieces.by_ref() {
            bracketed = format!("{bracketed}.{piece}");
            if bracketed.ends_with(']') {
                break;
            }
        }
        let is_element = bracketed.contains('=');
        parts.push(if is_element { bracketed } else { bracketed.trim_matches(['[', ']']).to_owned() });
    }
    parts
}

fn split_at_dots(path: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut escaped = false;
    for piece in path.strip_prefix('.').unwrap_or(path).split('.') {
        let (text, is_escaped) = piece.strip_suffix('\\').map_or((piece, false), |text| (text, true));
        match pieces.last_mut() {
            Some(last) if escaped => last.extend([".", text]),
            Some(_) | None => pieces.push(text.to_owned()),
        }
        escaped = is_escaped;
    }
    pieces
}

/// What one part of a path means.
enum Part<'a> {
    Field,
    Index(usize),
    Last,
    Every,
    /// The elements whose field has the value; those that are the value if the field is empty.
    Element(&'a str, &'a str),
    /// Brackets that do not say which elements they mean.
    Nothing,
}

impl<'a> Part<'a> {
    fn parse(part: &'a str) -> Self {
        if let Ok(index) = part.parse() {
            return Self::Index(index);
        }
        let inside = part.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        match (part, inside.map(|inside| inside.split_once('='))) {
            ("-", _) => Self::Last,
            ("*", _) => Self::Every,
            (_, Some(Some((field, value)))) => Self::Element(field, value),
            (_, Some(None)) => Self::Nothing,
            (_, None) => Self::Field,
        }
    }
}

/// The value at `path` in `root`.
pub(crate) fn find<'a>(root: &'a Node, path: &[String]) -> Option<&'a Node> {
    path.iter().try_fold(root, |node, part| match (Part::parse(part), &node.value) {
        (Part::Index(index), Value::Sequence(items)) => items.get(index),
        (Part::Last, Value::Sequence(items)) => items.last(),
        (Part::Element(field, value), Value::Sequence(items)) => items.iter().find(|item| match field {
            "" => item.as_str() == Some(value),
            field => item.get(field).and_then(Node::as_str) == Some(value),
        }),
        (Part::Field | Part::Every, Value::Mapping(entries)) => entries.get(part).or_else(|| indexed(entries, part)),
        (_, Value::Scalar(_) | Value::Sequence(_) | Value::Mapping(_)) => None,
    })
}

/// The element that `ports[0]` means.
fn indexed<'a>(entries: &'a Mapping, part: &str) -> Option<&'a Node> {
    let (field, index) = part.strip_suffix(']')?.split_once('[')?;
    entries.get(field)?.as_sequence()?.get(index.parse::<usize>().ok()?)
}

/// Calls `set` with every value at `path` in `root`, and returns how many there were.
///
/// With `create`, missing mappings, lists and elements are made on the way, and the value itself as an empty node of
/// that kind.
pub(crate) fn set(
    root: &mut Node,
    path: &[String],
    create: Option<NodeKind>,
    set: &mut dyn FnMut(&mut Node) -> Result<(), String>,
) -> Result<usize, String> {
    let Some((part, rest)) = path.split_first() else { return set(root).map(|()| 1) };
    let made = |kind| node::empty(kind_of_next(rest.first(), kind));
    match Part::parse(part) {
        Part::Nothing => Err("list path element must contain fieldName=fieldValue for element to match".to_owned()),
        Part::Index(index) => {
            let items = items(root)?;
            if let (true, Some(kind)) = (index == items.len(), create) {
                items.push(made(kind));
            }
            let found = items.len();
            let item = items.get_mut(index);
            let item = item.ok_or_else(|| format!("index {index} specified but only {found} elements found"))?;
            self::set(item, rest, create, set)
        }
        Part::Every => {
            items(root)?.iter_mut().try_fold(0, |count, item| Ok(count + self::set(item, rest, create, set)?))
        }
        Part::Element(field, value) => set_elements(root, (field, value), rest, create, set),
        Part::Field | Part::Last => {
            if root.is_null() && create.is_some() {
                *root = node::empty(NodeKind::Mapping);
            }
            let Value::Mapping(entries) = &mut root.value else {
                let found = NodeKind::of(root).name();
                return Err(format!(
                    "wrong node kind: expected MappingNode but got {found}: node contents:\n{}",
                    node::printed(root)
                ));
            };
            if let (None, Some(kind)) = (entries.get(part), create) {
                entries.push(node::untyped(part), made(kind));
            }
            match entries.get_mut(part) {
                Some(field) => self::set(field, rest, create, set),
                None => Ok(0),
            }
        }
    }
}

fn set_elements(
    root: &mut Node,
    (field, value): (&str, &str),
    rest: &[String],
    create: Option<NodeKind>,
    set: &mut dyn FnMut(&mut Node) -> Result<(), String>,
) -> Result<usize, String> {
    let pattern = Regex::new(value).map_err(|error| error.to_string())?;
    let items = items(root)?;
    let is_meant = |item: &Node| {
        let found = if field.is_empty() { Some(item) } else { item.get(field) };
        found.is_some_and(|found| {
            pattern.is_match(found.as_str().map_or_else(|| node::printed(found), str::to_owned).trim())
        })
    };
    let mut count = 0;
    let mut any = false;
    for item in items.iter_mut() {
        if is_meant(item) {
            any = true;
            count += self::set(item, rest, create, set)?;
        }
    }
    if any || create.is_none() {
        return Ok(count);
    }
    let mut made = node::untyped(value);
    if !field.is_empty() {
        made = Node::mapping([(Node::string(field), made)].into_iter().collect());
    }
    if !is_meant(&made) {
        return Ok(0);
    }
    let count = self::set(&mut made, rest, create, set)?;
    items.push(made);
    Ok(count)
}

fn items(node: &mut Node) -> Result<&mut Vec<Node>, String> {
    if node.as_sequence().is_none() {
        let found = NodeKind::of(node).name();
        return Err(format!(
            "wrong node kind: expected SequenceNode but got {found}: node contents:\n{}",
            node::printed(node)
        ));
    }
    node.as_sequence_mut().ok_or_else(String::new)
}

/// What must stand in a field whose next part is `next`; at the end of a path, what is wanted there.
fn kind_of_next(next: Option<&String>, wanted: NodeKind) -> NodeKind {
    match next.map(|next| Part::parse(next)) {
        None => wanted,
        Some(Part::Field | Part::Last | Part::Every) => NodeKind::Mapping,
        Some(Part::Index(_) | Part::Element(..) | Part::Nothing) => NodeKind::Sequence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_splits_at_dots_outside_brackets_and_escapes() {
        let rows: [(&str, &[&str]); 5] = [
            ("metadata.name", &["metadata", "name"]),
            (".metadata.name", &["metadata", "name"]),
            (r"metadata.annotations.a\.b/c", &["metadata", "annotations", "a.b/c"]),
            ("metadata.annotations.[a.b/c]", &["metadata", "annotations", "a.b/c"]),
            ("spec.[name=a.b].image", &["spec", "[name=a.b]", "image"]),
        ];
        for (path, expected) in rows {
            assert_eq!(split(path), expected, "{path}");
        }
    }

    #[test]
    fn values_are_set_where_a_path_leads_and_made_where_that_is_asked_for() {
        let outcome = |path: &str, create| {
            let mut root = fairlead_yaml::parse("l: [{n: a}, {n: b}]\nm: {}").expect("YAML").remove(0);
            let count = set(&mut root, &split(path), create, &mut |field| {
                *field = Node::string("x");
                Ok(())
            });
            count.map_or_else(|problem| problem, |count| format!("{count}\n{}", node::printed(&root)))
        };
        let make = Some(NodeKind::Scalar);
        assert_eq!(outcome("l.*.v", make), "2\nl:\n- \"n\": a\n  v: x\n- \"n\": b\n  v: x\nm: {}\n");
        assert_eq!(outcome("l.[n=b].v", make), "1\nl:\n- \"n\": a\n- \"n\": b\n  v: x\nm: {}\n");
        assert_eq!(outcome("l.[n=c].v", make), "1\nl:\n- \"n\": a\n- \"n\": b\n- \"n\": c\n  v: x\nm: {}\n");
        assert_eq!(outcome("m.a.0.b", make), "1\nl:\n- \"n\": a\n- \"n\": b\nm:\n  a:\n  - b: x\n");
        assert_eq!(outcome("m.a", None), "0\nl:\n- \"n\": a\n- \"n\": b\nm: {}\n");
        assert_eq!(outcome("l.5", None), "index 5 specified but only 2 elements found");
    }
}
