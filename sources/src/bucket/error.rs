//! Why a bucket could not be read, and what to do about it.

use std::{error::Error, io, time::Duration};

use fairlead_api::reasons::source as reason;

use crate::{
    deadline::DeadlinePassed,
    fetch::SourceError,
    identity::IdentityError,
    secret::SecretError,
    store::StoreError,
    transport::{Refusal, TransportError},
};

/// Why a bucket could not be listed or fetched.
///
/// # Follows Flux
/// The texts start as Flux's do, so that searches and alerts made for them match.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// There is no such bucket, or none that the credentials may see.
    #[error("bucket '{bucket}' not found")]
    Missing {
        /// The bucket.
        bucket: String,
    },
    /// Its objects could not be listed.
    #[error("indexation of objects from bucket '{bucket}' failed")]
    Index {
        /// The bucket.
        bucket: String,
        /// What failed.
        source: ServiceError,
    },
    /// An object could not be fetched.
    #[error("fetch from bucket '{bucket}' failed: failed to get '{key}' object")]
    Object {
        /// The bucket.
        bucket: String,
        /// The object's key.
        key: String,
        /// What failed.
        source: ServiceError,
    },
    /// A key cannot be a path in an artifact.
    #[error("indexation of objects from bucket '{bucket}' failed: the key `{key}` is not a relative path")]
    Name {
        /// The bucket.
        bucket: String,
        /// The key, with what cannot be shown escaped.
        key: String,
    },
    /// The artifact cannot be stored.
    #[error("cannot store the fetched objects")]
    Store(#[from] StoreError),
}

/// Why an object's fields and Secret do not say whom to ask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BucketSettingsError {
    /// The endpoint is not what the provider wants.
    #[error("invalid endpoint: it {0}")]
    Endpoint(&'static str),
    /// The Secret does not hold what the provider wants.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl SourceError for BucketSettingsError {
    fn reason(&self) -> &'static str {
        reason::AUTHENTICATION_FAILED
    }

    fn is_terminal(&self) -> bool {
        false
    }
}

impl SourceError for BucketError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Index { source: ServiceError::Identity(_), .. }
            | Self::Object { source: ServiceError::Identity(_), .. } => reason::AUTHENTICATION_FAILED,
            Self::Missing { .. } | Self::Index { .. } | Self::Object { .. } | Self::Name { .. } | Self::Store(_) => {
                reason::BUCKET_OPERATION_FAILED
            }
        }
    }

    fn is_terminal(&self) -> bool {
        false
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Index { source, .. } | Self::Object { source, .. } => match source {
                ServiceError::Refused(refusal) => refusal.retry_after(),
                ServiceError::Transport(_)
                | ServiceError::Identity(_)
                | ServiceError::BucketMissing
                | ServiceError::Malformed(_)
                | ServiceError::Limit { .. } => None,
            },
            Self::Missing { .. } | Self::Name { .. } | Self::Store(_) => None,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Missing { .. } => "check `spec.bucketName`, `spec.endpoint` and that the credentials may list it",
            Self::Name { .. } => "rename the object, or leave it out with `spec.prefix`",
            Self::Index { source, .. } | Self::Object { source, .. } => return source.hint(),
            Self::Store(_) => return None,
        };
        Some(hint.to_owned())
    }
}

/// What failed between the first byte sent to a service and the last one read.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// No bytes got there or back, or not in time.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The service or its token server refuses.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The identity of this process gives no access.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The service knows no such bucket.
    #[error("the bucket does not exist")]
    BucketMissing,
    /// The answer is not what the service's reference says it is.
    #[error("malformed answer: {0}")]
    Malformed(String),
    /// Something is larger than a source may be.
    #[error("{what} exceeds the limit of {limit}")]
    Limit {
        /// What is too large.
        what: &'static str,
        /// The limit, with its unit.
        limit: String,
    },
}

impl ServiceError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Refused(Refusal::Unauthorized { .. }) => {
                "check that the credentials in `spec.secretRef` are valid and may list and read the bucket"
            }
            Self::Refused(Refusal::Busy { .. }) => "raise `spec.interval`",
            Self::Transport(TransportError::Tls(_)) => {
                "name the service's CA as `ca.crt` in the Secret of `spec.certSecretRef`; set `spec.insecure` only for a \
                 service without TLS"
            }
            Self::Transport(TransportError::Timeout(_)) => "raise `spec.timeout` if the bucket is large",
            Self::Limit { .. } => "narrow the source with `spec.prefix`",
            Self::Transport(
                TransportError::Connect { .. }
                | TransportError::Egress(_)
                | TransportError::Proxy { .. }
                | TransportError::Redirect { .. }
                | TransportError::Protocol(_),
            )
            | Self::Identity(_)
            | Self::BucketMissing
            | Self::Refused(Refusal::Status { .. })
            | Self::Malformed(_) => return None,
        };
        Some(hint.to_owned())
    }

    /// What a failed read of a body means: the error that was put into it, or a body that ended too early.
    pub(super) fn of_body(error: io::Error) -> Self {
        let text = error.to_string();
        let inner = error.into_inner().map(<dyn Error + Send + Sync>::downcast::<TransportError>);
        match inner {
            Some(Ok(transport)) => Self::Transport(*transport),
            Some(Err(_)) | None => Self::Malformed(text),
        }
    }
}

impl From<DeadlinePassed> for ServiceError {
    fn from(passed: DeadlinePassed) -> Self {
        Self::Transport(passed.into())
    }
}
