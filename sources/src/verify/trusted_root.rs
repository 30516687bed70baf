//! Whom a Sigstore instance is made of: its authorities and its logs, as `trusted_root.json` names them.

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use serde::Deserialize;

use super::public_key::{PublicKey, PublicKeyError};

/// The authorities and logs of one instance.
#[derive(Clone, Debug)]
pub struct TrustedRoot {
    pub(super) authorities: Vec<Authority>,
    /// Where signatures are entered.
    pub(super) signature_logs: Vec<Log>,
    /// Where certificates are entered.
    pub(super) certificate_logs: Vec<Log>,
}

/// Someone who issues certificates for signers.
#[derive(Clone, Debug)]
pub(super) struct Authority {
    /// Its certificates, the root last.
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) valid: Validity,
}

/// A log that anyone can look into.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pub(super) id: Vec<u8>,
    pub(super) key: PublicKey,
    pub(super) valid: Validity,
}

/// From when to when something counts.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Validity {
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

/// A text that names no instance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustedRootError {
    /// The Secret has no such key.
    #[error("key '{KEY}' is missing")]
    Missing,
    /// It is not of the form that it has to have.
    #[error("'{KEY}' cannot be read: {0}")]
    Malformed(String),
    /// A log's key cannot be read.
    #[error("'{KEY}' has a log whose key cannot be used")]
    Key(#[from] PublicKeyError),
    /// It lacks something without which nothing can be verified.
    #[error("'{KEY}' names no {0}")]
    Lacks(&'static str),
}

/// The key of a Secret that holds a trusted root.
pub const KEY: &str = "trusted_root.json";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Written {
    tlogs: Vec<WrittenLog>,
    certificate_authorities: Vec<WrittenAuthority>,
    ctlogs: Vec<WrittenLog>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenLog {
    public_key: WrittenKey,
    log_id: WrittenId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenKey {
    raw_bytes: String,
    #[serde(default)]
    valid_for: Validity,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenId {
    key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenAuthority {
    cert_chain: WrittenChain,
    #[serde(default)]
    valid_for: Validity,
}

#[derive(Deserialize)]
struct WrittenChain {
    certificates: Vec<WrittenCertificate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WrittenCertificate {
    pub(super) raw_bytes: String,
}

impl TrustedRoot {
    /// Reads a trusted root as JSON.
    ///
    /// # Errors
    /// Also if it lacks an authority, a log of signatures or a log of certificates: nothing could be verified then.
    pub fn parse(json: &[u8]) -> Result<Self, TrustedRootError> {
        let written: Written =
            serde_json::from_slice(json).map_err(|error| TrustedRootError::Malformed(error.to_string()))?;
        let root = Self {
            authorities: written.certificate_authorities.iter().map(Authority::read).collect::<Result<_, _>>()?,
            signature_logs: written.tlogs.iter().map(Log::read).collect::<Result<_, _>>()?,
            certificate_logs: written.ctlogs.iter().map(Log::read).collect::<Result<_, _>>()?,
        };
        let parts = [
            (root.authorities.is_empty(), "certificate authority"),
            (root.signature_logs.is_empty(), "transparency log"),
            (root.certificate_logs.is_empty(), "certificate transparency log"),
        ];
        match parts.into_iter().find(|(is_missing, _)| *is_missing) {
            Some((_, what)) => Err(TrustedRootError::Lacks(what)),
            None => Ok(root),
        }
    }
}

impl Authority {
    fn read(written: &WrittenAuthority) -> Result<Self, TrustedRootError> {
        let certificates = written.cert_chain.certificates.iter();
        let chain: Vec<_> = certificates
            .map(|certificate| Ok(CertificateDer::from(bytes(&certificate.raw_bytes)?)))
            .collect::<Result<_, TrustedRootError>>()?;
        if chain.is_empty() {
            return Err(TrustedRootError::Lacks("certificate of an authority"));
        }
        Ok(Self { chain, valid: written.valid_for.clone() })
    }
}

impl Log {
    fn read(written: &WrittenLog) -> Result<Self, TrustedRootError> {
        let WrittenKey { raw_bytes, valid_for } = &written.public_key;
        let key = PublicKey::from_der(bytes(raw_bytes)?)?;
        Ok(Self { id: bytes(&written.log_id.key_id)?, key, valid: valid_for.clone() })
    }
}

impl Validity {
    /// Whether `second`, counted since 1970, is within it.
    pub(super) fn covers(&self, second: i64) -> bool {
        let is_after_start = self.start.is_none_or(|start| start.as_second() <= second);
        is_after_start && self.end.is_none_or(|end| second <= end.as_second())
    }
}

fn bytes(text: &str) -> Result<Vec<u8>, TrustedRootError> {
    let bytes = BASE64_STANDARD.decode(text);
    bytes.map_err(|_| TrustedRootError::Malformed("a value is not base64".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_that_lacks_something_is_refused() {
        let rows = [
            ("", "'trusted_root.json' cannot be read: EOF while parsing a value at line 1 column 0"),
            ("{}", "'trusted_root.json' names no certificate authority"),
            (
                r#"{"certificateAuthorities":[{"certChain":{"certificates":[]}}]}"#,
                "'trusted_root.json' names no certificate of an authority",
            ),
            (
                r#"{"certificateAuthorities":[{"certChain":{"certificates":[{"rawBytes":"AAAA"}]}}]}"#,
                "'trusted_root.json' names no transparency log",
            ),
            (
                r#"{"tlogs":[{"publicKey":{"rawBytes":"AAAA"},"logId":{"keyId":"AAAA"}}]}"#,
                "'trusted_root.json' has a log whose key cannot be used",
            ),
            (
                r#"{"tlogs":[{"publicKey":{"rawBytes":"?"},"logId":{"keyId":"AAAA"}}]}"#,
                "'trusted_root.json' cannot be read: a value is not base64",
            ),
        ];
        for (json, expected) in rows {
            let error = TrustedRoot::parse(json.as_bytes()).map(drop).expect_err(json);
            assert_eq!(error.to_string(), expected, "{json}");
        }
    }

    #[test]
    fn what_has_no_start_or_end_counts_always() {
        let validity = |json: &str| serde_json::from_str::<Validity>(json).expect("a validity");
        let from = validity(r#"{"start":"1970-01-01T00:00:10Z"}"#);
        let whole = validity(r#"{"start":"1970-01-01T00:00:10Z","end":"1970-01-01T00:00:20.5Z"}"#);
        for (second, of_from, of_whole) in [(9, false, false), (10, true, true), (20, true, true), (21, true, false)] {
            assert_eq!((from.covers(second), whole.covers(second)), (of_from, of_whole), "{second}");
        }
        assert!(Validity::default().covers(-1));
    }
}
