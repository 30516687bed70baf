//! What servers say beside what they were asked for.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};
use ureq::http::{HeaderMap, HeaderName, header};

/// Longest text of a server that is shown.
const REMOTE_TEXT_LIMIT_CHARS: usize = 400;

/// Longest wait that a server may ask for.
const WAIT_LIMIT: Duration = Duration::from_hours(24);

/// A server's text in a form that can be shown: one line, printable, not too long.
pub(crate) fn remote_text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line: Vec<&str> = text.split(|c: char| c.is_control()).map(str::trim).filter(|part| !part.is_empty()).collect();
    line.join(" ").chars().take(REMOTE_TEXT_LIMIT_CHARS).collect()
}

/// How long a server wants to be left alone: its `Retry-After` header, in seconds or as a time of its own clock.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let time = |text: &str| -> Option<Timestamp> { DateTimeParser::new().parse_timestamp(text).ok() };
    let written = text(header::RETRY_AFTER)?.trim();
    let wait = match written.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => time(written)?.duration_since(time(text(header::DATE)?)?).try_into().ok()?,
    };
    Some(wait.min(WAIT_LIMIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_in_seconds_or_as_a_time() {
        let date = "Sat, 21 Nov 2026 15:00:00 GMT";
        let rows = [
            ("120", Some(120)),
            (" 0", Some(0)),
            ("Sat, 21 Nov 2026 15:01:30 GMT", Some(90)),
            ("Sat, 21 Nov 2026 14:00:00 GMT", None),
            ("99999999", Some(86_400)),
            ("soon", None),
        ];
        for (written, expected) in rows {
            let headers = [(header::RETRY_AFTER, written), (header::DATE, date)];
            let headers: HeaderMap =
                headers.into_iter().map(|(name, value)| (name, value.parse().expect("a header"))).collect();
            assert_eq!(retry_after(&headers).map(|wait| wait.as_secs()), expected, "{written}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
