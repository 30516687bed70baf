//! How HTTP requests of every kind of source get to a server and back: TLS trust, proxies, redirects, time and words.
//!
//! # The rules
//! - A client certificate and an `Authorization` header are for scheme, host and port of the source's own URL. What a
//!   server redirects to somewhere else goes there without them, and never from `https` to `http`.
//! - A source's CAs are trusted beside the system's.
//! - A request ends with its source's deadline, however slowly bytes arrive.
//! - An error holds nothing of a URL but its host, because that is where tokens are put.
//! - Only addresses that the operator's rule permits are connected to, see [`Egress`].

mod client;
mod egress;
mod error;
mod network;
mod proxy;
mod refusal;
mod said;
mod trust;

use fairlead_object::Digest;

pub use crate::deadline::DeadlinePassed;
pub use egress::{Egress, EgressError, OutOfReach};
pub use error::TransportError;
pub use network::{Network, NetworkError};
pub use proxy::Proxy;
pub use refusal::Refusal;
pub use trust::Trust;

pub(crate) use client::{Client, may_lead, redirected};
pub(crate) use said::{remote_text, retry_after};

use crate::secret::keyed_digest;

/// Whom a source's requests trust, and which way they go.
#[derive(Clone, Debug, Default)]
pub struct Transport {
    /// TLS.
    pub trust: Trust,
    /// The proxy.
    pub proxy: Proxy,
}

/// Whether a server is spoken to over TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// It is.
    #[default]
    Tls,
    /// It is not: `spec.insecure`.
    Off,
}

impl Encryption {
    /// The scheme of the server's URL.
    pub(crate) fn scheme(self) -> &'static str {
        match self {
            Self::Tls => "https",
            Self::Off => "http",
        }
    }
}

impl Transport {
    /// A digest that is equal for equal settings in this process, and tells nothing about them.
    pub(crate) fn fingerprint(&self) -> Digest {
        let parts = [self.trust.fingerprint(), self.proxy.fingerprint()].map(|digest| digest.hex());
        keyed_digest(parts.iter().map(String::as_bytes))
    }
}
