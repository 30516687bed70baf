//! `fairlead list`: what is in a registry.

use std::process::ExitCode;

use clap::{Args as Flags, Subcommand};
use fairlead_sources::oci::{
    ORIGIN_REVISION, ORIGIN_SOURCE, OciReference, OciRequest, TagFilter, annotations, resolve, tags,
};

use crate::{
    artifacts::{Access, explained, place},
    connection::Connection,
    output::{CommandError, print, table},
};

/// What to list.
#[derive(Subcommand)]
pub(crate) enum Args {
    /// List the artifacts of a repository, those with the highest tags first.
    Artifacts(Artifacts),
}

/// Flags of `list artifacts`.
#[derive(Flags)]
pub(crate) struct Artifacts {
    /// The repository: `oci://<host>/<path>`.
    url: String,
    /// Only tags that are versions in this range.
    #[arg(long, value_name = "RANGE")]
    filter_semver: Option<String>,
    /// Only tags that this regular expression matches.
    #[arg(long, value_name = "REGEX")]
    filter_regex: Option<String>,
    #[command(flatten)]
    access: Access,
}

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    let Args::Artifacts(args) = args;
    let filter = TagFilter::parse(args.filter_semver.as_deref(), args.filter_regex.as_deref())?;
    let repository = args.access.repository(&args.url, connection)?;
    let mut rows = Vec::new();
    for tag in tags(&repository, filter).await.map_err(explained)? {
        rows.push(row(&repository, tag).await?);
    }
    print(&table(&["artifact", "digest", "source", "revision"], &rows, true))?;
    Ok(ExitCode::SUCCESS)
}

async fn row(repository: &OciRequest, tag: String) -> Result<Vec<String>, CommandError> {
    let artifact = format!("{}:{tag}", place(&repository.url));
    let request = OciRequest { reference: OciReference::Tag(tag), ..repository.clone() };
    let resolved = resolve(&request).await.map_err(explained)?;
    let annotations = annotations(&request, &resolved).await.map_err(explained)?;
    let said = |key: &str| annotations.get(key).cloned().unwrap_or_default();
    Ok(vec![artifact, resolved.digest.to_string(), said(ORIGIN_SOURCE), said(ORIGIN_REVISION)])
}
