//! Why an OCI source could not be read, and what to do about it.

use std::{io, time::Duration};

use fairlead_api::{conditions::FETCH_FAILED, reasons::source as reason};
use fairlead_object::Digest;

use super::url::{OciUrl, OciUrlError};
use crate::{
    archive::ArchiveError,
    deadline::DeadlinePassed,
    fetch::SourceError,
    identity::IdentityError,
    store::StoreError,
    transport::{Refusal, TransportError},
    verify::OciVerificationError,
    version::VersionRangeError,
};

/// Why an OCI source could not be resolved or fetched.
///
/// # Follows Flux
/// The texts start as Flux's do, so that searches and alerts made for them match. A registry that refuses credentials is a
/// failed resolution or pull; `AuthenticationFailed` is kept for credentials that cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum OciError {
    /// The URL is not one of a repository. Only an edit helps.
    #[error("URL validation failed for '{url}'")]
    Url {
        /// The URL as written.
        url: String,
        /// What is wrong with it.
        source: OciUrlError,
    },
    /// The identity of this process gives no access to the registry.
    #[error("cannot log in to the registry")]
    Identity(#[from] IdentityError),
    /// No tag could be chosen.
    #[error("failed to determine the artifact tag for '{url}'")]
    Tag {
        /// The repository.
        url: OciUrl,
        /// What failed.
        source: RegistryError,
    },
    /// What the tag stands for could not be found out.
    #[error("failed to determine artifact digest")]
    Digest(#[source] RegistryError),
    /// The manifest or the layer could not be fetched.
    #[error("failed to pull artifact from '{url}'")]
    Pull {
        /// The repository.
        url: OciUrl,
        /// What failed.
        source: RegistryError,
    },
    /// The image is not signed as it has to be.
    #[error(transparent)]
    Verification(#[from] OciVerificationError),
    /// The image has no layer that is wanted, or what is in it cannot be used.
    #[error(transparent)]
    Layer(#[from] LayerError),
}

/// What is wrong with the layers of an image.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// There are none.
    #[error("no layers found in artifact")]
    None,
    /// None is of the wanted kind.
    #[error("failed to find layer with media type '{0}' in artifact")]
    MediaType(String),
    /// It was unpacked where it should have been copied.
    #[error("the layer was unpacked and not copied")]
    Unpacked,
    /// It is no archive that is taken.
    #[error("failed to extract layer contents from artifact")]
    Extract(#[source] ArchiveError),
    /// It cannot be kept.
    #[error("failed to store layer contents from artifact")]
    Store(#[from] StoreError),
}

impl SourceError for OciError {
    fn condition(&self) -> &'static str {
        match self {
            Self::Verification(error) => error.condition(),
            Self::Url { .. }
            | Self::Identity(_)
            | Self::Tag { .. }
            | Self::Digest(_)
            | Self::Pull { .. }
            | Self::Layer(_) => FETCH_FAILED,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Url { .. } => reason::URL_INVALID,
            Self::Identity(_) => reason::AUTHENTICATION_FAILED,
            Self::Tag { .. } => reason::READ_OPERATION_FAILED,
            Self::Digest(_) | Self::Pull { .. } => reason::OCI_ARTIFACT_PULL_FAILED,
            Self::Verification(error) => error.reason(),
            Self::Layer(_) => reason::OCI_ARTIFACT_LAYER_OPERATION_FAILED,
        }
    }

    fn is_terminal(&self) -> bool {
        match self {
            Self::Url { .. } => true,
            Self::Verification(error) => error.is_terminal(),
            Self::Identity(_) | Self::Tag { .. } | Self::Digest(_) | Self::Pull { .. } | Self::Layer(_) => false,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Tag { source, .. } | Self::Digest(source) | Self::Pull { source, .. } => source.retry_after(),
            Self::Url { .. } | Self::Identity(_) | Self::Verification(_) | Self::Layer(_) => None,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Url { source: OciUrlError::Tag(_) | OciUrlError::Digest(_), .. } => {
                Some("name it in `spec.ref.tag` or `spec.ref.digest`".to_owned())
            }
            Self::Tag { source, .. } | Self::Digest(source) | Self::Pull { source, .. } => source.hint(),
            Self::Verification(error) => error.hint(),
            Self::Layer(LayerError::None | LayerError::MediaType(_)) => {
                Some("check `spec.layerSelector.mediaType` and what was pushed".to_owned())
            }
            Self::Layer(LayerError::Extract(ArchiveError::Unreadable { .. })) => {
                Some("push a `.tar.gz`, or set `spec.layerSelector.operation` to `copy`".to_owned())
            }
            Self::Url { .. }
            | Self::Identity(_)
            | Self::Layer(LayerError::Extract(_) | LayerError::Unpacked | LayerError::Store(_)) => None,
        }
    }
}

/// What failed between the first byte sent to a registry and the last one read.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// No bytes got there or back, or not in time.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The registry wants credentials, and there are none for it.
    #[error("authentication required: {0}")]
    Unauthenticated(&'static str),
    /// The registry or its token server refuses.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no such repository, tag or digest.
    #[error("{what} not found: {said}")]
    NotFound {
        /// What was asked for.
        what: String,
        /// What the registry says.
        said: String,
    },
    /// The answer is not what the protocol says it is.
    #[error("malformed answer: {0}")]
    Malformed(String),
    /// What came is not what was asked for.
    #[error("{what} has digest {got} and should have {wanted}")]
    WrongDigest {
        /// What was asked for.
        what: &'static str,
        /// Its digest.
        wanted: Digest,
        /// The digest of what came.
        got: Digest,
    },
    /// A body was cut short.
    #[error("the answer ended after {got} of {wanted} bytes")]
    Short {
        /// How many bytes there should be.
        wanted: u64,
        /// How many came.
        got: u64,
    },
    /// Something is larger than a source may be.
    #[error("{what} exceeds the limit of {limit}")]
    Limit {
        /// What is too large.
        what: &'static str,
        /// The limit, with its unit.
        limit: String,
    },
    /// The index has no image for our platform.
    #[error("no child with platform linux/amd64 in index")]
    NoPlatform,
    /// No tag is a version within the range.
    #[error("no match found for semver: {0}")]
    NoVersion(String),
    /// The range cannot be read.
    #[error("malformed semver range `{range}`")]
    MalformedRange {
        /// The range as written.
        range: String,
        /// What is wrong with it.
        source: VersionRangeError,
    },
    /// The filter is no regular expression.
    #[error("malformed semver filter `{0}`")]
    MalformedFilter(String),
    /// `spec.ref.digest` is none.
    #[error("`{0}` is not a SHA-256 digest")]
    MalformedDigest(String),
    /// The tag has characters that no tag has.
    #[error("`{0}` is not a tag")]
    MalformedTag(String),
}

impl RegistryError {
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after(),
            Self::Transport(_)
            | Self::Unauthenticated(_)
            | Self::NotFound { .. }
            | Self::Malformed(_)
            | Self::WrongDigest { .. }
            | Self::Short { .. }
            | Self::Limit { .. }
            | Self::NoPlatform
            | Self::NoVersion(_)
            | Self::MalformedRange { .. }
            | Self::MalformedFilter(_)
            | Self::MalformedDigest(_)
            | Self::MalformedTag(_) => None,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unauthenticated(_) => "name a pull Secret with an entry for this registry in `spec.secretRef`",
            Self::Refused(Refusal::Unauthorized { .. }) => {
                "check that the entry for this registry in the pull Secret is valid, not expired and may read the repository"
            }
            Self::NotFound { .. } => "check the URL and `spec.ref`, and that the credentials may read the repository",
            Self::Refused(Refusal::Busy { .. }) => {
                "log in to the registry for a higher limit, or raise `spec.interval`"
            }
            Self::NoVersion(_) => {
                "a tag must be three numbers, with or without `v`; pre-releases need a range such as `>=1.0.0-0`"
            }
            Self::Transport(TransportError::Tls(_)) => {
                "name the registry's CA as `ca.crt` in the Secret of `spec.certSecretRef`; set `spec.insecure` only for a \
                 registry without TLS"
            }
            Self::Transport(TransportError::Timeout(_)) => "raise `spec.timeout` if the artifact is large",
            Self::Transport(
                TransportError::Connect { .. }
                | TransportError::Egress(_)
                | TransportError::Proxy { .. }
                | TransportError::Redirect { .. }
                | TransportError::Protocol(_),
            )
            | Self::Refused(Refusal::Status { .. })
            | Self::Malformed(_)
            | Self::WrongDigest { .. }
            | Self::Short { .. }
            | Self::Limit { .. }
            | Self::NoPlatform
            | Self::MalformedRange { .. }
            | Self::MalformedFilter(_)
            | Self::MalformedDigest(_)
            | Self::MalformedTag(_) => return None,
        };
        Some(hint.to_owned())
    }

    /// What a failed read of a body means: the error that was put into it, or a body that ended too early.
    pub(super) fn of_body(error: io::Error) -> Self {
        let text = error.to_string();
        let Some(inner) = error.into_inner() else { return Self::Malformed(text) };
        match inner.downcast::<Self>() {
            Ok(own) => *own,
            Err(other) => match other.downcast::<TransportError>() {
                Ok(transport) => Self::Transport(*transport),
                Err(_) => Self::Malformed(text),
            },
        }
    }
}

impl From<DeadlinePassed> for RegistryError {
    fn from(passed: DeadlinePassed) -> Self {
        Self::Transport(passed.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_the_reason_that_flux_gives() {
        let url = || OciUrl::parse("oci://ghcr.io/a/b").expect("a URL");
        let busy = || {
            let (said, retry_after) = ("slow down".to_owned(), Some(Duration::from_secs(7)));
            RegistryError::from(Refusal::Busy { status: 429, said, retry_after })
        };
        let rows = [
            (OciError::Url { url: "x".to_owned(), source: OciUrlError::Scheme }, "URLInvalid", true, None),
            (OciError::Tag { url: url(), source: busy() }, "ReadOperationFailed", false, Some(7)),
            (OciError::Digest(busy()), "OCIArtifactPullFailed", false, Some(7)),
            (OciError::Pull { url: url(), source: RegistryError::NoPlatform }, "OCIArtifactPullFailed", false, None),
            (LayerError::None.into(), "OCIArtifactLayerOperationFailed", false, None),
        ];
        for (error, reason, is_terminal, seconds) in rows {
            assert_eq!((error.reason(), error.is_terminal()), (reason, is_terminal), "{error}");
            assert_eq!(error.retry_after().map(|wait| wait.as_secs()), seconds, "{error}");
        }
    }
}
