//! JSON for tests: a small valid object, and what a case changes about it.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// `base` with the fields of `more`, as a typed value.
pub(crate) fn with_fields<T: DeserializeOwned>(mut base: Value, more: &Value) -> T {
    for (field, value) in more.as_object().expect("fields") {
        base[field] = value.clone();
    }
    serde_json::from_value(base).expect("the base is valid")
}
