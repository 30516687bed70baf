//! SSH signatures over Git's objects, by those whom lists in the form of `authorized_keys` name.

use russh::keys::{
    HashAlg, PublicKey,
    ssh_key::{SshSig, authorized_keys::Entry},
};

/// What a signature has to be made for.
const NAMESPACE: &str = "git";

/// Why an SSH signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SshError {
    /// The signature cannot be read.
    #[error("unable to unarmor SSH signature: {0}")]
    Malformed(String),
    /// No list of keys can be read.
    #[error("unable to parse authorized keys: line {line}: {problem}")]
    Keys {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// Nobody who is trusted has made it.
    #[error("unable to verify payload with any of the given authorized keys: no matching key")]
    NoMatchingKey,
    /// It was made for something else than Git.
    #[error(
        "unable to verify payload with any of the given authorized keys: the signature is for `{}` and not for `git`",
        .0.escape_debug()
    )]
    Namespace(String),
}

/// Those who may sign.
#[derive(Clone)]
pub(super) struct AuthorizedKeys(Vec<PublicKey>);

impl AuthorizedKeys {
    /// Reads a list: a key a line, with or without options before it. One line that is not a key makes all of it unusable.
    pub(super) fn parse(text: &str) -> Result<Self, SshError> {
        let lines = text.lines().map(str::trim).enumerate();
        let keys = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).map(|(at, line)| {
            let entry: Result<Entry, _> = line.parse();
            entry.map(PublicKey::from).map_err(|error| SshError::Keys { line: at + 1, problem: error.to_string() })
        });
        Ok(Self(keys.collect::<Result<_, _>>()?))
    }
}

/// The fingerprint of the key of `lists` that signed `payload`.
pub(super) fn verify(
    signature: &str,
    payload: &[u8],
    lists: &[Result<AuthorizedKeys, SshError>],
) -> Result<String, SshError> {
    let signature = SshSig::from_pem(signature.trim_ascii()).map_err(|error| SshError::Malformed(error.to_string()))?;
    if signature.namespace() != NAMESPACE {
        return Err(SshError::Namespace(signature.namespace().to_owned()));
    }
    let signer = lists
        .iter()
        .flatten()
        .flat_map(|AuthorizedKeys(keys)| keys)
        .find(|key| key.verify(NAMESPACE, payload, &signature).is_ok());
    match (signer, lists.iter().find_map(|list| list.as_ref().err())) {
        (Some(key), _) => Ok(key.fingerprint(HashAlg::Sha256).to_string()),
        (None, Some(unread)) if lists.iter().all(Result::is_err) => Err(unread.clone()),
        (None, _) => Err(SshError::NoMatchingKey),
    }
}
