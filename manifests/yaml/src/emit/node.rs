//! Trees in the styles in which they were written.

use std::borrow::Cow;

use super::analysis::Analysis;
use super::layout::{Around, Lead, MAX_SIMPLE_KEY, STEP};
use super::output::Output;
use super::scalar::{Place, write_scalar};
use crate::{Comments, Mapping, Node, Style, Value};

/// Writes `node` as one YAML document, in its own styles and with its comments.
///
/// # Follows kyaml
/// Collections are indented by two, lists stand at the indentation of their key, lines are not folded. A style that
/// cannot hold its text gives way to one that can; a bare value in a flow collection becomes `''`. A flow collection is one line, or a block if it has comments inside.
pub fn emit(node: &Node) -> String {
    let mut writer = Writer { out: Output::new(), block_site: Site::Block };
    writer.lines(above(node), 0);
    writer.out.end_line();
    if node.is_bare() {
        writer.out.push_str("null");
    }
    writer.node(node, Around::DOCUMENT, beside(node));
    writer.lines(below(node), 0);
    writer.out.end_line();
    writer.out.into_text()
}

struct Writer {
    out: Output,
    /// Where the values of the block collection are that is being written.
    block_site: Site,
}

/// Where a scalar is written, which limits its styles.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Site {
    /// A value or item of a block collection, or a document.
    Block,
    /// One of a collection that was in brackets or braces, and is no more because of a comment inside: nothing at all
    /// meant an empty text there.
    FormerFlow,
    /// A key that ends on its line.
    SimpleKey,
    /// Inside brackets or braces.
    Flow,
}

impl Writer {
    /// Writes `node` and the `comment` that stands on its first line.
    fn node(&mut self, node: &Node, around: Around, comment: Option<&str>) {
        match &node.value {
            Value::Scalar(text) => self.value(node, text, around, comment),
            Value::Sequence(_) | Value::Mapping(_) if is_one_line(node) => {
                around.space(&mut self.out);
                self.flow(node);
                self.end_with(comment);
            }
            Value::Sequence(_) | Value::Mapping(_) => self.block(node, around, comment),
        }
    }

    fn block(&mut self, node: &Node, around: Around, comment: Option<&str>) {
        let around = self.open_block(node, around, comment);
        let site = self.block_site;
        if node.style == Style::Flow {
            self.block_site = Site::FormerFlow;
        }
        match &node.value {
            Value::Scalar(_) => {}
            Value::Sequence(items) => self.sequence(items, around),
            Value::Mapping(mapping) => self.mapping(mapping, around),
        }
        self.block_site = site;
    }

    fn value(&mut self, node: &Node, text: &str, around: Around, comment: Option<&str>) {
        if !node.is_bare() || self.block_site == Site::FormerFlow {
            around.space(&mut self.out);
        }
        let place = Place { comment, ..Place::at(around.indent + STEP) };
        let style = self.scalar(node, text, self.block_site, place);
        if !matches!(style, Style::Literal | Style::Folded) {
            self.end_with(comment);
        }
    }

    /// Writes a tag and a text, and returns the style that it has got.
    fn scalar(&mut self, node: &Node, text: &str, site: Site, place: Place<'_>) -> Style {
        let style = style_at(site, node, text);
        if let Some(tag) = &node.tag {
            self.out.push_str(&written_tag(tag));
            if !text.is_empty() || style != Style::Plain {
                self.out.push(' ');
            }
        }
        write_scalar(&mut self.out, text, style, place);
        style
    }

    /// Writes what stands between the lead of a block collection and its children.
    fn open_block(&mut self, node: &Node, around: Around, comment: Option<&str>) -> Around {
        self.end_with(node.tag.as_deref().map(written_tag).as_deref());
        self.end_with(comment);
        if around.lead == Lead::Indicator && (node.tag.is_some() || comment.is_some()) {
            return Around { indent: around.indent + STEP, lead: Lead::Nothing };
        }
        around
    }

    fn sequence(&mut self, items: &[Node], around: Around) {
        let indent = around.sequence_indent();
        for (index, item) in items.iter().enumerate() {
            if !is_hoisted(index, around) {
                self.lines(&above_item(item), indent);
            }
            around.start_entry(&mut self.out, index, indent);
            self.out.push('-');
            self.node(item, Around { indent, lead: Lead::Indicator }, beside(item));
            self.lines(below(item), indent);
        }
    }

    fn mapping(&mut self, mapping: &Mapping, around: Around) {
        let indent = around.mapping_indent();
        for (index, (key, value)) in mapping.iter().enumerate() {
            if !is_hoisted(index, around) {
                self.lines(above(key), indent);
            }
            around.start_entry(&mut self.out, index, indent);
            let lead = self.key(key, indent);
            self.node(value, Around { indent, lead }, beside(value).or(beside(key)));
            self.lines(below(key), indent);
            self.lines(below(value), indent);
        }
    }

    /// Writes a key and its `:`.
    fn key(&mut self, key: &Node, indent: usize) -> Lead {
        if let Value::Scalar(text) = &key.value
            && is_simple_key(text)
        {
            self.scalar(key, text, Site::SimpleKey, Place::at(indent + STEP));
            self.out.push(':');
            return Lead::Key;
        }
        self.out.push('?');
        self.node(key, Around { indent, lead: Lead::Indicator }, None);
        self.out.start_line(indent);
        self.out.push(':');
        Lead::Indicator
    }

    fn flow(&mut self, node: &Node) {
        if !matches!(node.value, Value::Scalar(_))
            && let Some(tag) = &node.tag
        {
            self.out.push_str(&written_tag(tag));
            self.out.push(' ');
        }
        match &node.value {
            Value::Scalar(text) => {
                self.scalar(node, text, Site::Flow, Place::at(0));
            }
            Value::Sequence(items) => {
                self.out.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.comma(index);
                    self.flow(item);
                }
                self.out.push(']');
            }
            Value::Mapping(mapping) => {
                self.out.push('{');
                for (index, (key, value)) in mapping.iter().enumerate() {
                    self.comma(index);
                    self.flow_entry(key, value);
                }
                self.out.push('}');
            }
        }
    }

    fn flow_entry(&mut self, key: &Node, value: &Node) {
        if key.as_str().is_some_and(is_simple_key) {
            self.flow(key);
            self.out.push_str(": ");
        } else {
            self.out.push_str("? ");
            self.flow(key);
            self.out.push_str(" : ");
        }
        self.flow(value);
    }

    fn comma(&mut self, index: usize) {
        if index > 0 {
            self.out.push_str(", ");
        }
    }

    /// Writes a tag or comment behind what is on the line.
    fn end_with(&mut self, text: Option<&str>) {
        let Some(text) = text else { return };
        if !self.out.is_at_line_start() {
            self.out.push(' ');
        }
        self.out.push_str(text);
    }

    fn lines<T: AsRef<str>>(&mut self, lines: &[T], indent: usize) {
        for line in lines {
            match line.as_ref() {
                "" => {
                    self.out.end_line();
                    self.out.push_line_break();
                }
                line => {
                    self.out.start_line(indent);
                    self.out.push_str(line);
                }
            }
        }
    }
}

/// The style in which a scalar is written: its own, where it can be read back.
fn style_at(site: Site, node: &Node, text: &str) -> Style {
    if node.is_bare() && site == Site::Block {
        return Style::Plain;
    }
    let can = Analysis::of(text);
    let is_in_block = matches!(site, Site::Block | Site::FormerFlow);
    let plain = match site {
        Site::Block => can.plain_in_block,
        Site::FormerFlow => can.plain_in_block && !text.is_empty(),
        Site::SimpleKey => can.plain_in_block && !matches!(text, "" | "<<"),
        Site::Flow => can.plain_in_flow,
    };
    let block = is_in_block && can.block_scalar;
    let single_quoted = can.single_quoted && (is_in_block || !can.multiline);
    match node.style {
        Style::Plain | Style::Flow | Style::Block if plain => Style::Plain,
        Style::Plain | Style::Flow | Style::Block if can.multiline && block => Style::Literal,
        Style::Plain | Style::Flow | Style::Block | Style::SingleQuoted if single_quoted => Style::SingleQuoted,
        Style::Literal if block => Style::Literal,
        Style::Folded if block => Style::Folded,
        Style::Plain
        | Style::SingleQuoted
        | Style::DoubleQuoted
        | Style::Literal
        | Style::Folded
        | Style::Flow
        | Style::Block => Style::DoubleQuoted,
    }
}

fn is_simple_key(text: &str) -> bool {
    text.len() <= MAX_SIMPLE_KEY && !Analysis::of(text).multiline
}

/// Whether the comments above this child stand above the `-` of the item that it begins.
fn is_hoisted(index: usize, around: Around) -> bool {
    index == 0 && around.lead == Lead::Indicator
}

/// Whether a collection is written in brackets or braces.
fn is_one_line(node: &Node) -> bool {
    let is_empty = match &node.value {
        Value::Scalar(_) => false,
        Value::Sequence(items) => items.is_empty(),
        Value::Mapping(mapping) => mapping.is_empty(),
    };
    is_empty || (node.style == Style::Flow && !has_comments_inside(node))
}

fn has_comments_inside(node: &Node) -> bool {
    let is_commented = |node: &Node| node.comments.is_some() || has_comments_inside(node);
    match &node.value {
        Value::Scalar(_) => false,
        Value::Sequence(items) => items.iter().any(is_commented),
        Value::Mapping(mapping) => mapping.iter().any(|(key, value)| is_commented(key) || is_commented(value)),
    }
}

/// The comments above an item, and above what begins on the line of its `-`.
fn above_item(item: &Node) -> Vec<&str> {
    let mut lines: Vec<&str> = above(item).iter().map(String::as_str).collect();
    if is_one_line(item) || item.tag.is_some() || beside(item).is_some() {
        return lines;
    }
    let first = match &item.value {
        Value::Scalar(_) => None,
        Value::Sequence(items) => items.first(),
        Value::Mapping(mapping) => mapping.iter().next().map(|(key, _)| key),
    };
    lines.extend(first.map(above_item).unwrap_or_default());
    lines
}

fn above(node: &Node) -> &[String] {
    comments(node).map_or(&[], |comments| &comments.above)
}

fn beside(node: &Node) -> Option<&str> {
    comments(node)?.beside.as_deref()
}

fn below(node: &Node) -> &[String] {
    comments(node).map_or(&[], |comments| &comments.below)
}

fn comments(node: &Node) -> Option<&Comments> {
    node.comments.as_deref()
}

/// `tag` as it can be read again: letters that end a tag are written by their number.
fn written_tag(tag: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~:/!#;?@&=+$*'()".contains(&byte);
    if tag.starts_with('!') && tag.bytes().all(is_plain) {
        return Cow::Borrowed(tag);
    }
    let mut written = String::with_capacity(tag.len() + 8);
    for byte in tag.bytes() {
        if is_plain(byte) {
            written.push(char::from(byte));
        } else {
            written.push_str(&format_hex(byte));
        }
    }
    Cow::Owned(if tag.starts_with('!') { written } else { format!("!<{written}>") })
}

fn format_hex(byte: u8) -> String {
    format!("%{byte:02X}")
}
