//! What is in use, though no source names it: by someone who writes a tree, or by someone who reads one.

use std::collections::{HashMap, HashSet};

use fairlead_object::Digest;

/// What may not be removed now.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    /// Everything that each writer has put or counts on.
    writers: HashMap<WriterId, HashSet<Digest>>,
    /// How many readers each tree has.
    readers: HashMap<Digest, usize>,
    next_writer: WriterId,
}

/// Names one writer.
pub(crate) type WriterId = u64;

impl Pins {
    pub(crate) fn add_writer(&mut self) -> WriterId {
        self.next_writer += 1;
        self.writers.insert(self.next_writer, HashSet::new());
        self.next_writer
    }

    pub(crate) fn pin(&mut self, writer: WriterId, digest: Digest) {
        self.writers.entry(writer).or_default().insert(digest);
    }

    pub(crate) fn remove_writer(&mut self, writer: WriterId) {
        self.writers.remove(&writer);
    }

    pub(crate) fn add_reader(&mut self, root: Digest) {
        *self.readers.entry(root).or_default() += 1;
    }

    pub(crate) fn remove_reader(&mut self, root: &Digest) {
        if let Some(readers) = self.readers.get_mut(root) {
            *readers -= 1;
            if *readers == 0 {
                self.readers.remove(root);
            }
        }
    }

    /// The trees that are being read.
    pub(crate) fn read_roots(&self) -> impl Iterator<Item = Digest> {
        self.readers.keys().copied()
    }

    /// What writers have put, each with all that it refers to.
    pub(crate) fn written(&self) -> impl Iterator<Item = Digest> {
        self.writers.values().flatten().copied()
    }
}
