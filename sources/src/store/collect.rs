//! Removing what is no longer needed: old revisions first, then whatever nothing refers to.
//!
//! Contents are listed first and marked after that, so that what is put meanwhile is not in question. Removing goes in
//! batches: before each, with nobody able to take anything into use, everything that has come into use since is marked
//! too. Directories go before files, all at once, so that a tree that can be opened is whole.

use std::{
    collections::HashSet,
    sync::{PoisonError, atomic::Ordering},
};

use fairlead_object::Digest;
use jiff::{SignedDuration, Timestamp};

use super::{
    Artifact, Store, StoreError,
    directory::Node,
    objects::{ObjectKind, Objects},
};

/// What a collection has removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Revisions that were old, or too many.
    pub revisions: usize,
    /// Directories that nothing referred to.
    pub directories: usize,
    /// Files, packed forms among them, that nothing referred to.
    pub files: usize,
}

/// Most files that are removed while others wait to take something into use.
const BATCH: usize = 1024;

impl Store {
    /// Removes old revisions, and then what no source, no reader and no writer needs. Without anything to remove it costs
    /// next to nothing.
    pub fn collect(&self, now: Timestamp) -> Result<Collected, StoreError> {
        let _alone = self.inner.collecting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut collected = Collected { revisions: self.retire(now)?, ..Collected::default() };
        if self.inner.has_garbage.swap(false, Ordering::AcqRel) {
            self.sweep(&mut collected).inspect_err(|_| self.set_garbage())?;
        }
        Ok(collected)
    }

    /// Drops the revisions that retention no longer covers.
    fn retire(&self, now: Timestamp) -> Result<usize, StoreError> {
        let mut retired = 0;
        for key in self.keys() {
            let _turn = self.inner.publishing.take(&key);
            let kept = self.index().kept(&key).to_vec();
            let retained = self.retained(&kept, now);
            if retained.len() < kept.len() {
                retired += kept.len() - retained.len();
                self.commit(&key, retained)?;
            }
        }
        Ok(retired)
    }

    /// Those of `kept`, the current one first, that retention covers.
    fn retained(&self, kept: &[Artifact], now: Timestamp) -> Vec<Artifact> {
        let settings = &self.inner.settings;
        let ttl = SignedDuration::try_from(settings.retention_ttl).unwrap_or(SignedDuration::MAX);
        let is_young = |artifact: &Artifact| now.duration_since(artifact.last_update_time) <= ttl;
        let current = kept.iter().take(1);
        let former = kept.iter().skip(1).filter(|artifact| is_young(artifact));
        current.chain(former).take(settings.retention_records.max(1)).cloned().collect()
    }

    fn sweep(&self, collected: &mut Collected) -> Result<(), StoreError> {
        let trees = self.objects().list(ObjectKind::Tree)?;
        let blobs = self.objects().list(ObjectKind::Blob)?;
        let mut marks = Marks::default();
        self.mark(&mut marks);
        collected.directories = self.sweep_batch(ObjectKind::Tree, &trees, &mut marks)?;
        for batch in blobs.chunks(BATCH) {
            collected.files += self.sweep_batch(ObjectKind::Blob, batch, &mut marks)?;
        }
        Ok(())
    }

    fn sweep_batch(&self, kind: ObjectKind, batch: &[Digest], marks: &mut Marks) -> Result<usize, StoreError> {
        let _sweeping = self.inner.sweep.write().unwrap_or_else(PoisonError::into_inner);
        self.mark(marks);
        self.index().retain(|digest| marks.kept.contains(digest));
        let mut removed = 0;
        for digest in batch.iter().filter(|digest| !marks.kept.contains(digest)) {
            self.objects().remove(kind, digest)?;
            removed += 1;
        }
        Ok(removed)
    }

    /// Marks everything that is in use now.
    fn mark(&self, marks: &mut Marks) {
        marks.kept.extend(self.pins().written());
        let mut roots: Vec<Digest> = self.pins().read_roots().collect();
        {
            let index = self.index();
            roots.extend(index.artifacts().map(|artifact| artifact.tree));
            marks.kept.extend(index.artifacts().map(|artifact| artifact.digest));
            marks.kept.extend(roots.iter().filter_map(|root| index.packed(root)).map(|packed| packed.digest));
        }
        for root in roots {
            if let Err(error) = marks.walk(self.objects(), root) {
                tracing::warn!(%error, "a kept tree is incomplete; its source will be fetched again");
                self.index().set_incomplete(root);
            }
        }
    }
}

/// What a collection has found to be in use.
#[derive(Default)]
struct Marks {
    /// The directories whose entries are marked.
    walked: HashSet<Digest>,
    /// Everything that stays.
    kept: HashSet<Digest>,
}

impl Marks {
    /// Marks the tree at `root`. What can be reached is marked even if something else cannot.
    fn walk(&mut self, objects: &Objects, root: Digest) -> Result<(), StoreError> {
        let mut result = Ok(());
        let mut directories = vec![root];
        while let Some(digest) = directories.pop() {
            self.kept.insert(digest);
            if !self.walked.insert(digest) {
                continue;
            }
            match objects.directory(&digest) {
                Ok(directory) => {
                    for (_, node) in directory.entries() {
                        match node {
                            Node::File { digest, .. } => drop(self.kept.insert(*digest)),
                            Node::Directory { digest } => directories.push(*digest),
                        }
                    }
                }
                Err(error) => result = Err(error),
            }
        }
        result
    }
}
