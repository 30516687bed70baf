//! Which bytes a request wants.

use axum::http::{HeaderMap, header};

/// Which bytes of an artifact a request wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Requested {
    /// All of them: there is no range, or one that is not understood, or it is for another content.
    Whole,
    /// One range, which is not empty and lies inside.
    Part { start: u64, length: u64 },
    /// A range that begins after the end.
    Nothing,
}

impl Requested {
    /// Reads the headers of a request for a content of `size_bytes` bytes.
    pub(super) fn of(request: &HeaderMap, etag: &str, size_bytes: u64) -> Self {
        let text = |name| request.get(name).and_then(|value| value.to_str().ok());
        if text(header::IF_RANGE).is_some_and(|condition| condition != etag) {
            return Self::Whole;
        }
        text(header::RANGE).and_then(|range| parse(range, size_bytes)).unwrap_or(Self::Whole)
    }
}

/// Reads one range of bytes; `None` for several, and for anything else.
fn parse(range: &str, size_bytes: u64) -> Option<Requested> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (first, last) = (first.trim(), last.trim());
    let (start, end) = if first.is_empty() {
        (size_bytes.saturating_sub(last.parse().ok()?), size_bytes)
    } else {
        let start: u64 = first.parse().ok()?;
        let last = if last.is_empty() { u64::MAX } else { last.parse().ok()? };
        if last < start {
            return None;
        }
        (start, last.saturating_add(1).min(size_bytes))
    };
    Some(if start < end { Requested::Part { start, length: end - start } } else { Requested::Nothing })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_understood_and_everything_else_means_the_whole() {
        let part = |start, length| Requested::Part { start, length };
        let rows = [
            ("bytes=0-9", part(0, 10)),
            ("bytes=90-", part(90, 10)),
            ("bytes=-10", part(90, 10)),
            ("bytes=-1000", part(0, 100)),
            ("bytes=95-1000", part(95, 5)),
            ("bytes=0-18446744073709551615", part(0, 100)),
            ("bytes=100-", Requested::Nothing),
            ("bytes=-0", Requested::Nothing),
            ("bytes=9-3", Requested::Whole),
            ("bytes=0-1,5-6", Requested::Whole),
            ("lines=0-1", Requested::Whole),
            ("bytes=", Requested::Whole),
        ];
        for (range, expected) in rows {
            let request = HeaderMap::from_iter([(header::RANGE, range.parse().expect("a header"))]);
            assert_eq!(Requested::of(&request, "\"a\"", 100), expected, "{range}");
        }
    }

    #[test]
    fn a_range_of_another_content_means_the_whole() {
        let headers = [(header::RANGE, "bytes=0-9"), (header::IF_RANGE, "\"b\"")];
        let request: HeaderMap =
            headers.into_iter().map(|(name, value)| (name, value.parse().expect("a header"))).collect();
        assert_eq!(Requested::of(&request, "\"a\"", 100), Requested::Whole);
    }
}
