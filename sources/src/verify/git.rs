//! Which signatures a revision of a Git source must carry: `spec.verify` of a `GitRepository`.
//!
//! # Follows Flux
//! Modes, messages and reasons. The keys are all entries of a Secret: `*.sshpub` is a list of SSH keys, everything else a
//! ring of OpenPGP keys. Each object is verified with the keys of the kind that its own signature has.
//! # Differs from Flux
//! A signed tag has to bear the name that is followed: one that was made for another version is no signature of this one.

use std::fmt;

use fairlead_api::{conditions::SOURCE_VERIFIED, reasons::source as reason};
use fairlead_object::Digest;
use jiff::Timestamp;
use secrecy::ExposeSecret;

use super::{
    Verified,
    openpgp::{self, KeyRing, PgpError},
    signed_object::{SignedObject, tag_name},
    ssh::{self, AuthorizedKeys, SshError},
};
use crate::{fetch::SourceError, secret::SecretData};

/// Which signatures a revision must carry, and whose.
#[derive(Clone)]
pub struct GitVerification {
    mode: GitVerificationMode,
    rings: Vec<Result<KeyRing, PgpError>>,
    lists: Vec<Result<AuthorizedKeys, SshError>>,
    /// Of the mode and the keys.
    digest: Digest,
}

/// What of a revision must be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GitVerificationMode {
    /// The commit.
    Head,
    /// The tag.
    Tag,
    /// The tag and the commit.
    TagAndHead,
}

impl GitVerificationMode {
    /// Its name in specs and statuses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Head => "HEAD",
            Self::Tag => "Tag",
            Self::TagAndHead => "TagAndHEAD",
        }
    }
}

/// What of a revision can be signed.
pub(crate) struct Signable<'a> {
    /// The commit's id, as 40 hex digits.
    pub(crate) commit: &'a str,
    pub(crate) content: &'a [u8],
    /// The tag that is followed, if one is.
    pub(crate) tag: Option<SignableTag<'a>>,
}

/// A tag that is followed.
pub(crate) struct SignableTag<'a> {
    /// Its name, without `refs/tags/`.
    pub(crate) name: &'a str,
    /// The id and content of its own object; `None` for a tag that only names a commit.
    pub(crate) object: Option<(String, Vec<u8>)>,
}

/// Why a revision is not signed as it has to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GitVerificationError {
    /// A tag must be signed, and none is followed. Only an edit helps.
    #[error("cannot verify tag object's signature if a tag reference is not specified")]
    NoTag,
    /// The tag has no signature.
    #[error("cannot verify signature of tag '{0}' since it is not signed")]
    TagNotSigned(String),
    /// The tag's signature does not count.
    #[error("signature verification of tag '{tag}' failed")]
    Tag {
        /// The tag, with the id of its object.
        tag: String,
        /// Why not.
        source: SignatureError,
    },
    /// The commit's signature does not count.
    #[error("signature verification of commit '{commit}' failed")]
    Commit {
        /// The commit's id.
        commit: String,
        /// Why not.
        source: SignatureError,
    },
}

/// Why the signature of an object does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is none, or none of a kind that can be verified.
    #[error("unsupported signature type: {0}")]
    Unsupported(SignatureKind),
    /// There are no keys of the signature's kind.
    #[error("the signature is of type {0}, and the secret holds no key of that type")]
    NoKeys(SignatureKind),
    /// The signature is longer than any that is read.
    #[error("the signature is longer than {SIGNATURE_LIMIT_BYTES} bytes")]
    TooLong,
    /// The tag is one of another name.
    #[error("the tag object is that of '{}'", .0.escape_debug())]
    OtherTag(String),
    /// The OpenPGP signature does not count.
    #[error("unable to verify Git {object}")]
    OpenPgp {
        /// `commit` or `tag`.
        object: &'static str,
        /// Why not.
        source: PgpError,
    },
    /// The SSH signature does not count.
    #[error("unable to verify Git {object} SSH signature")]
    Ssh {
        /// `commit` or `tag`.
        object: &'static str,
        /// Why not.
        source: SshError,
    },
}

impl SourceError for GitVerificationError {
    fn condition(&self) -> &'static str {
        SOURCE_VERIFIED
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NoTag => reason::INVALID_VERIFICATION_MODE,
            Self::TagNotSigned(_) => reason::INVALID_GIT_OBJECT,
            Self::Tag { .. } => reason::INVALID_TAG_SIGNATURE,
            Self::Commit { .. } => reason::INVALID_COMMIT_SIGNATURE,
        }
    }

    fn is_terminal(&self) -> bool {
        match self {
            Self::NoTag => true,
            Self::TagNotSigned(_) | Self::Tag { .. } | Self::Commit { .. } => false,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoTag => "follow a tag in `spec.ref`, or set `spec.verify.mode` to `HEAD`",
            Self::TagNotSigned(_) => "sign the tag with `git tag -s`",
            Self::Tag { source, .. } | Self::Commit { source, .. } => return source.hint().map(str::to_owned),
        };
        Some(hint.to_owned())
    }
}

impl SignatureError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unsupported(SignatureKind::Empty) => Some("sign it with `git commit -S` or `git tag -s`"),
            Self::NoKeys(SignatureKind::Ssh) => Some("add the signer's key under a name that ends in `.sshpub`"),
            Self::NoKeys(_) => Some("add the signer's key under a name that ends in `.asc`"),
            Self::Unsupported(_) | Self::TooLong | Self::OtherTag(_) | Self::OpenPgp { .. } | Self::Ssh { .. } => None,
        }
    }
}

/// What a signature is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureKind {
    /// An OpenPGP signature.
    OpenPgp,
    /// An SSH signature.
    Ssh,
    /// A signature by the key of a certificate.
    X509,
    /// There is none.
    Empty,
    /// Something else.
    Unknown,
}

impl SignatureKind {
    fn of(signature: &str) -> Self {
        let signature = signature.trim_start();
        let marks = [
            ("-----BEGIN PGP SIGNATURE-----", Self::OpenPgp),
            ("-----BEGIN SSH SIGNATURE-----", Self::Ssh),
            ("-----BEGIN SIGNED MESSAGE-----", Self::X509),
        ];
        let none = if signature.is_empty() { Self::Empty } else { Self::Unknown };
        marks.iter().find(|(mark, _)| signature.starts_with(mark)).map_or(none, |(_, kind)| *kind)
    }
}

impl fmt::Display for SignatureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenPgp => "openpgp",
            Self::Ssh => "ssh",
            Self::X509 => "x509",
            Self::Empty => "empty",
            Self::Unknown => "unknown",
        })
    }
}

/// Longest signature that is read.
const SIGNATURE_LIMIT_BYTES: usize = 64 << 10;

/// How the names of lists of SSH keys end in a Secret.
const SSH_ENDING: &str = ".sshpub";

impl GitVerification {
    /// Demands what `mode` says of those whose keys are in `data`.
    pub fn new(mode: GitVerificationMode, data: &SecretData) -> Self {
        let (lists, rings): (Vec<_>, Vec<_>) = data.iter().partition(|(key, _)| key.ends_with(SSH_ENDING));
        let list = |content: &[u8]| AuthorizedKeys::parse(&String::from_utf8_lossy(content));
        let parts = data.iter().flat_map(|(key, value)| [key.as_bytes(), value.expose_secret()]);
        Self {
            mode,
            rings: rings.into_iter().map(|(_, value)| KeyRing::parse(value.expose_secret())).collect(),
            lists: lists.into_iter().map(|(_, value)| list(value.expose_secret())).collect(),
            digest: Digest::of_parts([mode.as_str().as_bytes()].into_iter().chain(parts)),
        }
    }

    /// A digest of what is demanded and of whom. Public keys are all that is in it.
    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    /// Verifies a revision.
    pub(crate) fn verify(&self, revision: &Signable<'_>, now: Timestamp) -> Result<Verified, GitVerificationError> {
        let signed = match self.mode {
            GitVerificationMode::Head => vec![self.commit(revision, now)?],
            GitVerificationMode::Tag => vec![self.tag(revision, now)?],
            GitVerificationMode::TagAndHead => vec![self.tag(revision, now)?, self.commit(revision, now)?],
        };
        Ok(Verified { against: self.digest, message: Some(format!("verified signature of{}", signed.concat())) })
    }

    fn commit(&self, revision: &Signable<'_>, now: Timestamp) -> Result<String, GitVerificationError> {
        let commit = revision.commit.to_owned();
        match self.signer("commit", &SignedObject::commit(revision.content), now) {
            Ok(key) => Ok(format!("\n\t- commit '{commit}' with key '{key}'")),
            Err(source) => Err(GitVerificationError::Commit { commit, source }),
        }
    }

    fn tag(&self, revision: &Signable<'_>, now: Timestamp) -> Result<String, GitVerificationError> {
        let SignableTag { name, object } = revision.tag.as_ref().ok_or(GitVerificationError::NoTag)?;
        let Some((id, content)) = object else { return Err(GitVerificationError::TagNotSigned((*name).to_owned())) };
        let tag = format!("{name}@{id}");
        let signed = SignedObject::tag(content);
        if signed.signature.is_empty() {
            return Err(GitVerificationError::TagNotSigned(tag));
        }
        let own_name = tag_name(content).unwrap_or_default();
        let signer = self.signer("tag", &signed, now).and_then(|key| {
            if own_name == *name { Ok(key) } else { Err(SignatureError::OtherTag(own_name.to_owned())) }
        });
        match signer {
            Ok(key) => Ok(format!("\n\t- tag '{tag}' with key '{key}'")),
            Err(source) => Err(GitVerificationError::Tag { tag, source }),
        }
    }

    /// The name of the key that signed `signed`, which is an `object`.
    fn signer(&self, object: &'static str, signed: &SignedObject, now: Timestamp) -> Result<String, SignatureError> {
        let SignedObject { signature, payload } = signed;
        if signature.len() > SIGNATURE_LIMIT_BYTES {
            return Err(SignatureError::TooLong);
        }
        match SignatureKind::of(signature) {
            kind @ SignatureKind::OpenPgp if self.rings.is_empty() => Err(SignatureError::NoKeys(kind)),
            SignatureKind::OpenPgp => openpgp::verify(signature.trim(), payload, &self.rings, now)
                .map_err(|source| SignatureError::OpenPgp { object, source }),
            kind @ SignatureKind::Ssh if self.lists.is_empty() => Err(SignatureError::NoKeys(kind)),
            SignatureKind::Ssh => {
                ssh::verify(signature, payload, &self.lists).map_err(|source| SignatureError::Ssh { object, source })
            }
            kind @ (SignatureKind::X509 | SignatureKind::Empty | SignatureKind::Unknown) => {
                Err(SignatureError::Unsupported(kind))
            }
        }
    }
}
