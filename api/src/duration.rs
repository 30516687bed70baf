//! Durations as Go writes them: `1h30m`, `1.5s`, `5m0s`.
//!
//! [`Duration`] is what stands in an object: any text, so that one object with a bad value does not make the list that
//! holds it unreadable. [`GoDuration`] is what it means, read when it is used.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// What a duration in a served object looks like. It lets values through that are too large to mean anything.
pub(crate) const PATTERN: &str = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$";

/// A duration as it stands in an object, not yet read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Duration(String);

impl Duration {
    /// The duration in `field`, which the error names.
    pub fn read(&self, field: &'static str) -> Result<std::time::Duration, DurationError> {
        GoDuration::parse(&self.0).map(|parsed| parsed.0).map_err(|source| DurationError {
            field,
            written: self.0.clone(),
            source,
        })
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Duration {
    fn from(written: &str) -> Self {
        Self(written.to_owned())
    }
}

impl From<std::time::Duration> for Duration {
    fn from(duration: std::time::Duration) -> Self {
        Self(GoDuration(duration).to_string())
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": PATTERN })
    }
}

/// A field holds a duration that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: `{written}` is no duration")]
pub struct DurationError {
    /// The field, from the object's root: `spec.interval`.
    pub field: &'static str,
    /// What it holds.
    pub written: String,
    /// What is wrong with it.
    pub source: ParseDurationError,
}

/// Why a text is no duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseDurationError {
    /// There is nothing to read.
    #[error("it is empty")]
    Empty,
    /// A part does not begin with a number.
    #[error("a number is expected before each unit")]
    NoNumber,
    /// A number has no unit, or one that Go does not know.
    #[error("the unit must be `h`, `m`, `s`, `ms`, `us` or `ns`")]
    NoUnit,
    /// The value does not fit in 64 bits of nanoseconds.
    #[error("it is longer than 292 years")]
    TooLong,
}

/// A duration that reads and prints as Go's `time.Duration` does, without its negative half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GoDuration(pub std::time::Duration);

impl GoDuration {
    /// Reads a sum of numbers with units, such as `1h30m` or `1.5s`, or a bare `0`.
    pub fn parse(written: &str) -> Result<Self, ParseDurationError> {
        if written.is_empty() {
            return Err(ParseDurationError::Empty);
        }
        let mut nanos: u64 = 0;
        let mut rest = if written == "0" { "" } else { written };
        while !rest.is_empty() {
            let (part, after) = parse_part(rest)?;
            nanos = nanos.checked_add(part).filter(|sum| *sum <= MAX_NANOS).ok_or(ParseDurationError::TooLong)?;
            rest = after;
        }
        Ok(Self(std::time::Duration::from_nanos(nanos)))
    }
}

/// Go counts nanoseconds in a signed 64-bit integer.
const MAX_NANOS: u64 = i64::MAX as u64;

/// Reads one number with its unit; returns its nanoseconds and the text behind it.
fn parse_part(text: &str) -> Result<(u64, &str), ParseDurationError> {
    let (number, rest) = text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len()));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return Err(ParseDurationError::NoNumber);
    }
    let (unit, rest) = rest.split_at(rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len()));
    let unit_nanos = unit_nanos(unit).ok_or(ParseDurationError::NoUnit)?;
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| ParseDurationError::TooLong)? };
    let nanos = whole.checked_mul(unit_nanos).ok_or(ParseDurationError::TooLong)?;
    let nanos = nanos.checked_add(fraction_nanos(fraction, unit_nanos)).ok_or(ParseDurationError::TooLong)?;
    Ok((nanos, rest))
}

fn unit_nanos(unit: &str) -> Option<u64> {
    match unit {
        "ns" => Some(1),
        "us" | "µs" | "μs" => Some(1_000),
        "ms" => Some(1_000_000),
        "s" => Some(1_000_000_000),
        "m" => Some(60 * 1_000_000_000),
        "h" => Some(3_600 * 1_000_000_000),
        _ => None,
    }
}

/// What the digits behind the point are worth, rounded down to a nanosecond.
fn fraction_nanos(digits: &str, unit_nanos: u64) -> u64 {
    // Nineteen places of an hour are below a nanosecond.
    let digits = &digits[..digits.len().min(19)];
    let (value, scale) = digits
        .bytes()
        .fold((0_u128, 1_u128), |(value, scale), digit| (value * 10 + u128::from(digit - b'0'), scale * 10));
    u64::try_from(value * u128::from(unit_nanos) / scale).expect("a fraction is less than its unit")
}

impl fmt::Display for GoDuration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        if nanos < 1_000_000_000 {
            return match nanos {
                0 => formatter.write_str("0s"),
                1..1_000 => write!(formatter, "{nanos}ns"),
                1_000..1_000_000 => write!(formatter, "{}µs", decimal(nanos, 1_000)),
                _ => write!(formatter, "{}ms", decimal(nanos, 1_000_000)),
            };
        }
        let minutes = self.0.as_secs() / 60;
        if minutes >= 60 {
            write!(formatter, "{}h", minutes / 60)?;
        }
        if minutes > 0 {
            write!(formatter, "{}m", minutes % 60)?;
        }
        write!(formatter, "{}s", decimal(nanos - u128::from(minutes) * 60_000_000_000, 1_000_000_000))
    }
}

/// `value / unit` with as many decimals as it needs.
fn decimal(value: u128, unit: u128) -> String {
    let places = unit.ilog10() as usize;
    let fraction = format!("{:0places$}", value % unit);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{}{point}{fraction}", value / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_print_as_in_go() {
        for (written, canonical) in [
            ("0", "0s"),
            ("0s", "0s"),
            ("1s", "1s"),
            ("300s", "5m0s"),
            ("5m", "5m0s"),
            ("1h", "1h0m0s"),
            ("1h30m", "1h30m0s"),
            ("90m", "1h30m0s"),
            ("1.5s", "1.5s"),
            ("1.5h", "1h30m0s"),
            (".5m", "30s"),
            ("1.s", "1s"),
            ("1h1h", "2h0m0s"),
            ("100h", "100h0m0s"),
            ("15ms", "15ms"),
            ("1.25ms", "1.25ms"),
            ("10us", "10µs"),
            ("10µs", "10µs"),
            ("1500ns", "1.5µs"),
            ("7ns", "7ns"),
            ("61.000000001s", "1m1.000000001s"),
            ("0.3333333333333333333h", "19m59.999999999s"),
            ("0.00000000000000000000001s", "0s"),
            ("2562047h47m16.854775807s", "2562047h47m16.854775807s"),
        ] {
            let parsed = GoDuration::parse(written).unwrap_or_else(|error| panic!("{written}: {error}"));
            assert_eq!(parsed.to_string(), canonical, "{written}");
            assert_eq!(GoDuration::parse(canonical), Ok(parsed), "{canonical}");
        }
    }

    #[test]
    fn what_is_no_duration_says_why() {
        use ParseDurationError::{Empty, NoNumber, NoUnit, TooLong};
        for (written, error) in [
            ("", Empty),
            ("5", NoUnit),
            ("5 m", NoUnit),
            ("5d", NoUnit),
            ("5M", NoUnit),
            ("1h30", NoUnit),
            ("m", NoNumber),
            (".s", NoNumber),
            ("1.2.3s", NoNumber),
            ("-5m", NoNumber),
            ("+5m", NoNumber),
            ("five", NoNumber),
            ("2562047h47m16.854775808s", TooLong),
            ("9999999999h", TooLong),
            ("99999999999999999999999s", TooLong),
        ] {
            assert_eq!(GoDuration::parse(written), Err(error), "{written}");
        }
    }

    #[test]
    fn an_unreadable_field_is_named() {
        let error = Duration::from("soon").read("spec.interval").expect_err("`soon` is no duration");
        assert_eq!(error.to_string(), "spec.interval: `soon` is no duration");
        assert_eq!(error.source.to_string(), "a number is expected before each unit");
    }

    proptest::proptest! {
        #[test]
        fn what_is_printed_reads_as_the_same(nanos in 0..=MAX_NANOS) {
            let duration = GoDuration(std::time::Duration::from_nanos(nanos));
            proptest::prop_assert_eq!(GoDuration::parse(&duration.to_string()), Ok(duration));
        }

        #[test]
        fn whatever_can_be_read_is_printed_so_that_it_reads_the_same(text in r"[0-9.hmsuµn+ -]{0,60}|\PC*") {
            if let Ok(duration) = GoDuration::parse(&text) {
                proptest::prop_assert_eq!(GoDuration::parse(&duration.to_string()), Ok(duration));
            }
        }
    }

    #[test]
    fn any_text_can_be_loaded_and_is_kept_as_written() {
        let loaded: Duration = serde_json::from_str(r#""300s and more""#).expect("any text loads");
        assert_eq!(serde_json::to_string(&loaded).expect("text"), r#""300s and more""#);
    }
}
