//! The words that every other crate uses for what it reads and what it makes: [`ObjectId`] and [`Manifest`] for
//! Kubernetes objects, [`Tree`] and [`TreePath`] for the files they are built from, [`Origin`] for where one came from
//! and [`ReadSet`] for what a build has looked at.
//!
//! It is pure: no clock, no network, no process. The only file access is [`LocalTree`], which reads below one folder;
//! `rustix` lets it open a file without following links in one call, where to look at each part of the path takes a dozen.

mod digest;
mod fields;
mod id;
mod local;
mod manifest;
mod memory;
mod nearest;
mod origin;
mod path;
mod reads;
mod tree;

pub use digest::{Digest, DigestError};
pub use fields::{FieldPlaces, PathHash, Place, pointer_to};
pub use id::{Gvk, ObjectId};
pub use local::LocalTree;
pub use manifest::{Manifest, ManifestError};
pub use memory::MemoryTree;
pub use nearest::nearest;
pub use origin::Origin;
pub use path::{PathError, TreePath};
pub use reads::{ReadSet, Recorder};
pub use tree::{Entry, EntryKind, Tree, TreeError};
