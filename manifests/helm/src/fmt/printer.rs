//! One value under one verb.

use super::float::format_float;
use super::quote::{quote, quote_ascii, quote_char};
use crate::unicode;
use crate::value::{List, Map, Object, Value};

/// Prints values with the flags of one directive.
#[expect(clippy::struct_excessive_bools, reason = "a directive has these flags, each given or not")]
pub(crate) struct Printer<'t> {
    text: &'t mut Vec<u8>,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    pub(super) plus: bool,
    pub(super) minus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    pub(super) sharp_v: bool,
    pub(super) plus_v: bool,
}

/// Deepest nesting that is printed; a map may contain itself.
const MAX_DEPTH: usize = 1000;

impl<'t> Printer<'t> {
    pub(crate) fn new(text: &'t mut Vec<u8>) -> Self {
        Self {
            text,
            width: None,
            precision: None,
            plus: false,
            minus: false,
            sharp: false,
            space: false,
            zero: false,
            sharp_v: false,
            plus_v: false,
        }
    }

    pub(super) fn write(&mut self, text: &str) {
        self.text.extend_from_slice(text.as_bytes());
    }

    /// Prints an argument under `verb`.
    pub(crate) fn argument(&mut self, value: &Value, verb: char) {
        match (value, verb) {
            (Value::Missing | Value::Nil, 'v' | 'T') => self.pad(b"<nil>"),
            (Value::Missing | Value::Nil, _) | (_, 'p') => self.bad_verb(value, verb),
            (_, 'T') => self.text_verb(value.type_name().unwrap_or_default().as_bytes(), 's', value),
            _ => self.value(value, verb, 0),
        }
    }

    fn value(&mut self, value: &Value, verb: char, depth: usize) {
        if depth > MAX_DEPTH {
            return self.write("...");
        }
        match value {
            Value::Missing | Value::Nil if self.sharp_v => self.write("interface {}(nil)"),
            Value::Missing | Value::Nil => self.write("<nil>"),
            Value::Bool(bool) if matches!(verb, 't' | 'v') => self.pad(if *bool { b"true" } else { b"false" }),
            Value::Bool(_) => self.bad_verb(value, verb),
            Value::Int(number, _) => self.integer(number.unsigned_abs(), *number < 0, verb, value),
            Value::Uint(number, _) => self.integer(*number, false, verb, value),
            Value::Float(number) => self.float(*number, verb, value),
            Value::Text(text) => self.text_verb(text, verb, value),
            Value::Bytes(bytes) if matches!(verb, 's' | 'x' | 'X' | 'q') => self.text_verb(bytes, verb, value),
            Value::Bytes(bytes) => self.bytes(bytes, verb),
            Value::List(list) => self.list(list, verb, depth),
            Value::Map(map) => self.map(map, verb, depth),
            Value::Object(object) => self.object(&**object, verb, value),
        }
    }

    fn object(&mut self, object: &dyn Object, verb: char, value: &Value) {
        match verb {
            'v' | 's' | 'x' | 'X' | 'q' => {
                self.text_verb(object.verb_text().as_bytes(), if verb == 'v' { 's' } else { verb }, value);
            }
            _ => match object.plain() {
                number @ (Value::Int(..) | Value::Uint(..) | Value::Float(_)) => self.value(&number, verb, 0),
                _ => self.bad_verb(value, verb),
            },
        }
    }

    fn list(&mut self, list: &List, verb: char, depth: usize) {
        let separator = if self.sharp_v { ", " } else { " " };
        if self.sharp_v {
            self.write(list.list_type().name());
        }
        if self.sharp_v && list.is_nil() {
            return self.write("(nil)");
        }
        self.write(if self.sharp_v { "{" } else { "[" });
        for (index, item) in list.iter().enumerate() {
            if index > 0 {
                self.write(separator);
            }
            self.value(item, verb, depth + 1);
        }
        self.write(if self.sharp_v { "}" } else { "]" });
    }

    fn map(&mut self, map: &Map, verb: char, depth: usize) {
        let separator = if self.sharp_v { ", " } else { " " };
        let (open, close) = if self.sharp_v { ("{", "}") } else { ("[", "]") };
        self.write(if self.sharp_v { map.map_type().name() } else { "map" });
        self.write(open);
        for (index, (key, item)) in map.entries().iter().enumerate() {
            if index > 0 {
                self.write(separator);
            }
            self.text_verb(key, verb, &Value::Text(key.clone()));
            self.write(":");
            self.value(item, verb, depth + 1);
        }
        self.write(close);
    }

    fn bytes(&mut self, bytes: &[u8], verb: char) {
        if !matches!(verb, 'v' | 'd') {
            let items = bytes.iter().map(|byte| Value::Uint((*byte).into(), crate::value::UintType::Uint8)).collect();
            return self.list(&List::new(items), verb, 0);
        }
        let (open, separator, close) = if self.sharp_v { ("[]byte{", ", ", "}") } else { ("[", " ", "]") };
        self.write(open);
        for (index, byte) in bytes.iter().enumerate() {
            if index > 0 {
                self.write(separator);
            }
            if self.sharp_v {
                self.write(&format!("{byte:#x}"));
            } else {
                self.based((*byte).into(), false, 10, verb);
            }
        }
        self.write(close);
    }

    fn bad_verb(&mut self, value: &Value, verb: char) {
        self.write(&format!("%!{verb}("));
        match value.type_name() {
            None => self.write("<nil>"),
            Some(name) => {
                self.write(name);
                self.write("=");
                // Go forgets the verb, not its flags.
                self.value(value, 'v', 0);
            }
        }
        self.write(")");
    }

    fn text_verb(&mut self, text: &[u8], verb: char, value: &Value) {
        match verb {
            'v' if self.sharp_v => self.quoted(text),
            'v' | 's' => {
                let shown = self.cut(text).to_vec();
                self.pad(&shown);
            }
            'x' => self.hexadecimal(text, "0123456789abcdef"),
            'X' => self.hexadecimal(text, "0123456789ABCDEF"),
            'q' => self.quoted(text),
            _ => self.bad_verb(value, verb),
        }
    }

    /// As many characters of `text` as the precision allows.
    fn cut<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        let Some(precision) = self.precision else { return text };
        let length = unicode::chars(text).take(precision).map(|(_, bytes)| bytes.len()).sum();
        &text[..length]
    }

    fn quoted(&mut self, text: &[u8]) {
        let text = self.cut(text);
        let quoted = match std::str::from_utf8(text) {
            Ok(plain) if self.sharp && can_backquote(plain) => format!("`{plain}`"),
            _ if self.plus => quote_ascii(text),
            _ => quote(text),
        };
        self.pad(quoted.as_bytes());
    }

    fn hexadecimal(&mut self, text: &[u8], digits: &str) {
        let digits = digits.as_bytes();
        let text = &text[..text.len().min(self.precision.unwrap_or(usize::MAX))];
        let prefix = if digits[10] == b'a' { "0x" } else { "0X" };
        let mut out = Vec::with_capacity(text.len() * 2);
        for (index, byte) in text.iter().enumerate() {
            if self.space && index > 0 {
                out.push(b' ');
            }
            if self.sharp && (self.space || index == 0) {
                out.extend_from_slice(prefix.as_bytes());
            }
            out.extend([digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]);
        }
        self.pad(&out);
    }

    fn integer(&mut self, magnitude: u64, negative: bool, verb: char, value: &Value) {
        match verb {
            'v' if self.sharp_v && !matches!(value, Value::Int(..)) => self.write(&format!("{magnitude:#x}")),
            'v' | 'd' => self.based(magnitude, negative, 10, verb),
            'b' => self.based(magnitude, negative, 2, verb),
            'o' | 'O' => self.based(magnitude, negative, 8, verb),
            'x' | 'X' => self.based(magnitude, negative, 16, verb),
            'c' => {
                let char = to_char(magnitude, negative);
                self.pad(char.encode_utf8(&mut [0; 4]).as_bytes());
            }
            'q' => {
                let quoted = quote_char(to_char(magnitude, negative), self.plus);
                self.pad(quoted.as_bytes());
            }
            'U' => self.code_point(magnitude),
            _ => self.bad_verb(value, verb),
        }
    }

    fn code_point(&mut self, code: u64) {
        let digits = self.precision.unwrap_or(4).max(4);
        let mut text = format!("U+{code:0digits$X}");
        let char = u32::try_from(code).ok().and_then(char::from_u32);
        if let Some(char) = char.filter(|char| self.sharp && unicode::is_printable(*char)) {
            text.push_str(&format!(" '{char}'"));
        }
        let zero = std::mem::take(&mut self.zero);
        self.pad(text.as_bytes());
        self.zero = zero;
    }

    fn based(&mut self, magnitude: u64, negative: bool, base: u32, verb: char) {
        let zero = self.zero;
        let mut precision = self.precision.unwrap_or_default();
        if self.precision == Some(0) && magnitude == 0 {
            self.zero = false;
            self.pad(b"");
            self.zero = zero;
            return;
        }
        if let (None, true, false, Some(width)) = (self.precision, self.zero, self.minus, self.width) {
            precision = width.saturating_sub(usize::from(negative || self.plus || self.space));
        }
        let digits = match (base, verb) {
            (2, _) => format!("{magnitude:b}"),
            (8, _) => format!("{magnitude:o}"),
            (16, 'X') => format!("{magnitude:X}"),
            (16, _) => format!("{magnitude:x}"),
            _ => magnitude.to_string(),
        };
        let digits = format!("{digits:0>precision$}");
        let prefix = match (base, verb) {
            (_, 'O') => "0o",
            _ if !self.sharp => "",
            (2, _) => "0b",
            (8, _) if !digits.starts_with('0') => "0",
            (16, 'X') => "0X",
            (16, _) => "0x",
            _ => "",
        };
        let sign = self.sign(negative);
        self.zero = false;
        self.pad(format!("{sign}{prefix}{digits}").as_bytes());
        self.zero = zero;
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.space) {
            (true, _, _) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            (false, false, false) => "",
        }
    }

    fn float(&mut self, number: f64, verb: char, value: &Value) {
        let (format, precision) = match verb {
            'v' => ('g', self.precision),
            'b' | 'g' | 'G' | 'x' | 'X' => (verb, self.precision),
            'e' | 'E' | 'f' | 'F' => (verb, Some(self.precision.unwrap_or(6))),
            _ => return self.bad_verb(value, verb),
        };
        let text = format_float(number, format, precision);
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => (self.sign(false), text.strip_prefix('+').unwrap_or(&text)),
        };
        let sign = if number == f64::INFINITY && sign.is_empty() { "+" } else { sign };
        let digits = if self.sharp && !format.eq_ignore_ascii_case(&'b') && number.is_finite() {
            with_point(digits, format, precision)
        } else {
            digits.to_owned()
        };
        let zero = self.zero;
        if self.zero && !self.minus && number.is_finite() {
            let width = self.width.unwrap_or_default().saturating_sub(sign.len());
            self.write(sign);
            self.write(&format!("{digits:0>width$}"));
            return;
        }
        self.zero = false;
        self.pad(format!("{sign}{digits}").as_bytes());
        self.zero = zero;
    }

    /// Writes `text`, filled up to the width.
    fn pad(&mut self, text: &[u8]) {
        let length = unicode::chars(text).count();
        let missing = self.width.unwrap_or_default().saturating_sub(length);
        if self.minus {
            self.text.extend_from_slice(text);
            self.text.extend(std::iter::repeat_n(b' ', missing));
        } else {
            self.text.extend(std::iter::repeat_n(if self.zero { b'0' } else { b' ' }, missing));
            self.text.extend_from_slice(text);
        }
    }
}

/// `#` keeps the decimal point, and for `g` the zeros behind it.
fn with_point(digits: &str, format: char, precision: Option<usize>) -> String {
    let marks: &[char] = if matches!(format, 'x' | 'X') { &['p', 'P'] } else { &['e', 'E'] };
    let (mantissa, exponent) = match digits.find(marks) {
        Some(at) => digits.split_at(at),
        None => (digits, ""),
    };
    let mut mantissa = mantissa.to_owned();
    let wanted = if matches!(format, 'g' | 'G' | 'x') { precision.unwrap_or(6) } else { 0 };
    // Go counts the `x` of a hexadecimal number as well.
    let significant = mantissa.trim_start_matches(['0', '.']).chars().filter(|char| *char != '.').count();
    let significant = if mantissa == "0" { 1 } else { significant };
    if !mantissa.contains('.') {
        mantissa.push('.');
    }
    mantissa.push_str(&"0".repeat(wanted.saturating_sub(significant)));
    mantissa + exponent
}

fn to_char(magnitude: u64, negative: bool) -> char {
    let code = if negative { None } else { u32::try_from(magnitude).ok() };
    code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn can_backquote(text: &str) -> bool {
    text.chars().all(|char| char == '\t' || !matches!(char, '\0'..=' ' | '`' | '\u{7f}' | '\u{feff}') || char == ' ')
}
