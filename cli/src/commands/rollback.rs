//! `fairlead rollback`: brings a release back to an earlier revision, and keeps it there until it is let go.

use std::process::ExitCode;

use clap::{Args as Flags, Subcommand};
use fairlead_api::{helm::HelmRelease, names::annotations::PINNED_REVISION};
use fairlead_reconciler::{
    cluster::{Cluster, Part},
    controllers::helm_release::history::History,
};
use fairlead_release::Release;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::reconcile::request;
use crate::{
    connection::Connection,
    output::{CommandError, Hinted, action, success},
    planning::read,
    served::HELM_RELEASE,
};

/// What to roll back.
#[derive(Subcommand)]
pub(crate) enum Args {
    /// Bring a HelmRelease back to an earlier revision, and keep it there whatever its chart and values are.
    #[command(alias = "hr")]
    Helmrelease(ToRevision),
}

/// Flags of `rollback helmrelease`.
#[derive(Flags)]
pub(crate) struct ToRevision {
    /// Its name.
    name: String,
    /// The revision, as `history` lists it.
    #[arg(long, value_name = "REVISION", required_unless_present = "unpin", conflicts_with = "unpin")]
    to: Option<i64>,
    /// Keep it there no longer: it follows its chart and its values again.
    #[arg(long)]
    unpin: bool,
}

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    let Args::Helmrelease(args) = args;
    let deadline = Instant::now() + connection.timeout;
    let cluster = connection.cluster().await?;
    let (namespace, name) = (connection.namespace.as_str(), args.name.as_str());
    let found = HELM_RELEASE.get(&cluster, namespace, name).await?;
    if found["spec"]["suspend"] == true {
        return Err("resource is suspended".into());
    }
    if let Some(to) = args.to {
        check(&cluster, &read(found)?, to).await?;
        action(format!("pinning HelmRelease {name} in {namespace} namespace to revision {to}"));
        pin(&cluster, (namespace, name), &to.to_string().into()).await?;
        success(format!("HelmRelease pinned to revision {to}"));
    } else {
        action(format!("unpinning HelmRelease {name} in {namespace} namespace"));
        pin(&cluster, (namespace, name), &Value::Null).await?;
        success("HelmRelease unpinned");
    }
    request(&cluster, HELM_RELEASE, (namespace, name), &[], deadline).await?;
    Ok(ExitCode::SUCCESS)
}

/// Fails if the revision `to` is not recorded.
async fn check(cluster: &Cluster, release: &HelmRelease, to: i64) -> Result<(), CommandError> {
    let recorded = History::of(cluster.clone(), release).list().await?;
    let is_it = |record: &Release| record.version == to || record.info.rollback_revision == to;
    if recorded.iter().any(is_it) {
        return Ok(());
    }
    let known: Vec<String> = recorded.iter().rev().map(|record| record.version.to_string()).collect();
    let hint = match known.as_slice() {
        [] => "nothing is recorded of this release".to_owned(),
        _ => format!("recorded are {}: see `fairlead history helmrelease`", known.join(", ")),
    };
    Err(Hinted::new(format!("revision {to} is not recorded"), hint).into())
}

/// Writes the revision that the release is kept at, or takes it away.
async fn pin(cluster: &Cluster, name: (&str, &str), revision: &Value) -> Result<(), CommandError> {
    let patch = json!({ "metadata": { "annotations": { PINNED_REVISION: revision } } });
    cluster.merge(&HELM_RELEASE.resource(), name, &patch, Part::Whole, "fairlead").await?;
    Ok(())
}
