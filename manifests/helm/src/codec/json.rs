//! JSON, as Go's `encoding/json`.

use crate::codec::MAX_DEPTH;
use crate::number::Decimal;
use crate::unicode;
use crate::value::{MapType, Value};

/// How JSON is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// On one line, the special characters of HTML escaped.
    Compact,
    /// On one line, the special characters of HTML as they are.
    Raw,
    /// On lines indented by two.
    Pretty,
}

/// `value` as JSON; an error in Go's words.
pub(crate) fn encode(value: &Value, layout: Layout) -> Result<Vec<u8>, String> {
    let mut encoder = Encoder { text: Vec::new(), layout };
    encoder.value(value, 0)?;
    Ok(encoder.text)
}

struct Encoder {
    text: Vec<u8>,
    layout: Layout,
}

impl Encoder {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err("json: unsupported value: encountered a cycle".to_owned());
        }
        match value {
            Value::Missing | Value::Nil => self.text.extend_from_slice(b"null"),
            Value::Bool(bool) => self.text.extend_from_slice(if *bool { b"true" } else { b"false" }),
            Value::Int(number, _) => self.text.extend_from_slice(number.to_string().as_bytes()),
            Value::Uint(number, _) => self.text.extend_from_slice(number.to_string().as_bytes()),
            Value::Float(number) => self.text.extend_from_slice(float(*number)?.as_bytes()),
            Value::Text(text) => self.string(text),
            Value::Bytes(bytes) => {
                use base64::Engine;
                self.string(base64::engine::general_purpose::STANDARD.encode(&**bytes).as_bytes());
            }
            Value::List(list) if list.is_nil() => self.text.extend_from_slice(b"null"),
            Value::List(list) => {
                let items = list.iter().map(|item| (None, item));
                self.collection(items, list.len(), (b'[', b']'), depth)?;
            }
            Value::Map(map) if map.map_type() == MapType::NilTexts => self.text.extend_from_slice(b"null"),
            Value::Map(map) => {
                let entries = map.entries();
                let items = entries.iter().map(|(key, item)| (Some(&**key), item));
                self.collection(items, entries.len(), (b'{', b'}'), depth)?;
            }
            Value::Object(object) => match object.written_fields() {
                Some(fields) => {
                    let items = fields.iter().map(|(name, item)| (Some(name.as_bytes()), item));
                    self.collection(items, fields.len(), (b'{', b'}'), depth)?;
                }
                None => self.value(&object.plain(), depth + 1)?,
            },
        }
        Ok(())
    }

    fn collection<'v>(
        &mut self,
        items: impl Iterator<Item = (Option<&'v [u8]>, &'v Value)>,
        count: usize,
        (open, close): (u8, u8),
        depth: usize,
    ) -> Result<(), String> {
        self.text.push(open);
        for (index, (key, item)) in items.enumerate() {
            if index > 0 {
                self.text.push(b',');
            }
            self.line(depth + 1);
            if let Some(key) = key {
                self.string(key);
                self.text.extend_from_slice(if self.layout == Layout::Pretty { b": " } else { b":" });
            }
            self.value(item, depth + 1)?;
        }
        if count > 0 {
            self.line(depth);
        }
        self.text.push(close);
        Ok(())
    }

    fn line(&mut self, depth: usize) {
        if self.layout == Layout::Pretty {
            self.text.push(b'\n');
            self.text.resize(self.text.len() + 2 * depth, b' ');
        }
    }

    fn string(&mut self, text: &[u8]) {
        self.text.push(b'"');
        for (char, bytes) in unicode::chars(text) {
            match char {
                '"' => self.text.extend_from_slice(b"\\\""),
                '\\' => self.text.extend_from_slice(b"\\\\"),
                '\n' => self.text.extend_from_slice(b"\\n"),
                '\r' => self.text.extend_from_slice(b"\\r"),
                '\t' => self.text.extend_from_slice(b"\\t"),
                '\u{8}' => self.text.extend_from_slice(b"\\b"),
                '\u{c}' => self.text.extend_from_slice(b"\\f"),
                '<' | '>' | '&' if self.layout == Layout::Raw => self.text.extend_from_slice(bytes),
                '\0'..' ' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    self.text.extend_from_slice(format!("\\u{:04x}", u32::from(char)).as_bytes());
                }
                char::REPLACEMENT_CHARACTER if bytes.len() == 1 => self.text.extend_from_slice(b"\\ufffd"),
                _ => self.text.extend_from_slice(bytes),
            }
        }
        self.text.push(b'"');
    }
}

/// A number as JSON: with an exponent where it is very large or very small.
fn float(number: f64) -> Result<String, String> {
    if !number.is_finite() {
        return Err(format!("json: unsupported value: {}", crate::number::not_finite(number)));
    }
    let decimal = Decimal::shortest(number);
    let magnitude = number.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        let text = decimal.exponential();
        // Go writes `1e-7`, not `1e-07`.
        return Ok(text.replace("e-0", "e-"));
    }
    Ok(decimal.positional())
}

/// Why a JSON text cannot be read.
pub(crate) struct Undecoded {
    /// What is wrong, in Go's words.
    pub problem: String,
    /// The value without what is wrong: Go goes on behind a number that is out of range. Missing where the text is no JSON.
    pub rest: Value,
}

/// The value of a JSON text.
pub(crate) fn decode(text: &[u8]) -> Result<Value, Undecoded> {
    let error = match serde_json::from_slice(text) {
        Ok(json) => return Ok(Value::from_json(&json)),
        Err(error) => error,
    };
    let (in_range, first) = without_huge_numbers(text);
    match (first, serde_json::from_slice(&in_range)) {
        (Some(number), Ok(json)) => Err(Undecoded {
            problem: format!("json: cannot unmarshal number {number} into Go value of type float64"),
            rest: Value::from_json(&json),
        }),
        _ => Err(Undecoded { problem: problem(text, &error), rest: Value::Missing }),
    }
}

/// A JSON text with nulls in place of numbers that are out of range, and the first of these.
fn without_huge_numbers(text: &[u8]) -> (Vec<u8>, Option<String>) {
    let (mut in_range, mut first, mut rest) = (Vec::with_capacity(text.len()), None, text);
    while let Some(byte) = rest.first() {
        let length = match byte {
            b'"' => string_length(rest),
            b'-' | b'0'..=b'9' => rest.iter().take_while(|byte| is_of_number(**byte)).count(),
            _ => 1,
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        let number = str::from_utf8(token).ok().filter(|_| is_of_number(*byte));
        match number.filter(|number| number.parse().is_ok_and(f64::is_infinite)) {
            Some(number) => {
                first.get_or_insert_with(|| number.to_owned());
                in_range.extend_from_slice(b"null");
            }
            None => in_range.extend_from_slice(token),
        }
    }
    (in_range, first)
}

fn is_of_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

/// How long the string is that `text` begins with.
fn string_length(text: &[u8]) -> usize {
    let mut is_escaped = false;
    let end = text.iter().skip(1).position(|byte| {
        let ends = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

/// What Go says of a text that is no JSON.
pub(crate) fn problem(text: &[u8], error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "unexpected end of JSON input".to_owned();
    }
    let line_start = text.split_inclusive(|byte| *byte == b'\n').take(error.line() - 1).map(<[u8]>::len).sum::<usize>();
    let at = (line_start + error.column()).saturating_sub(1);
    let message = error.to_string();
    let place = if message.starts_with("key must be a string") {
        "looking for beginning of object key string"
    } else if message.starts_with("expected `,` or `}`") {
        "after object key:value pair"
    } else if message.starts_with("expected `,` or `]`") {
        "after array element"
    } else if message.starts_with("expected `:`") {
        "after object key"
    } else if message.starts_with("trailing characters") {
        "after top-level value"
    } else if message.starts_with("expected value") || message.starts_with("trailing comma") {
        "looking for beginning of value"
    } else {
        return format!("invalid JSON: {message}");
    };
    let byte = text.get(at).copied().unwrap_or_default();
    let shown = match byte {
        b'\'' => "'\\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        byte => crate::fmt::quote_char(char::from(byte), false),
    };
    format!("invalid character {shown} {place}")
}

/// Go's name of what JSON has here, for messages about its type.
pub(crate) fn type_word(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "bool",
        Value::Int(..) | Value::Uint(..) | Value::Float(_) => "number",
        Value::List(_) => "array",
        Value::Map(_) => "object",
        Value::Missing | Value::Nil => "null",
        Value::Text(_) | Value::Bytes(_) | Value::Object(_) => "string",
    }
}
