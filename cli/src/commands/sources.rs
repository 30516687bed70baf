//! The kinds of sources as commands name them: `source git`, `source oci`, `source bucket`, `source helm`,
//! `source chart`.

use clap::{Args, Subcommand};

use crate::served::{BUCKET, GIT_REPOSITORY, HELM_CHART, HELM_REPOSITORY, Kind, OCI_REPOSITORY};

/// A kind of source, with the flags of a command.
#[derive(Subcommand)]
pub(crate) enum Source<A: Args> {
    /// GitRepositories.
    Git(A),
    /// OCIRepositories.
    Oci(A),
    /// Buckets.
    Bucket(A),
    /// HelmRepositories.
    Helm(A),
    /// HelmCharts.
    Chart(A),
}

impl<A: Args> Source<A> {
    /// The kind, and the flags.
    pub(crate) fn into_parts(self) -> (Kind, A) {
        match self {
            Self::Git(flags) => (GIT_REPOSITORY, flags),
            Self::Oci(flags) => (OCI_REPOSITORY, flags),
            Self::Bucket(flags) => (BUCKET, flags),
            Self::Helm(flags) => (HELM_REPOSITORY, flags),
            Self::Chart(flags) => (HELM_CHART, flags),
        }
    }
}
