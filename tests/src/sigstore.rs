//! A Sigstore instance for one test: its authority, its logs, and people who sign images with them.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use fairlead_object::Digest;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, SanType, SerialNumber, SigningKey, date_time_ymd, string::Ia5String,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::image::Content;

/// When everything here was signed: 1 June 2026.
const SIGNED_AT: i64 = 1_780_272_000;

/// The kind of claims that are signed without a bundle.
const CLAIM: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// The kind of bundles.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const STATEMENT: &str = "application/vnd.in-toto+json";

const ISSUER: &[u64] = &[1, 3, 6, 1, 4, 1, 57264, 1, 8];
const LOGGED: &[u64] = &[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];

/// Who signs, and what goes wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing.
    None,
    /// The entry of the signature log is signed by someone else.
    ForgedPromise,
    /// The log does not say when.
    NoPromise,
    /// The proof leads to another tree.
    ForgedProof,
    /// The entry is about another signature.
    OtherEntry,
    /// The signature was entered after the certificate had ended.
    Late,
    /// No log has entered the certificate.
    Unlogged,
    /// The certificate is for servers.
    OtherPurpose,
    /// The signature is over another image.
    OtherImage,
    /// The signature is not by the key of the certificate.
    OtherKey,
}

/// A key that signs images.
pub struct ImageSigner(KeyPair);

impl ImageSigner {
    /// Makes someone with a P-256 key.
    ///
    /// # Panics
    /// If the system has no randomness.
    pub fn new() -> Self {
        Self(KeyPair::generate().expect("the system has randomness"))
    }

    /// Makes someone with an Ed25519 key.
    ///
    /// # Panics
    /// If the system has no randomness.
    pub fn ed25519() -> Self {
        Self(KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("the system has randomness"))
    }

    /// Returns the public half as PEM.
    pub fn public_key(&self) -> String {
        self.0.public_key_pem()
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(message).expect("the key signs")
    }

    /// Adds a signature of `image` to `content` as Cosign made it before there were bundles.
    pub fn sign_with_claim(&self, content: &mut Content, image: &str) {
        self.sign_claim_about(content, image, image);
    }

    /// Adds a signature of `claimed` to `content` under the tag of `image`.
    pub fn sign_claim_about(&self, content: &mut Content, image: &str, claimed: &str) {
        let claim = claim(claimed);
        let signature = STANDARD.encode(self.sign(&claim));
        attach_claim(content, image, &claim, &json!({ "dev.cosignproject.cosign/signature": signature }));
    }

    /// Adds a bundle with a signature of `image` to `content`.
    pub fn sign_with_bundle(&self, content: &mut Content, image: &str) {
        let statement = statement(image);
        let signature = self.sign(&sealed(&statement));
        let material = json!({ "publicKey": { "hint": "" }, "tlogEntries": [] });
        attach_bundle(content, image, &bundle(&statement, &signature, &material));
    }
}

impl Default for ImageSigner {
    fn default() -> Self {
        Self::new()
    }
}

/// An instance with an authority and one log of each kind.
pub struct Sigstore {
    authority: Issuer<'static, KeyPair>,
    authority_der: Vec<u8>,
    authority_key: Vec<u8>,
    signature_log: ImageSigner,
    certificate_log: ImageSigner,
}

impl Sigstore {
    /// Makes an instance with keys of its own.
    ///
    /// # Panics
    /// If the system has no randomness.
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2036, 1, 1);
        let key = KeyPair::generate().expect("the system has randomness");
        let certificate = params.self_signed(&key).expect("the parameters of an authority are complete");
        Self {
            authority_der: certificate.der().to_vec(),
            authority_key: key.subject_public_key_info(),
            authority: Issuer::new(params, key),
            signature_log: ImageSigner::new(),
            certificate_log: ImageSigner::new(),
        }
    }

    /// Returns the `trusted_root.json` of the instance.
    pub fn trusted_root(&self) -> String {
        let log = |signer: &ImageSigner| {
            let key = signer.0.subject_public_key_info();
            json!({
                "baseUrl": "https://log.example.org",
                "hashAlgorithm": "SHA2_256",
                "publicKey": { "rawBytes": STANDARD.encode(&key), "validFor": { "start": "2026-01-01T00:00:00Z" } },
                "logId": { "keyId": STANDARD.encode(log_id(signer)) },
            })
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(&self.signature_log)],
            "certificateAuthorities": [{
                "certChain": { "certificates": [{ "rawBytes": STANDARD.encode(&self.authority_der) }] },
                "validFor": { "start": "2026-01-01T00:00:00Z" },
            }],
            "ctlogs": [log(&self.certificate_log)],
        })
        .to_string()
    }

    /// Adds a bundle to `content` in which `subject`, for whom `issuer` vouches, signs `image`.
    pub fn sign_with_bundle(&self, content: &mut Content, image: &str, (issuer, subject): (&str, &str), flaw: Flaw) {
        let signer = ImageSigner::new();
        let certificate = self.certificate(&signer.0, issuer, subject, flaw);
        let statement = statement(&claimed(image, flaw));
        let signature = self.signature(&signer, &sealed(&statement), flaw);
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "payloadHash": { "algorithm": "sha256", "value": Digest::of(&statement).hex() },
                "signatures": [{
                    "signature": STANDARD.encode(if flaw == Flaw::OtherEntry { b"other" } else { signature.as_slice() }),
                    "verifier": STANDARD.encode(pem(&certificate)),
                }],
            },
        });
        let material = json!({
            "certificate": { "rawBytes": STANDARD.encode(&certificate) },
            "tlogEntries": [self.entry(&body.to_string(), flaw)],
        });
        attach_bundle(content, image, &bundle(&statement, &signature, &material));
    }

    /// Adds a claim to `content` by which `subject`, for whom `issuer` vouches, signs `image`.
    pub fn sign_with_claim(&self, content: &mut Content, image: &str, (issuer, subject): (&str, &str), flaw: Flaw) {
        let signer = ImageSigner::new();
        let certificate = self.certificate(&signer.0, issuer, subject, flaw);
        let claim = claim(&claimed(image, flaw));
        let signature = self.signature(&signer, &claim, flaw);
        let entered = if flaw == Flaw::OtherEntry { b"other" } else { signature.as_slice() };
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "hashedrekord",
            "spec": {
                "data": { "hash": { "algorithm": "sha256", "value": Digest::of(&claim).hex() } },
                "signature": {
                    "content": STANDARD.encode(entered),
                    "publicKey": { "content": STANDARD.encode(pem(&certificate)) },
                },
            },
        });
        let entry = self.entry(&body.to_string(), flaw);
        let bundle = json!({
            "SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
            "Payload": {
                "body": entry["canonicalizedBody"],
                "integratedTime": entered_at(flaw),
                "logIndex": 7,
                "logID": hex::encode(log_id(&self.signature_log)),
            },
        });
        let annotations = json!({
            "dev.cosignproject.cosign/signature": STANDARD.encode(&signature),
            "dev.sigstore.cosign/certificate": pem(&certificate),
            "dev.sigstore.cosign/bundle": bundle.to_string(),
        });
        attach_claim(content, image, &claim, &annotations);
    }

    fn signature(&self, signer: &ImageSigner, message: &[u8], flaw: Flaw) -> Vec<u8> {
        if flaw == Flaw::OtherKey { self.signature_log.sign(message) } else { signer.sign(message) }
    }

    /// Returns a certificate that is good for ten minutes.
    fn certificate(&self, key: &KeyPair, issuer: &str, subject: &str, flaw: Flaw) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.serial_number = Some(SerialNumber::from(vec![7; 8]));
        let start = date_time_ymd(2026, 6, 1);
        (params.not_before, params.not_after) = (start, start + Duration::from_mins(10));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match flaw {
            Flaw::OtherPurpose => ExtendedKeyUsagePurpose::ServerAuth,
            _ => ExtendedKeyUsagePurpose::CodeSigning,
        }];
        let name = Ia5String::try_from(subject).expect("the subject is ASCII");
        params.subject_alt_names =
            vec![if subject.contains('@') { SanType::Rfc822Name(name) } else { SanType::URI(name) }];
        let utf8 = [&[0x0c, u8::try_from(issuer.len()).expect("a short issuer")], issuer.as_bytes()].concat();
        params.custom_extensions = vec![CustomExtension::from_oid_content(ISSUER, utf8)];
        let unlogged = params.signed_by(key, &self.authority).expect("the parameters are complete");
        if flaw == Flaw::Unlogged {
            return unlogged.der().to_vec();
        }
        let stamps = self.stamps(signed_part(unlogged.der()));
        params.custom_extensions.push(CustomExtension::from_oid_content(LOGGED, stamps));
        params.signed_by(key, &self.authority).expect("the parameters are complete").der().to_vec()
    }

    /// Returns the list of what logs say of a certificate, as an extension holds it.
    fn stamps(&self, unlogged: &[u8]) -> Vec<u8> {
        let time = u64::try_from(SIGNED_AT).expect("a time after 1970") * 1000;
        let length = u32::try_from(unlogged.len()).expect("a short certificate").to_be_bytes();
        let issuer = sha256(&self.authority_key);
        let said = [&[0, 0][..], &time.to_be_bytes(), &[0, 1], &issuer, &length[1..], unlogged, &[0, 0]].concat();
        let signature = with_length(&self.certificate_log.sign(&said));
        let log = log_id(&self.certificate_log);
        let stamp = [&[0][..], &log, &time.to_be_bytes(), &[0, 0, 4, 3], &signature].concat();
        let list = with_length(&with_length(&stamp));
        let length = u8::try_from(list.len()).expect("a short list");
        if length < 128 { [&[4, length][..], &list].concat() } else { [&[4, 0x81, length][..], &list].concat() }
    }

    /// Returns the log's entry with `body`: the second of two.
    fn entry(&self, body: &str, flaw: Flaw) -> Value {
        let encoded = STANDARD.encode(body);
        let (log, at) = (log_id(&self.signature_log), entered_at(flaw));
        let promised =
            format!(r#"{{"body":"{encoded}","integratedTime":{at},"logID":"{}","logIndex":7}}"#, hex::encode(log));
        let by = if flaw == Flaw::ForgedPromise { &self.certificate_log } else { &self.signature_log };
        let promise = STANDARD.encode(by.sign(promised.as_bytes()));
        let other = sha256(b"\0other");
        let root = sha256(&[&[1][..], &other, &sha256(&[b"\0", body.as_bytes()].concat())].concat());
        let note = format!("log.example.org - 1\n2\n{}\n", STANDARD.encode(root));
        let signed = [&log[..4], &self.signature_log.sign(note.as_bytes())].concat();
        let sibling = if flaw == Flaw::ForgedProof { sha256(b"\0third") } else { other };
        let mut entry = json!({
            "logIndex": "7",
            "logId": { "keyId": STANDARD.encode(log) },
            "kindVersion": { "kind": "dsse", "version": "0.0.1" },
            "integratedTime": at.to_string(),
            "inclusionPromise": { "signedEntryTimestamp": promise },
            "inclusionProof": {
                "logIndex": "1",
                "rootHash": STANDARD.encode(root),
                "treeSize": "2",
                "hashes": [STANDARD.encode(sibling)],
                "checkpoint": { "envelope": format!("{note}\n\u{2014} log.example.org {}\n", STANDARD.encode(signed)) },
            },
            "canonicalizedBody": encoded,
        });
        if flaw == Flaw::NoPromise {
            entry.as_object_mut().expect("an object").remove("inclusionPromise");
        }
        entry
    }
}

impl Default for Sigstore {
    fn default() -> Self {
        Self::new()
    }
}

fn entered_at(flaw: Flaw) -> i64 {
    if flaw == Flaw::Late { SIGNED_AT + 601 } else { SIGNED_AT + 60 }
}

/// Returns the digest that a signature of `image` names.
fn claimed(image: &str, flaw: Flaw) -> String {
    if flaw == Flaw::OtherImage { Digest::of(b"other").to_string() } else { image.to_owned() }
}

fn claim(image: &str) -> Vec<u8> {
    let identity = json!({ "docker-reference": "registry.example.org/team/app" });
    let critical = json!({
        "identity": identity, "image": { "docker-manifest-digest": image }, "type": "cosign container image signature",
    });
    json!({ "critical": critical, "optional": null }).to_string().into_bytes()
}

fn statement(image: &str) -> Vec<u8> {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "digest": { "sha256": image.trim_start_matches("sha256:") } }],
        "predicateType": "https://sigstore.dev/cosign/sign/v1",
        "predicate": {},
    })
    .to_string()
    .into_bytes()
}

/// Returns what is signed of an envelope with `statement`.
fn sealed(statement: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {STATEMENT} {} ", STATEMENT.len(), statement.len());
    [head.as_bytes(), statement].concat()
}

fn bundle(statement: &[u8], signature: &[u8], material: &Value) -> Vec<u8> {
    json!({
        "mediaType": BUNDLE,
        "verificationMaterial": material,
        "dsseEnvelope": {
            "payload": STANDARD.encode(statement),
            "payloadType": STATEMENT,
            "signatures": [{ "sig": STANDARD.encode(signature) }],
        },
    })
    .to_string()
    .into_bytes()
}

fn attach_claim(content: &mut Content, image: &str, claim: &[u8], annotations: &Value) {
    let tag = format!("{}.sig", image.replace(':', "-"));
    content.attach(&tag, CLAIM, claim, annotations);
}

fn attach_bundle(content: &mut Content, image: &str, bundle: &[u8]) {
    content.refer(image, BUNDLE, bundle);
}

fn pem(certificate: &[u8]) -> String {
    let text = STANDARD.encode(certificate);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// Returns the part of a certificate that is signed: the first element of the sequence that it is.
fn signed_part(certificate: &[u8]) -> &[u8] {
    let (header, _) = element(certificate);
    let inner = &certificate[header..];
    let (header, length) = element(inner);
    &inner[..header + length]
}

/// Returns the lengths of the head and of the content of a DER element.
fn element(der: &[u8]) -> (usize, usize) {
    let first = usize::from(der[1]);
    if first < 0x80 {
        return (2, first);
    }
    let bytes = &der[2..2 + (first & 0x7f)];
    (2 + bytes.len(), bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
}

fn with_length(content: &[u8]) -> Vec<u8> {
    [&u16::try_from(content.len()).expect("a short text").to_be_bytes()[..], content].concat()
}

fn log_id(signer: &ImageSigner) -> [u8; 32] {
    sha256(&signer.0.subject_public_key_info())
}

fn sha256(content: &[u8]) -> [u8; 32] {
    Sha256::digest(content).into()
}
