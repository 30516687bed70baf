//! `fairlead tag`: gives an artifact in a registry more names.

use std::process::ExitCode;

use clap::{Args as Flags, Subcommand};
use fairlead_sources::oci::{resolve, tag};

use crate::{
    artifacts::{Access, explained, place},
    connection::Connection,
    output::{CommandError, action, success},
};

/// What to tag.
#[derive(Subcommand)]
pub(crate) enum Args {
    /// Give tags to an artifact.
    Artifact(Artifact),
}

/// Flags of `tag artifact`.
#[derive(Flags)]
pub(crate) struct Artifact {
    /// Which one: `oci://<host>/<path>`, and `:<tag>` or `@<digest>`.
    url: String,
    /// A tag to give it; repeatable.
    #[arg(long = "tag", required = true, value_name = "TAG", value_delimiter = ',')]
    tags: Vec<String>,
    #[command(flatten)]
    access: Access,
}

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    let Args::Artifact(args) = args;
    let request = args.access.request(&args.url, connection)?;
    action("tagging artifact");
    let resolved = resolve(&request).await.map_err(explained)?;
    tag(&request, &resolved, &args.tags).await.map_err(explained)?;
    for tag in &args.tags {
        success(format!("artifact tagged as {}:{tag}", place(&request.url)));
    }
    Ok(ExitCode::SUCCESS)
}
