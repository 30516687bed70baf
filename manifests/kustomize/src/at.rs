//! Where something in a kustomization was written.

use std::{
    fmt,
    ops::{Deref, DerefMut},
};

use fairlead_object::TreePath;
use fairlead_yaml::Written;

/// Where a field or an entry was written: a line of a file, or a field of the object that adds to the kustomization.
///
/// Printed as `file:line` or as the field's path, which is how every error of a build begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// A line (from 1) of a file.
    Line {
        /// The file.
        file: TreePath,
        /// The line, from 1.
        line: u32,
    },
    /// A field outside the tree, as `spec.patches[0]`.
    Field(String),
}

impl At {
    /// Line `line` (from 1) of `file`.
    pub fn line(file: &TreePath, line: u32) -> Self {
        Self::Line { file: file.clone(), line }
    }

    /// The field `path` of an object outside the tree.
    pub fn field(path: impl Into<String>) -> Self {
        Self::Field(path.into())
    }

    /// What a field is marked with that was written by what stands here.
    pub(crate) fn mark(&self) -> Written {
        match self {
            Self::Line { file, line } => Written::by(file.as_str(), *line),
            Self::Field(path) => Written::by(path.as_str(), 0),
        }
    }

    /// Line `line` (from 1) of a text whose first line is here.
    pub(crate) fn line_below(&self, line: u32) -> Self {
        match self {
            Self::Line { file, line: first } => Self::line(file, first + line.max(1) - 1),
            Self::Field(path) => Self::Field(path.clone()),
        }
    }

    /// The file, where it is one.
    pub fn file(&self) -> Option<&TreePath> {
        match self {
            Self::Line { file, .. } => Some(file),
            Self::Field(_) => None,
        }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { file, line } => write!(f, "{file}:{line}"),
            Self::Field(path) => f.write_str(path),
        }
    }
}

/// A value with where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Located<T> {
    /// Where it was written.
    pub at: At,
    /// The value.
    pub value: T,
}

impl<T> Located<T> {
    /// `value`, written at `at`.
    pub fn new(at: At, value: T) -> Self {
        Self { at, value }
    }
}

impl<T> Deref for Located<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Located<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}
