//! Characters as Go sees them.

/// The character that `text` starts with and its length in bytes; a byte that is no UTF-8 counts as U+FFFD.
pub(crate) fn decode(text: &[u8]) -> Option<(char, usize)> {
    let first = *text.first()?;
    if first.is_ascii() {
        return Some((char::from(first), 1));
    }
    let end = text.len().min(4);
    let valid = match std::str::from_utf8(&text[..end]) {
        Ok(valid) => valid,
        Err(error) => std::str::from_utf8(&text[..error.valid_up_to()]).unwrap_or_default(),
    };
    Some(valid.chars().next().map_or((char::REPLACEMENT_CHARACTER, 1), |char| (char, char.len_utf8())))
}

/// The characters of `text`, each with its bytes.
pub(crate) fn chars(text: &[u8]) -> impl Iterator<Item = (char, &[u8])> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (char, length) = decode(rest)?;
        let (bytes, after) = rest.split_at(length);
        rest = after;
        Some((char, bytes))
    })
}

/// How many line breaks `text` has.
pub(crate) fn line_breaks(text: &[u8]) -> usize {
    text.split(|byte| *byte == b'\n').count() - 1
}

/// Go's `unicode.IsDigit`: a decimal digit of any script.
pub(crate) fn is_decimal_digit(char: char) -> bool {
    char.is_ascii_digit() || (!char.is_ascii() && char.is_numeric() && DECIMAL_DIGITS.is_match(char))
}

/// Go's `unicode.IsSpace`.
pub(crate) fn is_space(char: char) -> bool {
    char.is_whitespace()
}

/// Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols, and the ASCII space.
pub(crate) fn is_printable(char: char) -> bool {
    match char {
        ' '..='~' => true,
        '\0'..='\u{a0}' | '\u{ad}' => false,
        _ => PRINTABLE.is_match(char),
    }
}

/// A class of characters that the tables of `regex` know.
struct Class(std::sync::LazyLock<regex::Regex>);

impl Class {
    fn is_match(&self, char: char) -> bool {
        self.0.is_match(char.encode_utf8(&mut [0; 4]))
    }
}

static DECIMAL_DIGITS: Class =
    Class(std::sync::LazyLock::new(|| regex::Regex::new(r"^\p{Nd}$").expect("a fixed pattern is valid")));
static PRINTABLE: Class =
    Class(std::sync::LazyLock::new(|| regex::Regex::new(r"^[\pL\pM\pN\pP\pS]$").expect("a fixed pattern is valid")));
