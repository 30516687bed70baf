//! How much one build may read.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use fairlead_object::{Digest, Entry, Tree, TreeError, TreePath};

/// Most files and directories that one build may read; one that is read twice counts twice.
pub const READ_LIMIT_ENTRIES: u64 = 50_000;

/// Most bytes that one build may read.
pub const READ_LIMIT_BYTES: u64 = 256 << 20;

/// Deepest directory below the one that is built in which a plain directory looks for manifests.
pub const DIRECTORY_LIMIT_DEPTH: usize = 64;

/// A tree that gives no more than a build may read.
pub(crate) struct Bounded<'a> {
    tree: &'a dyn Tree,
    limit_entries: u64,
    limit_bytes: u64,
    entries: AtomicU64,
    bytes: AtomicU64,
}

impl<'a> Bounded<'a> {
    /// Bounds what is read of `tree`.
    pub(crate) fn new(tree: &'a dyn Tree) -> Self {
        Self::with_limits(tree, READ_LIMIT_ENTRIES, READ_LIMIT_BYTES)
    }

    fn with_limits(tree: &'a dyn Tree, limit_entries: u64, limit_bytes: u64) -> Self {
        Self { tree, limit_entries, limit_bytes, entries: AtomicU64::new(0), bytes: AtomicU64::new(0) }
    }

    fn count_entry(&self, path: &TreePath) -> Result<(), TreeError> {
        if self.entries.fetch_add(1, Ordering::Relaxed) < self.limit_entries {
            return Ok(());
        }
        Err(TreeError::Spent { path: path.clone(), limit: format!("{} files and directories", self.limit_entries) })
    }

    fn count_bytes(&self, path: &TreePath, count: u64) -> Result<(), TreeError> {
        if self.bytes.fetch_add(count, Ordering::Relaxed) + count <= self.limit_bytes {
            return Ok(());
        }
        Err(TreeError::Spent { path: path.clone(), limit: format!("{} bytes", self.limit_bytes) })
    }
}

impl Tree for Bounded<'_> {
    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        self.tree.entry(path)
    }

    fn list(&self, path: &TreePath) -> Result<Vec<Entry>, TreeError> {
        self.count_entry(path)?;
        self.tree.list(path)
    }

    fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, TreeError> {
        self.count_entry(path)?;
        let content = self.tree.read(path)?;
        self.count_bytes(path, content.len() as u64)?;
        Ok(content)
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
    use fairlead_object::MemoryTree;

    use super::*;

    fn read_all(limit_entries: u64, limit_bytes: u64) -> Result<(), TreeError> {
        let tree = MemoryTree::new([("a.yaml", "aaaa"), ("b.yaml", "bbbb")]).expect("paths");
        let bounded = Bounded::with_limits(&tree, limit_entries, limit_bytes);
        for entry in bounded.list(&TreePath::root())? {
            bounded.read(&TreePath::root().join(&entry.name))?;
        }
        Ok(())
    }

    #[test]
    fn a_build_reads_up_to_its_limits_and_names_what_lies_beyond() {
        assert!(read_all(3, 8).is_ok());
        let error = |result: Result<(), TreeError>| result.expect_err("too much").to_string();
        assert_eq!(error(read_all(2, 8)), "`b.yaml` is one too many: a build reads at most 2 files and directories");
        assert_eq!(error(read_all(3, 7)), "`b.yaml` is one too many: a build reads at most 7 bytes");
    }
}
