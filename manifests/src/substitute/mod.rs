//! Variables in manifests.

mod variables;

pub use variables::{Strategy, VariableError, Variables};
