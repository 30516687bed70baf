//! Writing YAML.

mod analysis;
mod json;
mod layout;
mod node;
mod order;
mod output;
mod scalar;
mod style;

pub use json::{emit_json, emit_object};
pub use node::emit;
pub(crate) use style::string_style;
