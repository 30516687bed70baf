//! The types that Kubernetes brings.
//!
//! # Follows kustomize
//! They are those of Kubernetes 1.21, whatever the cluster runs. Every other kind counts as namespaced, and its lists are
//! replaced: custom resources, and API versions that came later.

use std::sync::{Arc, LazyLock};

use super::{Field, KnownKind, List, Schema, Type, table};
use crate::id::Scope;

/// A type's name and its fields, each with how it is merged and the type of what it holds.
pub(super) type TypeRow = (&'static str, &'static [(&'static str, Merge, Option<&'static str>)]);

/// A kind's `apiVersion` and name, its scope and its type.
pub(super) type KindRow = (&'static str, &'static str, Option<Scope>, Option<&'static str>);

/// How a field is merged.
#[derive(Clone, Copy, Debug)]
pub(super) enum Merge {
    /// It is a mapping.
    Single,
    /// It is a list of values.
    Set,
    /// It is a list, of which elements are matched by these fields.
    Keyed(&'static [&'static str]),
}

pub(super) static BUILT_IN: LazyLock<Arc<Schema>> = LazyLock::new(|| Arc::new(schema()));

fn schema() -> Schema {
    let mut schema = Schema::default();
    schema.names.extend(table::TYPES.iter().enumerate().map(|(of, (name, _))| ((*name).into(), of)));
    let type_of = |name: Option<&str>| name.and_then(|name| schema.names.get(name)).copied();
    let field = |(name, merge, of): &(&'static str, Merge, Option<&str>)| {
        ((*name).into(), Field { list: list(*merge), of: type_of(*of) })
    };
    let types =
        table::TYPES.iter().map(|(_, fields)| Type { fields: fields.iter().map(field).collect(), others: None });
    schema.types = types.collect();
    for (api_version, kind, scope, of) in table::KINDS {
        *schema.kinds.entry((*api_version).into(), (*kind).into()) = KnownKind { of: type_of(*of), scope: *scope };
    }
    schema
}

fn list(merge: Merge) -> List {
    match merge {
        Merge::Single => List::Replaced,
        Merge::Set => List::Set,
        Merge::Keyed(keys) => List::Keyed(keys.iter().map(|key| (*key).to_owned()).collect()),
    }
}
