//! `fairlead history`: the revisions of a release, as they are recorded in the cluster.
//!
//! # Follows Helm
//! The columns, and the JSON of `helm history -o json`.

use std::process::ExitCode;

use clap::{Args as Flags, Subcommand};
use fairlead_api::helm::HelmRelease;
use fairlead_reconciler::controllers::helm_release::history::History;
use fairlead_release::Release;
use serde_json::{Value, json};

use crate::{
    connection::Connection,
    output::{CommandError, print, table},
    planning::read,
    served::{Format, HELM_RELEASE},
};

/// Of what to show the history.
#[derive(Subcommand)]
pub(crate) enum Args {
    /// Show the revisions of a HelmRelease.
    #[command(alias = "hr")]
    Helmrelease(Named),
}

/// Flags of `history helmrelease`.
#[derive(Flags)]
pub(crate) struct Named {
    /// Its name.
    name: String,
    /// Only so many of the newest.
    #[arg(long, value_name = "COUNT", default_value_t = usize::MAX, hide_default_value = true)]
    max: usize,
    /// How to write it.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

const HEADER: [&str; 6] = ["revision", "updated", "status", "chart", "app version", "description"];

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    let Args::Helmrelease(args) = args;
    let cluster = connection.cluster().await?;
    let release: HelmRelease = read(HELM_RELEASE.get(&cluster, &connection.namespace, &args.name).await?)?;
    let mut revisions = History::of(cluster, &release).list().await?;
    if revisions.is_empty() {
        return Err(format!("no revision of HelmRelease {} is recorded", args.name).into());
    }
    revisions.truncate(args.max);
    revisions.reverse();
    let listed = || revisions.iter().map(document).collect::<Value>();
    match args.output {
        Format::Text | Format::Wide => {
            print(&table(&HEADER, &revisions.iter().map(row).collect::<Vec<_>>(), true))?;
        }
        Format::Name => {
            let numbers: Vec<String> = revisions.iter().map(|revision| revision.version.to_string()).collect();
            print(&format!("{}\n", numbers.join("\n")))?;
        }
        Format::Json => print(&format!("{}\n", serde_json::to_string_pretty(&listed())?))?,
        Format::Yaml => print(&fairlead_yaml::emit_json(&listed()))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn row(revision: &Release) -> Vec<String> {
    let updated = revision.info.last_deployed.map(|updated| updated.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    vec![
        revision.version.to_string(),
        updated.unwrap_or_default(),
        revision.info.status.name().to_owned(),
        chart(revision),
        revision.app_version().to_owned(),
        revision.info.description.clone(),
    ]
}

fn document(revision: &Release) -> Value {
    json!({
        "revision": revision.version,
        "updated": revision.info.last_deployed.map(|updated| updated.to_string()),
        "status": revision.info.status.name(),
        "chart": chart(revision),
        "app_version": revision.app_version(),
        "description": revision.info.description,
    })
}

fn chart(revision: &Release) -> String {
    format!("{}-{}", revision.chart_name(), revision.chart_version())
}
