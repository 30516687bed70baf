//! Sets of fields, as `fieldsV1` encodes them.
//!
//! A member is `f:<name>` for a field, `k:<keys>` for the item of a list with these key fields, `v:<value>` for the item
//! of a set, and `i:<index>` for the item at a place. A member `.` says that the path itself is in the set; a member
//! without members of its own is a leaf, and in the set.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::Segment;

/// The fields of one object that one manager owns.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FieldSet {
    pub(super) fields: BTreeMap<String, FieldSet>,
    pub(super) items: Vec<(Map<String, Value>, FieldSet)>,
    pub(super) values: Vec<Value>,
    /// Whether items are owned by their place, which says nothing once the list changes.
    pub(super) has_indexes: bool,
}

/// What a manager owns of the field at hand, while two objects are walked together.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owned<'a> {
    /// The field and all that is in it: it is atomic, or whoever asks counts everything as owned.
    Everything,
    /// Parts of it.
    Parts(&'a FieldSet),
    /// Nothing of it.
    Nothing,
}

impl FieldSet {
    /// Reads a `fieldsV1`; nothing if it is not well formed.
    pub(crate) fn parse(encoded: &Value) -> Option<Self> {
        let mut set = Self::default();
        for (member, below) in encoded.as_object()? {
            set.add(member, below)?;
        }
        Some(set)
    }

    fn add(&mut self, member: &str, below: &Value) -> Option<()> {
        if member == "." {
            return Some(());
        }
        let (tag, name) = member.split_once(':')?;
        match tag {
            "f" => drop(self.fields.insert(name.to_owned(), Self::parse(below)?)),
            "k" => self.items.push((serde_json::from_str(name).ok()?, Self::parse(below)?)),
            "v" => self.values.push(serde_json::from_str(name).ok()?),
            "i" => self.has_indexes = true,
            _ => return None,
        }
        Some(())
    }

    /// Whether the path is owned as a whole: a scalar, an atomic list or map, or an empty one.
    pub(crate) fn is_leaf(&self) -> bool {
        self.fields.is_empty() && self.items.is_empty() && self.values.is_empty() && !self.has_indexes
    }

    /// Whether the field of `live` at the JSON pointer `tokens`, or an atomic one around it, is in the set.
    pub(super) fn owns_at(&self, live: &Value, tokens: &[String]) -> bool {
        let Some((token, rest)) = tokens.split_first() else { return true };
        if self.is_leaf() {
            return true;
        }
        let below = match live {
            Value::Object(members) => self.fields.get(token).zip(members.get(token)),
            Value::Array(items) => token.parse::<usize>().ok().and_then(|index| self.item(items.get(index)?)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        };
        below.is_some_and(|(set, live)| set.owns_at(live, rest))
    }

    /// What is owned of a list's item, with the item.
    fn item<'a>(&'a self, live: &'a Value) -> Option<(&'a Self, &'a Value)> {
        let has_keys = |keys: &Map<String, Value>| keys.iter().all(|(key, value)| live.get(key) == Some(value));
        self.items.iter().find(|(keys, _)| has_keys(keys)).map(|(_, below)| (below, live))
    }

    /// Whether the field at `path`, or an atomic one around it, is in the set.
    pub(crate) fn owns(&self, path: &[Segment]) -> bool {
        match path.iter().fold(Owned::Parts(self), Owned::below) {
            Owned::Everything | Owned::Parts(_) => true,
            Owned::Nothing => false,
        }
    }
}

impl<'a> Owned<'a> {
    fn of(set: &'a FieldSet) -> Self {
        if set.is_leaf() { Self::Everything } else { Self::Parts(set) }
    }

    /// What is owned one step further down.
    pub(crate) fn below(self, segment: &Segment) -> Self {
        let Self::Parts(set) = self else { return self };
        let child = match segment {
            Segment::Field(name) => set.fields.get(name),
            Segment::Item { key, value, .. } => {
                set.items.iter().find(|(keys, _)| keys.get(key) == Some(value)).map(|(_, below)| below)
            }
            Segment::Index(_) => None,
        };
        child.map_or(Self::Nothing, Self::of)
    }

    /// Whether the field itself is owned: all of it or a part of it.
    pub(crate) fn is_something(self) -> bool {
        match self {
            Self::Everything | Self::Parts(_) => true,
            Self::Nothing => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::FieldPath;

    fn set() -> FieldSet {
        let encoded = json!({"f:spec": {
            "f:replicas": {},
            "f:selector": {},
            "f:containers": {"k:{\"name\":\"app\"}": {".": {}, "f:image": {}}},
        }});
        FieldSet::parse(&encoded).expect("well formed")
    }

    #[test]
    fn a_set_owns_its_leaves_and_what_is_inside_an_atomic_one() {
        let spec = FieldPath::root().field("spec");
        let item = |name: &str| Segment::Item { index: 0, key: "name".to_owned(), value: name.into() };
        let cases = [
            (spec.field("replicas"), true),
            (spec.field("selector").field("matchLabels").field("app"), true),
            (spec.field("containers").child(item("app")).field("image"), true),
            (spec.field("containers").child(item("app")).field("args"), false),
            (spec.field("containers").child(item("sidecar")).field("image"), false),
            (spec.field("paused"), false),
        ];
        for (path, expected) in cases {
            assert_eq!(set().owns(path.segments()), expected, "{path}");
        }
    }

    #[test]
    fn a_set_that_is_not_well_formed_is_no_set() {
        for encoded in [json!([]), json!({"x:spec": {}}), json!({"k:{": {}}), json!({"f:a": 1})] {
            assert_eq!(FieldSet::parse(&encoded), None, "{encoded}");
        }
    }
}
