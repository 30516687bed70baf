//! The style in which a string stays a string.

use super::analysis::{Analysis, is_simple};
use crate::{Scalar, Schema, Style, resolve, timestamp};

/// The style that go-yaml chooses for a string.
pub(crate) fn string_style(text: &str) -> Style {
    style_of(text, Analysis::of(text))
}

/// The style of a string whose analysis is at hand.
pub(super) fn style_of(text: &str, analysis: Analysis) -> Style {
    if analysis.multiline && text.contains('\n') {
        return if analysis.block_scalar { Style::Literal } else { Style::DoubleQuoted };
    }
    if !reads_as_string(text) {
        return Style::DoubleQuoted;
    }
    match analysis {
        Analysis { plain_in_block: true, .. } => Style::Plain,
        Analysis { single_quoted: true, .. } => Style::SingleQuoted,
        Analysis { .. } => Style::DoubleQuoted,
    }
}

/// Whether `text` is written as it is, on one line, wherever a scalar may stand; most keys and many values are.
pub(super) fn is_word(text: &str) -> bool {
    /// `false`: no word that is not a string is longer.
    const LONGEST: usize = 5;
    let is_name = text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) && is_simple(text);
    is_name && (text.len() > LONGEST || reads_as_string(text))
}

/// Whether YAML 1.1 reads `text` without quotes as a string; more types than [`Schema::SigsYaml`] has count.
fn reads_as_string(text: &str) -> bool {
    let looks_numeric = text.starts_with(|char: char| matches!(char, '+' | '-') || char.is_ascii_digit());
    matches!(resolve::resolve_plain(text, Schema::SigsYaml), Scalar::String(_))
        && !(looks_numeric && (timestamp::to_rfc3339(text).is_some() || is_base_60(text)))
}

/// Whether `text` is a base 60 number of YAML 1.1, such as `12:30:45`.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    let is_digit = |byte: u8| byte.is_ascii_digit() || byte == b'_';
    whole.contains(':')
        && first.starts_with(|char: char| char.is_ascii_digit())
        && first.bytes().all(is_digit)
        && parts.all(|part| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']))
        && fraction.bytes().all(is_digit)
}
