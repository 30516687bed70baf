//! The hash that ends the names of generated objects.
//!
//! # Follows kustomize
//! The first ten hex digits of the SHA-256 of the object's data as JSON, its name empty, written with letters that make
//! no words. Go's encoder escapes more than JSON asks for, and that is part of the hash.

use fairlead_object::Digest;
use fairlead_yaml::{Node, ResolveError, Schema, Value};
use serde_json::{Map, Value as Json};

const DIGITS: usize = 10;

/// The hash of an object of `kind`; `None` for kinds that have none.
pub(crate) fn of(kind: &str, object: &Node) -> Result<Option<String>, ResolveError> {
    let mut hashed = Map::new();
    let (always, optional): (&[&str], &str) = match kind {
        "ConfigMap" => (&["data"], "binaryData"),
        "Secret" => (&["data", "type"], "stringData"),
        _ => return Ok(None),
    };
    for key in always {
        hashed.insert((*key).to_owned(), object.get(key).map_or(Ok("".into()), hashed_value)?);
    }
    if let Some(value) = object.get(optional).filter(|value| value.as_str().is_none()) {
        hashed.insert(optional.to_owned(), hashed_value(value)?);
    }
    hashed.insert("kind".to_owned(), kind.into());
    hashed.insert("name".to_owned(), "".into());
    Ok(Some(encode(&go_escaped(&Json::Object(hashed).to_string()))))
}

/// A scalar counts as it is spelled, a null included, and a list as nothing.
fn hashed_value(value: &Node) -> Result<Json, ResolveError> {
    match &value.value {
        Value::Scalar(text) => Ok(text.as_str().into()),
        Value::Sequence(_) => Ok(Json::Null),
        Value::Mapping(_) => value.to_json(Schema::Kyaml),
    }
}

/// JSON with what Go's encoder escapes besides.
pub(crate) fn go_escaped(json: &str) -> String {
    let escapes =
        [("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"), ("\u{2028}", "\\u2028"), ("\u{2029}", "\\u2029")];
    escapes.iter().fold(json.to_owned(), |text, (letter, escape)| text.replace(letter, escape))
}

fn encode(text: &str) -> String {
    let digits = Digest::of(text.as_bytes()).hex();
    let letters = digits.chars().take(DIGITS).map(|digit| match digit {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        other => other,
    });
    letters.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_kustomize() {
        let rows = [
            ("ConfigMap", "data: {a: b}", "4h2mbtbbt6"),
            ("ConfigMap", "{}", "6ct58987ht"),
            ("ConfigMap", "{data: {k2: \"hello\\n\"}, binaryData: {f.bin: /wAB}}", "dhktbfhmd4"),
            (
                "ConfigMap",
                r#"data: {a: "<x>&y", q: quoted, s: sq, half: "\"x", eq: "a=b", empty: "", u: é, nl: "a\\nb"}"#,
                "mkg4d62hb7",
            ),
            ("Secret", "{type: Opaque, data: {}}", "46f8b28mk5"),
            ("Secret", "{type: kubernetes.io/x, data: {a: Yg==}}", "g9hm272kth"),
            ("Secret", "stringData: {a: b}", "86kg747449"),
            ("ConfigMap", "data: {a: 1, b: true}", "b8dgfkkb75"),
            ("ConfigMap", "data: null", "g886t7dd28"),
            ("Secret", "{type: null, data: {}}", "9dc7mm8mm8"),
        ];
        for (kind, object, expected) in rows {
            let object = fairlead_yaml::parse(object).expect("YAML").remove(0);
            assert_eq!(of(kind, &object).expect("JSON").as_deref(), Some(expected), "{object:?}");
        }
    }
}
