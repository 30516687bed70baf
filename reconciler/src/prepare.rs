//! Manifests as they will be sent: marked as their owner's, each with the place in the API where its kind is served.
//!
//! What cannot be sent is said here, for all objects at once and before anything is asked of the cluster about them.

use std::{collections::HashMap, sync::Arc};

use fairlead_object::{Gvk, Manifest, ObjectId, Origin};
use fairlead_plan::{CustomStage, Desired, DuplicateObject, Owner};
use serde_json::Value;

use crate::cluster::{ApiError, Cluster, Resource};

/// Manifests that can be sent.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The manifests.
    pub desired: Desired,
    /// Where their kinds are served.
    pub resources: Resources,
}

/// Where kinds are served.
#[derive(Clone, Debug, Default)]
pub struct Resources(HashMap<Gvk, Served>);

#[derive(Clone, Debug)]
struct Served {
    resource: Arc<Resource>,
    /// The kind's own definition is among the manifests and not in the cluster yet.
    is_to_come: bool,
}

/// Why manifests cannot be sent.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PrepareError {
    /// Something is wrong with the manifests.
    #[error("{}", lines(.0))]
    Manifests(Vec<ManifestProblem>),
    /// Two of them name the same object.
    #[error(transparent)]
    Duplicate(#[from] DuplicateObject),
    /// The cluster did not say what it serves.
    #[error("cannot learn which kinds the cluster serves")]
    Discovery(#[source] ApiError),
}

/// What is wrong with one manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestProblem {
    /// No such kind.
    #[error("{origin}: the cluster serves no {gvk}, and no CustomResourceDefinition here defines it")]
    UnknownKind {
        /// Where the manifest was written.
        origin: Origin,
        /// Its kind.
        gvk: Gvk,
    },
    /// The kind lives in namespaces and the manifest names none.
    #[error("{origin}: {} namespace not specified: set metadata.namespace or spec.targetNamespace", .object.subject())]
    NoNamespace {
        /// Where the manifest was written.
        origin: Origin,
        /// The object.
        object: ObjectId,
    },
}

impl Resources {
    /// Where the kind of `manifest` is served.
    ///
    /// # Panics
    /// If the manifest was not prepared with these.
    pub fn of(&self, manifest: &Manifest) -> &Arc<Resource> {
        &self.0.get(&manifest.gvk()).expect("every prepared manifest has a served kind").resource
    }

    /// Whether the kind of `manifest` will be served only once its definition, among the same manifests, is applied.
    pub fn is_to_come(&self, manifest: &Manifest) -> bool {
        self.0.get(&manifest.gvk()).is_some_and(|served| served.is_to_come)
    }

    /// Whether objects of `gvk` live in namespaces; `None` for a kind that is not among the manifests.
    pub fn is_namespaced(&self, gvk: &Gvk) -> Option<bool> {
        self.0.get(gvk).map(|served| served.resource.is_namespaced)
    }
}

impl PrepareError {
    /// The API groups of which the cluster serves no such kind.
    pub fn missing_groups(&self) -> Vec<&str> {
        let Self::Manifests(problems) = self else { return Vec::new() };
        problems.iter().filter_map(ManifestProblem::missing_group).collect()
    }

    /// What the reader can try.
    pub fn hint(&self) -> Option<String> {
        let is_kind_missing = !self.missing_groups().is_empty();
        is_kind_missing.then(|| "apply the definition of the kind, here or elsewhere".to_owned())
    }
}

impl ManifestProblem {
    fn missing_group(&self) -> Option<&str> {
        match self {
            Self::UnknownKind { gvk, .. } => Some(&gvk.group),
            Self::NoNamespace { .. } => None,
        }
    }
}

/// Prepares the `manifests` of `revision` for being sent by `owner`.
pub async fn prepare(
    cluster: &Cluster,
    manifests: Vec<Manifest>,
    revision: &str,
    owner: &Owner,
    custom_stage: &CustomStage,
) -> Result<Prepared, PrepareError> {
    let resources = resolve(cluster, &manifests).await?;
    let mut problems = Vec::new();
    let mut prepared = Vec::with_capacity(manifests.len());
    for mut manifest in manifests {
        match resources.is_namespaced(&manifest.gvk()) {
            None => {
                problems.push(ManifestProblem::UnknownKind { origin: manifest.origin().clone(), gvk: manifest.gvk() });
            }
            Some(true) if manifest.id().namespace.is_none() => problems.push(ManifestProblem::NoNamespace {
                origin: manifest.origin().clone(),
                object: manifest.id().clone(),
            }),
            Some(is_namespaced) => {
                if !is_namespaced {
                    manifest.set_namespace(None);
                }
                owner.mark(&mut manifest);
                prepared.push(manifest);
            }
        }
    }
    if !problems.is_empty() {
        return Err(PrepareError::Manifests(problems));
    }
    let desired = Desired::new(revision.to_owned(), prepared)?.with_custom_stage(custom_stage.clone());
    Ok(Prepared { desired, resources })
}

async fn resolve(cluster: &Cluster, manifests: &[Manifest]) -> Result<Resources, PrepareError> {
    let mut served = HashMap::new();
    for gvk in manifests.iter().map(Manifest::gvk) {
        if served.contains_key(&gvk) {
            continue;
        }
        let found = cluster.resolve(&gvk).await.map_err(PrepareError::Discovery)?;
        let found = found.map(|resource| Served { resource, is_to_come: false });
        let defined = || Some(Served { resource: Arc::new(defined_here(manifests, &gvk)?), is_to_come: true });
        if let Some(found) = found.or_else(defined) {
            served.insert(gvk, found);
        }
    }
    Ok(Resources(served))
}

/// Where `gvk` will be served once the definition of it among `manifests` is applied.
fn defined_here(manifests: &[Manifest], gvk: &Gvk) -> Option<Resource> {
    let definitions = manifests
        .iter()
        .filter(|manifest| manifest.id().kind == "CustomResourceDefinition")
        .filter_map(|manifest| manifest.body().get("spec"));
    let text = |value: &Value| value.as_str().map(str::to_owned);
    definitions
        .filter(|spec| spec["group"] == gvk.group.as_str() && spec["names"]["kind"] == gvk.kind.as_str())
        .find(|spec| {
            let versions = spec["versions"].as_array().into_iter().flatten();
            versions.into_iter().any(|version| version["name"] == gvk.version.as_str() && version["served"] != false)
        })
        .and_then(|spec| {
            Some(Resource {
                group: gvk.group.clone(),
                version: gvk.version.clone(),
                kind: gvk.kind.clone(),
                plural: text(&spec["names"]["plural"])?,
                is_namespaced: spec["scope"] == "Namespaced",
            })
        })
}

fn lines(problems: &[ManifestProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_kind_that_is_defined_beside_its_objects_is_known() {
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "ships.harbour.io"},
            "spec": {
                "group": "harbour.io",
                "names": {"kind": "Ship", "plural": "ships"},
                "scope": "Namespaced",
                "versions": [{"name": "v1", "served": true}, {"name": "v0", "served": false}],
            },
        });
        let manifests = [Manifest::new(definition, Origin::default()).expect("an object")];
        let found = |version: &str| {
            let gvk = Gvk::from_api_version(&format!("harbour.io/{version}"), "Ship");
            defined_here(&manifests, &gvk).map(|resource| (resource.plural, resource.is_namespaced))
        };
        assert_eq!(found("v1"), Some(("ships".to_owned(), true)));
        assert_eq!(found("v0"), None, "a version that is not served");
        assert_eq!(found("v2"), None, "a version that is not defined");
    }
}
