//! What a scalar means.
//!
//! # Follows go-yaml
//! [`Schema::Kyaml`] is go-yaml v3 as kustomize uses it, [`Schema::SigsYaml`] is go-yaml v2 as `kubectl`, Helm values
//! and the API machinery use it. Both read the integers of YAML 1.1 (`0644`, `0b11`, `1_000`) and leave base 60 alone.

use std::borrow::Cow;

use crate::number::{is_float, parse_float, parse_magnitude};
use crate::{Node, Position, Style, Value, timestamp};

/// Which tools' rules decide what a plain scalar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// Resources and strategic merge patches in kustomize: `yes`, `on` and `y` are text, timestamps are a type.
    Kyaml,
    /// `kubectl`, Helm values, kustomization files: `yes`, `on` and `y` are booleans, timestamps are text.
    SigsYaml,
}

/// A scalar with its meaning.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// `null`, `~`, or nothing.
    Null,
    /// `true` and `false`, with [`Schema::SigsYaml`] also `yes`, `off` and their like.
    Bool(bool),
    /// An integer that fits 64 bits with a sign.
    Int(i64),
    /// A positive integer that fits only without one.
    UInt(u64),
    /// A number with a fraction or exponent, or one too large for an integer; may be infinite or not a number.
    Float(f64),
    /// Anything else.
    String(Cow<'a, str>),
    /// A date or time, as RFC 3339.
    Timestamp(String),
}

/// A tag whose type the scalar does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("yaml: line {position}: cannot decode `{text}` as a {tag}")]
pub struct TagError {
    /// Where the scalar is.
    pub position: Position,
    /// What was written.
    pub text: String,
    /// The type that its tag asks for.
    pub tag: String,
}

impl Node {
    /// Decides what this scalar means. A collection has no scalar meaning and is an error, as is a tag that does not fit.
    pub fn resolve(&self, schema: Schema) -> Result<Scalar<'_>, TagError> {
        let Value::Scalar(text) = &self.value else {
            return Err(self.tag_error("scalar"));
        };
        match self.tag.as_deref() {
            None if self.style == Style::Plain => Ok(resolve_plain(text, schema)),
            Some(tag) if tag.starts_with("!!") => self.resolve_tagged(text, tag, schema),
            None | Some(_) => Ok(Scalar::String(text.into())),
        }
    }

    fn resolve_tagged<'a>(&self, text: &'a str, tag: &str, schema: Schema) -> Result<Scalar<'a>, TagError> {
        let fits = match (tag, resolve_plain(text, schema)) {
            ("!!binary", _) => decode_base64(text).map(|decoded| Scalar::String(decoded.into())),
            ("!!timestamp", _) => timestamp::to_rfc3339(text).map(|time| match schema {
                Schema::Kyaml => Scalar::Timestamp(time),
                Schema::SigsYaml => Scalar::String(text.into()),
            }),
            ("!!float", Scalar::Int(number)) => parse_float(&number.to_string()).map(Scalar::Float),
            ("!!float", float @ Scalar::Float(_)) => Some(float),
            ("!!int", int @ (Scalar::Int(_) | Scalar::UInt(_))) => Some(int),
            ("!!bool", bool @ Scalar::Bool(_)) => Some(bool),
            ("!!null", Scalar::Null) => Some(Scalar::Null),
            ("!!int" | "!!float" | "!!bool" | "!!null", _) => None,
            _ => Some(Scalar::String(text.into())),
        };
        fits.ok_or_else(|| self.tag_error(tag))
    }

    fn tag_error(&self, tag: &str) -> TagError {
        let text = self.as_str().unwrap_or("a collection").to_owned();
        TagError { position: self.position, text, tag: tag.to_owned() }
    }
}

/// What `text` means without quotes.
pub(crate) fn resolve_plain(text: &str, schema: Schema) -> Scalar<'_> {
    let known = match text.as_bytes().first() {
        None => Some(Scalar::Null),
        Some(b'+' | b'-' | b'.' | b'0'..=b'9') => resolve_number(text, schema),
        Some(b'n' | b'N' | b'~' | b't' | b'T' | b'f' | b'F' | b'y' | b'Y' | b'o' | b'O') => resolve_word(text, schema),
        Some(_) => None,
    };
    known.unwrap_or(Scalar::String(Cow::Borrowed(text)))
}

fn resolve_word(text: &str, schema: Schema) -> Option<Scalar<'static>> {
    match text {
        "~" | "null" | "Null" | "NULL" => Some(Scalar::Null),
        "true" | "True" | "TRUE" => Some(Scalar::Bool(true)),
        "false" | "False" | "FALSE" => Some(Scalar::Bool(false)),
        _ if schema == Schema::SigsYaml => resolve_switch(text).map(Scalar::Bool),
        _ => None,
    }
}

/// The booleans that only YAML 1.1 has.
fn resolve_switch(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn resolve_number(text: &str, schema: Schema) -> Option<Scalar<'static>> {
    match text {
        ".nan" | ".NaN" | ".NAN" => return Some(Scalar::Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Some(Scalar::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => return Some(Scalar::Float(f64::NEG_INFINITY)),
        _ => {}
    }
    if schema == Schema::Kyaml
        && let Some(timestamp) = timestamp::to_rfc3339(text)
    {
        return Some(Scalar::Timestamp(timestamp));
    }
    if text.starts_with('.') {
        return if is_float(text) { parse_float(text).map(Scalar::Float) } else { None };
    }
    let plain = if text.contains('_') { Cow::Owned(text.replace('_', "")) } else { Cow::Borrowed(text) };
    parse_integer(&plain)
        .or_else(|| parse_signed_digits(&plain, schema))
        .or_else(|| if is_float(&plain) { parse_float(&plain).map(Scalar::Float) } else { None })
}

fn parse_integer(text: &str) -> Option<Scalar<'static>> {
    if let Some(digits) = text.strip_prefix('-') {
        return 0_i64.checked_sub_unsigned(parse_magnitude(digits)?).map(Scalar::Int);
    }
    let magnitude = parse_magnitude(text.strip_prefix('+').unwrap_or(text))?;
    match i64::try_from(magnitude) {
        Ok(number) => Some(Scalar::Int(number)),
        // Go reads an unsigned number only without a sign.
        Err(_) if text.starts_with('+') => None,
        Err(_) => Some(Scalar::UInt(magnitude)),
    }
}

/// Reads `0b-1`: go-yaml cuts the prefix off where Go's own parser refuses the text, and so takes a sign behind it.
fn parse_signed_digits(text: &str, schema: Schema) -> Option<Scalar<'static>> {
    let (digits, radix) = match (text.strip_prefix("0b"), text.strip_prefix("0o"), schema) {
        (Some(digits), _, _) => (digits, 2),
        (None, Some(digits), Schema::Kyaml) => (digits, 8),
        (None, _, _) => return None,
    };
    i64::from_str_radix(digits, radix).ok().map(Scalar::Int)
}

/// Decodes standard base64, blanks and line breaks between its characters ignored.
fn decode_base64(text: &str) -> Option<String> {
    let (mut bytes, mut bits, mut count) = (Vec::with_capacity(text.len() / 4 * 3), 0_u32, 0);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(digit)) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap_or_default());
        }
    }
    String::from_utf8(bytes).ok()
}
