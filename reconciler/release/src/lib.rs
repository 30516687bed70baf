//! Releases of charts: how Helm records them, and what is to be done about one.
//!
//! - [`Release`] is the record, and [`secret`] how it is kept in a cluster, so that `helm list`, `history`, `get` and
//!   `rollback` see what was done here, and the other way round.
//! - [`determine`] compares a record with what is asked for, and [`decide`] says what follows; [`decide_kept`] does where
//!   a release is kept at a revision.
//! - [`hook`] reads what annotations make of an object, [`digest`] tells values and revisions apart.
//!
//! All of it is data and pure functions: nothing here has a client or a clock.
//!
//! # Large dependencies
//! `flate2` is there because Helm keeps its records compressed.

mod decide;
pub mod digest;
pub mod hook;
mod name;
mod record;
pub mod secret;
mod state;
#[cfg(test)]
mod testing;

pub use decide::{Decision, Done, Standing, decide, decide_kept};
pub use name::shortened;
pub use record::{Hook, HookRun, Info, Phase, Release, Status};
pub use state::{Seen, State, determine};
