//! Archives: the deterministic `.tar.gz` that is served, and a reader that trusts nothing.

mod pack;
mod unpack;

pub(crate) use pack::pack;
pub use unpack::{ArchiveError, ArchiveLimit, ArchiveRules, Limits, Links, Taken, unpack};

pub(crate) use unpack::is_archive;
