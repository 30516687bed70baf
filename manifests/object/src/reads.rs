//! What a build has looked at, so that it need not be done again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use crate::{Digest, Entry, EntryKind, Tree, TreeError, TreePath};

/// Everything that a build looked at in a tree: contents, listings, and names that were looked for and not there.
///
/// A tree in which nothing of it has changed builds to the same manifests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadSet {
    files: BTreeMap<TreePath, Digest>,
    listings: BTreeMap<TreePath, Digest>,
    kinds: BTreeMap<TreePath, EntryKind>,
    absent: BTreeSet<TreePath>,
}

impl ReadSet {
    /// The first path whose content, listing or absence is another in `tree`; `None` if all is as it was.
    pub fn first_change_in(&self, tree: &dyn Tree) -> Option<&TreePath> {
        let absent = self.absent.iter().find(|path| !matches!(tree.entry(path), Ok(None)));
        absent
            .or_else(|| {
                self.kinds.iter().find(|(path, kind)| kind_of(tree, path) != Some(**kind)).map(|(path, _)| path)
            })
            .or_else(|| first_other(&self.files, |path| tree.digest(path)))
            .or_else(|| first_other(&self.listings, |path| Ok(listing_digest(&tree.list(path)?))))
    }

    /// The files whose content is another in `tree`, if nothing else is; `None` if a listing, an absence or a kind is.
    pub fn changed_files_in(&self, tree: &dyn Tree) -> Option<Vec<&TreePath>> {
        let others = Self { files: BTreeMap::new(), ..self.clone() };
        if others.first_change_in(tree).is_some() {
            return None;
        }
        let is_other = |(path, digest): &(&TreePath, &Digest)| tree.digest(path).ok() != Some(**digest);
        Some(self.files.iter().filter(is_other).map(|(path, _)| path).collect())
    }

    /// The directories in which something that was looked at stands, or was missed.
    pub fn directories(&self) -> BTreeSet<TreePath> {
        let entries = self.files.keys().chain(self.kinds.keys()).chain(&self.absent);
        entries.filter_map(TreePath::parent).chain(self.listings.keys().cloned()).collect()
    }

    /// The files that were read.
    pub fn files(&self) -> impl Iterator<Item = &TreePath> {
        self.files.keys()
    }
}

fn kind_of(tree: &dyn Tree, path: &TreePath) -> Option<EntryKind> {
    tree.entry(path).ok().flatten().map(|entry| entry.kind)
}

fn first_other(
    recorded: &BTreeMap<TreePath, Digest>,
    now: impl Fn(&TreePath) -> Result<Digest, TreeError>,
) -> Option<&TreePath> {
    recorded.iter().find(|(path, digest)| now(path).ok() != Some(**digest)).map(|(path, _)| path)
}

fn listing_digest(entries: &[Entry]) -> Digest {
    Digest::of_parts(entries.iter().flat_map(|entry| {
        let kind: &[u8] = if entry.kind == EntryKind::File { b"f" } else { b"d" };
        [entry.name.as_bytes(), kind]
    }))
}

/// A tree that writes down everything that is asked of it.
pub struct Recorder<'a> {
    tree: &'a dyn Tree,
    seen: Mutex<ReadSet>,
}

impl<'a> Recorder<'a> {
    /// Records what is read of `tree`.
    pub fn new(tree: &'a dyn Tree) -> Self {
        Self { tree, seen: Mutex::default() }
    }

    /// What was read.
    pub fn into_reads(self) -> ReadSet {
        self.seen.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn note<T>(&self, write: impl FnOnce(&mut ReadSet) -> T) -> T {
        write(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes the digest of a file, which is the same however often a build reads it.
    fn note_content(&self, path: &TreePath, content: &[u8]) -> Result<(), TreeError> {
        if self.note(|seen| seen.files.contains_key(path)) {
            return Ok(());
        }
        let digest = self.tree.digest_of(path, content)?;
        self.note(|seen| seen.files.insert(path.clone(), digest));
        Ok(())
    }
}

impl Tree for Recorder<'_> {
    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        let entry = self.tree.entry(path)?;
        self.note(|seen| {
            if let Some(entry) = &entry {
                seen.kinds.insert(path.clone(), entry.kind);
            } else {
                seen.absent.insert(path.clone());
            }
        });
        Ok(entry)
    }

    fn list(&self, path: &TreePath) -> Result<Vec<Entry>, TreeError> {
        let entries = self.tree.list(path)?;
        self.note(|seen| {
            seen.listings.insert(path.clone(), listing_digest(&entries));
        });
        Ok(entries)
    }

    fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, TreeError> {
        let content = self.tree.read(path);
        match &content {
            Ok(content) => self.note_content(path, content)?,
            Err(TreeError::Missing(_)) => self.note(|seen| {
                seen.absent.insert(path.clone());
            }),
            Err(_) => {}
        }
        content
    }

    fn digest(&self, path: &TreePath) -> Result<Digest, TreeError> {
        self.tree.digest(path)
    }

    fn digest_of(&self, path: &TreePath, content: &[u8]) -> Result<Digest, TreeError> {
        self.tree.digest_of(path, content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryTree;

    #[test]
    fn a_change_of_what_was_read_listed_or_missed_is_seen_and_nothing_else() {
        let files = [("app/a.yaml", "a"), ("other/b.yaml", "b")];
        let tree = MemoryTree::new(files).expect("paths");
        let path = |text: &str| text.parse::<TreePath>().expect("relative");
        let recorder = Recorder::new(&tree);
        recorder.list(&path("app")).expect("listed");
        recorder.read(&path("app/a.yaml")).expect("read");
        assert!(recorder.entry(&path("kustomization.yaml")).expect("looked for").is_none());
        let reads = recorder.into_reads();

        let change = |name: &str| {
            let mut changed = tree.clone();
            changed.insert(path(name), "changed".as_bytes());
            reads.first_change_in(&changed).map(ToString::to_string)
        };
        assert_eq!(change("other/b.yaml"), None);
        assert_eq!(change("app/a.yaml").as_deref(), Some("app/a.yaml"));
        assert_eq!(change("app/new.yaml").as_deref(), Some("app"));
        assert_eq!(change("kustomization.yaml").as_deref(), Some("kustomization.yaml"));
    }
}
