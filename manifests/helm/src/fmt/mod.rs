//! Go's `fmt`: values to text.
//!
//! [`write_display`] is what `{{ x }}` does, [`sprintf`] is `printf`. Padding, precision and what is printed for a
//! verb that does not suit its value are Go's, because charts print such mistakes into manifests without noticing.

mod directive;
mod float;
mod printer;
mod quote;

pub(crate) use directive::sprintf;
pub(crate) use printer::Printer;
pub(crate) use quote::{quote, quote_char};

use crate::value::{Kind, Value};

/// Appends what `{{ value }}` prints.
pub(crate) fn write_display(text: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Text(value) => text.extend_from_slice(value),
        Value::Object(object) => text.extend_from_slice(object.text().as_bytes()),
        Value::Missing
        | Value::Nil
        | Value::Bool(_)
        | Value::Int(..)
        | Value::Uint(..)
        | Value::Float(_)
        | Value::Bytes(_)
        | Value::List(_)
        | Value::Map(_) => write_value(text, value),
    }
}

/// What `{{ value }}` prints, for messages.
pub(crate) fn display(value: &Value) -> String {
    let mut text = Vec::new();
    write_display(&mut text, value);
    String::from_utf8_lossy(&text).into_owned()
}

/// Appends what `printf "%v"` prints.
pub(crate) fn write_value(text: &mut Vec<u8>, value: &Value) {
    Printer::new(text).argument(value, 'v');
}

/// What `print` makes of its arguments: blanks only between two that are no strings.
pub(crate) fn sprint(values: &[Value]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut after_text = true;
    for (index, value) in values.iter().enumerate() {
        let is_text = value.kind() == Kind::String;
        if index > 0 && !is_text && !after_text {
            text.push(b' ');
        }
        write_value(&mut text, value);
        after_text = is_text;
    }
    text
}

/// What `println` makes of its arguments.
pub(crate) fn sprintln(values: &[Value]) -> Vec<u8> {
    let mut text = Vec::new();
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            text.push(b' ');
        }
        write_value(&mut text, value);
    }
    text.push(b'\n');
    text
}
