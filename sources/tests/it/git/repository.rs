//! Bare repositories made with the real `git`.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::program::{program, run_well};

/// A bare repository in a folder that a server can serve as a whole.
pub(crate) struct Repository {
    folder: TempDir,
}

/// A commit to be made.
pub(crate) struct Commit<'a> {
    /// The full name of the ref that moves to it.
    pub(crate) name: &'a str,
    /// The message.
    pub(crate) message: &'a str,
    /// When, in seconds since 1970.
    pub(crate) at: i64,
    /// Mode, path and content of each file.
    pub(crate) files: &'a [(&'a str, &'a str, &'a str)],
}

impl Repository {
    pub(crate) const NAME: &str = "repository.git";

    /// A repository without a commit, whose branch would be `main`.
    pub(crate) fn empty() -> Self {
        let folder = TempDir::new().expect("a folder");
        let repository = Self { folder };
        run_well(program("git").args(["init", "--quiet", "--bare", "-b", "main"]).arg(repository.path()), b"");
        repository
    }

    /// A repository with one commit on `main` that holds `deploy.yaml`.
    pub(crate) fn with_a_file() -> Self {
        let repository = Self::empty();
        repository.push("refs/heads/main", "first", "one");
        repository
    }

    /// The folder that holds the repository.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join(Self::NAME)
    }

    /// Moves `name` to a new commit without a parent, in which `deploy.yaml` has this content.
    pub(crate) fn push(&self, name: &str, message: &str, content: &str) -> String {
        let files = &[("100644", "deploy.yaml", content)];
        self.commit(&Commit { name, message, at: 1_700_000_000, files })
    }

    pub(crate) fn commit(&self, commit: &Commit<'_>) -> String {
        let file = |(mode, path, content): &(&str, &str, &str)| match *mode {
            "160000" => format!("M {mode} {content} {path}\n"),
            _ => format!("M {mode} inline {path}\ndata {}\n{content}\n", content.len()),
        };
        let files: Vec<String> = commit.files.iter().map(file).collect();
        let Commit { name, message, at, .. } = commit;
        let stream = format!(
            "commit {name}\ncommitter T <t@example.com> {at} +0000\ndata {}\n{message}\ndeleteall\n{}",
            message.len(),
            files.concat()
        );
        self.import(&stream);
        self.git(&["rev-parse", commit.name])
    }

    /// Moves `name` to what `to` names.
    pub(crate) fn set(&self, name: &str, to: &str) {
        self.git(&["update-ref", name, to]);
    }

    /// Creates an annotated tag and returns its own id.
    pub(crate) fn annotate(&self, tag: &str, to: &str) -> String {
        self.git(&["-c", "user.name=T", "-c", "user.email=t@example.com", "tag", "-a", "-m", "release", tag, to]);
        self.git(&["rev-parse", &format!("refs/tags/{tag}")])
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        run_well(program("git").arg("-C").arg(self.path()).args(arguments), b"")
    }

    pub(crate) fn import(&self, stream: &str) {
        let mut command = program("git");
        command.arg("-C").arg(self.path()).args(["fast-import", "--quiet", "--force"]);
        run_well(&mut command, stream.as_bytes());
    }

    /// Makes a tree of `entries`, each `<mode> <type> <id>\t<name>`, whatever the names are.
    pub(crate) fn tree(&self, entries: &str) -> String {
        let mut command = program("git");
        command.arg("-C").arg(self.path()).args(["mktree", "-z"]);
        run_well(&mut command, entries.as_bytes())
    }
}
