//! Literals: numbers, characters and strings as Go writes them.

use super::ast::{Literal, Span};
use crate::number::{parse_float, parse_int, parse_uint};
use crate::unicode;
use crate::value::Text;

/// Reads the number or character `text`, which is `written` somewhere.
pub(super) fn number(text: &str, written: Span) -> Result<Literal, String> {
    if text.starts_with('\'') {
        return character(text, written);
    }
    let (int, uint) = (parse_int(text).ok(), parse_uint(text).ok());
    let float = match (int, uint) {
        (Some(int), _) => Some(int_to_float(int)),
        (None, Some(uint)) => Some(uint_to_float(uint)),
        (None, None) => parse_float(text).ok(),
    };
    let quoted = || crate::fmt::quote(text.as_bytes());
    let Some(float) = float else { return Err(format!("illegal number syntax: {}", quoted())) };
    let is_integer = int.is_some() || uint.is_some();
    if !is_integer && !text.contains(['.', 'e', 'E', 'p', 'P']) {
        return Err(format!("integer overflow: {}", quoted()));
    }
    let (int, uint) = if is_integer { (int, uint) } else { (whole(float), unsigned_whole(float)) };
    Ok(Literal { written, int, uint, float: Some(float), is_float: is_float(text) })
}

/// Undoes the quotes of a string, as `strconv.Unquote`.
pub(super) fn unquote(written: &[u8]) -> Option<Text> {
    let inner = written.get(1..written.len().checked_sub(1)?)?;
    match written[0] {
        b'`' => Some(inner.iter().copied().filter(|byte| *byte != b'\r').collect::<Vec<_>>().into()),
        quote => {
            let (mut text, mut rest) = (Vec::with_capacity(inner.len()), inner);
            while !rest.is_empty() {
                rest = unescape(rest, quote, &mut text)?;
            }
            Some(text.into())
        }
    }
}

/// Whether a number is a `float64` where nothing asks for a type.
fn is_float(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let is_hex_integer = lower.starts_with("0x") && !lower.contains('p');
    !is_hex_integer && lower.contains(['.', 'e', 'p'])
}

fn character(text: &str, written: Span) -> Result<Literal, String> {
    let malformed = || format!("malformed character constant: {text}");
    let decoded = unquote(text.as_bytes()).ok_or_else(malformed)?;
    let mut chars = unicode::chars(&decoded);
    let (Some((char, bytes)), None) = (chars.next(), chars.next()) else { return Err(malformed()) };
    // `'\xff'` is the number of its byte, though it is no character.
    let code = if char == char::REPLACEMENT_CHARACTER && bytes.len() == 1 { u32::from(bytes[0]) } else { char.into() };
    let (int, uint, float) = (Some(code.into()), Some(code.into()), Some(code.into()));
    Ok(Literal { written, int, uint, float, is_float: false })
}

/// Reads one character of a quoted string into `text` and returns what follows it.
fn unescape<'a>(rest: &'a [u8], quote: u8, text: &mut Vec<u8>) -> Option<&'a [u8]> {
    if rest[0] == quote || rest[0] == b'\n' {
        return None;
    }
    if rest[0] != b'\\' {
        let (_, length) = unicode::decode(rest)?;
        text.extend_from_slice(&rest[..length]);
        return Some(&rest[length..]);
    }
    let (escape, after) = rest.get(1..)?.split_first()?;
    let simple = match escape {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'\\' => b'\\',
        b'\'' | b'"' if *escape == quote => quote,
        b'x' => return numeric(after, 2, 16, Meaning::Byte, text),
        b'u' => return numeric(after, 4, 16, Meaning::Character, text),
        b'U' => return numeric(after, 8, 16, Meaning::Character, text),
        b'0'..=b'7' => return numeric(&rest[1..], 3, 8, Meaning::Byte, text),
        _ => return None,
    };
    text.push(simple);
    Some(after)
}

#[derive(Clone, Copy)]
enum Meaning {
    Byte,
    Character,
}

fn numeric<'a>(digits: &'a [u8], count: usize, radix: u32, meaning: Meaning, text: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (digits, after) = digits.split_at_checked(count)?;
    let code = digits
        .iter()
        .try_fold(0_u32, |code, digit| code.checked_mul(radix)?.checked_add(char::from(*digit).to_digit(radix)?))?;
    match meaning {
        Meaning::Byte => text.push(u8::try_from(code).ok()?),
        Meaning::Character => {
            let char = char::from_u32(code)?;
            text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    Some(after)
}

#[expect(clippy::cast_precision_loss, reason = "Go converts it the same way")]
fn int_to_float(int: i64) -> f64 {
    int as f64
}

#[expect(clippy::cast_precision_loss, reason = "Go converts it the same way")]
fn uint_to_float(uint: u64) -> f64 {
    uint as f64
}

#[expect(clippy::cast_possible_truncation, reason = "what is not whole or does not fit is left out")]
fn whole(float: f64) -> Option<i64> {
    let whole = float as i64;
    (int_to_float(whole).to_bits() == float.to_bits() && whole != i64::MAX).then_some(whole)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is not whole or does not fit is left out"
)]
fn unsigned_whole(float: f64) -> Option<u64> {
    let whole = float as u64;
    (uint_to_float(whole).to_bits() == float.to_bits() && whole != u64::MAX).then_some(whole)
}
