//! The identity of this process at clouds, and which sources may use it.

use fairlead_api::source::Provider;
use fairlead_sources::{
    identity::{Cloud, CloudIdentity, Environment},
    oci::OciAuth,
};
use jiff::Timestamp;

use super::RequestError;

/// What is known of clouds when a source is asked for.
#[derive(Clone)]
pub struct Clouds {
    environment: Environment,
    /// The time.
    pub(super) now: Timestamp,
    sharing: Sharing,
}

/// Whether sources may use the identity of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// All may: their owners are trusted, or the process is its owner's own.
    All,
    /// None may, because tenants write them: `--default-service-account`.
    None,
}

impl Clouds {
    /// The clouds of this process's environment, at the time `now`.
    pub fn of_process(now: Timestamp, sharing: Sharing) -> Self {
        Self { environment: Environment::of_process(), now, sharing }
    }

    /// The login to registries of `provider`; `None` for a provider that has none.
    pub(super) fn registry_auth(&self, provider: Provider) -> Result<Option<OciAuth>, RequestError> {
        let cloud = match provider {
            Provider::Generic => return Ok(None),
            Provider::Aws => Cloud::Aws,
            Provider::Azure => Cloud::Azure,
            Provider::Gcp => Cloud::Gcp,
        };
        self.identity(cloud).map(OciAuth::of_cloud).map(Some)
    }

    /// The identity at `cloud`.
    pub(super) fn identity(&self, cloud: Cloud) -> Result<CloudIdentity, RequestError> {
        match self.sharing {
            Sharing::All => Ok(CloudIdentity::new(cloud, self.environment.clone(), self.now)),
            Sharing::None => Err(RequestError::NotShared),
        }
    }
}
