//! What commands about artifacts in registries share: how a registry is reached, and which files are packed.

mod access;
mod docker;
mod files;

pub(crate) use access::{Access, explained, place};
pub(crate) use files::Files;
