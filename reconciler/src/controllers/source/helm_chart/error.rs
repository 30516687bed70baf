//! Why a chart could not be had or packed, in Flux's words.

use std::{error::Error, time::Duration};

use fairlead_api::{
    conditions::{BUILD_FAILED, FETCH_FAILED, SOURCE_VERIFIED},
    reasons::source as reason,
};
use fairlead_helm::{ChartError as LoadError, NoValuesFile};
use fairlead_object::TreeError;
use fairlead_sources::{
    fetch::SourceError,
    helm::{FindError, HelmError, IndexError, RepositoryError},
    oci::OciError,
    store::StoreError,
    transport::TransportError,
    verify::OciVerificationError,
};

/// Why a chart could not be had or packed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChartError {
    /// The object that it is found in is not there.
    #[error("failed to get source: {kind} '{namespace}/{name}' not found")]
    SourceMissing { kind: &'static str, namespace: String, name: String },
    /// That object has no artifact yet.
    #[error("no artifact available for {kind} source '{name}'")]
    NoArtifact { kind: &'static str, name: String },
    /// The index has no such chart or version.
    #[error("invalid chart reference: failed to get chart version for remote reference")]
    NotListed(#[source] IndexError),
    /// The name of a chart cannot be one.
    #[error("invalid chart reference: {0}")]
    Reference(String),
    /// What the path leads to is no chart.
    #[error("invalid chart reference")]
    NoChart(#[source] LoadError),
    /// No tag in a registry could be chosen.
    #[error("chart pull error: failed to get chart version for remote reference")]
    Tags(#[source] OciError),
    /// An image in a registry could not be fetched.
    #[error("chart pull error: failed to download chart for remote reference")]
    Pull(#[source] OciError),
    /// An archive could not be fetched.
    #[error(transparent)]
    Download(HelmError),
    /// The repository does not let us in, or we do not trust it.
    #[error("failed to authenticate with the Helm repository")]
    Login(#[source] HelmError),
    /// The version cannot be extended.
    #[error("chart metadata patch error: failed to set SemVer metadata on chart version: {0}")]
    Version(String),
    /// A file of values is not there.
    #[error("values files merge error: no values file found at path '{0}'")]
    NoValues(String),
    /// It cannot be read.
    #[error("values files merge error: unmarshaling values from '{path}' failed: {problem}")]
    MalformedValues { path: String, problem: String },
    /// There is nothing that the values could stand in place of.
    #[error("values files merge error")]
    NoValuesFile(#[from] NoValuesFile),
    /// A chart that this one needs could not be had.
    #[error("dependency build error: failed to add {place} dependency '{name}'")]
    Dependency { place: &'static str, name: String, source: Box<DependencyError> },
    /// The chart is not signed as it has to be.
    #[error("chart verification error")]
    Verification(#[source] OciVerificationError),
    /// The chart must be signed, and where it is no chart is.
    #[error("chart verification error: not implemented: only charts in a registry can be signed")]
    NoSignatures,
    /// The chart cannot be loaded.
    #[error("chart package error")]
    Load(#[source] LoadError),
    /// The package is too large, or cannot be unpacked.
    #[error("chart package error")]
    Package(#[source] RepositoryError),
    /// The artifact of the source cannot be read.
    #[error("the artifact cannot be read")]
    Tree(#[from] TreeError),
    /// The store cannot be read or written.
    #[error("the artifact cannot be read")]
    Store(#[from] StoreError),
    /// The work was interrupted.
    #[error("the chart could not be built: {0}")]
    Interrupted(String),
}

/// Why a chart that another one needs could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DependencyError {
    /// Its path leads to nothing.
    #[error("no chart found at '{path}' (reference '{written}')")]
    NoChart { path: String, written: String },
    /// Its path leads out of the source.
    #[error("'{0}' leads out of the source")]
    Outside(String),
    /// What its path leads to cannot be loaded.
    #[error("failed to load chart from '{path}'")]
    Load { path: String, source: LoadError },
    /// The range of versions cannot be read.
    #[error("invalid version/constraint format '{range}': {problem}")]
    Range { range: String, problem: String },
    /// The version at its path will not do.
    #[error("can't get a valid version for constraint '{0}'")]
    OtherVersion(String),
    /// Its repository cannot be used.
    #[error("no chart repository for URL '{url}'")]
    Repository { url: String, source: Box<dyn Error + Send + Sync> },
    /// Its repository does not have it.
    #[error("failed to get chart '{name}' version '{version}' from '{url}'")]
    NotFound { name: String, version: String, url: String, source: Box<dyn Error + Send + Sync> },
    /// What came cannot be loaded.
    #[error("failed to load downloaded archive of version '{version}'")]
    Archive { version: String, source: LoadError },
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The work was interrupted.
    #[error("{0}")]
    Interrupted(String),
}

impl From<FindError> for ChartError {
    fn from(error: FindError) -> Self {
        match error {
            FindError::NotListed(error) => Self::NotListed(error),
            FindError::Unread(error) => Self::Tree(error),
        }
    }
}

impl ChartError {
    /// What it means that an archive could not be fetched.
    pub(super) fn of_download(error: HelmError) -> Self {
        match &error {
            HelmError::Chart {
                source:
                    RepositoryError::Unauthenticated
                    | RepositoryError::Unauthorized
                    | RepositoryError::Transport(TransportError::Tls(_)),
                ..
            } => Self::Login(error),
            _ => Self::Download(error),
        }
    }

    /// What it means that an image could not be fetched.
    pub(super) fn of_pull(error: OciError) -> Self {
        match error {
            OciError::Verification(error) => Self::Verification(error),
            error => Self::Pull(error),
        }
    }
}

impl SourceError for ChartError {
    fn condition(&self) -> &'static str {
        match self {
            Self::Verification(_) | Self::NoSignatures => SOURCE_VERIFIED,
            Self::Version(_)
            | Self::NoValues(_)
            | Self::MalformedValues { .. }
            | Self::NoValuesFile(_)
            | Self::Dependency { .. }
            | Self::Load(_)
            | Self::Package(_) => BUILD_FAILED,
            Self::SourceMissing { .. }
            | Self::NoArtifact { .. }
            | Self::NotListed(_)
            | Self::Reference(_)
            | Self::NoChart(_)
            | Self::Tags(_)
            | Self::Pull(_)
            | Self::Download(_)
            | Self::Login(_)
            | Self::Tree(_)
            | Self::Store(_)
            | Self::Interrupted(_) => FETCH_FAILED,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::SourceMissing { .. } => reason::SOURCE_UNAVAILABLE,
            Self::NoArtifact { .. } => reason::NO_SOURCE_ARTIFACT,
            Self::NotListed(_) | Self::Reference(_) | Self::NoChart(_) => reason::INVALID_CHART_REFERENCE,
            Self::Tags(_) | Self::Pull(_) | Self::Download(_) => reason::CHART_PULL_ERROR,
            Self::Login(_) => reason::AUTHENTICATION_FAILED,
            Self::Version(_) => reason::METADATA_PATCH_ERROR,
            Self::NoValues(_) | Self::MalformedValues { .. } | Self::NoValuesFile(_) => reason::VALUES_FILES_ERROR,
            Self::Dependency { .. } => reason::DEPENDENCY_BUILD_ERROR,
            Self::Verification(_) | Self::NoSignatures => reason::VERIFICATION_ERROR,
            Self::Load(_) | Self::Package(_) => reason::CHART_PACKAGE_ERROR,
            Self::Tree(_) | Self::Store(_) | Self::Interrupted(_) => reason::READ_OPERATION_FAILED,
        }
    }

    /// A chart that is not signed is not built either.
    fn besides(&self) -> Option<(&'static str, &'static str)> {
        let is_unsigned = matches!(self, Self::Verification(_) | Self::NoSignatures);
        is_unsigned.then_some((BUILD_FAILED, reason::CHART_VERIFICATION_ERROR))
    }

    fn is_terminal(&self) -> bool {
        match self {
            Self::NotListed(_)
            | Self::Reference(_)
            | Self::NoChart(_)
            | Self::Version(_)
            | Self::NoValues(_)
            | Self::MalformedValues { .. }
            | Self::NoValuesFile(_) => true,
            Self::SourceMissing { .. }
            | Self::NoArtifact { .. }
            | Self::Tags(_)
            | Self::Pull(_)
            | Self::Download(_)
            | Self::Login(_)
            | Self::Dependency { .. }
            | Self::Verification(_)
            | Self::NoSignatures
            | Self::Load(_)
            | Self::Package(_)
            | Self::Tree(_)
            | Self::Store(_)
            | Self::Interrupted(_) => false,
        }
    }

    fn is_waiting(&self) -> bool {
        matches!(self, Self::NoArtifact { .. })
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Tags(error) | Self::Pull(error) => error.retry_after(),
            Self::Download(error) | Self::Login(error) => error.retry_after(),
            _ => None,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Verification(error) => error.hint(),
            Self::Tags(error) | Self::Pull(error) => error.hint(),
            Self::Download(error) | Self::Login(error) => error.hint(),
            _ => None,
        }
    }
}
