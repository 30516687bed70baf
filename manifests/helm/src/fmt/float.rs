//! Floats, as Go's `strconv.FormatFloat`.

use crate::number::{self, Decimal};

/// `number` in the format of `verb`, one of `e E f F g G b x X`, with `precision` digits or the shortest that read
/// back.
pub(crate) fn format_float(number: f64, verb: char, precision: Option<usize>) -> String {
    if !number.is_finite() {
        return number::not_finite(number).to_owned();
    }
    match (verb, precision) {
        ('e', None) => Decimal::shortest(number).exponential(),
        ('e', Some(precision)) => exponential(number, precision),
        ('E' | 'G' | 'X', _) => {
            let lower = format_float(number, verb.to_ascii_lowercase(), precision);
            lower.to_ascii_uppercase()
        }
        ('f' | 'F', None) => Decimal::shortest(number).positional(),
        ('f' | 'F', Some(precision)) => format!("{number:.precision$}"),
        ('b', _) => binary(number),
        ('x', _) => hexadecimal(number, precision),
        (_, None) => number::format_general(number),
        (_, Some(precision)) => general(number, precision.max(1)),
    }
}

fn exponential(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// `%g` with a precision: that many digits, without zeros at the end.
fn general(number: f64, precision: usize) -> String {
    let text = exponential(number, precision - 1);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let trim = |text: &str| {
        let trimmed = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
        trimmed.to_owned()
    };
    let digits = i32::try_from(precision).unwrap_or(i32::MAX);
    let whole_digits = i32::try_from(Decimal::shortest(number).digits.len()).unwrap_or(i32::MAX);
    let limit = if digits > whole_digits && whole_digits > exponent { whole_digits } else { digits };
    let limit = if digits > whole_digits { limit.max(6.min(digits)) } else { limit };
    if exponent < -4 || exponent >= limit {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trim(mantissa), exponent.unsigned_abs());
    }
    let decimals = usize::try_from(digits - 1 - exponent).unwrap_or_default();
    trim(&format!("{number:.decimals$}"))
}

/// Mantissa and exponent of a finite float: `mantissa * 2^exponent`.
fn parts(number: f64) -> (u64, i32) {
    let bits = number.to_bits();
    let exponent = i32::try_from(bits >> 52 & 0x7ff).unwrap_or_default();
    let fraction = bits & ((1 << 52) - 1);
    if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) }
}

fn binary(number: f64) -> String {
    let sign = if number.is_sign_negative() { "-" } else { "" };
    let (mantissa, exponent) = parts(number);
    format!("{sign}{mantissa}p{exponent:+}")
}

fn hexadecimal(number: f64, precision: Option<usize>) -> String {
    let sign = if number.is_sign_negative() { "-" } else { "" };
    let (mut mantissa, mut exponent) = parts(number);
    if mantissa == 0 {
        exponent = 0;
    } else {
        let shift = mantissa.leading_zeros() - 11;
        mantissa <<= shift;
        exponent += 52 - i32::try_from(shift).unwrap_or_default();
    }
    if let Some(precision) = precision.filter(|precision| *precision < 13) {
        let dropped = 52 - 4 * precision;
        let (half, rest) = (1_u64 << (dropped - 1), mantissa & ((1 << dropped) - 1));
        mantissa >>= dropped;
        if rest > half || rest == half && mantissa & 1 == 1 {
            mantissa += 1;
        }
        mantissa <<= dropped;
        if mantissa >> 53 != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let digits = format!("{:013x}", mantissa & ((1 << 52) - 1));
    let digits = match precision {
        Some(precision) => format!("{digits:0<precision$}")[..precision].to_owned(),
        None => digits.trim_end_matches('0').to_owned(),
    };
    let dot = if digits.is_empty() { "" } else { "." };
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    format!("{sign}0x{}{dot}{digits}p{exponent_sign}{:02}", mantissa >> 52, exponent.unsigned_abs())
}
