//! Scenarios against real servers.

mod crash;
mod demo;
mod dependencies;
mod drift;
mod faults;
mod follow;
mod git_faults;
mod git_server;
mod harness;
mod prune;
mod registry;
mod restart;
mod scene;
mod tenants;
