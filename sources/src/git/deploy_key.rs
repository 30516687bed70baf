//! The key pair by which one repository is read: made here, or read from the private key that someone has.

use ring::rand::{SecureRandom, SystemRandom};
use russh::keys::{
    Algorithm, EcdsaCurve, PrivateKey,
    key::safe_rng,
    ssh_key::{
        LineEnding,
        private::{Ed25519Keypair, KeypairData, RsaKeypair},
    },
};
use secrecy::SecretString;

use super::auth::{CredentialError, private_key};

/// A private SSH key, of which the public half may be shown.
pub struct DeployKey(PrivateKey);

/// What kind of key is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Ed25519.
    Ed25519,
    /// ECDSA on one of NIST's curves.
    Ecdsa(Curve),
    /// RSA, with a modulus of so many bits.
    Rsa {
        /// How many.
        bits: u16,
    },
}

/// The curve of an ECDSA key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
}

impl DeployKey {
    /// Returns a new Ed25519 key.
    pub fn generate() -> Self {
        let mut seed = [0; 32];
        SystemRandom::new().fill(&mut seed).expect("the operating system gives random bytes");
        Self(Ed25519Keypair::from_seed(&seed).into())
    }

    /// Returns a new key of some kind. One of RSA takes seconds.
    pub fn of_kind(kind: KeyKind) -> Self {
        let curve = match kind {
            KeyKind::Ed25519 => return Self::generate(),
            KeyKind::Rsa { bits } => return Self(rsa(bits)),
            KeyKind::Ecdsa(Curve::P256) => EcdsaCurve::NistP256,
            KeyKind::Ecdsa(Curve::P384) => EcdsaCurve::NistP384,
            KeyKind::Ecdsa(Curve::P521) => EcdsaCurve::NistP521,
        };
        Self(PrivateKey::random(&mut safe_rng(), Algorithm::Ecdsa { curve }).expect("every curve is supported"))
    }

    /// Reads a private key in PEM or OpenSSH's format.
    ///
    /// # Errors
    /// If it is none, or asks for a passphrase.
    pub fn read(private: &SecretString) -> Result<Self, CredentialError> {
        private_key(private, None).map(Self)
    }

    /// Reads a private key that `passphrase` encrypts.
    ///
    /// # Errors
    /// If it is none, or has another passphrase.
    pub fn decrypt(private: &SecretString, passphrase: &SecretString) -> Result<Self, CredentialError> {
        private_key(private, Some(passphrase)).map(Self)
    }

    /// Returns the private half in OpenSSH's format.
    pub fn private(&self) -> SecretString {
        let text = self.0.to_openssh(LineEnding::LF).expect("a key without passphrase is written as it is");
        SecretString::from(text.as_str())
    }

    /// Returns the public half as one line, as a Git server takes it.
    pub fn public(&self) -> String {
        self.0.public_key().to_openssh().expect("a public key is written as it is")
    }
}

fn rsa(bits: u16) -> PrivateKey {
    let pair = RsaKeypair::random(&mut safe_rng(), usize::from(bits)).expect("the number of bits is in range");
    PrivateKey::new(KeypairData::from(pair), "").expect("a pair of keys is a private key")
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_new_key_is_read_back_with_the_same_public_half() {
        let key = DeployKey::generate();
        let again = DeployKey::read(&key.private()).expect("it was written here");
        assert_eq!(again.public(), key.public());
        assert!(key.public().starts_with("ssh-ed25519 AAAA"), "{}", key.public());
    }

    #[test]
    fn the_public_half_is_one_line_of_authorized_keys_and_the_private_half_is_pem() {
        let key = DeployKey::generate();
        let public = key.public();
        let [algorithm, content] = public.split(' ').collect::<Vec<_>>()[..] else { panic!("two words: {public}") };
        let content = BASE64_STANDARD.decode(content).expect("base64");
        let (name, key_bytes) = content.split_at(4 + algorithm.len());
        assert_eq!((algorithm, name), ("ssh-ed25519", b"\0\0\0\x0bssh-ed25519".as_slice()));
        assert_eq!((key_bytes.len(), &key_bytes[..4]), (4 + 32, b"\0\0\0\x20".as_slice()));

        let private = key.private();
        let lines: Vec<&str> = private.expose_secret().split('\n').collect();
        let [first, content @ .., last, ""] = &lines[..] else { panic!("it ends with a line break") };
        assert_eq!((*first, *last), ("-----BEGIN OPENSSH PRIVATE KEY-----", "-----END OPENSSH PRIVATE KEY-----"));
        assert!(content.iter().all(|line| line.len() <= 70), "no line is longer than what OpenSSH writes");
        let content = BASE64_STANDARD.decode(content.concat()).expect("base64");
        assert!(content.starts_with(b"openssh-key-v1\0"));
    }

    #[test]
    fn keys_of_every_kind_are_read_back() {
        let rows = [
            (KeyKind::Ed25519, "ssh-ed25519 "),
            (KeyKind::Ecdsa(Curve::P256), "ecdsa-sha2-nistp256 "),
            (KeyKind::Ecdsa(Curve::P384), "ecdsa-sha2-nistp384 "),
            (KeyKind::Ecdsa(Curve::P521), "ecdsa-sha2-nistp521 "),
            (KeyKind::Rsa { bits: 2048 }, "ssh-rsa "),
        ];
        for (kind, algorithm) in rows {
            let key = DeployKey::of_kind(kind);
            assert!(key.public().starts_with(algorithm), "{kind:?}: {}", key.public());
            let again = DeployKey::read(&key.private()).expect("it was written here");
            assert_eq!(again.public(), key.public(), "{kind:?}");
        }
    }

    #[test]
    fn no_two_keys_are_alike() {
        assert_ne!(DeployKey::generate().public(), DeployKey::generate().public());
    }
}
