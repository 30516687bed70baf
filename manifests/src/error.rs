//! Why a build failed.

use fairlead_object::{ManifestError, ObjectId, Origin, TreeError, TreePath};

/// Why a build failed: what is wrong with which object or file, at which line.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The directory to build is not in the tree.
    #[error("directory `{0}` is not in the source")]
    PathMissing(TreePath),
    /// The tree could not be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A document is no object.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Two documents name one object.
    #[error("{second}: {id} is written twice, first at {first}")]
    Duplicate {
        /// The object.
        id: ObjectId,
        /// Where it stands first.
        first: Origin,
        /// Where it stands again.
        second: Origin,
    },
}

impl BuildError {
    /// What the reader can try, where the failure suggests it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::PathMissing(_) | Self::Tree(_) | Self::Manifest(_) | Self::Duplicate { .. } => None,
        }
    }
}
