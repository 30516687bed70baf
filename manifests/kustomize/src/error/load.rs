//! Why a file or directory that is named cannot be had.

use fairlead_object::{TreeError, TreePath};

use super::did_you_mean;
use crate::at::At;

/// Why a file or directory that a kustomization names cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A path is absolute, or climbs out of the source.
    #[error("{at}: security; file '{path}' is not in or below '/{}'", root.as_str())]
    OutsideRoot {
        /// The entry.
        at: At,
        /// What it says.
        path: String,
        /// The directory of the kustomization.
        root: TreePath,
    },
    /// A directory's name holds `..` beside other letters.
    #[error("{at}: path {path:?} is ambiguous: it would lead to what stands behind its last `..`")]
    Ambiguous {
        /// The entry.
        at: At,
        /// What it says.
        path: String,
    },
    /// A file is not there.
    #[error("{at}: evalsymlink failure on '/{}' : '/{}' doesn't exist", path.as_str(), path.as_str())]
    MissingFile {
        /// The entry.
        at: At,
        /// The path.
        path: TreePath,
        /// The file that was probably meant.
        nearest: Option<String>,
    },
    /// A file is named by an absolute path.
    #[error("{at}: evalsymlink failure on '{path}' : an absolute path names no file of a source")]
    AbsoluteFile {
        /// The entry.
        at: At,
        /// The path.
        path: String,
    },
    /// A file or directory is there and cannot be read.
    #[error("{at}: cannot read the source")]
    Unreadable {
        /// The entry.
        at: At,
        /// Why.
        source: TreeError,
    },
    /// An entry would have to be fetched.
    #[error("{at}: `{url}` is remote, and a build fetches nothing")]
    Remote {
        /// The entry.
        at: At,
        /// What it says.
        url: String,
    },
    /// A directory stands where a file is wanted.
    #[error("{at}: '/{}' must resolve to a file", path.as_str())]
    NotAFile {
        /// The entry.
        at: At,
        /// The path.
        path: TreePath,
    },
    /// A file stands where a directory is wanted.
    #[error("{at}: must build at directory: '/{}': file is not directory", path.as_str())]
    NotADirectory {
        /// The entry.
        at: At,
        /// The path.
        path: TreePath,
    },
    /// A directory is not there.
    #[error(
        "must build at directory: not a valid directory: evalsymlink failure on '/{}' : '/{}' doesn't exist",
        path.as_str(), path.as_str()
    )]
    MissingDirectory {
        /// The path.
        path: TreePath,
    },
    /// A directory is named by an absolute path.
    #[error("new root '{path}' cannot be absolute")]
    AbsoluteRoot {
        /// The path.
        path: String,
    },
    /// A directory is named by an empty path.
    #[error("{at}: new root cannot be empty")]
    EmptyRoot {
        /// The entry.
        at: At,
    },
    /// A directory builds itself, or one that it is part of.
    #[error("{at}: cycle detected: candidate root '/{}' contains visited root '/{}'", candidate.as_str(), visited.as_str())]
    Cycle {
        /// The entry.
        at: At,
        /// The directory that is named.
        candidate: TreePath,
        /// The directory that is being built.
        visited: TreePath,
    },
    /// Bases are nested too deeply.
    #[error("{at}: bases are nested more than {limit} deep")]
    TooDeep {
        /// The entry.
        at: At,
        /// The limit.
        limit: usize,
    },
}

impl LoadError {
    /// What the reader can try, where the failure suggests it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::MissingFile { nearest, .. } => did_you_mean(nearest.as_deref()),
            Self::Remote { .. } => Some("copy it into the source, or declare a source of its own for it".to_owned()),
            Self::Ambiguous { .. } => Some("check the indentation of the entry below".to_owned()),
            Self::OutsideRoot { .. }
            | Self::AbsoluteFile { .. }
            | Self::Unreadable { .. }
            | Self::NotAFile { .. }
            | Self::NotADirectory { .. }
            | Self::MissingDirectory { .. }
            | Self::AbsoluteRoot { .. }
            | Self::EmptyRoot { .. }
            | Self::Cycle { .. }
            | Self::TooDeep { .. } => None,
        }
    }

    /// Whether the file or directory is not there.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::MissingFile { .. } | Self::MissingDirectory { .. } => true,
            Self::OutsideRoot { .. }
            | Self::Ambiguous { .. }
            | Self::AbsoluteFile { .. }
            | Self::Unreadable { .. }
            | Self::Remote { .. }
            | Self::NotAFile { .. }
            | Self::NotADirectory { .. }
            | Self::AbsoluteRoot { .. }
            | Self::EmptyRoot { .. }
            | Self::Cycle { .. }
            | Self::TooDeep { .. } => false,
        }
    }

    /// The message without the position `at` that it begins with.
    pub(super) fn without_position(&self, at: &At) -> String {
        let message = self.to_string();
        message.strip_prefix(&format!("{at}: ")).map_or(message.clone(), str::to_owned)
    }
}
