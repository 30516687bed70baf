//! CEL expressions: compiled once, evaluated often.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, LazyLock},
};

use cel::{Context, Env, ExecutionError, common::ast::IdedExpr, extensions, parser::PrattParser};
use regex::RegexBuilder;
use serde_json::Value;

use crate::{
    cost::{Size, depth, is_affordable, patterns},
    sets,
};

/// Longest expression, in bytes.
const MAX_LENGTH_BYTES: usize = 4096;

/// Most parts of an expression inside each other: each takes its share of the stack when it is evaluated. A chain of
/// selections or sums is as deep as it is long.
const MAX_DEPTH: u16 = 64;

/// Largest compiled regular expression, in bytes.
const MAX_PATTERN_BYTES: usize = 1 << 18;

/// The functions that expressions may call. Built once: every evaluation shares it.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    extensions::strings(&mut env).expect("the strings extension is added once");
    extensions::encoders(&mut env).expect("the encoders extension is added once");
    sets::extension(&mut env).expect("the sets extension is added once");
    Arc::new(env)
});

/// An expression that says yes or no about objects.
pub struct Expression {
    text: String,
    root: IdedExpr,
}

/// An expression that cannot be used, and the field that holds it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct ExpressionError {
    /// The field, as `spec.healthCheckExprs[0].current`.
    pub field: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What makes an expression unusable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is not CEL.
    #[error("not a CEL expression: {0}")]
    Syntax(String),
    /// It is longer than an expression may be.
    #[error("the expression has {length_bytes} bytes, more than {MAX_LENGTH_BYTES}")]
    TooLong {
        /// Its length, in bytes.
        length_bytes: usize,
    },
    /// Its parts stand too deep inside each other.
    #[error("the expression has more than {MAX_DEPTH} parts inside each other")]
    TooDeep,
    /// It matches with something that is no regular expression, or one that is too large.
    #[error("`{0}` is not a regular expression, or too large a one")]
    Pattern(String),
}

/// Why an expression gave no answer for the objects at hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// It reads a field that is not there, or compares what cannot be compared.
    #[error("{0}")]
    Failed(String),
    /// It reads a Secret: what failed could quote its values.
    #[error("evaluation failed; details are not shown for a Secret")]
    FailedOnSecret,
    /// Its answer is neither true nor false.
    #[error("the expression gives {0} instead of true or false")]
    NotBoolean(&'static str),
    /// It could take too long or too much memory for objects of this size.
    #[error("the expression could cost too much for an object of this size")]
    TooExpensive,
}

impl EvaluationError {
    /// The error as it may be told about `object`.
    pub(crate) fn about(self, object: &Value) -> Self {
        match self {
            Self::Failed(_) if object["kind"] == "Secret" => Self::FailedOnSecret,
            other => other,
        }
    }
}

impl Expression {
    /// Compiles `text`, which stands in `field`.
    pub fn compile(field: &str, text: &str) -> Result<Self, ExpressionError> {
        let fail = |problem| ExpressionError { field: field.to_owned(), problem };
        if text.len() > MAX_LENGTH_BYTES {
            return Err(fail(Problem::TooLong { length_bytes: text.len() }));
        }
        let parser = PrattParser::new().enable_optional_syntax(true).max_recursion_depth(MAX_DEPTH);
        let root = parser.parse(text).map_err(|errors| fail(Problem::Syntax(first_message(&errors))))?;
        if depth(&root) > usize::from(MAX_DEPTH) {
            return Err(fail(Problem::TooDeep));
        }
        if let Some(pattern) = patterns(&root).find(|pattern| !is_usable_pattern(pattern)) {
            return Err(fail(Problem::Pattern(pattern.to_owned())));
        }
        Ok(Self { text: text.to_owned(), root })
    }

    /// What it says with these variables.
    pub fn holds<'a>(
        &self,
        variables: impl IntoIterator<Item = (&'a str, &'a Value)>,
    ) -> Result<bool, EvaluationError> {
        let variables: Vec<_> = variables.into_iter().collect();
        let sizes = variables.iter().map(|(name, value)| ((*name).to_owned(), Size::of(value))).collect();
        if !self.is_affordable(&sizes) {
            return Err(EvaluationError::TooExpensive);
        }
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        for (name, value) in variables {
            context.add_variable_from_value(name, to_cel(value));
        }
        match cel::Value::resolve(&self.root, &context) {
            Ok(cel::Value::Bool(answer)) => Ok(answer),
            Ok(other) => Err(EvaluationError::NotBoolean(type_name(&other))),
            Err(error) => Err(EvaluationError::Failed(describe(&error))),
        }
    }

    fn is_affordable(&self, sizes: &HashMap<String, Size>) -> bool {
        is_affordable(&self.root, sizes)
    }
}

fn is_usable_pattern(pattern: &str) -> bool {
    RegexBuilder::new(pattern).size_limit(MAX_PATTERN_BYTES).build().is_ok()
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.text).finish()
    }
}

/// The first complaint of the parser, in one line with its column.
fn first_message(errors: &cel::ParseErrors) -> String {
    let message = |error: &cel::ParseError| format!("{} at {}:{}", error.msg, error.pos.0, error.pos.1);
    errors.errors.first().map(message).unwrap_or_default()
}

/// Longest part of an evaluation's error that is shown, in characters.
const MAX_MESSAGE_CHARS: usize = 300;

fn describe(error: &ExecutionError) -> String {
    let mut text = lower_case_first(&error.to_string());
    if let Some((end, _)) = text.char_indices().nth(MAX_MESSAGE_CHARS) {
        text.truncate(end);
        text.push('…');
    }
    text
}

fn lower_case_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// JSON as CEL values. Whole numbers are `int`, as the API server has them; the crate's own conversion makes them `uint`,
/// which cannot be added to a literal.
fn to_cel(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(flag) => cel::Value::Bool(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => cel::Value::Int(integer),
            None => cel::Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => cel::Value::String(Arc::new(text.clone())),
        Value::Array(items) => cel::Value::List(Arc::new(items.iter().map(to_cel).collect())),
        Value::Object(members) => {
            let members: HashMap<String, cel::Value> =
                members.iter().map(|(key, value)| (key.clone(), to_cel(value))).collect();
            cel::Value::Map(members.into())
        }
    }
}

fn type_name(value: &cel::Value) -> &'static str {
    match value {
        cel::Value::List(_) => "a list",
        cel::Value::Map(_) | cel::Value::Struct(_) => "a map",
        cel::Value::Int(_) | cel::Value::UInt(_) | cel::Value::Float(_) => "a number",
        cel::Value::String(_) => "a text",
        cel::Value::Null => "null",
        cel::Value::Bool(_)
        | cel::Value::Bytes(_)
        | cel::Value::Function(..)
        | cel::Value::Duration(_)
        | cel::Value::Timestamp(_)
        | cel::Value::Opaque(_) => "another value",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn evaluate(text: &str) -> String {
        let object = json!({
            "metadata": {"name": "db", "generation": 3, "labels": {"a.b/c": "d"}},
            "spec": {"replicas": 2, "ratio": 1.5, "tags": ["x", "y"]},
            "status": {"ready": 2, "conditions": [
                {"type": "Ready", "status": "True", "observedGeneration": 3},
                {"type": "Synced", "status": "False", "observedGeneration": 3},
            ]},
        });
        let expression = match Expression::compile("current", text) {
            Ok(expression) => expression,
            Err(error) => return error.to_string(),
        };
        let fields = object.as_object().expect("an object").iter().map(|(name, value)| (name.as_str(), value));
        expression.holds(fields).map_or_else(|error| error.to_string(), |answer| answer.to_string())
    }

    #[test]
    fn expressions_answer_as_the_common_expression_language_says() {
        let cases = [
            ("whole numbers add up", "spec.replicas + 1 == 3", "true"),
            ("fields compare", "status.ready == spec.replicas", "true"),
            ("types of numbers compare", "spec.ratio < 2 && spec.replicas > 1.5 && spec.replicas == 2.0", "true"),
            (
                "a usual rule",
                "status.conditions.filter(e, e.type == 'Ready').all(e, e.status == 'True' && e.observedGeneration == metadata.generation)",
                "true",
            ),
            ("a usual failure", "status.conditions.exists(e, e.type == 'Ready' && e.status == 'False')", "false"),
            ("presence", "has(status.conditions) && !has(status.phase)", "true"),
            ("optional fields", "status.?phase.orValue('none') == 'none'", "true"),
            ("optional index", "metadata.labels[?'a.b/c'].orValue('') == 'd'", "true"),
            ("texts", "metadata.name.upperAscii().startsWith('D') && metadata.name.matches('^d.$')", "true"),
            (
                "sets",
                "sets.contains(spec.tags, ['x']) && sets.equivalent(['y', 'x', 'x'], spec.tags) && !sets.intersects(spec.tags, ['z'])",
                "true",
            ),
            ("encoders", "base64.encode(b'hello') == 'aGVsbG8='", "true"),
            ("times", "timestamp('2026-01-01T00:00:00Z') < timestamp('2026-01-01T00:00:01Z')", "true"),
            ("nested lists", "status.conditions.all(a, status.conditions.exists(b, b.type == a.type))", "true"),
        ];
        for (name, text, expected) in cases {
            assert_eq!(evaluate(text), expected, "{name}");
        }
    }

    #[test]
    fn what_cannot_be_answered_is_an_error_that_says_why() {
        insta::assert_snapshot!(evaluate("status.phase == 'Ready'"), @"no such key: phase");
        insta::assert_snapshot!(evaluate("statuses.ready"), @"undeclared reference to 'statuses'");
        insta::assert_snapshot!(evaluate("spec.replicas"), @"the expression gives a number instead of true or false");
        insta::assert_snapshot!(evaluate("spec.tags + 1"), @r#"unsupported binary operator 'add': List([String("x"), String("y")]), Int(1)"#);
        insta::assert_snapshot!(evaluate("status.ready =="), @"current: not a CEL expression: Syntax error: mismatched input '<EOF>' expecting expression at 1:16");
        insta::assert_snapshot!(evaluate(""), @"current: not a CEL expression: Syntax error: mismatched input '<EOF>' expecting expression at 1:1");
    }

    #[test]
    fn an_expression_that_could_cost_too_much_is_refused_before_it_runs() {
        let doubling = format!("['aaaaaaaa']{}.size() > 0", ".map(a, a + a)".repeat(40));
        let growing = format!("'a'{} != ''", ".replace('', 'aaaaaaaaaaaaaaaaaaaaaaaa')".repeat(12));
        let digits = "[0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9]";
        let mut nested = "true".to_owned();
        for variable in ["a", "b", "c", "d", "e", "f", "g"] {
            nested = format!("{digits}.all({variable}, {nested})");
        }
        for text in [doubling, growing, nested] {
            assert_eq!(evaluate(&text), "the expression could cost too much for an object of this size", "{text}");
        }
    }

    #[test]
    fn regular_expressions_are_small_and_known_beforehand() {
        insta::assert_snapshot!(evaluate("metadata.name.matches('(')"), @"current: `(` is not a regular expression, or too large a one");
        insta::assert_snapshot!(evaluate(r"metadata.name.matches('(\\w{500}){500}')"), @r"current: `(\w{500}){500}` is not a regular expression, or too large a one");
        insta::assert_snapshot!(evaluate("status.conditions.all(c, c.type.matches(c.status))"), @"the expression could cost too much for an object of this size");
        assert_eq!(evaluate("metadata.name.matches('^' + metadata.name)"), "true");
        assert_eq!(evaluate("status.conditions.all(c, c.type.matches('^[A-Z][a-z]+$'))"), "true");
    }

    #[test]
    fn a_usual_rule_is_affordable_for_a_large_object() {
        let rule = "status.conditions.filter(e, e.type == 'Ready').all(e, e.status == 'True') && spec.items.all(i, i.name != '')";
        let items: Vec<Value> = (0..20_000).map(|place| json!({"name": format!("item-{place}")})).collect();
        let (spec, status) = (json!({"items": items}), json!({"conditions": [{"type": "Ready", "status": "True"}]}));
        let rule = Expression::compile("current", rule).expect("valid");
        assert_eq!(rule.holds([("spec", &spec), ("status", &status)]), Ok(true));
    }

    #[test]
    fn an_expression_that_is_too_long_or_too_deep_is_refused() {
        insta::assert_snapshot!(evaluate(&"a".repeat(5000)), @"current: the expression has 5000 bytes, more than 4096");
        let deep = format!("{}a{}", "f(".repeat(1000), ")".repeat(1000));
        insta::assert_snapshot!(evaluate(&deep), @"current: not a CEL expression: expression recursion limit exceeded: 64 at 0:0");
        insta::assert_snapshot!(evaluate(&format!("a{}", ".a".repeat(1000))), @"current: the expression has more than 64 parts inside each other");
        insta::assert_snapshot!(evaluate(&format!("{}true", "true ? false : ".repeat(200))), @"current: the expression has more than 64 parts inside each other");
    }

    #[test]
    fn no_expression_within_the_limits_exhausts_the_stack() {
        let repeated = |part: &str| format!("a{}", part.repeat((MAX_LENGTH_BYTES - 1) / part.len()));
        let parts = [".a", "+1", "&&a", "==a", "[0]", ".a()", "-a", "!a", "?", ".?a", " in a"];
        let brackets =
            |open: &str, close: &str| format!("{}a{}", open.repeat(MAX_DEPTH.into()), close.repeat(MAX_DEPTH.into()));
        let nested =
            [("(", ")"), ("[", "]"), ("a[", "]"), ("f(", ")"), ("-(", ")")].map(|(open, close)| brackets(open, close));
        let unary = ["!", "-"].map(|operator| operator.repeat(MAX_LENGTH_BYTES));
        let conditional = "a ? a : ".repeat(MAX_DEPTH.into()) + "a";
        for text in parts.map(repeated).into_iter().chain(nested).chain(unary).chain([conditional]) {
            assert!(!evaluate(&text).is_empty(), "{text}");
        }
    }

    #[test]
    fn compiled_expressions_go_between_threads() {
        fn assert_shared<T: Send + Sync>() {}
        assert_shared::<Expression>();
        assert_shared::<crate::HealthRules>();
    }
}
