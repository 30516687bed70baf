//! Layouts: how Go writes times by the example of `Mon Jan 2 15:04:05 MST 2006`.

use jiff::Zoned;

use super::{month_name, weekday_name};

/// A part of a layout that stands for a part of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    Zone,
    /// An offset from UTC.
    Offset(Offset),
    /// So many digits of a second, all of them written.
    Fraction(usize),
    /// So many digits of a second, zeros at the end left out.
    ShortFraction(usize),
}

/// How an offset is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offset {
    /// Whether UTC is `Z`.
    pub(super) z_for_utc: bool,
    pub(super) colons: bool,
    pub(super) fields: Fields,
}

/// How much of an offset is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fields {
    Hours,
    Minutes,
    Seconds,
}

const PATTERNS: &[(&str, Part)] = &[
    ("January", Part::LongMonth),
    ("Jan", Part::Month),
    ("Monday", Part::LongWeekday),
    ("Mon", Part::Weekday),
    ("MST", Part::Zone),
    ("002", Part::ZeroYearDay),
    ("01", Part::ZeroMonth),
    ("02", Part::ZeroDay),
    ("03", Part::ZeroHour12),
    ("04", Part::ZeroMinute),
    ("05", Part::ZeroSecond),
    ("06", Part::Year),
    ("15", Part::Hour),
    ("1", Part::NumMonth),
    ("2006", Part::LongYear),
    ("2", Part::Day),
    ("__2", Part::UnderYearDay),
    ("_2", Part::UnderDay),
    ("3", Part::Hour12),
    ("4", Part::Minute),
    ("5", Part::Second),
    ("PM", Part::UpperPm),
    ("pm", Part::LowerPm),
    ("-070000", offset(false, false, Fields::Seconds)),
    ("-07:00:00", offset(false, true, Fields::Seconds)),
    ("-0700", offset(false, false, Fields::Minutes)),
    ("-07:00", offset(false, true, Fields::Minutes)),
    ("-07", offset(false, false, Fields::Hours)),
    ("Z070000", offset(true, false, Fields::Seconds)),
    ("Z07:00:00", offset(true, true, Fields::Seconds)),
    ("Z0700", offset(true, false, Fields::Minutes)),
    ("Z07:00", offset(true, true, Fields::Minutes)),
    ("Z07", offset(true, false, Fields::Hours)),
];

const fn offset(z_for_utc: bool, colons: bool, fields: Fields) -> Part {
    Part::Offset(Offset { z_for_utc, colons, fields })
}

/// The text before the first part of `layout`, the part, and what follows it.
pub(super) fn next_part(layout: &str) -> (&str, Option<Part>, &str) {
    for (at, _) in layout.char_indices() {
        let rest = &layout[at..];
        if let Some((part, length)) = part_at(rest) {
            return (&layout[..at], Some(part), &rest[length..]);
        }
        // `_2006` is an underscore and a year.
        if let Some(after) = rest.strip_prefix("_2006") {
            return (&layout[..=at], Some(Part::LongYear), after);
        }
    }
    (layout, None, "")
}

fn part_at(rest: &str) -> Option<(Part, usize)> {
    if let Some(fraction) = fraction_at(rest) {
        return Some(fraction);
    }
    if rest.starts_with("_2006") {
        return None;
    }
    let (pattern, part) = PATTERNS.iter().find(|(pattern, _)| rest.starts_with(pattern))?;
    let follows_lower = rest[pattern.len()..].starts_with(|char: char| char.is_ascii_lowercase());
    if matches!(part, Part::Month | Part::Weekday) && follows_lower {
        return None;
    }
    Some((*part, pattern.len()))
}

fn fraction_at(rest: &str) -> Option<(Part, usize)> {
    let digits = rest.strip_prefix(['.', ','])?;
    let kind = digits.chars().next().filter(|char| matches!(char, '0' | '9'))?;
    let count = digits.chars().take_while(|char| *char == kind).count();
    if digits[count..].starts_with(|char: char| char.is_ascii_digit()) {
        return None;
    }
    let part = if kind == '0' { Part::Fraction(count) } else { Part::ShortFraction(count) };
    Some((part, count + 1))
}

/// Writes `time` by `layout`.
pub(crate) fn format(time: &Zoned, layout: &str) -> String {
    let (mut text, mut rest) = (String::new(), layout);
    while !rest.is_empty() {
        let (before, part, after) = next_part(rest);
        text.push_str(before);
        if let Some(part) = part {
            let separator = &rest[before.len()..][..1];
            write_part(&mut text, time, part, separator);
        }
        rest = after;
    }
    text
}

fn write_part(text: &mut String, time: &Zoned, part: Part, separator: &str) {
    let hour12 = match time.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let weekday = weekday_name(time.weekday().to_sunday_zero_offset());
    let year_day = time.day_of_year();
    let written = match part {
        Part::LongMonth => month_name(time.month()).to_owned(),
        Part::Month => month_name(time.month())[..3].to_owned(),
        Part::NumMonth => time.month().to_string(),
        Part::ZeroMonth => format!("{:02}", time.month()),
        Part::LongWeekday => weekday.to_owned(),
        Part::Weekday => weekday[..3].to_owned(),
        Part::Day => time.day().to_string(),
        Part::UnderDay => format!("{:2}", time.day()),
        Part::ZeroDay => format!("{:02}", time.day()),
        Part::UnderYearDay => format!("{year_day:3}"),
        Part::ZeroYearDay => format!("{year_day:03}"),
        Part::Hour => format!("{:02}", time.hour()),
        Part::Hour12 => hour12.to_string(),
        Part::ZeroHour12 => format!("{hour12:02}"),
        Part::Minute => time.minute().to_string(),
        Part::ZeroMinute => format!("{:02}", time.minute()),
        Part::Second => time.second().to_string(),
        Part::ZeroSecond => format!("{:02}", time.second()),
        Part::LongYear => format!("{:04}", time.year()),
        Part::Year => format!("{:02}", time.year().rem_euclid(100)),
        Part::UpperPm => if time.hour() >= 12 { "PM" } else { "AM" }.to_owned(),
        Part::LowerPm => if time.hour() >= 12 { "pm" } else { "am" }.to_owned(),
        Part::Zone => zone_name(time),
        Part::Offset(offset) => write_offset(time.offset().seconds(), offset),
        Part::Fraction(digits) => format!("{separator}{}", fraction(time, digits)),
        Part::ShortFraction(digits) => match fraction(time, digits).trim_end_matches('0') {
            "" => String::new(),
            digits => format!("{separator}{digits}"),
        },
    };
    text.push_str(&written);
}

fn fraction(time: &Zoned, digits: usize) -> String {
    let nanoseconds = format!("{:09}", time.subsec_nanosecond());
    format!("{:0<digits$}", &nanoseconds[..digits.min(9)])
}

/// The abbreviation of the zone; its offset where it has none.
fn zone_name(time: &Zoned) -> String {
    let info = time.time_zone().to_offset_info(time.timestamp());
    let name = info.abbreviation();
    if name.starts_with(|char: char| char.is_ascii_alphabetic()) {
        return name.to_owned();
    }
    if time.offset().seconds() == 0 {
        return "UTC".to_owned();
    }
    let fields = if time.offset().seconds() % 3600 == 0 { Fields::Hours } else { Fields::Minutes };
    write_offset(time.offset().seconds(), Offset { z_for_utc: false, colons: false, fields })
}

fn write_offset(seconds: i32, offset: Offset) -> String {
    if offset.z_for_utc && seconds == 0 {
        return "Z".to_owned();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let seconds = seconds.unsigned_abs();
    let colon = if offset.colons { ":" } else { "" };
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match offset.fields {
        Fields::Hours => format!("{sign}{hours:02}"),
        Fields::Minutes => format!("{sign}{hours:02}{colon}{minutes:02}"),
        Fields::Seconds => format!("{sign}{hours:02}{colon}{minutes:02}{colon}{seconds:02}"),
    }
}
