//! `format`: texts that must be something else in disguise.

use std::net::{Ipv4Addr, Ipv6Addr};

use jiff::tz::TimeZone;

use crate::time;

/// What is wrong with `text` under a format; formats that are not known take anything.
pub(super) fn problem(format: &str, text: &str) -> Option<String> {
    let said = |is_valid: bool, problem: &str| (!is_valid).then(|| problem.to_owned());
    match format {
        "ipv4" if text.split('.').count() != 4 => Some("expected four decimals".to_owned()),
        "ipv4" => said(text.parse::<Ipv4Addr>().is_ok(), "invalid octet"),
        "ipv6" => said(text.contains(':') && text.parse::<Ipv6Addr>().is_ok(), "not an ipv6 address"),
        "date" => time::parse("2006-01-02", text, &TimeZone::UTC).err(),
        "date-time" if text.len() < 20 => Some("less than 20 characters long".to_owned()),
        "date-time" => said(text.parse::<jiff::Timestamp>().is_ok(), "not a time with its zone"),
        "time" if text.len() < 9 => Some("less than 9 characters long".to_owned()),
        "time" => said(format!("2000-01-01T{text}").parse::<jiff::Timestamp>().is_ok(), "not a time of day"),
        "email" => said(is_email(text), "missing @"),
        "hostname" if text.starts_with('-') => Some("label starts with hyphen".to_owned()),
        "hostname" => said(is_hostname(text), "invalid hostname"),
        "uri" => said(is_uri(text), "relative url"),
        "regex" => said(regex::Regex::new(text).is_ok(), "not a regular expression"),
        "uuid" if text.split('-').count() != 5 => Some("must have 5 elements".to_owned()),
        "uuid" => said(is_uuid(text), "not a uuid"),
        "duration" => said(text.starts_with('P'), "must start with P"),
        "json-pointer" => said(text.is_empty() || text.starts_with('/'), "not starting with /"),
        _ => None,
    }
}

fn is_email(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(user, host)| !user.is_empty() && is_hostname(host))
}

fn is_hostname(text: &str) -> bool {
    let is_label = |label: &str| {
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(is_inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.strip_suffix('.').unwrap_or(text).split('.').all(is_label)
}

fn is_uri(text: &str) -> bool {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    scheme.starts_with(|char: char| char.is_ascii_alphabetic()) && scheme.bytes().all(is_part) && !text.contains(' ')
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12] && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
