//! Reads any YAML, by the events of `granit-parser`.

use std::borrow::Cow;

use compact_str::CompactString;
use granit_parser::{Event, Parser, Placement as Side, ScalarStyle, ScanError, Span, StructureStyle, Tag};

use crate::characters::{self, Prepared};
use crate::compose::{Composer, Placement};
use crate::directives;
use crate::document::Extent;
use crate::reindent::Reindent;
use crate::syntax;
use crate::{MAX_DEPTH, Mapping, Node, ParseError, Position, Style, Value};

/// Reads documents of `text`, whose first line is line `first_line` of what the user wrote.
pub(crate) fn read(text: &str, first_line: u32, extent: Extent) -> Result<Vec<Node>, ParseError> {
    let Prepared { mut text, has_stand_ins } = Prepared::new(text);
    directives::check(&text, first_line)?;
    let mut reindent = Reindent::new();
    loop {
        let mut reader = Reader { has_stand_ins, ..Reader::new(&text, first_line) };
        let error = match reader.read(extent) {
            Ok(()) => return Ok(reader.composer.into_documents()),
            Err(Failure::Refused(error)) => return Err(error),
            Err(Failure::Syntax(error)) => error,
        };
        match reindent.repair(&text, &error) {
            Some(repaired) => text = Cow::Owned(repaired),
            None => return Err(reader.syntax_error(&error)),
        }
    }
}

/// Why reading stopped.
enum Failure {
    /// The parser does not accept the text.
    Syntax(ScanError),
    /// The text is well formed, and we do not read it.
    Refused(ParseError),
}

struct Reader<'a> {
    text: &'a str,
    first_line: u32,
    composer: Composer,
    /// The line on which the last node ended, counted in `text`.
    last_line: usize,
    /// Whether the last line has content and no line break; a block scalar that ends there does not end with one either,
    /// as go-yaml reads it, while the parser adds one.
    is_unterminated: bool,
    /// Whether something else stands for byte order marks.
    has_stand_ins: bool,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, first_line: u32) -> Self {
        Self {
            text,
            first_line,
            composer: Composer::default(),
            last_line: 0,
            is_unterminated: text.lines().next_back().is_some_and(|last| !last.trim().is_empty())
                && !text.ends_with('\n'),
            has_stand_ins: false,
        }
    }

    fn read(&mut self, extent: Extent) -> Result<(), Failure> {
        let options = granit_parser::options! {
            emit_unresolved_aliases: true,
            max_buffered_comment_events: usize::MAX,
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
        };
        let mut parser = Parser::new_from_str_with_options(self.text, options);
        while let Some(next) = parser.next_event() {
            let (event, span) = next.map_err(Failure::Syntax)?;
            let is_enough = extent == Extent::First && matches!(event, Event::DocumentEnd);
            self.take(event, &span).map_err(Failure::Refused)?;
            if is_enough {
                break;
            }
        }
        Ok(())
    }

    fn take(&mut self, event: Event<'a>, span: &Span) -> Result<(), ParseError> {
        if let Event::Comment(text, placement) = event {
            self.comment(format!("#{text}"), placement, span);
            return Ok(());
        }
        self.note_end(&event, span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let style = scalar_style(style);
                self.check_scalar(&text, style, span, tag.as_deref())?;
                let text = self.scalar_text(text, style, span);
                self.composer.scalar(self.node(Value::Scalar(text), style, span, tag.as_deref()), anchor)
            }
            Event::SequenceStart(style, anchor, tag) => {
                let empty = Value::Sequence(Vec::new());
                self.composer.start(self.node(empty, collection_style(style), span, tag.as_deref()), anchor)
            }
            Event::MappingStart(style, anchor, tag) => {
                let empty = Value::Mapping(Mapping::new());
                self.composer.start(self.node(empty, collection_style(style), span, tag.as_deref()), anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => self.composer.end(),
            Event::Alias(anchor) => {
                let name = span.slice(self.text).unwrap_or_default().trim_start_matches('*');
                self.composer.alias(anchor, name, self.position(span))
            }
            Event::UnresolvedAlias(name) => {
                Err(ParseError::new(self.position(span), format!("unknown anchor '{name}' referenced")))
            }
            Event::DocumentEnd => {
                self.composer.end_document();
                Ok(())
            }
            // Stream and document starts carry nothing for the tree.
            _ => Ok(()),
        }
    }

    fn note_end(&mut self, event: &Event<'_>, span: &Span) {
        // A block collection has no end of its own: its span is empty and stands where the next node begins.
        if span.is_empty() {
            return;
        }
        // A block scalar ends at the start of the line after it.
        let is_block = matches!(event, Event::Scalar(_, ScalarStyle::Literal | ScalarStyle::Folded, ..));
        self.last_line = span.end.line() - usize::from(is_block);
    }

    fn comment(&mut self, text: String, side: Side, span: &Span) {
        // The header of a block scalar, with its comment, is above where the scalar ended.
        let is_beside = side == Side::Right && span.start.line() <= self.last_line;
        let placement = if is_beside { Placement::Beside } else { Placement::Alone };
        self.composer.comment(text, placement, self.position(span));
    }

    /// Refuses what go-yaml refuses: a tab where a block scalar would begin, and a bracket right behind a tag.
    fn check_scalar(&self, text: &str, style: Style, span: &Span, tag: Option<&Tag>) -> Result<(), ParseError> {
        let Some((before, after)) = span.start.byte_offset().and_then(|offset| self.text.split_at_checked(offset))
        else {
            return Ok(());
        };
        let is_block = matches!(style, Style::Literal | Style::Folded);
        let problem = if is_block && text.trim_start_matches('\n').starts_with('\t') && !has_indentation(before) {
            "found a tab character where an indentation space is expected"
        } else if tag.is_some() && after.starts_with([',', ']', '}']) && !before.ends_with(char::is_whitespace) {
            "did not find expected whitespace or line break"
        } else {
            return Ok(());
        };
        Err(ParseError::new(self.position(span), problem))
    }

    fn node(&self, value: Value, style: Style, span: &Span, tag: Option<&Tag>) -> Node {
        Node { tag: tag.map(short_tag), position: self.position(span), ..Node::new(value, style) }
    }

    fn scalar_text(&self, text: Cow<'a, str>, style: Style, span: &Span) -> CompactString {
        if self.is_bare(&text, style, span) {
            return CompactString::default();
        }
        let mut text = if self.has_stand_ins { characters::restored(&text) } else { CompactString::from(text) };
        let is_block = matches!(style, Style::Literal | Style::Folded);
        if is_block && self.is_unterminated && span.end.byte_offset() == Some(self.text.len()) && text.ends_with('\n') {
            text.pop();
        }
        text
    }

    /// Whether nothing was written: the parser reports `~` for that.
    fn is_bare(&self, text: &str, style: Style, span: &Span) -> bool {
        style == Style::Plain && text == "~" && span.slice(self.text) != Some("~")
    }

    fn syntax_error(&self, error: &ScanError) -> ParseError {
        let marker = error.marker();
        ParseError::new(self.position_of(marker.line(), marker.col()), syntax::message(error))
    }

    fn position(&self, span: &Span) -> Position {
        self.position_of(span.start.line(), span.start.col())
    }

    fn position_of(&self, line: usize, column: usize) -> Position {
        Position { line: to_u32(line).saturating_add(self.first_line - 1), column: to_u32(column).saturating_add(1) }
    }
}

/// Whether the header of a block scalar at the end of `text` says how far it is indented.
fn has_indentation(text: &str) -> bool {
    let header = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let header = header.split(" #").next().unwrap_or_default().trim_end();
    header.chars().rev().take_while(|letter| !matches!(letter, '|' | '>')).any(|letter| letter.is_ascii_digit())
}

fn scalar_style(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::SingleQuoted,
        ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
        ScalarStyle::Literal => Style::Literal,
        ScalarStyle::Folded => Style::Folded,
    }
}

fn collection_style(style: StructureStyle) -> Style {
    match style {
        StructureStyle::Flow => Style::Flow,
        StructureStyle::Block => Style::Block,
    }
}

/// Writes a resolved tag the short way: `!!int` for `tag:yaml.org,2002:int`.
fn short_tag(tag: &Tag) -> Box<str> {
    let (handle, suffix) = tag.parts();
    let full = format!("{handle}{suffix}");
    match full.strip_prefix("tag:yaml.org,2002:") {
        Some(core) => format!("!!{core}").into(),
        None => full.into(),
    }
}

fn to_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
