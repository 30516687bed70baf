//! Health rules that users write.

use serde_json::Value;

use crate::{EvaluationError, ExpressionError, Health, assess::unobserved, expression::Expression, read::Object};

/// One entry of `spec.healthCheckExprs`, as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthCheckExpr {
    /// API version whose group the rule is for; the version says nothing.
    pub api_version: String,
    /// The kind; without one the rule is for every kind of the group.
    pub kind: Option<String>,
    /// True when the object is current.
    pub current: String,
    /// True while the object is on its way.
    pub in_progress: Option<String>,
    /// True when the object has failed.
    pub failed: Option<String>,
}

/// The compiled rules of one owner.
#[derive(Debug, Default)]
pub struct HealthRules(Vec<Rule>);

/// Rules that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// An expression is not usable.
    #[error(transparent)]
    Expression(#[from] ExpressionError),
    /// Two rules are for the same kind.
    #[error("spec.healthCheckExprs[{second}]: {what} has a rule already, at spec.healthCheckExprs[{first}]")]
    Duplicate {
        /// The group, with the kind if one is named.
        what: String,
        /// Place of the first rule, from 0.
        first: usize,
        /// Place of the second rule, from 0.
        second: usize,
    },
}

#[derive(Debug)]
struct Rule {
    group: String,
    kind: Option<String>,
    in_progress: Option<Expression>,
    failed: Option<Expression>,
    current: Expression,
}

impl HealthRules {
    /// No rules but the built-in ones.
    pub fn none() -> Self {
        Self::default()
    }

    /// Compiles `spec.healthCheckExprs`.
    pub fn compile(expressions: &[HealthCheckExpr]) -> Result<Self, RulesError> {
        let mut rules: Vec<Rule> = Vec::with_capacity(expressions.len());
        for (second, written) in expressions.iter().enumerate() {
            let rule = Rule::compile(second, written)?;
            if let Some(first) = rules.iter().position(|other| other.group == rule.group && other.kind == rule.kind) {
                return Err(RulesError::Duplicate { what: rule.subject(), first, second });
            }
            rules.push(rule);
        }
        Ok(Self(rules))
    }

    /// What the rule for the kind of `object` says, or that for its group; nothing if there is none.
    pub(crate) fn assess(&self, object: &Value) -> Option<Health> {
        let seen = Object(object);
        let of_group = || self.0.iter().filter(|rule| rule.group == seen.group());
        let exact = of_group().find(|rule| rule.kind.as_deref() == Some(seen.kind()));
        let rule = exact.or_else(|| of_group().find(|rule| rule.kind.is_none()))?;
        Some(unobserved(seen).unwrap_or_else(|| rule.assess(object)))
    }
}

impl Rule {
    fn compile(place: usize, written: &HealthCheckExpr) -> Result<Self, ExpressionError> {
        let compile =
            |name: &str, text: &str| Expression::compile(&format!("spec.healthCheckExprs[{place}].{name}"), text);
        let optional = |name, text: &Option<String>| text.as_deref().map(|text| compile(name, text)).transpose();
        Ok(Self {
            group: written.api_version.split_once('/').map_or("", |(group, _)| group).to_owned(),
            kind: written.kind.clone().filter(|kind| !kind.is_empty()),
            in_progress: optional("inProgress", &written.in_progress)?,
            failed: optional("failed", &written.failed)?,
            current: compile("current", &written.current)?,
        })
    }

    fn subject(&self) -> String {
        let group = if self.group.is_empty() { "the core group" } else { self.group.as_str() };
        self.kind.as_ref().map_or_else(|| group.to_owned(), |kind| format!("{kind} of {group}"))
    }

    fn assess(&self, object: &Value) -> Health {
        let verdict = self.evaluate(object);
        verdict.unwrap_or_else(|error| Health::Unknown(error.to_string()))
    }

    fn evaluate(&self, object: &Value) -> Result<Health, EvaluationError> {
        if holds(self.in_progress.as_ref(), object)? {
            return Ok(Health::InProgress("its inProgress expression holds".to_owned()));
        }
        if holds(self.failed.as_ref(), object)? {
            return Ok(Health::Failed("its failed expression holds".to_owned()));
        }
        if holds(Some(&self.current), object)? {
            return Ok(Health::Current);
        }
        Ok(Health::InProgress("its current expression does not hold".to_owned()))
    }
}

/// What an expression says with the top-level fields of `object` as its variables; one that is not given does not hold.
fn holds(expression: Option<&Expression>, object: &Value) -> Result<bool, EvaluationError> {
    let Some(expression) = expression else { return Ok(false) };
    let fields = object.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value));
    expression.holds(fields).map_err(|error| error.about(object))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Surroundings, assess};

    fn expr(api_version: &str, kind: Option<&str>, current: &str) -> HealthCheckExpr {
        let kind = kind.map(str::to_owned);
        HealthCheckExpr { api_version: api_version.to_owned(), kind, current: current.to_owned(), ..Default::default() }
    }

    fn verdict(rules: &[HealthCheckExpr], object: &Value) -> String {
        let rules = HealthRules::compile(rules).expect("valid rules");
        assess(object, &rules, &Surroundings { pods: &[], now: jiff::Timestamp::UNIX_EPOCH }).to_string()
    }

    fn widget(status: &Value) -> Value {
        json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "generation": 2}, "status": status})
    }

    #[test]
    fn progress_comes_before_failure_and_failure_before_success() {
        let rule = HealthCheckExpr {
            in_progress: Some("status.phase == 'working'".to_owned()),
            failed: Some("status.broken".to_owned()),
            ..expr("example.com/v1", Some("Widget"), "status.phase == 'done'")
        };
        let cases = [
            (json!({"phase": "working", "broken": true}), "InProgress: its inProgress expression holds"),
            (json!({"phase": "done", "broken": true}), "Failed: its failed expression holds"),
            (json!({"phase": "done", "broken": false}), "Current"),
            (json!({"phase": "odd", "broken": false}), "InProgress: its current expression does not hold"),
            (
                json!({"phase": "done", "observedGeneration": 1}),
                "InProgress: generation is 2, but latest observed generation is 1",
            ),
            (json!({"phase": "done"}), "Unknown: no such key: broken"),
        ];
        for (status, expected) in cases {
            assert_eq!(verdict(std::slice::from_ref(&rule), &widget(&status)), expected, "{status}");
        }
    }

    #[test]
    fn a_rule_for_the_kind_beats_one_for_the_group_and_versions_do_not_matter() {
        let rules = [expr("example.com/v1beta1", None, "false"), expr("example.com/v2", Some("Widget"), "true")];
        assert_eq!(verdict(&rules, &widget(&json!({}))), "Current");
        assert_eq!(verdict(&rules[..1], &widget(&json!({}))), "InProgress: its current expression does not hold");
    }

    #[test]
    fn a_rule_overrides_the_built_in_one() {
        let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}});
        assert_eq!(verdict(&[expr("apps/v1", Some("Deployment"), "true")], &deployment), "Current");
    }

    #[test]
    fn an_evaluation_error_about_a_secret_quotes_nothing() {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {}, "data": {"password": "canary"}});
        let verdict = verdict(&[expr("v1", Some("Secret"), "data.password + 1 == 2")], &secret);
        assert_eq!(verdict, "Unknown: evaluation failed; details are not shown for a Secret");
    }

    #[test]
    fn unusable_rules_name_their_field() {
        let error = |rules: &[HealthCheckExpr]| HealthRules::compile(rules).expect_err("not usable").to_string();
        let twice = [expr("v1", None, "true"), expr("a/v1", Some("B"), "true"), expr("a/v2", Some("B"), "true")];
        insta::assert_snapshot!(error(&twice), @"spec.healthCheckExprs[2]: B of a has a rule already, at spec.healthCheckExprs[1]");
        insta::assert_snapshot!(error(&[expr("v1", None, "true"), expr("a/v1", None, "status.")]), @"spec.healthCheckExprs[1].current: not a CEL expression: expected identifier after '.' at 1:8");
        let failed = HealthCheckExpr { failed: Some("1 +".to_owned()), ..expr("v1", None, "true") };
        insta::assert_snapshot!(error(&[failed]), @"spec.healthCheckExprs[0].failed: not a CEL expression: Syntax error: mismatched input '<EOF>' expecting expression at 1:4");
    }
}
