//! Why bytes did not get to a server and back.

use super::EgressError;
use crate::deadline::DeadlinePassed;

/// Why bytes did not get to a server and back. No text holds more of a URL than its host.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The connection failed.
    #[error("cannot talk to {host}: {problem}")]
    Connect {
        /// The host.
        host: String,
        /// Why, without anything secret.
        problem: String,
    },
    /// The operator does not let sources reach the server.
    #[error(transparent)]
    Egress(#[from] EgressError),
    /// The server's certificate is not trusted, or it does not trust ours.
    #[error("tls: {0}")]
    Tls(String),
    /// The proxy does not let the request through.
    #[error("the proxy did not connect to {host}: {problem}")]
    Proxy {
        /// The server that was wanted.
        host: String,
        /// What the proxy said.
        problem: String,
    },
    /// The server sends somewhere else than it may.
    #[error("redirected to {target}, {problem}")]
    Redirect {
        /// Where to, without anything secret.
        target: String,
        /// Why that is not followed.
        problem: &'static str,
    },
    /// The answer is not one of HTTP.
    #[error("protocol error: {0}")]
    Protocol(String),
    /// It took longer than `spec.timeout`.
    #[error(transparent)]
    Timeout(#[from] DeadlinePassed),
}
