//! Where something was written.

use std::fmt;

use serde::Serialize;

use crate::TreePath;

/// Where an object was written: the file, the line of its first key, and what it went through since.
///
/// Printed as `file:line`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The file that the object was read from; a generated object names the file that asked for it.
    pub file: TreePath,
    /// Line of the object in that file, from 1.
    pub line: u32,
    /// The kustomization files that the object passed, innermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overlays: Vec<TreePath>,
}

impl Origin {
    /// An object at `line` (from 1) of `file`.
    pub fn new(file: TreePath, line: u32) -> Self {
        Self { file, line, overlays: Vec::new() }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
