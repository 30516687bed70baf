//! Why a text is not YAML that we read.

use crate::Position;

/// A text that could not be read, and where.
///
/// Printed the way go-yaml prints it, which is what users of `kubectl` and `kustomize` search for:
/// `yaml: line 3: did not find expected key`. A caller that knows the file prints `file:{position}: {message}`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("yaml: line {position}: {message}")]
pub struct ParseError {
    /// Where reading stopped.
    pub position: Position,
    /// What is wrong there.
    pub message: String,
}

impl ParseError {
    pub(crate) fn new(position: Position, message: impl Into<String>) -> Self {
        Self { position, message: message.into() }
    }
}
