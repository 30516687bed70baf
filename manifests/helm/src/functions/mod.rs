//! The functions that templates call: Go's own, Sprig's and Helm's, each a row of a table.
//!
//! A row says what a function takes, so that the evaluator checks and converts its arguments, and where its behaviour
//! is written down; its body is small and pure. To add one, write a row in the file of its topic.
//!
//! # Follows Helm
//! Where names collide, Helm's function wins over Sprig's, and Sprig's over Go's: `slice` is Sprig's. `env` and
//! `expandenv` do not exist. Where Go's order is random (`keys`, `values`), ours is that of the keys.

#![expect(clippy::unnecessary_wraps, reason = "every row of the table has the same signature")]

mod cases;
mod certificates;
mod codecs;
mod crypto;
mod dates;
mod defaults;
mod dicts;
mod encoding;
mod lists;
mod logic;
mod numbers;
mod paths;
mod random;
mod regex;
mod semver;
mod strings;
mod templates;
mod urls;

use std::{collections::HashMap, sync::LazyLock};

use crate::template::{CallError, Machine};
use crate::value::{IntType, Kind, List, Map, Text, UintType, Value};

/// A function or method, and what it takes.
#[derive(Clone, Copy)]
pub(crate) struct Function {
    /// Its name.
    pub name: &'static str,
    /// The types of its parameters.
    pub parameters: &'static [Type],
    /// The type of any number of further parameters.
    pub rest: Option<Type>,
    /// Whether it evaluates no more arguments than it needs.
    pub short_circuit: Option<ShortCircuit>,
    /// What it does, and whose function it is.
    #[cfg_attr(not(test), expect(dead_code, reason = "rows are documented where they stand"))]
    pub doc: &'static str,
    /// What it does.
    pub run: Run,
}

/// The body of a function.
pub(crate) type Run = fn(&mut Call<'_, '_>) -> Returned;

/// What a function returns.
pub(crate) type Returned = Result<Value, CallError>;

/// At which value `and` or `or` stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShortCircuit {
    /// At the first that is true.
    True,
    /// At the first that is not.
    False,
}

impl Function {
    /// A row of the table.
    pub(crate) const fn new(name: &'static str, parameters: &'static [Type], run: Run, doc: &'static str) -> Self {
        Self { name, parameters, rest: None, short_circuit: None, doc, run }
    }

    /// The same function with any number of further parameters.
    #[must_use]
    pub(crate) const fn rest(self, rest: Type) -> Self {
        Self { rest: Some(rest), ..self }
    }

    const fn stops_at(self, short_circuit: ShortCircuit) -> Self {
        Self { short_circuit: Some(short_circuit), ..self }
    }

    /// The type of the parameter at `index`.
    pub(crate) fn parameter(&self, index: usize) -> Type {
        self.parameters.get(index).copied().or(self.rest).unwrap_or(Type::Any)
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// The function of this name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    TABLE.get(name).copied()
}

const TOPICS: &[&[Function]] = &[
    cases::FUNCTIONS,
    certificates::FUNCTIONS,
    codecs::FUNCTIONS,
    crypto::FUNCTIONS,
    dates::FUNCTIONS,
    defaults::FUNCTIONS,
    dicts::FUNCTIONS,
    encoding::FUNCTIONS,
    lists::FUNCTIONS,
    logic::FUNCTIONS,
    numbers::FUNCTIONS,
    paths::FUNCTIONS,
    random::FUNCTIONS,
    regex::FUNCTIONS,
    semver::FUNCTIONS,
    strings::FUNCTIONS,
    templates::FUNCTIONS,
    urls::FUNCTIONS,
];

pub(crate) use dates::time as time_value;
pub(crate) use paths::{base_of as base_name, cleaned as cleaned_path};

static TABLE: LazyLock<HashMap<&'static str, &'static Function>> =
    LazyLock::new(|| TOPICS.iter().flat_map(|topic| topic.iter()).map(|function| (function.name, function)).collect());

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Type {
    /// `interface {}`: anything, and nothing is a nil.
    Any,
    /// `reflect.Value`: anything, and nothing stays nothing.
    Reflected,
    /// `string`
    Text,
    /// `bool`
    Bool,
    /// A signed integer.
    Int(IntType),
    /// An unsigned integer.
    Uint(UintType),
    /// `float64`
    Float,
    /// `map[string]interface {}`
    Map,
    /// `[]interface {}`
    List,
    /// An object of the type of this name.
    Object(&'static str),
}

impl Type {
    /// `int`
    pub(crate) const INT: Self = Self::Int(IntType::Int);

    /// Go's name of the type.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Reflected => "reflect.Value",
            Self::Text => "string",
            Self::Bool => "bool",
            Self::Int(IntType::Int) => "int",
            Self::Int(IntType::Int64) => "int64",
            Self::Uint(UintType::Uint8) => "uint8",
            Self::Uint(UintType::Uint32) => "uint32",
            Self::Uint(UintType::Uint64) => "uint64",
            Self::Float => "float64",
            Self::Map => "map[string]interface {}",
            Self::List => "[]interface {}",
            Self::Object(name) => name,
        }
    }

    /// Whether nothing is a value of the type.
    pub(crate) fn takes_nil(self) -> bool {
        match self {
            Self::Any | Self::Reflected | Self::Map | Self::List => true,
            Self::Text | Self::Bool | Self::Int(_) | Self::Uint(_) | Self::Float | Self::Object(_) => false,
        }
    }

    /// What the type makes of nothing.
    pub(crate) fn nil(self) -> Value {
        match self {
            Self::Reflected => Value::Missing,
            Self::Map => Value::Map(Map::default()),
            Self::List => Value::list(Vec::new()),
            Self::Any | Self::Text | Self::Bool | Self::Int(_) | Self::Uint(_) | Self::Float | Self::Object(_) => {
                Value::Nil
            }
        }
    }

    /// `value` as a parameter of the type; `None` if it cannot be assigned to one.
    #[expect(clippy::match_same_arms, reason = "each type stands for itself")]
    pub(crate) fn take(self, value: Value) -> Option<Value> {
        use crate::value::{ListType, MapType};
        match (self, value) {
            (Self::Any | Self::Reflected, value) => Some(value),
            (Self::Map, Value::Map(map)) => match map.map_type() {
                MapType::Any => Some(Value::Map(map)),
                MapType::Named(named) if (named.zero)().is_nil() => Some(Value::Map(map.with_type(MapType::Any))),
                MapType::Texts | MapType::NilTexts | MapType::Named(_) => None,
            },
            (Self::List, Value::List(list)) if matches!(list.list_type(), ListType::Any | ListType::Nil) => {
                Some(Value::List(list))
            }
            (Self::Text, value) if value.kind() == Kind::String => Some(value),
            (Self::Bool, value @ Value::Bool(_)) | (Self::Float, value @ Value::Float(_)) => Some(value),
            (Self::Int(wanted), Value::Int(number, given)) if wanted == given => Some(Value::Int(number, given)),
            (Self::Uint(wanted), Value::Uint(number, given)) if wanted == given => Some(Value::Uint(number, given)),
            (Self::Object(name), Value::Object(object)) if object.type_name() == name => Some(Value::Object(object)),
            (
                Self::Text
                | Self::Bool
                | Self::Int(_)
                | Self::Uint(_)
                | Self::Float
                | Self::Map
                | Self::List
                | Self::Object(_),
                _,
            ) => None,
        }
    }
}

/// One call of a function: its arguments, which are of the types that its row asks for, and the machine that runs it.
pub(crate) struct Call<'c, 'w> {
    machine: &'c mut Machine<'w>,
    receiver: Option<&'c Value>,
    arguments: &'c [Value],
}

impl<'c, 'w> Call<'c, 'w> {
    pub(crate) fn new(machine: &'c mut Machine<'w>, receiver: Option<&'c Value>, arguments: &'c [Value]) -> Self {
        Self { machine, receiver, arguments }
    }

    /// What runs the template.
    pub(crate) fn machine(&mut self) -> &mut Machine<'w> {
        self.machine
    }

    /// What a method was called on.
    pub(crate) fn receiver(&self) -> &'c Value {
        self.receiver.unwrap_or(&Value::Missing)
    }

    /// All arguments.
    pub(crate) fn all(&self) -> &'c [Value] {
        self.arguments
    }

    /// The arguments from `index` on.
    pub(crate) fn from(&self, index: usize) -> &'c [Value] {
        self.arguments.get(index..).unwrap_or_default()
    }

    /// The argument at `index`.
    pub(crate) fn any(&self, index: usize) -> &'c Value {
        self.arguments.get(index).unwrap_or(&Value::Nil)
    }

    /// The text at `index`.
    pub(crate) fn text(&self, index: usize) -> &'c Text {
        match self.any(index) {
            Value::Text(text) => text,
            other => unreachable!("the row asks for a text, not {other:?}"),
        }
    }

    /// The integer at `index`.
    pub(crate) fn int(&self, index: usize) -> i64 {
        match self.any(index) {
            Value::Int(number, _) => *number,
            other => unreachable!("the row asks for an integer, not {other:?}"),
        }
    }

    /// The map at `index`.
    pub(crate) fn map(&self, index: usize) -> &'c Map {
        match self.any(index) {
            Value::Map(map) => map,
            other => unreachable!("the row asks for a map, not {other:?}"),
        }
    }

    /// The list at `index`.
    pub(crate) fn list(&self, index: usize) -> &'c List {
        match self.any(index) {
            Value::List(list) => list,
            other => unreachable!("the row asks for a list, not {other:?}"),
        }
    }

    /// Counts bytes that are about to be made.
    pub(crate) fn charge(&mut self, bytes: usize) -> Result<(), CallError> {
        Ok(self.machine.charge(bytes)?)
    }
}

/// What Go says when reflection meets a nil.
pub(crate) const NIL_POINTER: &str = "runtime error: invalid memory address or nil pointer dereference";

#[cfg(test)]
mod tests {
    use super::*;

    /// The names that Helm 4.3 gives to templates.
    const NAMES: &str = include_str!("names.txt");

    #[test]
    fn every_name_that_helm_knows_is_a_function_and_no_other() {
        let ours: std::collections::BTreeSet<&str> = TABLE.keys().copied().collect();
        let theirs: std::collections::BTreeSet<&str> = NAMES.split_whitespace().collect();
        let missing: Vec<_> = theirs.difference(&ours).collect();
        let unknown: Vec<_> = ours.difference(&theirs).collect();
        assert!(missing.is_empty() && unknown.is_empty(), "missing {missing:?}, unknown {unknown:?}");
        assert_eq!(theirs.len(), 251);
    }

    #[test]
    fn every_function_is_in_the_table_once_and_says_what_it_does() {
        let rows: Vec<_> = TOPICS.iter().flat_map(|topic| topic.iter()).collect();
        assert_eq!(rows.len(), TABLE.len(), "two rows have one name");
        let undocumented: Vec<_> = rows.iter().filter(|row| row.doc.is_empty()).map(|row| row.name).collect();
        assert!(undocumented.is_empty(), "{undocumented:?}");
    }
}
