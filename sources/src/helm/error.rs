//! Why a Helm repository could not be read, and what to do about it.

use std::{error::Error, time::Duration};

use fairlead_api::reasons::source as reason;
use fairlead_object::Digest;

use super::index::IndexError;
use crate::{
    archive::ArchiveError, fetch::SourceError, secret::SecretError, store::StoreError, transport::TransportError,
};

/// Why an index or a chart could not be fetched.
///
/// # Follows Flux
/// The texts start as Flux's do, so that searches and alerts made for them match.
#[derive(Debug, thiserror::Error)]
pub enum HelmError {
    /// The index could not be fetched.
    #[error("failed to fetch Helm repository index")]
    Index(#[source] RepositoryError),
    /// The index is too large.
    #[error("failed to fetch Helm repository index: index exceeds the maximum index file size of {limit_bytes} bytes")]
    IndexTooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// What came is no index.
    #[error("failed to load Helm repository index")]
    Malformed(#[from] IndexError),
    /// A chart could not be fetched.
    #[error("chart pull error: failed to download chart for remote reference, version '{version}'")]
    Chart {
        /// The chart's version.
        version: String,
        /// What failed.
        source: RepositoryError,
    },
    /// What was fetched cannot be stored.
    #[error("cannot store what was fetched")]
    Store(#[from] StoreError),
}

/// Why a Secret does not hold credentials for a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HelmAuthError {
    /// A user without a password, or the other way round.
    #[error("malformed basic auth: both 'username' and 'password' are required")]
    HalfLogin,
    /// A value is not what its key says.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl SourceError for HelmError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Index(_) | Self::IndexTooLarge { .. } => reason::FAILED,
            Self::Malformed(_) => reason::INDEXATION_FAILED,
            Self::Chart { .. } => reason::CHART_PULL_ERROR,
            Self::Store(_) => reason::ARCHIVE_OPERATION_FAILED,
        }
    }

    fn is_terminal(&self) -> bool {
        false
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Index(RepositoryError::Status { retry_after, .. })
            | Self::Chart { source: RepositoryError::Status { retry_after, .. }, .. } => *retry_after,
            Self::Index(_) | Self::IndexTooLarge { .. } | Self::Malformed(_) | Self::Chart { .. } | Self::Store(_) => {
                None
            }
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Index(source) | Self::Chart { source, .. } => return source.hint(),
            Self::IndexTooLarge { .. } => "remove old versions from the repository, or use charts in an OCI registry",
            Self::Malformed(_) => "check that `spec.url` is the folder that holds `index.yaml`",
            Self::Store(_) => return None,
        };
        Some(hint.to_owned())
    }
}

/// What failed between the first byte sent to a server and the last one stored.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// No bytes got there or back, or not in time.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The server wants credentials, and there are none.
    #[error("authentication required: the server wants credentials, and there are none")]
    Unauthenticated,
    /// The server does not accept the credentials.
    #[error("authorization failed: the server does not accept the credentials")]
    Unauthorized,
    /// Another HTTP status that is no answer.
    #[error("unexpected response: HTTP status {status}")]
    Status {
        /// The status.
        status: u16,
        /// How long the server wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// It is too large.
    #[error("it exceeds the limit of {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// The index does not say where the chart is.
    #[error("the index names no URL for it")]
    NoUrl,
    /// The chart is not the one that is listed.
    #[error("it has digest {got} and is listed with {wanted}")]
    WrongDigest {
        /// The digest in the index.
        wanted: String,
        /// The digest of what came.
        got: Digest,
    },
    /// The chart is no archive that is taken.
    #[error("it cannot be unpacked")]
    Archive(#[source] Box<ArchiveError>),
    /// The body could not be read to its end.
    #[error("the answer ended early: {0}")]
    Short(String),
    /// It cannot be stored.
    #[error("it cannot be stored")]
    Store(#[source] StoreError),
}

impl RepositoryError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unauthenticated => "name a Secret with `username` and `password` in `spec.secretRef`",
            Self::Unauthorized => "check that the credentials in `spec.secretRef` are valid and not expired",
            Self::Transport(TransportError::Tls(_)) => {
                "name the server's CA as `ca.crt` in the Secret of `spec.certSecretRef`"
            }
            Self::Status { status: 404, .. } => "check `spec.url`",
            Self::Transport(_)
            | Self::Status { .. }
            | Self::TooLarge { .. }
            | Self::NoUrl
            | Self::WrongDigest { .. }
            | Self::Archive(_)
            | Self::Short(_)
            | Self::Store(_) => return None,
        };
        Some(hint.to_owned())
    }

    /// What a body means that could not be stored: often that it could not be read.
    pub(super) fn of_store(error: StoreError) -> Self {
        let StoreError::Input(error) = error else { return Self::Store(error) };
        let text = error.to_string();
        match error.into_inner().map(<dyn Error + Send + Sync>::downcast::<TransportError>) {
            Some(Ok(transport)) => Self::Transport(*transport),
            Some(Err(_)) | None => Self::Short(text),
        }
    }
}
