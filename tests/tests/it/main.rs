//! Scenarios against real servers.

mod drift;
mod follow;
mod git_server;
mod harness;
mod prune;
mod registry;
mod scene;
