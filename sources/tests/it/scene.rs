//! A store in a temporary folder, and what tests put into it.

use std::{
    ffi::OsStr,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use fairlead_object::{Digest, EntryKind, Tree, TreePath};
use fairlead_sources::store::{
    Artifact, Mode, Release, SourceKey, SourceKind, Store, StoreError, StoreSettings, StoredTree,
};
use jiff::{Timestamp, ToSpan};
use tempfile::TempDir;

pub(crate) struct Scene {
    folder: TempDir,
    pub(crate) store: Store,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(folder.path(), StoreSettings::default()).expect("opened");
        Self { folder, store }
    }

    /// The same folder in the hands of a new process.
    pub(crate) fn restarted(self) -> Self {
        let Self { folder, store } = self;
        drop(store);
        let store = Store::open(folder.path(), StoreSettings::default()).expect("opened again");
        Self { folder, store }
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn publish(&self, name: &str, revision: &str, files: &[(&str, &str)], second: i64) -> Artifact {
        let tree = tree(&self.store, files);
        self.store.publish(&key(name), &Release::new(revision, &tree), at(second)).expect("published")
    }

    /// Where a content lies on disk.
    pub(crate) fn file_of(&self, kind: &str, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.root().join(kind).join(&hex[..2]).join(hex)
    }

    /// The number of files on disk in each folder of the store.
    pub(crate) fn census(&self) -> String {
        let count = |folder: &str| files_below(&self.root().join(folder)).len();
        format!("{} blobs, {} trees, {} sources", count("blobs"), count("trees"), count("index"))
    }
}

pub(crate) fn key(name: &str) -> SourceKey {
    SourceKey { kind: SourceKind::GitRepository, namespace: "flux-system".into(), name: name.into() }
}

/// So many seconds after the tests' first one.
pub(crate) fn at(second: i64) -> Timestamp {
    "2026-01-02T03:04:05Z".parse::<Timestamp>().expect("a time") + second.seconds()
}

pub(crate) fn path(text: &str) -> TreePath {
    text.parse().expect("a relative path")
}

/// A tree of `files`; those whose name ends with `.sh` may be executed.
pub(crate) fn tree(store: &Store, files: &[(&str, &str)]) -> StoredTree {
    let mut writer = store.writer();
    for (name, content) in files {
        let mode = if Path::new(name).extension() == Some(OsStr::new("sh")) { Mode::Executable } else { Mode::Regular };
        let digest = writer.put(content.as_bytes()).expect("put");
        writer.add(&path(name), mode, digest).expect("added");
    }
    writer.finish().expect("finished")
}

/// Every file of `tree` with its content, read as a build reads it.
pub(crate) fn contents(tree: &StoredTree) -> Result<String, String> {
    let mut lines = String::new();
    let mut directories = vec![TreePath::root()];
    while let Some(directory) = directories.pop() {
        for entry in tree.list(&directory).map_err(|error| chain(&error))? {
            let path = directory.join(&entry.name);
            match entry.kind {
                EntryKind::Directory => directories.push(path),
                EntryKind::File => {
                    let content = tree.read(&path).map_err(|error| chain(&error))?;
                    writeln!(lines, "{path}: {}", String::from_utf8_lossy(&content)).expect("a String");
                }
            }
        }
    }
    Ok(lines)
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(text, ": {error}").expect("a String");
        cause = error.source();
    }
    text
}

pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("listed").path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

pub(crate) fn artifact_tree(store: &Store, name: &str) -> Result<StoredTree, StoreError> {
    store.tree(&store.artifact(&key(name)).expect("published").tree)
}
