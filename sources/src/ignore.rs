//! Which files of a source are left out of its artifact.
//!
//! Patterns come in layers, and the last pattern that matches a path decides about it: the files of version control, then
//! Flux's defaults (pictures, archives, settings of build services) unless a user has written any pattern at all, then the
//! `.sourceignore` file of each directory, and last `spec.ignore`.
//!
//! # Follows Flux
//! Patterns look like those of `.gitignore` and mean something else, which users have come to rely on:
//! - Each path is judged alone, so that a file can be kept below a directory that is not.
//! - A pattern with a slash inside is a prefix: `/deploy` stands for everything below it too.
//! - A pattern without one is tried on every part of the path.
//! - `**` stands for directories only as a whole part; `a**/b` matches nothing.
//! - Globs are those of Go's `filepath.Match`: `[^a]` negates and `[!a]` does not; a malformed one matches nothing.

mod glob;
mod pattern;

use fairlead_object::{EntryKind, TreePath};

use pattern::{Pattern, Verdict};

/// Always left out, unless a pattern keeps them.
const VERSION_CONTROL: [&str; 4] = [".git/", ".gitignore", ".gitmodules", ".gitattributes"];

/// Left out of sources without a pattern of their own.
const DEFAULTS: [&str; 20] = [
    "*.jpg",
    "*.jpeg",
    "*.gif",
    "*.png",
    "*.wmv",
    "*.flv",
    "*.tar.gz",
    "*.zip",
    ".github/",
    ".circleci/",
    ".travis.yml",
    ".gitlab-ci.yml",
    "appveyor.yml",
    ".drone.yml",
    "cloudbuild.yaml",
    "codeship-services.yml",
    "codeship-steps.yml",
    "**/.goreleaser.yml",
    "**/.sops.yaml",
    "**/.flux.yaml",
];

/// Which files of a source are left out of its artifact.
#[derive(Clone, Debug)]
pub struct Ignore {
    patterns: Vec<Pattern>,
}

impl Ignore {
    /// The name of the files that hold patterns for their directory.
    pub const FILE_NAME: &str = ".sourceignore";
    /// A line of this many bytes ends the reading of its text, as in Flux.
    const LINE_LIMIT_BYTES: usize = 64 << 10;

    /// The rules of a source with the `.sourceignore` files `files`, each with its directory, and the text of
    /// `spec.ignore`.
    pub fn new<'a>(files: impl IntoIterator<Item = (TreePath, &'a str)>, spec: Option<&'a str>) -> Self {
        let mut files: Vec<_> = files.into_iter().collect();
        files.sort_by(|(a, _), (b, _)| a.cmp(b));
        let texts = files.into_iter().chain(spec.map(|text| (TreePath::root(), text)));
        let written: Vec<Pattern> = texts.flat_map(|(directory, text)| read(&directory, text)).collect();

        let defaults: &[&str] = if written.is_empty() { &DEFAULTS } else { &[] };
        let built_in = VERSION_CONTROL.iter().chain(defaults).map(|line| Pattern::parse(&TreePath::root(), line));
        Self { patterns: built_in.chain(written).collect() }
    }

    /// Whether the entry at `path` is left out. What stands below a directory that is left out is judged by itself.
    pub fn excludes(&self, path: &TreePath, kind: EntryKind) -> bool {
        let parts: Vec<&str> = path.parts().collect();
        let verdict = self.patterns.iter().rev().find_map(|pattern| pattern.judge(&parts, kind));
        verdict == Some(Verdict::LeaveOut)
    }
}

/// The patterns of a text, which apply below `directory`.
fn read(directory: &TreePath, text: &str) -> Vec<Pattern> {
    text.split('\n')
        .take_while(|line| line.len() < Ignore::LINE_LIMIT_BYTES)
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| Pattern::parse(directory, line))
        .collect()
}
