//! Private keys.

use p256::SecretKey;
use p256::elliptic_curve::sec1::ToSec1Point;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey};
use rsa::pkcs8::DecodePrivateKey;
use rsa::traits::PublicKeyParts;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use sha2::{Digest, Sha256};

use super::{WorldRng, der, pem};

/// A key that signs.
#[derive(Clone)]
pub(crate) struct PrivateKey(RsaPrivateKey);

/// OID of `rsaEncryption`, with its empty parameters.
const RSA_ALGORITHM: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// What stands before a SHA-256 that RSA signs.
const SHA256_PREFIX: &[u8] =
    &[0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

/// A new private key as PEM, or what Sprig says instead.
///
/// # Differs from Sprig
/// Keys for DSA are not made: nothing has accepted them for years.
pub(crate) fn generate(kind: &str, rng: &mut WorldRng<'_>) -> String {
    match kind {
        "" | "rsa" => match PrivateKey::generate(4096, rng) {
            Ok(key) => key.to_pem(),
            Err(problem) => format!("failed to generate private key: {problem}"),
        },
        "ecdsa" => elliptic(rng),
        "ed25519" => edwards(rng),
        "dsa" => "failed to generate private key: DSA is not supported".to_owned(),
        kind => format!("Unknown type {kind}"),
    }
}

fn elliptic(rng: &mut WorldRng<'_>) -> String {
    const PRIME256V1: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    let key = loop {
        let mut bytes = [0; 32];
        rng.0.fill_random(&mut bytes);
        // Not every number is a key; nearly all are.
        if let Ok(key) = SecretKey::from_slice(&bytes) {
            break key;
        }
    };
    let public = key.public_key().to_sec1_point(false);
    let encoded = der::sequence(&[
        &der::integer(&[1]),
        &der::value(der::OCTET_STRING, &key.to_bytes()),
        &der::value(0xa0, PRIME256V1),
        &der::value(0xa1, &der::bit_string(public.as_bytes())),
    ]);
    pem::encode("EC PRIVATE KEY", &encoded)
}

fn edwards(rng: &mut WorldRng<'_>) -> String {
    const ED25519: &[u8] = &[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];
    let mut seed = [0; 32];
    rng.0.fill_random(&mut seed);
    let key = der::value(der::OCTET_STRING, &der::value(der::OCTET_STRING, &seed));
    pem::encode("PRIVATE KEY", &der::sequence(&[&der::integer(&[0]), ED25519, &key]))
}

impl PrivateKey {
    /// A new RSA key.
    pub(crate) fn generate(bits: usize, rng: &mut WorldRng<'_>) -> Result<Self, String> {
        RsaPrivateKey::new(rng, bits).map(Self).map_err(|error| error.to_string())
    }

    /// Reads a key; an error in Sprig's words. Only RSA keys sign.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (label, content) = pem::decode(text).ok_or("no PEM data in input")?;
        let key = match label.as_str() {
            "PRIVATE KEY" => RsaPrivateKey::from_pkcs8_der(&content).map_err(|error| error.to_string()),
            "RSA PRIVATE KEY" => RsaPrivateKey::from_pkcs1_der(&content).map_err(|error| error.to_string()),
            label => match label.strip_suffix(" PRIVATE KEY") {
                Some(kind @ ("EC" | "DSA")) => {
                    return Err(format!("keys of the type {kind} are not supported, use RSA"));
                }
                Some(kind) => return Err(format!("invalid private key type {kind}")),
                None => return Err(format!("no private key data in PEM block of type {label}")),
            },
        };
        key.map(Self).map_err(|problem| match label.as_str() {
            "PRIVATE KEY" => format!("decoding PEM as PKCS#8: {problem}"),
            _ => format!("parsing RSA private key from PEM: {problem}"),
        })
    }

    /// The key as PEM.
    pub(crate) fn to_pem(&self) -> String {
        let encoded = self.0.to_pkcs1_der().expect("an RSA key has an encoding");
        pem::encode("RSA PRIVATE KEY", encoded.as_bytes())
    }

    /// The public key, as certificates hold it.
    pub(super) fn public(&self) -> Vec<u8> {
        der::sequence(&[RSA_ALGORITHM, &der::bit_string(&self.public_numbers())])
    }

    /// The public key without its algorithm.
    pub(super) fn public_numbers(&self) -> Vec<u8> {
        let (modulus, exponent) = (self.0.n_bytes(), self.0.e_bytes());
        der::sequence(&[&der::integer(&modulus), &der::integer(&exponent)])
    }

    /// The signature of `content` under SHA-256.
    pub(super) fn sign(&self, content: &[u8]) -> Result<Vec<u8>, String> {
        let scheme = Pkcs1v15Sign { hash_len: Some(32), prefix: SHA256_PREFIX.into() };
        self.0.sign(scheme, &Sha256::digest(content)).map_err(|error| error.to_string())
    }
}
