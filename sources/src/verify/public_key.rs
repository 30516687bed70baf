//! Public keys of those who sign images and logs.

use std::fmt;

use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer, pem::PemObject};
use sha2::{Digest as _, Sha256};
use webpki::{EndEntityCert, RawPublicKeyEntity, ring as algorithms};

/// A public key: ECDSA on P-256 or P-384, RSA of at least 2048 bits, or Ed25519.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PublicKey(SubjectPublicKeyInfoDer<'static>);

/// Text or bytes that are no public key of a kind that is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// The text is not in PEM, or holds something else.
    #[error("PEM decoding failed")]
    NoPem,
    /// What it holds is no key.
    #[error("the public key cannot be read: {0}")]
    Malformed(String),
}

/// How signatures by keys of each kind are made here; a key is asked by those of its own kind.
const ALGORITHMS: [&dyn SignatureVerificationAlgorithm; 5] = [
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P384_SHA256,
    algorithms::ECDSA_P384_SHA384,
    algorithms::ED25519,
    algorithms::RSA_PKCS1_2048_8192_SHA256,
];

impl PublicKey {
    /// Reads a key that is written as PEM.
    pub(super) fn from_pem(text: &[u8]) -> Result<Self, PublicKeyError> {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(text).map_err(|_| PublicKeyError::NoPem)?;
        Self::from_der(der.to_vec())
    }

    /// Takes a key as certificates hold it.
    pub(super) fn from_der(der: Vec<u8>) -> Result<Self, PublicKeyError> {
        let key = SubjectPublicKeyInfoDer::from(der);
        RawPublicKeyEntity::try_from(&key).map_err(|error| PublicKeyError::Malformed(error.to_string()))?;
        Ok(Self(key))
    }

    /// The key that a certificate is for.
    pub(super) fn of_certificate(certificate: &CertificateDer<'_>) -> Result<Self, PublicKeyError> {
        let parsed =
            EndEntityCert::try_from(certificate).map_err(|error| PublicKeyError::Malformed(error.to_string()))?;
        Ok(Self(parsed.subject_public_key_info()))
    }

    /// Whether the key signed `message`.
    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let Ok(key) = RawPublicKeyEntity::try_from(&self.0) else { return false };
        ALGORITHMS.iter().any(|algorithm| key.verify_signature(*algorithm, message, signature).is_ok())
    }

    /// The SHA-256 digest by which logs are named.
    pub(super) fn id(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", hex::encode(self.id()))
    }
}
