//! `fairlead diff artifact`: compares files of this machine with an artifact in a registry.
//!
//! # Differs from Flux
//! The files are compared, not the bytes that they are packed as: another version of the compressor makes no difference.

use std::path::PathBuf;

use clap::Args as Flags;
use fairlead_reconciler::clock::Clock;
use fairlead_sources::{
    archive::{ArchiveRules, unpack},
    fetch::Means,
    oci::{pull, resolve},
    store::{Change, Store, StoreSettings, differences},
};

use crate::{
    artifacts::{Access, Files, explained},
    connection::Connection,
    output::{CommandError, failure, print, success},
};

/// Flags of `diff artifact`.
#[derive(Flags)]
pub(crate) struct Artifact {
    /// The artifact: `oci://<host>/<path>`, and `:<tag>` or `@<digest>`.
    url: String,
    /// The directory or file to compare it with, or `-` for standard input.
    #[arg(long)]
    path: PathBuf,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    access: Access,
}

/// Prints how the files differ from the artifact, and returns whether they do.
pub(super) async fn differs(args: &Artifact, connection: &Connection) -> Result<bool, CommandError> {
    let request = args.access.request(&args.url, connection)?;
    let packed = args.files.pack(&args.path)?;
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path(), StoreSettings::default())?;
    let mut writer = store.writer();
    unpack(packed.as_slice(), &ArchiveRules::default(), &mut writer)?;
    let local = writer.finish()?;
    let resolved = resolve(&request).await.map_err(explained)?;
    let means = Means { store: &store, ignore: None, now: Clock::system().now() };
    let remote = pull(&request, &resolved, &means).await.map_err(explained)?;
    let differences = differences(&remote.tree, &local)?;
    if differences.is_empty() {
        success("no changes detected");
        return Ok(false);
    }
    let line = |(path, change): &(_, Change)| {
        let verb = match change {
            Change::Created => "created",
            Change::Changed => "changed",
            Change::Deleted => "deleted",
        };
        format!("► {path} {verb}\n")
    };
    print(&differences.iter().map(line).collect::<String>())?;
    failure("the remote artifact contents differs from the local one");
    Ok(true)
}
