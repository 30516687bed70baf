//! Values to TOML.

use crate::number;
use crate::unicode;
use crate::value::{Map, Value};

/// `value` as TOML; an error in the words of Go's encoder.
///
/// # Follows `BurntSushi/toml`
/// Keys in byte order, plain values before tables, tables indented by two for each level. What is no table at the top
/// is printed as a bare value.
pub(crate) fn encode(value: &Value) -> Result<String, String> {
    let mut out = String::new();
    match value {
        Value::Missing | Value::Nil => return Err("reflect: call of reflect.Value.Type on zero Value".to_owned()),
        Value::Map(map) => table(&mut out, map, &mut Vec::new(), Header::None)?,
        value => inline(&mut out, value, 0)?,
    }
    Ok(out)
}

/// What is written above the entries of a table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Header {
    None,
    Table,
    Item,
}

fn table(out: &mut String, map: &Map, path: &mut Vec<String>, header: Header) -> Result<(), String> {
    if path.len() > crate::codec::MAX_DEPTH {
        return Err("toml: nested too deeply".to_owned());
    }
    let outer = "  ".repeat(path.len().saturating_sub(1));
    if header != Header::None {
        if !out.is_empty() && (header == Header::Item || path.len() == 1) {
            out.push('\n');
        }
        let name = path.join(".");
        out.push_str(&match header {
            Header::Item => format!("{outer}[[{name}]]\n"),
            Header::None | Header::Table => format!("{outer}[{name}]\n"),
        });
    }
    let indent = "  ".repeat(path.len());
    let entries = map.entries();
    for (key, value) in entries.iter().filter(|(_, value)| !value.is_nil() && !is_table(value)) {
        out.push_str(&format!("{indent}{} = ", quoted_key(key)));
        inline(out, value, 0)?;
        out.push('\n');
    }
    for (key, value) in entries.iter().filter(|(_, value)| is_table(value)) {
        path.push(quoted_key(key));
        match value {
            Value::Map(map) => table(out, map, path, Header::Table)?,
            Value::List(list) => {
                for item in list.iter() {
                    if let Value::Map(map) = item {
                        table(out, map, path, Header::Item)?;
                    }
                }
            }
            _ => {}
        }
        path.pop();
    }
    Ok(())
}

/// Whether a value is written below a header: a map, or a list of nothing but maps.
fn is_table(value: &Value) -> bool {
    match value {
        Value::Map(_) => true,
        Value::List(list) => !list.is_empty() && list.iter().all(|item| matches!(item, Value::Map(_))),
        _ => false,
    }
}

fn inline(out: &mut String, value: &Value, depth: usize) -> Result<(), String> {
    if depth > crate::codec::MAX_DEPTH {
        return Err("toml: nested too deeply".to_owned());
    }
    match value {
        Value::Missing | Value::Nil => return Err("toml: cannot encode array with nil element".to_owned()),
        Value::Bool(bool) => out.push_str(&bool.to_string()),
        Value::Int(number, _) => out.push_str(&number.to_string()),
        Value::Uint(number, _) => out.push_str(&number.to_string()),
        Value::Float(number) => out.push_str(&float(*number)),
        Value::Text(text) => out.push_str(&quoted(text)),
        Value::Bytes(bytes) => {
            let items: Vec<_> = bytes.iter().map(ToString::to_string).collect();
            out.push_str(&format!("[{}]", items.join(", ")));
        }
        Value::List(list) => {
            if list.iter().any(Value::is_nil) {
                return Err("toml: cannot encode array with nil element".to_owned());
            }
            out.push('[');
            for (index, item) in list.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                inline(out, item, depth + 1)?;
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push('{');
            for (index, (key, item)) in map.entries().iter().filter(|(_, item)| !item.is_nil()).enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                out.push_str(&format!("{} = ", quoted_key(key)));
                inline(out, item, depth + 1)?;
            }
            out.push('}');
        }
        Value::Object(object) => inline(out, &object.plain(), depth + 1)?,
    }
    Ok(())
}

fn float(number: f64) -> String {
    let text = match number {
        number if number.is_nan() => return "nan".to_owned(),
        number if number.is_infinite() => return if number > 0.0 { "+inf" } else { "-inf" }.to_owned(),
        number => number::format_general(number),
    };
    if text.contains(['.', 'e']) { text } else { format!("{text}.0") }
}

fn quoted_key(key: &[u8]) -> String {
    let is_bare = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !key.is_empty() && key.iter().all(is_bare) { String::from_utf8_lossy(key).into_owned() } else { quoted(key) }
}

fn quoted(text: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for (char, _) in unicode::chars(text) {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{8}' => quoted.push_str("\\b"),
            '\t' => quoted.push_str("\\t"),
            '\n' => quoted.push_str("\\n"),
            '\u{c}' => quoted.push_str("\\f"),
            '\r' => quoted.push_str("\\r"),
            '\0'..' ' | '\u{7f}' => quoted.push_str(&format!("\\u{:04x}", u32::from(char))),
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}
