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

/// A file or directory in the tree that holds it.
pub(crate) struct LocalPlace {
    pub(crate) tree: LocalTree,
    /// Its place in the tree.
    pub(crate) path: TreePath,
    pub(crate) shown: ShownPaths,
    root: PathBuf,
}

/// Opens `directory` in the tree that holds it.
pub(crate) fn open_directory(directory: &Path) -> Result<LocalPlace, LocalError> {
    let place = open(directory, &[])?;
    if place.tree.full_path(&place.path).is_dir() {
        Ok(place)
    } else {
        Err(LocalError::NotADirectory(directory.to_owned()))
    }
}

/// Opens `path` in the tree that holds it and the files `beside`.
///
/// Bases beside a directory belong to it, so the tree is the whole checkout where there is one that has them all, and
/// else the whole file system; what is read is still decided by the rules of kustomize and of charts.
pub(crate) fn open(path: &Path, beside: &[&Path]) -> Result<LocalPlace, LocalError> {
    let full = canonical(path)?;
    let beside: Vec<PathBuf> = beside.iter().map(|file| canonical(file)).collect::<Result<_, _>>()?;
    let checkout = full.ancestors().find(|folder| folder.join(".git").exists());
    let checkout = checkout.filter(|root| beside.iter().all(|file| file.starts_with(root)));
    let (root, shown) = match checkout {
        Some(root) => (root.to_owned(), ShownPaths::AsInTree),
        None => (PathBuf::from("/"), ShownPaths::From(std::env::current_dir().unwrap_or_default())),
    };
    let tree = LocalTree::open(&root).map_err(|source| LocalError::Read { path: root.clone(), source })?;
    Ok(LocalPlace { tree, path: below(&root, full)?, shown, root })
}

impl LocalPlace {
    /// The path in the tree of a file that it was opened with.
    pub(crate) fn path_of(&self, file: &Path) -> Result<TreePath, LocalError> {
        below(&self.root, canonical(file)?)
    }
}

fn canonical(path: &Path) -> Result<PathBuf, LocalError> {
    std::fs::canonicalize(path).map_err(|source| LocalError::Read { path: path.to_owned(), source })
}

fn below(root: &Path, full: PathBuf) -> Result<TreePath, LocalError> {
    let path = full.strip_prefix(root).ok().and_then(Path::to_str).and_then(|path| path.parse().ok());
    path.ok_or(LocalError::NotText(full))
}

/// The directory at `path`, or the nearest one above it that is there.
pub(crate) fn nearest_directory(path: PathBuf) -> Option<PathBuf> {
    if path.is_dir() { Some(path) } else { path.ancestors().find(|folder| folder.is_dir()).map(Path::to_owned) }
}

/// The text in the file `path`.
pub(crate) fn read(path: &Path) -> Result<String, LocalError> {
    std::fs::read_to_string(path).map_err(|source| LocalError::Read { path: path.to_owned(), source })
}

/// Makes the directory `path`, and those above it, where they are missing.
pub(crate) fn create_directory(path: &Path) -> Result<(), LocalError> {
    std::fs::create_dir_all(path).map_err(|source| LocalError::Write { path: path.to_owned(), source })
}

/// Writes `text` into the file `path`.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), LocalError> {
    std::fs::write(path, text).map_err(|source| LocalError::Write { path: path.to_owned(), source })
}
