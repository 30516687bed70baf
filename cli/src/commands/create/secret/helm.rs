//! `fairlead create secret helm`.

use clap::Args as Flags;

use super::{NewSecret, OPAQUE, TLS, tls::TlsFiles};
use crate::{
    commands::create::object::{Values, values},
    connection::dns_label,
    output::CommandError,
};

/// The type of a Secret with user and password.
const BASIC: &str = "kubernetes.io/basic-auth";

/// Flags of `create secret helm`.
#[derive(Flags)]
pub(crate) struct Args {
    /// The name of the Secret.
    #[arg(value_parser = dns_label)]
    name: String,
    #[command(flatten)]
    login: HelmFlags,
}

/// What opens a Helm repository.
#[derive(Flags)]
pub(in crate::commands::create) struct HelmFlags {
    /// The user.
    #[arg(short, long, requires = "password")]
    username: Option<String>,
    /// The user's password.
    #[arg(short, long, requires = "username")]
    password: Option<String>,
    #[command(flatten)]
    files: TlsFiles,
}

impl HelmFlags {
    /// The Secret `name`; `None` if nothing is given. A client certificate wins over user and password, as in Flux.
    pub(in crate::commands::create) fn secret(&self, name: &str) -> Result<Option<NewSecret>, CommandError> {
        let (client, authority) = (self.files.client()?, self.files.authority()?);
        let login = values([("username", self.username.as_ref()), ("password", self.password.as_ref())]);
        let (kind, values) = match (client.is_empty(), login.is_empty()) {
            (false, _) => (TLS, client),
            (true, false) => (BASIC, login),
            (true, true) => (OPAQUE, Values::new()),
        };
        let values: Values = values.into_iter().chain(authority).collect();
        Ok((!values.is_empty()).then(|| NewSecret::new(name, "helm secret", values).of_kind(kind)))
    }
}

impl Args {
    pub(super) fn secret(&self) -> Result<NewSecret, CommandError> {
        let secret = self.login.secret(&self.name)?;
        secret.ok_or_else(|| "--username and --password, or files with certificates, are required".into())
    }
}
