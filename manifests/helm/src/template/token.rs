//! The tokens of templates.

use super::ast::Span;

/// A token: what it is, and where it stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TokenKind {
    #[default]
    Error,
    EndOfText,
    Text,
    LeftDelimiter,
    RightDelimiter,
    Space,
    Assign,
    Declare,
    Pipe,
    LeftParen,
    RightParen,
    Char,
    Bool,
    Number,
    CharConstant,
    String,
    RawString,
    Identifier,
    Field,
    Variable,
    Dot,
    Nil,
    Block,
    Break,
    Continue,
    Define,
    Else,
    End,
    If,
    RangeKeyword,
    Template,
    With,
}

impl TokenKind {
    /// Whether it is a word of the language.
    pub(super) fn is_keyword(self) -> bool {
        match self {
            Self::Dot
            | Self::Nil
            | Self::Block
            | Self::Break
            | Self::Continue
            | Self::Define
            | Self::Else
            | Self::End
            | Self::If
            | Self::RangeKeyword
            | Self::Template
            | Self::With => true,
            Self::Error
            | Self::EndOfText
            | Self::Text
            | Self::LeftDelimiter
            | Self::RightDelimiter
            | Self::Space
            | Self::Assign
            | Self::Declare
            | Self::Pipe
            | Self::LeftParen
            | Self::RightParen
            | Self::Char
            | Self::Bool
            | Self::Number
            | Self::CharConstant
            | Self::String
            | Self::RawString
            | Self::Identifier
            | Self::Field
            | Self::Variable => false,
        }
    }

    /// What a word is.
    pub(super) fn of_word(word: &[u8]) -> Self {
        match word {
            b"block" => Self::Block,
            b"break" => Self::Break,
            b"continue" => Self::Continue,
            b"define" => Self::Define,
            b"else" => Self::Else,
            b"end" => Self::End,
            b"if" => Self::If,
            b"range" => Self::RangeKeyword,
            b"nil" => Self::Nil,
            b"template" => Self::Template,
            b"with" => Self::With,
            b"true" | b"false" => Self::Bool,
            _ => Self::Identifier,
        }
    }
}
