//! Why what one object says of another cannot be followed.

use super::did_you_mean;
use crate::at::At;

/// Why what one object takes from another, its name or a value, cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// A reference by name cannot be followed.
    #[error("{at}: updating name reference in '{path}' field of '{id}': {problem}")]
    Name {
        /// The object that refers.
        at: At,
        /// Its id.
        id: String,
        /// The field.
        path: String,
        /// Why.
        problem: String,
    },
    /// A service account that a role binding names has an empty namespace.
    #[error("{at}: Invalid Input: namespace is blank for resource {id:?}")]
    BlankNamespace {
        /// The role binding.
        at: At,
        /// Its id.
        id: String,
    },
    /// Two vars have one name.
    #[error("{at}: var '{name}' already encountered")]
    RepeatedVar {
        /// The second one.
        at: At,
        /// Their name.
        name: String,
        /// The first one.
        first: At,
    },
    /// A var could mean several objects.
    #[error("{at}: found {found} resId matches for var {name} (unable to disambiguate)")]
    AmbiguousVar {
        /// The var.
        at: At,
        /// Its name.
        name: String,
        /// How many objects it could mean.
        found: usize,
    },
    /// A var means no object.
    #[error("{at}: var '{var}' cannot be mapped to a field in the set of known resources")]
    UnboundVar {
        /// The var.
        at: At,
        /// Its name, kind and field.
        var: String,
    },
    /// The object that a var means lacks the field.
    #[error("{at}: field specified in var '{var}' not found in corresponding resource {id}")]
    VarWithoutField {
        /// The var.
        at: At,
        /// Its name, kind and field.
        var: String,
        /// The object.
        id: String,
    },
    /// A replacement is incomplete or contradicts itself.
    #[error("{at}: {problem}")]
    Replacement {
        /// The entry.
        at: At,
        /// What is wrong.
        problem: String,
    },
    /// The source of a replacement is not there.
    #[error("{at}: nothing selected by {selector}")]
    ReplacementWithoutSource {
        /// The entry.
        at: At,
        /// What the source says.
        selector: String,
        /// The name that was probably meant.
        nearest: Option<String>,
    },
    /// A field that a replacement sets is not there.
    #[error("{at}: cannot replace in {id}: {problem}")]
    ReplacementField {
        /// The entry.
        at: At,
        /// The object.
        id: String,
        /// Which field, and why.
        problem: String,
    },
}

impl ReferenceError {
    /// What the reader can try, where the failure suggests it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::ReplacementWithoutSource { nearest, .. } => did_you_mean(nearest.as_deref()),
            Self::RepeatedVar { first, .. } => Some(format!("the first one is at {first}")),
            Self::Name { .. }
            | Self::BlankNamespace { .. }
            | Self::AmbiguousVar { .. }
            | Self::UnboundVar { .. }
            | Self::VarWithoutField { .. }
            | Self::Replacement { .. }
            | Self::ReplacementField { .. } => None,
        }
    }
}
