//! Why a cloud gives nothing.

use std::io;

use fairlead_api::reasons::source as reason;

use crate::{fetch::SourceError, transport::TransportError};

/// Why the identity of this process gives no access. No text repeats anything secret.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// There is none.
    #[error("this process has no identity at {cloud}: {problem}")]
    None {
        /// The cloud.
        cloud: &'static str,
        /// What was looked for.
        problem: &'static str,
    },
    /// The server is not the cloud's.
    #[error("{host} is not a host of {cloud} that is spoken to over TLS, and is shown no token of this process")]
    Host {
        /// The host.
        host: String,
        /// The cloud.
        cloud: &'static str,
    },
    /// A file that the environment names cannot be read.
    #[error("cannot read `{path}`")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// No bytes got to a service or back.
    #[error("cannot ask {from}")]
    Transport {
        /// The service.
        from: &'static str,
        /// Why.
        source: TransportError,
    },
    /// A service refuses.
    #[error("{from} answers with HTTP status {status}: {said}")]
    Refused {
        /// The service.
        from: &'static str,
        /// The status.
        status: u16,
        /// What it says.
        said: String,
    },
    /// An answer is not what it should be.
    #[error("{from} {problem}")]
    Malformed {
        /// The service.
        from: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
}

impl SourceError for IdentityError {
    fn reason(&self) -> &'static str {
        reason::AUTHENTICATION_FAILED
    }

    fn is_terminal(&self) -> bool {
        false
    }
}
