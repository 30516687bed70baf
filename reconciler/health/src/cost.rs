//! An upper bound of what evaluating an expression can cost, found before it runs.
//!
//! CEL always ends, but a few characters can ask for more than any machine has: nested `all` multiply, and
//! `map(x, x + x)` doubles each time it is chained. Whoever may write a health expression must not be able to stop the
//! controller with it. So the expression's tree is walked once with the size of the objects it reads, and refused if the
//! bound is too high. The bound is generous: usual expressions stay thousands of times below it.

use std::collections::HashMap;

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators};
use serde_json::Value;

/// Highest number of evaluation steps.
pub(crate) const MAX_STEPS: f64 = 1e7;

/// Highest size of any value that is made, in items and bytes together.
pub(crate) const MAX_SIZE: f64 = 1e7;

/// How large a value can be.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Size {
    /// Values in it, itself included.
    items: f64,
    /// Bytes of text in it.
    bytes: f64,
}

impl Size {
    /// A number, a truth value.
    const SCALAR: Self = Self { items: 1.0, bytes: 0.0 };

    /// The size of a JSON value.
    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Self::SCALAR,
            Value::String(text) => Self::text(text),
            Value::Array(items) => items.iter().map(Self::of).fold(Self::SCALAR, Self::plus),
            Value::Object(members) => {
                members.iter().fold(Self::SCALAR, |sum, (key, value)| sum.plus(Self::text(key)).plus(Self::of(value)))
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a bound needs no exact byte counts")]
    fn text(text: &str) -> Self {
        Self { items: 1.0, bytes: text.len() as f64 }
    }

    fn plus(self, other: Self) -> Self {
        Self { items: self.items + other.items, bytes: self.bytes + other.bytes }
    }

    fn times(self, count: f64) -> Self {
        Self { items: self.items * count, bytes: self.bytes * count }
    }

    fn total(self) -> f64 {
        self.items + self.bytes
    }
}

/// Steps of matching a text with a pattern that stands in the expression, and was found small when that was compiled.
const STEPS_OF_KNOWN_PATTERN: f64 = 100.0;

/// Steps of matching a text with a pattern that is made while evaluating: it is compiled each time, however large.
const STEPS_OF_MADE_PATTERN: f64 = 1e6;

/// Whether evaluating `expression` with variables of these sizes stays within the bounds.
pub(crate) fn is_affordable(expression: &IdedExpr, variables: &HashMap<String, Size>) -> bool {
    let mut walk = Walk { variables: variables.clone(), steps: 0.0, largest: 0.0 };
    walk.size(expression, 1.0);
    walk.steps <= MAX_STEPS && walk.largest <= MAX_SIZE
}

/// Every part of `expression` with how deep it stands in it. It keeps its own stack, for it guards that of others.
fn all_parts(expression: &IdedExpr) -> impl Iterator<Item = (&IdedExpr, usize)> {
    let mut pending = vec![(expression, 1)];
    std::iter::from_fn(move || {
        let (next, depth) = pending.pop()?;
        pending.extend(parts(&next.expr).into_iter().map(|part| (part, depth + 1)));
        Some((next, depth))
    })
}

/// How many parts of `expression` stand inside each other.
pub(crate) fn depth(expression: &IdedExpr) -> usize {
    all_parts(expression).map(|(_, depth)| depth).max().unwrap_or_default()
}

/// The regular expressions that stand in `expression`.
pub(crate) fn patterns(expression: &IdedExpr) -> impl Iterator<Item = &str> {
    all_parts(expression).filter_map(|(part, _)| match &part.expr {
        Expr::Call(call) if call.func_name == "matches" => pattern_of(call),
        _ => None,
    })
}

/// The pattern of a call of `matches`, if it is written out.
fn pattern_of(call: &CallExpr) -> Option<&str> {
    match &call.args.last()?.expr {
        Expr::Literal(LiteralValue::String(pattern)) => Some(pattern.inner()),
        _ => None,
    }
}

fn parts(expression: &Expr) -> Vec<&IdedExpr> {
    match expression {
        Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => Vec::new(),
        Expr::Select(select) => vec![&select.operand],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map.entries.iter().flat_map(|entry| entry_parts(&entry.expr)).collect(),
        Expr::Struct(fields) => fields.entries.iter().flat_map(|entry| entry_parts(&entry.expr)).collect(),
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
        Expr::Comprehension(comprehension) => vec![
            &comprehension.iter_range,
            &comprehension.accu_init,
            &comprehension.loop_cond,
            &comprehension.loop_step,
            &comprehension.result,
        ],
    }
}

/// A walk through an expression that adds up what it costs.
struct Walk {
    variables: HashMap<String, Size>,
    steps: f64,
    largest: f64,
}

impl Walk {
    /// The size of what `expression` evaluates to, and adds its steps, `runs` times.
    fn size(&mut self, expression: &IdedExpr, runs: f64) -> Size {
        let size = match &expression.expr {
            Expr::Literal(LiteralValue::String(text)) => Size::text(text.inner()),
            Expr::Unspecified | Expr::Literal(_) => Size::SCALAR,
            Expr::Ident(name) => self.variables.get(name).copied().unwrap_or(Size::SCALAR),
            Expr::Select(select) => self.size(&select.operand, runs),
            composite @ (Expr::List(_) | Expr::Map(_) | Expr::Struct(_)) => self.sum(parts(composite), runs),
            Expr::Call(call) => self.call(call, runs),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension, runs),
        };
        self.steps += runs;
        self.largest = self.largest.max(size.total());
        size
    }

    fn sum(&mut self, parts: Vec<&IdedExpr>, runs: f64) -> Size {
        parts.into_iter().fold(Size::SCALAR, |sum, part| sum.plus(self.size(part, runs)))
    }

    fn call(&mut self, call: &CallExpr, runs: f64) -> Size {
        let parts: Vec<&IdedExpr> = call.target.as_deref().into_iter().chain(&call.args).collect();
        let sizes: Vec<Size> = parts.into_iter().map(|part| self.size(part, runs)).collect();
        let result = match call.func_name.as_str() {
            name if yields_scalar(name) => Size::SCALAR,
            operators::ADD
            | operators::CONDITIONAL
            | operators::INDEX
            | operators::OPT_INDEX
            | operators::OPT_SELECT => sizes.iter().copied().fold(Size::default(), Size::plus),
            _ => product(&sizes),
        };
        if call.func_name == "matches" {
            self.steps +=
                runs * if pattern_of(call).is_some() { STEPS_OF_KNOWN_PATTERN } else { STEPS_OF_MADE_PATTERN };
        }
        // What is made must be written: a step for each word of it.
        self.steps += runs * result.total() / 8.0;
        result
    }

    /// The body runs once for each item, and what it adds to the accumulator adds up.
    fn comprehension(&mut self, comprehension: &ComprehensionExpr, runs: f64) -> Size {
        let range = self.size(&comprehension.iter_range, runs);
        let initial = self.size(&comprehension.accu_init, runs);
        let outer = self.variables.clone();
        for variable in std::iter::once(&comprehension.iter_var).chain(&comprehension.iter_var2) {
            self.variables.insert(variable.clone(), range);
        }
        self.variables.insert(comprehension.accu_var.clone(), Size::default());
        let count = range.items.max(1.0);
        self.size(&comprehension.loop_cond, runs * count);
        let growth = self.size(&comprehension.loop_step, runs * count);
        let accumulated = initial.plus(growth.times(count));
        self.variables.insert(comprehension.accu_var.clone(), accumulated);
        let result = self.size(&comprehension.result, runs);
        self.variables = outer;
        result
    }
}

fn entry_parts(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    }
}

/// Whether a function or operator yields a number or a truth value, whatever it is given.
fn yields_scalar(name: &str) -> bool {
    use operators::{
        ALL, DIVIDE, EQUALS, EXISTS, EXISTS_ONE, GREATER, GREATER_EQUALS, HAS, IN, LESS, LESS_EQUALS, LOGICAL_AND,
        LOGICAL_NOT, LOGICAL_OR, MODULO, MULTIPLY, NEGATE, NOT_EQUALS, NOT_STRICTLY_FALSE, SUBSTRACT,
    };
    const OPERATORS: [&str; 20] = [
        ALL,
        DIVIDE,
        EQUALS,
        EXISTS,
        EXISTS_ONE,
        GREATER,
        GREATER_EQUALS,
        HAS,
        IN,
        LESS,
        LESS_EQUALS,
        LOGICAL_AND,
        LOGICAL_NOT,
        LOGICAL_OR,
        MODULO,
        MULTIPLY,
        NEGATE,
        NOT_EQUALS,
        NOT_STRICTLY_FALSE,
        SUBSTRACT,
    ];
    const FUNCTIONS: [&str; 14] = [
        "size",
        "int",
        "uint",
        "double",
        "bool",
        "type",
        "timestamp",
        "duration",
        "startsWith",
        "endsWith",
        "contains",
        "matches",
        "indexOf",
        "hasValue",
    ];
    OPERATORS.contains(&name) || FUNCTIONS.contains(&name)
}

/// The most that a function can make of its arguments: each replaces, joins or splits every part of the others.
fn product(sizes: &[Size]) -> Size {
    let total = sizes.iter().map(|size| size.total() + 1.0).product();
    Size { items: total, bytes: total }
}
