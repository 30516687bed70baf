//! A Notation signature as JSON.

use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use serde::Deserialize;

use super::{
    NotationError,
    envelope::{Algorithm, Envelope, PAYLOAD_TYPE, Scheme},
};

#[derive(Deserialize)]
struct Written {
    payload: String,
    protected: String,
    header: WrittenHeader,
    signature: String,
}

#[derive(Deserialize)]
struct WrittenHeader {
    x5c: Vec<String>,
}

/// What is signed beside the payload.
#[derive(Deserialize)]
struct Protected {
    alg: String,
    cty: String,
    #[serde(default)]
    crit: Vec<String>,
    #[serde(rename = "io.cncf.notary.signingScheme")]
    scheme: String,
    #[serde(rename = "io.cncf.notary.signingTime")]
    signing_time: Option<Timestamp>,
    #[serde(rename = "io.cncf.notary.authenticSigningTime")]
    authentic_signing_time: Option<Timestamp>,
    #[serde(rename = "io.cncf.notary.expiry")]
    expiry: Option<Timestamp>,
}

/// What a signature may demand that its reader knows.
const KNOWN: [&str; 4] = [
    "io.cncf.notary.signingScheme",
    "io.cncf.notary.expiry",
    "io.cncf.notary.authenticSigningTime",
    "io.cncf.notary.signingTime",
];

/// Reads a signature.
pub(super) fn read(json: &[u8]) -> Result<Envelope, NotationError> {
    let malformed = |error: serde_json::Error| NotationError::Malformed(format!("it cannot be read: {error}"));
    let written: Written = serde_json::from_slice(json).map_err(malformed)?;
    let protected: Protected = serde_json::from_slice(&url_bytes(&written.protected)?).map_err(malformed)?;
    if protected.cty != PAYLOAD_TYPE {
        return Err(NotationError::Malformed("its content is of another kind".to_owned()));
    }
    if let Some(unknown) = protected.crit.iter().find(|demand| !KNOWN.contains(&demand.as_str())) {
        let unknown = unknown.escape_debug();
        return Err(NotationError::Malformed(format!("it demands `{unknown}`, which is not known")));
    }
    let scheme = Scheme::named(&protected.scheme, protected.signing_time, protected.authentic_signing_time)?;
    let chain = written.header.x5c.iter().map(|certificate| {
        let der = BASE64_STANDARD.decode(certificate);
        der.map(CertificateDer::from).map_err(|_| NotationError::Malformed("a certificate is not base64".to_owned()))
    });
    Ok(Envelope {
        algorithm: algorithm(&protected.alg)?,
        chain: chain.collect::<Result<_, _>>()?,
        payload: url_bytes(&written.payload)?,
        message: format!("{}.{}", written.protected, written.payload).into_bytes(),
        signature: url_bytes(&written.signature)?,
        scheme,
        expiry: protected.expiry,
    })
}

fn algorithm(name: &str) -> Result<Algorithm, NotationError> {
    match name {
        "PS256" => Ok(Algorithm::Ps256),
        "PS384" => Ok(Algorithm::Ps384),
        "PS512" => Ok(Algorithm::Ps512),
        "ES256" => Ok(Algorithm::Es256),
        "ES384" => Ok(Algorithm::Es384),
        other => Err(NotationError::Algorithm(other.to_owned())),
    }
}

fn url_bytes(text: &str) -> Result<Vec<u8>, NotationError> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text);
    bytes.map_err(|_| NotationError::Malformed("a value is not base64url".to_owned()))
}
