//! Which files a kustomization may read, and which directories it may build on.
//!
//! # Follows kustomize
//! A file lies in or below the directory of the kustomization that names it, unless the caller lifts that restriction;
//! a directory may lie anywhere, but not contain one that is being built.
//! # Differs from kustomize
//! There is nothing outside the tree: a path that leaves it is refused whatever the restrictions are, and nothing is
//! ever fetched.

use std::sync::Arc;

use fairlead_object::{EntryKind, Tree, TreeError, TreePath, nearest};

use crate::{at::At, error::LoadError, remote};

/// Deepest nesting of bases and components.
pub const MAX_DEPTH: usize = 64;

/// Which files a kustomization may name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoadRestrictions {
    /// Those in or below its own directory: what `kustomize build` allows.
    #[default]
    Root,
    /// All files of the tree: what Flux allows.
    None,
}

/// Reads files for the kustomization of one directory.
#[derive(Clone)]
pub(crate) struct Loader<'a> {
    tree: &'a dyn Tree,
    restrictions: LoadRestrictions,
    /// The directories that are being built, outermost first; the last one is this loader's root.
    roots: Vec<TreePath>,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(tree: &'a dyn Tree, root: &TreePath, restrictions: LoadRestrictions) -> Self {
        Self { tree, restrictions, roots: vec![root.clone()] }
    }

    pub(crate) fn tree(&self) -> &'a dyn Tree {
        self.tree
    }

    /// The directory of the kustomization.
    pub(crate) fn root(&self) -> &TreePath {
        self.roots.last().expect("a loader starts with a root")
    }

    /// Reads the file that `written` names, and says which one that is.
    pub(crate) fn read(&self, written: &str, at: &At) -> Result<(TreePath, Arc<[u8]>), LoadError> {
        let path = self.file_path(written, at)?;
        match self.tree.read(&path) {
            Ok(content) => Ok((path, content)),
            Err(TreeError::Missing(_)) => {
                let nearest = self.nearest_file(&path);
                Err(LoadError::MissingFile { at: at.clone(), path, nearest })
            }
            Err(TreeError::IsDirectory(_)) => Err(LoadError::NotAFile { at: at.clone(), path }),
            Err(source) => Err(LoadError::Unreadable { at: at.clone(), source }),
        }
    }

    /// A loader for the directory that `written` names.
    pub(crate) fn descend(&self, written: &str, at: &At) -> Result<Self, LoadError> {
        if written.is_empty() {
            return Err(LoadError::EmptyRoot { at: at.clone() });
        }
        if remote::is_repository(written) {
            return Err(LoadError::Remote { at: at.clone(), url: written.to_owned() });
        }
        if written.starts_with('/') {
            return Err(LoadError::AbsoluteRoot { path: written.to_owned() });
        }
        if has_ambiguous_part(written) {
            return Err(LoadError::Ambiguous { at: at.clone(), path: written.to_owned() });
        }
        let path = self.path(written, at)?;
        let entry = self.tree.entry(&path).map_err(|source| LoadError::Unreadable { at: at.clone(), source })?;
        match entry.map(|entry| entry.kind) {
            None => return Err(LoadError::MissingDirectory { path }),
            Some(EntryKind::File) => return Err(LoadError::NotADirectory { at: at.clone(), path }),
            Some(EntryKind::Directory) => {}
        }
        if let Some(visited) = self.roots.iter().find(|root| root.is_within(&path)) {
            return Err(LoadError::Cycle { at: at.clone(), candidate: path, visited: visited.clone() });
        }
        if self.roots.len() >= MAX_DEPTH {
            return Err(LoadError::TooDeep { at: at.clone(), limit: MAX_DEPTH });
        }
        let roots = self.roots.iter().cloned().chain([path]).collect();
        Ok(Self { tree: self.tree, restrictions: self.restrictions, roots })
    }

    /// What `written` names from here; it may lie anywhere in the tree.
    pub(crate) fn path(&self, written: &str, at: &At) -> Result<TreePath, LoadError> {
        TreePath::parse(self.root(), written).map_err(|_| self.outside(written, at))
    }

    fn file_path(&self, written: &str, at: &At) -> Result<TreePath, LoadError> {
        if remote::is_http(written) {
            return Err(LoadError::Remote { at: at.clone(), url: written.to_owned() });
        }
        if let Some(below) = written.strip_prefix('/') {
            let path = TreePath::parse(&TreePath::root(), below).map_err(|_| self.outside(written, at))?;
            return if path.is_within(self.root()) {
                Err(LoadError::AbsoluteFile { at: at.clone(), path: written.to_owned() })
            } else {
                Err(self.outside(written, at))
            };
        }
        let path = self.path(written, at)?;
        if self.restrictions == LoadRestrictions::Root && !path.is_within(self.root()) {
            return Err(self.outside(&format!("/{}", path.as_str()), at));
        }
        Ok(path)
    }

    fn outside(&self, path: &str, at: &At) -> LoadError {
        LoadError::OutsideRoot { at: at.clone(), path: path.to_owned(), root: self.root().clone() }
    }

    fn nearest_file(&self, path: &TreePath) -> Option<String> {
        let siblings = self.tree.list(&path.parent()?).ok()?;
        let names = siblings.iter().map(|entry| entry.name.as_str());
        nearest(path.file_name()?, names).map(str::to_owned)
    }
}

/// Whether a part of `path` holds `..` beside other letters.
///
/// # Follows kustomize
/// An entry that is indented too far becomes part of the one above it: `../base - ../other`, which would silently be
/// `../other`.
fn has_ambiguous_part(path: &str) -> bool {
    path.split('/').any(|part| part != ".." && part.contains(".."))
}
