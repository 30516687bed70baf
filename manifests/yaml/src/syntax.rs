//! What the parser objects to, in go-yaml's words.

use granit_parser::{ErrorKind, ScanError};

use crate::MAX_DEPTH;

/// Says what is wrong in the words that `kubectl` and `kustomize` use for it, which is what people search for.
pub(crate) fn message(error: &ScanError) -> String {
    let known = match error.kind() {
        ErrorKind::UnexpectedCharacter { character } if character.is_control() => "control characters are not allowed",
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

/// Cuts off "while parsing a block mapping, ", which go-yaml does not print either.
fn without_context(message: String) -> String {
    match message.split_once(", ") {
        Some((context, problem)) if context.starts_with("while ") => problem.to_owned(),
        _ => message,
    }
}
