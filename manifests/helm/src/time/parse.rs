//! Texts to times, by a layout.

use std::ops::RangeInclusive;

use jiff::Zoned;
use jiff::civil;
use jiff::tz::{Offset as JiffOffset, TimeZone};

use super::layout::{Fields, Offset, Part, next_part};
use super::{MONTHS, WEEKDAYS};

/// Reads `text` by `layout`, in `zone` if it names none; an error in Go's words.
pub(crate) fn parse(layout: &str, text: &str, zone: &TimeZone) -> Result<Zoned, String> {
    let out_of_range = |what: &str| format!("parsing time {}: {what} out of range", quoted(text));
    let mut reader = Reader { rest: text, found: Found::default(), out_of_range: None };
    let mut rest = layout;
    while !rest.is_empty() {
        let (before, part, after) = next_part(rest);
        reader.literal(before).ok_or_else(|| mismatch(layout, text, reader.rest, before))?;
        let Some(part) = part else { break };
        let written = &rest[before.len()..rest.len() - after.len()];
        let start = reader.rest;
        let takes_fraction = !matches!(next_part(after), ("", Some(Part::Fraction(_) | Part::ShortFraction(_)), _));
        let read = reader.part(part, takes_fraction);
        read.ok_or_else(|| reader.out_of_range.map_or_else(|| mismatch(layout, text, start, written), out_of_range))?;
        rest = after;
    }
    if !reader.rest.is_empty() {
        return Err(format!("parsing time {}: extra text: {}", quoted(text), quoted(reader.rest)));
    }
    reader.found.time(zone).map_err(out_of_range)
}

fn mismatch(layout: &str, text: &str, at: &str, wanted: &str) -> String {
    format!("parsing time {} as {}: cannot parse {} as {}", quoted(text), quoted(layout), quoted(at), quoted(wanted))
}

/// A text in quotes, as Go's `time` writes it: bytes of what is no printable ASCII in hexadecimal.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            ' '..='\u{7f}' => quoted.push(char),
            _ => char.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| quoted.push_str(&format!("\\x{byte:02x}"))),
        }
    }
    quoted + "\""
}

#[derive(Default)]
struct Found {
    year: i16,
    month: i8,
    day: i8,
    year_day: Option<i16>,
    hour: i8,
    minute: i8,
    second: i8,
    nanosecond: i32,
    is_pm: Option<bool>,
    offset: Option<i32>,
    is_utc: bool,
}

impl Found {
    fn time(self, zone: &TimeZone) -> Result<Zoned, &'static str> {
        let hour = match self.is_pm {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let date = if let Some(day) = self.year_day {
            let first = civil::Date::new(self.year, 1, 1).map_err(|_| "year")?;
            first.checked_add(jiff::Span::new().days(day - 1)).map_err(|_| "day-of-year")?
        } else {
            let (month, day) = (self.month.max(1), self.day.max(1));
            civil::Date::new(self.year, month, day).map_err(|_| "day")?
        };
        let time = civil::Time::new(hour, self.minute, self.second, self.nanosecond).map_err(|_| "hour")?;
        let zone = match self.offset {
            _ if self.is_utc => TimeZone::UTC,
            Some(offset) => TimeZone::fixed(JiffOffset::from_seconds(offset).map_err(|_| "time zone offset")?),
            None => zone.clone(),
        };
        date.to_datetime(time).to_zoned(zone).map_err(|_| "year")
    }
}

struct Reader<'t> {
    rest: &'t str,
    found: Found,
    /// The number that was read last, if it is too large or too small.
    out_of_range: Option<&'static str>,
}

impl Reader<'_> {
    /// Skips a text; a blank of the layout stands for any number of them.
    fn literal(&mut self, text: &str) -> Option<()> {
        let mut wanted = text;
        while let Some(char) = wanted.chars().next() {
            if char == ' ' {
                if !self.rest.is_empty() && !self.rest.starts_with(' ') {
                    return None;
                }
                wanted = wanted.trim_start_matches(' ');
                self.rest = self.rest.trim_start_matches(' ');
                continue;
            }
            self.rest = self.rest.strip_prefix(char)?;
            wanted = &wanted[char.len_utf8()..];
        }
        Some(())
    }

    fn part(&mut self, part: Part, takes_fraction: bool) -> Option<()> {
        match part {
            Part::Year => {
                let year = i16::try_from(self.number(2, 2)?).ok()?;
                self.found.year = if year >= 69 { 1900 + year } else { 2000 + year };
            }
            Part::LongYear => self.found.year = i16::try_from(self.number(4, 4)?).ok()?,
            Part::LongMonth => self.found.month = self.name(&MONTHS, usize::MAX)?,
            Part::Month => self.found.month = self.name(&MONTHS, 3)?,
            Part::NumMonth => self.found.month = self.within("month", 1, 2, 1..=12)?,
            Part::ZeroMonth => self.found.month = self.within("month", 2, 2, 1..=12)?,
            Part::LongWeekday => self.name(&WEEKDAYS, usize::MAX).map(|_| ())?,
            Part::Weekday => self.name(&WEEKDAYS, 3).map(|_| ())?,
            Part::Day => self.found.day = self.within("day", 1, 2, 0..=99)?,
            Part::UnderDay => {
                self.rest = self.rest.strip_prefix(' ').unwrap_or(self.rest);
                self.found.day = self.within("day", 1, 2, 0..=99)?;
            }
            Part::ZeroDay => self.found.day = self.within("day", 2, 2, 0..=99)?,
            Part::UnderYearDay | Part::ZeroYearDay => {
                self.rest = self.rest.trim_start_matches(' ');
                self.found.year_day = Some(i16::try_from(self.number(1, 3)?).ok()?);
            }
            Part::Hour => self.found.hour = self.within("hour", 2, 2, 0..=23)?,
            Part::Hour12 => self.found.hour = self.within("hour", 1, 2, 0..=12)?,
            Part::ZeroHour12 => self.found.hour = self.within("hour", 2, 2, 0..=12)?,
            Part::Minute => self.found.minute = self.within("minute", 1, 2, 0..=59)?,
            Part::ZeroMinute => self.found.minute = self.within("minute", 2, 2, 0..=59)?,
            Part::Second | Part::ZeroSecond => {
                let least = if part == Part::Second { 1 } else { 2 };
                self.found.second = self.within("second", least, 2, 0..=59)?;
                if takes_fraction {
                    self.fraction();
                }
            }
            Part::UpperPm => self.half_day(["AM", "PM"])?,
            Part::LowerPm => self.half_day(["am", "pm"])?,
            Part::Zone => self.zone()?,
            Part::Offset(offset) => self.offset(offset)?,
            Part::Fraction(digits) => {
                let before = self.rest.len();
                self.fraction();
                if before - self.rest.len() != digits + 1 {
                    return None;
                }
            }
            Part::ShortFraction(_) => self.fraction(),
        }
        Some(())
    }

    fn number(&mut self, least: usize, most: usize) -> Option<u32> {
        let digits = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if digits < least {
            return None;
        }
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        number.parse().ok()
    }

    /// A number of `least` to `most` digits within a range; of one outside it is noted what is out of range.
    fn within(&mut self, what: &'static str, least: usize, most: usize, range: RangeInclusive<i8>) -> Option<i8> {
        let number = self.number(least, most)?;
        let within = i8::try_from(number).ok().filter(|number| range.contains(number));
        self.out_of_range = within.is_none().then_some(what);
        within
    }

    /// One of `names`, or as much of it as is written, counted from 1.
    fn name(&mut self, names: &[&str], length: usize) -> Option<i8> {
        let (index, length) = names.iter().enumerate().find_map(|(index, name)| {
            let name = &name[..name.len().min(length)];
            let is_same = self.rest.get(..name.len())?.eq_ignore_ascii_case(name);
            is_same.then_some((index, name.len()))
        })?;
        self.rest = &self.rest[length..];
        i8::try_from(index + 1).ok()
    }

    /// Digits behind a point, if there are some.
    fn fraction(&mut self) {
        let Some(digits) = self.rest.strip_prefix(['.', ',']) else { return };
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return;
        }
        let nanoseconds = format!("{:0<9}", &digits[..count.min(9)]);
        self.found.nanosecond = nanoseconds.parse().unwrap_or_default();
        self.rest = &digits[count..];
    }

    fn half_day(&mut self, [am, pm]: [&str; 2]) -> Option<()> {
        let is_pm = self.rest.starts_with(pm);
        self.rest = self.rest.strip_prefix(am).or_else(|| self.rest.strip_prefix(pm))?;
        self.found.is_pm = Some(is_pm);
        Some(())
    }

    /// The abbreviation of a zone, which says nothing of an offset unless it is UTC.
    fn zone(&mut self) -> Option<()> {
        let length = self.rest.bytes().take_while(u8::is_ascii_uppercase).count();
        if !(3..=5).contains(&length) {
            return None;
        }
        self.found.is_utc = &self.rest[..length] == "UTC";
        if !self.found.is_utc {
            self.found.offset.get_or_insert(0);
        }
        self.rest = &self.rest[length..];
        Some(())
    }

    fn offset(&mut self, offset: Offset) -> Option<()> {
        if offset.z_for_utc
            && let Some(rest) = self.rest.strip_prefix('Z')
        {
            self.rest = rest;
            self.found.is_utc = true;
            return Some(());
        }
        let sign = match self.rest.as_bytes().first()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.rest = &self.rest[1..];
        let mut seconds = i32::from(self.within("time zone offset hour", 2, 2, 0..=24)?) * 3600;
        let scales: &[i32] = match offset.fields {
            Fields::Hours => &[],
            Fields::Minutes => &[60],
            Fields::Seconds => &[60, 1],
        };
        for scale in scales {
            if offset.colons {
                self.rest = self.rest.strip_prefix(':')?;
            }
            let what = if *scale == 1 { "time zone offset second" } else { "time zone offset minute" };
            seconds += i32::from(self.within(what, 2, 2, 0..=60)?) * scale;
        }
        self.found.offset = Some(sign * seconds);
        self.found.is_utc = seconds == 0;
        Some(())
    }
}
