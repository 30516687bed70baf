//! Types from an `OpenAPI` v2 document.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::{BUILT_IN, BuiltInTypes, Field, KnownKind, List, Schema, Type, TypeId};
use crate::id::Scope;

impl Schema {
    /// Reads an `OpenAPI` v2 document.
    pub(crate) fn from_open_api(document: &Json, built_ins: BuiltInTypes) -> Self {
        let schema = match built_ins {
            BuiltInTypes::Forgotten => Self::default(),
            BuiltInTypes::Kept => Self::clone(&BUILT_IN),
        };
        let mut reader =
            Reader { definitions: &document["definitions"], schema, by_name: HashMap::new(), unread: Vec::new() };
        for (name, definition) in reader.definitions.as_object().into_iter().flatten() {
            let of = reader.definition(name);
            for gvk in definition["x-kubernetes-group-version-kind"].as_array().into_iter().flatten() {
                reader.schema.kind(gvk).of = Some(of);
            }
        }
        reader.read_all();
        for (path, operations) in document["paths"].as_object().into_iter().flatten() {
            let gvk = &operations["get"]["x-kubernetes-group-version-kind"];
            if gvk.is_object() {
                let known = &mut reader.schema.kind(gvk).scope;
                if path.contains("namespaces/{namespace}") {
                    *known = Some(Scope::Namespaced);
                } else {
                    known.get_or_insert(Scope::Cluster);
                }
            }
        }
        reader.schema
    }

    fn kind(&mut self, gvk: &Json) -> &mut KnownKind {
        let text = |key: &str| gvk[key].as_str().unwrap_or_default();
        let api_version = match text("group") {
            "" => text("version").to_owned(),
            group => format!("{group}/{}", text("version")),
        };
        self.kinds.entry(api_version.into(), text("kind").to_owned().into())
    }
}

/// Reads definitions, each once: they may refer to each other in circles.
struct Reader<'a> {
    definitions: &'a Json,
    schema: Schema,
    by_name: HashMap<&'a str, TypeId>,
    /// Definitions that others refer to and that are still to be read.
    unread: Vec<(TypeId, &'a str)>,
}

impl<'a> Reader<'a> {
    fn definition(&mut self, name: &'a str) -> TypeId {
        if let Some(of) = self.by_name.get(name) {
            return *of;
        }
        let of = self.schema.types.len();
        self.schema.types.push(Type::default());
        self.by_name.insert(name, of);
        self.unread.push((of, name));
        of
    }

    fn read_all(&mut self) {
        while let Some((of, name)) = self.unread.pop() {
            self.schema.types[of] = self.fields(&self.definitions[name]);
        }
    }

    fn fields(&mut self, definition: &'a Json) -> Type {
        let properties = definition["properties"].as_object().into_iter().flatten();
        let fields = properties.map(|(name, property)| (name.clone().into(), self.field(property))).collect();
        let others = definition.get("additionalProperties").filter(|property| property.is_object());
        let others = others.map(|property| self.field(property));
        Type { fields, others }
    }

    fn field(&mut self, property: &'a Json) -> Field {
        let strategy = property["x-kubernetes-patch-strategy"].as_str().unwrap_or_default();
        let list = if strategy.split(',').any(|word| word == "merge") { merge_keys(property) } else { List::Replaced };
        let of = property.get("items").unwrap_or(property);
        Field { list, of: self.type_of(of) }
    }

    fn type_of(&mut self, property: &'a Json) -> Option<TypeId> {
        if let Some(reference) = property["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap_or_default();
            if self.definitions.get(name).is_some() {
                return Some(self.definition(name));
            }
            return self.schema.names.get(name).copied();
        }
        if property.get("properties").is_none() && property.get("additionalProperties").is_none() {
            return None;
        }
        let of = self.schema.types.len();
        self.schema.types.push(Type::default());
        self.schema.types[of] = self.fields(property);
        Some(of)
    }
}

fn merge_keys(property: &Json) -> List {
    let texts = |key: &str| match &property[key] {
        Json::String(text) => vec![text.clone()],
        Json::Array(texts) => texts.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let keys = texts("x-kubernetes-list-map-keys");
    let keys = if keys.is_empty() { texts("x-kubernetes-patch-merge-key") } else { keys };
    if keys.is_empty() { List::Set } else { List::Keyed(keys) }
}
