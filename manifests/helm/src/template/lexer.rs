//! Text to tokens.
//!
//! Tokens are made one at a time, as the parser asks for them: what is wrong behind a syntax error stays unseen, as
//! in Go.

use super::ast::Span;
use super::token::{Token, TokenKind};

const LEFT: [u8; 2] = *b"{{";
const RIGHT: &[u8] = b"}}";
/// Length of a `-` with the space beside it.
const TRIM_MARKER: usize = 2;

pub(super) struct Lexer<'a> {
    text: &'a [u8],
    position: usize,
    start: usize,
    paren_depth: i32,
    inside_action: bool,
    problem: Option<String>,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, position: 0, start: 0, paren_depth: 0, inside_action: false, problem: None }
    }

    /// The text that is read.
    pub(super) fn text(&self) -> &'a [u8] {
        self.text
    }

    /// What a token of the kind [`TokenKind::Error`] is about.
    pub(super) fn problem(&self) -> &str {
        self.problem.as_deref().unwrap_or_default()
    }

    /// The next token. An error ends the text.
    pub(super) fn next_token(&mut self) -> Token {
        match (&self.problem, self.inside_action) {
            (Some(_), _) => Token { kind: TokenKind::EndOfText, span: Span::new(self.start, self.start) },
            (None, true) => self.inside_action(),
            (None, false) => self.outside_action(),
        }
    }

    fn outside_action(&mut self) -> Token {
        loop {
            let Some(length) = find(&self.text[self.position..], LEFT) else {
                self.position = self.text.len();
                let kind = if self.position > self.start { TokenKind::Text } else { TokenKind::EndOfText };
                return self.emit(kind);
            };
            if length > 0
                && let Some(token) = self.text_before(self.position + length)
            {
                return token;
            }
            if let Some(token) = self.left_delimiter() {
                return token;
            }
        }
    }

    /// The text up to the delimiter at `end`, without what a trim marker takes away.
    fn text_before(&mut self, end: usize) -> Option<Token> {
        self.position = if has_left_trim_marker(&self.text[end + LEFT.len()..]) {
            self.start + trimmed_length(&self.text[self.start..end])
        } else {
            end
        };
        let token = (self.position > self.start).then(|| self.emit(TokenKind::Text));
        self.skip_to(end);
        token
    }

    /// Reads `{{`; `None` if a comment follows, which is skipped.
    fn left_delimiter(&mut self) -> Option<Token> {
        self.position += LEFT.len();
        let marker = if has_left_trim_marker(&self.text[self.position..]) { TRIM_MARKER } else { 0 };
        if self.text[self.position + marker..].starts_with(b"/*") {
            self.skip_to(self.position + marker);
            return self.comment();
        }
        let token = self.emit(TokenKind::LeftDelimiter);
        self.inside_action = true;
        self.skip_to(self.position + marker);
        self.paren_depth = 0;
        Some(token)
    }

    /// Skips a comment; a token is an error.
    fn comment(&mut self) -> Option<Token> {
        let body = self.position + 2;
        let Some(length) = find(&self.text[body.min(self.text.len())..], *b"*/") else {
            return Some(self.error("unclosed comment"));
        };
        let end = body + length + 2;
        let Some(trims) = right_delimiter_at(&self.text[end..]) else {
            return Some(self.error("comment ends before closing delimiter"));
        };
        self.position = end + RIGHT.len() + if trims { TRIM_MARKER } else { 0 };
        if trims {
            self.skip_space();
        }
        self.start = self.position;
        None
    }

    fn inside_action(&mut self) -> Token {
        if let Some(trims) = right_delimiter_at(&self.text[self.position..]) {
            return if self.paren_depth == 0 { self.right_delimiter(trims) } else { self.error("unclosed left paren") };
        }
        let Some(char) = self.next() else { return self.error("unclosed action") };
        match char {
            ' ' | '\t' | '\r' | '\n' => self.space(),
            '=' => self.emit(TokenKind::Assign),
            ':' if self.next() == Some('=') => self.emit(TokenKind::Declare),
            ':' => self.error("expected :="),
            '|' => self.emit(TokenKind::Pipe),
            '"' => self.quoted(b'"', TokenKind::String, "unterminated quoted string"),
            '\'' => self.quoted(b'\'', TokenKind::CharConstant, "unterminated character constant"),
            '`' => self.raw_string(),
            '$' => self.field_or_variable(TokenKind::Variable, TokenKind::Variable),
            '.' if !self.text.get(self.position).is_none_or(u8::is_ascii_digit) => {
                self.field_or_variable(TokenKind::Field, TokenKind::Dot)
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.position = self.start;
                self.number()
            }
            char if is_alphanumeric(char) => self.identifier(),
            '(' => {
                self.paren_depth += 1;
                self.emit(TokenKind::LeftParen)
            }
            ')' => {
                self.paren_depth -= 1;
                if self.paren_depth < 0 {
                    self.error("unexpected right paren")
                } else {
                    self.emit(TokenKind::RightParen)
                }
            }
            ' '..='~' => self.emit(TokenKind::Char),
            char => {
                let message = format!("unrecognized character in action: {}", describe(Some(char)));
                self.error(&message)
            }
        }
    }

    fn right_delimiter(&mut self, trims: bool) -> Token {
        if trims {
            self.skip_to(self.position + TRIM_MARKER);
        }
        self.position += RIGHT.len();
        let token = self.emit(TokenKind::RightDelimiter);
        if trims {
            self.skip_space();
            self.start = self.position;
        }
        self.inside_action = false;
        token
    }

    fn space(&mut self) -> Token {
        self.skip_space();
        if right_delimiter_at(&self.text[self.position - 1..]) == Some(true) {
            // The last of the spaces belongs to the marker.
            self.position -= 1;
            if self.position == self.start {
                return self.right_delimiter(true);
            }
        }
        self.emit(TokenKind::Space)
    }

    fn identifier(&mut self) -> Token {
        self.skip_alphanumeric();
        if !self.at_terminator() {
            return self.bad_character();
        }
        let kind = TokenKind::of_word(&self.text[self.start..self.position]);
        self.emit(kind)
    }

    fn field_or_variable(&mut self, kind: TokenKind, alone: TokenKind) -> Token {
        if self.at_terminator() {
            return self.emit(alone);
        }
        self.skip_alphanumeric();
        if !self.at_terminator() {
            return self.bad_character();
        }
        self.emit(kind)
    }

    fn skip_alphanumeric(&mut self) {
        while let Some(byte) = self.text.get(self.position) {
            if byte.is_ascii_alphanumeric() || *byte == b'_' {
                self.position += 1;
            } else if byte.is_ascii() || !self.peek().is_some_and(is_alphanumeric) {
                return;
            } else {
                self.next();
            }
        }
    }

    fn bad_character(&mut self) -> Token {
        let message = format!("bad character {}", describe(self.peek()));
        self.error(&message)
    }

    fn at_terminator(&self) -> bool {
        matches!(self.peek(), None | Some(' ' | '\t' | '\r' | '\n' | '.' | ',' | '|' | ':' | ')' | '('))
            || self.text[self.position..].starts_with(RIGHT)
    }

    fn quoted(&mut self, quote: u8, kind: TokenKind, unterminated: &str) -> Token {
        loop {
            let mut byte = self.next_byte();
            if byte == Some(b'\\') {
                byte = self.next_byte();
                if byte.is_some_and(|byte| byte != b'\n') {
                    continue;
                }
            }
            match byte {
                None | Some(b'\n') => return self.error(unterminated),
                Some(byte) if byte == quote => return self.emit(kind),
                Some(_) => {}
            }
        }
    }

    fn raw_string(&mut self) -> Token {
        match self.text[self.position..].iter().position(|byte| *byte == b'`') {
            None => self.error("unterminated raw quoted string"),
            Some(length) => {
                self.position += length + 1;
                self.emit(TokenKind::RawString)
            }
        }
    }

    fn number(&mut self) -> Token {
        let mut is_complete = self.scan_number();
        if is_complete && matches!(self.peek(), Some('+' | '-')) {
            // A sign begins the second half of a complex number, which no chart has.
            self.scan_number();
            is_complete = false;
        }
        if !is_complete {
            let text = crate::fmt::quote(&self.text[self.start..self.position]);
            return self.error(&format!("bad number syntax: {text}"));
        }
        self.emit(TokenKind::Number)
    }

    fn scan_number(&mut self) -> bool {
        self.accept(b"+-");
        let mut digits: &[u8] = b"0123456789_";
        if self.accept(b"0") {
            if self.accept(b"xX") {
                digits = b"0123456789abcdefABCDEF_";
            } else if self.accept(b"oO") {
                digits = b"01234567_";
            } else if self.accept(b"bB") {
                digits = b"01_";
            }
        }
        self.accept_run(digits);
        if self.accept(b".") {
            self.accept_run(digits);
        }
        let exponent: &[u8] = match digits.len() {
            11 => b"eE",
            23 => b"pP",
            _ => b"",
        };
        if self.accept(exponent) {
            self.accept(b"+-");
            self.accept_run(b"0123456789_");
        }
        self.accept(b"i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.next();
            return false;
        }
        true
    }

    fn accept(&mut self, valid: &[u8]) -> bool {
        let found = self.text.get(self.position).is_some_and(|byte| valid.contains(byte));
        self.position += usize::from(found);
        found
    }

    fn accept_run(&mut self, valid: &[u8]) {
        while self.accept(valid) {}
    }

    fn skip_space(&mut self) {
        self.position += self.text[self.position..].iter().take_while(|byte| is_space(**byte)).count();
    }

    fn peek(&self) -> Option<char> {
        crate::unicode::decode(&self.text[self.position..]).map(|(char, _)| char)
    }

    fn next(&mut self) -> Option<char> {
        let (char, length) = crate::unicode::decode(&self.text[self.position..])?;
        self.position += length;
        Some(char)
    }

    fn next_byte(&mut self) -> Option<u8> {
        let byte = *self.text.get(self.position)?;
        self.position += 1;
        Some(byte)
    }

    /// Goes to `position`, where the next token starts.
    fn skip_to(&mut self, position: usize) {
        self.position = position;
        self.start = position;
    }

    fn emit(&mut self, kind: TokenKind) -> Token {
        let span = Span::new(self.start, self.position);
        self.start = self.position;
        Token { kind, span }
    }

    /// Ends the text with an error.
    fn error(&mut self, problem: &str) -> Token {
        self.problem = Some(problem.to_owned());
        Token { kind: TokenKind::Error, span: Span::new(self.start, self.start) }
    }
}

/// How much of `text` a trim marker leaves.
fn trimmed_length(text: &[u8]) -> usize {
    text.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1)
}

fn find(text: &[u8], pattern: [u8; 2]) -> Option<usize> {
    let mut from = 0;
    loop {
        let first = from + text[from..].iter().position(|byte| *byte == pattern[0])?;
        if text.get(first + 1) == Some(&pattern[1]) {
            return Some(first);
        }
        from = first + 1;
    }
}

fn has_left_trim_marker(text: &[u8]) -> bool {
    matches!(text, [b'-', space, ..] if is_space(*space))
}

/// Whether a right delimiter stands here, and then whether it trims.
fn right_delimiter_at(text: &[u8]) -> Option<bool> {
    if matches!(text, [space, b'-', b'}', b'}', ..] if is_space(*space)) {
        return Some(true);
    }
    text.starts_with(RIGHT).then_some(false)
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_alphanumeric(char: char) -> bool {
    char == '_' || char.is_alphabetic() || crate::unicode::is_decimal_digit(char)
}

/// A character as `%#U` prints it.
fn describe(char: Option<char>) -> String {
    match char {
        None => "U+FFFFFFFFFFFFFFFF".to_owned(),
        Some(char) if crate::unicode::is_printable(char) => format!("U+{:04X} '{char}'", u32::from(char)),
        Some(char) => format!("U+{:04X}", u32::from(char)),
    }
}
