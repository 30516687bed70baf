//! Writing YAML.

mod analysis;
mod json;
mod order;
mod output;
mod scalar;

pub use json::emit_json;
