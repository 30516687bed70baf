//! Kubernetes' quantities, as far as to tell whether two of them are the same.

/// A quantity such as `500m`, `1Gi` or `1e3`: an integer that neither 2 nor 5 divides, times powers of both.
///
/// Every value has one such form, so that equal quantities are equal however they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quantity {
    is_negative: bool,
    rest: u64,
    twos: i32,
    fives: i32,
}

impl Quantity {
    /// Reads a quantity; nothing if `text` is none, or has more digits than are looked at.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, suffix) = text.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits: u64 = format!("{whole}{fraction}").parse().ok()?;
        let (tens, twos) = scale(suffix)?;
        let tens = tens - i32::try_from(fraction.len()).ok()?;
        Some(Self::reduced(is_negative, digits, tens + twos, tens))
    }

    fn reduced(is_negative: bool, mut rest: u64, mut twos: i32, mut fives: i32) -> Self {
        if rest == 0 {
            return Self { is_negative: false, rest, twos: 0, fives: 0 };
        }
        while rest.is_multiple_of(2) {
            rest /= 2;
            twos += 1;
        }
        while rest.is_multiple_of(5) {
            rest /= 5;
            fives += 1;
        }
        Self { is_negative, rest, twos, fives }
    }
}

/// The powers of ten and of two that a suffix stands for.
fn scale(suffix: &str) -> Option<(i32, i32)> {
    let scale = match suffix {
        "n" => (-9, 0),
        "u" => (-6, 0),
        "m" => (-3, 0),
        "" => (0, 0),
        "k" => (3, 0),
        "M" => (6, 0),
        "G" => (9, 0),
        "T" => (12, 0),
        "P" => (15, 0),
        "E" => (18, 0),
        "Ki" => (0, 10),
        "Mi" => (0, 20),
        "Gi" => (0, 30),
        "Ti" => (0, 40),
        "Pi" => (0, 50),
        "Ei" => (0, 60),
        _ => {
            let exponent: i8 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            (exponent.into(), 0)
        }
    };
    Some(scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_its_value_and_not_its_spelling() {
        for (one, other) in [
            ("1000m", "1"),
            ("0.5", "500m"),
            (".5", "0.50"),
            ("1024Mi", "1Gi"),
            ("1e3", "1k"),
            ("1E3", "1000"),
            ("1500Ki", "1536000"),
            ("+1", "1.0"),
            ("-0", "0m"),
            ("0.1n", "100e-12"),
        ] {
            assert_eq!(Quantity::parse(one).expect(one), Quantity::parse(other).expect(other), "{one} and {other}");
        }
        for (one, other) in [("1", "-1"), ("1G", "1Gi"), ("1m", "1M"), ("1", "1.0000000001"), ("0", "1n"), ("3", "9")] {
            assert_ne!(Quantity::parse(one).expect(one), Quantity::parse(other).expect(other), "{one} and {other}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_not_read() {
        for text in ["", ".", "-", "m", "1 ", "1K", "1kk", "1.2.3", "1e", "1e999", "0x1", "99999999999999999999999"] {
            assert_eq!(Quantity::parse(text), None, "{text:?}");
        }
    }
}
