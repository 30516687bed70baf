//! People who sign: keys of their own, and signatures as Git and images bear them.

use pgp::{
    composed::{
        ArmorOptions, DetachedSignature, EncryptionCaps, KeyType, SecretKeyParamsBuilder, SignedPublicKey,
        SignedSecretKey, SubkeyParamsBuilder,
    },
    crypto::hash::HashAlgorithm,
    packet::{SignatureConfig, SignatureType, Subpacket, SubpacketData},
    types::{Duration, KeyDetails, Password, Timestamp},
};
use rand::rngs::OsRng;
use russh::keys::{
    HashAlg, PrivateKey,
    ssh_key::{LineEnding, private::Ed25519Keypair},
};

/// 1 January 2026: when all keys were made.
const MADE_AT: u32 = 1_767_225_600;

/// Someone who signs what Git keeps.
pub trait Signer {
    /// Returns an armored signature of `payload`.
    fn sign(&self, payload: &[u8]) -> String;
}

/// Someone with an OpenPGP key.
pub struct PgpSigner {
    secret: SignedSecretKey,
    public: SignedPublicKey,
    signs_with: SignsWith,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SignsWith {
    Primary,
    Subkey,
}

impl PgpSigner {
    /// Makes someone who signs with the primary key.
    ///
    /// # Panics
    /// If the system has no randomness.
    pub fn new() -> Self {
        Self::make(SignsWith::Primary)
    }

    /// Makes someone who signs with a key that belongs to the primary one.
    ///
    /// # Panics
    /// If the system has no randomness.
    pub fn with_subkey() -> Self {
        Self::make(SignsWith::Subkey)
    }

    fn make(signs_with: SignsWith) -> Self {
        let made_at = Timestamp::from_secs(MADE_AT);
        let mut key = SecretKeyParamsBuilder::default();
        key.key_type(KeyType::Ed25519Legacy).created_at(made_at).can_certify(true).can_encrypt(EncryptionCaps::None);
        key.can_sign(signs_with == SignsWith::Primary).primary_user_id("Ada <ada@example.com>".to_owned());
        if signs_with == SignsWith::Subkey {
            let mut subkey = SubkeyParamsBuilder::default();
            subkey.key_type(KeyType::Ed25519Legacy).created_at(made_at).can_sign(true);
            key.subkey(subkey.build().expect("a complete description"));
        }
        let secret = key.build().expect("a complete description").generate(OsRng).expect("a key");
        Self { public: secret.to_public_key(), secret, signs_with }
    }

    /// The key says of itself that it is good for `seconds` since 2026 began.
    ///
    /// # Panics
    /// If the key cannot sign.
    #[must_use]
    pub fn expiring_after(mut self, seconds: u32) -> Self {
        let end = SubpacketData::KeyExpirationTime(Duration::from_secs(seconds));
        let said = self.says_of_itself(SignatureType::Key, end);
        self.public.details.users.clear();
        self.public.details.direct_signatures.push(said);
        self
    }

    /// The key is revoked by its owner.
    ///
    /// # Panics
    /// If the key cannot sign.
    #[must_use]
    pub fn revoked(mut self) -> Self {
        let no_reason = SubpacketData::RevocationReason(0.into(), "".into());
        let said = self.says_of_itself(SignatureType::KeyRevocation, no_reason);
        self.public.details.revocation_signatures.push(said);
        self
    }

    /// The subkey is not bound to the primary key by anyone.
    #[must_use]
    pub fn with_foreign_subkey(mut self) -> Self {
        let other = Self::with_subkey();
        self.public.public_subkeys = other.public.public_subkeys;
        self.secret = other.secret;
        self.signs_with = SignsWith::Subkey;
        self
    }

    fn says_of_itself(&self, kind: SignatureType, what: SubpacketData) -> pgp::packet::Signature {
        let key = &self.secret.primary_key;
        let mut said = SignatureConfig::v4(kind, key.algorithm(), HashAlgorithm::Sha256);
        let parts = [
            SubpacketData::SignatureCreationTime(Timestamp::now()),
            SubpacketData::IssuerFingerprint(key.fingerprint()),
            what,
        ];
        said.hashed_subpackets = parts.map(|part| Subpacket::regular(part).expect("a part")).to_vec();
        said.sign_key(key, &Password::empty(), key.public_key()).expect("the key signs")
    }

    /// Returns the public half, armored.
    ///
    /// # Panics
    /// Never.
    pub fn public_key(&self) -> String {
        self.public.to_armored_string(ArmorOptions::default()).expect("a key can be written")
    }

    /// Returns the id by which Flux calls the key.
    pub fn id(&self) -> String {
        self.public.primary_key.legacy_key_id().to_string().to_uppercase()
    }

    /// Returns the id of the key that signs.
    pub fn signing_id(&self) -> String {
        match self.signs_with {
            SignsWith::Primary => self.id(),
            SignsWith::Subkey => self.secret.secret_subkeys[0].key.legacy_key_id().to_string().to_uppercase(),
        }
    }
}

impl Default for PgpSigner {
    fn default() -> Self {
        Self::new()
    }
}

impl Signer for PgpSigner {
    fn sign(&self, payload: &[u8]) -> String {
        let (password, digest) = (Password::empty(), HashAlgorithm::Sha256);
        let signed = match self.signs_with {
            SignsWith::Primary => {
                DetachedSignature::sign_binary_data(OsRng, &self.secret.primary_key, &password, digest, payload)
            }
            SignsWith::Subkey => {
                let subkey = &self.secret.secret_subkeys[0].key;
                DetachedSignature::sign_binary_data(OsRng, subkey, &password, digest, payload)
            }
        };
        let armored = signed.and_then(|signature| signature.to_armored_string(ArmorOptions::default()));
        armored.expect("the key signs")
    }
}

/// Someone with an SSH key.
pub struct SshSigner {
    key: PrivateKey,
    namespace: &'static str,
}

impl SshSigner {
    /// Makes someone who signs for Git.
    pub fn new() -> Self {
        Self::for_namespace("git")
    }

    /// Makes someone who signs for something else.
    pub fn for_namespace(namespace: &'static str) -> Self {
        Self { key: Ed25519Keypair::from_seed(&rand::random()).into(), namespace }
    }

    /// Returns the line by which the key is authorized.
    ///
    /// # Panics
    /// Never.
    pub fn authorized_key(&self) -> String {
        self.key.public_key().to_openssh().expect("a public key can be written")
    }

    /// Returns the fingerprint by which Flux calls the key.
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }
}

impl Default for SshSigner {
    fn default() -> Self {
        Self::new()
    }
}

impl Signer for SshSigner {
    fn sign(&self, payload: &[u8]) -> String {
        let signed = self.key.sign(self.namespace, HashAlg::Sha512, payload).expect("the key signs");
        signed.to_pem(LineEnding::LF).expect("a signature can be written")
    }
}
