//! Sources: what a revision of one is made of, fetched, verified and kept as a content-addressed artifact.
//!
//! # Large dependencies
//! `git2` reads Git's objects, `russh` speaks SSH, `ureq` HTTP for every kind of source, `quick-xml` reads the listings
//! of buckets, and `granit-parser` the indexes of Helm repositories without holding them. `pgp` reads OpenPGP keys and
//! signatures: a format of many kinds of packets and algorithms, of which keys in use have most.

pub mod archive;
pub mod bucket;
mod deadline;
pub mod external;
pub mod fetch;
pub mod fuzzing;
pub mod git;
mod grants;
pub mod helm;
pub mod identity;
pub mod ignore;
pub mod oci;
pub mod secret;
pub mod serve;
pub mod store;
pub mod transport;
pub mod url;
pub mod verify;
pub mod version;
