//! Which signatures an image must carry: `spec.verify` of an `OCIRepository`.

use fairlead_api::{conditions::SOURCE_VERIFIED, reasons::source as reason};
use fairlead_object::Digest;
use secrecy::ExposeSecret;

use super::{
    cosign::{CosignError, Signers, SignersError},
    keyless::{Identity, Keyless},
    notation::{Notary, NotaryError, NotationError},
    trusted_root::{KEY, TrustedRoot, TrustedRootError},
};
use crate::{fetch::SourceError, oci::RegistryError, secret::SecretData};

/// Which signatures an image must carry, and whose.
#[derive(Clone)]
pub struct OciVerification {
    provider: Provider,
    /// Of all that decides what counts.
    digest: Digest,
}

/// How an image is signed.
#[derive(Clone)]
pub(crate) enum Provider {
    Cosign(Signers),
    Notation(Notary),
}

impl OciVerification {
    /// Demands a signature that Cosign made with one of the keys in `data`.
    pub fn cosign_with_keys(data: &SecretData) -> Result<Self, SignersError> {
        let parts = data.iter().flat_map(|(name, value)| [name.as_bytes(), value.expose_secret()]);
        let digest = Digest::of_parts([b"cosign".as_slice()].into_iter().chain(parts));
        Ok(Self { provider: Provider::Cosign(Signers::of_keys(data)?), digest })
    }

    /// Demands a signature that Cosign made without a key for one of `identities`, by what the trusted root in `data`
    /// says. Nobody may sign if `identities` is empty.
    pub fn cosign_keyless(data: &SecretData, identities: Vec<Identity>) -> Result<Self, TrustedRootError> {
        let json = data.get(KEY).ok_or(TrustedRootError::Missing)?.expose_secret();
        let root = TrustedRoot::parse(json)?;
        let named = identities.iter().map(|identity| format!("{identity:?}")).collect::<Vec<_>>().join(" ");
        let digest = Digest::of_parts([b"cosign keyless".as_slice(), json, named.as_bytes()]);
        Ok(Self { provider: Provider::Cosign(Signers::Keyless(Box::new(Keyless { root, identities }))), digest })
    }

    /// Demands what the trust policy in `data` says, of signatures that Notation made.
    pub fn notation(data: &SecretData) -> Result<Self, NotaryError> {
        let parts = data.iter().flat_map(|(name, value)| [name.as_bytes(), value.expose_secret()]);
        let digest = Digest::of_parts([b"notation".as_slice()].into_iter().chain(parts));
        Ok(Self { provider: Provider::Notation(Notary::from_secret(data)?), digest })
    }

    pub(crate) fn provider(&self) -> &Provider {
        &self.provider
    }

    /// Flux's name of what verifies.
    pub(crate) fn name(&self) -> &'static str {
        match &self.provider {
            Provider::Cosign(Signers::Keys(_)) => "cosign",
            Provider::Cosign(Signers::Keyless(_)) => "cosign keyless",
            Provider::Notation(_) => "notation",
        }
    }

    /// A digest of what is demanded and of whom. Nothing that is secret is in it.
    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }
}

/// Why an image is not signed as it has to be.
#[derive(Debug, thiserror::Error)]
#[error("failed to verify the signature using provider '{provider}'")]
pub struct OciVerificationError {
    pub(crate) provider: &'static str,
    pub(crate) source: Box<OciSignatureError>,
}

/// Why no signature of an image counts.
#[derive(Debug, thiserror::Error)]
pub enum OciSignatureError {
    /// The signatures could not be read.
    #[error("the signatures cannot be read")]
    Registry(#[from] RegistryError),
    /// There is none, or none that counts.
    #[error("no matching signatures were found for '{image}'")]
    NoMatch {
        /// The image.
        image: String,
        /// Why the last one that was looked at does not count.
        source: Option<CosignError>,
    },
    /// Notation's policy or signatures do not let it count.
    #[error(transparent)]
    Notation(#[from] NotationError),
    /// There is no signature that Notation made.
    #[error("no signature is associated with '{0}', make sure the artifact was signed successfully")]
    NotSigned(String),
}

impl SourceError for OciVerificationError {
    fn condition(&self) -> &'static str {
        SOURCE_VERIFIED
    }

    fn reason(&self) -> &'static str {
        reason::VERIFICATION_ERROR
    }

    fn is_terminal(&self) -> bool {
        false
    }

    fn hint(&self) -> Option<String> {
        match &*self.source {
            OciSignatureError::NoMatch { source: None, .. } | OciSignatureError::NotSigned(_) => {
                Some("sign the image by its digest".to_owned())
            }
            OciSignatureError::NoMatch { .. } | OciSignatureError::Notation(_) | OciSignatureError::Registry(_) => None,
        }
    }
}
