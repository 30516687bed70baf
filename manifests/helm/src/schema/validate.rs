//! Values against schemas.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::keywords::Check;
use super::{Draft, Problem};
use crate::value::{Text, Value};

/// Deepest nesting of schemas, references followed.
const MAX_DEPTH: usize = 200;

/// The schema of one file.
pub(super) struct Validator<'s> {
    root: &'s Json,
    pub(super) draft: Draft,
}

/// What the keywords of a schema have looked at, for `unevaluatedProperties` and `unevaluatedItems`.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) properties: BTreeSet<Text>,
    pub(super) items: BTreeSet<usize>,
}

impl Seen {
    pub(super) fn add(&mut self, other: Self) {
        self.properties.extend(other.properties);
        self.items.extend(other.items);
    }
}

/// A value under a schema.
pub(super) struct Site<'v> {
    pub(super) value: &'v Value,
    pub(super) pointer: String,
    depth: usize,
}

impl<'v> Site<'v> {
    pub(super) fn inside(&self, value: &'v Value, key: &str) -> Self {
        let key = key.replace('~', "~0").replace('/', "~1");
        Self { value, pointer: format!("{}/{key}", self.pointer), depth: self.depth + 1 }
    }

    pub(super) fn same(&self) -> Self {
        Self { value: self.value, pointer: self.pointer.clone(), depth: self.depth + 1 }
    }

    pub(super) fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::new(&self.pointer, message)
    }
}

/// A schema that cannot be used, in words.
pub(super) type Checked<T> = Result<T, String>;

impl<'s> Validator<'s> {
    pub(super) fn new(root: &'s Json, draft: Draft) -> Self {
        Self { root, draft }
    }

    pub(super) fn root(&self, value: &Value) -> Checked<Option<Problem>> {
        let site = Site { value, pointer: String::new(), depth: 0 };
        self.schema(self.root, &site, &mut Seen::default())
    }

    pub(super) fn schema(&self, schema: &'s Json, site: &Site<'_>, seen: &mut Seen) -> Checked<Option<Problem>> {
        if site.depth > MAX_DEPTH {
            return Err(format!("the schema is nested deeper than {MAX_DEPTH}"));
        }
        match schema {
            Json::Bool(true) => Ok(None),
            Json::Bool(false) => Ok(Some(site.problem("false schema"))),
            Json::Object(keywords) => {
                let check = Check { validator: self, keywords, site, seen, problems: Vec::new() };
                Ok(Problem::grouped(&site.pointer, check.run()?))
            }
            Json::Null | Json::Number(_) | Json::String(_) | Json::Array(_) => {
                Err("a schema is neither an object nor a boolean".to_owned())
            }
        }
    }

    /// The schema that a reference names.
    pub(super) fn referenced(&self, reference: &str) -> Checked<&'s Json> {
        let missing = || format!("`$ref` {reference} names nothing in this file, and others are not read");
        let fragment = reference.strip_prefix('#').ok_or_else(missing)?;
        if fragment.is_empty() || fragment.starts_with('/') {
            let decoded = fragment.replace("%25", "%").replace("%24", "$");
            return self.root.pointer(&decoded).ok_or_else(missing);
        }
        find_anchor(self.root, fragment, 0).ok_or_else(missing)
    }
}

impl Site<'_> {
    /// Another value in the same place.
    pub(super) fn with<'o>(&self, value: &'o Value) -> Site<'o> {
        Site { value, pointer: self.pointer.clone(), depth: self.depth + 1 }
    }

    pub(super) fn inside_owned<'o>(&self, value: &'o Value, key: &str) -> Site<'o> {
        let key = key.replace('~', "~0").replace('/', "~1");
        Site { value, pointer: format!("{}/{key}", self.pointer), depth: self.depth + 1 }
    }
}

fn find_anchor<'s>(schema: &'s Json, name: &str, depth: usize) -> Option<&'s Json> {
    if depth > MAX_DEPTH {
        return None;
    }
    match schema {
        Json::Object(object) => {
            let id = format!("#{name}");
            let is_named = object.get("$anchor").and_then(Json::as_str) == Some(name)
                || ["$id", "id"].iter().any(|key| object.get(*key).and_then(Json::as_str) == Some(&id));
            if is_named {
                return Some(schema);
            }
            object.values().find_map(|inside| find_anchor(inside, name, depth + 1))
        }
        Json::Array(items) => items.iter().find_map(|inside| find_anchor(inside, name, depth + 1)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
    }
}
