//! People who sign images as Notation does.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SigningKey, date_time_ymd,
};
use serde_json::json;

use crate::image::Content;

/// The kind of documents that hold a signature.
const DOCUMENT: &str = "application/vnd.cncf.notary.signature";
/// The kind of a signature that is JSON.
const JWS: &str = "application/jose+json";

/// What goes wrong with a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotationFlaw {
    /// Nothing.
    None,
    /// It is over another image.
    OtherImage,
    /// It is not by the key of its certificate.
    OtherKey,
    /// It counted for a day.
    Expired,
    /// The certificate was good until 2030.
    OldCertificate,
    /// The certificate tells where to ask whether it was revoked.
    Revocable,
    /// It demands something that nobody knows.
    Demanding,
}

/// An authority, and someone of `Shop, WA, US` to whom it issues certificates.
pub struct NotationSigner {
    authority: Issuer<'static, KeyPair>,
    authority_pem: String,
    authority_der: Vec<u8>,
}

impl NotationSigner {
    /// Makes an authority with a key of its own.
    ///
    /// # Panics
    /// If the system has no randomness.
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("the system has randomness");
        let certificate = params.self_signed(&key).expect("the parameters of an authority are complete");
        Self {
            authority_pem: certificate.pem(),
            authority_der: certificate.der().to_vec(),
            authority: Issuer::new(params, key),
        }
    }

    /// Returns the authority's certificate.
    pub fn certificate(&self) -> &str {
        &self.authority_pem
    }

    /// Adds a signature of `image` to `content`.
    ///
    /// # Panics
    /// If there is no such image.
    pub fn sign(&self, content: &mut Content, image: &str, flaw: NotationFlaw) {
        let key = KeyPair::generate().expect("the system has randomness");
        let certificate = self.issue(&key, flaw);
        let other = format!("sha256:{}", "0".repeat(64));
        let digest = if flaw == NotationFlaw::OtherImage { &other } else { image };
        let target = json!({ "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 7 });
        let payload = URL_SAFE_NO_PAD.encode(json!({ "targetArtifact": target }).to_string());
        let mut protected = json!({
            "alg": "ES256",
            "cty": "application/vnd.cncf.notary.payload.v1+json",
            "crit": ["io.cncf.notary.signingScheme"],
            "io.cncf.notary.signingScheme": "notary.x509",
            "io.cncf.notary.signingTime": "2026-06-01T00:00:00Z",
        });
        if flaw == NotationFlaw::Expired {
            protected["crit"] = json!(["io.cncf.notary.signingScheme", "io.cncf.notary.expiry"]);
            protected["io.cncf.notary.expiry"] = json!("2026-06-02T00:00:00Z");
        }
        if flaw == NotationFlaw::Demanding {
            protected["crit"] = json!(["io.cncf.notary.signingScheme", "org.example.unknown"]);
        }
        let protected = URL_SAFE_NO_PAD.encode(protected.to_string());
        let other_key = KeyPair::generate().expect("the system has randomness");
        let by = if flaw == NotationFlaw::OtherKey { &other_key } else { &key };
        let signature = by.sign(format!("{protected}.{payload}").as_bytes()).expect("the key signs");
        let envelope = json!({
            "payload": payload,
            "protected": protected,
            "header": {
                "x5c": [STANDARD.encode(certificate), STANDARD.encode(&self.authority_der)],
                "io.cncf.notary.signingAgent": "fairlead-tests",
            },
            "signature": URL_SAFE_NO_PAD.encode(numbers(&signature)),
        });
        content.refer_as(image, DOCUMENT, JWS, envelope.to_string().as_bytes());
    }

    fn issue(&self, key: &KeyPair, flaw: NotationFlaw) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(if flaw == NotationFlaw::OldCertificate { 2030 } else { 2090 }, 1, 1);
        for (kind, value) in [
            (DnType::CountryName, "US"),
            (DnType::StateOrProvinceName, "WA"),
            (DnType::OrganizationName, "Shop"),
            (DnType::CommonName, "release"),
        ] {
            params.distinguished_name.push(kind, value);
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        if flaw == NotationFlaw::Revocable {
            params.crl_distribution_points =
                vec![CrlDistributionPoint { uris: vec!["http://crl.example.org/list".to_owned()] }];
        }
        params.signed_by(key, &self.authority).expect("the parameters are complete").der().to_vec()
    }
}

impl Default for NotationSigner {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the two numbers of an ECDSA signature on P-256 beside each other, which DER writes as a sequence.
fn numbers(der: &[u8]) -> Vec<u8> {
    let (first, rest) = number(&der[2..]);
    let (second, _) = number(rest);
    [first, second].concat()
}

/// Returns the number that `der` starts with in 32 bytes, and what follows it.
fn number(der: &[u8]) -> ([u8; 32], &[u8]) {
    let (content, rest) = der[2..].split_at(usize::from(der[1]));
    let significant = &content[content.len().saturating_sub(32)..];
    let mut number = [0; 32];
    number[32 - significant.len()..].copy_from_slice(significant);
    (number, rest)
}
