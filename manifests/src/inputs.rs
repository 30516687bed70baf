//! Whether a build would say anything new.

use fairlead_object::{Digest, ReadSet, Tree, TreePath};

use crate::BuildRequest;

/// What a build depended on: its request, and all that it looked at in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildInputs {
    request: Digest,
    reads: ReadSet,
}

/// Why a build must be done again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputChange<'a> {
    /// Something else is asked: another path, patch, image, variable.
    Request,
    /// This file or directory is another.
    Path(&'a TreePath),
}

impl BuildInputs {
    /// The inputs of a build that answered `request` and looked at `reads`.
    pub(crate) fn new(request: &BuildRequest, reads: ReadSet) -> Self {
        Self { request: request.digest(), reads }
    }

    /// What makes a build of `request` on `tree` differ from the recorded one; `None` if it would be the same, byte
    /// for byte.
    ///
    /// A path is named for the reader; whether it changes a manifest is known only after the build.
    pub fn first_change(&self, tree: &dyn Tree, request: &BuildRequest) -> Option<InputChange<'_>> {
        if self.request != request.digest() {
            return Some(InputChange::Request);
        }
        self.reads.first_change_in(tree).map(InputChange::Path)
    }

    /// All that was looked at.
    pub fn reads(&self) -> &ReadSet {
        &self.reads
    }
}
