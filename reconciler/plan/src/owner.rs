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
}

impl Owner {
    /// The Kustomization `namespace/name`.
    pub fn kustomization(namespace: &str, name: &str) -> Self {
        let group = "kustomize.toolkit.fluxcd.io".to_owned();
        Self { group, namespace: namespace.to_owned(), name: name.to_owned() }
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
    }

    /// Whether the object `body` is marked as this owner's.
    pub fn owns(&self, body: &Value) -> bool {
        Self::of(body, &self.group).as_ref() == Some(self)
    }

    /// The owner that the labels of `group` on the object `body` name.
    pub(crate) fn of(body: &Value, group: &str) -> Option<Self> {
        let label =
            |part| body.pointer("/metadata/labels")?.get(format!("{group}/{part}"))?.as_str().map(str::to_owned);
        Some(Self { group: group.to_owned(), namespace: label("namespace")?, name: label("name")? })
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
