//! Times and time spans.

mod objects;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

use super::numbers::to_float;
use super::{Call, Function, Returned, Type};
use crate::template::CallError;
use crate::time::{self, format_span, parse_span};
use crate::value::{IntType, Value};
pub(crate) use objects::time;
use objects::{as_span, as_time, int64, other, span, time_of, zero};

const TIME: &str = "time.Time";
const SPAN: &str = "time.Duration";
const ANY: &[Type] = &[Type::Any];
const TWO_TEXTS: &[Type] = &[Type::Text, Type::Text];
const MODIFY: &[Type] = &[Type::Text, Type::Object(TIME)];
const IN_ZONE: &[Type] = &[Type::Text, Type::Any, Type::Text];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("now", &[], now, "The time (Sprig)."),
    Function::new("ago", ANY, ago, "How long ago a time was (Sprig)."),
    Function::new("date", &[Type::Text, Type::Any], date, "A time by a layout (Sprig)."),
    Function::new("dateInZone", IN_ZONE, date_in_zone, "A time by a layout, in a zone (Sprig)."),
    Function::new("date_in_zone", IN_ZONE, date_in_zone, "A time by a layout, in a zone (Sprig)."),
    Function::new("htmlDate", ANY, html_date, "A time as year, month and day (Sprig)."),
    Function::new("htmlDateInZone", &[Type::Any, Type::Text], html_date_in_zone, "The same, in a zone (Sprig)."),
    Function::new("dateModify", MODIFY, modify, "A time moved by a span, or as it is if that is none (Sprig)."),
    Function::new("date_modify", MODIFY, modify, "A time moved by a span, or as it is if that is none (Sprig)."),
    Function::new("mustDateModify", MODIFY, must_modify, "A time moved by a span (Sprig)."),
    Function::new("must_date_modify", MODIFY, must_modify, "A time moved by a span (Sprig)."),
    Function::new("toDate", TWO_TEXTS, to_date, "The time of a text by a layout, or the year 1 (Sprig)."),
    Function::new("mustToDate", TWO_TEXTS, must_to_date, "The time of a text by a layout (Sprig)."),
    Function::new("unixEpoch", &[Type::Object(TIME)], unix_epoch, "A time in seconds since 1970 (Sprig)."),
    Function::new("duration", ANY, duration, "Seconds as a span (Sprig)."),
    Function::new("durationRound", ANY, duration_round, "A span in its largest unit (Sprig)."),
    Function::new("mustToDuration", ANY, must_to_duration, "The span of a text or of seconds (Helm)."),
    Function::new("durationSeconds", ANY, seconds, "A span in seconds (Helm)."),
    Function::new("durationMilliseconds", ANY, milliseconds, "A span in milliseconds (Helm)."),
    Function::new("durationMicroseconds", ANY, microseconds, "A span in microseconds (Helm)."),
    Function::new("durationNanoseconds", ANY, nanoseconds, "A span in nanoseconds (Helm)."),
    Function::new("durationMinutes", ANY, minutes, "A span in minutes (Helm)."),
    Function::new("durationHours", ANY, hours, "A span in hours (Helm)."),
    Function::new("durationDays", ANY, days, "A span in days (Helm)."),
    Function::new("durationWeeks", ANY, weeks, "A span in weeks (Helm)."),
    Function::new("durationRoundTo", &[Type::Any, Type::Any], round_to, "A span rounded to a multiple (Helm)."),
    Function::new("durationTruncateTo", &[Type::Any, Type::Any], truncate_to, "A span cut to a multiple (Helm)."),
];

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn now(call: &mut Call<'_, '_>) -> Returned {
    Ok(time(call.machine().world().now()))
}

/// The time that a value stands for: a time, or seconds since 1970; anything else is now.
fn moment(call: &mut Call<'_, '_>, value: &Value) -> Zoned {
    let now = call.machine().world().now();
    match value {
        Value::Int(seconds, _) => match Timestamp::from_second(*seconds) {
            Ok(stamp) => stamp.to_zoned(now.time_zone().clone()),
            Err(_) => now,
        },
        value => as_time(value).unwrap_or(now),
    }
}

fn ago(call: &mut Call<'_, '_>) -> Returned {
    let then = moment(call, call.any(0));
    let passed = call.machine().world().now().duration_since(&then);
    Ok(format_span(rounded(nanoseconds_of(passed), SECOND)).into())
}

fn nanoseconds_of(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(if duration.is_negative() { i64::MIN } else { i64::MAX })
}

fn written(call: &mut Call<'_, '_>, layout: &str, value: &Value, zone: &str) -> Returned {
    let moment = moment(call, value);
    let zone = match zone {
        "Local" => call.machine().world().now().time_zone().clone(),
        "" => TimeZone::UTC,
        name => TimeZone::get(name).unwrap_or(TimeZone::UTC),
    };
    Ok(time::format(&moment.with_time_zone(zone), layout).into())
}

fn date(call: &mut Call<'_, '_>) -> Returned {
    let layout = call.text(0).to_str();
    written(call, &layout, call.any(1), "Local")
}

fn date_in_zone(call: &mut Call<'_, '_>) -> Returned {
    let (layout, zone) = (call.text(0).to_str(), call.text(2).to_str());
    written(call, &layout, call.any(1), &zone)
}

fn html_date(call: &mut Call<'_, '_>) -> Returned {
    written(call, "2006-01-02", call.any(0), "Local")
}

fn html_date_in_zone(call: &mut Call<'_, '_>) -> Returned {
    let zone = call.text(1).to_str();
    written(call, "2006-01-02", call.any(0), &zone)
}

fn moved(moment: &Zoned, nanoseconds: i64) -> Value {
    time(moment.saturating_add(SignedDuration::from_nanos(nanoseconds)))
}

fn modify(call: &mut Call<'_, '_>) -> Returned {
    Ok(parse_span(&call.text(0).to_str())
        .map_or_else(|_| call.any(1).clone(), |span| moved(&time_of(call.any(1)), span)))
}

fn must_modify(call: &mut Call<'_, '_>) -> Returned {
    Ok(moved(&time_of(call.any(1)), parse_span(&call.text(0).to_str())?))
}

fn to_date(call: &mut Call<'_, '_>) -> Returned {
    Ok(must_to_date(call).unwrap_or_else(|_| time(zero())))
}

fn must_to_date(call: &mut Call<'_, '_>) -> Returned {
    let zone = call.machine().world().now().time_zone().clone();
    Ok(time(time::parse(&call.text(0).to_str(), &call.text(1).to_str(), &zone)?))
}

fn unix_epoch(call: &mut Call<'_, '_>) -> Returned {
    Ok(other(call).as_second().to_string().into())
}

fn duration(call: &mut Call<'_, '_>) -> Returned {
    let seconds = match call.any(0) {
        Value::Text(text) => text.as_str().and_then(|text| text.parse::<i64>().ok()).unwrap_or_default(),
        Value::Int(seconds, IntType::Int64) => *seconds,
        _ => 0,
    };
    Ok(format_span(seconds.wrapping_mul(SECOND)).into())
}

fn duration_round(call: &mut Call<'_, '_>) -> Returned {
    let nanoseconds = match call.any(0) {
        Value::Text(text) => parse_span(&text.to_str()).unwrap_or_default(),
        Value::Int(nanoseconds, IntType::Int64) => *nanoseconds,
        value => match as_time(value) {
            Some(then) => nanoseconds_of(call.machine().world().now().duration_since(&then)),
            None => 0,
        },
    };
    let magnitude = nanoseconds.unsigned_abs();
    let units = [(365 * DAY, "y"), (30 * DAY, "mo"), (DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s")];
    let unit = units.into_iter().find(|(unit, _)| magnitude > unit.unsigned_abs());
    Ok(unit.map_or_else(|| "0s".to_owned(), |(unit, name)| format!("{}{name}", magnitude / unit.unsigned_abs())).into())
}

/// The span that a value stands for: a span, a text of one, or seconds.
fn to_span(value: &Value) -> Result<i64, CallError> {
    let of_seconds = |seconds: f64| {
        #[expect(clippy::cast_precision_loss, reason = "nine digits fit a float")]
        let nanoseconds = seconds * SECOND as f64;
        let exact = super::numbers::to_int(&Value::Float(nanoseconds));
        Ok(exact)
    };
    match value {
        Value::Text(text) => {
            let text = text.to_str();
            match crate::number::parse_float(&text) {
                Ok(seconds) => of_seconds(seconds),
                Err(_) => Ok(parse_span(&text)?),
            }
        }
        Value::Int(seconds, _) => Ok(seconds.wrapping_mul(SECOND)),
        number @ (Value::Uint(..) | Value::Float(_)) => of_seconds(to_float(number)),
        value => as_span(value).ok_or_else(|| {
            let name = value.type_name().unwrap_or("<nil>");
            format!("unsupported duration type {name}").into()
        }),
    }
}

fn must_to_duration(call: &mut Call<'_, '_>) -> Returned {
    Ok(span(to_span(call.any(0))?))
}

fn given_span(call: &Call<'_, '_>) -> i64 {
    to_span(call.any(0)).unwrap_or_default()
}

/// A span in a unit, whole units and the rest apart, as Go computes it.
fn in_units(nanoseconds: i64, unit: i64) -> Returned {
    #[expect(clippy::cast_precision_loss, reason = "Go converts it the same way")]
    let number = (nanoseconds / unit) as f64 + (nanoseconds % unit) as f64 / unit as f64;
    Ok(number.into())
}

fn seconds(call: &mut Call<'_, '_>) -> Returned {
    in_units(given_span(call), SECOND)
}

fn milliseconds(call: &mut Call<'_, '_>) -> Returned {
    int64(given_span(call) / 1_000_000)
}

fn microseconds(call: &mut Call<'_, '_>) -> Returned {
    int64(given_span(call) / 1_000)
}

fn nanoseconds(call: &mut Call<'_, '_>) -> Returned {
    int64(given_span(call))
}

fn minutes(call: &mut Call<'_, '_>) -> Returned {
    in_units(given_span(call), MINUTE)
}

fn hours(call: &mut Call<'_, '_>) -> Returned {
    in_units(given_span(call), HOUR)
}

fn days(call: &mut Call<'_, '_>) -> Returned {
    let Value::Float(hours) = hours(call)? else { return Ok(0.0.into()) };
    Ok((hours / 24.0).into())
}

fn weeks(call: &mut Call<'_, '_>) -> Returned {
    let Value::Float(hours) = hours(call)? else { return Ok(0.0.into()) };
    Ok((hours / 24.0 / 7.0).into())
}

fn round_to(call: &mut Call<'_, '_>) -> Returned {
    Ok(span(rounded(given_span(call), to_span(call.any(1)).unwrap_or_default())))
}

fn truncate_to(call: &mut Call<'_, '_>) -> Returned {
    Ok(span(truncated(given_span(call), to_span(call.any(1)).unwrap_or_default())))
}

/// Half a multiple is rounded away from zero.
fn rounded(nanoseconds: i64, multiple: i64) -> i64 {
    if multiple <= 0 {
        return nanoseconds;
    }
    let rest = nanoseconds % multiple;
    let down = nanoseconds - rest;
    if rest.unsigned_abs() * 2 < multiple.unsigned_abs() {
        return down;
    }
    if nanoseconds < 0 { down.saturating_sub(multiple) } else { down.saturating_add(multiple) }
}

fn truncated(nanoseconds: i64, multiple: i64) -> i64 {
    if multiple <= 0 { nanoseconds } else { nanoseconds - nanoseconds % multiple }
}
