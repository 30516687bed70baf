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

use std::sync::OnceLock;

use serde_json::error::Category;

use crate::codec::json;
use crate::value::{Text, Value};

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

/// A schema, which is read once.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    text: Text,
    read: OnceLock<Result<serde_json::Value, String>>,
}

impl Schema {
    /// The schema in a file.
    pub(crate) fn new(text: Text) -> Self {
        Self { text, read: OnceLock::new() }
    }

    /// As it is written.
    pub(crate) fn text(&self) -> &Text {
        &self.text
    }

    /// What Go says of a text that is no JSON.
    fn problem(&self, error: &serde_json::Error) -> String {
        match error.classify() {
            Category::Eof if self.text.trim_ascii().is_empty() => "EOF".to_owned(),
            Category::Eof => "unexpected EOF".to_owned(),
            Category::Io | Category::Syntax | Category::Data => json::problem(&self.text, error),
        }
    }

    /// Checks `value` against it.
    pub(crate) fn check(&self, value: &Value) -> Result<(), SchemaError> {
        let read = || serde_json::from_slice(&self.text).map_err(|error| self.problem(&error));
        let schema = self.read.get_or_init(read).as_ref().map_err(|problem| SchemaError::Bad(problem.clone()))?;
        let draft = draft_of(schema);
        let problem = validate::Validator::new(schema, draft).root(value).map_err(SchemaError::Bad)?;
        problem.map_or(Ok(()), |problem| Err(SchemaError::Unmet(problem.ungrouped())))
    }
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
