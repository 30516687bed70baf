//! Entries of a log of signatures, as Rekor makes them: that a signature was there at a certain time.
//!
//! The log promises with its own signature that it has the entry and since when. Where the log also proves that the entry
//! is one of a tree, the proof must hold, and the tree be one that the log has signed.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    keyless::{KeylessError, Signed},
    trusted_root::{Log, TrustedRoot},
};

/// What a log says of a signature.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogEntry {
    #[serde(deserialize_with = "number")]
    log_index: i64,
    log_id: LogId,
    #[serde(default, deserialize_with = "number")]
    integrated_time: i64,
    inclusion_promise: Option<Promise>,
    inclusion_proof: Option<Proof>,
    canonicalized_body: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogId {
    key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Promise {
    signed_entry_timestamp: String,
}

/// That an entry is in the tree of a log.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Proof {
    #[serde(deserialize_with = "number")]
    log_index: i64,
    root_hash: String,
    #[serde(deserialize_with = "number")]
    tree_size: i64,
    #[serde(default)]
    hashes: Vec<String>,
    checkpoint: Checkpoint,
}

#[derive(Deserialize)]
struct Checkpoint {
    envelope: String,
}

/// What Cosign wrote beside a claim before there were bundles.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    signed_entry_timestamp: String,
    payload: WrittenPayload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenPayload {
    body: String,
    integrated_time: i64,
    log_index: i64,
    #[serde(rename = "logID")]
    log_id: String,
}

/// Reads a number that may be written as a text, as the JSON of Protocol Buffers does.
fn number<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Plain(i64),
        Text(String),
    }
    match Number::deserialize(from)? {
        Number::Plain(number) => Ok(number),
        Number::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

fn bytes(text: &str) -> Result<Vec<u8>, KeylessError> {
    BASE64_STANDARD.decode(text).map_err(|_| KeylessError::Entry("a value is not base64"))
}

impl LogEntry {
    /// Reads what Cosign wrote beside a claim before there were bundles.
    pub(super) fn from_annotation(json: &str) -> Result<Self, KeylessError> {
        let Written { signed_entry_timestamp, payload } =
            serde_json::from_str(json).map_err(|_| KeylessError::Entry("it is not of the form that it has to have"))?;
        let id = hex::decode(&payload.log_id).map_err(|_| KeylessError::Entry("the log's id is not hex"))?;
        Ok(Self {
            log_index: payload.log_index,
            log_id: LogId { key_id: BASE64_STANDARD.encode(id) },
            integrated_time: payload.integrated_time,
            inclusion_promise: Some(Promise { signed_entry_timestamp }),
            inclusion_proof: None,
            canonicalized_body: payload.body,
        })
    }

    /// When a log of `root` entered what `signer` has `signed`, in seconds since 1970.
    pub(super) fn verify(
        &self,
        root: &TrustedRoot,
        signed: &Signed<'_>,
        signer: &CertificateDer<'_>,
    ) -> Result<i64, KeylessError> {
        let id = bytes(&self.log_id.key_id)?;
        let of_id = root.signature_logs.iter().filter(|log| log.id == id);
        let log = of_id.into_iter().find(|log| log.valid.covers(self.integrated_time));
        let log = log.ok_or(KeylessError::UnknownLog("transparency log"))?;
        self.check_promise(log, &id)?;
        let body = bytes(&self.canonicalized_body)?;
        if let Some(proof) = &self.inclusion_proof {
            proof.check(log, &body)?;
        }
        check_body(&body, signed, signer)?;
        Ok(self.integrated_time)
    }

    /// The log's promise is over the entry as JSON with sorted keys and no spaces.
    fn check_promise(&self, log: &Log, id: &[u8]) -> Result<(), KeylessError> {
        let promise = self.inclusion_promise.as_ref().ok_or(KeylessError::NoPromise)?;
        let promised = BTreeMap::from([
            ("body", Value::from(self.canonicalized_body.as_str())),
            ("integratedTime", Value::from(self.integrated_time)),
            ("logID", Value::from(hex::encode(id))),
            ("logIndex", Value::from(self.log_index)),
        ]);
        let promised = serde_json::to_vec(&promised).expect("texts and numbers are JSON");
        let signature = bytes(&promise.signed_entry_timestamp)?;
        if log.key.has_signed(&promised, &signature) { Ok(()) } else { Err(KeylessError::Promise) }
    }
}

impl Proof {
    /// Whether `body` is in a tree that `log` has signed.
    fn check(&self, log: &Log, body: &[u8]) -> Result<(), KeylessError> {
        let root = bytes(&self.root_hash)?;
        let path: Vec<Vec<u8>> = self.hashes.iter().map(|hash| bytes(hash)).collect::<Result<_, _>>()?;
        let (Ok(index), Ok(size)) = (u64::try_from(self.log_index), u64::try_from(self.tree_size)) else {
            return Err(KeylessError::Proof);
        };
        if root_of(leaf_hash(body), index, size, &path).is_none_or(|computed| computed.as_slice() != root) {
            return Err(KeylessError::Proof);
        }
        check_checkpoint(&self.checkpoint.envelope, log, size, &root)
    }
}

fn leaf_hash(body: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update([0]).chain_update(body).finalize().into()
}

fn node_hash(left: &[u8], right: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root of a tree of `size` leaves of which `leaf` is the one at `index`, by RFC 6962; `None` if `path` does not fit.
fn root_of(leaf: [u8; 32], index: u64, size: u64, path: &[Vec<u8>]) -> Option<[u8; 32]> {
    if index >= size {
        return None;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return None;
        }
        if node % 2 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node % 2 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    (last == 0).then_some(hash)
}

/// Whether `log` has signed that it has `size` entries and this `root`.
///
/// A checkpoint is three lines (whose log, how many entries, which root) and maybe more, an empty line, and lines of
/// signatures: `— <name> <base64 of four bytes of the key's name and a signature>`.
fn check_checkpoint(envelope: &str, log: &Log, size: u64, root: &[u8]) -> Result<(), KeylessError> {
    let (text, signatures) = envelope.split_once("\n\n").ok_or(KeylessError::Checkpoint)?;
    let mut lines = text.lines().skip(1);
    let says_size = lines.next().and_then(|line| line.parse().ok()) == Some(size);
    let says_root = lines.next().and_then(|line| BASE64_STANDARD.decode(line).ok()).as_deref() == Some(root);
    let note = format!("{text}\n");
    let is_signed = signatures.lines().any(|line| {
        let signature = line.strip_prefix("\u{2014} ").and_then(|line| line.rsplit(' ').next());
        let signature = signature.and_then(|signature| BASE64_STANDARD.decode(signature).ok());
        signature.is_some_and(|signature| {
            signature.split_at_checked(4).is_some_and(|(_, signature)| log.key.has_signed(note.as_bytes(), signature))
        })
    });
    if says_size && says_root && is_signed { Ok(()) } else { Err(KeylessError::Checkpoint) }
}

/// What an entry is about, as far as it is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    kind: String,
    api_version: String,
    spec: Value,
}

/// Whether an entry is about what `signer` has `signed`.
fn check_body(body: &[u8], signed: &Signed<'_>, signer: &CertificateDer<'_>) -> Result<(), KeylessError> {
    let Body { kind, api_version, spec } =
        serde_json::from_slice(body).map_err(|_| KeylessError::Entry("its body cannot be read"))?;
    let is_about_it = match (kind.as_str(), api_version.as_str()) {
        ("hashedrekord", "0.0.1") => {
            is_digest(&spec["data"]["hash"], signed.message)
                && is_bytes(&spec["signature"]["content"], signed.signature)
                && is_certificate(&spec["signature"]["publicKey"]["content"], signer)
        }
        ("dsse", "0.0.1") => {
            let signatures = spec["signatures"].as_array().map(Vec::as_slice).unwrap_or_default();
            is_digest(&spec["payloadHash"], signed.content)
                && signatures.iter().any(|entered| {
                    is_bytes(&entered["signature"], signed.signature) && is_certificate(&entered["verifier"], signer)
                })
        }
        _ => return Err(KeylessError::Entry("it is of a kind that is not known")),
    };
    if is_about_it { Ok(()) } else { Err(KeylessError::OtherEntry) }
}

fn is_digest(written: &Value, of: &[u8]) -> bool {
    written["algorithm"] == "sha256" && written["value"] == hex::encode(Sha256::digest(of))
}

fn is_bytes(written: &Value, wanted: &[u8]) -> bool {
    written.as_str().and_then(|text| BASE64_STANDARD.decode(text).ok()).as_deref() == Some(wanted)
}

/// Whether `written` is the base64 of the PEM of `wanted`.
fn is_certificate(written: &Value, wanted: &CertificateDer<'_>) -> bool {
    let pem = written.as_str().and_then(|text| BASE64_STANDARD.decode(text).ok()).unwrap_or_default();
    CertificateDer::from_pem_slice(&pem).is_ok_and(|certificate| certificate == *wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The root of a tree by its definition, and the path to the leaf at `index`.
    fn tree(leaves: &[[u8; 32]], index: usize) -> ([u8; 32], Vec<Vec<u8>>) {
        if let [leaf] = leaves {
            return (*leaf, Vec::new());
        }
        let half = leaves.len().next_power_of_two() / 2;
        let (left, right) = leaves.split_at(half);
        let ((hash, mut path), other) = if index < half {
            (tree(left, index), tree(right, 0).0)
        } else {
            (tree(right, index - half), tree(left, 0).0)
        };
        path.push(other.to_vec());
        let root = if index < half { node_hash(&hash, &other) } else { node_hash(&other, &hash) };
        (root, path)
    }

    #[test]
    fn a_proof_leads_to_the_root_from_every_leaf_and_from_no_other() {
        for size in 1..20_u8 {
            let leaves: Vec<_> = (0..size).map(|leaf| leaf_hash(&[leaf])).collect();
            for (index, leaf) in leaves.iter().enumerate() {
                let (root, path) = tree(&leaves, index);
                let computed = |leaf, index: usize, path| root_of(leaf, index as u64, u64::from(size), path);
                assert_eq!(computed(*leaf, index, &path), Some(root), "{index} of {size}");
                assert_ne!(computed(leaf_hash(b"other"), index, &path), Some(root), "{index} of {size}");
                assert_ne!(computed(*leaf, index + 1, &path), Some(root), "{index} of {size}");
                let longer = [path.as_slice(), &[vec![0; 32]]].concat();
                assert_eq!(computed(*leaf, index, &longer), None, "{index} of {size}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(text in "\\PC*", index: u64, size: u64, path: Vec<Vec<u8>>) {
            let _ = LogEntry::from_annotation(&text);
            let _ = root_of([0; 32], index, size, &path);
        }
    }
}
