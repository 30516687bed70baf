//! Reading of objects whose fields may be missing.

use serde_json::Value;

/// One object of a cluster.
#[derive(Clone, Copy)]
pub(crate) struct Object<'a>(pub(crate) &'a Value);

impl<'a> Object<'a> {
    /// The integer at a JSON pointer, or `default`.
    pub(crate) fn integer(self, pointer: &str, default: i64) -> i64 {
        self.0.pointer(pointer).and_then(Value::as_i64).unwrap_or(default)
    }

    /// The text at a JSON pointer, or the empty text.
    pub(crate) fn text(self, pointer: &str) -> &'a str {
        self.0.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether there is `true` at a JSON pointer.
    pub(crate) fn is_true(self, pointer: &str) -> bool {
        self.0.pointer(pointer).and_then(Value::as_bool).unwrap_or_default()
    }

    /// The items of the list at a JSON pointer.
    pub(crate) fn items(self, pointer: &str) -> impl Iterator<Item = Object<'a>> + use<'a> {
        self.0.pointer(pointer).and_then(Value::as_array).into_iter().flatten().map(Object)
    }

    /// The conditions of its status, in the order in which they are written.
    pub(crate) fn conditions(self) -> impl Iterator<Item = Condition<'a>> {
        self.items("/status/conditions").map(|condition| Condition {
            type_: condition.text("/type"),
            status: condition.text("/status"),
            reason: condition.text("/reason"),
            message: condition.text("/message"),
        })
    }

    /// The first condition of a type.
    pub(crate) fn condition(self, type_: &str) -> Option<Condition<'a>> {
        self.conditions().find(|condition| condition.type_ == type_)
    }

    /// Whether the first condition of a type is true.
    pub(crate) fn has_condition(self, type_: &str) -> bool {
        self.condition(type_).is_some_and(|condition| condition.status == "True")
    }

    /// The group of its `apiVersion`, empty for the core group.
    pub(crate) fn group(self) -> &'a str {
        self.text("/apiVersion").split_once('/').map_or("", |(group, _)| group)
    }

    /// Its kind.
    pub(crate) fn kind(self) -> &'a str {
        self.text("/kind")
    }
}

/// One condition of an object's status.
#[derive(Clone, Copy)]
pub(crate) struct Condition<'a> {
    pub(crate) type_: &'a str,
    pub(crate) status: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) message: &'a str,
}
