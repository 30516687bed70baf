//! Go's `text/template`: text to templates, templates and a value to text.

mod ast;
mod error;
mod eval;
mod lexer;
mod literal;
mod machine;
mod marks;
mod parse;
mod token;

pub(crate) use ast::{Template, renamed};
pub use error::{CallError, ExecError, Failure, LimitError, ParseError};
pub use machine::{Limits, World};
pub(crate) use machine::{Machine, Printed, STACK_BYTES};
pub(crate) use parse::parse;
