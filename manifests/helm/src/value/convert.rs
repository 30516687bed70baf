//! Values from and to JSON.

use serde_json::Value as Json;

use super::{Entries, List, Map, Text, Value};

impl Value {
    /// The value that Go's decoder makes of `json`: every number is a `float64`.
    pub(crate) fn from_json(json: &Json) -> Self {
        match json {
            Json::Null => Self::Nil,
            Json::Bool(bool) => Self::Bool(*bool),
            Json::Number(number) => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            Json::String(text) => Self::Text(text.as_str().into()),
            Json::Array(items) => Self::List(List::new(items.iter().map(Self::from_json).collect())),
            Json::Object(fields) => {
                let entries: Entries =
                    fields.iter().map(|(key, value)| (Text::from(key.as_str()), Self::from_json(value))).collect();
                Self::Map(Map::new(entries))
            }
        }
    }
}
