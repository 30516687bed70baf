//! Which fields of a chart's objects are drawn: made of random numbers or of the time.
//!
//! Templates compute with what they draw: a password is hashed, encoded and put into a text. So nobody follows it.
//! Instead a chart that draws anything is rendered once more, at another time and with other numbers, and what then
//! differs was drawn.

use std::collections::{BTreeMap, BTreeSet};

use fairlead_object::{Manifest, ObjectId, pointer_to};
use serde_json::Value;

use crate::normalise;

/// Notes which fields of `manifests` are drawn, where `again` is the same chart rendered with other numbers at another time.
///
/// An object whose name is drawn has none that are noted: it is another object each time.
pub fn note_drawn(manifests: Vec<Manifest>, again: Vec<Manifest>) -> Vec<Manifest> {
    let again: BTreeMap<ObjectId, Value> = again.into_iter().map(|other| (other.id().clone(), sent(other))).collect();
    let noted = manifests.into_iter().map(|manifest| {
        let Some(other) = again.get(manifest.id()) else { return manifest };
        let mut drawn = Vec::new();
        add_differences("", &sent(manifest.clone()), other, &mut drawn);
        manifest.with_drawn(drawn)
    });
    noted.collect()
}

/// The object as it is sent.
fn sent(mut manifest: Manifest) -> Value {
    normalise(&mut manifest);
    Value::Object(manifest.into_body())
}

/// Adds the pointers, below `pointer`, to what differs in `a` and `b`.
fn add_differences(pointer: &str, a: &Value, b: &Value, drawn: &mut Vec<String>) {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                let (a, b) = (a.get(name).unwrap_or(&Value::Null), b.get(name).unwrap_or(&Value::Null));
                add_differences(&pointer_to(pointer, name), a, b, drawn);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                add_differences(&format!("{pointer}/{index}"), a, b, drawn);
            }
        }
        (a, b) if a == b => {}
        _ => drawn.push(pointer.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use fairlead_object::Origin;
    use serde_json::json;

    use super::*;

    fn manifest(kind: &str, name: &str, fields: &Value) -> Manifest {
        let mut body = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}});
        body.as_object_mut().expect("an object").extend(fields.as_object().expect("fields").clone());
        Manifest::new(body, Origin::default()).expect("an object")
    }

    #[test]
    fn what_differs_between_two_renderings_was_drawn() {
        let rows = [
            ("nothing", json!({"a": [1, {"b": "x"}]}), json!({"a": [1, {"b": "x"}]}), vec![]),
            (
                "fields",
                json!({"a": [1, {"b/c": "x"}], "d": 1}),
                json!({"a": [1, {"b/c": "y"}], "d": 2}),
                vec!["/a/1/b~1c", "/d"],
            ),
            ("a list that grows", json!({"a": [1]}), json!({"a": [1, 2]}), vec!["/a"]),
            ("a field that comes", json!({"a": {}}), json!({"a": {"b": 1}}), vec!["/a/b"]),
            (
                "a text of a Secret",
                json!({"stringData": {"p": "x"}}),
                json!({"stringData": {"p": "y"}}),
                vec!["/data/p"],
            ),
        ];
        for (name, one, other, expected) in rows {
            let noted = note_drawn(vec![manifest("Secret", "s", &one)], vec![manifest("Secret", "s", &other)]);
            assert_eq!(noted[0].drawn(), expected, "{name}");
        }
    }

    #[test]
    fn an_object_whose_name_is_drawn_has_no_drawn_fields() {
        let one = manifest("ConfigMap", "a-1", &json!({"data": {"x": "1"}}));
        let noted = note_drawn(vec![one.clone()], vec![manifest("ConfigMap", "a-2", &json!({"data": {"x": "2"}}))]);
        assert_eq!(noted, [one]);
    }
}
