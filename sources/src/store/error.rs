//! Why the store could not do what it was asked.

use std::{io, path::PathBuf};

use fairlead_object::{Digest, TreePath};

use super::SourceKey;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused.
    #[error("cannot {action} `{}`", file.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        file: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// What was to be stored could not be read.
    #[error("cannot read what is to be stored")]
    Input(#[source] io::Error),
    /// Another process has the folder open.
    #[error("the artifact store in `{}` is used by another process", .0.display())]
    InUse(PathBuf),
    /// What the store holds under a digest is not what was put there. It is fetched again.
    #[error("{digest} is damaged: `{}` holds something else", file.display())]
    Damaged {
        /// The digest that was asked for.
        digest: Digest,
        /// The file that should hold it.
        file: PathBuf,
    },
    /// The store holds nothing under a digest: it was collected, or the disk has lost it.
    #[error("{digest} is not in the store: `{}` does not exist", file.display())]
    Missing {
        /// The digest that was asked for.
        digest: Digest,
        /// The file that would hold it.
        file: PathBuf,
    },
    /// A name or revision cannot stand in an artifact's path.
    #[error("{key}: `{part}` cannot stand in the path of an artifact")]
    Name {
        /// The source.
        key: SourceKey,
        /// The part that cannot.
        part: String,
    },
    /// Two entries of a tree have one path, or one is a file where the other needs a directory.
    #[error("`{0}` is in the source twice, or is both a file and a directory")]
    Occupied(TreePath),
    /// A source exceeds a limit.
    #[error("`{path}` exceeds the limit of {limit}")]
    Limit {
        /// The entry that exceeded it.
        path: TreePath,
        /// The limit.
        limit: TreeLimit,
    },
    /// A content is larger than any file of a source may be.
    #[error("the content exceeds the limit of {limit_bytes} bytes for one file of a source")]
    BlobTooLarge {
        /// The limit.
        limit_bytes: u64,
    },
}

/// What a tree may not exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeLimit {
    /// The number of files.
    Files(usize),
    /// The number of parts of a path.
    Depth(usize),
    /// The bytes of all files together.
    TotalBytes(u64),
}

impl std::fmt::Display for TreeLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Files(files) => write!(f, "{files} files in one source"),
            Self::Depth(parts) => write!(f, "{parts} parts in one path"),
            Self::TotalBytes(bytes) => write!(f, "{bytes} bytes in one source"),
        }
    }
}
