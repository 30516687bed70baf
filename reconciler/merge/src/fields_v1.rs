//! Sets as `managedFields` holds them.
//!
//! # Follows the API server
//! `f:` a field, `k:` the key of an item, `v:` an item of a set, `i:` a position; `.` says that the place itself is in the
//! set where something below it is too.

use serde_json::{Map, Value, json};

use crate::{path::Step, set::Set};

const SELF: &str = ".";

/// Why a text is no set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldsError {
    /// It holds something else than mappings.
    #[error("`fieldsV1` has a value at `{0}` that is no mapping")]
    NotAMapping(String),
    /// A member is none of the known forms.
    #[error("`fieldsV1` has the member `{0}`, which is no field, key, value or position")]
    Unknown(String),
}

/// Reads a set from `fieldsV1`.
pub fn decode(encoded: &Value) -> Result<Set, FieldsError> {
    decode_below(encoded, "fieldsV1")
}

fn decode_below(encoded: &Value, name: &str) -> Result<Set, FieldsError> {
    let members = encoded.as_object().ok_or_else(|| FieldsError::NotAMapping(name.to_owned()))?;
    let mut set = Set::new();
    for (member, below) in members.iter().filter(|(member, _)| *member != SELF) {
        let step = step(member).ok_or_else(|| FieldsError::Unknown(member.clone()))?;
        let is_member = below.as_object().is_some_and(|below| below.is_empty() || below.contains_key(SELF));
        set.put(step, is_member, decode_below(below, member)?);
    }
    Ok(set)
}

fn step(member: &str) -> Option<Step> {
    let (form, text) = member.split_once(':')?;
    match form {
        "f" => Some(Step::field(text)),
        "k" => match serde_json::from_str(text).ok()? {
            Value::Object(fields) => Some(Step::key(fields)),
            _ => None,
        },
        "v" => Some(Step::item(serde_json::from_str(text).ok()?)),
        "i" => Some(Step::Index(text.parse().ok()?)),
        _ => None,
    }
}

/// Writes `set` as `fieldsV1`.
pub fn encode(set: &Set) -> Value {
    let members = set.entries().map(|(step, is_member, below)| {
        let mut encoded = match encode(below) {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        if is_member && !encoded.is_empty() {
            encoded.insert(SELF.to_owned(), json!({}));
        }
        (member(step), Value::Object(encoded))
    });
    Value::Object(members.collect())
}

fn member(step: &Step) -> String {
    match step {
        Step::Field(name) => format!("f:{name}"),
        Step::Key(fields) => {
            let fields: Map<_, _> = fields.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect();
            format!("k:{}", Value::Object(fields))
        }
        Step::Item(value) => format!("v:{value}"),
        Step::Index(index) => format!("i:{index}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_again() {
        let encoded = json!({
            "f:metadata": { "f:finalizers": { ".": {}, "v:\"x.io/a\"": {} } },
            "f:spec": { "f:ports": { "k:{\"port\":80,\"protocol\":\"TCP\"}": { ".": {}, "f:port": {} }, "i:0": {} } },
        });
        let set = decode(&encoded).unwrap();
        assert_eq!(encode(&set), encoded);
        assert_eq!(
            set.paths().iter().map(|path| crate::path::shown(path)).collect::<Vec<_>>(),
            [
                ".metadata.finalizers",
                ".metadata.finalizers[=\"x.io/a\"]",
                ".spec.ports[port=80,protocol=\"TCP\"]",
                ".spec.ports[0]",
                ".spec.ports[port=80,protocol=\"TCP\"].port",
            ]
        );
    }

    #[test]
    fn what_is_no_set_is_refused() {
        assert_eq!(decode(&json!({ "x:a": {} })), Err(FieldsError::Unknown("x:a".to_owned())));
        assert_eq!(decode(&json!({ "f:a": 1 })), Err(FieldsError::NotAMapping("f:a".to_owned())));
        assert_eq!(decode(&json!({ "k:[1]": {} })), Err(FieldsError::Unknown("k:[1]".to_owned())));
    }
}
