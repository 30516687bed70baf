//! Characters that go-yaml reads in another way than YAML 1.2 does.
//!
//! # Follows go-yaml
//! U+0085 ends a line. A byte order mark means nothing at the start of a line, and is a letter like any other elsewhere.

use std::borrow::Cow;

use compact_str::CompactString;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// What the parser reads in place of a byte order mark inside a text, which it refuses there: no text has this one.
const STAND_IN: char = '\u{fdd0}';

/// A text as the parser has to read it.
pub(crate) struct Prepared<'a> {
    pub(crate) text: Cow<'a, str>,
    /// Whether byte order marks inside of it are replaced.
    pub(crate) has_stand_ins: bool,
}

impl<'a> Prepared<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        if text.is_ascii() || !text.contains(['\u{85}', BYTE_ORDER_MARK]) {
            return Self { text: Cow::Borrowed(text), has_stand_ins: false };
        }
        let text = text.replace('\u{85}', "\n").replace("\n\u{feff}", "\n");
        let has_stand_ins = text.contains(BYTE_ORDER_MARK);
        let text = text.replace(BYTE_ORDER_MARK, STAND_IN.encode_utf8(&mut [0; 4]));
        Self { text: Cow::Owned(text), has_stand_ins }
    }
}

/// The text of a scalar with the byte order marks that it was read without.
pub(crate) fn restored(scalar: &str) -> CompactString {
    scalar.chars().map(|char| if char == STAND_IN { BYTE_ORDER_MARK } else { char }).collect()
}
