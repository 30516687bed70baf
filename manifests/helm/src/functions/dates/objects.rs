//! Times and spans as templates see them, with their methods.

use std::{any::Any, rc::Rc};

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

use super::super::{Call, Function, Returned, Type};
use super::{HOUR, MINUTE, SECOND, SPAN, TIME, in_units, moved, nanoseconds_of, rounded, truncated};
use crate::template::CallError;
use crate::time::{self, format_span};
use crate::value::{IntType, Kind, Object, Value};

/// `time.Time`
#[derive(Clone, Debug)]
pub(crate) struct Time(pub(crate) Zoned);

const TIME_METHODS: &[Function] = &[
    Function::new("Year", &[], |call| int(time_of(call.receiver()).year()), "The year."),
    Function::new("Month", &[], month, "The month."),
    Function::new("Day", &[], |call| int(time_of(call.receiver()).day()), "The day of the month."),
    Function::new("Weekday", &[], weekday, "The day of the week."),
    Function::new("YearDay", &[], |call| int(time_of(call.receiver()).day_of_year()), "The day of the year."),
    Function::new("Hour", &[], |call| int(time_of(call.receiver()).hour()), "The hour."),
    Function::new("Minute", &[], |call| int(time_of(call.receiver()).minute()), "The minute."),
    Function::new("Second", &[], |call| int(time_of(call.receiver()).second()), "The second."),
    Function::new("Nanosecond", &[], |call| int(time_of(call.receiver()).subsec_nanosecond()), "The nanosecond."),
    Function::new("Unix", &[], |call| int64(stamp(call).as_second()), "Seconds since 1970."),
    Function::new("UnixMilli", &[], |call| int64(stamp(call).as_millisecond()), "Milliseconds since 1970."),
    Function::new("UnixMicro", &[], |call| int64(stamp(call).as_microsecond()), "Microseconds since 1970."),
    Function::new(
        "UnixNano",
        &[],
        |call| int64(i64::try_from(stamp(call).as_nanosecond()).unwrap_or_default()),
        "Nanoseconds since 1970.",
    ),
    Function::new("Format", &[Type::Text], format, "The time by a layout."),
    Function::new("String", &[], |call| Ok(Time(time_of(call.receiver())).text().into()), "The time as text."),
    Function::new("Add", &[Type::Object(SPAN)], add, "The time moved by a span."),
    Function::new("AddDate", &[Type::INT, Type::INT, Type::INT], add_date, "The time moved by years, months, days."),
    Function::new("Sub", &[Type::Object(TIME)], sub, "The span since another time."),
    Function::new(
        "Before",
        &[Type::Object(TIME)],
        |call| Ok((stamp(call) < other(call)).into()),
        "Whether it is earlier.",
    ),
    Function::new(
        "After",
        &[Type::Object(TIME)],
        |call| Ok((stamp(call) > other(call)).into()),
        "Whether it is later.",
    ),
    Function::new(
        "Equal",
        &[Type::Object(TIME)],
        |call| Ok((stamp(call) == other(call)).into()),
        "Whether it is the same.",
    ),
    Function::new("IsZero", &[], |call| Ok((stamp(call) == zero().timestamp()).into()), "Whether it is the year 1."),
    Function::new("UTC", &[], |call| Ok(time(stamp(call).to_zoned(TimeZone::UTC))), "The time in UTC."),
];

impl Object for Time {
    fn type_name(&self) -> &'static str {
        TIME
    }

    fn methods(&self) -> &'static [Function] {
        TIME_METHODS
    }

    fn text(&self) -> String {
        time::format(&self.0, "2006-01-02 15:04:05.999999999 -0700 MST")
    }

    fn plain(&self) -> Value {
        time::format(&self.0, "2006-01-02T15:04:05.999999999Z07:00").into()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `time.Duration`, in nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Duration(i64);

const SPAN_METHODS: &[Function] = &[
    Function::new("Hours", &[], |call| in_units(span_of(call.receiver()), HOUR), "The span in hours."),
    Function::new("Minutes", &[], |call| in_units(span_of(call.receiver()), MINUTE), "The span in minutes."),
    Function::new("Seconds", &[], |call| in_units(span_of(call.receiver()), SECOND), "The span in seconds."),
    Function::new("Milliseconds", &[], |call| int64(span_of(call.receiver()) / 1_000_000), "The span in milliseconds."),
    Function::new("Microseconds", &[], |call| int64(span_of(call.receiver()) / 1_000), "The span in microseconds."),
    Function::new("Nanoseconds", &[], |call| int64(span_of(call.receiver())), "The span in nanoseconds."),
    Function::new("String", &[], |call| Ok(format_span(span_of(call.receiver())).into()), "The span as text."),
    Function::new("Abs", &[], |call| Ok(span(span_of(call.receiver()).saturating_abs())), "The span without its sign."),
    Function::new(
        "Round",
        &[Type::Object(SPAN)],
        |call| Ok(span(rounded(span_of(call.receiver()), span_of(call.any(0))))),
        "The span rounded.",
    ),
    Function::new(
        "Truncate",
        &[Type::Object(SPAN)],
        |call| Ok(span(truncated(span_of(call.receiver()), span_of(call.any(0))))),
        "The span cut off.",
    ),
];

impl Object for Duration {
    fn type_name(&self) -> &'static str {
        SPAN
    }

    fn kind(&self) -> Kind {
        Kind::Int64
    }

    fn methods(&self) -> &'static [Function] {
        SPAN_METHODS
    }

    fn text(&self) -> String {
        format_span(self.0)
    }

    fn plain(&self) -> Value {
        Value::int64(self.0)
    }

    fn is_true(&self) -> bool {
        self.0 != 0
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A number with names: a month or a day of the week.
#[derive(Clone, Copy, Debug)]
struct NamedNumber {
    type_name: &'static str,
    number: i8,
    name: &'static str,
}

impl Object for NamedNumber {
    fn type_name(&self) -> &'static str {
        self.type_name
    }

    fn kind(&self) -> Kind {
        Kind::Int
    }

    fn text(&self) -> String {
        self.name.to_owned()
    }

    fn plain(&self) -> Value {
        Value::int(self.number.into())
    }

    fn is_true(&self) -> bool {
        self.number != 0
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A time as a value.
pub(crate) fn time(zoned: Zoned) -> Value {
    Value::Object(Rc::new(Time(zoned)))
}

/// A span of nanoseconds as a value.
pub(super) fn span(nanoseconds: i64) -> Value {
    Value::Object(Rc::new(Duration(nanoseconds)))
}

/// The time that a value is.
pub(super) fn as_time(value: &Value) -> Option<Zoned> {
    let Value::Object(object) = value else { return None };
    object.as_any().downcast_ref::<Time>().map(|time| time.0.clone())
}

/// The nanoseconds of the span that a value is.
pub(super) fn as_span(value: &Value) -> Option<i64> {
    let Value::Object(object) = value else { return None };
    object.as_any().downcast_ref::<Duration>().map(|span| span.0)
}

/// The time that a value is, or the year 1.
pub(super) fn time_of(value: &Value) -> Zoned {
    as_time(value).unwrap_or_else(zero)
}

fn span_of(value: &Value) -> i64 {
    as_span(value).unwrap_or_default()
}

fn stamp(call: &Call<'_, '_>) -> Timestamp {
    time_of(call.receiver()).timestamp()
}

/// The time that is the first argument.
pub(super) fn other(call: &Call<'_, '_>) -> Timestamp {
    time_of(call.any(0)).timestamp()
}

/// Go's zero time.
pub(super) fn zero() -> Zoned {
    let first = jiff::civil::date(1, 1, 1).to_zoned(TimeZone::UTC);
    first.expect("the year 1 is a time")
}

fn int(number: impl Into<i64>) -> Returned {
    Ok(Value::int(number.into()))
}

pub(super) fn int64(number: i64) -> Returned {
    Ok(Value::Int(number, IntType::Int64))
}

fn month(call: &mut Call<'_, '_>) -> Returned {
    let number = time_of(call.receiver()).month();
    Ok(Value::Object(Rc::new(NamedNumber { type_name: "time.Month", number, name: time::month_name(number) })))
}

fn weekday(call: &mut Call<'_, '_>) -> Returned {
    let number = time_of(call.receiver()).weekday().to_sunday_zero_offset();
    Ok(Value::Object(Rc::new(NamedNumber { type_name: "time.Weekday", number, name: time::weekday_name(number) })))
}

fn format(call: &mut Call<'_, '_>) -> Returned {
    Ok(time::format(&time_of(call.receiver()), &call.text(0).to_str()).into())
}

fn add(call: &mut Call<'_, '_>) -> Returned {
    Ok(moved(&time_of(call.receiver()), span_of(call.any(0))))
}

/// Moves the date, where the 31st of a shorter month is a day of the next one.
fn add_date(call: &mut Call<'_, '_>) -> Returned {
    let old = time_of(call.receiver());
    let [years, months, days] = [0, 1, 2].map(|index| call.int(index));
    let out_of_range = || CallError::from("time: date out of range");
    let month = (i64::from(old.year()) + years).checked_mul(12).and_then(|month| month.checked_add(months));
    let month = month.and_then(|month| month.checked_add(i64::from(old.month()) - 1)).ok_or_else(out_of_range)?;
    let year = i16::try_from(month.div_euclid(12)).map_err(|_| out_of_range())?;
    let number = i8::try_from(month.rem_euclid(12) + 1).map_err(|_| out_of_range())?;
    let first = jiff::civil::Date::new(year, number, 1).map_err(|_| out_of_range())?;
    let offset = Span::new().try_days(days.saturating_add(i64::from(old.day()) - 1)).map_err(|_| out_of_range())?;
    let date = first.checked_add(offset).map_err(|_| out_of_range())?;
    let moved = date.to_datetime(old.time()).to_zoned(old.time_zone().clone());
    Ok(time(moved.map_err(|_| out_of_range())?))
}

fn sub(call: &mut Call<'_, '_>) -> Returned {
    let passed = time_of(call.receiver()).duration_since(&time_of(call.any(0)));
    Ok(span(nanoseconds_of(passed)))
}
