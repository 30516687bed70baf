//! Scenarios against real servers.

mod git_server;
mod harness;
mod registry;
