//! `fairlead build artifact`: packs files as `push artifact` does.

use std::path::PathBuf;

use clap::Args as Flags;

use crate::{
    artifacts::Files,
    local::LocalError,
    output::{CommandError, action, success},
};

/// Flags of `build artifact`.
#[derive(Flags)]
pub(crate) struct Artifact {
    /// The directory or file to pack, or `-` for standard input.
    #[arg(short, long)]
    path: PathBuf,
    /// The file to write.
    #[arg(short, long, value_name = "FILE", default_value = "artifact.tgz")]
    output: PathBuf,
    #[command(flatten)]
    files: Files,
}

/// Packs the files into a file.
pub(super) fn build(args: &Artifact) -> Result<(), CommandError> {
    action(format!("building artifact from {}", args.path.display()));
    let packed = args.files.pack(&args.path)?;
    std::fs::write(&args.output, packed).map_err(|source| LocalError::Write { path: args.output.clone(), source })?;
    success(format!("artifact created at {}", args.output.display()));
    Ok(())
}
