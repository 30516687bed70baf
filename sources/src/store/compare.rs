//! How two trees differ.

use std::collections::{BTreeMap, BTreeSet};

use fairlead_object::{Digest, TreePath};

use super::{
    StoreError, StoredTree,
    directory::{Mode, Node},
};

/// What became of a file between two trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Only the later tree has it.
    Created,
    /// Its content differs, or whether it is executable.
    Changed,
    /// Only the earlier tree has it.
    Deleted,
}

/// Returns the files in which `after` differs from `before`, in the order of their paths.
pub fn differences(before: &StoredTree, after: &StoredTree) -> Result<Vec<(TreePath, Change)>, StoreError> {
    if before.root() == after.root() {
        return Ok(Vec::new());
    }
    let (before, after) = (files(before)?, files(after)?);
    let paths: BTreeSet<&TreePath> = before.keys().chain(after.keys()).collect();
    let changes = paths.into_iter().filter_map(|path| {
        let change = match (before.get(path), after.get(path)) {
            (None, _) => Change::Created,
            (Some(_), None) => Change::Deleted,
            (Some(before), Some(after)) if before == after => return None,
            (Some(_), Some(_)) => Change::Changed,
        };
        Some((path.clone(), change))
    });
    Ok(changes.collect())
}

fn files(tree: &StoredTree) -> Result<BTreeMap<TreePath, (Mode, Digest)>, StoreError> {
    let mut files = BTreeMap::new();
    tree.walk(&mut |path, node| {
        if let Node::File { mode, digest, .. } = node {
            files.insert(path.clone(), (*mode, *digest));
        }
        Ok(())
    })?;
    Ok(files)
}
