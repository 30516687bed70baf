//! `kustomize.toolkit.fluxcd.io`: what is built from a source, and what of it is in the cluster.
//!
//! # Follows Flux
//! Names, defaults and validation are those of kustomize-controller 1.9.

mod spec;
mod status;

pub use spec::{
    BuildMetadata, CommonMetadata, Decryption, DecryptionProvider, DeletionPolicy, Dependency, HealthCheckExpr,
    IgnoreRule, Image, KubeConfigReference, KubeConfigSecret, Kustomization, KustomizationSpec, ObjectReference, Patch,
    PostBuild, Selector, SourceKind, SourceReference, SubstituteKind, SubstituteReference, SubstituteStrategy,
};
pub use status::{Inventory, InventoryEntry, KustomizationStatus, Snapshot};
