//! What is kept of one revision of a source.

use std::collections::BTreeMap;

use fairlead_object::Digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoredTree;
use crate::verify::Verified;

/// One revision of a source, as `status.artifact` reports it, and the tree it is built from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// What the source calls this state, such as `main@sha1:<commit>`.
    pub revision: String,
    /// The digest of what is served.
    pub digest: Digest,
    /// The size of what is served.
    pub size_bytes: u64,
    /// Where it is served, such as `gitrepository/<namespace>/<name>/<commit>.tar.gz`.
    pub path: String,
    /// When this revision, with this content, was published; in whole seconds.
    pub last_update_time: Timestamp,
    /// The root of its files in the store.
    pub tree: Digest,
    /// What is served.
    #[serde(default)]
    pub form: Form,
    /// What its origin says of it: `status.artifact.metadata`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// That it is signed, where that was demanded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verified>,
}

impl Artifact {
    /// Whether both are one content of one revision, whenever and against whatever they were published and verified.
    pub(crate) fn is_same_content(&self, other: &Self) -> bool {
        let Self { last_update_time, verified, .. } = self.clone();
        *self == Self { last_update_time, verified, ..other.clone() }
    }
}

/// A revision that is about to be kept.
#[derive(Clone)]
pub struct Release<'a> {
    /// What the source calls it.
    pub revision: &'a str,
    /// Its files.
    pub tree: &'a StoredTree,
    /// What its origin says of it.
    pub metadata: BTreeMap<String, String>,
    /// That it is signed, where that was demanded.
    pub verified: Option<Verified>,
}

impl<'a> Release<'a> {
    /// A revision of which its origin says nothing.
    pub fn new(revision: &'a str, tree: &'a StoredTree) -> Self {
        Self { revision, tree, metadata: BTreeMap::new(), verified: None }
    }
}

/// What of a revision is served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Form {
    /// Its tree, packed here.
    #[default]
    Packed,
    /// A file that came from elsewhere, byte for byte.
    Given,
}
