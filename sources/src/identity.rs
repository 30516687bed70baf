//! The identity that this process has at a cloud, and what it is given for it: keys for S3, tokens for storage, logins for
//! registries.
//!
//! All of it is a few requests over HTTP, to addresses that the cloud has put into the environment or that are the same
//! everywhere; no program is started and no library of a cloud is needed.
//!
//! # To whom it is shown
//! Whoever writes a source chooses a server, and the identity is the operator's. So a token is shown to hosts that belong to
//! the cloud, over TLS, and to nobody else. What answers at the cloud's own addresses may be link-local, which is out of
//! reach for sources otherwise.
//!
//! # Kept
//! What was given is kept for most of its lifetime, under the identity that it was given to.

mod aws;
mod azure;
mod environment;
mod error;
mod exchange;
mod gcp;

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use fairlead_object::Digest;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

pub use environment::Environment;
pub use error::IdentityError;

use crate::{
    bucket::S3Keys,
    deadline::Deadline,
    grants,
    secret::{basic, keyed_digest},
};
use exchange::Exchange;

/// A cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cloud {
    /// Amazon Web Services.
    Aws,
    /// Google Cloud.
    Gcp,
    /// Microsoft Azure.
    Azure,
}

/// The identity that this process has at a cloud.
#[derive(Clone)]
pub struct CloudIdentity {
    cloud: Cloud,
    environment: Environment,
    /// When it was made, by the clock of whoever made it.
    now: Timestamp,
}

/// How to log in to a registry of a cloud.
pub(crate) enum RegistryLogin {
    /// A value for `Authorization`.
    Basic(SecretString),
    /// A token that is given for other tokens.
    Refresh(SecretString),
}

/// Something that was given for a while.
struct Lease {
    what: SecretString,
    lifetime: Duration,
}

impl CloudIdentity {
    /// The identity at `cloud` that `environment` leads to, at the time `now`.
    pub fn new(cloud: Cloud, environment: Environment, now: Timestamp) -> Self {
        Self { cloud, environment, now }
    }

    /// Checks that the cloud's own hosts are asked, and over TLS: nobody else is shown a token.
    ///
    /// # Errors
    /// If `host` is another one.
    pub fn check_host(&self, host: &str, is_encrypted: bool) -> Result<(), IdentityError> {
        let suffixes = match self.cloud {
            Cloud::Aws => aws::HOSTS,
            Cloud::Gcp => gcp::HOSTS,
            Cloud::Azure => azure::HOSTS,
        };
        let is_below =
            |rest: &str, suffix: &str| suffix.starts_with(['.', '-']) || rest.is_empty() || rest.ends_with('.');
        let is_own = suffixes.iter().any(|suffix| host.strip_suffix(suffix).is_some_and(|rest| is_below(rest, suffix)));
        if self.environment.is_trusted(host) || (is_own && is_encrypted) {
            return Ok(());
        }
        Err(IdentityError::Host { host: host.to_owned(), cloud: self.cloud.name() })
    }

    /// A digest that is equal for equal identities in this process.
    pub(crate) fn fingerprint(&self) -> Digest {
        keyed_digest([b"identity".as_slice(), self.cloud.name().as_bytes(), self.environment.fingerprint().as_bytes()])
    }

    /// The keys that sign requests of S3.
    pub(crate) fn s3_keys(&self, region: &str, deadline: &Deadline) -> Result<S3Keys, IdentityError> {
        let lease = self.kept("s3", region, || aws::keys(&self.exchange(deadline), region))?;
        aws::read(&lease)
    }

    /// The header that reads objects of a storage service.
    pub(crate) fn storage_authorization(&self, deadline: &Deadline) -> Result<SecretString, IdentityError> {
        let exchange = self.exchange(deadline);
        let token = self.kept("storage", "", || match self.cloud {
            Cloud::Gcp => gcp::token(&exchange),
            Cloud::Azure => azure::token(&exchange, azure::STORAGE),
            Cloud::Aws => Err(IdentityError::Malformed { from: "S3", problem: "signs, and takes no tokens" }),
        })?;
        bearer(&token)
    }

    /// The header that reads repositories of Azure DevOps.
    pub(crate) fn git_authorization(&self, deadline: &Deadline) -> Result<SecretString, IdentityError> {
        let exchange = self.exchange(deadline);
        bearer(&self.kept("git", "", || azure::token(&exchange, azure::DEVOPS))?)
    }

    /// How to log in to the registry at `host`.
    pub(crate) fn registry_login(&self, host: &str, deadline: &Deadline) -> Result<RegistryLogin, IdentityError> {
        let exchange = self.exchange(deadline);
        match self.cloud {
            Cloud::Aws => {
                let login = self.kept("registry", host, || aws::registry_login(&exchange, host))?;
                Ok(RegistryLogin::Basic(format!("Basic {}", login.expose_secret()).into()))
            }
            Cloud::Gcp => {
                let token = self.kept("storage", "", || gcp::token(&exchange))?;
                Ok(RegistryLogin::Basic(basic(&"oauth2accesstoken".into(), Some(&token))))
            }
            Cloud::Azure => {
                let token = self.kept("registry", host, || azure::refresh_token(&exchange, host))?;
                Ok(RegistryLogin::Refresh(token))
            }
        }
    }

    fn exchange<'a>(&'a self, deadline: &'a Deadline) -> Exchange<'a> {
        Exchange { environment: &self.environment, now: self.now, deadline }
    }

    /// What was given before for `what` at `place`, or what `ask` gets now.
    fn kept(
        &self,
        what: &str,
        place: &str,
        ask: impl FnOnce() -> Result<Lease, IdentityError>,
    ) -> Result<SecretString, IdentityError> {
        let own = self.fingerprint().hex();
        let key = keyed_digest([own.as_bytes(), what.as_bytes(), place.as_bytes()]);
        if let Some(known) = grants::recall(&key) {
            return Ok(known);
        }
        let Lease { what, lifetime } = ask()?;
        grants::keep(key, what.clone(), lifetime);
        Ok(what)
    }
}

impl Cloud {
    fn name(self) -> &'static str {
        match self {
            Self::Aws => "Amazon",
            Self::Gcp => "Google",
            Self::Azure => "Azure",
        }
    }
}

fn bearer(token: &SecretString) -> Result<SecretString, IdentityError> {
    if token.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(format!("Bearer {}", token.expose_secret()).into());
    }
    Err(IdentityError::Malformed { from: "the token server", problem: "gives a token that cannot stand in a header" })
}

/// The login in a token of Amazon's registries: base64 of user and password.
fn is_login(token: &str) -> bool {
    BASE64_STANDARD.decode(token).is_ok_and(|pair| pair.contains(&b':'))
}
