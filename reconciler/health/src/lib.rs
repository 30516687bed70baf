//! Whether an object in a cluster has become what it was asked to be, and whether a dependency is ready.
//!
//! Both are pure functions of objects that someone else has read: nothing here polls, waits or has a clock. A verdict
//! changes only when the object does, so a watch can carry it.
//!
//! # Follows Flux
//! The rules are those of kstatus, with Flux's own rule for Jobs, and CEL expressions of `spec.healthCheckExprs` and
//! `spec.dependsOn[].readyExpr`, and those of others by [`Expression`], are evaluated without static types, with the strings, sets and encoders extensions.
//! # Differs from Flux
//! A CEL rule comes before the built-in one for every kind, Jobs too, whoever reads the object. An expression that would
//! cost too much is refused before it runs: see [`ExpressionError`].
//!
//! The `cel` crate parses and evaluates; what bounds an evaluation is here.

mod assess;
mod cost;
mod dependency;
mod expression;
mod health;
mod kinds;
mod read;
mod rules;
mod sets;

pub use assess::{Surroundings, assess};
pub use dependency::ReadyExpr;
pub use expression::{EvaluationError, Expression, ExpressionError, Problem};
pub use health::Health;
pub use rules::{HealthCheckExpr, HealthRules, RulesError};
