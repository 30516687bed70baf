//! The patterns of `${v#p}` and its kin.
//!
//! `*` stands for any text (`/` included), `?` for any character, `[a-z]` and `[^a-z]` for one of a class, `\c` for
//! the character `c`.

use std::{iter::Peekable, str::Chars};

/// A pattern.
#[derive(Debug)]
pub(super) struct Glob(Vec<Token>);

#[derive(Debug)]
enum Token {
    Character(char),
    AnyCharacter,
    AnyText,
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Glob {
    /// Reads `pattern`; `None` if a class is not closed, is empty or begins a range with `-`, or if `\` ends it.
    pub(super) fn parse(pattern: &str) -> Option<Self> {
        let mut rest = pattern.chars().peekable();
        let mut tokens = Vec::new();
        while let Some(next) = rest.next() {
            tokens.push(match next {
                '*' => Token::AnyText,
                '?' => Token::AnyCharacter,
                '[' => class(&mut rest)?,
                '\\' => Token::Character(rest.next()?),
                other => Token::Character(other),
            });
        }
        Some(Self(tokens))
    }

    /// The lengths in bytes of the prefixes of `text` that match, shortest first. The empty prefix is never among
    /// them, whatever the pattern.
    ///
    /// All prefixes are tried at once, in one pass over `text`.
    pub(super) fn matching_prefixes(&self, text: &str) -> impl Iterator<Item = usize> {
        let mut reached = vec![false; self.0.len() + 1];
        reached[0] = true;
        self.skip_any_texts(&mut reached);
        text.char_indices().filter_map(move |(at, c)| {
            reached = self.step(&reached, c);
            reached.last().is_some_and(|matched| *matched).then_some(at + c.len_utf8())
        })
    }

    /// The places of the pattern that are reached from `from` by reading `c`.
    fn step(&self, from: &[bool], c: char) -> Vec<bool> {
        let mut reached = vec![false; from.len()];
        for (at, token) in self.0.iter().enumerate().filter(|(at, _)| from[*at]) {
            match token {
                Token::AnyText => reached[at] = true,
                Token::AnyCharacter => reached[at + 1] = true,
                Token::Character(expected) => reached[at + 1] |= *expected == c,
                Token::Class { negated, ranges } => {
                    let is_member = ranges.iter().any(|(first, last)| (*first..=*last).contains(&c));
                    reached[at + 1] |= is_member != *negated;
                }
            }
        }
        self.skip_any_texts(&mut reached);
        reached
    }

    fn skip_any_texts(&self, reached: &mut [bool]) {
        for (at, token) in self.0.iter().enumerate() {
            reached[at + 1] |= reached[at] && matches!(token, Token::AnyText);
        }
    }
}

/// Reads a class whose `[` has been taken.
fn class(rest: &mut Peekable<Chars<'_>>) -> Option<Token> {
    let negated = rest.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    while ranges.is_empty() || rest.next_if_eq(&']').is_none() {
        let first = member(rest)?;
        let last = if rest.next_if_eq(&'-').is_some() { member(rest)? } else { first };
        ranges.push((first, last));
    }
    Some(Token::Class { negated, ranges })
}

/// A character of a class; `-` and `]` need a `\` before them.
fn member(rest: &mut Peekable<Chars<'_>>) -> Option<char> {
    match rest.next()? {
        '-' | ']' => None,
        '\\' => rest.next(),
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_prefixes() {
        let rows: [(&str, &str, &[usize]); 12] = [
            ("a", "abc", &[1]),
            ("*", "abc", &[1, 2, 3]),
            ("", "abc", &[]),
            ("?b", "abc", &[2]),
            ("*/", "a/b/c", &[2, 4]),
            ("[a-c][^x]", "bcd", &[2]),
            ("[^a]", "abc", &[]),
            (r"\*", "*a", &[1]),
            (r"[\]]", "]", &[1]),
            ("*a*b*", "xaybz", &[4, 5]),
            ("é?", "éàü", &[4]),
            ("abcd", "abc", &[]),
        ];
        for (pattern, text, expected) in rows {
            let glob = Glob::parse(pattern).expect("a pattern");
            assert_eq!(glob.matching_prefixes(text).collect::<Vec<_>>(), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_broken_pattern_is_none() {
        for pattern in ["[", "[]", "[a", "[-a]", "[a-]", "a\\", "[^"] {
            assert!(Glob::parse(pattern).is_none(), "{pattern}");
        }
    }

    #[test]
    fn a_long_text_is_matched_in_one_pass() {
        let text = "a".repeat(200_000);
        let glob = Glob::parse("*a*a*a*b").expect("a pattern");
        assert_eq!(glob.matching_prefixes(&text).count(), 0);
    }
}
