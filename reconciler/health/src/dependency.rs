//! Readiness of dependencies.

use serde_json::Value;

use crate::{EvaluationError, ExpressionError, expression::Expression};

/// A compiled `readyExpr`: what must hold of a dependency before its dependent runs.
#[derive(Debug)]
pub struct ReadyExpr(Expression);

impl ReadyExpr {
    /// Compiles `text`, which stands in `field`, as `spec.dependsOn[0].readyExpr`.
    pub fn compile(field: &str, text: &str) -> Result<Self, ExpressionError> {
        Expression::compile(field, text).map(Self)
    }

    /// Whether it holds for the object `dependent` (`self` in the expression) and its `dependency` (`dep`).
    pub fn holds(&self, dependent: &Value, dependency: &Value) -> Result<bool, EvaluationError> {
        self.0.holds([("self", dependent), ("dep", dependency)])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_expression_sees_both_objects() {
        let (dependent, dependency) = (json!({"spec": {"version": "2"}}), json!({"status": {"version": "2"}}));
        let ready = ReadyExpr::compile("spec.dependsOn[0].readyExpr", "dep.status.version == self.spec.version");
        assert_eq!(ready.expect("valid").holds(&dependent, &dependency), Ok(true));
    }

    #[test]
    fn an_unusable_expression_names_its_field() {
        let error = ReadyExpr::compile("spec.dependsOn[1].readyExpr", "dep.").expect_err("not usable");
        assert!(error.to_string().starts_with("spec.dependsOn[1].readyExpr: not a CEL expression: "), "{error}");
    }
}
