//! A tree in the store, read by need.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use fairlead_object::{Digest, Entry, LocalTree, Tree, TreeError, TreePath};

use super::{
    Store, StoreError,
    directory::{Directory, Node},
    objects::ObjectKind,
};

/// The files of one revision. Cheap to clone; as long as one lives, nothing of the tree is removed from the store.
///
/// Every content is held to its digest when it is read. Where one is damaged or gone, the tree counts as incomplete from
/// then on: [`Store::artifact`] no longer answers with it, so that its source is fetched again.
#[derive(Clone)]
pub struct StoredTree {
    reading: Arc<Reading>,
}

struct Reading {
    store: Store,
    root: Digest,
    directories: Mutex<Listed>,
}

/// Directories that were read before.
#[derive(Default)]
struct Listed {
    directories: HashMap<Digest, Arc<Directory>>,
    entries: usize,
}

impl Listed {
    /// Most entries of directories that are kept in memory for one tree.
    const ENTRIES_LIMIT: usize = 16 << 10;

    fn insert(&mut self, digest: Digest, directory: &Arc<Directory>) {
        self.entries += directory.entries().len();
        if self.entries > Self::ENTRIES_LIMIT {
            self.directories.clear();
            self.entries = directory.entries().len();
        }
        self.directories.insert(digest, Arc::clone(directory));
    }
}

impl StoredTree {
    /// The tree at `root`, which is pinned already.
    pub(super) fn new(store: Store, root: Digest) -> Self {
        Self { reading: Arc::new(Reading { store, root, directories: Mutex::default() }) }
    }

    /// The digest of the whole tree.
    pub fn root(&self) -> Digest {
        self.reading.root
    }

    /// Shows `visit` every directory and file, parents first, in byte order of the names.
    pub(crate) fn walk(
        &self,
        visit: &mut impl FnMut(&TreePath, &Node) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.walk_below(&TreePath::root(), &Node::Directory { digest: self.root() }, visit)
    }

    fn walk_below(
        &self,
        path: &TreePath,
        node: &Node,
        visit: &mut impl FnMut(&TreePath, &Node) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        visit(path, node)?;
        let Node::Directory { digest } = node else { return Ok(()) };
        for (name, below) in self.directory(digest)?.entries() {
            self.walk_below(&path.join(name), below, visit)?;
        }
        Ok(())
    }

    /// Copies the content of a file of this tree.
    pub(crate) fn copy(
        &self,
        digest: &Digest,
        to: impl FnMut(&[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.noticing(ObjectKind::Blob, self.reading.store.objects().copy(digest, to))
    }

    fn directory(&self, digest: &Digest) -> Result<Arc<Directory>, StoreError> {
        let listed = || self.reading.directories.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(directory) = listed().directories.get(digest) {
            return Ok(Arc::clone(directory));
        }
        let directory = Arc::new(self.noticing(ObjectKind::Tree, self.reading.store.objects().directory(digest))?);
        listed().insert(*digest, &directory);
        Ok(directory)
    }

    /// What stands at `path`; `None` if nothing does.
    fn node(&self, path: &TreePath) -> Result<Option<Node>, StoreError> {
        let mut node = Node::Directory { digest: self.root() };
        for part in path.parts() {
            let Node::Directory { digest } = node else { return Ok(None) };
            let Some(below) = self.directory(&digest)?.get(part) else { return Ok(None) };
            node = below;
        }
        Ok(Some(node))
    }

    fn file(&self, path: &TreePath) -> Result<(Digest, u64), TreeError> {
        match self.node(path).map_err(unreadable(path))? {
            None => Err(TreeError::Missing(path.clone())),
            Some(Node::Directory { .. }) => Err(TreeError::IsDirectory(path.clone())),
            Some(Node::File { digest, size_bytes, .. }) => Ok((digest, size_bytes)),
        }
    }

    /// Passes `result` on, and remembers a loss that it tells of.
    fn noticing<T>(&self, kind: ObjectKind, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Damaged { digest, .. } | StoreError::Missing { digest, .. }) = &result {
            self.reading.store.lost(kind, digest, self.root());
        }
        result
    }
}

impl Tree for StoredTree {
    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        let node = self.node(path).map_err(unreadable(path))?;
        let name = path.file_name().unwrap_or_default().to_owned();
        Ok(node.map(|node| Entry { name, kind: node.kind() }))
    }

    fn list(&self, path: &TreePath) -> Result<Vec<Entry>, TreeError> {
        let Some(node) = self.node(path).map_err(unreadable(path))? else {
            return Err(TreeError::Missing(path.clone()));
        };
        let Node::Directory { digest } = node else { return Err(TreeError::NotDirectory(path.clone())) };
        let directory = self.directory(&digest).map_err(unreadable(path))?;
        let entry = |(name, node): &(String, Node)| Entry { name: name.clone(), kind: node.kind() };
        Ok(directory.entries().iter().map(entry).collect())
    }

    fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, TreeError> {
        let (digest, size_bytes) = self.file(path)?;
        let limit_bytes = LocalTree::FILE_LIMIT_BYTES;
        if size_bytes > limit_bytes {
            return Err(TreeError::TooLarge { path: path.clone(), size_bytes, limit_bytes });
        }
        let content = self.reading.store.objects().read(ObjectKind::Blob, &digest);
        Ok(self.noticing(ObjectKind::Blob, content).map_err(unreadable(path))?.into())
    }

    fn digest(&self, path: &TreePath) -> Result<Digest, TreeError> {
        Ok(self.file(path)?.0)
    }

    fn digest_of(&self, path: &TreePath, _: &[u8]) -> Result<Digest, TreeError> {
        self.digest(path)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.store.release(&self.root);
    }
}

fn unreadable(path: &TreePath) -> impl FnOnce(StoreError) -> TreeError {
    let path = path.clone();
    move |error| TreeError::Io { path, source: io::Error::other(error) }
}
