//! The characters of a text that is read bit by bit.

use std::io::{self, BufReader, Bytes, Read};

use granit_parser::ErrorKind;

/// How much is read at once.
const BUFFER_BYTES: usize = 64 << 10;

/// The characters of UTF-8 text. After an error there are none.
pub(super) struct Characters<R>(Bytes<BufReader<R>>);

impl<R: Read> Characters<R> {
    /// The characters of `text`.
    pub(super) fn of(text: R) -> Self {
        Self(BufReader::with_capacity(BUFFER_BYTES, text).bytes())
    }

    /// The character that begins with `first`.
    fn rest(&mut self, first: u8) -> Result<char, ErrorKind> {
        let length = match first {
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            _ => return Err(no_text()),
        };
        let mut bytes = [first; 4];
        for byte in &mut bytes[1..length] {
            *byte = self.0.next().ok_or_else(no_text)?.map_err(unread)?;
        }
        let character = std::str::from_utf8(&bytes[..length]).ok().and_then(|text| text.chars().next());
        character.ok_or_else(no_text)
    }
}

impl<R: Read> Iterator for Characters<R> {
    type Item = Result<char, ErrorKind>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(match self.0.next()? {
            Ok(first) if first.is_ascii() => Ok(char::from(first)),
            Ok(first) => self.rest(first),
            Err(error) => Err(unread(error)),
        })
    }
}

fn no_text() -> ErrorKind {
    ErrorKind::InputDecoding { message: "it is not UTF-8 text".to_owned() }
}

fn unread(error: io::Error) -> ErrorKind {
    ErrorKind::InputIo { error: error.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_of_any_length_are_read_wherever_a_buffer_ends() {
        let text = "aé€😀".repeat(BUFFER_BYTES / 7);
        let read: Result<String, _> = Characters::of(text.as_bytes()).collect();
        assert_eq!(read.as_deref(), Ok(text.as_str()));
    }

    #[test]
    fn what_is_no_text_is_an_error() {
        for bytes in [&b"a\xff"[..], b"\xc0\x80", b"\xe2\x82", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80"] {
            let read: Result<String, _> = Characters::of(bytes).collect();
            assert!(read.is_err(), "{bytes:?}");
        }
    }
}
