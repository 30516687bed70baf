//! Objects that nothing can be done with, whatever their kind.

use fairlead_api::reasons;

/// Why an object cannot be reconciled until someone edits it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("the object cannot be read: {0}")]
    Unreadable(String),
    #[error("{} is not supported yet: remove it", .0.join(", "))]
    Unsupported(Vec<&'static str>),
}

impl Unusable {
    /// Refuses an object that sets the fields `unsupported`, if there are any.
    pub(crate) fn refuse(unsupported: Vec<&'static str>) -> Result<(), Self> {
        if unsupported.is_empty() { Ok(()) } else { Err(Self::Unsupported(unsupported)) }
    }

    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => reasons::INVALID_FIELD,
            Self::Unsupported(_) => reasons::UNSUPPORTED_FIELD,
        }
    }
}
