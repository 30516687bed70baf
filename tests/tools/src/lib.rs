//! The Kubernetes programs that tests, the demo and benchmarks run against.
//!
//! They are real: `go.mod` beside this crate and those in `helm/` and `flux/` name them with every version pinned by
//! `go.sum`, and [`provide`] builds those that are not there yet. A build is kept in
//! `target/tools/<digest of both files>/`, so it is done once and again only when a version changes.
//! `KUBEBUILDER_ASSETS` names a folder that is looked in first.
//!
//! This crate knows nothing of Kubernetes, so that `xtask` compiles in seconds. It is also the one place outside of
//! the product's crates that starts processes, by [`command`].

mod build;
mod tool;

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

pub use build::{ToolError, kubernetes_types, provide};
pub use tool::Tool;

/// Returns a command that starts `program`, which the product itself must never do.
#[expect(clippy::disallowed_methods, reason = "tests and chores start real servers and build tools")]
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(program)
}

/// Returns the root of this repository.
///
/// # Panics
/// If this crate has left `tests/tools/`.
pub fn repository() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("this crate lives in tests/tools/")
}

/// Returns the folder that Cargo builds into: `CARGO_TARGET_DIR`, or `target/` of this repository.
pub fn target_directory() -> PathBuf {
    repository().join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}
