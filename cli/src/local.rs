//! Local files, and directories as trees to build from.

use std::{
    io,
    path::{Path, PathBuf},
};

use fairlead_object::{LocalTree, TreePath};

use crate::shown_paths::ShownPaths;

/// A file or directory that cannot be worked on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LocalError {
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("`{}` is not a directory", .0.display())]
    NotADirectory(PathBuf),
    #[error("`{}` has a name that is not UTF-8", .0.display())]
    NotText(PathBuf),
}

/// A directory in the tree that holds it.
pub(crate) struct LocalDirectory {
    pub(crate) tree: LocalTree,
    /// Its place in the tree.
    pub(crate) path: TreePath,
    pub(crate) shown: ShownPaths,
}

/// Opens `directory` in the tree that holds it.
///
/// Bases beside the directory belong to it, so the tree is the whole checkout where there is one, and else the whole file
/// system; what is read is still decided by kustomize's rules.
pub(crate) fn open(directory: &Path) -> Result<LocalDirectory, LocalError> {
    let failed = |source| LocalError::Read { path: directory.to_owned(), source };
    let full = std::fs::canonicalize(directory).map_err(failed)?;
    if !full.is_dir() {
        return Err(LocalError::NotADirectory(directory.to_owned()));
    }
    let checkout = full.ancestors().find(|folder| folder.join(".git").exists());
    let (root, shown) = match checkout {
        Some(root) => (root, ShownPaths::AsInTree),
        None => (Path::new("/"), ShownPaths::From(std::env::current_dir().unwrap_or_default())),
    };
    let below = full.strip_prefix(root).expect("an ancestor is a prefix");
    let below = below.to_str().ok_or_else(|| LocalError::NotText(full.clone()))?;
    let path = below.parse().map_err(|_| LocalError::NotText(full.clone()))?;
    Ok(LocalDirectory { tree: LocalTree::open(root).map_err(failed)?, path, shown })
}

/// The directory at `path`, or the nearest one above it that is there.
pub(crate) fn nearest_directory(path: PathBuf) -> Option<PathBuf> {
    if path.is_dir() { Some(path) } else { path.ancestors().find(|folder| folder.is_dir()).map(Path::to_owned) }
}

/// The text in the file `path`.
pub(crate) fn read(path: &Path) -> Result<String, LocalError> {
    std::fs::read_to_string(path).map_err(|source| LocalError::Read { path: path.to_owned(), source })
}

/// Writes `text` into the file `path`.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), LocalError> {
    std::fs::write(path, text).map_err(|source| LocalError::Write { path: path.to_owned(), source })
}
