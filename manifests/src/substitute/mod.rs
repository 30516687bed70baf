//! Variables in manifests: `${region}` becomes what `postBuild` says.

mod error;
mod expand;
mod expression;
mod glob;
mod object;
mod variables;

pub use error::{ExpressionError, Problem};
pub use expand::{PATTERN_LIMIT_STEPS, Unset, expand};
pub use expression::NESTING_LIMIT;
pub use object::SubstituteError;
pub(crate) use object::substitute;
pub use variables::{Strategy, VariableError, Variables};

/// Most bytes that the expressions of one object may make, those nested in others included. An API server takes no
/// object larger than 3 MiB.
pub const OUTPUT_LIMIT_BYTES: usize = 8 << 20;
