//! Values of Secrets: compared, never shown.
//!
//! A plain hash of a short password can be found by trying; a keyed one cannot without the key. Two values are the same
//! exactly when their digests under one key are.

use std::fmt;

use fairlead_object::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::FieldPath;

/// The key under which values of Secrets are digested.
///
/// Digests, and with them a plan's own digest, can be compared only under the same key: keep it as long as saved plans
/// and approvals are to hold.
#[derive(Clone)]
pub struct DigestKey([u8; BLOCK_BYTES]);

/// Block size of SHA-256, in bytes.
const BLOCK_BYTES: usize = 64;

/// Bytes that HMAC (RFC 2104) mixes into its key.
const INNER_PAD: u8 = 0x36;
const OUTER_PAD: u8 = 0x5c;

impl DigestKey {
    /// Takes `secret` as the key, of any length; it must come from a source of randomness to protect short values.
    pub fn new(secret: &[u8]) -> Self {
        let mut block = [0; BLOCK_BYTES];
        if secret.len() > BLOCK_BYTES {
            let digest = hex::decode(Digest::of(secret).hex()).expect("a digest prints hex digits");
            block[..digest.len()].copy_from_slice(&digest);
        } else {
            block[..secret.len()].copy_from_slice(secret);
        }
        Self(block)
    }

    /// HMAC-SHA-256 of `value`.
    pub(crate) fn digest(&self, value: &Value) -> KeyedDigest {
        use sha2::{Digest as _, Sha256};
        let message = serde_json::to_vec(value).expect("JSON with text keys serialises");
        let pass = |pad: u8, message: &[u8]| {
            let mut hasher = Sha256::new();
            hasher.update(self.0.map(|byte| byte ^ pad));
            hasher.update(message);
            hasher.finalize()
        };
        KeyedDigest(format!("hmac-sha256:{}", hex::encode(pass(OUTER_PAD, &pass(INNER_PAD, &message)))))
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestKey(…)")
    }
}

/// The digest of a secret value under a [`DigestKey`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyedDigest(String);

impl fmt::Display for KeyedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A field's value as a plan may tell it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Shown {
    /// The value itself.
    Value(Value),
    /// The digest of a value that is nobody's business.
    Secret(KeyedDigest),
    /// Nothing: the value is drawn when it is applied.
    NotKnown,
}

/// Whether what stands at `path` of an object of `kind` must not be shown.
///
/// Of a Secret everything is confidential but its type and its labels: tools copy its data into annotations.
pub(crate) fn is_confidential(kind: &str, path: &FieldPath) -> bool {
    const SHOWN: [&[&str]; 5] = [&["apiVersion"], &["kind"], &["type"], &["immutable"], &["metadata", "labels"]];
    kind == "Secret" && !SHOWN.iter().any(|names| path.is_below(names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_hmac_sha_256_of_the_json_text() {
        let digest = |key: &[u8]| DigestKey::new(key).digest(&"hello".into()).to_string();
        insta::assert_snapshot!(digest(b"Jefe"), @"hmac-sha256:c90d1e7b35c971cfc182c5aadf4345332190ca79319720bdc02199905ae8990e");
        insta::assert_snapshot!(digest(&[b'k'; 100]), @"hmac-sha256:26974a0bbf6eef485bdabdb076fb2953e80141d66d998fc902def635af283ad9");
    }

    #[test]
    fn a_key_does_not_print_itself() {
        assert_eq!(format!("{:?}", DigestKey::new(b"Jefe")), "DigestKey(…)");
    }
}
