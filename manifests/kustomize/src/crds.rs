//! `crds`: definitions of custom resources that say which of their fields are labels, names or references.
//!
//! # Follows kustomize
//! A file maps type names to `{Schema: {properties}}`. A type with `apiVersion`, `kind` and `metadata` is an object; its
//! kind is the last part of the type's name. Fields are found through `$ref`.

use fairlead_object::TreePath;
use fairlead_yaml::Schema;
use serde_json::Value as Json;

use crate::{
    at::At,
    config::{Config, NameReference},
    decode::{Path, Unknown},
    error::BuildError,
    field_spec::{Create, FieldSpec},
};

const ANNOTATION: &str = "x-kubernetes-annotation";
const LABELS: &str = "x-kubernetes-label-selector";
const IDENTITY: &str = "x-kubernetes-identity";
const VERSION: &str = "x-kubernetes-object-ref-api-version";
const KIND: &str = "x-kubernetes-object-ref-kind";
const NAME_KEY: &str = "x-kubernetes-object-ref-name-key";

/// Most fields that one file of definitions is followed into, each counted as often as it is reached.
const MAX_FIELDS: usize = 100_000;
/// Deepest nesting of types that is followed.
const MAX_DEPTH: usize = 64;

/// Reads the field specs that a file of definitions implies.
pub(crate) fn parse(file: &TreePath, content: &[u8]) -> Result<Config, BuildError> {
    let path = Path::file(file, "OpenAPIDefinition", Unknown::Ignored);
    let document = path.first_document(content)?;
    let unreadable = |source| BuildError::Unprintable { at: At::line(file, 1), id: file.to_string(), source };
    let definitions = document.to_json(Schema::SigsYaml).map_err(unreadable)?;
    let mut config = Config::default();
    let mut fields = 0;
    for (name, definition) in definitions.as_object().into_iter().flatten() {
        let schema = definition.get("Schema").unwrap_or(&Json::Null);
        let is_readable = |value: &Json| value.is_object() || value.is_null();
        if !is_readable(definition) || !is_readable(schema) {
            return Err(path.mismatch(&document, "common.OpenAPIDefinition"));
        }
        let is_object = ["apiVersion", "kind", "metadata"].iter().all(|key| schema["properties"].get(key).is_some());
        if is_object {
            let kind = name.rsplit('.').next().unwrap_or(name);
            let mut walk = Walk { definitions: &definitions, kind, config: &mut config, visited: Vec::new(), fields };
            walk.add(name, "");
            fields = walk.fields;
        }
    }
    if fields > MAX_FIELDS {
        let problem =
            "the definitions are nested more than 64 deep, or have more than 100000 fields along all ways to them";
        return Err(BuildError::OpenApi { at: At::line(file, 1), problem });
    }
    Ok(config)
}

struct Walk<'a> {
    definitions: &'a Json,
    kind: &'a str,
    config: &'a mut Config,
    /// The types on the way down, which may refer to themselves.
    visited: Vec<&'a str>,
    /// How many fields were looked at.
    fields: usize,
}

impl<'a> Walk<'a> {
    fn add(&mut self, name: &'a str, path: &str) {
        if self.visited.contains(&name) || self.fields > MAX_FIELDS {
            return;
        }
        if self.visited.len() >= MAX_DEPTH {
            self.fields = MAX_FIELDS + 1;
            return;
        }
        self.visited.push(name);
        let properties = &self.definitions[name]["Schema"]["properties"];
        for (field, property) in properties.as_object().into_iter().flatten() {
            self.fields += 1;
            let below = if path.is_empty() { field.clone() } else { format!("{path}/{field}") };
            self.add_specs(property, &below);
            if let Some(reference) = property["$ref"].as_str() {
                self.add(reference, &below);
            }
        }
        self.visited.pop();
    }

    fn add_specs(&mut self, property: &Json, path: &str) {
        let spec = |path: &str| FieldSpec::new("", "", self.kind, path, Create::No);
        let text = |key: &str| property[key].as_str();
        if text(ANNOTATION).is_some() {
            self.config.common_annotations.push(spec(path));
        }
        if text(LABELS).is_some() {
            self.config.common_labels.push(spec(path));
        }
        if text(IDENTITY).is_some() {
            self.config.name_prefix.push(spec(path));
        }
        if let (Some(version), Some(kind)) = (text(VERSION), text(KIND)) {
            let field = format!("{path}/{}", text(NAME_KEY).unwrap_or("name"));
            self.config.name_reference.push(NameReference {
                group: String::new(),
                version: version.to_owned(),
                kind: kind.to_owned(),
                field_specs: vec![spec(&field)],
            });
        }
    }
}
