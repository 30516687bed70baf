//! Numbers as Go reads and prints them.

use serde_json::Number;

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
pub(crate) fn to_json(number: f64) -> Option<Number> {
    if number == 0.0 {
        return Some(0.into());
    }
    let json = Number::from_f64(number)?;
    let integer = Decimal::of(&json).and_then(|decimal| decimal.integer());
    Some(integer.unwrap_or(json))
}

/// Prints a float as `strconv.FormatFloat(number, 'g', -1, 64)` does.
pub(crate) fn format_general(number: f64) -> String {
    match Number::from_f64(number).as_ref().and_then(Decimal::of) {
        Some(decimal) => decimal.general(),
        None if number.is_nan() => ".nan".to_owned(),
        None if number > 0.0 => ".inf".to_owned(),
        None => "-.inf".to_owned(),
    }
}

/// The shortest decimal digits of a float: `0.digits` times ten to the power of `point`.
///
/// They are taken from the JSON text, which rounds as Go does; the standard library breaks ties the other way.
struct Decimal {
    sign: &'static str,
    digits: String,
    point: i32,
}

impl Decimal {
    fn of(number: &Number) -> Option<Self> {
        let text = number.to_string();
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().ok()?;
        let (sign, mantissa) = match mantissa.strip_prefix('-') {
            Some(mantissa) => ("-", mantissa),
            None => ("", mantissa),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let significant = all.trim_start_matches('0');
        let leading_zeros = all.len() - significant.len();
        let point = i32::try_from(whole.len()).ok()? - i32::try_from(leading_zeros).ok()? + exponent;
        Some(Self { sign, digits: significant.trim_end_matches('0').to_owned(), point })
    }

    /// The number as an integer, if it is one of 64 bits.
    fn integer(&self) -> Option<Number> {
        let zeros = usize::try_from(self.point).ok()?.checked_sub(self.digits.len())?;
        if zeros > MAX_INTEGER_DIGITS {
            return None;
        }
        let text = format!("{}{}{}", self.sign, self.digits, "0".repeat(zeros));
        text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from)).ok()
    }

    fn general(&self) -> String {
        let Self { sign, digits, point } = self;
        if digits.is_empty() {
            return format!("{sign}0");
        }
        let exponent = point - 1;
        let length = i32::try_from(digits.len()).unwrap_or(i32::MAX);
        if !(-4..PLAIN_DIGITS).contains(&exponent) {
            let (first, rest) = digits.split_at(digits.len().min(1));
            let dot = if rest.is_empty() { "" } else { "." };
            let exponent_sign = if exponent < 0 { '-' } else { '+' };
            return format!("{sign}{first}{dot}{rest}e{exponent_sign}{:02}", exponent.unsigned_abs());
        }
        let count = usize::try_from(*point).unwrap_or_default();
        if *point <= 0 {
            format!("{sign}0.{}{digits}", "0".repeat(usize::try_from(-point).unwrap_or_default()))
        } else if *point >= length {
            format!("{sign}{digits}{}", "0".repeat(count - digits.len()))
        } else {
            format!("{sign}{}.{}", &digits[..count], &digits[count..])
        }
    }
}

/// An integer of 64 bits has at most this many digits.
const MAX_INTEGER_DIGITS: usize = 20;
/// Go's `%g` shows exponents from here on.
const PLAIN_DIGITS: i32 = 6;
