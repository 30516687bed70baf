//! A tree in memory.

use std::{collections::BTreeMap, sync::Arc};

use crate::{Entry, EntryKind, PathError, Tree, TreeError, TreePath};

/// Files held in memory; directories are those that the files' paths name.
#[derive(Clone, Debug, Default)]
pub struct MemoryTree {
    files: BTreeMap<TreePath, Arc<[u8]>>,
}

impl MemoryTree {
    /// A tree of the given paths and contents.
    pub fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, PathError> {
        files.into_iter().map(|(path, content)| Ok((path.parse()?, content.as_bytes().into()))).collect()
    }

    /// Puts a file, over one that stands there.
    pub fn insert(&mut self, path: TreePath, content: impl Into<Arc<[u8]>>) {
        self.files.insert(path, content.into());
    }

    fn is_directory(&self, path: &TreePath) -> bool {
        self.files.keys().any(|file| file != path && file.is_within(path))
    }
}

impl FromIterator<(TreePath, Arc<[u8]>)> for MemoryTree {
    fn from_iter<I: IntoIterator<Item = (TreePath, Arc<[u8]>)>>(files: I) -> Self {
        Self { files: files.into_iter().collect() }
    }
}

impl Tree for MemoryTree {
    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        let name = path.file_name().unwrap_or_default().to_owned();
        if self.files.contains_key(path) {
            return Ok(Some(Entry { name, kind: EntryKind::File }));
        }
        let is_directory = path.as_str().is_empty() || self.is_directory(path);
        Ok(is_directory.then_some(Entry { name, kind: EntryKind::Directory }))
    }

    fn list(&self, path: &TreePath) -> Result<Vec<Entry>, TreeError> {
        match self.entry(path)? {
            None => return Err(TreeError::Missing(path.clone())),
            Some(Entry { kind: EntryKind::File, .. }) => return Err(TreeError::NotDirectory(path.clone())),
            Some(Entry { kind: EntryKind::Directory, .. }) => {}
        }
        let depth = path.parts().count();
        let mut entries = BTreeMap::new();
        for file in self.files.keys().filter(|file| file.is_within(path)) {
            let mut below = file.parts().skip(depth);
            let Some(name) = below.next() else { continue };
            let kind = if below.next().is_some() { EntryKind::Directory } else { EntryKind::File };
            entries.insert(name.to_owned(), Entry { name: name.to_owned(), kind });
        }
        Ok(entries.into_values().collect())
    }

    fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, TreeError> {
        match self.files.get(path) {
            Some(content) => Ok(Arc::clone(content)),
            None if self.is_directory(path) => Err(TreeError::IsDirectory(path.clone())),
            None => Err(TreeError::Missing(path.clone())),
        }
    }
}
