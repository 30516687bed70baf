//! Values against schemas.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::keywords::Check;
use super::{Draft, Problem};
use crate::value::{Text, Value};

/// Deepest nesting of schemas, references followed.
const MAX_DEPTH: usize = 200;

/// What the file of a schema is called.
const FILE: &str = "file:///values.schema.json";

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

/// A value under a schema. Where it is becomes a text only if something is wrong with it.
pub(super) struct Site<'v> {
    pub(super) value: &'v Value,
    /// The site around it, and what it is called there; `None` for the outermost.
    place: Option<(&'v Site<'v>, Key<'v>)>,
    depth: usize,
}

/// What a value is called in the one around it.
#[derive(Clone, Copy)]
pub(super) enum Key<'v> {
    Name(&'v str),
    Index(usize),
}

impl<'v> Site<'v> {
    pub(super) fn inside(&'v self, value: &'v Value, key: Key<'v>) -> Self {
        Self { value, place: Some((self, key)), depth: self.depth + 1 }
    }

    pub(super) fn same(&self) -> Self {
        self.with(self.value)
    }

    /// Another value in the same place.
    pub(super) fn with(&self, value: &'v Value) -> Self {
        Self { value, place: self.place, depth: self.depth + 1 }
    }

    /// The JSON pointer of the value.
    pub(super) fn pointer(&self) -> String {
        match self.place {
            None => String::new(),
            Some((around, Key::Index(index))) => format!("{}/{index}", around.pointer()),
            Some((around, Key::Name(name))) => {
                format!("{}/{}", around.pointer(), name.replace('~', "~0").replace('/', "~1"))
            }
        }
    }

    pub(super) fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::new(&self.pointer(), message)
    }
}

/// A schema that cannot be used, in words.
pub(super) type Checked<T> = Result<T, String>;

impl<'s> Validator<'s> {
    pub(super) fn new(root: &'s Json, draft: Draft) -> Self {
        Self { root, draft }
    }

    pub(super) fn root(&self, value: &Value) -> Checked<Option<Problem>> {
        let site = Site { value, place: None, depth: 0 };
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
                Ok(Problem::grouped(|| site.pointer(), check.run()?))
            }
            Json::Null | Json::Number(_) | Json::String(_) | Json::Array(_) => {
                Err("a schema is neither an object nor a boolean".to_owned())
            }
        }
    }

    /// The schema that a reference names; one with a name that tells no place takes anything, as in Helm.
    pub(super) fn referenced(&self, reference: &str) -> Checked<&'s Json> {
        if reference.starts_with("urn:") {
            return Ok(&Json::Bool(true));
        }
        let missing = || match reference.strip_prefix('#') {
            Some(place) if place.is_empty() || place.starts_with('/') => {
                format!("json-pointer in \"{FILE}{reference}\" not found")
            }
            Some(_) => format!("anchor in \"{FILE}{reference}\" not found in schema \"{FILE}\""),
            None => format!("`$ref` {reference} names no part of this file, and others are not read"),
        };
        let fragment = reference.strip_prefix('#').ok_or_else(missing)?;
        if fragment.is_empty() || fragment.starts_with('/') {
            let decoded = fragment.replace("%25", "%").replace("%24", "$");
            return self.root.pointer(&decoded).ok_or_else(missing);
        }
        find_anchor(self.root, fragment, 0).ok_or_else(missing)
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
