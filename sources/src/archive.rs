//! Archives: the deterministic `.tar.gz` that is served, and a reader that trusts nothing.

mod pack;

pub(crate) use pack::pack;
