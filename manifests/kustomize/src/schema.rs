//! What is known about the types of objects: which lists merge by which keys, and which kinds are in no namespace.
//!
//! # Follows kustomize
//! The built-in schema is that of Kubernetes 1.21; a kind that is not in it has only lists that are replaced. A document
//! that `openapi` names takes its place for merging, and adds to it for scopes.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use serde_json::Value as Json;

use crate::{
    id::{GvkRef, Scope},
    schema_table, scope,
};

/// The types of objects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schema {
    types: Vec<Type>,
    /// The types that others refer to by name.
    names: HashMap<String, TypeId>,
    /// The type of the objects of an `apiVersion` and kind.
    kinds: HashMap<(String, String), TypeId>,
    /// The scopes of kinds that are not built in.
    scopes: HashMap<(String, String), Scope>,
}

/// What becomes of the built-in types where a kustomization names a schema of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BuiltInTypes {
    /// They are forgotten: what `kustomize build` does.
    #[default]
    Forgotten,
    /// They stay beside the new ones: what Flux does.
    Kept,
}

/// The place of a [`Type`] in its schema.
pub(crate) type TypeId = usize;

/// The fields of a type that are known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Type {
    pub(crate) fields: HashMap<String, Field>,
    /// What all other fields are.
    pub(crate) others: Option<Field>,
}

/// What a field holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Field {
    pub(crate) list: List,
    /// The type of the field, or of its elements if it is a list.
    pub(crate) of: Option<TypeId>,
}

/// How a list is merged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum List {
    /// The patch's list takes its place.
    #[default]
    Replaced,
    /// Values that are not there yet are added.
    Set,
    /// Elements are matched by these fields.
    Keyed(Vec<String>),
}

/// A place in a schema, down from the type of an object; outside it nothing is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    schema: &'a Schema,
    field: Option<&'a Field>,
    of: Option<TypeId>,
}

impl<'a> Place<'a> {
    /// Whether anything is known about what stands here.
    pub(crate) fn is_known(self) -> bool {
        self.of.is_some()
    }

    /// The field `name` of this mapping.
    pub(crate) fn field(self, name: &str) -> Self {
        let types = self.of.map(|of| &self.schema.types[of]);
        let field = types.and_then(|types| types.fields.get(name).or(types.others.as_ref()));
        Self { schema: self.schema, field, of: field.and_then(|field| field.of) }
    }

    /// An element of this list.
    pub(crate) fn element(self) -> Self {
        Self { field: None, ..self }
    }

    /// How this list is merged.
    pub(crate) fn list(self) -> &'a List {
        self.field.map_or(&List::Replaced, |field| &field.list)
    }
}

static BUILT_IN: LazyLock<Arc<Schema>> = LazyLock::new(|| Arc::new(schema_table::schema()));

impl Schema {
    /// The schema of Kubernetes' own kinds.
    pub(crate) fn built_in() -> Arc<Self> {
        Arc::clone(&BUILT_IN)
    }

    pub(crate) fn new(
        types: Vec<Type>,
        names: HashMap<String, TypeId>,
        kinds: HashMap<(String, String), TypeId>,
    ) -> Self {
        Self { types, names, kinds, scopes: HashMap::new() }
    }

    /// The place of the objects of `gvk`.
    pub(crate) fn place(&self, gvk: GvkRef<'_>) -> Place<'_> {
        let of = self.kinds.get(&(gvk.api_version(), gvk.kind.to_owned())).copied();
        Place { schema: self, field: None, of }
    }

    /// Whether objects of `gvk` are in a namespace.
    pub(crate) fn scope(&self, gvk: GvkRef<'_>) -> Scope {
        if self.scopes.is_empty() {
            return scope::built_in(gvk);
        }
        let own = self.scopes.get(&(gvk.api_version(), gvk.kind.to_owned()));
        own.copied().unwrap_or_else(|| scope::built_in(gvk))
    }

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
                reader.schema.kinds.insert(gvk_key(gvk), of);
            }
        }
        reader.read_all();
        for (path, operations) in document["paths"].as_object().into_iter().flatten() {
            let gvk = &operations["get"]["x-kubernetes-group-version-kind"];
            if gvk.is_object() {
                let namespaced = path.contains("namespaces/{namespace}");
                let scope = if namespaced { Scope::Namespaced } else { Scope::Cluster };
                let known = reader.schema.scopes.entry(gvk_key(gvk)).or_insert(scope);
                if namespaced {
                    *known = Scope::Namespaced;
                }
            }
        }
        reader.schema
    }
}

fn gvk_key(gvk: &Json) -> (String, String) {
    let text = |key: &str| gvk[key].as_str().unwrap_or_default();
    let gvk = GvkRef { group: text("group"), version: text("version"), kind: text("kind") };
    (gvk.api_version(), gvk.kind.to_owned())
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
        let fields = properties.map(|(name, property)| (name.clone(), self.field(property))).collect();
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
            // Definitions of Kubernetes are called `io.k8s.api.core.v1.PodSpec`, the built-in types just `PodSpec`.
            let short = name.strip_prefix("io.k8s.").and_then(|name| name.rsplit('.').next())?;
            return self.schema.names.get(short).copied();
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
