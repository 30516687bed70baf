//! Sources: what a revision of one is made of, fetched, verified and kept as a content-addressed artifact.

pub mod archive;
mod deadline;
pub mod git;
pub mod ignore;
pub mod oci;
pub mod secret;
pub mod serve;
pub mod store;
pub mod transport;
pub mod url;
pub mod version;
