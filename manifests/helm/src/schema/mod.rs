//! `values.schema.json`: JSON Schema of the drafts 4, 6, 7, 2019-09 and 2020-12.
//!
//! References stay within their file: nothing is fetched.
//!
//! # Follows `santhosh-tekuri/jsonschema`
//! The words of its errors and how they are nested. What follows from one keyword is reported once; a schema that
//! several keywords of which fail is a group.

mod format;
mod keywords;
mod problem;
mod validate;

use crate::value::Value;

pub(crate) use problem::Problem;

/// The drafts that differ in what is asked of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Draft {
    Four,
    Six,
    Seven,
    Later,
}

/// Why a schema cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SchemaError {
    /// The schema itself is refused.
    Bad(String),
    /// Values do not meet it.
    Unmet(Vec<Problem>),
}

/// Checks `value` against a schema.
pub(crate) fn check(schema: &[u8], value: &Value) -> Result<(), SchemaError> {
    let schema = serde_json::from_slice(schema).map_err(|error| SchemaError::Bad(error.to_string()))?;
    let draft = draft_of(&schema);
    let problem = validate::Validator::new(&schema, draft).root(value).map_err(SchemaError::Bad)?;
    problem.map_or(Ok(()), |problem| Err(SchemaError::Unmet(problem.ungrouped())))
}

fn draft_of(schema: &serde_json::Value) -> Draft {
    let name = schema.get("$schema").and_then(serde_json::Value::as_str).unwrap_or_default();
    match name.trim_end_matches('#') {
        name if name.ends_with("draft-04/schema") => Draft::Four,
        name if name.ends_with("draft-06/schema") => Draft::Six,
        name if name.ends_with("draft-07/schema") => Draft::Seven,
        _ => Draft::Later,
    }
}
