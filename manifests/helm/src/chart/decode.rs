//! YAML documents to the fields of Go structs.
//!
//! # Follows `sigs.k8s.io/yaml`
//! A number or boolean where a text is wanted becomes one: `appVersion: 1.10` is `1.1`.

use serde_json::{Map, Value as Json};

use crate::codec::yaml;
use crate::number;

/// The first document of a YAML text as an object; nothing is an empty one. An error in Go's words, where `target` is
/// the type.
pub(super) fn object(text: &[u8], target: &str) -> Result<Map<String, Json>, String> {
    match document(text)? {
        Json::Object(object) => Ok(object),
        Json::Null => Ok(Map::new()),
        other => Err(format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go value of type {target}",
            json_type(&other)
        )),
    }
}

/// The first document of a YAML text.
fn document(text: &[u8]) -> Result<Json, String> {
    let json = yaml::first_json(&String::from_utf8_lossy(text)).map_err(|problem| document_problem(&problem))?;
    Ok(json.unwrap_or(Json::Null))
}

/// What Go says of a text that is no YAML.
pub(crate) fn document_problem(problem: &str) -> String {
    format!("error converting YAML to JSON: {problem}")
}

/// The text of a scalar, which YAML may read as a number or boolean; `None` for a list, a map and a null.
pub(crate) fn as_text(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Bool(bool) => Some(bool.to_string()),
        Json::Number(number) if number.is_f64() => Some(number::format_general(number.as_f64()?)),
        Json::Number(number) => Some(number.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// Go's name of what JSON has here.
pub(crate) fn json_type(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "bool",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

/// Reads the fields of one struct.
pub(super) struct Fields<'j> {
    /// Go's name of the struct, and the fields on the way to it.
    pub(super) name: &'static str,
    pub(super) object: &'j Map<String, Json>,
}

impl<'j> Fields<'j> {
    /// The value of a field, whose name may be written in any case.
    pub(super) fn get(&self, name: &str) -> Option<&'j Json> {
        let same = || self.object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        self.object.get(name).or_else(same).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &str) -> Result<String, String> {
        let Some(value) = self.get(name) else { return Ok(String::new()) };
        as_text(value).ok_or_else(|| self.mismatch(value, name, "string"))
    }

    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, String> {
        self.list_of(name, "[]string")?
            .iter()
            .map(|item| match item {
                Json::Null => Ok(String::new()),
                item => as_text(item).ok_or_else(|| self.mismatch(item, name, "string")),
            })
            .collect()
    }

    pub(super) fn bool(&self, name: &str) -> Result<bool, String> {
        match self.get(name) {
            None => Ok(false),
            Some(Json::Bool(bool)) => Ok(*bool),
            Some(other) => Err(self.mismatch(other, name, "bool")),
        }
    }

    /// The items of a list, which is of the Go type `list_type`.
    pub(super) fn list_of(&self, name: &str, list_type: &str) -> Result<&'j [Json], String> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Json::Array(items)) => Ok(items),
            Some(other) => Err(self.mismatch(other, name, list_type)),
        }
    }

    pub(super) fn mismatch(&self, value: &Json, name: &str, wanted: &str) -> String {
        let (word, parent) = (json_type(value), self.name);
        format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {word} into Go struct field {parent}.{name} of type {wanted}"
        )
    }
}
