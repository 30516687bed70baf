//! `fairlead create source`: a source with its credentials.

mod bucket;
mod chart;
mod git;
mod helm;
mod oci;

use clap::{Args as Flags, Subcommand};
use fairlead_reconciler::cluster::Cluster;
use serde_json::{Value, json};

use super::{
    Common,
    object::{given, put_secret, reference, text},
};
use crate::{
    connection::Connection,
    output::{CommandError, action, success},
};

/// Which source to create.
#[derive(Subcommand)]
pub(super) enum Args {
    /// A `GitRepository`. Without --secret-ref its Secret is made too, and the deploy key shown.
    Git(git::Args),
    /// An `OCIRepository`.
    Oci(oci::Args),
    /// A `HelmRepository`.
    Helm(helm::Args),
    /// A `Bucket`.
    Bucket(bucket::Args),
    /// A `HelmChart`.
    Chart(chart::Args),
}

/// Whose signature something must have.
#[derive(Flags)]
#[expect(clippy::struct_field_names, reason = "a field is named as its flag")]
struct VerifyFlags {
    /// Who signs: `cosign` or `notation`.
    #[arg(long, value_name = "PROVIDER", value_parser = ["cosign", "notation"])]
    verify_provider: Option<String>,
    /// The Secret with the keys that are trusted.
    #[arg(long, value_name = "NAME", requires = "verify_provider")]
    verify_secret_ref: Option<String>,
    /// A regular expression for who issued the signer's identity.
    #[arg(long, value_name = "REGEX", requires_all = ["verify_provider", "verify_subject"])]
    verify_issuer: Option<String>,
    /// A regular expression for the signer's identity.
    #[arg(long, value_name = "REGEX", requires_all = ["verify_provider", "verify_issuer"])]
    verify_subject: Option<String>,
}

impl VerifyFlags {
    /// `spec.verify`.
    fn spec(&self) -> Option<Value> {
        let identity = self.verify_issuer.as_ref().zip(self.verify_subject.as_ref());
        let identity = identity.map(|(issuer, subject)| json!([{ "issuer": issuer, "subject": subject }]));
        self.verify_provider.as_ref()?;
        Some(given([
            ("provider", text(self.verify_provider.as_ref())),
            ("secretRef", reference(self.verify_secret_ref.as_ref())),
            ("matchOIDCIdentity", identity),
        ]))
    }
}

/// Prints the source, or writes it and its Secret to the cluster and waits until it is ready.
pub(super) async fn create(args: Args, common: &Common, connection: &Connection) -> Result<(), CommandError> {
    let mut source = match &args {
        Args::Git(args) => args.source(common)?,
        Args::Oci(args) => args.source(common)?,
        Args::Helm(args) => args.source(common)?,
        Args::Bucket(args) => args.source(common),
        Args::Chart(args) => args.source(common),
    };
    if common.export {
        return source.print(common, connection);
    }
    source.announce();
    let cluster = connection.cluster().await?;
    let secret = match &args {
        Args::Git(args) => args.secret(connection).await?,
        Args::Oci(_) | Args::Chart(_) => None,
        Args::Helm(args) => args.secret()?,
        Args::Bucket(args) => args.secret(),
    };
    if let Some(secret) = secret {
        configure(&cluster, &secret.body(common, connection)).await?;
        source.spec["secretRef"] = json!({ "name": secret.name });
    }
    source.write(&cluster, common, connection).await
}

/// Writes the Secret of a source.
async fn configure(cluster: &Cluster, secret: &Value) -> Result<(), CommandError> {
    action("applying secret with repository credentials");
    put_secret(cluster, secret).await?;
    success("authentication configured");
    Ok(())
}
