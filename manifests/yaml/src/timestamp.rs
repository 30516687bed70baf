//! Timestamps as go-yaml reads them.

/// Reads an unquoted timestamp and writes it as RFC 3339, the form in which kustomize prints it.
///
/// The forms are `2006-1-2`, `2006-1-2 15:4:5`, and with `T` or `t` and a zone `2006-1-2T15:4:5Z`; seconds may have a
/// fraction. A time without a zone is UTC.
pub(crate) fn to_rfc3339(text: &str) -> Option<String> {
    let (date, clock) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at..])),
        None => (text, None),
    };
    let date = parse_date(date)?;
    let Some(clock) = clock else { return Some(format!("{date}T00:00:00Z")) };
    match clock.strip_prefix(['T', 't']) {
        Some(clock) => {
            let zone_at = clock.find(['Z', '+', '-'])?;
            let (clock, zone) = clock.split_at(zone_at);
            Some(format!("{date}T{}{}", parse_clock(clock)?, parse_zone(zone)?))
        }
        None => Some(format!("{date}T{}Z", parse_clock(clock.trim_start_matches(' '))?)),
    }
}

fn parse_date(text: &str) -> Option<String> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    let (year, month, day) = (digits(year, 4)?, digits(month, 2)?, digits(day, 2)?);
    if !(1..=12).contains(&month) || !(1..=days_in(month, year)).contains(&day) {
        return None;
    }
    Some(format!("{year:04}-{month:02}-{day:02}"))
}

fn days_in(month: u32, year: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn parse_clock(text: &str) -> Option<String> {
    let (clock, fraction) = match text.find(['.', ',']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let mut parts = clock.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (hour, minute, second) = (digits(hour, 2)?, digits(minute, 2)?, digits(second, 2)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(format!("{hour:02}:{minute:02}:{second:02}{}", parse_fraction(fraction)?))
}

/// Keeps nanoseconds and drops zeros at the end, as Go prints them.
fn parse_fraction(text: Option<&str>) -> Option<String> {
    let Some(text) = text else { return Some(String::new()) };
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let kept = text[..text.len().min(9)].trim_end_matches('0');
    Some(if kept.is_empty() { String::new() } else { format!(".{kept}") })
}

fn parse_zone(text: &str) -> Option<String> {
    if text == "Z" {
        return Some(text.to_owned());
    }
    let (hour, minute) = text.get(1..)?.split_once(':')?;
    if hour.len() != 2 || minute.len() != 2 {
        return None;
    }
    let (hour, minute) = (digits(hour, 2)?, digits(minute, 2)?);
    if hour > 24 || minute > 60 {
        return None;
    }
    if hour == 0 && minute == 0 {
        return Some("Z".to_owned());
    }
    Some(text.to_owned())
}

fn digits(text: &str, most: usize) -> Option<u32> {
    if text.is_empty() || text.len() > most || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}
