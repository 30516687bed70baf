//! The test harness: real servers on loopback, and what a scenario needs to talk about them.
//!
//! [`TestCluster`] is a kube-apiserver with its store and, if asked for, its controllers; [`GitServer`] serves
//! repositories by `git http-backend`. Each server has a port and a folder of its own and ends with whoever started it
//! (see [`process`]). [`FaultProxy`] stands between a controller and its API server and breaks what a test names. Tests of
//! one binary share a cluster ([`TestCluster::shared`]) and keep apart by namespaces.
//!
//! What can be tested without a server is tested in its own crate.

pub mod audit;
pub mod binary;
pub mod cluster;
pub mod git;
pub mod image;
pub mod notation;
pub mod objects;
pub mod pki;
pub mod process;
pub mod proxy;
mod registry;
mod report;
mod s3;
mod signal;
pub mod signing;
pub mod sigstore;
mod wait;
pub mod web;

pub use audit::{AuditLog, Request};
pub use binary::{Controller, Installation};
pub use cluster::{ClusterError, CommandOutput, Controllers, TestCluster};
pub use git::{GitServer, Repository};
pub use objects::Condition;
pub use proxy::{Fault, FaultProxy, WatchEnd};
pub use registry::Registry;
pub use report::report;
pub use s3::S3;
pub use signal::shutdown;
pub use wait::{eventually, wait_until};
