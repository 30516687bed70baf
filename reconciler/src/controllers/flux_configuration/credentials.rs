//! From protected settings to the Secret by which a source is read.
//!
//! # Follows Azure Arc
//! The keys of the settings, which of them go with which URL, and a key pair made once for an SSH URL without a key.

use std::collections::BTreeMap;

use fairlead_api::fairlead::{BucketSource, ConfigurationError, GitRepositorySource, ProtectedSettings};
use fairlead_sources::git::{CredentialError, DeployKey};
use secrecy::SecretString;

use super::block::Block;

fn is_ssh(git: &GitRepositorySource) -> bool {
    !git.url.starts_with("http")
}

/// What the Secret of a source holds, by Flux's keys.
pub(super) struct Credentials {
    pub(super) data: BTreeMap<&'static str, SecretString>,
    /// The public half of the key, for an SSH URL.
    pub(super) public_key: Option<String>,
    /// The key was made here, and is kept as long as the configuration has none of its own.
    pub(super) is_generated: bool,
}

impl Credentials {
    /// What was given as it is.
    fn given(data: BTreeMap<&'static str, SecretString>) -> Self {
        Self { data, public_key: None, is_generated: false }
    }
}

/// Why protected settings cannot be used. No text repeats any of their values.
#[derive(Debug, thiserror::Error)]
pub(super) enum SettingsError {
    #[error("Secret {0} of spec.configurationProtectedSettings.secretRef not found")]
    Missing(String),
    #[error("key `{0}` of the protected settings is not one of sshPrivateKey, httpsKey, bucketSecretKey")]
    UnknownKey(String),
    #[error("key `{0}` of the protected settings is not text")]
    NotText(String),
    #[error("key `sshPrivateKey` of the protected settings is for SSH URLs, and spec.gitRepository.url is none")]
    KeyForHttp,
    #[error("key `httpsKey` of the protected settings is for HTTP and HTTPS URLs, and spec.gitRepository.url is none")]
    PasswordForSsh,
    #[error("key `httpsKey` of the protected settings needs spec.gitRepository.httpsUser")]
    PasswordWithoutUser,
    #[error("spec.gitRepository.httpsUser needs the key `httpsKey` in the protected settings")]
    UserWithoutPassword,
    #[error("spec.bucket.accessKey needs the key `bucketSecretKey` in the protected settings")]
    NoBucketSecretKey,
    #[error("{field}: Secret {secret} has no key `{key}`, or no text under it")]
    NotReferred { field: &'static str, secret: String, key: String },
    #[error("key `sshPrivateKey` of the protected settings")]
    Key(#[source] CredentialError),
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
}

/// The protected settings of a configuration.
#[derive(Default)]
#[expect(clippy::struct_field_names, reason = "they are Arc's names")]
pub(super) struct Settings {
    ssh_private_key: Option<SecretString>,
    https_key: Option<SecretString>,
    bucket_secret_key: Option<SecretString>,
}

impl Settings {
    /// Reads the data of the Secret that holds them.
    pub(super) fn read(data: BTreeMap<String, Vec<u8>>) -> Result<Self, SettingsError> {
        let mut settings = Self::default();
        for (key, value) in data {
            let kept = match key.as_str() {
                ProtectedSettings::SSH_PRIVATE_KEY => &mut settings.ssh_private_key,
                ProtectedSettings::HTTPS_KEY => &mut settings.https_key,
                ProtectedSettings::BUCKET_SECRET_KEY => &mut settings.bucket_secret_key,
                _ => return Err(SettingsError::UnknownKey(key)),
            };
            let text = String::from_utf8(value).map_err(|_| SettingsError::NotText(key))?;
            *kept = Some(text.into());
        }
        Ok(settings)
    }
}

/// The credentials for `block`. `referred` is what the keys of Secrets hold that it names, `kept` the key that was
/// generated for it before.
pub(super) fn credentials(
    block: Block<'_>,
    settings: Settings,
    referred: BTreeMap<&'static str, SecretString>,
    kept: Option<SecretString>,
) -> Result<Credentials, SettingsError> {
    match block {
        Block::Git(git) if is_ssh(git) => for_ssh(git, settings, kept),
        Block::Git(git) => for_http(git, settings),
        Block::Bucket(bucket) => for_bucket(bucket, settings),
        Block::AzureBlob(_) | Block::Oci(_) => Ok(Credentials::given(referred)),
    }
}

fn for_bucket(bucket: &BucketSource, settings: Settings) -> Result<Credentials, SettingsError> {
    let mut data = BTreeMap::new();
    if let Some(access_key) = &bucket.access_key {
        data.insert("accesskey", SecretString::from(access_key.as_str()));
        data.insert("secretkey", settings.bucket_secret_key.ok_or(SettingsError::NoBucketSecretKey)?);
    }
    Ok(Credentials::given(data))
}

fn for_http(git: &GitRepositorySource, settings: Settings) -> Result<Credentials, SettingsError> {
    if settings.ssh_private_key.is_some() {
        return Err(SettingsError::KeyForHttp);
    }
    let mut data = BTreeMap::new();
    match (&git.https_user, settings.https_key) {
        (Some(user), Some(password)) => {
            data.insert("username", SecretString::from(user.as_str()));
            data.insert("password", password);
        }
        (Some(_), None) => return Err(SettingsError::UserWithoutPassword),
        (None, Some(_)) => return Err(SettingsError::PasswordWithoutUser),
        (None, None) => {}
    }
    if let Some(authorities) = git.ca_certificate()? {
        data.insert("ca.crt", authorities.into());
    }
    Ok(Credentials::given(data))
}

fn for_ssh(
    git: &GitRepositorySource,
    settings: Settings,
    kept: Option<SecretString>,
) -> Result<Credentials, SettingsError> {
    if settings.https_key.is_some() {
        return Err(SettingsError::PasswordForSsh);
    }
    let is_generated = settings.ssh_private_key.is_none();
    let (private, key) = if let Some(private) = settings.ssh_private_key.or(kept) {
        let key = DeployKey::read(&private).map_err(SettingsError::Key)?;
        (private, key)
    } else {
        let key = DeployKey::generate();
        (key.private(), key)
    };
    let public_key = key.public();
    let mut data = BTreeMap::from([("identity", private), ("identity.pub", public_key.as_str().into())]);
    if let Some(known_hosts) = git.known_hosts()? {
        data.insert("known_hosts", known_hosts.into());
    }
    Ok(Credentials { data, public_key: Some(public_key), is_generated })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::{Value, json};

    use super::*;

    /// The base64 of `example.org ssh-ed25519 AAAA`.
    const KNOWN_HOSTS: &str = "ZXhhbXBsZS5vcmcgc3NoLWVkMjU1MTkgQUFBQQ==";

    fn git(url: &str, mut more: Value) -> GitRepositorySource {
        more["url"] = url.into();
        more["repositoryRef"] = json!({"branch": "main"});
        serde_json::from_value(more).expect("a source")
    }

    fn settings(data: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        Settings::read(data.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec())).collect())
    }

    fn of_git(
        git: &GitRepositorySource,
        settings: Settings,
        kept: Option<SecretString>,
    ) -> Result<Credentials, SettingsError> {
        credentials(Block::Git(git), settings, BTreeMap::new(), kept)
    }

    /// The keys that the Secret has, or the error.
    fn show(git: &GitRepositorySource, data: &[(&str, &str)]) -> String {
        let made = settings(data).and_then(|settings| of_git(git, settings, None));
        made.map_or_else(|error| error.to_string(), |made| made.data.keys().copied().collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn each_url_takes_its_own_settings_and_refuses_those_of_others() {
        let https = |more| git("https://example.org/repo", more);
        let ssh = |more| git("ssh://git@example.org/repo", more);
        let own = DeployKey::generate().private();
        let own = own.expose_secret();
        for (case, git, data, expected) in [
            ("a user", https(json!({"httpsUser": "me"})), vec![("httpsKey", "token")], "password username"),
            (
                "a user without a password",
                https(json!({"httpsUser": "me"})),
                vec![],
                "spec.gitRepository.httpsUser needs the key `httpsKey` in the protected settings",
            ),
            (
                "a password without a user",
                https(json!({})),
                vec![("httpsKey", "token")],
                "key `httpsKey` of the protected settings needs spec.gitRepository.httpsUser",
            ),
            (
                "an SSH key for HTTPS",
                https(json!({})),
                vec![("sshPrivateKey", own)],
                "key `sshPrivateKey` of the protected settings is for SSH URLs, and spec.gitRepository.url is none",
            ),
            (
                "a password for SSH",
                ssh(json!({})),
                vec![("httpsKey", "token")],
                "key `httpsKey` of the protected settings is for HTTP and HTTPS URLs, and spec.gitRepository.url is none",
            ),
            (
                "an SSH key",
                ssh(json!({"sshKnownHosts": KNOWN_HOSTS})),
                vec![("sshPrivateKey", own)],
                "identity identity.pub known_hosts",
            ),
            ("no SSH key", git("git@example.org:repo", json!({})), vec![], "identity identity.pub"),
            (
                "an SSH key that is none",
                ssh(json!({})),
                vec![("sshPrivateKey", "hello")],
                "key `sshPrivateKey` of the protected settings",
            ),
            (
                "a mistyped key",
                ssh(json!({})),
                vec![("sshKey", own)],
                "key `sshKey` of the protected settings is not one of sshPrivateKey, httpsKey, bucketSecretKey",
            ),
        ] {
            assert_eq!(show(&git, &data), expected, "{case}");
        }
    }

    #[test]
    fn a_generated_key_stays_until_the_configuration_has_its_own() {
        let git = git("ssh://git@example.org/repo", json!({}));
        let first = of_git(&git, Settings::default(), None).expect("a key is made");
        let kept = first.data["identity"].clone();
        let again = of_git(&git, Settings::default(), Some(kept.clone())).expect("the key is kept");
        assert!(first.is_generated && again.is_generated);
        assert_eq!(again.public_key, first.public_key);

        let own = DeployKey::generate();
        let settings = settings(&[("sshPrivateKey", own.private().expose_secret())]).expect("settings");
        let given = of_git(&git, settings, Some(kept)).expect("the given key is used");
        assert!(!given.is_generated);
        assert_eq!(given.public_key, Some(own.public()));
    }

    #[test]
    fn a_source_is_read_with_the_secret_that_it_names_or_needs() {
        for (git, own, local) in [
            (git("https://example.org/repo", json!({})), false, None),
            (git("https://example.org/repo", json!({"httpsUser": "me"})), true, None),
            (git("https://example.org/repo", json!({"localAuthRef": "mine"})), false, Some("mine")),
            (git("git@example.org:repo", json!({})), true, None),
            (git("git@example.org:repo", json!({"localAuthRef": "mine"})), false, Some("mine")),
        ] {
            let block = Block::Git(&git);
            let read_with = (block.has_own_secret(), block.local_secret().map(String::as_str));
            assert_eq!(read_with, (own, local), "{}", git.url);
        }
    }

    #[test]
    fn a_bucket_is_read_with_its_access_key_and_the_secret_key_that_belongs_to_it() {
        let bucket: BucketSource = serde_json::from_value(json!({
            "url": "https://s3.example.org", "bucketName": "shop", "accessKey": "AKIA",
        }))
        .expect("a source");
        let made = |data: &[(&str, &str)]| {
            let made = settings(data)
                .and_then(|settings| credentials(Block::Bucket(&bucket), settings, BTreeMap::new(), None));
            made.map_or_else(|error| error.to_string(), |made| made.data.keys().copied().collect::<Vec<_>>().join(" "))
        };
        assert_eq!(made(&[("bucketSecretKey", "hunter2")]), "accesskey secretkey");
        assert_eq!(made(&[]), "spec.bucket.accessKey needs the key `bucketSecretKey` in the protected settings");
    }
}
