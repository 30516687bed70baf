//! `fairlead pull`: takes an artifact from a registry.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args as Flags, Subcommand};
use fairlead_reconciler::clock::Clock;
use fairlead_sources::{
    fetch::Means,
    oci::{ORIGIN_REVISION, ORIGIN_SOURCE, pull, resolve},
    store::{Store, StoreSettings},
};

use crate::{
    artifacts::{Access, explained, place},
    connection::Connection,
    local::LocalError,
    output::{CommandError, action, success},
};

/// What to pull.
#[derive(Subcommand)]
pub(crate) enum Args {
    /// Write the files of an artifact to a directory.
    Artifact(Artifact),
}

/// Flags of `pull artifact`.
#[derive(Flags)]
pub(crate) struct Artifact {
    /// From where: `oci://<host>/<path>`, and `:<tag>` or `@<digest>`.
    url: String,
    /// The directory to write to; it must be there.
    #[arg(short, long, value_name = "DIRECTORY")]
    output: PathBuf,
    #[command(flatten)]
    access: Access,
}

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    let Args::Artifact(args) = args;
    if !args.output.is_dir() {
        return Err(LocalError::NotADirectory(args.output).into());
    }
    let request = args.access.request(&args.url, connection)?;
    action(format!("pulling artifact from {}", args.url.trim_start_matches("oci://")));
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path(), StoreSettings::default())?;
    let resolved = resolve(&request).await.map_err(explained)?;
    let means = Means { store: &store, ignore: None, now: Clock::system().now() };
    let pulled = pull(&request, &resolved, &means).await.map_err(explained)?;
    for (word, annotation) in [("source", ORIGIN_SOURCE), ("revision", ORIGIN_REVISION)] {
        if let Some(value) = pulled.metadata.get(annotation) {
            success(format!("{word} {value}"));
        }
    }
    success(format!("digest {}@{}", place(&request.url), resolved.digest));
    pulled.tree.write_to(&args.output)?;
    success(format!("artifact content extracted to {}", args.output.display()));
    Ok(ExitCode::SUCCESS)
}
