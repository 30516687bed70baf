//! Signatures of images, as Notation makes them.
//!
//! A signature comes with the certificates of its signer. Which of them are trusted, who must have signed, and what is done
//! about each check that fails is what a trust policy says.
//!
//! # Follows Flux
//! The Secret holds the policy (`trustpolicy.json`) and the certificates (`*.crt`, `*.pem`), which stand for every trust
//! store that the policy names. An image for which the policy demands nothing is taken, and not said to be verified; so is
//! one whose signer is not trusted where that is only to be logged.
//! # Differs from Flux
//! Nobody is asked whether a certificate was revoked: where that check is enforced, one that tells where to ask does not
//! count. Signed timestamps are not read: where the time is enforced, the signer's certificate must be valid now.

mod envelope;
mod identity;
mod jws;
mod trust_policy;

use der::{Decode, oid::ObjectIdentifier};
use fairlead_object::Digest;
use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use secrecy::ExposeSecret;
use webpki::anchor_from_trusted_cert;
use x509_cert::Certificate;

use super::certificate::{ChainError, verify_chain};
use crate::secret::SecretData;
use envelope::{Envelope, Scheme};
pub use trust_policy::TrustPolicyError;
use trust_policy::{Action, Demand, TrustPolicy};

/// Who may sign, and what is checked.
#[derive(Clone)]
pub(crate) struct Notary {
    policy: TrustPolicy,
    certificates: Vec<CertificateDer<'static>>,
}

/// What a verification came to that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// The signature counts.
    Verified,
    /// The policy demands nothing, or only that it is logged who signed.
    Ignored,
}

/// Why a Secret says nothing of who may sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotaryError {
    /// There is no policy.
    #[error("key '{POLICY}' is missing")]
    NoPolicy,
    /// The policy cannot be used.
    #[error("'{POLICY}'")]
    Policy(#[from] TrustPolicyError),
    /// A certificate cannot be read.
    #[error("'{0}' holds no certificate in PEM")]
    Certificate(String),
}

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotationError {
    /// It is not of the form that it has to have.
    #[error("the signature is malformed: {0}")]
    Malformed(String),
    /// It was made in a way that is not known.
    #[error("the signature algorithm `{}` is not supported", .0.escape_debug())]
    Algorithm(String),
    /// The policy says nothing of the repository.
    #[error("no statement of the trust policy applies to `{0}`")]
    NoStatement(String),
    /// The key of its certificate did not sign it.
    #[error("integrity: the signature is not by the key of its certificate")]
    Integrity,
    /// It is about something else.
    #[error("integrity: the signature is of another image")]
    OtherImage,
    /// The signer is not one that is trusted.
    #[error("authenticity: {0}")]
    Authenticity(&'static str),
    /// The certificate is not one that is trusted.
    #[error("authenticity: the certificate does not count")]
    Certificate(#[source] ChainError),
    /// The certificate is not valid any more, or not yet.
    #[error("authenticTimestamp: the certificate does not count now")]
    Timestamp(#[source] ChainError),
    /// It has an end, which has passed.
    #[error("expiry: the signature has expired")]
    Expired,
    /// Whether a certificate was revoked cannot be known.
    #[error("revocation: whether a certificate was revoked is not known, as nobody is asked")]
    Revocation,
}

/// The key of a Secret that holds the policy.
const POLICY: &str = "trustpolicy.json";
/// How the names of certificates end there.
const ENDINGS: [&str; 2] = [".crt", ".pem"];

/// The kind of documents that hold a signature.
pub(crate) const NOTATION_TYPE: &str = "application/vnd.cncf.notary.signature";
/// The kind of a signature that is JSON.
pub(crate) const JWS_TYPE: &str = "application/jose+json";

/// Where a certificate tells where to ask whether it was revoked.
const REVOCATION: [ObjectIdentifier; 2] =
    [ObjectIdentifier::new_unwrap("2.5.29.31"), ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.1")];

impl Notary {
    /// Reads the policy and the certificates of a Secret.
    pub(crate) fn from_secret(data: &SecretData) -> Result<Self, NotaryError> {
        let policy = data.get(POLICY).ok_or(NotaryError::NoPolicy)?;
        let policy = TrustPolicy::parse(policy.expose_secret())?;
        let mut certificates = Vec::new();
        for (name, content) in data.iter().filter(|(name, _)| ENDINGS.iter().any(|ending| name.ends_with(ending))) {
            let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(content.expose_secret()).collect();
            let read = read.ok().filter(|read| !read.is_empty());
            certificates.extend(read.ok_or_else(|| NotaryError::Certificate(name.clone()))?);
        }
        Ok(Self { policy, certificates })
    }

    /// Whether a signature is demanded of the images of `repository`.
    pub(crate) fn demands_signature(&self, repository: &str) -> Result<bool, NotationError> {
        match self.demand(repository)? {
            Demand::Nothing => Ok(false),
            Demand::Signature { .. } => Ok(true),
        }
    }

    /// Judges a signature of the `image` in `repository` that is written as JSON.
    pub(crate) fn verify(
        &self,
        repository: &str,
        image: Digest,
        json: &[u8],
        now: Timestamp,
    ) -> Result<Judgement, NotationError> {
        let demand = self.demand(repository)?;
        let Demand::Signature { checks, .. } = demand else { return Ok(Judgement::Ignored) };
        let envelope = jws::read(json)?;
        let signer = envelope.signer(image)?;
        let is_authentic = enforced(checks.authenticity, || self.check_authenticity(demand, &envelope, &signer))?
            && checks.authenticity != Action::Skip;
        enforced(checks.timestamp, || self.check_time(&envelope, now))?;
        enforced(checks.expiry, || check_expiry(&envelope, now))?;
        enforced(checks.revocation, || check_revocation(&envelope))?;
        Ok(if is_authentic { Judgement::Verified } else { Judgement::Ignored })
    }

    fn demand(&self, repository: &str) -> Result<&Demand, NotationError> {
        let statement = self.policy.statement(repository);
        statement.map(|statement| &statement.demand).ok_or_else(|| NotationError::NoStatement(repository.to_owned()))
    }

    fn check_authenticity(
        &self,
        demand: &Demand,
        envelope: &Envelope,
        signer: &Certificate,
    ) -> Result<(), NotationError> {
        let Demand::Signature { identities, of_authority, of_signing_authority, .. } = demand else { return Ok(()) };
        let has_store = match envelope.scheme {
            Scheme::Signer(_) => *of_authority,
            Scheme::SigningAuthority(_) => *of_signing_authority,
        };
        if !has_store {
            return Err(NotationError::Authenticity("the trust policy names no trust store for the signing scheme"));
        }
        self.check_chain(envelope, envelope.scheme.time()).map_err(NotationError::Certificate)?;
        if identities.include(signer) {
            return Ok(());
        }
        Err(NotationError::Authenticity("the signer is not one of the trusted identities"))
    }

    /// The signer's certificate has to be valid now, because only the signer says when it was used.
    fn check_time(&self, envelope: &Envelope, now: Timestamp) -> Result<(), NotationError> {
        match envelope.scheme {
            Scheme::SigningAuthority(_) => Ok(()),
            Scheme::Signer(_) => self.check_chain(envelope, now).map_err(NotationError::Timestamp),
        }
    }

    /// Whether certificates that are trusted lead to the signer's, and all were valid at `at`.
    fn check_chain(&self, envelope: &Envelope, at: Timestamp) -> Result<(), ChainError> {
        let Some((signer, between)) = envelope.chain.split_first() else { return Err(ChainError::UnknownIssuer) };
        let anchors: Vec<_> =
            self.certificates.iter().filter_map(|trusted| anchor_from_trusted_cert(trusted).ok()).collect();
        verify_chain(signer, &anchors, between, at.as_second())
    }
}

/// Makes a check, and says whether it was passed; an error only where it is enforced.
fn enforced(action: Action, check: impl FnOnce() -> Result<(), NotationError>) -> Result<bool, NotationError> {
    match action {
        Action::Skip => Ok(true),
        Action::Log | Action::Enforce => match check() {
            Ok(()) => Ok(true),
            Err(error) if action == Action::Enforce => Err(error),
            Err(error) => {
                tracing::info!(%error, "a check of a signature failed that is not enforced");
                Ok(false)
            }
        },
    }
}

fn check_expiry(envelope: &Envelope, now: Timestamp) -> Result<(), NotationError> {
    if envelope.expiry.is_none_or(|expiry| now < expiry) { Ok(()) } else { Err(NotationError::Expired) }
}

fn check_revocation(envelope: &Envelope) -> Result<(), NotationError> {
    let tells_where = |certificate: &CertificateDer<'_>| {
        Certificate::from_der(certificate).map_or(true, |certificate| {
            let extensions = certificate.tbs_certificate().extensions();
            extensions.is_some_and(|all| all.iter().any(|extension| REVOCATION.contains(&extension.extn_id)))
        })
    };
    if envelope.chain.iter().any(tells_where) { Err(NotationError::Revocation) } else { Ok(()) }
}
