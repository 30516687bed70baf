//! Starts Cargo, and the binaries that it builds.

use std::{env, io, os::unix::process::CommandExt, path::PathBuf, process::Command};

/// How binaries are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Soonest ready.
    Dev,
    /// As it is shipped.
    Release,
}

impl Profile {
    fn folder(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
        }
    }
}

/// Where the code and the constants of a static binary are in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Addresses {
    /// Elsewhere at each start, so that a memory error is hard to exploit: for the controller, which reads what tenants
    /// send with a library in C.
    Random,
    /// Where the linker put them, as in the programs that Go builds: for the command line, whose start would write a
    /// third of its pages anew only to tell them where they are.
    Fixed,
}

impl Addresses {
    fn relocation_model(self) -> &'static str {
        match self {
            Self::Random => "relocation-model=pic",
            Self::Fixed => "relocation-model=static",
        }
    }
}

/// Why a chore could not start a program.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CargoError {
    #[error("cannot start `{program}`")]
    Start { program: String, source: io::Error },
    #[error("`cargo build` failed, its message is above")]
    Build,
}

/// Returns the Cargo that runs this chore, at the root of the repository.
pub(crate) fn cargo() -> Command {
    let mut cargo = fairlead_tools::command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(fairlead_tools::repository());
    cargo.env("CARGO_TARGET_DIR", fairlead_tools::target_directory());
    cargo
}

/// Builds every binary and every test: together, because what both share is compiled twice otherwise, once with the
/// features that only tests ask for.
pub(crate) fn build_everything() -> Result<(), CargoError> {
    let mut build = cargo();
    build.args(["build", "--locked", "--workspace", "--bins", "--tests"]);
    finish(build)
}

/// Builds the binaries of `packages` at once, so that what they share is compiled once.
pub(crate) fn build_binaries(packages: &[&str], profile: Profile) -> Result<(), CargoError> {
    let mut build = cargo();
    build.args(["build", "--locked", "--bins"]);
    for package in packages {
        build.args(["--package", package]);
    }
    match profile {
        Profile::Dev => {}
        Profile::Release => {
            build.arg("--release");
        }
    }
    finish(build)
}

/// Builds the one binary of the workspace at `manifest` for this machine with `flags`, and returns its path.
///
/// It has a target folder of its own, and build scripts do not get the flags.
pub(crate) fn build_with_flags(manifest: &str, name: &str, flags: &str) -> Result<PathBuf, CargoError> {
    let target = format!("{}-unknown-linux-gnu", env::consts::ARCH);
    let folder = fairlead_tools::target_directory().join("fuzz");
    let mut build = cargo();
    build.args(["build", "--locked", "--release", "--manifest-path", manifest, "--target", &target]);
    build.env("RUSTFLAGS", flags).env("CARGO_TARGET_DIR", &folder);
    finish(build)?;
    Ok(folder.join(target).join(Profile::Release.folder()).join(name))
}

fn finish(mut build: Command) -> Result<(), CargoError> {
    let status = build.status().map_err(|source| CargoError::Start { program: "cargo".into(), source })?;
    if status.success() { Ok(()) } else { Err(CargoError::Build) }
}

/// Builds the binary `name` of the package of that name so that it needs nothing else to run, and returns its path.
pub(crate) fn build_static(name: &str, addresses: Addresses) -> Result<PathBuf, CargoError> {
    let mut build = cargo();
    build.args(["rustc", "--locked", "--release", "--package", name, "--bin", name, "--"]);
    build.args(["-C", "target-feature=+crt-static", "-C", addresses.relocation_model()]);
    finish(build)?;
    Ok(fairlead_tools::target_directory().join(Profile::Release.folder()).join(name))
}

/// Replaces this process by the binary `name`, so that signals and the exit code are its own.
///
/// Returns only if that fails.
pub(crate) fn become_binary(
    name: &str,
    profile: Profile,
    arguments: impl IntoIterator<Item = impl AsRef<std::ffi::OsStr>>,
) -> CargoError {
    let path = fairlead_tools::target_directory().join(profile.folder()).join(name);
    let source = fairlead_tools::command(&path).args(arguments).exec();
    CargoError::Start { program: path.display().to_string(), source }
}
