//! The programs that must be there before a chore can start, and how to get them.

use std::{env, io, path::Path};

use fairlead_tools::command;

use crate::say;

/// Where programs for administrators are, which a user's search path may leave out.
const SYSTEM_FOLDERS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// A program that this repository does not build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prerequisite {
    CCompiler,
    Git,
    Go,
    Registry,
    Sshd,
}

/// What is missing and cannot be installed from here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrerequisiteError {
    #[error("missing: {missing}\nInstall with: {command}")]
    Missing { missing: String, command: String },
    #[error("missing: {0}\nInstall Go 1.26 or newer from https://go.dev/dl/ or your system's packages")]
    GoMissing(String),
    #[error("`{command}` failed, its message is above")]
    Install { command: String },
    #[error("cannot start `{program}`")]
    Start { program: String, source: io::Error },
}

impl Prerequisite {
    pub(crate) const ALL: [Self; 5] = [Self::CCompiler, Self::Git, Self::Go, Self::Registry, Self::Sshd];

    fn program(self) -> &'static str {
        match self {
            Self::CCompiler => "cc",
            Self::Git => "git",
            Self::Go => "go",
            Self::Registry => "docker-registry",
            Self::Sshd => "sshd",
        }
    }

    fn purpose(self) -> &'static str {
        match self {
            Self::CCompiler => "links every Rust program and compiles libgit2",
            Self::Git => "serves the repositories that tests and the demo fetch",
            Self::Go => "builds kube-apiserver, etcd, kubectl, kustomize, helm and flux",
            Self::Registry => "is the registry that pushing our image is tested with",
            Self::Sshd => "is the server that fetching over SSH is tested with",
        }
    }

    /// Returns the Debian package, if Debian's is recent enough.
    fn package(self) -> Option<&'static str> {
        match self {
            Self::CCompiler => Some("build-essential"),
            Self::Git => Some("git"),
            Self::Go => None,
            Self::Registry => Some("docker-registry"),
            Self::Sshd => Some("openssh-server"),
        }
    }

    fn is_there(self) -> bool {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = env::split_paths(&path).chain(SYSTEM_FOLDERS.iter().map(|folder| Path::new(folder).to_owned()));
        folders.into_iter().any(|folder| folder.join(self.program()).is_file())
    }
}

/// Makes sure that all of `needed` is there: as root on Debian by installing it, otherwise by saying how.
pub(crate) fn require(needed: &[Prerequisite]) -> Result<(), PrerequisiteError> {
    let missing: Vec<_> = needed.iter().copied().filter(|needed| !needed.is_there()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let described = describe(&missing);
    let Some(packages) = missing.iter().map(|missing| missing.package()).collect::<Option<Vec<_>>>() else {
        return Err(PrerequisiteError::GoMissing(described));
    };
    let install = format!("apt-get install --yes --no-install-recommends {}", packages.join(" "));
    if !may_install() {
        return Err(PrerequisiteError::Missing { missing: described, command: format!("sudo {install}") });
    }
    say(&format!("installing {described}"));
    start("apt-get update --quiet")?;
    start(&install)
}

fn describe(missing: &[Prerequisite]) -> String {
    let described: Vec<_> =
        missing.iter().map(|missing| format!("`{}`, which {}", missing.program(), missing.purpose())).collect();
    described.join("; ")
}

fn may_install() -> bool {
    Path::new("/usr/bin/apt-get").is_file() && is_root()
}

fn is_root() -> bool {
    command("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

/// Runs a command line without quotes and asks its user nothing.
fn start(line: &str) -> Result<(), PrerequisiteError> {
    let mut words = line.split(' ');
    let program = words.next().unwrap_or_default();
    let status = command(program)
        .args(words)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(std::process::Stdio::null())
        .stdout(io::stderr())
        .status()
        .map_err(|source| PrerequisiteError::Start { program: program.to_owned(), source })?;
    if status.success() { Ok(()) } else { Err(PrerequisiteError::Install { command: line.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_purpose() {
        assert_eq!(
            describe(&[Prerequisite::Git, Prerequisite::Sshd]),
            "`git`, which serves the repositories that tests and the demo fetch; \
             `sshd`, which is the server that fetching over SSH is tested with"
        );
    }

    #[test]
    fn only_go_has_no_package_that_will_do() {
        let without: Vec<_> = Prerequisite::ALL.into_iter().filter(|needed| needed.package().is_none()).collect();
        assert_eq!(without, [Prerequisite::Go]);
    }
}
