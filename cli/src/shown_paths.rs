//! Paths in texts for people, so that a terminal opens the file that is meant.

use std::{
    error::Error,
    fmt,
    path::{Path, PathBuf},
};

use crate::output::{CommandError, Hinted};

/// How the paths of a tree are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ShownPaths {
    /// From the root of the tree, as the controller tells them too.
    AsInTree,
    /// From this folder, and in full what is not below it: the tree is the whole file system.
    From(PathBuf),
}

/// What ends a word that may be a path.
const ENDS: &[char] = &[' ', '\n', '\t', '\'', '"', '`', '(', ')', ',', ';'];

impl ShownPaths {
    /// `text` with the paths in it as they are shown: of files that exist, or that would lie in a folder that does. Lines of a diff that quote an object stay.
    pub(crate) fn in_text(&self, text: &str) -> String {
        match self {
            Self::AsInTree => text.to_owned(),
            Self::From(folder) => text.split_inclusive('\n').map(|line| in_line(line, folder)).collect(),
        }
    }

    /// The path `path` of the tree.
    pub(crate) fn path(&self, path: &str) -> String {
        match self {
            Self::AsInTree => path.to_owned(),
            Self::From(folder) => {
                let full = Path::new("/").join(path);
                full.strip_prefix(folder).unwrap_or(&full).display().to_string()
            }
        }
    }

    /// `error` with the paths in its text, its causes and its hint as they are shown.
    pub(crate) fn in_error(&self, error: CommandError) -> CommandError {
        if *self == Self::AsInTree {
            return error;
        }
        match error.downcast::<Hinted>() {
            Ok(hinted) => Hinted::new(Retold::of(&*hinted, self), self.in_text(hinted.hint())).into(),
            Err(error) => Retold::of(&*error, self).into(),
        }
    }
}

fn in_line(line: &str, folder: &Path) -> String {
    if line.trim_start().starts_with(['+', '-']) {
        return line.to_owned();
    }
    line.split_inclusive(ENDS).map(|word| in_word(word, folder)).collect()
}

fn in_word(word: &str, folder: &Path) -> String {
    let path = word.trim_end_matches(ENDS).split(':').next().unwrap_or_default();
    let full = Path::new("/").join(path);
    if !path.contains('/') || path.starts_with('/') || !may_be_a_path(&full) {
        return word.to_owned();
    }
    let shown = full.strip_prefix(folder).unwrap_or(&full);
    format!("{}{}", shown.display(), &word[path.len()..])
}

/// Whether a file is there, or might be: in a folder that is there and not at the top of the file system.
fn may_be_a_path(path: &Path) -> bool {
    let folder = path.ancestors().skip(1).find(|folder| folder.exists());
    path.exists() || folder.is_some_and(|folder| folder.components().count() > 2)
}

/// An error in other words.
#[derive(Debug)]
struct Retold {
    text: String,
    source: Option<Box<Retold>>,
}

impl Retold {
    fn of(error: &(dyn Error + 'static), paths: &ShownPaths) -> Self {
        let source = error.source().map(|source| Box::new(Self::of(source, paths)));
        Self { text: paths.in_text(&error.to_string()), source }
    }
}

impl fmt::Display for Retold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Retold {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_path_can_be_opened_from_the_current_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = fs::canonicalize(folder.path()).expect("it is there");
        fs::create_dir(folder.join("app")).expect("a folder");
        fs::write(folder.join("app/web.yaml"), "").expect("a file");
        let root = folder.display().to_string();
        let in_tree = root.trim_start_matches('/');
        let rows = [
            (format!("{in_tree}/app/web.yaml:3: no"), "app/web.yaml:3: no".to_owned()),
            (format!("the first is at {in_tree}/app/web.yaml:3"), "the first is at app/web.yaml:3".to_owned()),
            (format!("`{in_tree}/app/web.yaml` < x/y"), "`app/web.yaml` < x/y".to_owned()),
            (format!("'{root}/app/web.yaml' is a file"), format!("'{root}/app/web.yaml' is a file")),
            (format!("unpacked at `{in_tree}/charts/web`"), "unpacked at `charts/web`".to_owned()),
            ("apps/v1 tmp/gone".to_owned(), "apps/v1 tmp/gone".to_owned()),
            (format!("  +{in_tree}/app/web.yaml"), format!("  +{in_tree}/app/web.yaml")),
        ];
        let paths = ShownPaths::From(folder);
        for (text, expected) in rows {
            assert_eq!(paths.in_text(&text), expected);
        }
        let elsewhere = ShownPaths::From("/elsewhere".into());
        assert_eq!(elsewhere.in_text(&format!("{in_tree}/app/web.yaml:3")), format!("{root}/app/web.yaml:3"));
    }
}
