//! Files to build from, wherever they are kept.

use std::{io, sync::Arc};

use crate::{Digest, TreePath};

/// A tree of files that does not change while it is read: an artifact in the store, a local folder, a test's map.
pub trait Tree: Send + Sync {
    /// What stands at `path`; `None` if nothing does.
    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError>;

    /// The entries of the directory at `path`, by name in byte order.
    fn list(&self, path: &TreePath) -> Result<Vec<Entry>, TreeError>;

    /// The content of the file at `path`.
    fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, TreeError>;

    /// The digest of the file at `path`. A tree that is addressed by content answers without reading it.
    fn digest(&self, path: &TreePath) -> Result<Digest, TreeError> {
        Ok(Digest::of(&self.read(path)?))
    }

    /// The digest of the file at `path`, whose `content` has just been read.
    fn digest_of(&self, _path: &TreePath, content: &[u8]) -> Result<Digest, TreeError> {
        Ok(Digest::of(content))
    }
}

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The last part of its path; empty for the root.
    pub name: String,
    /// File or directory.
    pub kind: EntryKind,
}

/// What an entry is. Links are resolved by the tree, or are not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
}

/// Why a tree could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// Nothing stands at the path.
    #[error("`{0}` does not exist")]
    Missing(TreePath),
    /// A directory stands where a file was asked for.
    #[error("`{0}` is a directory")]
    IsDirectory(TreePath),
    /// A file stands where a directory was asked for.
    #[error("`{0}` is not a directory")]
    NotDirectory(TreePath),
    /// A link points out of the tree, to itself, or to nothing.
    #[error("`{path}` is a link that {problem}")]
    Link {
        /// The link.
        path: TreePath,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The file is larger than a build reads.
    #[error("`{path}` has {size_bytes} bytes, more than the {limit_bytes} that one file may have")]
    TooLarge {
        /// The file.
        path: TreePath,
        /// Its size.
        size_bytes: u64,
        /// The limit.
        limit_bytes: u64,
    },
    /// The reader has had all that it may have.
    #[error("`{path}` is one too many: a build reads at most {limit}")]
    Spent {
        /// The entry that was asked for beyond the limit.
        path: TreePath,
        /// The limit with its unit, as `20000 files`.
        limit: String,
    },
    /// The operating system refused.
    #[error("cannot read `{path}`")]
    Io {
        /// The entry.
        path: TreePath,
        /// The operating system's reason.
        source: io::Error,
    },
}
