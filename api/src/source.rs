//! `source.toolkit.fluxcd.io`: where manifests come from, and the artifacts that were made of it.
//!
//! # Follows Flux
//! Names, defaults and validation are those of source-controller 1.9.

mod bucket;
mod external_artifact;
mod git_repository;
mod helm_chart;
mod helm_repository;
mod oci_repository;
mod status;

pub use bucket::{Bucket, BucketSpec, BucketStatus, BucketSts, StsProvider};
pub use external_artifact::{ExternalArtifact, ExternalArtifactSource, ExternalArtifactSpec, ExternalArtifactStatus};
pub use git_repository::{
    GitProvider, GitRepository, GitRepositoryInclude, GitRepositoryRef, GitRepositorySpec, GitRepositoryStatus,
    GitRepositoryVerification, GitVerificationMode,
};
pub use helm_chart::{
    HelmChart, HelmChartSource, HelmChartSourceKind, HelmChartSpec, HelmChartStatus, HelmChartVerification,
    ReconcileStrategy,
};
pub use helm_repository::{
    AccessFrom, HelmRepository, HelmRepositorySpec, HelmRepositoryStatus, HelmRepositoryType, NamespaceSelector,
};
pub use oci_repository::{
    OciLayerOperation, OciLayerSelector, OciRepository, OciRepositoryRef, OciRepositorySpec, OciRepositoryStatus,
    OciRepositoryVerification, OidcIdentity, SignatureProvider,
};
pub use status::{Artifact, SourceStatus};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::duration::Duration;

/// Whose way to authenticate with a registry or an object store is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// What a Secret holds, or nothing.
    #[default]
    Generic,
    /// Amazon Web Services.
    Aws,
    /// Microsoft Azure.
    Azure,
    /// Google Cloud.
    Gcp,
}

fn default_fetch_timeout() -> Duration {
    Duration::from("60s")
}
