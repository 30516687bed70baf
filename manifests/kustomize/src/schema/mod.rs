//! What is known about the types of objects: which lists merge by which keys, and which kinds are in no namespace.
//!
//! # Follows kustomize
//! A document that `openapi` names takes the place of the [built-in types](built_in) for merging, and adds to them for
//! scopes.

mod built_in;
mod open_api;
#[rustfmt::skip]
mod table;

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use built_in::BUILT_IN;

use crate::id::{GvkRef, Scope};

/// A name, which the built-in types have from a table.
type Name = Cow<'static, str>;

/// The types of objects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schema {
    types: Vec<Type>,
    /// The types that others refer to by name.
    names: HashMap<Name, TypeId>,
    kinds: Kinds,
}

/// Kinds by their name, then by `apiVersion`.
#[derive(Clone, Debug, Default)]
struct Kinds(HashMap<Name, Vec<(Name, KnownKind)>>);

/// What is known about a kind.
#[derive(Clone, Copy, Debug, Default)]
struct KnownKind {
    /// The type of its objects.
    of: Option<TypeId>,
    scope: Option<Scope>,
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
type TypeId = usize;

/// The fields of a type that are known.
#[derive(Clone, Debug, Default)]
struct Type {
    fields: HashMap<Name, Field>,
    /// What all other fields are.
    others: Option<Field>,
}

/// What a field holds.
#[derive(Clone, Debug, Default)]
struct Field {
    list: List,
    /// The type of the field, or of its elements if it is a list.
    of: Option<TypeId>,
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

impl Schema {
    /// The schema of Kubernetes' own kinds.
    pub(crate) fn built_in() -> Arc<Self> {
        Arc::clone(&BUILT_IN)
    }

    /// The place of the objects of `gvk`.
    pub(crate) fn place(&self, gvk: GvkRef<'_>) -> Place<'_> {
        Place { schema: self, field: None, of: self.kinds.get(gvk).of }
    }

    /// Whether objects of `gvk` are in a namespace.
    pub(crate) fn scope(&self, gvk: GvkRef<'_>) -> Scope {
        Self::built_in_scope(gvk).or_else(|| self.kinds.get(gvk).scope).unwrap_or(Scope::Namespaced)
    }

    /// Whether objects of `gvk` are in a namespace, if Kubernetes brings that kind.
    pub(crate) fn built_in_scope(gvk: GvkRef<'_>) -> Option<Scope> {
        BUILT_IN.kinds.get(gvk).scope
    }
}

impl Kinds {
    fn get(&self, gvk: GvkRef<'_>) -> KnownKind {
        let versions = self.0.get(gvk.kind).into_iter().flatten();
        let found = versions.into_iter().find(|(api_version, _)| GvkRef::new(api_version, gvk.kind) == gvk);
        found.map(|(_, known)| *known).unwrap_or_default()
    }

    fn entry(&mut self, api_version: Name, kind: Name) -> &mut KnownKind {
        let versions = self.0.entry(kind).or_default();
        let position = versions.iter().position(|(known, _)| *known == api_version).unwrap_or_else(|| {
            versions.push((api_version, KnownKind::default()));
            versions.len() - 1
        });
        &mut versions[position].1
    }
}
