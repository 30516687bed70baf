//! Whose an object is.

use fairlead_object::Manifest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The object that an inventory belongs to, as `Kustomization flux-system/apps`.
///
/// It is written on each object that it applies as two labels, `<group>/name` and `<group>/namespace`; only objects that
/// carry both are pruned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// API group that prefixes the two labels.
    pub group: String,
    /// Namespace of the owner.
    pub namespace: String,
    /// Name of the owner.
    pub name: String,
    /// The release that it installs, if it is a `HelmRelease`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseName>,
}

/// A release, as Helm writes it on the objects that belong to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ReleaseName {
    fn annotations(&self) -> [(&'static str, &str); 2] {
        [("meta.helm.sh/release-name", &self.name), ("meta.helm.sh/release-namespace", &self.namespace)]
    }

    fn owns(&self, body: &Value) -> bool {
        let annotations = &body["metadata"]["annotations"];
        self.annotations().iter().all(|(key, value)| annotations[*key] == *value)
    }
}

impl Owner {
    /// The Kustomization `namespace/name`.
    pub fn kustomization(namespace: &str, name: &str) -> Self {
        let group = "kustomize.toolkit.fluxcd.io".to_owned();
        Self { group, namespace: namespace.to_owned(), name: name.to_owned(), release: None }
    }

    /// The `HelmRelease` `namespace/name`, which installs `release`.
    pub fn helm_release(namespace: &str, name: &str, release: ReleaseName) -> Self {
        let group = "helm.toolkit.fluxcd.io".to_owned();
        Self { group, namespace: namespace.to_owned(), name: name.to_owned(), release: Some(release) }
    }

    /// The labels that mark an object as this owner's.
    pub fn labels(&self) -> [(String, String); 2] {
        let label = |part: &str, value: &str| (format!("{}/{part}", self.group), value.to_owned());
        [label("name", &self.name), label("namespace", &self.namespace)]
    }

    /// Marks `manifest` as this owner's.
    pub fn mark(&self, manifest: &mut Manifest) {
        let labels = self.labels();
        manifest.set_labels(labels.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        if let Some(release) = &self.release {
            manifest.set_labels([("app.kubernetes.io/managed-by", "Helm")]);
            manifest.set_annotations(release.annotations());
        }
    }

    /// Whether the object `body` is marked as this owner's. What Helm installed bears the marks of the release alone.
    pub fn owns(&self, body: &Value) -> bool {
        match &self.release {
            Some(release) => release.owns(body),
            None => Self::of(body, &self.group).as_ref() == Some(self),
        }
    }

    /// The owner that the labels of `group` on the object `body` name.
    pub(crate) fn of(body: &Value, group: &str) -> Option<Self> {
        let label =
            |part| body.pointer("/metadata/labels")?.get(format!("{group}/{part}"))?.as_str().map(str::to_owned);
        Some(Self { group: group.to_owned(), namespace: label("namespace")?, name: label("name")?, release: None })
    }
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Whom a step takes an object over from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TakeOver {
    /// It exists and carries no owner's labels.
    Unowned,
    /// It carries another owner's labels.
    From(Owner),
}
