//! `fairlead debug`: shows what a release is made of, and what is known of it.
//!
//! # Follows Flux
//! Flags and output, and that values are printed in clear.

use std::process::ExitCode;

use clap::{Args as Flags, Subcommand};
use fairlead_api::helm::HelmRelease;
use fairlead_reconciler::controllers::{ObjectKey, helm_release::values::compose};
use fairlead_yaml::emit_json;
use serde_json::{Value, json};

use crate::{
    connection::Connection,
    output::{CommandError, print},
    planning::read,
    served::HELM_RELEASE,
};

/// What to look into.
#[derive(Subcommand)]
pub(crate) enum Args {
    /// Show the values of a HelmRelease, or what is known of it.
    #[command(alias = "hr")]
    Helmrelease(Release),
}

/// Flags of `debug helmrelease`.
#[derive(Flags)]
pub(crate) struct Release {
    /// Its name.
    name: String,
    #[command(flatten)]
    show: Show,
}

/// What is shown.
#[derive(Flags)]
#[group(required = true, multiple = false)]
struct Show {
    /// Its status.
    #[arg(long = "show-status")]
    status: bool,
    /// Its values, with those of `ConfigMap`s and Secrets, in clear.
    #[arg(long = "show-values")]
    values: bool,
    /// The revisions in its status.
    #[arg(long = "show-history")]
    history: bool,
}

const STATUS_HEAD: &str =
    "# Status documentation: https://fluxcd.io/flux/components/helm/helmreleases/#helmrelease-status";
const HISTORY_HEAD: &str = "# History documentation: https://fluxcd.io/flux/components/helm/helmreleases/#history";

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    let Args::Helmrelease(Release { name, show }) = args;
    let cluster = connection.cluster().await?;
    let namespace = connection.namespace.as_str();
    let found = HELM_RELEASE.get(&cluster, namespace, &name).await?;
    let part = |pointer: &str, empty: Value| emit_json(found.pointer(pointer).unwrap_or(&empty));
    let text = if show.status {
        format!("{STATUS_HEAD}\n{}", part("/status", json!({})))
    } else if show.history {
        format!("{HISTORY_HEAD}\n{}", part("/status/history", json!([])))
    } else {
        debug_assert!(show.values, "one of the three is asked for");
        let release: HelmRelease = read(found)?;
        let values = compose(&cluster, &ObjectKey::new(namespace, &name), &release.spec).await?;
        emit_json(&Value::Object(values))
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}
