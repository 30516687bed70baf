//! Numbers as Go's `strconv` reads and prints them.

/// Reads an integer as `strconv.ParseInt(text, 0, 64)`: a prefix or a leading zero chooses the base, `_` separates
/// digits.
pub(crate) fn parse_int(text: &str) -> Result<i64, NumberError> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let magnitude = parse_uint(digits)?;
    let number = if negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() };
    number.ok_or(NumberError::Range)
}

/// Reads an integer as `strconv.ParseUint(text, 0, 64)`.
pub(crate) fn parse_uint(text: &str) -> Result<u64, NumberError> {
    let (radix, digits) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &text[2..]),
        [b'0', b'o' | b'O', ..] => (8, &text[2..]),
        [b'0', b'b' | b'B', ..] => (2, &text[2..]),
        [b'0', _, ..] => (8, &text[1..]),
        _ => (10, text),
    };
    if !underscores_are_well_placed(text) {
        return Err(NumberError::Syntax);
    }
    let digits = digits.replace('_', "");
    if digits.is_empty() || !digits.chars().all(|char| char.is_digit(radix)) {
        return Err(NumberError::Syntax);
    }
    u64::from_str_radix(&digits, radix).map_err(|_| NumberError::Range)
}

/// Reads a decimal integer as `strconv.Atoi`.
pub(crate) fn parse_decimal(text: &str) -> Result<i64, NumberError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NumberError::Syntax);
    }
    text.parse().map_err(|_| NumberError::Range)
}

/// Reads a float as `strconv.ParseFloat(text, 64)`.
pub(crate) fn parse_float(text: &str) -> Result<f64, NumberError> {
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let number = match unsigned.to_ascii_lowercase().as_str() {
        "inf" | "infinity" => f64::INFINITY,
        "nan" => f64::NAN,
        lower if lower.starts_with("0x") => parse_hex_float(lower)?,
        lower => parse_decimal_float(lower)?,
    };
    Ok(if negative { -number } else { number })
}

/// Why a text is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberError {
    /// It is none.
    Syntax,
    /// It is one that does not fit.
    Range,
}

fn parse_decimal_float(text: &str) -> Result<f64, NumberError> {
    let starts_well = text.starts_with(|char: char| char.is_ascii_digit() || char == '.');
    let parts_are_well = || text.split(['.', 'e', '+', '-']).all(underscores_are_well_placed);
    if !starts_well || text == "." || text.starts_with(".e") || !parts_are_well() {
        return Err(NumberError::Syntax);
    }
    let number: f64 = text.replace('_', "").parse().map_err(|_| NumberError::Syntax)?;
    if number.is_infinite() { Err(NumberError::Range) } else { Ok(number) }
}

fn parse_hex_float(text: &str) -> Result<f64, NumberError> {
    let (mantissa, exponent) = text[2..].split_once('p').ok_or(NumberError::Syntax)?;
    let exponent: i32 = exponent.parse().map_err(|_| NumberError::Syntax)?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}").replace('_', "");
    let digits = digits.trim_start_matches('0');
    if whole.is_empty() && fraction.is_empty() || digits.len() > 13 {
        return Err(NumberError::Syntax);
    }
    let significand = if digits.is_empty() { Ok(0) } else { u64::from_str_radix(digits, 16) };
    let significand = significand.map_err(|_| NumberError::Syntax)?;
    let shift = exponent - 4 * i32::try_from(fraction.len()).map_err(|_| NumberError::Range)?;
    #[expect(clippy::cast_precision_loss, reason = "thirteen hexadecimal digits fit the 53 bits of a float")]
    let number = significand as f64 * 2_f64.powi(shift);
    if number.is_finite() { Ok(number) } else { Err(NumberError::Range) }
}

/// Whether every `_` stands between two digits, or between a base prefix and a digit.
fn underscores_are_well_placed(text: &str) -> bool {
    if !text.contains('_') {
        return true;
    }
    let bytes = text.as_bytes();
    let has_prefix = matches!(bytes, [b'0', b'x' | b'X' | b'o' | b'O' | b'b' | b'B', ..]);
    let (mut before, digits) = if has_prefix { (b'0', &bytes[2..]) } else { (b'_', bytes) };
    for byte in digits {
        if *byte == b'_' && before == b'_' {
            return false;
        }
        before = *byte;
    }
    before != b'_'
}

/// The shortest decimal digits of a finite float: `0.digits` times ten to the power of `point`.
pub(crate) struct Decimal {
    pub(crate) negative: bool,
    /// Without a zero at either end; empty for zero.
    pub(crate) digits: String,
    pub(crate) point: i32,
}

impl Decimal {
    /// The digits that read back as `number` and as no other float.
    pub(crate) fn shortest(number: f64) -> Self {
        let text = serde_json::Number::from_f64(number.abs()).map_or_else(|| "0".to_owned(), |json| json.to_string());
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or_default();
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let significant = all.trim_start_matches('0');
        let leading_zeros = all.len() - significant.len();
        let point = length(whole) - i32::try_from(leading_zeros).unwrap_or_default() + exponent;
        let digits = significant.trim_end_matches('0').to_owned();
        let point = if digits.is_empty() { 0 } else { point };
        Self { negative: number.is_sign_negative(), digits, point }
    }

    fn sign(&self) -> &'static str {
        if self.negative { "-" } else { "" }
    }

    /// `d.ddde±dd`
    pub(crate) fn exponential(&self) -> String {
        let (first, rest) = if self.digits.is_empty() { ("0", "") } else { self.digits.split_at(1) };
        let dot = if rest.is_empty() { "" } else { "." };
        let exponent = if self.digits.is_empty() { 0 } else { self.point - 1 };
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}{first}{dot}{rest}e{sign}{:02}", self.sign(), exponent.unsigned_abs())
    }

    /// `ddd.ddd`
    pub(crate) fn positional(&self) -> String {
        let Self { digits, point, .. } = self;
        let sign = self.sign();
        if digits.is_empty() {
            return format!("{sign}0");
        }
        let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or_default());
        if *point <= 0 {
            format!("{sign}0.{}{digits}", zeros(-point))
        } else if *point >= length(digits) {
            format!("{sign}{digits}{}", zeros(point - length(digits)))
        } else {
            let (whole, fraction) = digits.split_at(usize::try_from(*point).unwrap_or_default());
            format!("{sign}{whole}.{fraction}")
        }
    }
}

fn length(text: &str) -> i32 {
    i32::try_from(text.len()).unwrap_or(i32::MAX)
}

/// Prints a float as `strconv.FormatFloat(number, 'g', -1, 64)`, which is `%v`.
pub(crate) fn format_general(number: f64) -> String {
    if !number.is_finite() {
        return not_finite(number).to_owned();
    }
    let decimal = Decimal::shortest(number);
    let exponent = if decimal.digits.is_empty() { 0 } else { decimal.point - 1 };
    if (-4..EXPONENTS_FROM).contains(&exponent) { decimal.positional() } else { decimal.exponential() }
}

/// `%g` shows exponents from here on.
const EXPONENTS_FROM: i32 = 6;

/// Go's word for an infinity or not a number.
pub(crate) fn not_finite(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "+Inf"
    } else {
        "-Inf"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_in_the_base_that_they_name() {
        for (text, number) in [
            ("10", Ok(10)),
            ("-0x1F", Ok(-31)),
            ("017", Ok(15)),
            ("0b11", Ok(3)),
            ("0_17", Ok(15)),
            ("1_000", Ok(1000)),
            ("1__0", Err(NumberError::Syntax)),
            ("08", Err(NumberError::Syntax)),
            ("", Err(NumberError::Syntax)),
            ("9223372036854775808", Err(NumberError::Range)),
            ("-9223372036854775808", Ok(i64::MIN)),
        ] {
            assert_eq!(parse_int(text), number, "{text}");
        }
    }
}
