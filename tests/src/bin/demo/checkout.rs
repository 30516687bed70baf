//! A clone of a repository, as a user has it on disk.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use fairlead_tests::Repository;
use tokio::process::Command;

/// Commits everything below `folder`, with `placeholder` replaced by the repository's own address.
pub(crate) fn seed(repository: &Repository, folder: &Path, placeholder: &str) -> io::Result<()> {
    let mut files = Vec::new();
    for path in files_below(folder, Path::new(""))? {
        let text = read(&folder.join(&path))?;
        files.push((path, Some(text.replace(placeholder, repository.url()))));
    }
    repository.commit(files, "the shop");
    Ok(())
}

/// A working tree that commits are pushed from.
pub(crate) struct Checkout {
    root: PathBuf,
}

impl Checkout {
    /// Clones `url` to `root`.
    pub(crate) async fn clone(url: &str, root: PathBuf) -> io::Result<Self> {
        git(Path::new("/"), &["clone", "--quiet", url, &root.to_string_lossy()]).await?;
        Ok(Self { root })
    }

    /// Returns the folder that it is in.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Replaces `old`, which must be there, by `new` in one file.
    pub(crate) fn edit(&self, path: &str, old: &str, new: &str) -> io::Result<()> {
        let file = self.root.join(path);
        let text = read(&file)?;
        if !text.contains(old) {
            return Err(io::Error::other(format!("{path} does not say `{old}`")));
        }
        fs::write(&file, text.replacen(old, new, 1)).map_err(failed("write", &file))
    }

    /// Commits all changes and pushes them.
    pub(crate) async fn push(&self, message: &str) -> io::Result<()> {
        git(&self.root, &["commit", "--quiet", "--all", "--message", message]).await?;
        git(&self.root, &["push", "--quiet"]).await
    }
}

/// Runs Git in `folder` with settings of its own, whatever the user's are.
async fn git(folder: &Path, arguments: &[&str]) -> io::Result<()> {
    let mut command = fairlead_tools::command("git");
    command.current_dir(folder).args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]).args(arguments);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_TERMINAL_PROMPT", "0");
    if Command::from(command).status().await?.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("`git {}` failed, its message is above", arguments[0])))
}

/// Returns all files below `folder` of `root`, relative to `root`.
fn files_below(root: &Path, folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let listed = root.join(folder);
    for entry in fs::read_dir(&listed).map_err(failed("list", &listed))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            files.extend(files_below(root, &path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

fn read(file: &Path) -> io::Result<String> {
    fs::read_to_string(file).map_err(failed("read", file))
}

/// Says which file it was that something failed on.
fn failed(what: &str, path: &Path) -> impl FnOnce(io::Error) -> io::Error {
    let what = format!("cannot {what} {}", path.display());
    move |error| io::Error::new(error.kind(), format!("{what}: {error}"))
}
