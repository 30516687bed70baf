//! What a source asks for.

use std::collections::BTreeMap;

use fairlead_object::{Manifest, ObjectId, Origin};

use crate::{CustomStage, Inventory, Stage, stage::compare_objects};

/// The objects that one revision of a source asks for, each of them once.
///
/// Manifests come in as they will be sent: with owner labels, normalised, and without a namespace if their kind is
/// cluster-scoped.
#[derive(Clone, Debug)]
pub struct Desired {
    revision: String,
    manifests: BTreeMap<ObjectId, Manifest>,
    custom: CustomStage,
}

/// Two manifests that name the same object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{second}: {object} is already defined at {first}")]
pub struct DuplicateObject {
    /// The object that is named twice.
    pub object: ObjectId,
    /// Where it was written first.
    pub first: Box<Origin>,
    /// Where it was written again.
    pub second: Box<Origin>,
}

impl Desired {
    /// Takes the `manifests` of `revision`; fails if two of them name one object.
    pub fn new(revision: String, manifests: Vec<Manifest>) -> Result<Self, DuplicateObject> {
        let mut by_id: BTreeMap<ObjectId, Manifest> = BTreeMap::new();
        for manifest in manifests {
            if let Some(first) = by_id.get(manifest.id()) {
                return Err(DuplicateObject {
                    object: manifest.id().clone(),
                    first: Box::new(first.origin().clone()),
                    second: Box::new(manifest.origin().clone()),
                });
            }
            by_id.insert(manifest.id().clone(), manifest);
        }
        Ok(Self { revision, manifests: by_id, custom: CustomStage::default() })
    }

    /// Applies the kinds of `custom` before the rest.
    #[must_use]
    pub fn with_custom_stage(mut self, custom: CustomStage) -> Self {
        self.custom = custom;
        self
    }

    /// The revision of the source.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// Whether the source asks for `object`, in whatever version.
    pub fn contains(&self, object: &ObjectId) -> bool {
        self.manifests.contains_key(object)
    }

    /// The manifest of `object`.
    pub fn get(&self, object: &ObjectId) -> Option<&Manifest> {
        self.manifests.get(object)
    }

    /// The manifests, by their objects.
    pub(crate) fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        self.manifests.values()
    }

    /// The number of objects.
    pub fn len(&self) -> usize {
        self.manifests.len()
    }

    /// Whether the source asks for nothing.
    pub fn is_empty(&self) -> bool {
        self.manifests.is_empty()
    }

    /// The manifests in the order in which they are applied, each with its stage.
    pub fn in_apply_order(&self) -> Vec<(Stage, &Manifest)> {
        let staged = |manifest| (Stage::of(Manifest::id(manifest), &self.custom), manifest);
        let mut manifests: Vec<_> = self.manifests.values().map(staged).collect();
        manifests
            .sort_by(|(a_stage, a), (b_stage, b)| a_stage.cmp(b_stage).then_with(|| compare_objects(a.id(), b.id())));
        manifests
    }

    /// What its owner holds once all of it is applied.
    pub fn inventory(&self) -> Inventory {
        self.manifests.values().map(|manifest| (manifest.id().clone(), manifest.version().to_owned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::manifest;

    #[test]
    fn stages_come_first_and_kinds_inside_them() {
        let manifests =
            ["Deployment shop/web", "StorageClass fast", "ConfigMap shop/env", "Widget shop/a", "Namespace shop"];
        let desired = Desired::new("main@sha1:1".to_owned(), manifests.map(manifest).to_vec()).expect("no duplicates");
        let order: Vec<_> =
            desired.in_apply_order().iter().map(|(stage, manifest)| format!("{stage:?} {}", manifest.id())).collect();
        insta::assert_snapshot!(order.join("\n"), @r"
        Definitions Namespace shop
        Classes StorageClass fast
        Rest ConfigMap shop/env
        Rest Deployment shop/web
        Rest Widget shop/a
        ");
    }

    #[test]
    fn an_object_that_is_defined_twice_is_refused_with_both_places() {
        let manifests = vec![manifest("ConfigMap shop/env"), manifest("ConfigMap shop/env")];
        let error = Desired::new(String::new(), manifests).expect_err("a duplicate");
        assert_eq!(
            error.to_string(),
            "configmap-env.yaml:1: ConfigMap shop/env is already defined at configmap-env.yaml:1"
        );
    }
}
