//! Values to and from JSON, YAML and TOML, with the printing of Go's encoders.

pub(crate) mod json;
mod keys;
mod pretty;
pub(crate) mod toml;
pub(crate) mod yaml;

/// Deepest nesting that is encoded; a map may contain itself.
pub(crate) const MAX_DEPTH: usize = 500;
