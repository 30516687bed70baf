//! Values: what users give, merged and laid over what charts bring along.

pub(crate) mod coalesce;
mod path;
pub(crate) mod place;
mod set;

use serde_json::Value as Json;

use crate::chart;
use crate::codec::json::{self, Layout};
use crate::value::{Map, Text, Value};

pub use coalesce::TypeMismatch;
pub use path::ValuePath;
pub use set::SetError;

/// Values that a user gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserValues {
    /// A file, as `-f`.
    File {
        /// Its name, for messages.
        name: String,
        /// Its content.
        content: Vec<u8>,
    },
    /// `path=json` or a JSON object, as `--set-json`.
    Json(String),
    /// `path=value,…`, as `--set`: what looks like a number, a boolean or a null is one.
    Set(String),
    /// `path=value,…`, as `--set-string`: every value is a text.
    SetString(String),
    /// A path and the content of a file, as `--set-file`.
    SetFile {
        /// The path of the value.
        path: String,
        /// The text that it gets.
        content: String,
    },
    /// `path=text`, as `--set-literal`: the text is taken as it is.
    SetLiteral(String),
}

/// Why values cannot be used, in Helm's own words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValuesError {
    /// A file is no YAML, or no map.
    #[error("failed to parse {name}: {problem}")]
    File {
        /// The file.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The text of a `--set-json` is refused.
    #[error("failed parsing --set-json data {shown}")]
    Json {
        /// The text, as it is shown.
        shown: String,
        /// What is wrong with it.
        source: SetError,
    },
    /// The text of another `--set` is refused.
    #[error("failed parsing {flag} data: {source}")]
    Set {
        /// The flag.
        flag: &'static str,
        /// What is wrong with its text.
        source: SetError,
    },
}

impl UserValues {
    /// The flag that gives it.
    fn flag(&self) -> &'static str {
        match self {
            Self::File { .. } => "--values",
            Self::Json(_) => "--set-json",
            Self::Set(_) => "--set",
            Self::SetString(_) => "--set-string",
            Self::SetFile { .. } => "--set-file",
            Self::SetLiteral(_) => "--set-literal",
        }
    }

    /// Helm reads all values of one flag before those of the next.
    fn rank(&self) -> u8 {
        match self {
            Self::File { .. } => 0,
            Self::Json(_) => 1,
            Self::Set(_) => 2,
            Self::SetString(_) => 3,
            Self::SetFile { .. } => 4,
            Self::SetLiteral(_) => 5,
        }
    }
}

/// `given` in the order in which it is read.
pub(crate) fn sorted(given: &[UserValues]) -> Vec<&UserValues> {
    let mut sorted: Vec<&UserValues> = given.iter().collect();
    sorted.sort_by_key(|values| values.rank());
    sorted
}

/// Merges `given` into one map, later ones of the same flag over earlier ones.
pub(crate) fn merged(given: &[UserValues]) -> Result<Map, ValuesError> {
    let values = Map::default();
    for source in sorted(given) {
        apply(&values, source)?;
    }
    Ok(values)
}

/// Lays `given` over `values`, whatever was given before.
///
/// # Errors
/// If it cannot be read.
pub fn lay_values_over(
    values: &serde_json::Map<String, Json>,
    given: &UserValues,
) -> Result<serde_json::Map<String, Json>, ValuesError> {
    let values = from_object(values);
    apply(&values, given)?;
    let text = json::encode(&Value::Map(values), Layout::Raw).expect("values that were JSON are JSON");
    Ok(serde_json::from_slice(&text).expect("what was just written is read again"))
}

fn apply(values: &Map, source: &UserValues) -> Result<(), ValuesError> {
    let refused = |source_error| ValuesError::Set { flag: source.flag(), source: source_error };
    match source {
        UserValues::File { name, content } => {
            let read = chart::values(content).map_err(|problem| ValuesError::File { name: name.clone(), problem })?;
            coalesce::merge_over(values, &from_object(&read));
            Ok(())
        }
        UserValues::Json(text) if text.trim_start().starts_with('{') => {
            let read: Json = serde_json::from_str(text).map_err(|error| ValuesError::Json {
                shown: format!("JSON: {text}"),
                source: SetError::Json { text: text.clone(), problem: error.to_string() },
            })?;
            if let Value::Map(read) = Value::from_json(&read) {
                coalesce::merge_over(values, &read);
            }
            Ok(())
        }
        UserValues::Json(text) => {
            set::json(values, text).map_err(|source| ValuesError::Json { shown: text.clone(), source })
        }
        UserValues::Set(text) => set::typed(values, text).map_err(refused),
        UserValues::SetString(text) => set::strings(values, text).map_err(refused),
        UserValues::SetFile { path, content } => set::text_at(values, path, content).map_err(refused),
        UserValues::SetLiteral(text) => set::literal(values, text).map_err(refused),
    }
}

/// The map of a JSON object.
pub(crate) fn from_object(object: &serde_json::Map<String, Json>) -> Map {
    object.iter().map(|(key, value)| (Text::from(key.as_str()), Value::from_json(value))).collect()
}
