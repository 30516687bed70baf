//! The credentials of a Git repository: a key that is made or read, and the server's own key as it shows it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use fairlead_sources::git::{Curve, DeployKey, GitUrl, KeyKind, scan_host_key};
use secrecy::{ExposeSecret, SecretString};

use super::object::{Values, values};
use crate::{
    connection::Connection,
    local,
    output::{CommandError, Hinted, generated},
};

/// What opens a Git repository.
#[derive(Args)]
pub(super) struct GitFlags {
    /// The user.
    #[arg(short, long)]
    username: Option<String>,
    /// The user's password, or the passphrase of the private key.
    #[arg(short, long)]
    password: Option<String>,
    /// A file with the certificate authority of the server.
    #[arg(long, alias = "ca-file", value_name = "FILE")]
    ca_crt_file: Option<PathBuf>,
    /// A file with a private key; otherwise one is made.
    #[arg(long, value_name = "FILE")]
    private_key_file: Option<PathBuf>,
    /// The kind of key that is made.
    #[arg(long, value_enum, default_value = "ecdsa")]
    ssh_key_algorithm: KeyAlgorithm,
    /// The size of an RSA key that is made.
    #[arg(long, value_name = "BITS", default_value = "2048", value_parser = clap::value_parser!(u16).range(1024..=8192))]
    ssh_rsa_bits: u16,
    /// The curve of an ECDSA key that is made.
    #[arg(long, value_enum, default_value = "p384")]
    ssh_ecdsa_curve: EcdsaCurve,
}

/// What kind of key is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KeyAlgorithm {
    Rsa,
    Ecdsa,
    Ed25519,
}

/// The curve of an ECDSA key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum EcdsaCurve {
    P256,
    P384,
    P521,
}

impl GitFlags {
    /// The values that open the repository at `url`; none where it is public.
    pub(super) async fn values(&self, url: &GitUrl, connection: &Connection) -> Result<Values, CommandError> {
        if url.is_ssh() { self.for_ssh(url, connection).await } else { self.for_http() }
    }

    async fn for_ssh(&self, url: &GitUrl, connection: &Connection) -> Result<Values, CommandError> {
        let (key, identity) = self.key()?;
        let known_hosts = scan_host_key(url, connection.timeout).await?;
        Ok(values([
            ("identity", Some(&identity.expose_secret().to_owned())),
            ("identity.pub", Some(&format!("{}\n", key.public()))),
            ("known_hosts", Some(&known_hosts)),
            ("password", self.password.as_ref()),
        ]))
    }

    fn for_http(&self) -> Result<Values, CommandError> {
        let Self { username, password, .. } = self;
        if username.is_some() != password.is_some() {
            return Err("--username and --password belong together".into());
        }
        let authority = self.ca_crt_file.as_ref().map(|file| local::read(file)).transpose()?;
        Ok(values([("username", username.as_ref()), ("password", password.as_ref()), ("ca.crt", authority.as_ref())]))
    }

    /// The key, and its private half as it is kept.
    fn key(&self) -> Result<(DeployKey, SecretString), CommandError> {
        let Some(file) = &self.private_key_file else {
            let key = DeployKey::of_kind(self.kind());
            let identity = key.private();
            return Ok((key, identity));
        };
        let identity = SecretString::from(local::read(file)?);
        let key = match &self.password {
            Some(password) => DeployKey::decrypt(&identity, &SecretString::from(password.as_str())),
            None => DeployKey::read(&identity),
        };
        let unusable = |error| {
            let error = format!("cannot use `{}`: {error}", file.display());
            Hinted::new(error, "a key with a passphrase needs --password")
        };
        Ok((key.map_err(unusable)?, identity))
    }

    fn kind(&self) -> KeyKind {
        match (self.ssh_key_algorithm, self.ssh_ecdsa_curve) {
            (KeyAlgorithm::Ed25519, _) => KeyKind::Ed25519,
            (KeyAlgorithm::Rsa, _) => KeyKind::Rsa { bits: self.ssh_rsa_bits },
            (KeyAlgorithm::Ecdsa, EcdsaCurve::P256) => KeyKind::Ecdsa(Curve::P256),
            (KeyAlgorithm::Ecdsa, EcdsaCurve::P384) => KeyKind::Ecdsa(Curve::P384),
            (KeyAlgorithm::Ecdsa, EcdsaCurve::P521) => KeyKind::Ecdsa(Curve::P521),
        }
    }
}

/// Shows the public key among `values`, which the repository must be told, and returns whether there is one.
pub(super) fn show_deploy_key(values: &Values) -> bool {
    let public = values.get("identity.pub");
    if let Some(public) = public {
        generated(format!("deploy key: {}", public.trim_end()));
    }
    public.is_some()
}

/// Reads the URL of a Git repository.
pub(super) fn git_url(written: &str) -> Result<GitUrl, CommandError> {
    GitUrl::parse(written).map_err(|error| format!("invalid Git URL: {error}").into())
}
