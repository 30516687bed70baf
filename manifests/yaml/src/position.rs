//! Where in a text a node stands.

use std::fmt;

/// A place in a text; both numbers count from 1, and 0 means that the node was not read from a text.
///
/// Printed as the line alone, so that `format!("{file}:{position}")` is what editors and terminals open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.line)
    }
}
