//! The Secrets that a source refers to, read when it is asked for.

use std::{collections::BTreeMap, error::Error};

use fairlead_api::{
    conditions::{FETCH_FAILED, SOURCE_VERIFIED},
    duration::DurationError,
    reasons,
    reference::LocalReference,
};
use fairlead_sources::{
    fetch::SourceError,
    git::GitUrlError,
    secret::SecretData,
    transport::{Proxy, Transport, Trust},
};
use k8s_openapi::ByteString;
use secrecy::SecretSlice;
use serde_json::Value;

use crate::cluster::{ApiError, Cluster, Resource};

/// Why the spec of a source asks for nothing.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The URL is not one that the kind takes.
    #[error("spec.url")]
    Url(#[from] GitUrlError),
    /// `spec.timeout` is no duration.
    #[error(transparent)]
    Timeout(#[from] DurationError),
    /// A Secret or a service account is not there.
    #[error("failed to get {kind} '{namespace}/{name}': {kind}s \"{name}\" not found")]
    Missing {
        /// `secret` or `serviceaccount`.
        kind: &'static str,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// It could not be read.
    #[error("failed to get {kind} '{namespace}/{name}'")]
    Unread {
        /// `secret` or `serviceaccount`.
        kind: &'static str,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The API server's answer.
        source: ApiError,
    },
    /// The provider is GitHub, and no Secret is named.
    #[error("secretRef with github app data must be specified when provider is set to github")]
    NoApp,
    /// The identity of this process is not for sources of tenants.
    #[error(
        "the controller runs with --default-service-account, so its own identity is not used for sources: name a Secret in \
         spec.secretRef"
    )]
    NotShared,
    /// A Secret does not hold what it should.
    #[error("secret '{namespace}/{name}'")]
    Credentials {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
    /// What signatures are verified with is not there or cannot be used.
    #[error("{intent}")]
    Verification {
        /// What could not be done, in Flux's words.
        intent: &'static str,
        /// What is wrong.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl SourceError for RequestError {
    fn condition(&self) -> &'static str {
        match self {
            Self::Verification { .. } => SOURCE_VERIFIED,
            Self::NoApp
            | Self::NotShared
            | Self::Url(_)
            | Self::Timeout(_)
            | Self::Missing { .. }
            | Self::Unread { .. }
            | Self::Credentials { .. } => FETCH_FAILED,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Url(_) => reasons::source::URL_INVALID,
            Self::Timeout(_) => reasons::INVALID_FIELD,
            Self::NoApp => reasons::source::INVALID_PROVIDER_CONFIGURATION,
            Self::NotShared => reasons::ACCESS_DENIED,
            Self::Missing { .. } | Self::Unread { .. } | Self::Credentials { .. } => {
                reasons::source::AUTHENTICATION_FAILED
            }
            Self::Verification { .. } => reasons::source::VERIFICATION_ERROR,
        }
    }

    fn is_terminal(&self) -> bool {
        match self {
            Self::Url(_) | Self::Timeout(_) | Self::NoApp | Self::NotShared => true,
            Self::Missing { .. } | Self::Unread { .. } | Self::Credentials { .. } | Self::Verification { .. } => false,
        }
    }
}

/// The Secrets of one namespace.
pub(super) struct Secrets<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) namespace: &'a str,
}

impl Secrets<'_> {
    /// What `read` makes of the Secret that is referred to; `None` without a reference.
    pub(super) async fn read<T, E: Into<Box<dyn Error + Send + Sync>>>(
        &self,
        reference: Option<&LocalReference>,
        read: impl FnOnce(&SecretData) -> Result<T, E>,
    ) -> Result<Option<T>, RequestError> {
        let Some(LocalReference { name }) = reference else { return Ok(None) };
        let data = self.data(name).await?;
        read(&data).map(Some).map_err(|error| self.unusable(name, error))
    }

    /// Whom requests trust, and the way they go.
    pub(super) async fn transport(
        &self,
        certificates: Option<&LocalReference>,
        proxy: Option<&LocalReference>,
    ) -> Result<Transport, RequestError> {
        let trust = self.read(certificates, Trust::from_secret).await?.unwrap_or_default();
        let proxy = self.read(proxy, Proxy::from_secret).await?.unwrap_or_default();
        Ok(Transport { trust, proxy })
    }

    /// The pull Secret that is referred to and those of the service account `account`, by name.
    pub(super) async fn pull_secrets(
        &self,
        reference: Option<&LocalReference>,
        account: Option<&str>,
    ) -> Result<BTreeMap<String, SecretData>, RequestError> {
        let mut names: Vec<String> = reference.map(|reference| reference.name.clone()).into_iter().collect();
        if let Some(account) = account {
            let accounts = Resource::namespaced("", "v1", "ServiceAccount", "serviceaccounts");
            let account = self.get("serviceaccount", &accounts, account).await?;
            let listed = account["imagePullSecrets"].as_array().into_iter().flatten();
            names.extend(listed.filter_map(|entry| entry["name"].as_str()).map(str::to_owned));
        }
        let mut secrets = BTreeMap::new();
        for name in names {
            let data = self.data(&name).await?;
            secrets.insert(name, data);
        }
        Ok(secrets)
    }

    /// What `read` makes of the Secret that is referred to, which signatures are verified with.
    pub(super) async fn verified_with<T, E: Into<Box<dyn Error + Send + Sync>>>(
        &self,
        intent: &'static str,
        LocalReference { name }: &LocalReference,
        read: impl FnOnce(&SecretData) -> Result<T, E>,
    ) -> Result<T, RequestError> {
        let data = self.data(name).await;
        let read = data.and_then(|data| read(&data).map_err(|error| self.unusable(name, error)));
        read.map_err(|source| RequestError::Verification { intent, source: Box::new(source) })
    }

    /// An error about the Secret `name`.
    pub(super) fn unusable(&self, name: &str, error: impl Into<Box<dyn Error + Send + Sync>>) -> RequestError {
        let (namespace, name) = (self.namespace.to_owned(), name.to_owned());
        RequestError::Credentials { namespace, name, source: error.into() }
    }

    async fn data(&self, name: &str) -> Result<SecretData, RequestError> {
        let secrets = Resource::namespaced("", "v1", "Secret", "secrets");
        let mut secret = self.get("secret", &secrets, name).await?;
        let data: BTreeMap<String, ByteString> = serde_json::from_value(secret["data"].take()).unwrap_or_default();
        Ok(data.into_iter().map(|(key, value)| (key, SecretSlice::from(value.0))).collect())
    }

    async fn get(&self, kind: &'static str, resource: &Resource, name: &str) -> Result<Value, RequestError> {
        let (namespace, name) = (self.namespace.to_owned(), name.to_owned());
        match self.cluster.get(resource, &namespace, &name).await {
            Ok(Some(object)) => Ok(object),
            Ok(None) => Err(RequestError::Missing { kind, namespace, name }),
            Err(source) => Err(RequestError::Unread { kind, namespace, name, source }),
        }
    }
}
