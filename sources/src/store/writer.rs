//! How a tree comes into the store.

use std::{collections::BTreeMap, io::Read};

use fairlead_object::{Digest, TreePath};

use super::{
    Mode, Store, StoreError, StoredTree, TreeLimit,
    directory::{Directory, Node},
    objects::ObjectKind,
    pins::WriterId,
};

/// Collects the files of a tree: first contents are put, then they are given paths.
///
/// As long as it lives, nothing that was put or added through it is removed from the store.
pub struct TreeWriter {
    store: Store,
    id: WriterId,
    root: Level,
    files: usize,
    total_bytes: u64,
}

/// A directory that is being collected.
#[derive(Default)]
struct Level(BTreeMap<String, Slot>);

enum Slot {
    File(Node),
    Directory(Level),
}

impl TreeWriter {
    /// Largest file of a source, in bytes.
    pub const FILE_LIMIT_BYTES: u64 = 256 << 20;
    /// Largest sum of a source's files, in bytes.
    pub const TOTAL_LIMIT_BYTES: u64 = 4 << 30;
    /// Most files that a source may have.
    pub const FILES_LIMIT: usize = 500_000;
    /// Most parts that a path in a source may have.
    pub const DEPTH_LIMIT: usize = 64;

    pub(super) fn new(store: Store) -> Self {
        let id = store.pins().add_writer();
        Self { store, id, root: Level::default(), files: 0, total_bytes: 0 }
    }

    /// Puts the content of a file.
    pub fn put(&self, content: &[u8]) -> Result<Digest, StoreError> {
        if content.len() as u64 > Self::FILE_LIMIT_BYTES {
            return Err(StoreError::BlobTooLarge { limit_bytes: Self::FILE_LIMIT_BYTES });
        }
        self.put_on(ObjectKind::Blob, content)
    }

    /// Puts the content of a file chunk by chunk.
    pub fn blob(&self, content: &mut impl Read) -> Result<Digest, StoreError> {
        let objects = self.store.objects();
        let (file, digest) = objects.stage(content, Self::FILE_LIMIT_BYTES)?;
        let _no_sweep = self.store.hold_sweep();
        self.store.pins().pin(self.id, digest);
        file.keep_as(&objects.path(ObjectKind::Blob, &digest))?;
        Ok(digest)
    }

    /// Gives a content that is in the store a path in the tree.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if the content is not in the store (any more): put it, then add it again.
    pub fn add(&mut self, path: &TreePath, mode: Mode, digest: Digest) -> Result<(), StoreError> {
        let size_bytes = {
            let _no_sweep = self.store.hold_sweep();
            self.store.pins().pin(self.id, digest);
            self.store.objects().size_bytes(ObjectKind::Blob, &digest)?
        };
        self.files += 1;
        self.total_bytes = self.total_bytes.saturating_add(size_bytes);
        self.check_limits(path)?;
        self.root.insert(path, Node::File { mode, digest, size_bytes })
    }

    /// Stores the tree. It stays as long as the answer lives, and from then on as long as a source names it.
    pub fn finish(self) -> Result<StoredTree, StoreError> {
        let root = self.put_level(&self.root)?;
        self.store.tree(&root)
    }

    fn check_limits(&self, path: &TreePath) -> Result<(), StoreError> {
        let limit = if self.files > Self::FILES_LIMIT {
            TreeLimit::Files(Self::FILES_LIMIT)
        } else if self.total_bytes > Self::TOTAL_LIMIT_BYTES {
            TreeLimit::TotalBytes(Self::TOTAL_LIMIT_BYTES)
        } else if path.parts().count() > Self::DEPTH_LIMIT {
            TreeLimit::Depth(Self::DEPTH_LIMIT)
        } else {
            return Ok(());
        };
        Err(StoreError::Limit { path: path.clone(), limit })
    }

    fn put_level(&self, level: &Level) -> Result<Digest, StoreError> {
        let mut entries = Vec::with_capacity(level.0.len());
        for (name, slot) in &level.0 {
            let node = match slot {
                Slot::File(node) => *node,
                Slot::Directory(below) => Node::Directory { digest: self.put_level(below)? },
            };
            entries.push((name.clone(), node));
        }
        self.put_on(ObjectKind::Tree, &Directory::new(entries).encode())
    }

    fn put_on(&self, kind: ObjectKind, content: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(content);
        let _no_sweep = self.store.hold_sweep();
        self.store.pins().pin(self.id, digest);
        self.store.objects().put(kind, &digest, content)?;
        Ok(digest)
    }
}

impl Drop for TreeWriter {
    fn drop(&mut self) {
        self.store.pins().remove_writer(self.id);
        self.store.set_garbage();
    }
}

impl Level {
    fn insert(&mut self, path: &TreePath, file: Node) -> Result<(), StoreError> {
        let occupied = || StoreError::Occupied(path.clone());
        let parent = path.parent().ok_or_else(occupied)?;
        let mut level = self;
        for part in parent.parts() {
            match level.0.entry(part.to_owned()).or_insert_with(|| Slot::Directory(Level::default())) {
                Slot::Directory(below) => level = below,
                Slot::File(_) => return Err(occupied()),
            }
        }
        let name = path.file_name().unwrap_or_default().to_owned();
        if level.0.contains_key(&name) {
            return Err(occupied());
        }
        level.0.insert(name, Slot::File(file));
        Ok(())
    }
}
