//! Why a build failed.

use fairlead_kustomize::{
    BuildError::{NoMetadata, Unnamed},
    ToManifestError,
};
use fairlead_object::{ManifestError, ObjectId, Origin, TreeError, TreePath};
use fairlead_yaml::ResolveError;

use crate::{limits::DIRECTORY_LIMIT_DEPTH, substitute::SubstituteError};

/// Why a build failed: what is wrong with which object or file, at which line.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The directory to build is not in the tree.
    #[error("kustomization path not found: `{0}` is not in the source")]
    PathMissing(TreePath),
    /// A file stands where the directory to build should be.
    #[error("kustomization path not found: `{0}` is a file, and only a directory can be built")]
    PathNotDirectory(TreePath),
    /// A plain directory goes deeper than it is searched.
    #[error("`{directory}` lies more than {DIRECTORY_LIMIT_DEPTH} directories deep")]
    TooDeep {
        /// The directory that is not searched any more.
        directory: TreePath,
    },
    /// The tree could not be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A kustomization could not be built.
    #[error(transparent)]
    Kustomize(#[from] fairlead_kustomize::BuildError),
    /// A file of a directory without a kustomization file could not be built.
    #[error(transparent)]
    PlainFile(fairlead_kustomize::BuildError),
    /// An object holds what JSON cannot, a key that is there twice among it.
    #[error("{at}: cannot read the object")]
    Unreadable {
        /// Where it holds it.
        at: Origin,
        /// What it holds.
        source: ResolveError,
    },
    /// What was built is no object.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The variables of an object could not be expanded.
    #[error(transparent)]
    Substitute(#[from] Box<SubstituteError>),
    /// Two documents name one object.
    #[error(transparent)]
    Duplicate(#[from] Box<Duplicate>),
}

/// An object that is there twice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{second}: {id} is there twice; the first is at {first}")]
pub struct Duplicate {
    /// The object.
    pub id: ObjectId,
    /// Where it was written first.
    pub first: Origin,
    /// Where it was written again.
    pub second: Origin,
}

impl From<ToManifestError> for BuildError {
    fn from(error: ToManifestError) -> Self {
        match error {
            ToManifestError::Unprintable { origin, source } => {
                Self::Unreadable { at: Origin::new(origin.file, source.position().line), source }
            }
            ToManifestError::Manifest(error) => Self::Manifest(error),
        }
    }
}

impl BuildError {
    /// Whether a file or directory that is named is not in the tree.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::PathMissing(_) => true,
            Self::PlainFile(error) | Self::Kustomize(error) => error.is_missing(),
            Self::PathNotDirectory(_)
            | Self::TooDeep { .. }
            | Self::Tree(_)
            | Self::Unreadable { .. }
            | Self::Manifest(_)
            | Self::Substitute(_)
            | Self::Duplicate(_) => false,
        }
    }

    /// What the reader can try, where the failure suggests it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::PlainFile(NoMetadata { .. } | Unnamed { .. }) => Some(
                "a directory without a kustomization file is applied whole: name what is meant in a \
                 `kustomization.yaml`, or leave the file out with a `.sourceignore`"
                    .to_owned(),
            ),
            Self::PlainFile(error) | Self::Kustomize(error) => error.hint(),
            Self::Substitute(error) => error.hint(),
            Self::PathMissing(_)
            | Self::PathNotDirectory(_)
            | Self::TooDeep { .. }
            | Self::Tree(_)
            | Self::Unreadable { .. }
            | Self::Manifest(_)
            | Self::Duplicate(_) => None,
        }
    }
}
