//! What a Kustomization is built from, by name.

use std::fmt;

use fairlead_api::kustomize::{KustomizationSpec, SourceKind};
use fairlead_sources::store;

use super::ObjectKey;

/// The source that a Kustomization refers to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SourceName {
    /// Its kind.
    pub kind: SourceKind,
    /// Its namespace and name.
    pub key: ObjectKey,
}

impl SourceName {
    /// The source that a Kustomization in `namespace` with this `spec` is built from.
    pub fn of(spec: &KustomizationSpec, namespace: &str) -> Self {
        let source = &spec.source_ref;
        let namespace = source.namespace.as_deref().unwrap_or(namespace);
        Self { kind: source.kind, key: ObjectKey::new(namespace, &source.name) }
    }

    /// The kind as the store knows it; `None` for a kind that is not fetched here.
    pub(crate) fn stored_kind(&self) -> Option<store::SourceKind> {
        match self.kind {
            SourceKind::OCIRepository => Some(store::SourceKind::OciRepository),
            SourceKind::GitRepository => Some(store::SourceKind::GitRepository),
            SourceKind::Bucket => Some(store::SourceKind::Bucket),
            SourceKind::ExternalArtifact => None,
        }
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.name(), self.key)
    }
}
