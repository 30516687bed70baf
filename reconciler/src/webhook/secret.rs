//! The Secret that authenticates the webhooks of a Receiver, and the path that follows from it.

use std::collections::BTreeMap;

use fairlead_api::notification::ReceiverSpec;
use k8s_openapi::ByteString;
use secrecy::{ExposeSecret, SecretSlice};
use sha2::{Digest, Sha256};

use super::verdict::HookSecret;
use crate::{
    cluster::{ApiError, Cluster, Resource},
    controllers::ObjectKey,
};

/// Why there is nothing that authenticates webhooks.
#[derive(Debug, thiserror::Error)]
pub enum HookSecretError {
    /// `spec.secretRef` is not set.
    #[error("spec.secretRef is required")]
    Unnamed,
    /// The Secret is not there.
    #[error("unable to read token from secret '{namespace}/{name}' error: secrets \"{name}\" not found")]
    Missing {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// It could not be read.
    #[error("unable to read token from secret '{namespace}/{name}'")]
    Unread {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The API server's answer.
        source: ApiError,
    },
    /// It has no token, or an empty one.
    #[error("invalid '{namespace}/{name}' secret data: required fields 'token'")]
    NoToken {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

/// Where Secrets are found.
pub(crate) fn secrets() -> Resource {
    Resource::namespaced("", "v1", "Secret", "secrets")
}

/// Reads the Secret that `spec` of a Receiver in `namespace` names.
pub(crate) async fn hook_secret(
    cluster: &Cluster,
    namespace: &str,
    spec: &ReceiverSpec,
) -> Result<HookSecret, HookSecretError> {
    let reference = spec.secret_ref.as_ref().ok_or(HookSecretError::Unnamed)?;
    let (namespace, name) = (namespace.to_owned(), reference.name.clone());
    let mut secret = match cluster.get(&secrets(), &namespace, &name).await {
        Ok(Some(secret)) => secret,
        Ok(None) => return Err(HookSecretError::Missing { namespace, name }),
        Err(source) => return Err(HookSecretError::Unread { namespace, name, source }),
    };
    let mut data: BTreeMap<String, ByteString> = serde_json::from_value(secret["data"].take()).unwrap_or_default();
    let mut text = |key: &str| {
        let value = data.remove(key).unwrap_or_default().0;
        String::from_utf8_lossy(&value).trim().to_owned()
    };
    let (email, audience) = (text("email"), text("audience"));
    match data.remove("token") {
        Some(token) if !token.0.is_empty() => Ok(HookSecret { token: SecretSlice::from(token.0), email, audience }),
        Some(_) | None => Err(HookSecretError::NoToken { namespace, name }),
    }
}

/// The path of the Receiver `key` whose Secret is `secret`, which nobody guesses who does not know the token.
pub(crate) fn webhook_path(secret: &HookSecret, key: &ObjectKey) -> String {
    let mut digest = Sha256::new();
    digest.update(secret.token.expose_secret());
    digest.update(&key.name);
    digest.update(&key.namespace);
    format!("/hook/{}", hex::encode(digest.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_flux_s() {
        let path = |token: &[u8]| {
            let secret = HookSecret { token: token.to_vec().into(), email: String::new(), audience: String::new() };
            webhook_path(&secret, &ObjectKey::new("default", "test-receiver"))
        };
        // `printf 'tokentest-receiverdefault' | sha256sum`
        let expected = "/hook/c0546ea4a2a81aacb29ba4f488ccf72a588f481b7418f33a1747e7c8a0991eec";
        assert_eq!(path(b"token"), expected);
        assert_ne!(path(b"token\n"), path(b"token"), "a line break is part of a token");
    }
}
