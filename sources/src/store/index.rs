//! Which revisions of which source are kept: one file for each source, replaced as a whole.
//!
//! A file is the digest of its JSON, a line break, and the JSON. One that does not read back is reported and dropped:
//! its source is fetched again.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use fairlead_object::Digest;
use serde::{Deserialize, Serialize};

use super::{Artifact, Form, SourceKey, StoreError, files::Files};

const FOLDER: &str = "index";

/// The `.tar.gz` that a tree was packed into here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packed {
    pub(crate) digest: Digest,
    pub(crate) size_bytes: u64,
}

/// What the store's files say, in memory.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// The kept revisions of each source, the current one first; never empty.
    sources: BTreeMap<SourceKey, Vec<Artifact>>,
    /// The packed form of each tree that has one.
    packed: HashMap<Digest, Packed>,
    /// Trees that were found to lack something.
    incomplete: HashSet<Digest>,
    /// Packed forms that this process has made or read.
    verified: HashSet<Digest>,
}

#[derive(Serialize, Deserialize)]
struct Record {
    key: SourceKey,
    artifacts: Vec<Artifact>,
}

impl Index {
    /// Reads the index below the root of `files`.
    pub(crate) fn load(files: &Files) -> Result<Self, StoreError> {
        let mut index = Self::default();
        for path in files.list(FOLDER)? {
            if let Some(Record { key, artifacts }) = read(&path) {
                index.set(&key, artifacts);
            } else {
                tracing::warn!(file = %path.display(), "damaged entry of the artifact index removed");
                files.remove(&path)?;
            }
        }
        Ok(index)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &SourceKey> {
        self.sources.keys()
    }

    pub(crate) fn kept(&self, key: &SourceKey) -> &[Artifact] {
        self.sources.get(key).map_or(&[], Vec::as_slice)
    }

    /// Whether a source names the tree at `root`.
    pub(crate) fn is_kept(&self, root: &Digest) -> bool {
        self.artifacts().any(|artifact| artifact.tree == *root)
    }

    pub(crate) fn artifacts(&self) -> impl Iterator<Item = &Artifact> {
        self.sources.values().flatten()
    }

    /// Replaces what is kept of `key`.
    pub(crate) fn set(&mut self, key: &SourceKey, artifacts: Vec<Artifact>) {
        for artifact in artifacts.iter().filter(|artifact| artifact.form == Form::Packed) {
            self.set_packed(artifact.tree, Packed { digest: artifact.digest, size_bytes: artifact.size_bytes });
        }
        if artifacts.is_empty() {
            self.sources.remove(key);
        } else {
            self.sources.insert(key.clone(), artifacts);
        }
    }

    pub(crate) fn packed(&self, tree: &Digest) -> Option<Packed> {
        self.packed.get(tree).copied()
    }

    pub(crate) fn set_packed(&mut self, tree: Digest, packed: Packed) {
        self.packed.insert(tree, packed);
    }

    /// Forgets what is known of all trees and packed forms but those that `is_kept`.
    pub(crate) fn retain(&mut self, is_kept: impl Fn(&Digest) -> bool) {
        self.packed.retain(|tree, _| is_kept(tree));
        self.incomplete.retain(&is_kept);
        self.verified.retain(&is_kept);
    }

    pub(crate) fn is_verified(&self, packed: &Digest) -> bool {
        self.verified.contains(packed)
    }

    pub(crate) fn set_verified(&mut self, packed: Digest) {
        self.verified.insert(packed);
    }

    pub(crate) fn is_incomplete(&self, tree: &Digest) -> bool {
        self.incomplete.contains(tree)
    }

    pub(crate) fn set_incomplete(&mut self, tree: Digest) {
        self.incomplete.insert(tree);
    }

    pub(crate) fn set_complete(&mut self, tree: &Digest) {
        self.incomplete.remove(tree);
    }
}

/// Replaces the file of `key` in one step, after its content has reached the disk.
pub(crate) fn save(files: &Files, key: &SourceKey, artifacts: &[Artifact]) -> Result<(), StoreError> {
    let path = file_of(files, key);
    if artifacts.is_empty() {
        return files.remove(&path);
    }
    let record = Record { key: key.clone(), artifacts: artifacts.to_vec() };
    let json = serde_json::to_string(&record).expect("keys and artifacts are plain JSON");
    let mut file = files.temporary()?;
    file.write(format!("{}\n{json}", Digest::of(json.as_bytes())).as_bytes())?;
    file.sync()?;
    file.keep_as(&path)
}

fn file_of(files: &Files, key: &SourceKey) -> PathBuf {
    let SourceKey { kind, namespace, name } = key;
    let id = Digest::of_parts([kind.folder().as_bytes(), namespace.as_bytes(), name.as_bytes()]);
    files.at(&format!("{FOLDER}/{}", id.hex()))
}

fn read(path: &Path) -> Option<Record> {
    let content = fs::read_to_string(path).ok()?;
    let (digest, json) = content.split_once('\n')?;
    if digest.parse() != Ok(Digest::of(json.as_bytes())) {
        return None;
    }
    serde_json::from_str(json).ok().filter(|record: &Record| !record.artifacts.is_empty())
}
