//! `fairlead create secret`: the Secrets that sources and receivers read.
//!
//! # Follows Flux
//! Which keys each kind has, its type, and that the values of a Secret that is there are kept where they are not given.

mod git;
mod github_app;
pub(super) mod helm;
mod notation;
mod oci;
mod proxy;
mod receiver;
mod tls;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{
    Common,
    git_keys::show_deploy_key,
    object::{Values, put_secret},
};
use crate::{
    connection::Connection,
    output::{CommandError, action, print_objects},
};

/// Which Secret to create.
#[derive(Subcommand)]
pub(super) enum Args {
    /// For a Git repository: user and password, a token, or an SSH key that is made here.
    Git(git::Args),
    /// For a registry.
    Oci(oci::Args),
    /// For a Helm repository.
    Helm(helm::Args),
    /// With a client certificate or a certificate authority.
    Tls(tls::Args),
    /// For a proxy.
    Proxy(proxy::Args),
    /// For a GitHub App.
    Githubapp(github_app::Args),
    /// For the verification of Notation's signatures.
    Notation(notation::Args),
    /// For a receiver of webhooks.
    Receiver(receiver::Args),
}

/// A Secret that waits to be written.
pub(super) struct NewSecret {
    pub(super) name: String,
    /// What messages call it.
    human: &'static str,
    kind: Option<&'static str>,
    pub(super) values: Values,
    annotations: Value,
}

impl NewSecret {
    /// A Secret without a type of its own and without annotations.
    pub(super) fn new(name: &str, human: &'static str, values: Values) -> Self {
        Self { name: name.to_owned(), human, kind: None, values, annotations: Value::Null }
    }

    pub(super) fn of_kind(self, kind: &'static str) -> Self {
        Self { kind: Some(kind), ..self }
    }

    pub(super) fn body(&self, common: &Common, connection: &Connection) -> Value {
        let mut body = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": common.metadata(&self.name, connection),
            "stringData": self.values,
        });
        if let Some(kind) = self.kind {
            body["type"] = kind.into();
        }
        if !self.annotations.is_null() {
            body["metadata"]["annotations"] = self.annotations.clone();
        }
        body
    }
}

/// The type of a Secret without a type.
pub(super) const OPAQUE: &str = "Opaque";
/// The type of a Secret with a client certificate.
const TLS: &str = "kubernetes.io/tls";

/// Prints the Secret, or writes it to the cluster.
pub(super) async fn create(args: &Args, common: &Common, connection: &Connection) -> Result<(), CommandError> {
    let secret = match args {
        Args::Git(args) => args.secret(connection).await?,
        Args::Oci(args) => args.secret()?,
        Args::Helm(args) => args.secret()?,
        Args::Tls(args) => args.secret()?,
        Args::Proxy(args) => args.secret(),
        Args::Githubapp(args) => args.secret()?,
        Args::Notation(args) => args.secret()?,
        Args::Receiver(args) => args.secret(&connection.namespace)?,
    };
    let body = secret.body(common, connection);
    if common.export {
        return print_objects(&[body]);
    }
    show_deploy_key(&secret.values);
    put_secret(&connection.cluster().await?, &body).await?;
    let NewSecret { name, human, .. } = &secret;
    action(format!("{human} '{name}' created in '{}' namespace", connection.namespace));
    Ok(())
}
