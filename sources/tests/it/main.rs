//! Scenarios of the public interface, on real folders and loopback servers.

mod archive;
mod git;
mod scene;
mod serve;
mod store;
