//! What a Notation signature says, however it is written.

use der::Decode;
use fairlead_object::Digest;
use jiff::Timestamp;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};
use rustls::pki_types::CertificateDer;
use serde::Deserialize;
use x509_cert::Certificate;

use super::NotationError;

/// The kind of what is signed.
pub(super) const PAYLOAD_TYPE: &str = "application/vnd.cncf.notary.payload.v1+json";

/// A signature and what is needed to verify it.
pub(super) struct Envelope {
    pub(super) algorithm: Algorithm,
    /// The signer's certificate first.
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) payload: Vec<u8>,
    /// What the signature is over.
    pub(super) message: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) scheme: Scheme,
    /// From when on it no longer counts.
    pub(super) expiry: Option<Timestamp>,
}

/// How the signature was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
}

/// Who says when it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// The signer.
    Signer(Timestamp),
    /// An authority that signs for others.
    SigningAuthority(Timestamp),
}

impl Scheme {
    /// The scheme called `name`, with the time that goes with it.
    pub(super) fn named(
        name: &str,
        signing: Option<Timestamp>,
        authentic: Option<Timestamp>,
    ) -> Result<Self, NotationError> {
        let lacks = || NotationError::Malformed("it does not tell when it was made".to_owned());
        match name {
            "notary.x509" => signing.map(Self::Signer).ok_or_else(lacks),
            "notary.x509.signingAuthority" => authentic.map(Self::SigningAuthority).ok_or_else(lacks),
            other => Err(NotationError::Malformed(format!("the scheme `{}` is not known", other.escape_debug()))),
        }
    }

    /// When it was made.
    pub(super) fn time(self) -> Timestamp {
        match self {
            Self::Signer(time) | Self::SigningAuthority(time) => time,
        }
    }
}

impl Algorithm {
    fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::Ps256 => &RSA_PSS_2048_8192_SHA256,
            Self::Ps384 => &RSA_PSS_2048_8192_SHA384,
            Self::Ps512 => &RSA_PSS_2048_8192_SHA512,
            Self::Es256 => &ECDSA_P256_SHA256_FIXED,
            Self::Es384 => &ECDSA_P384_SHA384_FIXED,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    target_artifact: Target,
}

#[derive(Deserialize)]
struct Target {
    digest: String,
}

impl Envelope {
    /// The signer's certificate, if its key signed that `image` is what is meant.
    pub(super) fn signer(&self, image: Digest) -> Result<Certificate, NotationError> {
        let own = self.chain.first().ok_or_else(|| NotationError::Malformed("it has no certificate".to_owned()))?;
        let certificate = Certificate::from_der(own)
            .map_err(|error| NotationError::Malformed(format!("its certificate cannot be read: {error}")))?;
        let key = certificate.tbs_certificate().subject_public_key_info();
        let key = UnparsedPublicKey::new(self.algorithm.verification(), key.subject_public_key.raw_bytes());
        key.verify(&self.message, &self.signature).map_err(|_| NotationError::Integrity)?;
        let Payload { target_artifact } = serde_json::from_slice(&self.payload)
            .map_err(|error| NotationError::Malformed(format!("its payload cannot be read: {error}")))?;
        if target_artifact.digest == image.to_string() { Ok(certificate) } else { Err(NotationError::OtherImage) }
    }
}
