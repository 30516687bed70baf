//! Archives: the deterministic `.tar.gz` that is served, one of files of this machine, and a reader that trusts nothing.

mod local;
mod pack;
mod unpack;

pub use local::{PackError, SymbolicLinks, pack_file, pack_files};
pub(crate) use pack::pack;
pub use unpack::{ArchiveError, ArchiveLimit, ArchiveRules, Limits, Links, Taken, unpack};

pub(crate) use unpack::is_archive;
