//! Signatures of images, as Cosign makes them.
//!
//! A signature is either a claim about an image beside it, under a tag that is named after the image's digest, or a bundle
//! that refers to the image. Whoever signed it is either one of those whose public keys are given, or someone who had a
//! certificate at that time ([`keyless`](super::keyless)).
//!
//! # Follows Flux
//! With keys, one that signed is enough, and logs are not looked at. A bundle may hold any statement about the image.
//! # Differs from Flux
//! A claim must be about the image: Flux takes one that was copied from another image. Without keys somebody must be named
//! in `matchOIDCIdentity`: Flux lets everyone sign otherwise.

use std::collections::BTreeMap;

use fairlead_object::Digest;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{
    envelope::{Envelope, check_claim, decoded, malformed},
    keyless::{BundleMaterial, Keyless, KeylessError, LegacyMaterial, Signed},
    public_key::{PublicKey, PublicKeyError},
};
use crate::secret::SecretData;

/// Who may sign.
#[derive(Clone)]
pub(crate) enum Signers {
    /// Those with one of these keys.
    Keys(Vec<PublicKey>),
    /// Those with a certificate.
    Keyless(Box<Keyless>),
}

/// Why a signature of an image does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CosignError {
    /// It is not what it says.
    #[error("{0}")]
    Malformed(String),
    /// It is about something else.
    #[error("invalid or missing digest in claim")]
    OtherImage,
    /// None of the keys signed it.
    #[error("invalid signature when validating ASN.1 encoded signature")]
    OtherKey,
    /// It was made without a key that is known, and who made it does not count.
    #[error(transparent)]
    Keyless(#[from] KeylessError),
}

/// Why nobody may sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignersError {
    /// A key cannot be read.
    #[error("'{name}'")]
    Key {
        /// Its name in the Secret.
        name: String,
        /// What is wrong with it.
        source: PublicKeyError,
    },
    /// There are none.
    #[error("it has no key that ends in '.pub'")]
    NoKeys,
}

/// How the names of public keys end in a Secret.
const KEY_ENDING: &str = ".pub";

/// The kind of the claims that are signed without a bundle.
pub(crate) const CLAIM_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// How the kinds of bundles start; a version follows.
pub(crate) const BUNDLE_TYPE: &str = "application/vnd.dev.sigstore.bundle";

/// Where the signature of a claim is.
const SIGNATURE_ANNOTATION: &str = "dev.cosignproject.cosign/signature";

impl Signers {
    /// Those whose keys are the entries `*.pub` of a Secret.
    pub(crate) fn of_keys(data: &SecretData) -> Result<Self, SignersError> {
        let named = data.iter().filter(|(name, _)| name.ends_with(KEY_ENDING));
        let keys = named.map(|(name, key)| {
            let parsed = PublicKey::from_pem(key.expose_secret());
            parsed.map_err(|source| SignersError::Key { name: name.clone(), source })
        });
        let keys: Vec<_> = keys.collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(SignersError::NoKeys) } else { Ok(Self::Keys(keys)) }
    }

    /// Whether `claim`, which has these `annotations`, is a signature of `image`.
    pub(crate) fn verify_claim(
        &self,
        image: Digest,
        claim: &[u8],
        annotations: &BTreeMap<String, String>,
    ) -> Result<(), CosignError> {
        let signature = annotations.get(SIGNATURE_ANNOTATION);
        let signature = signature.ok_or_else(|| CosignError::Malformed("the claim has no signature".to_owned()))?;
        let signature = decoded("signature", signature)?;
        match self {
            Self::Keys(keys) => check_keys(keys, claim, &signature)?,
            Self::Keyless(keyless) => {
                let signed = Signed { message: claim, content: claim, signature: &signature };
                keyless.verify(&signed, &LegacyMaterial::read(annotations)?.evidence()?)?;
            }
        }
        check_claim(claim, image)
    }

    /// Whether `bundle` is a signature of `image`.
    pub(crate) fn verify_bundle(&self, image: Digest, bundle: &[u8]) -> Result<(), CosignError> {
        let bundle: Bundle = serde_json::from_slice(bundle).map_err(|error| malformed("bundle", &error))?;
        if !bundle.media_type.starts_with(BUNDLE_TYPE) {
            let kind = bundle.media_type.escape_debug();
            return Err(CosignError::Malformed(format!("a bundle of the kind `{kind}` is not known")));
        }
        let envelope = bundle.dsse_envelope.as_ref();
        let envelope = envelope.ok_or_else(|| CosignError::Malformed("the bundle has no envelope".to_owned()))?;
        let sealed = envelope.open(image)?;
        match self {
            Self::Keys(keys) => check_keys(keys, &sealed.message, &sealed.signature),
            Self::Keyless(keyless) => {
                let signed =
                    Signed { message: &sealed.message, content: &sealed.payload, signature: &sealed.signature };
                Ok(keyless.verify(&signed, &bundle.verification_material.evidence()?)?)
            }
        }
    }
}

fn check_keys(keys: &[PublicKey], message: &[u8], signature: &[u8]) -> Result<(), CosignError> {
    if keys.iter().any(|key| key.has_signed(message, signature)) { Ok(()) } else { Err(CosignError::OtherKey) }
}

/// A signature and all that is needed to verify it, in one document.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    #[serde(default)]
    verification_material: BundleMaterial,
    dsse_envelope: Option<Envelope>,
}
