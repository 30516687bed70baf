//! Globs as Go's `filepath.Match` reads them.

/// A well-formed glob for one part of a path, or of the name of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob {
    tokens: Vec<Token>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// `*`: any text.
    Text,
    /// `?`: any character.
    Any,
    /// `[a-z]`, `[^a-z]`.
    Class {
        is_negated: bool,
        ranges: Vec<(char, char)>,
    },
    Literal(char),
}

impl Glob {
    /// Reads a glob; `None` if it is malformed.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut tokens = Vec::new();
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            tokens.push(match character {
                '*' => Token::Text,
                '?' => Token::Any,
                '[' => parse_class(&mut rest)?,
                '\\' => Token::Literal(rest.next()?),
                literal => Token::Literal(literal),
            });
        }
        Some(Self { tokens })
    }

    /// Whether all of `name` matches.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        let (mut token, mut character) = (0, 0);
        // Where to go on when the text that the last `*` stands for must grow by a character.
        let mut retry = None;
        while character < name.len() {
            match self.tokens.get(token) {
                Some(Token::Text) => {
                    retry = Some((token + 1, character + 1));
                    token += 1;
                }
                Some(single) if single.accepts(name[character]) => {
                    token += 1;
                    character += 1;
                }
                Some(_) | None => {
                    let Some((after_text, grown)) = retry else { return false };
                    retry = Some((after_text, grown + 1));
                    (token, character) = (after_text, grown);
                }
            }
        }
        self.tokens[token..].iter().all(|left| *left == Token::Text)
    }
}

impl Token {
    fn accepts(&self, character: char) -> bool {
        match self {
            Self::Text | Self::Any => true,
            Self::Class { is_negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&character)) != *is_negated
            }
            Self::Literal(literal) => *literal == character,
        }
    }
}

/// Reads a class after its `[`.
fn parse_class(rest: &mut std::str::Chars<'_>) -> Option<Token> {
    let is_negated = rest.as_str().starts_with('^');
    if is_negated {
        rest.next();
    }
    let mut ranges = Vec::new();
    while ranges.is_empty() || !rest.as_str().starts_with(']') {
        let low = parse_bound(rest)?;
        let high = if rest.as_str().starts_with('-') {
            rest.next();
            parse_bound(rest)?
        } else {
            low
        };
        ranges.push((low, high));
    }
    rest.next();
    Some(Token::Class { is_negated, ranges })
}

fn parse_bound(rest: &mut std::str::Chars<'_>) -> Option<char> {
    match rest.next()? {
        '-' | ']' => None,
        '\\' => rest.next(),
        bound => Some(bound),
    }
}
