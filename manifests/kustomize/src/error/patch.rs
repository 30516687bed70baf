//! Why a patch cannot be used.

use super::{BuildError, did_you_mean};
use crate::at::At;

/// Why a patch cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// A patch is incomplete or contradicts itself.
    #[error("{at}: {problem}")]
    Bad {
        /// The entry or file.
        at: At,
        /// What is wrong.
        problem: String,
    },
    /// A patch is neither a strategic-merge patch nor a JSON patch.
    #[error("{at}: unable to parse SM or JSON patch from {shown}: no JSON patch ({as_json})")]
    Neither {
        /// The entry.
        at: At,
        /// The patch or its file.
        shown: String,
        /// Why it is no JSON patch.
        as_json: String,
        /// Why it is no strategic-merge patch.
        source: Box<BuildError>,
    },
    /// A strategic-merge patch names an object that is not there.
    #[error(
        "{at}: no resource matches strategic merge patch {id:?}: no matches for Id {id}; \
         failed to find unique target for patch {id}"
    )]
    WithoutTarget {
        /// The patch.
        at: At,
        /// The object that it names.
        id: String,
        /// The object that was probably meant.
        nearest: Option<String>,
    },
    /// A strategic-merge patch names several objects.
    #[error("{at}: multiple matches for Id {id}; failed to find unique target for patch {id}")]
    SeveralTargets {
        /// The patch.
        at: At,
        /// The object that it names.
        id: String,
        /// The objects that bear or bore the name.
        found: Vec<String>,
    },
    /// A strategic-merge patch does not fit its object.
    #[error("{at}: cannot patch {id}: {problem}")]
    Merge {
        /// The patch.
        at: At,
        /// The object.
        id: String,
        /// What does not fit.
        problem: String,
    },
    /// A JSON patch does not apply.
    #[error("{at}: cannot patch {id}: {problem}")]
    Operation {
        /// The patch.
        at: At,
        /// The object.
        id: String,
        /// Which operation, and why.
        problem: String,
    },
}

impl PatchError {
    /// What the reader can try, where the failure suggests it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::WithoutTarget { nearest, .. } => did_you_mean(nearest.as_deref()),
            Self::SeveralTargets { found, .. } => {
                Some(format!("name the object by its last name, one of: {}", found.join(", ")))
            }
            Self::Neither { source, .. } => source.hint(),
            Self::Bad { .. } | Self::Merge { .. } | Self::Operation { .. } => None,
        }
    }
}
