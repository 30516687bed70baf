//! Paths that cannot leave their tree.

use std::{fmt, str::FromStr};

use serde::Serialize;

/// A path inside a tree: relative, normalised, and unable to leave it. Every read from a source takes one.
///
/// The root is the empty path. Parts are separated by `/` and none of them is empty, `.` or `..`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct TreePath(String);

/// Why a text is not a path inside a tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It is absolute, or holds a NUL byte or a backslash.
    #[error("`{0}` is not a relative path with `/` between its parts")]
    NotRelative(String),
    /// It climbs above the root of the tree.
    #[error("`{0}` leaves the source")]
    LeavesTree(String),
}

impl TreePath {
    /// The root of a tree.
    pub fn root() -> Self {
        Self::default()
    }

    /// Reads `written` as a path below the directory `base`; fails if it is absolute, climbs above the root, or holds
    /// a NUL byte or a backslash.
    pub fn parse(base: &TreePath, written: &str) -> Result<Self, PathError> {
        if written.starts_with('/') || written.contains(['\0', '\\']) {
            return Err(PathError::NotRelative(written.to_owned()));
        }
        let mut parts: Vec<&str> = base.parts().collect();
        for part in written.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop().ok_or_else(|| PathError::LeavesTree(written.to_owned()))?;
                }
                name => parts.push(name),
            }
        }
        Ok(Self(parts.join("/")))
    }

    /// The path of the entry `name` of this directory.
    ///
    /// # Panics
    /// If `name` is not one part of a path: it comes from a listing, never from outside.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        assert!(!matches!(name, "" | "." | "..") && !name.contains('/'), "a listing names single parts");
        if self.0.is_empty() { Self(name.to_owned()) } else { Self(format!("{}/{name}", self.0)) }
    }

    /// The directory that holds this entry; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.0.is_empty() {
            return None;
        }
        Some(Self(self.0.rsplit_once('/').map_or("", |(parent, _)| parent).to_owned()))
    }

    /// The last part; `None` for the root.
    pub fn file_name(&self) -> Option<&str> {
        self.0.rsplit('/').next().filter(|name| !name.is_empty())
    }

    /// Whether this is `directory` itself or lies below it.
    pub fn is_within(&self, directory: &TreePath) -> bool {
        directory.0.is_empty()
            || self.0.strip_prefix(&directory.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The path with `/` between its parts; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts from the root down.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }
}

/// Reads a path below the root.
impl FromStr for TreePath {
    type Err = PathError;

    fn from_str(written: &str) -> Result<Self, PathError> {
        Self::parse(&Self::root(), written)
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "." } else { &self.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_below_its_base_or_refused() {
        let base: TreePath = "apps/web".parse().expect("relative");
        let rows = [
            ("x.yaml", "apps/web/x.yaml"),
            ("./a//b/", "apps/web/a/b"),
            ("../db", "apps/db"),
            ("../..", "."),
            ("..data", "apps/web/..data"),
            ("../../..", "`../../..` leaves the source"),
            ("a/../../../../etc", "`a/../../../../etc` leaves the source"),
            ("/etc/passwd", "`/etc/passwd` is not a relative path with `/` between its parts"),
            ("a\\b", "`a\\b` is not a relative path with `/` between its parts"),
        ];
        for (written, expected) in rows {
            let read = TreePath::parse(&base, written).map_or_else(|error| error.to_string(), |path| path.to_string());
            assert_eq!(read, expected, "{written}");
        }
    }

    #[test]
    fn containment_is_by_whole_parts() {
        let path = |text: &str| text.parse::<TreePath>().expect("relative");
        assert!(path("a/b/c").is_within(&path("a/b")));
        assert!(!path("a/bc").is_within(&path("a/b")));
        assert!(path("a").is_within(&TreePath::root()));
    }
}
