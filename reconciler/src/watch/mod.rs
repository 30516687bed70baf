//! Watches: of the objects that are served ([`Served`]), and of the objects that they own ([`Tracker`]).

mod relisting;
mod served;
mod tracker;

pub(crate) use relisting::relisting;
pub use served::{Change, Object, Served};
pub use tracker::{Interest, Marks, Owner, Tracker, Verdict};
