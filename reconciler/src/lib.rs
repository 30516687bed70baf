//! Observe, plan, apply: what makes a cluster follow its sources.
//!
//! [`controller`] runs everything in one process: a [`queue`] for each served kind, woken by [`watch`]es of the objects
//! themselves and of what they own, and a run for each entry that ends when its writes are acknowledged. Nothing polls
//! the cluster and no run waits for health: it subscribes, ends, and is woken again.
//!
//! The steps that the command line shares with the controller are public: [`prepare`] what was built, [`observe`] the
//! cluster, plan (in `fairlead-plan`), [`apply`].
//!
//! # Large dependencies
//! - `kube`: the client and its watches, the Rust ecosystem's own.
//! - `axum`: a few small HTTP endpoints, on the stack that `kube` already brings.
//! - `prometheus-client`: the metrics' text format.
//! - `ureq`: posts events to a notification address without a second asynchronous HTTP stack.
//! - `ring`: checks the signatures of webhooks; it is the cryptography of TLS here.

pub mod apply;
mod backoff;
pub mod charts;
pub mod clock;
pub mod cluster;
pub mod controller;
pub mod controllers;
pub mod events;
pub mod leader;
pub mod metrics;
mod named_field;
pub mod observe;
pub mod prepare;
pub mod probes;
pub mod queue;
pub mod settings;
pub mod watch;
pub mod webhook;
