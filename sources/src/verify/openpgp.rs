//! OpenPGP signatures over Git's objects.
//!
//! [`pgp`] reads packets and checks single signatures. What makes a key one that may sign is decided here: it is bound to
//! its primary key by that key's own newest word, neither of them is revoked or has expired, and a key that is not the
//! primary one has agreed to belong to it.
//!
//! # Follows Flux
//! Keys are judged by the time at which they are used, so that one that has expired since no longer counts. A revoked key
//! never counts, whatever the reason.
//! # Differs from Flux
//! Keys may be binary too. Digests that can be forged (MD5, SHA-1, RIPEMD-160) do not count over objects.

use jiff::Timestamp;
use pgp::{
    composed::{Deserializable, DetachedSignature, SignedPublicKey, SignedPublicSubKey},
    crypto::hash::HashAlgorithm,
    packet::{Signature, SignatureType, SubpacketData},
    types::{KeyDetails, SignedUser, Tag, VerifyingKey},
};

/// Why an OpenPGP signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PgpError {
    /// The signature cannot be read.
    #[error("the signature cannot be read: {0}")]
    Malformed(String),
    /// No ring of keys can be read.
    #[error("unable to read armored key ring: {0}")]
    KeyRing(String),
    /// Nobody who is trusted has made it.
    #[error("unable to verify payload with any of the given key rings: {0}")]
    Unmatched(Unmatched),
}

/// Why none of the keys counts as the signer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unmatched {
    /// None of them has signed.
    #[error("no matching key")]
    NoKey,
    /// One has, and has expired.
    #[error("key '{0}' has expired")]
    KeyExpired(String),
    /// One has, and is revoked.
    #[error("key '{0}' is revoked")]
    KeyRevoked(String),
    /// One has that may not sign.
    #[error("key '{0}' is not one that may sign")]
    NoSigner(String),
    /// The signature has an end, which has passed.
    #[error("the signature has expired")]
    SignatureExpired,
    /// The signature says that it was made later than now, or not when.
    #[error("the signature does not tell a time in the past")]
    Time,
    /// The signature demands something that is not known.
    #[error("the signature makes a critical demand that is not known")]
    Demand,
    /// The digest that was signed can be forged.
    #[error("the signature is over a {0} digest, which can be forged")]
    Digest(String),
}

/// Most signatures of one object that are looked at.
const SIGNATURES_LIMIT: usize = 8;

/// Keys that may be of several people.
#[derive(Clone)]
pub(super) struct KeyRing(Vec<SignedPublicKey>);

impl KeyRing {
    /// Reads keys, armored or not.
    pub(super) fn parse(content: &[u8]) -> Result<Self, PgpError> {
        let unread = |error: pgp::errors::Error| PgpError::KeyRing(error.to_string());
        let (keys, _) = SignedPublicKey::from_reader_many(content).map_err(unread)?;
        let keys: Vec<_> = keys.collect::<Result<_, _>>().map_err(unread)?;
        if keys.is_empty() {
            return Err(PgpError::KeyRing("it holds no public key".to_owned()));
        }
        Ok(Self(keys))
    }
}

/// The id of the primary key, in 16 hex digits, of the one of `rings` who signed `payload`.
pub(super) fn verify(
    signature: &str,
    payload: &[u8],
    rings: &[Result<KeyRing, PgpError>],
    now: Timestamp,
) -> Result<String, PgpError> {
    let malformed = |error: pgp::errors::Error| PgpError::Malformed(error.to_string());
    let (signatures, _) = DetachedSignature::from_string_many(signature).map_err(malformed)?;
    let signatures: Vec<DetachedSignature> = signatures.collect::<Result<_, _>>().map_err(malformed)?;
    if let Some(unread) = rings.iter().find_map(|ring| ring.as_ref().err())
        && rings.iter().all(Result::is_err)
    {
        return Err(unread.clone());
    }
    let mut why = Unmatched::NoKey;
    for DetachedSignature { signature } in signatures.iter().take(SIGNATURES_LIMIT) {
        for key in rings.iter().flatten().flat_map(|KeyRing(keys)| keys) {
            match signer(key, signature, payload, now.as_second()) {
                Ok(()) => return Ok(shown(key)),
                Err(Unmatched::NoKey) => {}
                Err(other) => why = other,
            }
        }
    }
    Err(PgpError::Unmatched(why))
}

/// Whether `key`, or one that belongs to it, signed `payload` and may.
fn signer(key: &SignedPublicKey, signature: &Signature, payload: &[u8], now: i64) -> Result<(), Unmatched> {
    let has_signed = |key: &dyn Fn() -> pgp::errors::Result<()>| key().is_ok();
    if has_signed(&|| signature.verify(&key.primary_key, payload)) {
        check(signature, now)?;
        let own = standing(key, now)?;
        return if may_sign(own).unwrap_or(true) { Ok(()) } else { Err(Unmatched::NoSigner(shown(key))) };
    }
    let subkey = key.public_subkeys.iter().find(|subkey| has_signed(&|| signature.verify(&subkey.key, payload)));
    let subkey = subkey.ok_or(Unmatched::NoKey)?;
    check(signature, now)?;
    standing(key, now)?;
    belongs(subkey, key, now)
}

/// Whether a signature over an object is one that counts at all.
fn check(signature: &Signature, now: i64) -> Result<(), Unmatched> {
    if !matches!(signature.typ(), Some(SignatureType::Binary | SignatureType::Text)) {
        return Err(Unmatched::NoKey);
    }
    let digest = signature.hash_alg().unwrap_or(HashAlgorithm::None);
    if !matches!(
        digest,
        HashAlgorithm::Sha224
            | HashAlgorithm::Sha256
            | HashAlgorithm::Sha384
            | HashAlgorithm::Sha512
            | HashAlgorithm::Sha3_256
            | HashAlgorithm::Sha3_512
    ) {
        return Err(Unmatched::Digest(digest.to_string()));
    }
    if has_unknown_demand(signature) {
        return Err(Unmatched::Demand);
    }
    match signature.created() {
        Some(created) if i64::from(created.as_secs()) <= now => {}
        Some(_) | None => return Err(Unmatched::Time),
    }
    if is_current(signature, now) { Ok(()) } else { Err(Unmatched::SignatureExpired) }
}

/// What the primary key says of itself, if it can be used now.
fn standing(key: &SignedPublicKey, now: i64) -> Result<&Signature, Unmatched> {
    let details = &key.details;
    let is_revoked = details.revocation_signatures.iter().any(|revocation| {
        revocation.typ() == Some(SignatureType::KeyRevocation) && revocation.verify_key(&key.primary_key).is_ok()
    });
    if is_revoked {
        return Err(Unmatched::KeyRevoked(shown(key)));
    }
    let of_key = details
        .direct_signatures
        .iter()
        .filter(|word| word.typ() == Some(SignatureType::Key) && word.verify_key(&key.primary_key).is_ok());
    let of_users = details.users.iter().filter(|user| !is_user_revoked(user, key)).flat_map(|user| {
        user.signatures.iter().filter(|word| {
            word.typ() != Some(SignatureType::CertRevocation)
                && word.verify_certification(&key.primary_key, Tag::UserId, &user.id).is_ok()
        })
    });
    let word = newest(of_key.chain(of_users), now).ok_or_else(|| Unmatched::NoSigner(shown(key)))?;
    if has_ended(&key.primary_key, word, now) {
        return Err(Unmatched::KeyExpired(shown(key)));
    }
    Ok(word)
}

fn is_user_revoked(user: &SignedUser, key: &SignedPublicKey) -> bool {
    user.signatures.iter().any(|word| {
        word.typ() == Some(SignatureType::CertRevocation)
            && word.verify_certification(&key.primary_key, Tag::UserId, &user.id).is_ok()
    })
}

/// Whether `subkey` may sign for `key`.
fn belongs(subkey: &SignedPublicSubKey, key: &SignedPublicKey, now: i64) -> Result<(), Unmatched> {
    let name = || hex::encode_upper(subkey.key.legacy_key_id());
    let said = |kind| {
        subkey.signatures.iter().filter(move |word| {
            word.typ() == Some(kind) && word.verify_subkey_binding(&key.primary_key, &subkey.key).is_ok()
        })
    };
    if said(SignatureType::SubkeyRevocation).next().is_some() {
        return Err(Unmatched::KeyRevoked(name()));
    }
    let binding = newest(said(SignatureType::SubkeyBinding), now).ok_or_else(|| Unmatched::NoSigner(name()))?;
    if has_ended(&subkey.key, binding, now) {
        return Err(Unmatched::KeyExpired(name()));
    }
    let has_agreed = binding.embedded_signature().is_some_and(|agreed| {
        agreed.verify_primary_key_binding(&subkey.key, &key.primary_key).is_ok()
            && is_current(agreed, now)
            && !has_unknown_demand(agreed)
    });
    if may_sign(binding) == Some(true) && has_agreed { Ok(()) } else { Err(Unmatched::NoSigner(name())) }
}

/// The newest of `words` that holds now and asks for nothing unknown.
fn newest<'a>(words: impl Iterator<Item = &'a Signature>, now: i64) -> Option<&'a Signature> {
    let made = |word: &Signature| word.created().map(|created| i64::from(created.as_secs()));
    words
        .filter(|word| made(word).is_some_and(|made| made <= now) && is_current(word, now) && !has_unknown_demand(word))
        .max_by_key(|word| made(word))
}

/// Whether a signature's own end has not come yet.
fn is_current(signature: &Signature, now: i64) -> bool {
    let lasts = signature.signature_expiration_time().map_or(0, |lasts| i64::from(lasts.as_secs()));
    let made = signature.created().map_or(0, |created| i64::from(created.as_secs()));
    lasts == 0 || now < made + lasts
}

/// Whether `key` has expired by what `word` says of it.
fn has_ended(key: &impl VerifyingKey, word: &Signature, now: i64) -> bool {
    let lasts = word.key_expiration_time().map_or(0, |lasts| i64::from(lasts.as_secs()));
    lasts != 0 && now >= i64::from(key.created_at().as_secs()) + lasts
}

/// Whether `word` lets its key sign; `None` if it does not speak of that.
fn may_sign(word: &Signature) -> Option<bool> {
    let mut said = word.config()?.hashed_subpackets();
    said.find_map(|packet| match &packet.data {
        SubpacketData::KeyFlags(flags) => Some(flags.sign()),
        _ => None,
    })
}

/// Whether `signature` may only be used by who knows something that is not known here.
fn has_unknown_demand(signature: &Signature) -> bool {
    let Some(config) = signature.config() else { return true };
    let mut said = config.hashed_subpackets();
    said.any(|packet| {
        packet.is_critical
            && matches!(
                packet.data,
                SubpacketData::Notation(_) | SubpacketData::Experimental(..) | SubpacketData::Other(..)
            )
    })
}

fn shown(key: &SignedPublicKey) -> String {
    hex::encode_upper(key.primary_key.legacy_key_id())
}
