//! Scenarios of the public interface, on real folders and loopback servers.

mod archive;
mod git;
mod oci;
mod proxy;
mod scene;
mod serve;
mod store;
mod tls;
