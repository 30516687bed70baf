//! Texts with several documents.

use crate::{MAX_BYTES, Node, ParseError, Position, parser, simple};

/// How much of a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All documents.
    All,
    /// The first document; what follows it may be anything.
    First,
}

/// One document of a text, not yet parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Document<'a> {
    /// Its text, without the separator above it.
    pub text: &'a str,
    /// The line of the whole text at which `text` begins, from 1.
    pub line: u32,
}

impl Document<'_> {
    /// Reads the document. Positions count in the text that it was split from.
    ///
    /// A text of comments alone has no node; a text that ends a document with `...` may have several.
    pub fn parse(&self) -> Result<Vec<Node>, ParseError> {
        read(self.text, self.line, Extent::All)
    }

    /// Reads the document, and nothing that follows a `...` in it; `None` if it has no node.
    ///
    /// # Follows kustomize
    /// It reads one document between two separators.
    pub fn parse_first(&self) -> Result<Option<Node>, ParseError> {
        Ok(read(self.text, self.line, Extent::First)?.into_iter().next())
    }
}

/// Reads all documents of `text`, in order. An empty document is a bare null.
///
/// Aliases and merge keys (`<<`) are expanded: a tree that was read contains neither. Anchors end with their document.
///
/// # Follows go-yaml v3
/// In a merge, keys of the mapping itself win, and earlier entries of a list win over later ones. A text that ends inside
/// a block scalar without a line break gives one without it.
/// # Differs from go-yaml v2
/// There a merge key overwrites what is written above it in the same mapping.
pub fn parse(text: &str) -> Result<Vec<Node>, ParseError> {
    Document { text, line: 1 }.parse()
}

/// Reads the first document of `text`, and nothing after it; `None` if there is none.
///
/// # Follows go-yaml
/// This is what its `Unmarshal` does: a mistake after the first document is not found.
pub fn parse_first(text: &str) -> Result<Option<Node>, ParseError> {
    Document { text, line: 1 }.parse_first()
}

/// Splits `text` at its `---` lines.
///
/// # Follows kustomize
/// A separator starts a line and is followed by nothing but blanks or a comment; anything else after `---` is an error,
/// except in the first line, which is left to the parser. Empty documents are part of the result.
pub fn documents(text: &str) -> Result<Vec<Document<'_>>, ParseError> {
    check_size(text)?;
    let mut documents = Vec::new();
    let (mut start, mut start_line) = (0, 1);
    let (mut offset, mut line) = (0, 1);
    for content in text.split_inclusive('\n') {
        if offset > 0 && content.starts_with("---") {
            check_separator(content.trim_end(), line)?;
            documents.push(Document { text: &text[start..offset], line: start_line });
            (start, start_line) = (offset + content.len(), line + 1);
        }
        offset += content.len();
        line += 1;
    }
    documents.push(Document { text: &text[start..], line: start_line });
    Ok(documents)
}

/// Reads documents of `text`, whose first line is line `first_line` of what the user wrote.
fn read(text: &str, first_line: u32, extent: Extent) -> Result<Vec<Node>, ParseError> {
    check_size(text)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match simple::read(text, first_line) {
        Some(documents) => Ok(documents),
        None => parser::read(text, first_line, extent),
    }
}

fn check_size(text: &str) -> Result<(), ParseError> {
    if text.len() <= MAX_BYTES {
        return Ok(());
    }
    Err(ParseError::new(
        Position { line: 1, column: 1 },
        format!("text has {} bytes, at most {MAX_BYTES} are read", text.len()),
    ))
}

fn check_separator(separator: &str, line: u32) -> Result<(), ParseError> {
    let rest = separator["---".len()..].trim_start();
    if rest.is_empty() || rest.starts_with('#') {
        return Ok(());
    }
    Err(ParseError::new(Position { line, column: 1 }, format!("invalid document separator: {separator}")))
}
