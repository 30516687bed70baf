//! The data of Secrets: how values are read, and how they are compared without being shown.

use std::{collections::BTreeMap, sync::LazyLock};

use base64::{Engine, prelude::BASE64_STANDARD};
use fairlead_object::Digest;
use ring::{hmac, rand::SystemRandom};
use secrecy::{ExposeSecret, SecretSlice, SecretString};

/// The data of a Secret.
pub type SecretData = BTreeMap<String, SecretSlice<u8>>;

/// Why the data of a Secret cannot be used. No text repeats any of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// A key that cannot be left out is not there.
    #[error("key '{0}' is missing")]
    Missing(&'static str),
    /// A value is not what its key says.
    #[error("'{key}' {problem}")]
    Malformed {
        /// The key of the Secret.
        key: &'static str,
        /// What is wrong with its value.
        problem: &'static str,
    },
    /// A certificate without its key, or the other way round.
    #[error("'tls.crt' and 'tls.key' must be set together")]
    HalfCertificate,
    /// A Secret for TLS that says nothing about TLS.
    #[error("it must contain either 'ca.crt' or both 'tls.crt' and 'tls.key'")]
    NoCertificate,
}

/// The value of `key` as text.
pub(crate) fn text(data: &SecretData, key: &'static str) -> Result<Option<SecretString>, SecretError> {
    let Some(bytes) = data.get(key) else { return Ok(None) };
    let text = std::str::from_utf8(bytes.expose_secret())
        .map_err(|_| SecretError::Malformed { key, problem: "is not UTF-8 text" })?;
    Ok(Some(SecretString::from(text.to_owned())))
}

/// The value of `key` as text, without the line break that many tools leave at its end.
pub(crate) fn line(data: &SecretData, key: &'static str) -> Result<Option<SecretString>, SecretError> {
    let without_break = |text: SecretString| SecretString::from(text.expose_secret().trim_end_matches(['\r', '\n']));
    Ok(text(data, key)?.map(without_break))
}

/// The value of a header, or an error about `key` if it would end the header.
pub(crate) fn header(key: &'static str, value: String) -> Result<SecretString, SecretError> {
    let value = SecretString::from(value);
    if value.expose_secret().bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return Ok(value);
    }
    Err(SecretError::Malformed { key, problem: "holds a byte that cannot stand in a header" })
}

/// The value of an `Authorization` header for a user and a password.
pub(crate) fn basic(username: &SecretString, password: Option<&SecretString>) -> SecretString {
    let password = password.map_or("", ExposeSecret::expose_secret);
    let pair = SecretString::from(format!("{}:{password}", username.expose_secret()));
    SecretString::from(format!("Basic {}", BASE64_STANDARD.encode(pair.expose_secret())))
}

/// A digest that is equal for equal data in this process, and tells nothing about it.
pub(crate) fn fingerprint(data: &SecretData) -> Digest {
    keyed_digest(data.iter().flat_map(|(key, value)| [key.as_bytes(), value.expose_secret()]))
}

/// A digest of `parts` that nobody outside this process can compute, so that it cannot be used to guess them.
pub(crate) fn keyed_digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Digest {
    static KEY: LazyLock<hmac::Key> = LazyLock::new(|| {
        hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).expect("the operating system gives random bytes")
    });
    let tag = hmac::sign(&KEY, Digest::of_parts(parts).hex().as_bytes());
    Digest::from_bytes(tag.as_ref().try_into().expect("HMAC-SHA256 has 32 bytes"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn data<const N: usize>(entries: [(&str, &str); N]) -> SecretData {
        entries.into_iter().map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec().into())).collect()
    }

    #[test]
    fn a_line_break_at_the_end_is_not_part_of_a_line() {
        let data = data([("password", "a \r\n\n")]);
        let exposed = |value: Option<SecretString>| value.map(|value| value.expose_secret().to_owned());
        assert_eq!(exposed(line(&data, "password").expect("text")).as_deref(), Some("a "));
        assert_eq!(exposed(text(&data, "password").expect("text")).as_deref(), Some("a \r\n\n"));
        assert_eq!(exposed(line(&data, "username").expect("absent")), None);
    }
}
