//! One line of ignore rules.

use fairlead_object::{EntryKind, TreePath};

use super::glob::Glob;

/// What a pattern says about a path that it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    LeaveOut,
    Keep,
}

/// One line of ignore rules, and the directory that it applies below.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    directory: Vec<String>,
    verdict: Verdict,
    kinds: Kinds,
    shape: Shape,
}

/// Which entries a pattern is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kinds {
    All,
    /// Directories and what is below them: the pattern ended with a slash.
    Directories,
}

#[derive(Clone, Debug)]
enum Shape {
    /// Without a slash inside: any part of the path may match.
    Name(Option<Glob>),
    /// With a slash inside: the path begins with these parts.
    Parts(Vec<Part>),
}

/// What stands between two slashes.
#[derive(Clone, Debug)]
enum Part {
    /// Nothing: the pattern began with a slash, or has two in a row.
    Empty,
    /// `**`: any number of directories.
    AnyDepth,
    Glob(Glob),
    /// Malformed, or with `**` next to something else.
    Never,
}

impl Pattern {
    pub(super) fn parse(directory: &TreePath, line: &str) -> Self {
        let (verdict, line) = match line.strip_prefix('!') {
            Some(rest) => (Verdict::Keep, rest),
            None => (Verdict::LeaveOut, line),
        };
        let line = if line.ends_with("\\ ") { line } else { line.trim_end_matches(' ') };
        let (kinds, line) = match line.strip_suffix('/') {
            Some(rest) => (Kinds::Directories, rest),
            None => (Kinds::All, line),
        };
        let shape = if line.contains('/') {
            Shape::Parts(line.split('/').map(Part::parse).collect())
        } else {
            Shape::Name(Glob::parse(line))
        };
        Self { directory: directory.parts().map(str::to_owned).collect(), verdict, kinds, shape }
    }

    /// What this pattern says about the entry at `path`; `None` if it does not match.
    pub(super) fn judge(&self, path: &[&str], kind: EntryKind) -> Option<Verdict> {
        let (directory, below) = path.split_at_checked(self.directory.len())?;
        if below.is_empty() || directory != self.directory {
            return None;
        }
        let after = match &self.shape {
            Shape::Name(glob) => after_name(glob.as_ref()?, below),
            Shape::Parts(parts) => after_parts(parts, below),
        }?;
        let is_file_itself = kind == EntryKind::File && after.is_empty();
        (self.kinds == Kinds::All || !is_file_itself).then_some(self.verdict)
    }
}

impl Part {
    fn parse(text: &str) -> Self {
        match text {
            "" => Self::Empty,
            "**" => Self::AnyDepth,
            text if text.contains("**") => Self::Never,
            text => Glob::parse(text).map_or(Self::Never, Self::Glob),
        }
    }
}

/// What is left of `path` after the first part that matches.
fn after_name<'a>(glob: &Glob, path: &'a [&'a str]) -> Option<&'a [&'a str]> {
    let found = path.iter().position(|name| glob.matches(name))?;
    Some(&path[found + 1..])
}

/// What is left of `path` after `parts`; `None` if it does not begin with them, or if they name nothing.
fn after_parts<'a>(parts: &[Part], path: &'a [&'a str]) -> Option<&'a [&'a str]> {
    let mut left = path;
    let mut at_any_depth = false;
    for part in parts {
        match part {
            Part::Empty => at_any_depth = false,
            // At the end it adds nothing: a match stands for everything below.
            Part::AnyDepth => at_any_depth = true,
            Part::Never => return None,
            Part::Glob(glob) => {
                let candidates = if at_any_depth { left } else { &left[..left.len().min(1)] };
                left = &left[candidates.iter().position(|name| glob.matches(name))? + 1..];
                at_any_depth = false;
            }
        }
    }
    (left.len() < path.len()).then_some(left)
}
