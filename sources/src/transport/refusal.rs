//! Answers that refuse, whatever the kind of source.

use std::time::Duration;

use ureq::http::StatusCode;

/// An HTTP status that is no answer to what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The server does not accept the credentials, or they do not suffice.
    #[error("authorization failed: {said}")]
    Unauthorized {
        /// What the server says.
        said: String,
    },
    /// The server wants to be asked less often, or later.
    #[error("HTTP status {status}: {said}")]
    Busy {
        /// The status.
        status: u16,
        /// What the server says.
        said: String,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// Another status.
    #[error("unexpected response: HTTP status {status}: {said}")]
    Status {
        /// The status.
        status: u16,
        /// What the server says.
        said: String,
    },
}

impl Refusal {
    /// What an answer with `status` means.
    pub(crate) fn new(status: StatusCode, said: String, retry_after: Option<Duration>) -> Self {
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Self::Unauthorized { said },
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                Self::Busy { status: status.as_u16(), said, retry_after }
            }
            status => Self::Status { status: status.as_u16(), said },
        }
    }

    /// How long the server wants to be left alone, where it says so.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } => *retry_after,
            Self::Unauthorized { .. } | Self::Status { .. } => None,
        }
    }
}
