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

    /// The kind as the store knows it.
    pub(crate) fn stored_kind(&self) -> store::SourceKind {
        match self.kind {
            SourceKind::OCIRepository => store::SourceKind::OciRepository,
            SourceKind::GitRepository => store::SourceKind::GitRepository,
            SourceKind::Bucket => store::SourceKind::Bucket,
            SourceKind::ExternalArtifact => store::SourceKind::ExternalArtifact,
        }
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.name(), self.key)
    }
}
