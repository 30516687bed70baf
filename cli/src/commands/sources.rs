//! The served kinds as commands name them: `kustomization`, `configuration`, `receiver`, and of sources `source git`,
//! `source oci`, `source bucket`, `source helm`, `source chart`.

use clap::{Args, Subcommand};

use crate::served::{
    BUCKET, FLUX_CONFIGURATION, GIT_REPOSITORY, HELM_CHART, HELM_RELEASE, HELM_REPOSITORY, KUSTOMIZATION, Kind,
    OCI_REPOSITORY, RECEIVER,
};

/// A served kind, with the flags of a command, and with those that it has for sources.
#[derive(Subcommand)]
pub(crate) enum Served<A: Args, S: Args = A> {
    /// Kustomizations.
    #[command(alias = "ks")]
    Kustomization(A),
    /// Sources.
    #[command(subcommand)]
    Source(Source<S>),
    /// HelmReleases.
    #[command(alias = "hr")]
    Helmrelease(A),
    /// FluxConfigurations.
    #[command(alias = "fluxconfig")]
    Configuration(A),
    /// Receivers.
    Receiver(A),
}

impl<A: Args, S: Args + Into<A>> Served<A, S> {
    /// The kind, and the flags.
    pub(crate) fn into_parts(self) -> (Kind, A) {
        match self {
            Self::Kustomization(flags) => (KUSTOMIZATION, flags),
            Self::Source(source) => {
                let (kind, flags) = source.into_parts();
                (kind, flags.into())
            }
            Self::Helmrelease(flags) => (HELM_RELEASE, flags),
            Self::Configuration(flags) => (FLUX_CONFIGURATION, flags),
            Self::Receiver(flags) => (RECEIVER, flags),
        }
    }
}

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
