//! Scenarios of the public interface, on real folders and loopback servers.

mod archive;
mod bucket;
mod git;
mod helm;
mod identity;
mod oci;
mod proxy;
mod scene;
mod serve;
mod server;
mod site;
mod store;
mod tls;
