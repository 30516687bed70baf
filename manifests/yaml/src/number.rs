//! Numbers as Go reads and prints them.

/// Reads an integer as `strconv.ParseInt(text, 0, 64)` does, the sign apart: `0x`, `0o`, `0b` and a leading `0` choose the base.
pub(crate) fn parse_magnitude(digits: &str) -> Option<u64> {
    let bytes = digits.as_bytes();
    let (radix, digits) = match bytes {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    // The standard parser takes a sign of its own.
    if digits.starts_with('+') {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// Whether `text` is a decimal number with an optional fraction and exponent.
pub(crate) fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    is_mantissa(mantissa)
        && exponent.is_none_or(|exponent| all_digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)))
}

fn is_mantissa(text: &str) -> bool {
    match text.split_once('.') {
        Some(("", fraction)) => all_digits(fraction),
        Some((whole, fraction)) => all_digits(whole) && (fraction.is_empty() || all_digits(fraction)),
        None => all_digits(text),
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads a float that [`is_float`] accepts; `None` where Go reports that it is out of range.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// The JSON number that Go's encoder and a second reading make of `number`: an integer where its text is one.
///
/// `None` for what JSON cannot hold.
pub(crate) fn to_json(number: f64) -> Option<serde_json::Number> {
    if number == 0.0 {
        return Some(0.into());
    }
    if number.fract() == 0.0 && number.abs() < 1e21 {
        let text = format!("{number:.0}");
        if let Ok(integer) = text.parse::<i64>() {
            return Some(integer.into());
        }
        if let Ok(integer) = text.parse::<u64>() {
            return Some(integer.into());
        }
    }
    serde_json::Number::from_f64(number)
}

/// Prints a float as `strconv.FormatFloat(number, 'g', -1, 64)` does.
pub(crate) fn format_general(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        // Digits that a plain notation would not show are shown all the same when there are few of them.
        return format!("{number}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}
