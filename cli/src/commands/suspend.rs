//! `fairlead suspend` and `fairlead resume`.

use std::process::ExitCode;

use clap::Args as Flags;
use fairlead_reconciler::cluster::{Cluster, Part};
use serde_json::json;
use tokio::time::Instant;

use super::{
    reconcile::{done, until_settled},
    sources::Served,
};
use crate::{
    connection::Connection,
    output::{CommandError, action, failure, success, waiting},
    served::{Kind, RECEIVER},
};

/// What to suspend or resume.
pub(crate) type Args = Served<Objects>;

/// Which objects.
#[derive(Flags)]
pub(crate) struct Objects {
    /// Their names.
    #[arg(required_unless_present = "all")]
    names: Vec<String>,
    /// All of the namespace.
    #[arg(long)]
    all: bool,
    /// Wait for several resumed objects too; a single one is always awaited.
    #[arg(long)]
    wait: bool,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Suspend,
    Resume,
}

pub(crate) async fn run(args: Args, change: Change, connection: &Connection) -> Result<ExitCode, CommandError> {
    let (kind, names) = args.into_parts();
    let cluster = connection.cluster().await?;
    let namespace = connection.namespace.as_str();
    let listed = if names.all { all_names(&cluster, kind, namespace).await? } else { names.names };
    if listed.is_empty() {
        return Err("no objects found".into());
    }
    let mut changed = Vec::new();
    for name in &listed {
        if set(&cluster, kind, (namespace, name), change).await? {
            changed.push(name);
        }
    }
    if change == Change::Suspend || (listed.len() > 1 && !names.wait) {
        return Ok(ExitCode::SUCCESS);
    }
    let deadline = Instant::now() + connection.timeout;
    let mut failures = 0;
    for name in changed {
        waiting(format!("waiting for {} reconciliation", kind.name));
        match until_settled(&cluster, kind, (namespace, name), deadline, |_| true).await {
            Ok(object) => {
                success(format!("{} {name} reconciliation completed", kind.name));
                if kind != RECEIVER {
                    success(done(kind, &object));
                }
            }
            Err(error) => {
                failure(format!("{} {name} reconciliation failed: {error}", kind.name));
                failures += 1;
            }
        }
    }
    if failures > 0 {
        return Err(format!("reconciliation failed for {failures} {}(s)", kind.name).into());
    }
    Ok(ExitCode::SUCCESS)
}

async fn all_names(cluster: &Cluster, kind: Kind, namespace: &str) -> Result<Vec<String>, CommandError> {
    let objects = kind.list(cluster, namespace, "").await?.ok_or_else(|| kind.unserved())?;
    Ok(objects.iter().filter_map(|object| object["metadata"]["name"].as_str()).map(str::to_owned).collect())
}

/// Sets `spec.suspend`; returns whether the object was there.
async fn set(
    cluster: &Cluster,
    kind: Kind,
    (namespace, name): (&str, &str),
    change: Change,
) -> Result<bool, CommandError> {
    let (doing, done) = match change {
        Change::Suspend => ("suspending", "suspended"),
        Change::Resume => ("resuming", "resumed"),
    };
    action(format!("{doing} {} {name} in {namespace} namespace", kind.human));
    let patch = json!({"spec": {"suspend": change == Change::Suspend}});
    match cluster.merge(&kind.resource(), (namespace, name), &patch, Part::Whole, "fairlead").await {
        Ok(_) => {
            success(format!("{} {done}", kind.human));
            Ok(true)
        }
        Err(error) if error.is_not_found() => {
            failure(format!("{} {name} not found in {namespace} namespace", kind.name));
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}
