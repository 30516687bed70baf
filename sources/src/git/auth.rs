//! What proves to a Git server who asks, and to us that it is the right server.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use fairlead_object::Digest;
use jiff::Timestamp;
use russh::keys::{PrivateKey, decode_secret_key, ssh_key::Kdf};
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use super::{
    GitUrl,
    app::AppCredentials,
    known_hosts::{KnownHosts, KnownHostsError},
};
use crate::{
    identity::{CloudIdentity, IdentityError},
    secret::{self, SecretData, SecretError, keyed_digest},
    transport::{Proxy, Transport, Trust},
};

/// The credentials for one repository, complete and readable. Nothing of them can be printed.
#[derive(Clone)]
pub enum GitAuth {
    /// None: a public repository over HTTP.
    Anonymous,
    /// For `http` and `https`.
    Http(Arc<HttpCredentials>),
    /// For `ssh`.
    Ssh(Arc<SshCredentials>),
    /// The key of a GitHub App, for `https`.
    App(Arc<AppCredentials>),
    /// The identity of this process at Azure DevOps, for `https`.
    Cloud(Arc<CloudCredentials>),
}

/// The identity of this process, and the way to the server.
pub struct CloudCredentials {
    pub(super) identity: CloudIdentity,
    pub(super) transport: Transport,
}

/// Credentials and trust for HTTP.
pub struct HttpCredentials {
    pub(super) authorization: Option<SecretString>,
    pub(super) transport: Transport,
    fingerprint: Digest,
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
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The private key has a passphrase.
    #[error("'identity' is encrypted, and there is no 'password' to decrypt it with")]
    PassphraseMissing,
    /// The private key has another passphrase.
    #[error("'identity' cannot be decrypted with 'password'")]
    PassphraseWrong,
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
            | Self::Secret(_)
            | Self::PassphraseMissing
            | Self::PassphraseWrong
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

    /// Reads the data of the Secret that `spec.secretRef` names, which holds the key of a GitHub App: `githubAppID`,
    /// `githubAppPrivateKey`, and `githubAppInstallationID` or `githubAppInstallationOwner`. GitHub is asked by way of
    /// `proxy`; `now` is the time.
    pub fn app(data: &SecretData, proxy: &Proxy, now: Timestamp) -> Result<Self, CredentialError> {
        let transport = Transport { trust: Trust::among_others(data)?, proxy: proxy.clone() };
        AppCredentials::read(data, transport, now).map(Arc::new).map(Self::App)
    }

    /// The identity of this process, for a repository at `url` that belongs to its cloud.
    pub fn cloud(url: &GitUrl, identity: CloudIdentity) -> Result<Self, IdentityError> {
        identity.check_host(url.host(), url.scheme_name() == "https")?;
        Ok(Self::Cloud(Arc::new(CloudCredentials { identity, transport: Transport::default() })))
    }

    /// The same credentials, sent by way of `proxy`. SSH does not go through one.
    pub fn through(self, url: &GitUrl, proxy: &Proxy) -> Result<Self, CredentialError> {
        let (authorization, trust, own) = match &self {
            // An app goes the way that it was made with.
            Self::Ssh(_) | Self::App(_) => return Ok(self),
            Self::Cloud(cloud) => {
                let transport = Transport { proxy: proxy.clone(), ..cloud.transport.clone() };
                let identity = cloud.identity.clone();
                return Ok(Self::Cloud(Arc::new(CloudCredentials { identity, transport })));
            }
            Self::Anonymous => (authorization(url, &SecretData::new())?, Trust::default(), keyed_digest([])),
            Self::Http(http) => (http.authorization.clone(), http.transport.trust.clone(), http.fingerprint),
        };
        let transport = Transport { trust, proxy: proxy.clone() };
        let fingerprint = keyed_digest([own.hex().as_bytes(), transport.fingerprint().hex().as_bytes()]);
        Ok(Self::Http(Arc::new(HttpCredentials { authorization, transport, fingerprint })))
    }

    /// A digest that is equal for equal credentials in this process, and tells nothing about them.
    pub fn fingerprint(&self) -> Digest {
        match self {
            Self::Anonymous => keyed_digest([]),
            Self::Http(credentials) => credentials.fingerprint,
            Self::Ssh(credentials) => credentials.fingerprint,
            Self::App(credentials) => credentials.fingerprint,
            Self::Cloud(cloud) => {
                let CloudCredentials { identity, transport } = &**cloud;
                let parts = [identity.fingerprint().hex(), transport.fingerprint().hex()];
                keyed_digest(parts.iter().map(String::as_bytes))
            }
        }
    }
}

impl HttpCredentials {
    fn read(url: &GitUrl, data: &SecretData) -> Result<Self, CredentialError> {
        Ok(Self {
            authorization: authorization(url, data)?,
            transport: Transport { trust: Trust::among_others(data)?, proxy: Proxy::default() },
            fingerprint: secret::fingerprint(data),
        })
    }
}

impl HttpCredentials {
    /// Whom we trust and which way we go, with nothing that says who we are.
    pub(super) fn without_login(&self) -> GitAuth {
        let Transport { trust, proxy } = &self.transport;
        let transport = Transport { trust: trust.without_certificate(), proxy: proxy.clone() };
        GitAuth::Http(Arc::new(Self { authorization: None, transport, fingerprint: self.fingerprint }))
    }
}

impl SshCredentials {
    fn read(data: &SecretData) -> Result<Self, CredentialError> {
        let required = |key| secret::text(data, key)?.ok_or(CredentialError::Missing { transport: "ssh", key });
        let identity = required("identity")?;
        let known_hosts = required("known_hosts")?;
        let password = secret::line(data, "password")?;
        let key = private_key(&identity, password.as_ref())?;
        let known_hosts = KnownHosts::parse(known_hosts.expose_secret()).map_err(CredentialError::KnownHosts)?;
        if known_hosts.is_empty() {
            return Err(CredentialError::Missing { transport: "ssh", key: "known_hosts" });
        }
        Ok(Self { key: Arc::new(key), known_hosts, fingerprint: secret::fingerprint(data) })
    }
}

/// The `Authorization` header. A bearer token wins over user and password in the Secret, even an empty one.
pub(super) fn authorization(url: &GitUrl, data: &SecretData) -> Result<Option<SecretString>, CredentialError> {
    if let Some(token) = secret::line(data, "bearerToken")? {
        if url.username().is_some() {
            return Err(CredentialError::BasicAndBearer);
        }
        return Ok(Some(secret::header("bearerToken", format!("Bearer {}", token.expose_secret()))?));
    }
    let username = secret::line(data, "username")?.or_else(|| url.username().cloned());
    let password = secret::line(data, "password")?.or_else(|| url.password().cloned());
    match (username, password) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(CredentialError::PasswordAlone(url.scheme_name())),
        (Some(username), password) => Ok(Some(secret::basic(&username, password.as_ref()))),
    }
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
    SecretError::Malformed { key: "identity", problem }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::tests::data;

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
            Ok(GitAuth::App(_) | GitAuth::Cloud(_)) => "token".to_owned(),
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

    #[test]
    fn a_proxy_changes_the_fingerprint_and_ssh_takes_none() {
        let proxy = |address: &str| Proxy::from_secret(&data([("address", address)])).expect("a proxy");
        let fingerprint = |auth: GitAuth, proxy: &Proxy| {
            auth.through(&url("https://example.com/r"), proxy).expect("readable").fingerprint()
        };
        let (one, other) = (proxy("http://one:3128"), proxy("http://other:3128"));
        assert_eq!(fingerprint(GitAuth::Anonymous, &one), fingerprint(GitAuth::Anonymous, &one));
        assert_ne!(fingerprint(GitAuth::Anonymous, &one), fingerprint(GitAuth::Anonymous, &other));
        assert_ne!(fingerprint(GitAuth::Anonymous, &one), GitAuth::Anonymous.fingerprint());
    }
}
