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

pub(crate) use glob::Glob;

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
    /// Largest such file of an archive.
    pub const FILE_LIMIT_BYTES: u64 = 1 << 20;
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

    /// The rules of a bucket with a `.sourceignore` at its root and the text of `spec.ignore`: what they say, and nothing
    /// else.
    pub fn of_bucket(file: Option<&str>, spec: Option<&str>) -> Self {
        let texts = file.into_iter().chain(spec);
        Self { patterns: texts.flat_map(|text| read(&TreePath::root(), text)).collect() }
    }

    /// Rules that are these `patterns`, and nothing else.
    pub fn of_patterns(patterns: &[String]) -> Self {
        Self { patterns: patterns.iter().flat_map(|text| read(&TreePath::root(), text)).collect() }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Says of each path whether it is left out; a path that ends with a slash is a directory.
    fn judged(files: &[(&str, &str)], spec: Option<&str>, paths: &[&str]) -> String {
        let files = files.iter().map(|(directory, text)| (directory.parse().expect("relative"), *text));
        let ignore = Ignore::new(files, spec);
        let lines = paths.iter().map(|written| {
            let kind = if written.ends_with('/') { EntryKind::Directory } else { EntryKind::File };
            let verdict = if ignore.excludes(&written.parse().expect("relative"), kind) { "-" } else { "+" };
            format!("{verdict} {written}")
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn one_pattern_matches_as_it_does_in_flux() {
        let (left_out, kept) = (true, false);
        let rows = [
            // Without a slash: any part of the path.
            ("value", "value", left_out),
            ("value", "a/value", left_out),
            ("value", "a/value/b", left_out),
            ("value", "a/values", kept),
            ("v*e", "a/value", left_out),
            ("*.log", "a/b.log/c", left_out),
            // Directories only.
            ("build/", "build/", left_out),
            ("build/", "build", kept),
            ("build/", "build/x", left_out),
            ("build/", "a/build/x", left_out),
            ("a/build/", "a/build", kept),
            ("a/build/", "a/build/x", left_out),
            // With a slash: a prefix, from the root.
            ("/deploy", "deploy", left_out),
            ("/deploy", "deploy/a/b.yaml", left_out),
            ("/deploy", "a/deploy", kept),
            ("deploy/a", "deploy/a/b", left_out),
            ("deploy/a", "x/deploy/a", kept),
            ("/*", "anything/below", left_out),
            // Any depth.
            ("**/.sops.yaml", ".sops.yaml", left_out),
            ("**/.sops.yaml", "a/b/.sops.yaml", left_out),
            ("**/a/b", "x/a/b", left_out),
            ("**/a/b", "x/a/c/a/b", kept),
            ("abc/**", "abc/x/y", left_out),
            ("abc/**", "abc", left_out),
            ("abc/**", "abcd", kept),
            ("a/**/b", "a/b", left_out),
            ("a/**/b", "a/x/y/b", left_out),
            ("a/**/b", "a/x/y", kept),
            ("a**/b", "ax/b", kept),
            ("a**b", "axxb", left_out),
            ("/**", "a", kept),
            ("/", "a", kept),
            // Globs.
            ("[^a].txt", "b.txt", left_out),
            ("[^a].txt", "a.txt", kept),
            ("[!a].txt", "!.txt", left_out),
            ("[!a].txt", "b.txt", kept),
            ("[a-c]x", "bx", left_out),
            ("[c-a]x", "bx", kept),
            ("[\\]]x", "]x", left_out),
            ("[a", "a", kept),
            ("[a", "[a", kept),
            ("[]a]", "a", kept),
            ("[-a]", "-", kept),
            ("a\\", "a", kept),
            ("\\*", "*", left_out),
            ("\\*", "a", kept),
            ("?", "é", left_out),
            ("*?b", "aab", left_out),
            ("a*b*c", "aXbYbZc", left_out),
            ("a*b*c", "aXbYbZ", kept),
            ("VALUE", "value", kept),
            // Spaces.
            ("value  ", "value", left_out),
            ("value\\ ", "value ", left_out),
            (" value", "value", kept),
        ];
        for (pattern, path, expected) in rows {
            let is_left_out = judged(&[], Some(pattern), &[path]).starts_with('-');
            assert_eq!(is_left_out, expected, "pattern `{pattern}`, path `{path}`");
        }
    }

    #[test]
    fn defaults_hold_until_a_user_writes_a_pattern() {
        let paths =
            [".git/config", ".gitignore", "logo.png", ".github/x.yml", "a/.flux.yaml", "a/b.yaml", ".sourceignore"];
        insta::assert_snapshot!(judged(&[], None, &paths), @r"
        - .git/config
        - .gitignore
        - logo.png
        - .github/x.yml
        - a/.flux.yaml
        + a/b.yaml
        + .sourceignore
        ");
        for spec in ["", "# only a comment", " \n\t\n"] {
            assert_eq!(judged(&[], Some(spec), &paths), judged(&[], None, &paths), "{spec:?}");
        }
        insta::assert_snapshot!(judged(&[("deep/below", "x")], None, &paths), @r"
        - .git/config
        - .gitignore
        + logo.png
        + .github/x.yml
        + a/.flux.yaml
        + a/b.yaml
        + .sourceignore
        ");
    }

    #[test]
    fn a_bucket_has_no_rules_but_its_own() {
        let judge = |file, spec, path: &str| {
            Ignore::of_bucket(file, spec).excludes(&path.parse().expect("relative"), EntryKind::File)
        };
        assert!(!judge(None, None, ".git/config") && !judge(None, None, "logo.png"));
        assert!(judge(Some("*.png"), None, "a/logo.png") && !judge(Some("*.png"), Some("!/a"), "a/logo.png"));
    }

    #[test]
    fn the_last_pattern_that_matches_decides() {
        let files = [("", "*.md\n!/docs\n"), ("docs", "internal.md\r\n/private\n"), ("docs/private", "!*.md")];
        let paths = [
            "README.md",
            "docs/",
            "docs/a.md",
            "docs/internal.md",
            "docs/private/",
            "docs/private/x.txt",
            "docs/private/y.md",
            "other/private",
            ".git/config",
        ];
        insta::assert_snapshot!(judged(&files, Some("!.git/"), &paths), @r"
        - README.md
        + docs/
        + docs/a.md
        - docs/internal.md
        - docs/private/
        - docs/private/x.txt
        + docs/private/y.md
        + other/private
        + .git/config
        ");
    }

    #[test]
    fn everything_but_one_folder_can_be_left_out() {
        let paths = ["a.yaml", "deploy/", "deploy/a.yaml", "deploy/b/c.yaml", "deployment.yaml"];
        insta::assert_snapshot!(judged(&[], Some("/*\n!/deploy\n"), &paths), @r"
        - a.yaml
        + deploy/
        + deploy/a.yaml
        + deploy/b/c.yaml
        - deployment.yaml
        ");
    }

    #[test]
    fn a_line_that_is_too_long_ends_the_text() {
        let limit = Ignore::LINE_LIMIT_BYTES;
        for (length, expected) in [(limit - 1, "- a\n- b"), (limit, "- a\n+ b")] {
            let text = format!("a\n{}\nb", "x".repeat(length));
            assert_eq!(judged(&[], Some(&text), &["a", "b"]), expected, "{length}");
        }
    }
}
