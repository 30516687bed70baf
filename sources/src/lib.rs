//! Sources: what a revision of one is made of, fetched, verified and kept as a content-addressed artifact.

pub mod archive;
pub mod git;
pub mod ignore;
pub mod serve;
pub mod store;
