//! Who asks a registry: the pull Secrets, and which of their entries is for which repository.
//!
//! # Follows Flux
//! Entries are matched as Docker and the kubelet match them: the host must be equal, with `*` within one of its labels, the
//! port too, and a path in the entry must be the beginning of the repository's. The most specific entry counts.
//! # Differs from Flux
//! A path matches whole parts only: an entry for `host/team` is not for `host/team-b`. Helpers (`credHelpers`) are programs
//! and are not started.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use fairlead_object::Digest;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::url::{OciUrl, canonical_host};
use crate::{
    deadline::Deadline,
    helm::{HelmAuthError, login},
    identity::{CloudIdentity, IdentityError, RegistryLogin},
    ignore::Glob,
    secret::{SecretData, SecretError, basic, fingerprint, header, keyed_digest, text},
    transport::Encryption,
};

/// The credentials for registries, readable. Nothing of them can be printed.
#[derive(Clone)]
pub struct OciAuth {
    /// The most specific first.
    entries: Arc<[Entry]>,
    /// Whose login counts in place of the entries.
    cloud: Option<CloudIdentity>,
    fingerprint: Digest,
}

struct Entry {
    pattern: Pattern,
    credentials: Credentials,
}

/// What an entry is for.
struct Pattern {
    /// How it is written, without what does not count.
    written: String,
    labels: Vec<Glob>,
    port: Option<String>,
    path: String,
}

/// How to log in to a registry.
pub(super) enum Credentials {
    /// A value for `Authorization`, made of a user and a password.
    Basic(SecretString),
    /// A token that is given for other tokens.
    Identity(SecretString),
    /// A value for `Authorization` that the registry takes as it is.
    Bearer(SecretString),
}

const JSON_KEY: &str = ".dockerconfigjson";
const LEGACY_KEY: &str = ".dockercfg";
const NO_CONFIG: &str = "is not a Docker configuration";

impl OciAuth {
    /// No credentials: public repositories only.
    pub fn anonymous() -> Self {
        Self { entries: Arc::default(), cloud: None, fingerprint: keyed_digest([]) }
    }

    /// The identity of this process, for the registries of its cloud.
    pub fn of_cloud(identity: CloudIdentity) -> Self {
        let fingerprint = identity.fingerprint();
        Self { entries: Arc::default(), cloud: Some(identity), fingerprint }
    }

    /// The same, with the login that the cloud gives for the repository at `url`.
    ///
    /// # Errors
    /// If it gives none, or the registry is not its own.
    pub(super) fn logged_in(
        &self,
        url: &OciUrl,
        encryption: Encryption,
        deadline: &Deadline,
    ) -> Result<Self, IdentityError> {
        let Some(cloud) = &self.cloud else { return Ok(self.clone()) };
        let registry = url.registry();
        cloud.check_host(split_host(registry).0, encryption == Encryption::Tls)?;
        let credentials = match cloud.registry_login(registry, deadline)? {
            RegistryLogin::Basic(login) => Credentials::Basic(login),
            RegistryLogin::Refresh(token) => Credentials::Identity(token),
        };
        let entry = Pattern::parse(registry).map(|pattern| Entry { pattern, credentials });
        Ok(Self { entries: entry.into_iter().collect(), ..self.clone() })
    }

    /// Reads the data of pull Secrets (`kubernetes.io/dockerconfigjson` or `kubernetes.io/dockercfg`). Where entries of
    /// several are equally specific, the earlier Secret counts.
    pub fn from_pull_secrets<'a>(secrets: impl IntoIterator<Item = &'a SecretData>) -> Result<Self, SecretError> {
        let (mut entries, mut digests) = (Vec::new(), Vec::new());
        for data in secrets {
            entries.extend(read(data)?);
            digests.push(fingerprint(data).hex());
        }
        entries.sort_by(|a: &Entry, b: &Entry| b.pattern.written.cmp(&a.pattern.written));
        let fingerprint = keyed_digest(digests.iter().map(String::as_bytes));
        Ok(Self { entries: entries.into(), cloud: None, fingerprint })
    }

    /// Reads the Secret of a Helm repository in a registry: a pull Secret, or the `username` and `password` of the registry
    /// that `url` is in.
    pub fn from_login(url: &OciUrl, data: &SecretData) -> Result<Self, HelmAuthError> {
        if [JSON_KEY, LEGACY_KEY].iter().any(|key| data.contains_key(*key)) {
            return Ok(Self::from_pull_secrets([data])?);
        }
        let entry =
            |login| Some(Entry { pattern: Pattern::parse(url.registry())?, credentials: Credentials::Basic(login) });
        let entries: Vec<Entry> = login(data)?.and_then(entry).into_iter().collect();
        Ok(Self { entries: entries.into(), cloud: None, fingerprint: fingerprint(data) })
    }

    /// A digest that is equal for equal credentials in this process, and tells nothing about them.
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    /// The credentials for the repository at `url`.
    pub(super) fn credentials(&self, url: &OciUrl) -> Option<&Credentials> {
        self.entries.iter().find(|entry| entry.pattern.covers(url)).map(|entry| &entry.credentials)
    }
}

impl Pattern {
    /// Reads the name of an entry, which may be a URL; `None` for one that no repository matches.
    fn parse(name: &str) -> Option<Self> {
        let name = name.strip_prefix("https://").or_else(|| name.strip_prefix("http://")).unwrap_or(name);
        let (host, path) = name.split_once('/').unwrap_or((name, ""));
        let path = match path.split_once('/') {
            Some(("v1" | "v2", path)) => path,
            None if matches!(path, "v1" | "v2") => "",
            _ => path,
        };
        let path = path.trim_matches('/').to_owned();
        let host = canonical_host(host);
        let (labels, port) = split_host(&host);
        let labels = labels.split('.').map(Glob::parse).collect::<Option<_>>()?;
        Some(Self { written: format!("{host}/{path}"), labels, port: port.map(str::to_owned), path })
    }

    fn covers(&self, url: &OciUrl) -> bool {
        let (host, port) = split_host(url.registry());
        let labels: Vec<&str> = host.split('.').collect();
        let is_host = labels.len() == self.labels.len()
            && self.labels.iter().zip(&labels).all(|(glob, label)| glob.matches(label));
        let is_below = self.path.is_empty()
            || url.repository().strip_prefix(&self.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        is_host && self.port.as_deref() == port && is_below
    }
}

/// Splits the port off; an IPv6 address keeps its brackets.
fn split_host(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    }
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    auths: BTreeMap<String, Login>,
}

/// One entry of a Docker configuration.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Login {
    username: String,
    password: String,
    auth: String,
    identitytoken: String,
    registrytoken: String,
}

fn read(data: &SecretData) -> Result<Vec<Entry>, SecretError> {
    let (key, auths) = match (text(data, JSON_KEY)?, text(data, LEGACY_KEY)?) {
        (Some(json), _) => (JSON_KEY, serde_json::from_str(json.expose_secret()).map(|config: Config| config.auths)),
        (None, Some(json)) => (LEGACY_KEY, serde_json::from_str(json.expose_secret())),
        (None, None) => return Err(SecretError::Missing(JSON_KEY)),
    };
    let auths = auths.map_err(|_| SecretError::Malformed { key, problem: NO_CONFIG })?;
    let mut entries = Vec::new();
    for (name, login) in auths {
        let (Some(pattern), Some(credentials)) = (Pattern::parse(&name), login.credentials(key)?) else { continue };
        entries.push(Entry { pattern, credentials });
    }
    Ok(entries)
}

impl Login {
    /// What logs in; `None` if nothing is written.
    fn credentials(self, key: &'static str) -> Result<Option<Credentials>, SecretError> {
        if !self.registrytoken.is_empty() {
            return Ok(Some(Credentials::Bearer(header(key, format!("Bearer {}", self.registrytoken))?)));
        }
        if !self.identitytoken.is_empty() {
            return Ok(Some(Credentials::Identity(self.identitytoken.into())));
        }
        let (username, password) = match self.auth.as_str() {
            "" => (self.username, self.password),
            auth => decode(auth).ok_or(SecretError::Malformed {
                key,
                problem: "has an 'auth' that is not base64 of `user:password`",
            })?,
        };
        // Some registries write their tokens this way.
        if username == "<token>" {
            return Ok(Some(Credentials::Identity(password.into())));
        }
        let is_empty = username.is_empty() && password.is_empty();
        Ok((!is_empty).then(|| Credentials::Basic(basic(&username.into(), Some(&password.into())))))
    }
}

fn decode(auth: &str) -> Option<(String, String)> {
    let decoded = BASE64_STANDARD.decode(auth.trim()).ok()?;
    let pair = String::from_utf8(decoded).ok()?;
    let (username, password) = pair.split_once(':')?;
    Some((username.to_owned(), password.trim_end_matches('\0').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::tests::data;

    /// What the entry for `url` sends; users are called by their entry.
    fn chosen(auth: &OciAuth, url: &str) -> String {
        match auth.credentials(&OciUrl::parse(url).expect("a URL")) {
            None => "anonymous".to_owned(),
            Some(Credentials::Basic(value)) => {
                let encoded = value.expose_secret().strip_prefix("Basic ").expect("basic");
                String::from_utf8(BASE64_STANDARD.decode(encoded).expect("base64")).expect("text")
            }
            Some(Credentials::Identity(token)) => format!("identity {}", token.expose_secret()),
            Some(Credentials::Bearer(value)) => value.expose_secret().to_owned(),
        }
    }

    fn config(names: &[&str]) -> SecretData {
        let auths: serde_json::Map<_, _> = names
            .iter()
            .map(|name| ((*name).to_owned(), serde_json::json!({ "username": "at", "password": name })))
            .collect();
        data([(JSON_KEY, serde_json::json!({ "auths": auths }).to_string().as_str())])
    }

    #[test]
    fn the_most_specific_entry_for_a_repository_counts() {
        let auth = OciAuth::from_pull_secrets([&config(&[
            "ghcr.io",
            "https://ghcr.io/team",
            "ghcr.io/team/special",
            "*.example.com",
            "localhost:5000",
            "https://index.docker.io/v1/",
            "http://quay.io/v2/org",
            "[",
        ])])
        .expect("readable");
        let rows = [
            ("oci://ghcr.io/other/x", "at:ghcr.io"),
            ("oci://ghcr.io/team/x", "at:https://ghcr.io/team"),
            ("oci://ghcr.io/team-b/x", "at:ghcr.io"),
            ("oci://ghcr.io/team/special/y", "at:ghcr.io/team/special"),
            ("oci://ghcr.io:8443/team/x", "anonymous"),
            ("oci://a.example.com/xy", "at:*.example.com"),
            ("oci://a.b.example.com/xy", "anonymous"),
            ("oci://example.com/xy", "anonymous"),
            ("oci://localhost:5000/xy", "at:localhost:5000"),
            ("oci://localhost:5001/xy", "anonymous"),
            ("oci://podinfo", "at:https://index.docker.io/v1/"),
            ("oci://docker.io/me/podinfo", "at:https://index.docker.io/v1/"),
            ("oci://quay.io/org/x", "at:http://quay.io/v2/org"),
            ("oci://quay.io/else/x", "anonymous"),
        ];
        for (url, expected) in rows {
            assert_eq!(chosen(&auth, url), expected, "{url}");
        }
    }

    #[test]
    fn each_way_to_write_a_login_is_read() {
        let rows = [
            (r#"{"auth":"dXNlcjpwYTpzcw=="}"#, "user:pa:ss"),
            (r#"{"username":"a","password":"b","auth":"dXNlcjp3b3Jk"}"#, "user:word"),
            (r#"{"username":"a","password":"b","email":"c"}"#, "a:b"),
            (r#"{"identitytoken":"t","username":"a"}"#, "identity t"),
            (r#"{"username":"<token>","password":"t"}"#, "identity t"),
            (r#"{"registrytoken":"t"}"#, "Bearer t"),
            ("{}", "anonymous"),
            (r#"{"auth":"?"}"#, "'.dockerconfigjson' has an 'auth' that is not base64 of `user:password`"),
            (r#"{"registrytoken":"a\nb"}"#, "'.dockerconfigjson' holds a byte that cannot stand in a header"),
            ("[", "'.dockerconfigjson' is not a Docker configuration"),
        ];
        for (login, expected) in rows {
            let json = format!(r#"{{"auths":{{"ghcr.io":{login}}}}}"#);
            let outcome = match OciAuth::from_pull_secrets([&data([(JSON_KEY, json.as_str())])]) {
                Ok(auth) => chosen(&auth, "oci://ghcr.io/a/b"),
                Err(error) => error.to_string(),
            };
            assert_eq!(outcome, expected, "{login}");
        }
    }

    #[test]
    fn the_older_form_is_read_and_another_secret_is_refused() {
        let legacy = data([(LEGACY_KEY, r#"{"ghcr.io":{"auth":"dXNlcjp3b3Jk"}}"#)]);
        let auth = OciAuth::from_pull_secrets([&legacy]).expect("readable");
        assert_eq!(chosen(&auth, "oci://ghcr.io/a/b"), "user:word");
        let other = OciAuth::from_pull_secrets([&data([("username", "a")])]).err().expect("unusable");
        assert_eq!(other.to_string(), "key '.dockerconfigjson' is missing");
    }

    #[test]
    fn the_earlier_of_two_equal_entries_counts() {
        let secret =
            |user: &str| data([(JSON_KEY, format!(r#"{{"auths":{{"ghcr.io":{{"username":"{user}"}}}}}}"#).as_str())]);
        let auth = OciAuth::from_pull_secrets([&secret("first"), &secret("second")]).expect("readable");
        assert_eq!(chosen(&auth, "oci://ghcr.io/a/b"), "first:");
    }
}
