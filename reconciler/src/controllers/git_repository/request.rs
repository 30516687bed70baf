//! From a GitRepository's `spec` to what is asked of a server.

use std::collections::BTreeMap;

use fairlead_api::{duration::DurationError, source::GitRepositorySpec};
use fairlead_sources::git::{
    CredentialError, GitAuth, GitReference, GitRequest, GitUrl, GitUrlError, ReferenceFields, SecretData,
};
use k8s_openapi::ByteString;
use secrecy::SecretSlice;

use crate::cluster::{ApiError, Cluster, Resource};

/// Why a `spec` asks for nothing.
#[derive(Debug, thiserror::Error)]
pub enum GitRequestError {
    /// The URL is not one of a Git repository.
    #[error("spec.url")]
    Url(#[from] GitUrlError),
    /// `spec.timeout` is no duration.
    #[error(transparent)]
    Timeout(#[from] DurationError),
    /// The Secret with the credentials is not there.
    #[error("failed to get secret '{namespace}/{name}': secrets \"{name}\" not found")]
    SecretMissing {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// The Secret could not be read.
    #[error("failed to get secret '{namespace}/{name}'")]
    Secret {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The API server's answer.
        source: ApiError,
    },
    /// The Secret does not hold what the URL needs.
    #[error("secret '{namespace}/{name}'")]
    Credentials {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// What is wrong with it.
        source: CredentialError,
    },
}

/// What `spec` of a GitRepository in `namespace` asks of its server, credentials included.
pub async fn git_request(
    cluster: &Cluster,
    namespace: &str,
    spec: &GitRepositorySpec,
) -> Result<GitRequest, GitRequestError> {
    let url = GitUrl::parse(&spec.url)?;
    let timeout = spec.timeout.read("spec.timeout")?;
    let auth = match &spec.secret_ref {
        None => GitAuth::Anonymous,
        Some(secret) => credentials(cluster, namespace, &secret.name, &url).await?,
    };
    Ok(GitRequest { reference: reference(spec), url, auth, timeout })
}

fn reference(spec: &GitRepositorySpec) -> GitReference {
    let wanted = spec.reference.as_ref();
    let field = |read: fn(&fairlead_api::source::GitRepositoryRef) -> &Option<String>| {
        wanted.and_then(|wanted| read(wanted).as_deref())
    };
    GitReference::new(ReferenceFields {
        commit: field(|wanted| &wanted.commit),
        name: field(|wanted| &wanted.name),
        tag: field(|wanted| &wanted.tag),
        semver: field(|wanted| &wanted.semver),
        branch: field(|wanted| &wanted.branch),
    })
}

async fn credentials(cluster: &Cluster, namespace: &str, name: &str, url: &GitUrl) -> Result<GitAuth, GitRequestError> {
    let secrets = Resource::namespaced("", "v1", "Secret", "secrets");
    let (namespace, name) = (namespace.to_owned(), name.to_owned());
    match cluster.get(&secrets, &namespace, &name).await {
        Ok(Some(mut secret)) => {
            let data: BTreeMap<String, ByteString> = serde_json::from_value(secret["data"].take()).unwrap_or_default();
            let data: SecretData = data.into_iter().map(|(key, value)| (key, SecretSlice::from(value.0))).collect();
            GitAuth::from_secret(url, &data).map_err(|source| GitRequestError::Credentials { namespace, name, source })
        }
        Ok(None) => Err(GitRequestError::SecretMissing { namespace, name }),
        Err(source) => Err(GitRequestError::Secret { namespace, name, source }),
    }
}
