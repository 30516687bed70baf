//! Scenarios against real servers.

mod harness;
