//! What proves to a Git server who asks, and to us that it is the right server.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use fairlead_object::Digest;
use ring::{hmac, rand::SystemRandom};
use russh::keys::{PrivateKey, decode_secret_key, ssh_key::Kdf};
use rustls::{
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use super::{
    known_hosts::{KnownHosts, KnownHostsError},
    url::GitUrl,
};

/// The data of a Secret.
pub type SecretData = BTreeMap<String, SecretSlice<u8>>;

/// The credentials for one repository, complete and readable. Nothing of them can be printed.
#[derive(Clone)]
pub enum GitAuth {
    /// None: a public repository over HTTP.
    Anonymous,
    /// For `http` and `https`.
    Http(Arc<HttpCredentials>),
    /// For `ssh`.
    Ssh(Arc<SshCredentials>),
}

/// Credentials and trust for HTTP.
pub struct HttpCredentials {
    pub(super) authorization: Option<SecretString>,
    pub(super) authorities: Vec<CertificateDer<'static>>,
    pub(super) client: Option<ClientCertificate>,
    fingerprint: Digest,
}

/// A certificate and its key, in PEM.
pub(super) struct ClientCertificate {
    pub(super) certificate: SecretSlice<u8>,
    pub(super) key: SecretSlice<u8>,
}

/// A key and the keys of the servers that it may be shown to.
pub struct SshCredentials {
    pub(super) key: Arc<PrivateKey>,
    pub(super) known_hosts: KnownHosts,
    fingerprint: Digest,
}

/// Why a Secret's data does not make credentials. No text repeats any of it.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// A key that cannot be left out is not there.
    #[error("invalid '{transport}' auth option: '{key}' is required")]
    Missing {
        /// The URL's scheme.
        transport: &'static str,
        /// The key of the Secret.
        key: &'static str,
    },
    /// A password without a user.
    #[error("invalid '{0}' auth option: 'password' requires 'username' to be set")]
    PasswordAlone(&'static str),
    /// Both ways to authenticate at once.
    #[error("basic auth and bearer token cannot be set at the same time")]
    BasicAndBearer,
    /// A value is not what its key says.
    #[error("'{key}' {problem}")]
    Malformed {
        /// The key of the Secret.
        key: &'static str,
        /// What is wrong with its value.
        problem: &'static str,
    },
    /// The private key has a passphrase.
    #[error("'identity' is encrypted, and there is no 'password' to decrypt it with")]
    PassphraseMissing,
    /// The private key has another passphrase.
    #[error("'identity' cannot be decrypted with 'password'")]
    PassphraseWrong,
    /// A certificate without its key, or the other way round.
    #[error("'tls.crt' and 'tls.key' must be set together")]
    HalfCertificate,
    /// The known hosts cannot be read.
    #[error("'known_hosts' cannot be read")]
    KnownHosts(#[source] KnownHostsError),
}

impl CredentialError {
    pub(super) fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { key: "known_hosts", .. } => {
                Some("write the output of `ssh-keyscan <host>` to `known_hosts` in the Secret".to_owned())
            }
            Self::Missing { transport: "ssh", .. } => {
                Some("name a Secret with `identity` and `known_hosts` in `spec.secretRef`".to_owned())
            }
            Self::Missing { .. }
            | Self::PasswordAlone(_)
            | Self::BasicAndBearer
            | Self::Malformed { .. }
            | Self::PassphraseMissing
            | Self::PassphraseWrong
            | Self::HalfCertificate
            | Self::KnownHosts(_) => None,
        }
    }
}

impl GitAuth {
    /// Reads the data of the Secret that `spec.secretRef` names: `username` and `password` or `bearerToken`, `ca.crt`
    /// (or `caFile`), `tls.crt` and `tls.key` for HTTP; `identity`, `known_hosts` and the key's `password` for SSH.
    ///
    /// A key with a passphrase is decrypted here, which takes about a tenth of a second.
    pub fn from_secret(url: &GitUrl, data: &SecretData) -> Result<Self, CredentialError> {
        if url.is_ssh() {
            return SshCredentials::read(data).map(Arc::new).map(Self::Ssh);
        }
        HttpCredentials::read(url, data).map(Arc::new).map(Self::Http)
    }

    /// A digest that is equal for equal credentials in this process, and tells nothing about them.
    pub fn fingerprint(&self) -> Digest {
        match self {
            Self::Anonymous => keyed_digest([]),
            Self::Http(credentials) => credentials.fingerprint,
            Self::Ssh(credentials) => credentials.fingerprint,
        }
    }
}

impl HttpCredentials {
    fn read(url: &GitUrl, data: &SecretData) -> Result<Self, CredentialError> {
        Ok(Self {
            authorization: authorization(url, data)?,
            authorities: authorities(data)?,
            client: ClientCertificate::read(data)?,
            fingerprint: fingerprint_of(data),
        })
    }
}

impl SshCredentials {
    fn read(data: &SecretData) -> Result<Self, CredentialError> {
        let required = |key| text(data, key)?.ok_or(CredentialError::Missing { transport: "ssh", key });
        let identity = required("identity")?;
        let known_hosts = required("known_hosts")?;
        let password = text(data, "password")?;
        let key = private_key(&identity, password.as_ref())?;
        let known_hosts = KnownHosts::parse(known_hosts.expose_secret()).map_err(CredentialError::KnownHosts)?;
        if known_hosts.is_empty() {
            return Err(CredentialError::Missing { transport: "ssh", key: "known_hosts" });
        }
        Ok(Self { key: Arc::new(key), known_hosts, fingerprint: fingerprint_of(data) })
    }
}

impl ClientCertificate {
    fn read(data: &SecretData) -> Result<Option<Self>, CredentialError> {
        let (certificate, key) = match (data.get("tls.crt"), data.get("tls.key")) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
            _ => return Err(CredentialError::HalfCertificate),
        };
        let chain = certificates("tls.crt", &certificate)?;
        let private = PrivateKeyDer::from_pem_slice(key.expose_secret())
            .map_err(|_| CredentialError::Malformed { key: "tls.key", problem: "holds no private key in PEM" })?;
        CertifiedKey::from_der(chain, private, &default_provider())
            .map_err(|_| CredentialError::Malformed { key: "tls.key", problem: "is not the key of 'tls.crt'" })?;
        Ok(Some(Self { certificate, key }))
    }
}

/// The `Authorization` header. A bearer token wins over user and password in the Secret, even an empty one.
pub(super) fn authorization(url: &GitUrl, data: &SecretData) -> Result<Option<SecretString>, CredentialError> {
    if let Some(token) = text(data, "bearerToken")? {
        if url.username().is_some() {
            return Err(CredentialError::BasicAndBearer);
        }
        return header("bearerToken", format!("Bearer {}", token.expose_secret())).map(Some);
    }
    let username = text(data, "username")?.or_else(|| url.username().cloned());
    let password = text(data, "password")?.or_else(|| url.password().cloned());
    match (username, password) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(CredentialError::PasswordAlone(url.scheme_name())),
        (Some(username), password) => {
            let password = password.as_ref().map_or("", ExposeSecret::expose_secret);
            let pair = SecretString::from(format!("{}:{password}", username.expose_secret()));
            header("username", format!("Basic {}", BASE64_STANDARD.encode(pair.expose_secret()))).map(Some)
        }
    }
}

/// A header's value, or an error if it would end the header.
fn header(key: &'static str, value: String) -> Result<SecretString, CredentialError> {
    let value = SecretString::from(value);
    if value.expose_secret().bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return Ok(value);
    }
    Err(CredentialError::Malformed { key, problem: "holds a byte that cannot stand in a header" })
}

fn authorities(data: &SecretData) -> Result<Vec<CertificateDer<'static>>, CredentialError> {
    match (data.get("ca.crt"), data.get("caFile")) {
        (Some(pem), _) => certificates("ca.crt", pem),
        (None, Some(pem)) => certificates("caFile", pem),
        (None, None) => Ok(Vec::new()),
    }
}

/// The certificates in `pem`; at least one.
fn certificates(key: &'static str, pem: &SecretSlice<u8>) -> Result<Vec<CertificateDer<'static>>, CredentialError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.expose_secret()).collect();
    found
        .ok()
        .filter(|found| !found.is_empty())
        .ok_or(CredentialError::Malformed { key, problem: "holds no certificate in PEM" })
}

/// Most rounds that a passphrase may take. `ssh-keygen` asks for 24; each round costs some milliseconds.
const PASSPHRASE_ROUNDS_LIMIT: u32 = 100;

/// Reads a private key. Of the formats with a passphrase those are supported that Flux supports: OpenSSH's own, and PEM
/// with `DEK-Info`. The others name how much work and memory their passphrase takes, without limit.
pub(super) fn private_key(
    identity: &SecretString,
    password: Option<&SecretString>,
) -> Result<PrivateKey, CredentialError> {
    let text = identity.expose_secret();
    if text.contains(OPENSSH_BEGINNING) {
        return openssh_key(text, password);
    }
    if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("PuTTY-User-Key-File") {
        return Err(unreadable("is in a format that is not supported: `ssh-keygen -p -f <file>` converts it"));
    }
    decode_secret_key(text, password.map(ExposeSecret::expose_secret)).map_err(|error| match error {
        russh::keys::Error::KeyIsEncrypted => CredentialError::PassphraseMissing,
        _ => unreadable(NO_KEY),
    })
}

const OPENSSH_BEGINNING: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const OPENSSH_END: &str = "-----END OPENSSH PRIVATE KEY-----";
const NO_KEY: &str = "holds no private key that can be read";

/// Reads a key in OpenSSH's own format, however its lines are broken and indented.
fn openssh_key(text: &str, password: Option<&SecretString>) -> Result<PrivateKey, CredentialError> {
    let content = text.split(OPENSSH_BEGINNING).nth(1).and_then(|rest| rest.split(OPENSSH_END).next());
    let content: SecretString = content.unwrap_or_default().split_whitespace().collect::<String>().into();
    let bytes = BASE64_STANDARD.decode(content.expose_secret()).map_err(|_| unreadable(NO_KEY))?;
    let key = PrivateKey::from_bytes(SecretSlice::from(bytes).expose_secret()).map_err(|_| unreadable(NO_KEY))?;
    match (key.kdf(), password) {
        (Kdf::None, _) => Ok(key),
        (Kdf::Bcrypt { rounds, .. }, _) if *rounds > PASSPHRASE_ROUNDS_LIMIT => {
            Err(unreadable("takes too many rounds to decrypt: `ssh-keygen -p -a 24 -f <file>` makes them fewer"))
        }
        (_, None) => Err(CredentialError::PassphraseMissing),
        (_, Some(password)) => key.decrypt(password.expose_secret()).map_err(|_| CredentialError::PassphraseWrong),
    }
}

fn unreadable(problem: &'static str) -> CredentialError {
    CredentialError::Malformed { key: "identity", problem }
}

/// The value of `key` as text, without the line break that many tools leave at its end.
fn text(data: &SecretData, key: &'static str) -> Result<Option<SecretString>, CredentialError> {
    let Some(bytes) = data.get(key) else { return Ok(None) };
    let text = std::str::from_utf8(bytes.expose_secret())
        .map_err(|_| CredentialError::Malformed { key, problem: "is not UTF-8 text" })?;
    let is_one_line = !matches!(key, "identity" | "known_hosts");
    let text = if is_one_line { text.trim_end_matches(['\r', '\n']) } else { text };
    Ok(Some(SecretString::from(text.to_owned())))
}

fn fingerprint_of(data: &SecretData) -> Digest {
    keyed_digest(data.iter().flat_map(|(key, value)| [key.as_bytes(), value.expose_secret()]))
}

/// A digest of `parts` that nobody outside this process can compute, so that it cannot be used to guess them.
pub(super) fn keyed_digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Digest {
    static KEY: LazyLock<hmac::Key> = LazyLock::new(|| {
        hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).expect("the operating system gives random bytes")
    });
    let tag = hmac::sign(&KEY, Digest::of_parts(parts).hex().as_bytes());
    Digest::from_bytes(tag.as_ref().try_into().expect("HMAC-SHA256 has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data<const N: usize>(entries: [(&str, &str); N]) -> SecretData {
        entries.into_iter().map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec().into())).collect()
    }

    fn url(text: &str) -> GitUrl {
        GitUrl::parse(text).expect("a URL")
    }

    fn outcome(url_text: &str, data: &SecretData) -> String {
        match GitAuth::from_secret(&url(url_text), data) {
            Ok(GitAuth::Anonymous) => "anonymous".to_owned(),
            Ok(GitAuth::Http(http)) => {
                http.authorization.as_ref().map_or("no header".to_owned(), |value| value.expose_secret().to_owned())
            }
            Ok(GitAuth::Ssh(_)) => "key".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_header_comes_from_the_secret_and_then_from_the_url() {
        let https = "https://example.com/r";
        let rows = [
            (https, data([("username", "a"), ("password", "b")]), "Basic YTpi"),
            (https, data([("username", "a"), ("password", "b\n")]), "Basic YTpi"),
            (https, data([("username", "a")]), "Basic YTo="),
            (https, data([("bearerToken", "t"), ("username", "a"), ("password", "b")]), "Bearer t"),
            (https, data([]), "no header"),
            ("https://a:b@example.com/r", data([]), "Basic YTpi"),
            ("https://a@example.com/r", data([("password", "b")]), "Basic YTpi"),
            (https, data([("password", "b")]), "invalid 'https' auth option: 'password' requires 'username' to be set"),
            (
                "https://a:b@example.com/r",
                data([("bearerToken", "t")]),
                "basic auth and bearer token cannot be set at the same time",
            ),
            (
                https,
                data([("bearerToken", "a\r\nHost: b")]),
                "'bearerToken' holds a byte that cannot stand in a header",
            ),
            (https, data([("ca.crt", "none")]), "'ca.crt' holds no certificate in PEM"),
            (https, data([("tls.crt", "none")]), "'tls.crt' and 'tls.key' must be set together"),
        ];
        for (url, data, expected) in rows {
            assert_eq!(outcome(url, &data), expected, "{url} {:?}", data.keys());
        }
    }

    #[test]
    fn ssh_needs_a_key_and_known_hosts() {
        let ssh = "ssh://git@example.com/r";
        let rows = [
            (data([]), "invalid 'ssh' auth option: 'identity' is required"),
            (data([("identity", "x")]), "invalid 'ssh' auth option: 'known_hosts' is required"),
            (data([("identity", "x"), ("known_hosts", "y")]), "'identity' holds no private key that can be read"),
            (
                data([("identity", "-----BEGIN ENCRYPTED PRIVATE KEY-----"), ("known_hosts", "y"), ("password", "z")]),
                "'identity' is in a format that is not supported: `ssh-keygen -p -f <file>` converts it",
            ),
        ];
        for (data, expected) in rows {
            assert_eq!(outcome(ssh, &data), expected, "{:?}", data.keys());
        }
    }

    #[test]
    fn equal_credentials_have_one_fingerprint_and_others_have_another() {
        let fingerprint = |data: &SecretData| {
            GitAuth::from_secret(&url("https://example.com/r"), data).expect("readable").fingerprint()
        };
        let one = data([("username", "a"), ("password", "b")]);
        assert_eq!(fingerprint(&one), fingerprint(&one.clone()));
        assert_ne!(fingerprint(&one), fingerprint(&data([("username", "a"), ("password", "c")])));
        assert_ne!(fingerprint(&one), GitAuth::Anonymous.fingerprint());
    }
}
