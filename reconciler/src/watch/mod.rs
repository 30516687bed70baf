//! Watches: of the objects that are served ([`Served`]), and of the objects that they own ([`Tracker`]).

mod served;
mod tracker;

pub use served::{Change, Object, Served};
pub use tracker::{Interest, Owner, Tracker, Verdict};
