//! Time spans in nanoseconds, as Go's `time.Duration`.

const MICROSECOND: i64 = 1_000;
const MILLISECOND: i64 = 1_000 * MICROSECOND;
const SECOND: i64 = 1_000 * MILLISECOND;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// Reads a span such as `1h30m` or `-1.5s`; an error in Go's words.
pub(crate) fn parse_span(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", crate::fmt::quote(text.as_bytes()));
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let number = rest.find(|char: char| !(char.is_ascii_digit() || char == '.')).unwrap_or(rest.len());
        let (digits, after) = rest.split_at(number);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return Err(invalid());
        }
        let unit_length = after.find(|char: char| char.is_ascii_digit() || char == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_length);
        let nanoseconds = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => MICROSECOND,
            "ms" => MILLISECOND,
            "s" => SECOND,
            "m" => MINUTE,
            "h" => HOUR,
            "" => return Err(format!("time: missing unit in duration {}", crate::fmt::quote(text.as_bytes()))),
            unit => {
                let (unit, text) = (crate::fmt::quote(unit.as_bytes()), crate::fmt::quote(text.as_bytes()));
                return Err(format!("time: unknown unit {unit} in duration {text}"));
            }
        };
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid())? };
        let fraction = &fraction[..fraction.len().min(18)];
        let parts: i128 = if fraction.is_empty() { 0 } else { fraction.parse().map_err(|_| invalid())? };
        let scale = 10_i128.pow(u32::try_from(fraction.len()).unwrap_or_default());
        let part = whole.checked_mul(nanoseconds.into()).ok_or_else(invalid)? + parts * i128::from(nanoseconds) / scale;
        total = total.checked_add(part).filter(|total| *total <= 1 << 63).ok_or_else(invalid)?;
        rest = after;
    }
    i64::try_from(if negative { -total } else { total }).map_err(|_| invalid())
}

/// Prints a span, as `1h30m0s` or `1.5ms`.
pub(crate) fn format_span(span: i64) -> String {
    let sign = if span < 0 { "-" } else { "" };
    let magnitude = span.unsigned_abs();
    let unit = |unit: i64| unit.unsigned_abs();
    if magnitude == 0 {
        return "0s".to_owned();
    }
    if magnitude < unit(SECOND) {
        let (scale, name) = match magnitude {
            _ if magnitude < unit(MICROSECOND) => (1, "ns"),
            _ if magnitude < unit(MILLISECOND) => (unit(MICROSECOND), "µs"),
            _ => (unit(MILLISECOND), "ms"),
        };
        return format!("{sign}{}{name}", decimal(magnitude, scale));
    }
    let seconds = decimal(magnitude % unit(MINUTE), unit(SECOND));
    let (hours, minutes) = (magnitude / unit(HOUR), magnitude % unit(HOUR) / unit(MINUTE));
    match (hours, minutes) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

/// `number / scale` with as many decimals as it has.
fn decimal(number: u64, scale: u64) -> String {
    let (whole, rest) = (number / scale, number % scale);
    if rest == 0 {
        return whole.to_string();
    }
    let digits = scale.to_string().len() - 1;
    format!("{whole}.{}", format!("{rest:0digits$}").trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_printed_as_go_does() {
        for (text, printed) in [
            ("1h30m", "1h30m0s"),
            ("-1.5s", "-1.5s"),
            ("90s", "1m30s"),
            ("1.5ms", "1.5ms"),
            ("0", "0s"),
            ("2us", "2µs"),
        ] {
            assert_eq!(parse_span(text).map(format_span).as_deref(), Ok(printed), "{text}");
        }
        assert_eq!(parse_span("x").expect_err("no span"), "time: invalid duration \"x\"");
    }
}
