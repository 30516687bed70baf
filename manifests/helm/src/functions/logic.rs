//! The functions that every Go template has: truth, comparison, lengths, indexes and printing.

use super::{Call, Function, Returned, ShortCircuit, Type};
use crate::fmt;
use crate::template::CallError;
use crate::unicode;
use crate::value::{Kind, ListType, UintType, Value};

const REFLECTED: &[Type] = &[Type::Reflected];
const PAIR: &[Type] = &[Type::Reflected, Type::Reflected];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("and", REFLECTED, last, "The first value that is not true, or the last (Go).")
        .rest(Type::Reflected)
        .stops_at(ShortCircuit::False),
    Function::new("or", REFLECTED, last, "The first value that is true, or the last (Go).")
        .rest(Type::Reflected)
        .stops_at(ShortCircuit::True),
    Function::new("not", REFLECTED, not, "Whether a value is not true (Go)."),
    Function::new("eq", REFLECTED, eq, "Whether the first value equals one of the others (Go).").rest(Type::Reflected),
    Function::new("ne", PAIR, ne, "Whether two values differ (Go)."),
    Function::new("lt", PAIR, lt, "Whether the first value is less (Go)."),
    Function::new("le", PAIR, le, "Whether the first value is less or equal (Go)."),
    Function::new("gt", PAIR, gt, "Whether the first value is greater (Go)."),
    Function::new("ge", PAIR, ge, "Whether the first value is greater or equal (Go)."),
    Function::new("len", REFLECTED, len, "How many bytes, items or entries a value has (Go)."),
    Function::new("index", REFLECTED, index, "The element at an index or key, and its element, and so on (Go).")
        .rest(Type::Reflected),
    Function::new("call", REFLECTED, call, "Calls a value that is a function; no value of a chart is one (Go).")
        .rest(Type::Reflected),
    Function::new("print", &[], print, "Values as text, blanks between those that are no strings (Go).")
        .rest(Type::Any),
    Function::new("println", &[], println, "Values as text, blanks between them, a line break at the end (Go).")
        .rest(Type::Any),
    Function::new("printf", &[Type::Text], printf, "Values as text, as a format says (Go).").rest(Type::Any),
    Function::new("html", &[], html, "Text with the special characters of HTML escaped (Go).").rest(Type::Any),
    Function::new("js", &[], js, "Text with the special characters of JavaScript escaped (Go).").rest(Type::Any),
    Function::new("urlquery", &[], urlquery, "Text escaped for the query of a URL (Go).").rest(Type::Any),
];

/// `and` and `or` are evaluated by the evaluator, which decides how many of their arguments are.
fn last(call: &mut Call<'_, '_>) -> Returned {
    Ok(call.all().last().cloned().unwrap_or(Value::Missing))
}

fn not(call: &mut Call<'_, '_>) -> Returned {
    Ok((!call.any(0).is_true()).into())
}

fn eq(call: &mut Call<'_, '_>) -> Returned {
    let first = call.any(0);
    if call.from(1).is_empty() {
        return Err("missing argument for comparison".into());
    }
    for other in call.from(1) {
        if equal(first, other)? {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}

fn ne(call: &mut Call<'_, '_>) -> Returned {
    Ok((!equal(call.any(0), call.any(1))?).into())
}

fn lt(call: &mut Call<'_, '_>) -> Returned {
    Ok(less(call.any(0), call.any(1))?.into())
}

fn le(call: &mut Call<'_, '_>) -> Returned {
    let (a, b) = (call.any(0), call.any(1));
    Ok((less(a, b)? || equal(a, b)?).into())
}

fn gt(call: &mut Call<'_, '_>) -> Returned {
    let (a, b) = (call.any(0), call.any(1));
    Ok((!(less(a, b)? || equal(a, b)?)).into())
}

fn ge(call: &mut Call<'_, '_>) -> Returned {
    Ok((!less(call.any(0), call.any(1))?).into())
}

/// What Go can compare: the integers of all widths are alike, and so on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Basic {
    None,
    Bool,
    Int,
    Uint,
    Float,
    Text,
}

fn basic(value: &Value) -> Basic {
    match value.kind() {
        Kind::Bool => Basic::Bool,
        Kind::Int | Kind::Int64 => Basic::Int,
        Kind::Uint8 | Kind::Uint32 | Kind::Uint64 => Basic::Uint,
        Kind::Float64 => Basic::Float,
        Kind::String => Basic::Text,
        Kind::Invalid | Kind::Slice | Kind::Map | Kind::Struct | Kind::Pointer => Basic::None,
    }
}

fn integer(value: &Value) -> i128 {
    match value {
        Value::Int(number, _) => (*number).into(),
        Value::Uint(number, _) => (*number).into(),
        Value::Object(object) => integer(&object.plain()),
        _ => 0,
    }
}

fn float(value: &Value) -> f64 {
    if let Value::Float(number) = value { *number } else { 0.0 }
}

fn bytes(value: &Value) -> &[u8] {
    if let Value::Text(text) = value { text } else { &[] }
}

fn equal(a: &Value, b: &Value) -> Result<bool, CallError> {
    let (kind_a, kind_b) = (basic(a), basic(b));
    match (kind_a, kind_b) {
        (Basic::Int | Basic::Uint, Basic::Int | Basic::Uint) => Ok(integer(a) == integer(b)),
        (Basic::Bool, Basic::Bool) => Ok(a.is_true() == b.is_true()),
        #[expect(clippy::float_cmp, reason = "Go compares them exactly")]
        (Basic::Float, Basic::Float) => Ok(float(a) == float(b)),
        (Basic::Text, Basic::Text) => Ok(bytes(a) == bytes(b)),
        (Basic::None, Basic::None) => equal_composites(a, b),
        _ if a.is_nil() || b.is_nil() => Ok(false),
        _ => Err(incompatible(a, b)),
    }
}

fn equal_composites(a: &Value, b: &Value) -> Result<bool, CallError> {
    if a.is_nil() || b.is_nil() {
        return Ok(a.is_nil() == b.is_nil());
    }
    if a.kind() != b.kind() {
        let (name_a, name_b) = (a.type_name().unwrap_or_default(), b.type_name().unwrap_or_default());
        // Go prints the first of the two with the verb for texts.
        let a = fmt::sprintf(b"%s", std::slice::from_ref(a));
        let (a, b) = (String::from_utf8_lossy(&a), fmt::display(b));
        return Err(format!("non-comparable types {a}: {name_a}, {name_b}: {b}").into());
    }
    if let (Value::Object(_), Value::Object(_)) = (a, b) {
        return Ok(a.deep_equal(b));
    }
    let shown = fmt::sprintf(b"%s", std::slice::from_ref(b));
    let name = b.type_name().unwrap_or_default();
    Err(format!("non-comparable type {}: {name}", String::from_utf8_lossy(&shown)).into())
}

fn less(a: &Value, b: &Value) -> Result<bool, CallError> {
    let (kind_a, kind_b) = (basic(a), basic(b));
    match (kind_a, kind_b) {
        (Basic::None, _) | (_, Basic::None) | (Basic::Bool, Basic::Bool) => Err("invalid type for comparison".into()),
        (Basic::Int | Basic::Uint, Basic::Int | Basic::Uint) => Ok(integer(a) < integer(b)),
        (Basic::Float, Basic::Float) => Ok(float(a) < float(b)),
        (Basic::Text, Basic::Text) => Ok(bytes(a) < bytes(b)),
        _ => Err(incompatible(a, b)),
    }
}

fn incompatible(a: &Value, b: &Value) -> CallError {
    let name = |value: &Value| value.type_name().unwrap_or("<nil>");
    format!("incompatible types for comparison: {} and {}", name(a), name(b)).into()
}

fn len(call: &mut Call<'_, '_>) -> Returned {
    let length = match call.any(0) {
        Value::Missing => return Err("reflect: call of reflect.Value.Type on zero Value".into()),
        Value::Nil => return Err("len of nil pointer".into()),
        Value::Text(text) | Value::Bytes(text) => text.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        other => return Err(format!("len of type {}", other.type_name().unwrap_or_default()).into()),
    };
    Ok(Value::length(length))
}

fn index(call: &mut Call<'_, '_>) -> Returned {
    let mut item = call.any(0).clone();
    if item.is_nil() {
        return Err("index of untyped nil".into());
    }
    for index in call.from(1) {
        item = element(&item, index)?;
    }
    Ok(item)
}

fn element(item: &Value, index: &Value) -> Returned {
    match item {
        Value::Missing | Value::Nil => Err("index of nil pointer".into()),
        Value::Text(text) | Value::Bytes(text) => {
            let at = position(index, text.len())?;
            let byte = text.get(at).ok_or(match item {
                Value::Text(_) => "reflect: string index out of range",
                _ => "reflect: slice index out of range",
            })?;
            Ok(Value::Uint((*byte).into(), UintType::Uint8))
        }
        Value::List(list) => {
            let at = position(index, list.len())?;
            Ok(list.get(at).cloned().ok_or("reflect: slice index out of range")?)
        }
        Value::Map(map) => match index {
            Value::Text(key) => Ok(map.get(key).unwrap_or_else(|| map.map_type().zero())),
            Value::Missing | Value::Nil => Err("value is nil; should be of type string".into()),
            other => {
                let name = other.type_name().unwrap_or_default();
                Err(format!("value has type {name}; should be string").into())
            }
        },
        other => Err(format!("can't index item of type {}", other.type_name().unwrap_or_default()).into()),
    }
}

/// An index, which Go checks against the length but not as strictly as the access itself.
fn position(index: &Value, length: usize) -> Result<usize, CallError> {
    let number = match index {
        Value::Int(number, _) => *number,
        Value::Uint(number, _) => i64::try_from(*number).unwrap_or(-1),
        Value::Missing | Value::Nil => return Err("cannot index slice/array with nil".into()),
        other => {
            return Err(format!("cannot index slice/array with type {}", other.type_name().unwrap_or_default()).into());
        }
    };
    let at = usize::try_from(number).ok().filter(|at| *at <= length);
    at.ok_or_else(|| format!("index out of range: {number}").into())
}

fn call(call: &mut Call<'_, '_>) -> Returned {
    match call.any(0).type_name() {
        None => Err("call of nil".into()),
        Some(name) => Err(format!("non-function {} of type {name}", fmt::display(call.any(0))).into()),
    }
}

fn print(call: &mut Call<'_, '_>) -> Returned {
    Ok(fmt::sprint(call.all()).into())
}

fn println(call: &mut Call<'_, '_>) -> Returned {
    Ok(fmt::sprintln(call.all()).into())
}

fn printf(call: &mut Call<'_, '_>) -> Returned {
    let text = fmt::sprintf(call.text(0), call.from(1));
    call.charge(text.len())?;
    Ok(text.into())
}

/// The text that is escaped: one string as it is, anything else as `print` shows it.
fn printed(call: &Call<'_, '_>) -> Vec<u8> {
    match call.all() {
        [Value::Text(text)] => text.to_vec(),
        // A nil shows as a missing value does.
        values => {
            let shown: Vec<_> =
                values.iter().map(|value| if value.is_nil() { "<no value>".into() } else { value.clone() }).collect();
            fmt::sprint(&shown)
        }
    }
}

fn html(call: &mut Call<'_, '_>) -> Returned {
    let mut escaped = Vec::new();
    for byte in printed(call) {
        match byte {
            0 => escaped.extend_from_slice("\u{fffd}".as_bytes()),
            b'"' => escaped.extend_from_slice(b"&#34;"),
            b'\'' => escaped.extend_from_slice(b"&#39;"),
            b'&' => escaped.extend_from_slice(b"&amp;"),
            b'<' => escaped.extend_from_slice(b"&lt;"),
            b'>' => escaped.extend_from_slice(b"&gt;"),
            byte => escaped.push(byte),
        }
    }
    Ok(escaped.into())
}

fn js(call: &mut Call<'_, '_>) -> Returned {
    let text = printed(call);
    let mut escaped = Vec::with_capacity(text.len());
    for (char, bytes) in unicode::chars(&text) {
        match char {
            '\\' => escaped.extend_from_slice(b"\\\\"),
            '\'' => escaped.extend_from_slice(b"\\'"),
            '"' => escaped.extend_from_slice(b"\\\""),
            '<' | '>' | '&' | '=' | '\0'..' ' => {
                escaped.extend_from_slice(format!("\\u{:04X}", u32::from(char)).as_bytes());
            }
            char if char.is_ascii() || unicode::is_printable(char) => escaped.extend_from_slice(bytes),
            char => escaped.extend_from_slice(format!("\\u{:04X}", u32::from(char)).as_bytes()),
        }
    }
    Ok(escaped.into())
}

fn urlquery(call: &mut Call<'_, '_>) -> Returned {
    Ok(super::urls::query_escape(&printed(call)).into())
}

/// The elements of a slice of any type; `None` for anything else.
pub(super) fn elements(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::List(list) => Some(list.to_vec()),
        Value::Bytes(bytes) => Some(bytes.iter().map(|byte| Value::Uint((*byte).into(), UintType::Uint8)).collect()),
        _ => None,
    }
}

/// The type of a part of a slice.
pub(super) fn part_type(value: &Value) -> ListType {
    if let Value::List(list) = value { list.list_type() } else { ListType::Any }
}
