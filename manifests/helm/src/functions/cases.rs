//! Upper and lower case, and names in the styles of programming languages.

use super::strings::map_chars;
use super::{Call, Function, Returned, Type};
use crate::unicode;

const TEXT: &[Type] = &[Type::Text];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("title", TEXT, title, "A text with the first letter of each word in upper case (Sprig)."),
    Function::new("untitle", TEXT, untitle, "A text with the first letter of each word in lower case (Sprig)."),
    Function::new("swapcase", TEXT, swapcase, "A text with upper and lower case swapped (Sprig)."),
    Function::new("initials", TEXT, initials, "The first letter of each word (Sprig)."),
    Function::new("snakecase", TEXT, snakecase, "A name as `snake_case` (Sprig)."),
    Function::new("kebabcase", TEXT, kebabcase, "A name as `kebab-case` (Sprig)."),
    Function::new("camelcase", TEXT, camelcase, "A name as `PascalCase` (Sprig)."),
];

/// The upper case of a character, if that is one character.
pub(super) fn to_upper(char: char) -> char {
    single(char.to_uppercase(), char)
}

/// The lower case of a character, if that is one character.
pub(super) fn to_lower(char: char) -> char {
    single(char.to_lowercase(), char)
}

fn single(mut chars: impl Iterator<Item = char>, otherwise: char) -> char {
    match (chars.next(), chars.next()) {
        (Some(char), None) => char,
        // The capital I with a dot is the only letter whose lower case Go shortens.
        (Some('i'), Some(_)) => 'i',
        _ => otherwise,
    }
}

fn title(call: &mut Call<'_, '_>) -> Returned {
    let mut before = ' ';
    Ok(map_chars(call.text(0), |char| {
        let starts_word = is_separator(before);
        before = char;
        if starts_word { to_upper(char) } else { char }
    })
    .into())
}

/// Go's `strings.isSeparator`.
fn is_separator(char: char) -> bool {
    if char.is_ascii() {
        return !(char.is_ascii_alphanumeric() || char == '_');
    }
    !char.is_alphabetic() && !unicode::is_decimal_digit(char) && unicode::is_space(char)
}

fn untitle(call: &mut Call<'_, '_>) -> Returned {
    let mut starts_word = true;
    Ok(map_chars(call.text(0), |char| {
        if unicode::is_space(char) {
            starts_word = true;
            return char;
        }
        if std::mem::take(&mut starts_word) { to_lower(char) } else { char }
    })
    .into())
}

fn swapcase(call: &mut Call<'_, '_>) -> Returned {
    Ok(map_chars(call.text(0), |char| {
        if char.is_uppercase() {
            to_lower(char)
        } else if char.is_lowercase() {
            to_upper(char)
        } else {
            char
        }
    })
    .into())
}

/// The first letters. Go looks at bytes here, so that a letter outside of ASCII becomes the character of its first
/// byte.
fn initials(call: &mut Call<'_, '_>) -> Returned {
    let (mut initials, mut after_gap) = (String::new(), true);
    for byte in call.text(0).iter() {
        let char = char::from(*byte);
        if unicode::is_space(char) {
            after_gap = true;
        } else if std::mem::take(&mut after_gap) {
            initials.push(char);
        }
    }
    Ok(initials.into())
}

fn snakecase(call: &mut Call<'_, '_>) -> Returned {
    Ok(separated(&call.text(0).to_str(), '_').into())
}

fn kebabcase(call: &mut Call<'_, '_>) -> Returned {
    Ok(separated(&call.text(0).to_str(), '-').into())
}

/// What a part of a name is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Digits,
    /// Starts with an upper-case letter.
    Upper,
    /// Starts with any other letter.
    Letters,
    Connector,
    Punctuation,
    Other,
    End,
}

impl Word {
    fn is_letters_or_digits(self) -> bool {
        matches!(self, Self::Letters | Self::Digits)
    }

    /// Whether the word before it ends without a connector of ours.
    fn separates(self) -> bool {
        matches!(self, Self::Connector | Self::Punctuation)
    }
}

/// The words of a name, one at a time.
struct Words<'n> {
    rest: &'n str,
    word: &'n str,
    kind: Word,
}

/// A name in lower case with `connector` between its words.
///
/// # Follows xstrings
/// A run of upper case is one word, whose last letter belongs to the next one if that goes on in lower case. Digits
/// belong to the word before them, unless lower case follows.
fn separated(name: &str, connector: char) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut words = Words { rest: name, word: "", kind: Word::End };
    words.advance();
    while !words.rest.is_empty() {
        let (before, last) = (words.kind, words.word);
        if before != Word::Connector {
            push_lower(&mut out, last, before, connector);
        }
        words.advance();
        match before {
            Word::Connector => push_lower(&mut out, last, before, connector),
            Word::Punctuation => {}
            Word::Digits => words.push_joined(&mut out, connector),
            Word::Upper | Word::Letters | Word::Other | Word::End => words.push_break(&mut out, connector),
        }
    }
    push_lower(&mut out, words.word, words.kind, connector);
    out
}

impl<'n> Words<'n> {
    /// What comes between a word of letters and this one; digits may be part of the former.
    fn push_break(&mut self, out: &mut String, connector: char) {
        if self.kind != Word::Digits {
            if !self.kind.separates() {
                out.push(connector);
            }
            return;
        }
        if self.rest.is_empty() {
            return;
        }
        let digits = self.word;
        self.advance();
        if self.kind == Word::Letters {
            out.push(connector);
            push_lower(out, digits, Word::Digits, connector);
            return self.push_joined(out, connector);
        }
        push_lower(out, digits, Word::Digits, connector);
        if !self.kind.separates() {
            out.push(connector);
        }
    }

    /// Letters and digits that follow digits belong to them.
    fn push_joined(&mut self, out: &mut String, connector: char) {
        while self.kind.is_letters_or_digits() {
            push_lower(out, self.word, self.kind, connector);
            self.advance();
        }
        if self.kind != Word::End && !self.kind.separates() {
            out.push(connector);
        }
    }

    fn advance(&mut self) {
        let (kind, length) = first_word(self.rest);
        let (word, rest): (&'n str, &'n str) = self.rest.split_at(length);
        (self.kind, self.word, self.rest) = (kind, word, rest);
    }
}

fn push_lower(out: &mut String, word: &str, kind: Word, connector: char) {
    if kind == Word::Connector {
        out.extend(word.chars().map(|_| connector));
    } else {
        out.extend(word.chars().map(to_lower));
    }
}

/// The kind of the word that `text` starts with, and its length in bytes.
fn first_word(text: &str) -> (Word, usize) {
    let Some(first) = text.chars().next() else { return (Word::End, 0) };
    let run = |is_part: &dyn Fn(char) -> bool| text.find(|char| !is_part(char)).unwrap_or(text.len());
    if is_connector(first) {
        (Word::Connector, run(&is_connector))
    } else if is_punctuation(first) {
        (Word::Punctuation, run(&is_punctuation))
    } else if first.is_uppercase() {
        (Word::Upper, upper_word(text))
    } else if is_cased(first) {
        (Word::Letters, run(&|char| is_cased(char) && !char.is_uppercase()))
    } else if first.is_numeric() {
        (Word::Digits, run(&char::is_numeric))
    } else {
        let is_other =
            |char: char| !is_connector(char) && !is_cased(char) && !char.is_numeric() && !is_punctuation(char);
        (Word::Other, run(&is_other).max(first.len_utf8()))
    }
}

fn upper_word(text: &str) -> usize {
    let uppers = text.find(|char: char| !char.is_uppercase()).unwrap_or(text.len());
    if !text[uppers..].starts_with(is_cased) {
        return uppers;
    }
    match text[..uppers].char_indices().next_back() {
        Some((last, _)) if last > 0 => last,
        _ => {
            let is_lower = |char: char| is_cased(char) && !char.is_uppercase();
            uppers + text[uppers..].find(|char| !is_lower(char)).unwrap_or(text.len() - uppers)
        }
    }
}

fn is_connector(char: char) -> bool {
    matches!(char, '-' | '_') || unicode::is_space(char)
}

/// Whether a character is a letter of a script that has two cases.
fn is_cased(char: char) -> bool {
    char.is_uppercase() || char.is_lowercase()
}

fn is_punctuation(char: char) -> bool {
    char.is_ascii_punctuation() && !matches!(char, '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~')
}

/// A name without its connectors, each word with an upper-case letter first.
///
/// # Follows xstrings
/// Connectors at the start stay, and a name of nothing else gets one more. Upper case after an upper-case letter
/// becomes lower.
fn camelcase(call: &mut Call<'_, '_>) -> Returned {
    let text = call.text(0).to_str();
    let start = text.find(|char| !is_connector(char));
    let Some(start) = start else {
        return Ok(format!("{text}{}", text.chars().next_back().map_or(String::new(), String::from)).into());
    };
    let mut out = text[..start].to_owned();
    let mut chars = text[start..].chars();
    let Some(first) = chars.next() else { return Ok(out.into()) };
    let (mut before, mut in_upper) = (to_upper(first), first.is_uppercase());
    for char in chars {
        let mut char = char;
        if is_connector(char) && is_connector(before) {
            out.push(before);
            before = char;
            continue;
        }
        if is_connector(before) {
            in_upper = char.is_uppercase();
            char = to_upper(char);
        } else {
            in_upper = in_upper && char.is_uppercase();
            char = if in_upper { to_lower(char) } else { char };
            out.push(before);
        }
        before = char;
    }
    out.push(before);
    Ok(out.into())
}
