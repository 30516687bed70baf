//! Arithmetic.
//!
//! # Follows Sprig
//! Arguments of any type become numbers, what is none becomes zero. `add` and its like compute with `int64`, which
//! wraps around; `addf` and its like compute with decimal fractions, so that `addf 0.1 0.2` is `0.3`.

use super::{Call, Function, Returned, Type};
use crate::number::{Decimal, parse_decimal, parse_float, parse_int};
use crate::template::CallError;
use crate::value::Value;

const ANY: &[Type] = &[Type::Any];
const PAIR: &[Type] = &[Type::Any, Type::Any];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("int", ANY, int, "A value as `int` (Sprig)."),
    Function::new("int64", ANY, int64, "A value as `int64` (Sprig)."),
    Function::new("float64", ANY, float64, "A value as `float64` (Sprig)."),
    Function::new("atoi", &[Type::Text], atoi, "A decimal text as `int` (Sprig)."),
    Function::new("toDecimal", ANY, to_decimal, "The number of an octal text (Sprig)."),
    Function::new("add", &[], add, "The sum of integers (Sprig).").rest(Type::Any),
    Function::new("add1", ANY, add1, "An integer and one (Sprig)."),
    Function::new("sub", PAIR, sub, "The difference of integers (Sprig)."),
    Function::new("mul", ANY, mul, "The product of integers (Sprig).").rest(Type::Any),
    Function::new("div", PAIR, div, "The quotient of integers, cut off (Sprig)."),
    Function::new("mod", PAIR, modulo, "The remainder of a division (Sprig)."),
    Function::new("max", ANY, max, "The largest integer (Sprig).").rest(Type::Any),
    Function::new("biggest", ANY, max, "The largest integer (Sprig).").rest(Type::Any),
    Function::new("min", ANY, min, "The smallest integer (Sprig).").rest(Type::Any),
    Function::new("addf", &[], addf, "The sum of numbers (Sprig).").rest(Type::Any),
    Function::new("add1f", ANY, add1f, "A number and one (Sprig)."),
    Function::new("subf", ANY, subf, "The difference of numbers (Sprig).").rest(Type::Any),
    Function::new("mulf", ANY, mulf, "The product of numbers (Sprig).").rest(Type::Any),
    Function::new("divf", ANY, divf, "The quotient of numbers (Sprig).").rest(Type::Any),
    Function::new("maxf", ANY, maxf, "The largest number (Sprig).").rest(Type::Any),
    Function::new("minf", ANY, minf, "The smallest number (Sprig).").rest(Type::Any),
    Function::new("floor", ANY, floor, "A number rounded down (Sprig)."),
    Function::new("ceil", ANY, ceil, "A number rounded up (Sprig)."),
    Function::new("round", &[Type::Any, Type::INT], round, "A number rounded to some digits (Sprig).")
        .rest(Type::Float),
];

/// A value as an integer; zero if it is none.
pub(super) fn to_int(value: &Value) -> i64 {
    match value {
        Value::Bool(bool) => i64::from(*bool),
        Value::Int(number, _) => *number,
        #[expect(clippy::cast_possible_wrap, reason = "Go's conversion wraps")]
        Value::Uint(number, _) => *number as i64,
        Value::Float(number) => float_to_int(*number),
        Value::Text(text) => text.as_str().map_or(0, |text| parse_int(without_zero_decimals(text)).unwrap_or(0)),
        Value::Missing | Value::Nil | Value::Bytes(_) | Value::List(_) | Value::Map(_) | Value::Object(_) => 0,
    }
}

/// Go's conversion, which gives the smallest integer where the number does not fit.
#[expect(clippy::cast_possible_truncation, reason = "what does not fit is sorted out before")]
fn float_to_int(number: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&number) { number as i64 } else { i64::MIN }
}

/// `12` for `12.0`, which is then read as an integer.
fn without_zero_decimals(text: &str) -> &str {
    match text.split_once('.') {
        Some((whole, decimals)) if !decimals.is_empty() && decimals.bytes().all(|byte| byte == b'0') => whole,
        _ => text,
    }
}

/// A value as a float; zero if it is none.
pub(super) fn to_float(value: &Value) -> f64 {
    match value {
        Value::Float(number) => *number,
        Value::Text(text) => text.as_str().map_or(0.0, |text| parse_float(text).unwrap_or(0.0)),
        #[expect(clippy::cast_precision_loss, reason = "Go converts it the same way")]
        Value::Uint(number, _) => *number as f64,
        #[expect(clippy::cast_precision_loss, reason = "Go converts it the same way")]
        Value::Bool(_) | Value::Int(..) => to_int(value) as f64,
        Value::Missing | Value::Nil | Value::Bytes(_) | Value::List(_) | Value::Map(_) | Value::Object(_) => 0.0,
    }
}

fn int(call: &mut Call<'_, '_>) -> Returned {
    Ok(Value::int(to_int(call.any(0))))
}

fn int64(call: &mut Call<'_, '_>) -> Returned {
    Ok(Value::int64(to_int(call.any(0))))
}

fn float64(call: &mut Call<'_, '_>) -> Returned {
    Ok(to_float(call.any(0)).into())
}

fn atoi(call: &mut Call<'_, '_>) -> Returned {
    let number = call.text(0).as_str().and_then(|text| parse_decimal(text).ok());
    Ok(Value::int(number.unwrap_or_default()))
}

fn to_decimal(call: &mut Call<'_, '_>) -> Returned {
    let text = crate::fmt::display(call.any(0));
    let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
    let is_octal = !digits.is_empty() && digits.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    let number = if is_octal { i64::from_str_radix(&text, 8).unwrap_or_default() } else { 0 };
    Ok(Value::int64(number))
}

fn fold(call: &Call<'_, '_>, combine: impl Fn(i64, i64) -> i64) -> Returned {
    Ok(Value::int64(call.all().iter().map(to_int).reduce(combine).unwrap_or_default()))
}

fn add(call: &mut Call<'_, '_>) -> Returned {
    fold(call, i64::wrapping_add)
}

fn add1(call: &mut Call<'_, '_>) -> Returned {
    Ok(Value::int64(to_int(call.any(0)).wrapping_add(1)))
}

fn sub(call: &mut Call<'_, '_>) -> Returned {
    fold(call, i64::wrapping_sub)
}

fn mul(call: &mut Call<'_, '_>) -> Returned {
    fold(call, i64::wrapping_mul)
}

fn div(call: &mut Call<'_, '_>) -> Returned {
    Ok(Value::int64(to_int(call.any(0)).wrapping_div(divisor(call)?)))
}

fn modulo(call: &mut Call<'_, '_>) -> Returned {
    Ok(Value::int64(to_int(call.any(0)).wrapping_rem(divisor(call)?)))
}

fn divisor(call: &Call<'_, '_>) -> Result<i64, CallError> {
    match to_int(call.any(1)) {
        0 => Err("runtime error: integer divide by zero".into()),
        divisor => Ok(divisor),
    }
}

fn max(call: &mut Call<'_, '_>) -> Returned {
    fold(call, i64::max)
}

fn min(call: &mut Call<'_, '_>) -> Returned {
    fold(call, i64::min)
}

fn maxf(call: &mut Call<'_, '_>) -> Returned {
    extreme(call, f64::max)
}

fn minf(call: &mut Call<'_, '_>) -> Returned {
    extreme(call, f64::min)
}

/// Go's `math.Max` and `math.Min` give not-a-number if one of the two is.
fn extreme(call: &Call<'_, '_>, choose: impl Fn(f64, f64) -> f64) -> Returned {
    let numbers = call.all().iter().map(to_float);
    let either = |a: f64, b: f64| if a.is_nan() || b.is_nan() { f64::NAN } else { choose(a, b) };
    Ok(numbers.reduce(either).unwrap_or_default().into())
}

fn floor(call: &mut Call<'_, '_>) -> Returned {
    Ok(to_float(call.any(0)).floor().into())
}

fn ceil(call: &mut Call<'_, '_>) -> Returned {
    Ok(to_float(call.any(0)).ceil().into())
}

fn round(call: &mut Call<'_, '_>) -> Returned {
    let from = call.from(2).first().map_or(0.5, to_float);
    let scale = 10_f64.powi(i32::try_from(call.int(1)).unwrap_or(i32::MAX));
    let scaled = scale * to_float(call.any(0));
    let rounded = if scaled.fract() >= from { scaled.ceil() } else { scaled.floor() };
    Ok((rounded / scale).into())
}

fn addf(call: &mut Call<'_, '_>) -> Returned {
    decimals(call, Exact::plus)
}

fn add1f(call: &mut Call<'_, '_>) -> Returned {
    let one = Value::int(1);
    compute([call.any(0), &one], Exact::plus)
}

fn subf(call: &mut Call<'_, '_>) -> Returned {
    decimals(call, Exact::minus)
}

fn mulf(call: &mut Call<'_, '_>) -> Returned {
    decimals(call, Exact::times)
}

fn divf(call: &mut Call<'_, '_>) -> Returned {
    decimals(call, Exact::divided_by)
}

type Operation = fn(Exact, Exact) -> Result<Exact, CallError>;

fn decimals(call: &Call<'_, '_>, operation: Operation) -> Returned {
    compute(call.all(), operation)
}

fn compute<'v>(values: impl IntoIterator<Item = &'v Value>, operation: Operation) -> Returned {
    let mut result: Option<Exact> = None;
    for value in values {
        let number = to_float(value);
        if !number.is_finite() {
            return Err(format!("Cannot create a Decimal from {}", crate::number::not_finite(number)).into());
        }
        let next = Exact::of(number);
        result = Some(match result {
            None => next,
            Some(result) => operation(result, next)?,
        });
    }
    Ok(result.map_or(0.0, Exact::to_float).into())
}

/// A decimal number: `digits * 10^exponent`, or the nearest float where that does not fit.
#[derive(Clone, Copy)]
struct Exact {
    digits: i128,
    exponent: i32,
}

/// Digits behind the point of a quotient.
const QUOTIENT_DIGITS: i32 = 16;

impl Exact {
    fn of(number: f64) -> Self {
        let decimal = Decimal::shortest(number);
        let digits: i128 = decimal.digits.parse().unwrap_or_default();
        let exponent = decimal.point - i32::try_from(decimal.digits.len()).unwrap_or_default();
        Self { digits: if decimal.negative { -digits } else { digits }, exponent }
    }

    /// The same number with a smaller exponent.
    fn with_exponent(self, exponent: i32) -> Option<Self> {
        let scale = 10_i128.checked_pow(u32::try_from(self.exponent - exponent).ok()?)?;
        Some(Self { digits: self.digits.checked_mul(scale)?, exponent })
    }

    fn plus(self, other: Self) -> Result<Self, CallError> {
        let exponent = self.exponent.min(other.exponent);
        let exact = || {
            let (a, b) = (self.with_exponent(exponent)?, other.with_exponent(exponent)?);
            Some(Self { digits: a.digits.checked_add(b.digits)?, exponent })
        };
        Ok(exact().unwrap_or_else(|| Self::of(self.to_float() + other.to_float())))
    }

    fn minus(self, other: Self) -> Result<Self, CallError> {
        self.plus(Self { digits: -other.digits, ..other })
    }

    fn times(self, other: Self) -> Result<Self, CallError> {
        let digits = self.digits.checked_mul(other.digits);
        let exact = digits.map(|digits| Self { digits, exponent: self.exponent + other.exponent });
        Ok(exact.unwrap_or_else(|| Self::of(self.to_float() * other.to_float())))
    }

    fn divided_by(self, other: Self) -> Result<Self, CallError> {
        if other.digits == 0 {
            return Err("decimal division by 0".into());
        }
        let exact = || {
            // Dividend and divisor are scaled so that the quotient has the wanted digits, then rounded half away from
            // zero.
            let scaled = self.with_exponent(self.exponent.min(other.exponent - QUOTIENT_DIGITS))?;
            let excess = scaled.exponent - other.exponent + QUOTIENT_DIGITS;
            let divisor = other.digits.checked_mul(10_i128.checked_pow(u32::try_from(-excess).ok()?)?)?;
            let (quotient, rest) = (scaled.digits / divisor, scaled.digits % divisor);
            let rounds = rest.unsigned_abs().checked_mul(2)? >= divisor.unsigned_abs();
            let step = if (scaled.digits < 0) == (divisor < 0) { 1 } else { -1 };
            Some(Self { digits: quotient + if rounds { step } else { 0 }, exponent: -QUOTIENT_DIGITS })
        };
        Ok(exact().unwrap_or_else(|| Self::of(self.to_float() / other.to_float())))
    }

    fn to_float(self) -> f64 {
        format!("{}e{}", self.digits, self.exponent).parse().unwrap_or_default()
    }
}
