//! YAML as go-yaml v3 writes it with an indentation of two: lists are indented below their key and nothing is folded.

use std::cmp::Ordering;

use fairlead_yaml::{Node, Style, emit};

use super::MAX_DEPTH;
use crate::number;
use crate::value::{Text, Value};

/// `value` as YAML, without the line break at its end.
pub(super) fn encode(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value, 0, Place::Document, 0);
    text.strip_suffix('\n').map_or(text.clone(), str::to_owned)
}

/// What is on the line before a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Document,
    Key,
    Dash,
}

fn write(out: &mut String, value: &Value, indent: usize, place: Place, depth: usize) {
    match value {
        Value::List(list) if !list.is_empty() && depth < MAX_DEPTH => {
            for (index, item) in list.iter().enumerate() {
                start_entry(out, index, indent, place);
                out.push('-');
                write(out, item, indent + 2, Place::Dash, depth + 1);
            }
        }
        Value::Map(map) if !map.is_empty() && depth < MAX_DEPTH => {
            let entries = map.entries();
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by(|(a, _), (b, _)| compare_keys(&a.to_str(), &b.to_str()));
            for (index, (key, item)) in entries.into_iter().enumerate() {
                start_entry(out, index, indent, place);
                write_key(out, key, indent);
                write(out, item, indent + 2, Place::Key, depth + 1);
            }
        }
        Value::Object(object) => write(out, &object.plain(), indent, place, depth + 1),
        Value::Bytes(bytes) if !bytes.is_empty() => {
            for (index, byte) in bytes.iter().enumerate() {
                start_entry(out, index, indent, place);
                out.push_str("- ");
                out.push_str(&byte.to_string());
                out.push('\n');
            }
        }
        Value::Missing
        | Value::Nil
        | Value::Bool(_)
        | Value::Int(..)
        | Value::Uint(..)
        | Value::Float(_)
        | Value::Text(_)
        | Value::Bytes(_)
        | Value::List(_)
        | Value::Map(_) => write_scalar(out, value, indent, place),
    }
}

fn start_entry(out: &mut String, index: usize, indent: usize, place: Place) {
    if index == 0 && place == Place::Dash {
        return out.push(' ');
    }
    if index == 0 && place == Place::Key {
        out.push('\n');
    }
    out.push_str(&" ".repeat(indent));
}

fn write_key(out: &mut String, key: &Text, indent: usize) {
    let text = scalar_text(&key.to_str());
    if key.len() > 128 || text.contains('\n') || key.contains(&b'\n') {
        out.push_str("? ");
        out.push_str(&indented(&text, indent));
        if !text.ends_with('\n') {
            out.push('\n');
        }
        out.push_str(&" ".repeat(indent));
    } else {
        out.push_str(&text);
    }
    out.push(':');
}

fn write_scalar(out: &mut String, value: &Value, indent: usize, place: Place) {
    if place != Place::Document {
        out.push(' ');
    }
    let text = match value {
        Value::Text(text) => scalar_text(&text.to_str()),
        Value::Bool(bool) => bool.to_string(),
        Value::Int(number, _) => number.to_string(),
        Value::Uint(number, _) => number.to_string(),
        Value::Float(number) => float(*number),
        Value::List(_) | Value::Bytes(_) => "[]".to_owned(),
        Value::Map(_) => "{}".to_owned(),
        Value::Missing | Value::Nil | Value::Object(_) => "null".to_owned(),
    };
    let block_indent = if place == Place::Document { 0 } else { indent.saturating_sub(2) };
    out.push_str(&indented(&text, block_indent));
    if !text.ends_with('\n') {
        out.push('\n');
    }
}

fn float(number: f64) -> String {
    if number.is_finite() {
        return number::format_general(number);
    }
    match number::not_finite(number) {
        "NaN" => ".nan",
        "+Inf" => ".inf",
        _ => "-.inf",
    }
    .to_owned()
}

/// The lines of a block scalar, moved by `indent`.
fn indented(text: &str, indent: usize) -> String {
    let mut lines = text.split_inclusive('\n');
    let mut out = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        if line != "\n" {
            out.push_str(&" ".repeat(indent));
        }
        out.push_str(line);
    }
    out
}

/// A string in the style that go-yaml v3 chooses, as a document of its own.
fn scalar_text(text: &str) -> String {
    let node = Node::string(text);
    let printed = emit(&node);
    if node.style == Style::Literal { printed } else { printed.trim_end_matches('\n').to_owned() }
}

/// Compares two keys the way go-yaml v3 sorts them: numbers by their value, letters after everything else unless a
/// digit stands before them.
fn compare_keys(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut in_digits = false;
    for at in 0..a.len().min(b.len()) {
        if a[at] == b[at] {
            in_digits = crate::unicode::is_decimal_digit(a[at]);
            continue;
        }
        return match (a[at].is_alphabetic(), b[at].is_alphabetic()) {
            (true, true) => a[at].cmp(&b[at]),
            (true, false) => {
                if in_digits {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (false, true) => {
                if in_digits {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (false, false) => compare_numbers(&a, &b, at),
        };
    }
    a.len().cmp(&b.len())
}

fn compare_numbers(a: &[char], b: &[char], at: usize) -> Ordering {
    let mut start = 0_u64;
    if a[at] == '0' || b[at] == '0' {
        let digits_before = a[..at].iter().rev().take_while(|char| crate::unicode::is_decimal_digit(**char));
        start = u64::from(digits_before.into_iter().any(|char| *char != '0'));
    }
    let number = |chars: &[char]| {
        let digits = chars[at..].iter().map_while(|char| char.to_digit(10));
        digits.fold((start, 0), |(number, count): (u64, usize), digit| {
            (number.wrapping_mul(10).wrapping_add(digit.into()), count + 1)
        })
    };
    number(a).cmp(&number(b)).then(a[at].cmp(&b[at]))
}
