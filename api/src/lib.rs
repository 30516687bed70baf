//! Fairlead's custom resources: the kinds it serves, the words in their status, and the manifests that install them.
//!
//! - [`source`], [`kustomize`], [`helm`], [`notification`] and [`fairlead`] hold the kinds, one module for each API group.
//! - [`conditions`] and [`reasons`] are how an object says how it is; [`names`] are the labels and annotations.
//! - [`duration`] and [`time`] are what stands in fields.
//! - [`crds`], [`install`] and [`generate`] are what is put into a cluster, and into `deploy/`.
//!
//! It is data only: no clock, no network. `kube` is here for its derive macro, without its client, and `schemars` for the
//! schemas; `k8s-openapi` has the type of a definition, and `fairlead-yaml` prints it.
//!
//! One bad object must not hide the others of its kind. What a server's validation lets through but cannot be used, such
//! as a duration of a thousand years, is kept as it was written and read when it is used.

pub mod conditions;
pub mod crds;
pub mod duration;
pub mod fairlead;
pub mod generate;
pub mod helm;
pub mod install;
pub mod kustomize;
pub mod names;
pub mod notification;
pub mod reasons;
pub mod reference;
mod schema;
pub mod source;
#[cfg(test)]
mod testing;
pub mod time;
