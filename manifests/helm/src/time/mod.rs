//! Times, time spans and layouts, as Go's `time` has them.

mod layout;
mod parse;
mod span;

pub(crate) use layout::format;
pub(crate) use parse::parse;
pub(crate) use span::{format_span, parse_span};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The name of a month, from 1.
pub(crate) fn month_name(month: i8) -> &'static str {
    usize::try_from(month - 1).ok().and_then(|index| MONTHS.get(index)).copied().unwrap_or_default()
}

/// The name of a day of the week, Sunday being 0.
pub(crate) fn weekday_name(day: i8) -> &'static str {
    usize::try_from(day).ok().and_then(|index| WEEKDAYS.get(index)).copied().unwrap_or_default()
}
