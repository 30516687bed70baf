//! A folder with the files of a repository, as a user has it on disk.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use fairlead_tests::Repository;

/// A folder that is committed as a whole.
pub(crate) struct Checkout {
    root: PathBuf,
}

impl Checkout {
    /// Copies `from` to `root`.
    pub(crate) fn copy(from: &Path, root: PathBuf) -> io::Result<Self> {
        for file in files_below(from, Path::new(""))? {
            let target = root.join(&file);
            if let Some(folder) = target.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::copy(from.join(&file), target)?;
        }
        Ok(Self { root })
    }

    /// Returns where `path` is on disk.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Replaces `old`, which must be there, by `new` in one file.
    pub(crate) fn edit(&self, path: &str, old: &str, new: &str) -> io::Result<()> {
        let text = fs::read_to_string(self.path(path))?;
        if !text.contains(old) {
            return Err(io::Error::other(format!("{path} does not say `{old}`")));
        }
        fs::write(self.path(path), text.replacen(old, new, 1))
    }

    /// Commits all files.
    pub(crate) fn commit(&self, repository: &Repository, message: &str) -> io::Result<String> {
        let files = files_below(&self.root, Path::new(""))?;
        let contents: io::Result<Vec<_>> =
            files.into_iter().map(|file| Ok((file.clone(), Some(fs::read(self.root.join(file))?)))).collect();
        Ok(repository.commit(contents?, message))
    }
}

/// Returns all files below `folder` of `root`, relative to `root`.
fn files_below(root: &Path, folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root.join(folder))? {
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
