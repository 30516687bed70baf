//! Types from the `OpenAPI` document that an API server publishes of an API version.
//!
//! # Follows the API server
//! The same document is what `kubectl` reads; the API server makes its own types of it in this way, and those of a
//! `CustomResourceDefinition` of its schemas.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use crate::types::{Form, Items, List, Mapping, Scalar, Type, Types};

const REFERENCE: &str = "#/components/schemas/";

/// An object within another one, which has one owner.
const RAW: &str = "pkg.runtime.RawExtension";

/// Why a document has no types.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenApiError {
    /// There is no `components.schemas`.
    #[error("the OpenAPI document has no `components.schemas`")]
    NoSchemas,
    /// A schema names another one that is not there.
    #[error("the OpenAPI document names the schema `{0}`, which it does not have")]
    Unknown(String),
}

impl Types {
    /// Reads the types of `document`, as `/openapi/v3/apis/apps/v1` is.
    pub fn from_open_api(document: &Value) -> Result<Self, OpenApiError> {
        let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
        let schemas = schemas.ok_or(OpenApiError::NoSchemas)?;
        let mut reader = Reader { types: Self::new(), schemas, named: HashMap::new() };
        for (name, schema) in schemas {
            let ty = reader.named(name)?;
            for (api_version, kind) in kinds(schema) {
                reader.types.name(api_version, kind, ty);
            }
        }
        Ok(reader.types)
    }
}

/// The API versions and kinds of the objects that `schema` describes.
fn kinds(schema: &Value) -> impl Iterator<Item = (String, String)> {
    let kinds = schema.get("x-kubernetes-group-version-kind").and_then(Value::as_array);
    kinds.into_iter().flatten().map(|kind| {
        let text = |key: &str| kind.get(key).and_then(Value::as_str).unwrap_or_default();
        let (group, version) = (text("group"), text("version"));
        let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        (api_version, text("kind").to_owned())
    })
}

struct Reader<'a> {
    types: Types,
    schemas: &'a Map<String, Value>,
    named: HashMap<&'a str, Type>,
}

impl<'a> Reader<'a> {
    fn named(&mut self, name: &str) -> Result<Type, OpenApiError> {
        if let Some(ty) = self.named.get(name) {
            return Ok(*ty);
        }
        let unknown = || OpenApiError::Unknown(name.to_owned());
        let (name, schema) = self.schemas.get_key_value(name).ok_or_else(unknown)?;
        let ty = self.types.reserve();
        self.named.insert(name, ty);
        let form = if name.ends_with(RAW) { self.types.form(Types::ATOMIC).clone() } else { self.form(schema, false)? };
        self.types.set(ty, form);
        Ok(ty)
    }

    /// The type of a schema that stands inside another one, which keeps unknown fields or not.
    fn inner(&mut self, schema: &'a Value, keeps_unknown: bool) -> Result<Type, OpenApiError> {
        let Some(name) = reference(schema) else {
            let form = self.form(schema, keeps_unknown)?;
            return Ok(self.types.add(form));
        };
        let ty = self.named(name)?;
        // Whoever uses a type may say that it has one owner there.
        if is_atomic_map(schema) {
            let mut form = self.types.form(ty).clone();
            if let Some(map) = &mut form.map {
                map.is_atomic = true;
            }
            return Ok(self.types.add(form));
        }
        Ok(ty)
    }

    fn form(&mut self, schema: &'a Value, keeps_unknown: bool) -> Result<Form, OpenApiError> {
        let keeps_unknown = keeps_unknown || is_true(schema, "x-kubernetes-preserve-unknown-fields");
        if is_true(schema, "x-kubernetes-int-or-string") {
            return Ok(self.types.form(Types::ATOMIC).clone());
        }
        let form = match schema.get("type").and_then(Value::as_str) {
            Some("array") => Form { list: Some(self.list(schema, keeps_unknown)?), ..Form::default() },
            Some("object") => Form { map: Some(self.mapping(schema, keeps_unknown)?), ..Form::default() },
            Some("integer" | "number") => scalar(Scalar::Numeric),
            Some("boolean") => scalar(Scalar::Boolean),
            Some("string") => scalar(match schema.get("format").and_then(Value::as_str) {
                None | Some("" | "byte") => Scalar::Text,
                Some(_) => Scalar::Any,
            }),
            Some(_) => scalar(Scalar::Any),
            None if schema.get("oneOf").is_some() => scalar(Scalar::Any),
            None if schema.get("properties").is_some() => {
                Form { map: Some(self.mapping(schema, keeps_unknown)?), ..Form::default() }
            }
            None => self.types.form(Types::DEDUCED).clone(),
        };
        Ok(form)
    }

    fn list(&mut self, schema: &'a Value, keeps_unknown: bool) -> Result<List, OpenApiError> {
        let (item, described) = match schema.get("items") {
            Some(items) => (self.inner(items, keeps_unknown)?, Some(items)),
            None => (Types::DEDUCED, None),
        };
        let text = |key: &str| schema.get(key).and_then(Value::as_str);
        let items = match (text("x-kubernetes-list-type"), text("x-kubernetes-patch-strategy")) {
            (Some("set"), _) => Items::Set,
            (Some("map"), _) => {
                let keys = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
                self.keyed(keys.into_iter().flatten().filter_map(Value::as_str), described)
            }
            (None, Some(strategy)) if strategy.split(',').any(|word| word == "merge") => {
                match text("x-kubernetes-patch-merge-key") {
                    Some(key) => self.keyed([key].into_iter(), described),
                    None => Items::Set,
                }
            }
            (Some(_) | None, _) => Items::Atomic,
        };
        Ok(List { item, items })
    }

    /// Items that the fields of these names tell apart, with the defaults that their schema gives to those.
    fn keyed<'k>(&self, keys: impl Iterator<Item = &'k str>, items: Option<&Value>) -> Items {
        let described =
            items.and_then(|items| reference(items).and_then(|name| self.schemas.get(name)).or(Some(items)));
        let default = |name: &str| Some(described?.get("properties")?.get(name)?.get("default")?.clone());
        Items::Keyed(keys.map(|name| (name.to_owned(), default(name))).collect())
    }

    fn mapping(&mut self, schema: &'a Value, keeps_unknown: bool) -> Result<Mapping, OpenApiError> {
        let mut fields = BTreeMap::new();
        for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            fields.insert(name.clone(), self.inner(field, keeps_unknown)?);
        }
        let other = match schema.get("additionalProperties") {
            Some(others) if others.is_object() => Some(self.inner(others, keeps_unknown)?),
            Some(Value::Bool(false)) => None,
            Some(_) => Some(Types::DEDUCED),
            None => (keeps_unknown || fields.is_empty()).then_some(Types::DEDUCED),
        };
        Ok(Mapping { fields, other, is_atomic: is_atomic_map(schema) })
    }
}

fn scalar(scalar: Scalar) -> Form {
    Form { scalar: Some(scalar), ..Form::default() }
}

/// The name of the schema that `schema` is, or that it is with another default.
fn reference(schema: &Value) -> Option<&str> {
    let written = schema.get("$ref").or_else(|| schema.get("allOf")?.as_array()?.first()?.get("$ref"))?;
    written.as_str()?.strip_prefix(REFERENCE)
}

fn is_atomic_map(schema: &Value) -> bool {
    schema.get("x-kubernetes-map-type").and_then(Value::as_str) == Some("atomic")
}

fn is_true(schema: &Value, key: &str) -> bool {
    schema.get(key).and_then(Value::as_bool) == Some(true)
}
