//! In which styles a text can be written.
//!
//! # Follows go-yaml
//! The rules are libyaml's, which refuses more than the YAML specification does; so does every tool built on it.

/// In which styles a text can be written and read back unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each style is allowed or not, whatever the others are")]
pub(super) struct Analysis {
    /// Contains a line break, YAML 1.1's own included.
    pub(super) multiline: bool,
    pub(super) plain_in_block: bool,
    pub(super) plain_in_flow: bool,
    pub(super) single_quoted: bool,
    pub(super) block_scalar: bool,
}

impl Analysis {
    pub(super) fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self { plain_in_flow: false, block_scalar: false, ..Self::ANYTHING };
        }
        if is_simple(text) {
            return Self::ANYTHING;
        }
        let is_ascii = text.bytes().all(|byte| matches!(byte, b'\n' | b' '..=b'~'));
        let blanks = if is_ascii { Blanks::of_ascii(text) } else { Blanks::of(text) };
        let special = blanks.space_before_break || !(is_ascii || text.chars().all(is_printable));
        let plain = !special && !blanks.multiline && !blanks.break_before_space && !blanks.at_an_end;
        let indicators = if plain { Indicators::of(text) } else { Indicators::default() };
        Self {
            multiline: blanks.multiline,
            plain_in_block: plain && !indicators.block,
            plain_in_flow: plain && !indicators.flow,
            single_quoted: !special && !blanks.break_before_space,
            block_scalar: !special && !blanks.ends_with_space,
        }
    }

    const ANYTHING: Self =
        Self { multiline: false, plain_in_block: true, plain_in_flow: true, single_quoted: true, block_scalar: true };
}

/// Whether `text` has only characters that mean nothing wherever they stand; most keys and many values do.
pub(super) fn is_simple(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphanumeric) && bytes.iter().all(|byte| IS_SIMPLE[usize::from(*byte)])
}

/// For each byte, whether it means nothing behind a letter or digit.
const IS_SIMPLE: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'/' | b'_');
        byte += 1;
    }
    table
};

/// Characters that would end a plain scalar or make it something else.
#[derive(Default)]
struct Indicators {
    block: bool,
    flow: bool,
}

impl Indicators {
    fn of(text: &str) -> Self {
        let document_marker = text.starts_with("---") || text.starts_with("...");
        let mut found = Self { block: document_marker, flow: document_marker };
        let mut chars = text.chars().peekable();
        let mut before = None;
        while let Some(char) = chars.next() {
            let blank_after = chars.peek().is_none_or(|next| matches!(next, ' ' | '\t'));
            match before {
                None => found.see_first(char, blank_after),
                Some(before) => found.see(before, char, blank_after),
            }
            before = Some(char);
        }
        found
    }

    fn see_first(&mut self, char: char, blank_after: bool) {
        match char {
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => {
                self.flow = true;
                self.block = true;
            }
            '?' | ':' => {
                self.flow = true;
                self.block |= blank_after;
            }
            '-' => {
                self.flow |= blank_after;
                self.block |= blank_after;
            }
            _ => {}
        }
    }

    fn see(&mut self, before: char, char: char, blank_after: bool) {
        match char {
            ',' | '?' | '[' | ']' | '{' | '}' => self.flow = true,
            ':' => {
                self.flow = true;
                self.block |= blank_after;
            }
            '#' if is_blank_or_break(before) => {
                self.flow = true;
                self.block = true;
            }
            _ => {}
        }
    }
}

/// Where spaces and line breaks are.
#[derive(Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "found or not, each for itself")]
struct Blanks {
    multiline: bool,
    at_an_end: bool,
    ends_with_space: bool,
    break_before_space: bool,
    space_before_break: bool,
}

impl Blanks {
    fn of(text: &str) -> Self {
        let mut found = Self::at_ends_of(text);
        let mut before = '\0';
        for char in text.chars() {
            found.multiline |= is_break(char);
            found.break_before_space |= char == ' ' && is_break(before);
            found.space_before_break |= is_break(char) && before == ' ';
            before = char;
        }
        found
    }

    /// The same for a text of printable ASCII, where only a line feed ends a line; most long texts are such.
    fn of_ascii(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut found = Self::at_ends_of(text);
        for (at, _) in text.match_indices('\n') {
            found.multiline = true;
            found.break_before_space |= bytes.get(at + 1) == Some(&b' ');
            found.space_before_break |= at > 0 && bytes[at - 1] == b' ';
        }
        found
    }

    fn at_ends_of(text: &str) -> Self {
        let is_space_or_break = |char| char == ' ' || is_break(char);
        Self {
            at_an_end: text.starts_with(is_space_or_break) || text.ends_with(is_space_or_break),
            ends_with_space: text.ends_with(' '),
            ..Self::default()
        }
    }
}

/// Whether this character is written as it is; nothing outside the basic plane is.
///
/// # Differs from libyaml
/// U+2028 and U+2029 are not: they end a line in YAML 1.1 and do not in YAML 1.2, so that only their escapes are safe.
pub(super) fn is_printable(char: char) -> bool {
    !matches!(char, '\u{2028}' | '\u{2029}')
        && matches!(char, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// Whether YAML 1.1 ends a line here.
fn is_break(char: char) -> bool {
    matches!(char, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_blank_or_break(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\0') || is_break(char)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Blanks;

    proptest! {
        #[test]
        fn blanks_of_ascii_are_found_as_those_of_any_text(text in "[ \na]{1,12}") {
            prop_assert_eq!(Blanks::of_ascii(&text), Blanks::of(&text));
        }
    }
}
