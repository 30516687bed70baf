//! Quoted text, as Go's `strconv.Quote`.

use crate::unicode;

/// `text` in double quotes, what cannot be printed as escapes.
pub(crate) fn quote(text: &[u8]) -> String {
    quoted(text, '"', unicode::is_printable)
}

/// `text` in double quotes, everything outside of ASCII as escapes.
pub(crate) fn quote_ascii(text: &[u8]) -> String {
    quoted(text, '"', |char| char.is_ascii() && unicode::is_printable(char))
}

/// A character in single quotes.
pub(crate) fn quote_char(char: char, ascii: bool) -> String {
    let is_plain = |char: char| (!ascii || char.is_ascii()) && unicode::is_printable(char);
    quoted(char.encode_utf8(&mut [0; 4]).as_bytes(), '\'', is_plain)
}

fn quoted(text: &[u8], quote: char, is_plain: impl Fn(char) -> bool) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push(quote);
    for (char, bytes) in unicode::chars(text) {
        if char == char::REPLACEMENT_CHARACTER && bytes.len() == 1 {
            quoted.push_str(&format!("\\x{:02x}", bytes[0]));
        } else if char == quote || char == '\\' {
            quoted.extend(['\\', char]);
        } else if is_plain(char) {
            quoted.push(char);
        } else {
            quoted.push_str(&escape(char));
        }
    }
    quoted.push(quote);
    quoted
}

fn escape(char: char) -> String {
    match char {
        '\u{7}' => "\\a".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\u{b}' => "\\v".to_owned(),
        _ => match u32::from(char) {
            code @ (..0x20 | 0x7f) => format!("\\x{code:02x}"),
            code @ ..=0xffff => format!("\\u{code:04x}"),
            code => format!("\\U{code:08x}"),
        },
    }
}
