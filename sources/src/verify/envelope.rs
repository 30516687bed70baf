//! What Cosign signs: a claim about an image, alone or in an envelope of the kind that DSSE describes.

use base64::{Engine, prelude::BASE64_STANDARD};
use fairlead_object::Digest;
use serde::Deserialize;

use super::cosign::CosignError;

/// A claim as `cosign sign` made it before there were bundles.
#[derive(Deserialize)]
struct SimpleClaim {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: ClaimedImage,
}

#[derive(Deserialize)]
struct ClaimedImage {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

/// Whether `claim` is one about `image`.
pub(super) fn check_claim(claim: &[u8], image: Digest) -> Result<(), CosignError> {
    let SimpleClaim { critical } = serde_json::from_slice(claim).map_err(|error| malformed("claim", &error))?;
    if critical.image.digest == image.to_string() { Ok(()) } else { Err(CosignError::OtherImage) }
}

/// A signed statement.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Deserialize)]
struct EnvelopeSignature {
    sig: String,
}

/// What an envelope holds, decoded.
pub(super) struct Sealed {
    /// The statement.
    pub(super) payload: Vec<u8>,
    /// What is signed: the statement and its kind.
    pub(super) message: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

/// The kind of statement that is about artifacts.
const STATEMENT_TYPE: &str = "application/vnd.in-toto+json";

impl Envelope {
    /// Decodes the envelope, which must hold a statement about `image` and one signature.
    pub(super) fn open(&self, image: Digest) -> Result<Sealed, CosignError> {
        let [EnvelopeSignature { sig }] = self.signatures.as_slice() else {
            return Err(CosignError::Malformed("the envelope has not exactly one signature".to_owned()));
        };
        if self.payload_type != STATEMENT_TYPE {
            return Err(CosignError::Malformed(format!(
                "the envelope holds `{}` and no statement",
                self.payload_type.escape_debug()
            )));
        }
        let payload = decoded("payload", &self.payload)?;
        check_statement(&payload, image)?;
        let kind = &self.payload_type;
        let mut message = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
        message.extend_from_slice(&payload);
        Ok(Sealed { payload, message, signature: decoded("signature", sig)? })
    }
}

#[derive(Deserialize)]
struct Statement {
    subject: Vec<Subject>,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    digest: SubjectDigest,
}

#[derive(Default, Deserialize)]
struct SubjectDigest {
    sha256: Option<String>,
}

fn check_statement(statement: &[u8], image: Digest) -> Result<(), CosignError> {
    let Statement { subject } = serde_json::from_slice(statement).map_err(|error| malformed("statement", &error))?;
    let hex = image.hex();
    let is_about_it = subject.iter().any(|subject| subject.digest.sha256.as_ref() == Some(&hex));
    if is_about_it { Ok(()) } else { Err(CosignError::OtherImage) }
}

/// The bytes that `text`, which is the `what` of a signature, stands for.
pub(super) fn decoded(what: &'static str, text: &str) -> Result<Vec<u8>, CosignError> {
    let bytes = BASE64_STANDARD.decode(text.trim());
    bytes.map_err(|_| CosignError::Malformed(format!("the {what} is not base64")))
}

/// An error about the `what` of a signature, which cannot be read.
pub(super) fn malformed(what: &'static str, error: &serde_json::Error) -> CosignError {
    CosignError::Malformed(format!("the {what} cannot be read: {error}"))
}
