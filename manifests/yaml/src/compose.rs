//! Builds trees from the parser's events.
//!
//! The composer keeps its own stack of open collections, so that nesting costs heap and not stack. An alias is replaced
//! by a copy of what it names as soon as it is read.

use std::borrow::Cow;

use granit_parser::{Event, Parser, Placement, ScalarStyle, ScanError, Span, StructureStyle, Tag};

use crate::anchors::{AliasError, Anchors};
use crate::document::check_size;
use crate::merge::{expand_merges, is_merge_key};
use crate::pending::{Pending, comments_of};
use crate::reindent::Reindent;
use crate::syntax;
use crate::{MAX_DEPTH, Mapping, Node, ParseError, Position, Style, Value};

/// How much of a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All documents.
    All,
    /// The first document; what follows it may be anything.
    First,
}

/// Reads documents of `text`, whose first line is line `first_line` of what the user wrote.
pub(crate) fn compose(text: &str, first_line: u32, extent: Extent) -> Result<Vec<Node>, ParseError> {
    check_size(text)?;
    let mut text = Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut reindent = Reindent::new();
    loop {
        let mut composer = Composer::new(&text, first_line);
        let error = match composer.read(extent) {
            Ok(()) => return Ok(composer.documents),
            Err(Failure::Refused(error)) => return Err(error),
            Err(Failure::Syntax(error)) => error,
        };
        match reindent.repair(&text, &error) {
            Some(repaired) => text = Cow::Owned(repaired),
            None => return Err(composer.syntax_error(&error)),
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

struct Composer<'a> {
    text: &'a str,
    first_line: u32,
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: Anchors,
    comments: Pending,
    /// The line on which the last node ended, counted in `text`.
    last_line: usize,
    /// Whether the last line has content and no line break; a block scalar that ends there does not end with one either,
    /// as go-yaml reads it, while the parser adds one.
    is_unterminated: bool,
}

/// A collection whose end has not been read.
struct Open {
    /// The collection without its children.
    node: Node,
    anchor: usize,
    children: Children,
}

enum Children {
    Items(Vec<Node>),
    Entries { done: Vec<(Node, Node)>, key: Option<Node>, merges: bool },
}

impl<'a> Composer<'a> {
    fn new(text: &'a str, first_line: u32) -> Self {
        Self {
            text,
            first_line,
            documents: Vec::new(),
            open: Vec::new(),
            anchors: Anchors::default(),
            comments: Pending::default(),
            last_line: 0,
            is_unterminated: text.lines().next_back().is_some_and(|last| !last.trim().is_empty())
                && !text.ends_with('\n'),
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
                let text = self.scalar_text(text, style, span);
                self.complete(self.node(Value::Scalar(text), style, span, tag.as_deref()), anchor)
            }
            Event::SequenceStart(style, anchor, tag) => {
                let empty = Value::Sequence(Vec::new());
                self.start(self.node(empty, collection_style(style), span, tag.as_deref()), anchor)
            }
            Event::MappingStart(style, anchor, tag) => {
                let empty = Value::Mapping(Mapping::new());
                self.start(self.node(empty, collection_style(style), span, tag.as_deref()), anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.expand(anchor, span),
            Event::UnresolvedAlias(name) => {
                Err(ParseError::new(self.position(span), format!("unknown anchor '{name}' referenced")))
            }
            Event::DocumentEnd => {
                self.end_document();
                Ok(())
            }
            // Stream and document starts carry nothing for the tree.
            _ => Ok(()),
        }
    }

    /// Opens a collection; the comments above a block collection that is a value go to its first child.
    fn start(&mut self, mut node: Node, anchor: usize) -> Result<(), ParseError> {
        self.check_depth(1, node.position)?;
        if !matches!(self.open.last(), None | Some(Open { children: Children::Entries { key: Some(_), .. }, .. })) {
            self.comments.put_above(&mut node);
        }
        let children = match node.value {
            Value::Mapping(_) => Children::Entries { done: Vec::new(), key: None, merges: false },
            Value::Sequence(_) | Value::Scalar(_) => Children::Items(Vec::new()),
        };
        self.open.push(Open { node, anchor, children });
        Ok(())
    }

    fn end(&mut self) -> Result<(), ParseError> {
        let Some(mut open) = self.open.pop() else { return Ok(()) };
        if let Some(parent) = self.open.last()
            && open.node.style == Style::Block
            && let Some(last) = open.last_child()
        {
            self.comments.put_below(last, parent.node.position.column + 1);
        }
        open.node.value = match open.children {
            Children::Items(items) => Value::Sequence(items),
            Children::Entries { done, merges: true, .. } => Value::Mapping(expand_merges(done)?),
            Children::Entries { done, .. } => Value::Mapping(done.into_iter().collect()),
        };
        self.place(open.node, open.anchor)
    }

    /// Puts a copy of the anchored node where its alias stands.
    fn expand(&mut self, anchor: usize, span: &Span) -> Result<(), ParseError> {
        let position = self.position(span);
        let name = span.slice(self.text).unwrap_or_default().trim_start_matches('*');
        let refused = |error: AliasError| ParseError::new(position, error.to_string());
        let (node, height) = self.anchors.copy(anchor, name).map_err(refused)?;
        self.check_depth(height, position)?;
        self.place(node, NO_ANCHOR)
    }

    /// Gives a scalar the comments above it, unless they stand between a key and its value.
    fn complete(&mut self, mut node: Node, anchor: usize) -> Result<(), ParseError> {
        match self.open.last_mut() {
            Some(Open { children: Children::Entries { key: Some(key), .. }, .. }) => self.comments.put_above(key),
            Some(_) | None => self.comments.put_above(&mut node),
        }
        self.place(node, anchor)
    }

    fn place(&mut self, node: Node, anchor: usize) -> Result<(), ParseError> {
        if anchor != NO_ANCHOR {
            let refused = |error: AliasError| ParseError::new(node.position, error.to_string());
            self.anchors.keep(anchor, &node).map_err(refused)?;
        }
        match self.open.last_mut() {
            Some(parent) => parent.add(node),
            None => self.documents.push(node),
        }
        Ok(())
    }

    fn end_document(&mut self) {
        if let Some(root) = self.documents.last_mut() {
            self.comments.put_below(root, 1);
        }
        self.anchors.end_document();
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

    /// Gives a comment to what it stands beside, or keeps it for what comes next.
    fn comment(&mut self, text: String, placement: Placement, span: &Span) {
        // The header of a block scalar, with its comment, is above where the scalar ended.
        let is_beside = placement == Placement::Right && span.start.line() <= self.last_line;
        match self.open.last_mut().and_then(Open::last_touched) {
            Some(node) if is_beside => comments_of(node).beside = Some(text),
            Some(_) | None => self.comments.push(text, self.position(span)),
        }
    }

    fn node(&self, value: Value, style: Style, span: &Span, tag: Option<&Tag>) -> Node {
        Node { tag: tag.map(short_tag), position: self.position(span), ..Node::new(value, style) }
    }

    fn scalar_text(&self, text: Cow<'a, str>, style: Style, span: &Span) -> String {
        if self.is_bare(&text, style, span) {
            return String::new();
        }
        let mut text = text.into_owned();
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

    fn check_depth(&self, height: usize, position: Position) -> Result<(), ParseError> {
        if self.open.len() + height <= MAX_DEPTH {
            return Ok(());
        }
        Err(ParseError::new(position, syntax::too_deep()))
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

impl Open {
    fn add(&mut self, node: Node) {
        match &mut self.children {
            Children::Items(items) => items.push(node),
            Children::Entries { done, key, merges } => match key.take() {
                Some(key) => {
                    *merges |= is_merge_key(&key);
                    done.push((key, node));
                }
                None => *key = Some(node),
            },
        }
    }

    /// What a comment at the end of the current line belongs to: a key without its value yet, or the last child.
    fn last_touched(&mut self) -> Option<&mut Node> {
        match &mut self.children {
            Children::Items(items) => items.last_mut(),
            Children::Entries { key: Some(key), .. } => Some(key),
            Children::Entries { done, .. } => done.last_mut().map(|(_, value)| value),
        }
    }

    /// The last item, or the last key.
    fn last_child(&mut self) -> Option<&mut Node> {
        match &mut self.children {
            Children::Items(items) => items.last_mut(),
            Children::Entries { done, .. } => done.last_mut().map(|(key, _)| key),
        }
    }
}

/// What the parser reports for a node without an anchor.
const NO_ANCHOR: usize = 0;

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
