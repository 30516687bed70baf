//! What the parser objects to, in go-yaml's words.

use granit_parser::{ErrorKind, ScanError};

use crate::{MAX_DEPTH, ParseError, Position};

/// Says what is wrong in the words that `kubectl` and `kustomize` use for it, which is what people search for.
pub(crate) fn message(error: &ScanError) -> String {
    let known = match error.kind() {
        ErrorKind::UnexpectedCharacter { .. } => "found character that cannot start any token",
        ErrorKind::TabNotAllowed | ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation => {
            "found character that cannot start any token: a tab, indent with spaces"
        }
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => "could not find expected ':'",
        ErrorKind::UnclosedQuotedScalar => "found unexpected end of stream",
        ErrorKind::UnclosedFlowCollection { open: '[' } | ErrorKind::ExpectedFlowSequenceSeparator => {
            "did not find expected ',' or ']'"
        }
        ErrorKind::InvalidColonPlacement => "did not find expected ',' before ':'",
        ErrorKind::UnclosedFlowCollection { .. } => "did not find expected ',' or '}'",
        ErrorKind::InvalidTrailingSingleQuotedScalar
        | ErrorKind::InvalidTrailingDoubleQuotedScalar
        | ErrorKind::InvalidIndentation => "did not find expected key",
        ErrorKind::UndeclaredTagHandle => "found undefined tag handle",
        ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::UnexpectedEofBlockSequence
        | ErrorKind::UnexpectedEofBlockMapping
        | ErrorKind::UnexpectedEof
        | ErrorKind::MisplacedFlowCollectionEnd
        | ErrorKind::MismatchedFlowCollectionEnd { .. } => "did not find expected node content",
        ErrorKind::RecursionLimitExceeded => return too_deep(),
        _ => return without_context(error.info()),
    };
    known.to_owned()
}

/// What is said of a text that is nested too deep.
pub(crate) fn too_deep() -> String {
    format!("exceeded max depth of {MAX_DEPTH}")
}

/// Refuses characters that YAML allows only as escapes.
pub(crate) fn check_characters(text: &str, first_line: u32) -> Result<(), ParseError> {
    if !text.bytes().any(may_be_control) {
        return Ok(());
    }
    let Some(at) = text.find(is_control) else { return Ok(()) };
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    let position = Position {
        line: first_line.saturating_add(count(before.matches('\n'))),
        column: count(before[line_start..].chars()).saturating_add(1),
    };
    Err(ParseError::new(position, "control characters are not allowed"))
}

/// Whether a control character has this byte; the second byte of those above ASCII is looked at later.
fn may_be_control(byte: u8) -> bool {
    const FIRST_OF_TWO: u8 = 0xc2;
    matches!(byte, 0..=0x08 | 0x0b | 0x0c | 0x0e..=0x1f | 0x7f | FIRST_OF_TWO)
}

fn is_control(char: char) -> bool {
    char.is_control() && !matches!(char, '\t' | '\n' | '\r' | '\u{85}')
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

/// Cuts off "while parsing a block mapping, ", which go-yaml does not print either.
fn without_context(message: String) -> String {
    match message.split_once(", ") {
        Some((context, problem)) if context.starts_with("while ") => problem.to_owned(),
        _ => message,
    }
}
