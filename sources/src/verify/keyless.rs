//! Signatures without a key that is known: by someone who had a certificate when the signature was made.
//!
//! The certificate is good for minutes only. That the signature was made within them is what a log says, which has entered
//! it; that the certificate was not issued in secret is what another log says. Everything is verified with what
//! [`TrustedRoot`] names and nothing is asked of a server.

use std::collections::BTreeMap;

use regex::Regex;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde::Deserialize;

use super::{
    certificate::{ChainError, MalformedCertificate, SignerCertificate, is_issued},
    cosign::CosignError,
    envelope::decoded,
    log_entry::LogEntry,
    public_key::PublicKey,
    trusted_root::{TrustedRoot, WrittenCertificate},
};

/// Those who are trusted without a key.
#[derive(Clone)]
pub(crate) struct Keyless {
    pub(super) root: TrustedRoot,
    pub(super) identities: Vec<Identity>,
}

/// Someone, as two patterns.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Who vouches for the identity.
    issuer: Regex,
    /// Who signed.
    subject: Regex,
}

/// A pattern that is no regular expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("malformed {field} of an identity to match: `{}`", pattern.escape_debug())]
pub struct IdentityError {
    field: &'static str,
    pattern: String,
}

impl Identity {
    /// Reads two regular expressions, which may match anywhere.
    pub fn new(issuer: &str, subject: &str) -> Result<Self, IdentityError> {
        let read = |field, pattern: &str| {
            Regex::new(pattern).map_err(|_| IdentityError { field, pattern: pattern.to_owned() })
        };
        Ok(Self { issuer: read("issuer", issuer)?, subject: read("subject", subject)? })
    }
}

/// Why a signature without a key does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeylessError {
    /// It does not bring what it is verified with.
    #[error("the signature has no {0}")]
    Lacks(&'static str),
    /// The certificate cannot be read.
    #[error(transparent)]
    Certificate(#[from] MalformedCertificate),
    /// The key of the certificate did not sign.
    #[error("the signature is not by the key of its certificate")]
    OtherKey,
    /// No authority that is trusted issued the certificate, or it was not good when the signature was made.
    #[error("failed to verify certificate")]
    NotIssued(#[source] ChainError),
    /// No log says that it has entered the certificate.
    #[error("no certificate transparency log that is trusted has entered the certificate")]
    NotLogged,
    /// The signer is someone else.
    #[error(
        "none of the expected identities matched what was in the certificate, got subjects [{}] with issuer {}",
        subjects.iter().map(|subject| subject.escape_debug().to_string()).collect::<Vec<_>>().join(", "),
        issuer.escape_debug()
    )]
    OtherIdentity {
        /// The names of the signer.
        subjects: Vec<String>,
        /// Who vouched for them.
        issuer: String,
    },
    /// The log that has entered something is not one that is trusted, or not then.
    #[error("the {0} is not one that is trusted, or not at that time")]
    UnknownLog(&'static str),
    /// The log does not say since when it has the entry.
    #[error("the log's entry has no signed time")]
    NoPromise,
    /// The log did not say that.
    #[error("the log's entry is not signed by the log")]
    Promise,
    /// The proof does not hold.
    #[error("the proof that the entry is in the log does not hold")]
    Proof,
    /// The log has not signed the tree that the proof leads to.
    #[error("the log's checkpoint is not signed by the log, or not of the proof")]
    Checkpoint,
    /// The entry is about something else.
    #[error("the log's entry is about another signature")]
    OtherEntry,
    /// The entry cannot be read.
    #[error("the log's entry cannot be used: {0}")]
    Entry(&'static str),
}

/// What is signed.
pub(super) struct Signed<'a> {
    /// What the signature is over.
    pub(super) message: &'a [u8],
    /// What of it is the content, without its wrapping.
    pub(super) content: &'a [u8],
    pub(super) signature: &'a [u8],
}

/// What a signature brings along to be verified with.
pub(super) struct Evidence {
    certificate: CertificateDer<'static>,
    entry: LogEntry,
}

impl Keyless {
    /// Whether someone who is trusted made a signature when there was a certificate for it.
    pub(super) fn verify(&self, signed: &Signed<'_>, evidence: &Evidence) -> Result<(), KeylessError> {
        let Evidence { certificate, entry } = evidence;
        let key = PublicKey::of_certificate(certificate).map_err(|_| KeylessError::OtherKey)?;
        if !key.has_signed(signed.message, signed.signature) {
            return Err(KeylessError::OtherKey);
        }
        let second = entry.verify(&self.root, signed, certificate)?;
        self.check_certificate(certificate, second)
    }

    fn check_certificate(&self, certificate: &CertificateDer<'_>, second: i64) -> Result<(), KeylessError> {
        let mut problem = KeylessError::UnknownLog("certificate authority");
        let mut issued = None;
        for authority in self.root.authorities.iter().filter(|authority| authority.valid.covers(second)) {
            match is_issued(certificate, &authority.chain, second) {
                Ok(()) => issued = Some(authority),
                Err(error) => problem = KeylessError::NotIssued(error),
            }
        }
        let Some(authority) = issued else { return Err(problem) };
        let parsed = SignerCertificate::parse(certificate)?;
        if !parsed.is_logged(&self.root.certificate_logs, &authority.chain)? {
            return Err(KeylessError::NotLogged);
        }
        let (subjects, issuer) = (parsed.names()?, parsed.issuer()?.unwrap_or_default());
        let is_known = self.identities.iter().any(|identity| {
            identity.issuer.is_match(&issuer) && subjects.iter().any(|subject| identity.subject.is_match(subject))
        });
        if is_known { Ok(()) } else { Err(KeylessError::OtherIdentity { subjects, issuer }) }
    }
}

/// What a bundle brings along.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct BundleMaterial {
    certificate: Option<WrittenCertificate>,
    x509_certificate_chain: Option<WrittenChain>,
    tlog_entries: Vec<LogEntry>,
}

#[derive(Deserialize)]
struct WrittenChain {
    certificates: Vec<WrittenCertificate>,
}

impl BundleMaterial {
    pub(super) fn evidence(self) -> Result<Evidence, CosignError> {
        let of_chain = self.x509_certificate_chain.and_then(|chain| chain.certificates.into_iter().next());
        let written = self.certificate.or(of_chain).ok_or(KeylessError::Lacks("certificate"))?;
        let certificate = CertificateDer::from(decoded("certificate", &written.raw_bytes)?);
        let mut entries = self.tlog_entries;
        match (entries.pop(), entries.is_empty()) {
            (Some(entry), true) => Ok(Evidence { certificate, entry }),
            (Some(_), false) => Err(KeylessError::Entry("there are several").into()),
            (None, _) => Err(KeylessError::Lacks("entry of a transparency log").into()),
        }
    }
}

/// What the annotations of a claim bring along.
pub(super) struct LegacyMaterial<'a> {
    certificate: &'a str,
    entry: &'a str,
}

const CERTIFICATE_ANNOTATION: &str = "dev.sigstore.cosign/certificate";
const ENTRY_ANNOTATION: &str = "dev.sigstore.cosign/bundle";

impl<'a> LegacyMaterial<'a> {
    pub(super) fn read(annotations: &'a BTreeMap<String, String>) -> Result<Self, KeylessError> {
        let of = |key: &str, what| annotations.get(key).map(String::as_str).ok_or(KeylessError::Lacks(what));
        Ok(Self {
            certificate: of(CERTIFICATE_ANNOTATION, "certificate")?,
            entry: of(ENTRY_ANNOTATION, "entry of a transparency log")?,
        })
    }

    pub(super) fn evidence(&self) -> Result<Evidence, KeylessError> {
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes());
        let certificate = certificate.map_err(|_| KeylessError::Lacks("certificate in PEM"))?;
        Ok(Evidence { certificate, entry: LogEntry::from_annotation(self.entry)? })
    }
}
