//! Fairlead's custom resources: the kinds it serves, the words in their status, and the manifests that install them.
//!
//! - [`source`], [`kustomize`] and [`fairlead`] hold the kinds, one module for each API group.
//! - [`conditions`] and [`reasons`] are how an object says how it is; [`names`] are the labels and annotations.
//! - [`duration`] and [`time`] are what stands in fields.
//!
//! It is data only: no clock, no network. `kube` is here for its derive macro, without its client; `schemars` makes the
//! schemas.

pub mod conditions;
pub mod crds;
pub mod duration;
pub mod fairlead;
pub mod generate;
pub mod install;
pub mod kustomize;
pub mod names;
pub mod reasons;
pub mod reference;
mod schema;
pub mod source;
#[cfg(test)]
mod testing;
pub mod time;
