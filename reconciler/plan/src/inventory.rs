//! The inventory: which objects an owner holds, so that it can delete those its source no longer names.
//!
//! Whatever is not in it is never deleted.
//!
//! # Follows Flux
//! An entry's id is `<namespace>_<name>_<group>_<kind>`; `:` in the names of RBAC objects is written `__`, and `__` in
//! the name of any kind is read as `:`.
//! # Differs from Flux
//! It is recorded before a run's first write, not after its last: a crash leaves nothing untracked.

use std::collections::BTreeMap;

use fairlead_object::ObjectId;

use crate::stage::compare_objects;

/// The objects that one owner holds, each with the API version it was last applied in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory(BTreeMap<ObjectId, String>);

/// An inventory entry that names no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("inventory entry `{0}` is not of the form `<namespace>_<name>_<group>_<kind>`")]
pub struct InventoryEntryError(String);

impl Inventory {
    /// Reads the `(id, v)` pairs of `status.inventory.entries`.
    pub fn from_entries<'a>(
        entries: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, InventoryEntryError> {
        entries.into_iter().map(|(id, version)| Ok((parse_id(id)?, version.to_owned()))).collect()
    }

    /// The `(id, v)` pairs for `status.inventory.entries`, in the order in which the objects are applied.
    pub fn to_entries(&self) -> Vec<(String, String)> {
        self.in_order().into_iter().map(|(object, version)| (print_id(object), version.to_owned())).collect()
    }

    /// Holds `object` in `version` too.
    pub fn insert(&mut self, object: ObjectId, version: String) {
        self.0.insert(object, version);
    }

    /// Whether it holds `object`, in whatever version.
    pub fn contains(&self, object: &ObjectId) -> bool {
        self.0.contains_key(object)
    }

    /// The version in which `object` was last applied.
    pub fn version(&self, object: &ObjectId) -> Option<&str> {
        self.0.get(object).map(String::as_str)
    }

    /// The number of objects.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The objects with their versions, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&ObjectId, &str)> {
        self.0.iter().map(|(object, version)| (object, version.as_str()))
    }

    /// The objects with their versions in the order in which they are deleted: the reverse of the order of kinds.
    pub fn in_delete_order(&self) -> Vec<(&ObjectId, &str)> {
        let mut entries = self.in_order();
        entries.reverse();
        entries
    }

    /// What this and `newer` hold together; `newer` decides the version of what both hold.
    #[must_use]
    pub fn union(&self, newer: &Self) -> Self {
        self.0.iter().chain(&newer.0).map(|(object, version)| (object.clone(), version.clone())).collect()
    }

    fn in_order(&self) -> Vec<(&ObjectId, &str)> {
        let mut entries: Vec<_> = self.iter().collect();
        entries.sort_by(|(a, _), (b, _)| compare_objects(a, b));
        entries
    }
}

impl FromIterator<(ObjectId, String)> for Inventory {
    fn from_iter<I: IntoIterator<Item = (ObjectId, String)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

fn parse_id(id: &str) -> Result<ObjectId, InventoryEntryError> {
    let malformed = || InventoryEntryError(id.to_owned());
    let (namespace, rest) = id.split_once('_').ok_or_else(malformed)?;
    let (rest, kind) = rest.rsplit_once('_').ok_or_else(malformed)?;
    let (name, group) = rest.rsplit_once('_').ok_or_else(malformed)?;
    if name.is_empty() || kind.is_empty() {
        return Err(malformed());
    }
    Ok(ObjectId::new(group, kind, namespace, &name.replace("__", ":")))
}

fn print_id(object: &ObjectId) -> String {
    let is_rbac = matches!(object.kind.as_str(), "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding");
    let name = if is_rbac { object.name.replace(':', "__") } else { object.name.clone() };
    format!("{}_{name}_{}_{}", object.namespace_or_empty(), object.group, object.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_written_and_read_as_flux_does() {
        let cases = [
            ("apps_web_apps_Deployment", "Deployment apps/web"),
            ("_shop__Namespace", "Namespace shop"),
            ("shop_env__ConfigMap", "ConfigMap shop/env"),
            ("_system__view_rbac.authorization.k8s.io_ClusterRole", "ClusterRole system:view"),
            ("shop_a_b_rbac.authorization.k8s.io_Role", "Role shop/a_b"),
            (
                "_widgets.example.com_apiextensions.k8s.io_CustomResourceDefinition",
                "CustomResourceDefinition widgets.example.com",
            ),
        ];
        for (id, name) in cases {
            let inventory = Inventory::from_entries([(id, "v1")]).expect("well formed");
            assert_eq!(inventory.iter().next().expect("one entry").0.to_string(), name);
            assert_eq!(inventory.to_entries(), [(id.to_owned(), "v1".to_owned())]);
        }
    }

    #[test]
    fn an_id_with_too_few_parts_is_refused_and_quoted() {
        for id in ["", "web", "shop_web", "shop_web_apps", "shop___ConfigMap"] {
            let error = Inventory::from_entries([(id, "v1")]).expect_err(id);
            assert!(error.to_string().starts_with(&format!("inventory entry `{id}` is not")), "{error}");
        }
    }

    #[test]
    fn a_new_version_is_the_same_object() {
        let old = Inventory::from_entries([("a_b_batch_CronJob", "v1beta1")]).expect("well formed");
        let new = Inventory::from_entries([("a_b_batch_CronJob", "v1")]).expect("well formed");
        assert_eq!(old.union(&new), new);
    }
}
