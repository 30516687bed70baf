//! The tree.

use std::num::NonZeroU32;

use compact_str::CompactString;

use crate::emit::string_style;
use crate::{Comments, Mapping, Position, Schema, Written};

/// One value of a YAML text, with all that is needed to write it again.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What was written.
    pub value: Value,
    /// How it was written.
    pub style: Style,
    /// The explicit tag in its short form, such as `!!str` or `!local`.
    pub tag: Option<Box<str>>,
    /// Where it was written; for what an alias stands for, where its anchor is; for a block scalar, where its text begins.
    pub position: Position,
    /// The comments around it; most nodes have none.
    pub comments: Option<Box<Comments>>,
    /// Nodes of one tree with the same number are one node to the tool that we follow; nothing here looks at it.
    pub shared: Option<NonZeroU32>,
    /// Whether a scalar was made without a type. What was read keeps the type that it had when another text is put in its
    /// place; here each text says what it is. It is for who puts texts; nothing here looks at it.
    pub untyped: bool,
    /// Who has changed it since it was read.
    pub written: Written,
}

/// The content of a [`Node`].
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// The text of a scalar, quotes, escapes and folding undone. [`Node::resolve`] says what it means.
    Scalar(CompactString),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and values in their written order.
    Mapping(Mapping),
}

/// How a [`Node`] is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A scalar without quotes; the only one whose text decides its type.
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
    /// A collection in brackets or braces.
    Flow,
    /// A collection laid out by indentation.
    Block,
}

impl Node {
    /// A scalar without quotes, whose text decides its type.
    pub fn plain(text: impl AsRef<str>) -> Self {
        Self::scalar(text, Style::Plain)
    }

    /// A scalar that is a string in every schema, quoted where it must be.
    pub fn string(text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        let style = string_style(text);
        Self::scalar(text, style)
    }

    /// A spelled `null`.
    pub fn null() -> Self {
        Self::plain("null")
    }

    /// A list in block style.
    pub fn sequence(items: Vec<Node>) -> Self {
        Self::new(Value::Sequence(items), Style::Block)
    }

    /// A mapping in block style.
    pub fn mapping(mapping: Mapping) -> Self {
        Self::new(Value::Mapping(mapping), Style::Block)
    }

    fn scalar(text: impl AsRef<str>, style: Style) -> Self {
        Self::new(Value::Scalar(CompactString::new(text)), style)
    }

    pub(crate) fn new(value: Value, style: Style) -> Self {
        Self {
            value,
            style,
            tag: None,
            position: Position::default(),
            comments: None,
            shared: None,
            untyped: false,
            written: Written::default(),
        }
    }

    /// What becomes of it when `by` puts `new` in its place. Where it was read is kept, and a scalar that stays as it was
    /// has not been written.
    #[must_use]
    pub fn replaced_by(&self, new: Node, by: &Written) -> Self {
        let stays = self.as_str().is_some_and(|text| new.as_str() == Some(text));
        let written = if stays { self.written.clone() } else { by.over(&self.written) };
        Self { position: self.position, written, ..new }
    }

    /// Puts `new` in its place, written by the last writer of `by`.
    pub fn overwrite(&mut self, new: Node, by: &Written) {
        *self = self.replaced_by(new, by);
    }

    /// Text of a scalar, whatever its type; `None` for a collection.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            Value::Sequence(_) | Value::Mapping(_) => None,
        }
    }

    /// The items of a list.
    pub fn as_sequence(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            Value::Scalar(_) | Value::Mapping(_) => None,
        }
    }

    /// The items of a list, to change them.
    pub fn as_sequence_mut(&mut self) -> Option<&mut Vec<Node>> {
        match &mut self.value {
            Value::Sequence(items) => Some(items),
            Value::Scalar(_) | Value::Mapping(_) => None,
        }
    }

    /// The keys and values of a mapping.
    pub fn as_mapping(&self) -> Option<&Mapping> {
        match &self.value {
            Value::Mapping(mapping) => Some(mapping),
            Value::Scalar(_) | Value::Sequence(_) => None,
        }
    }

    /// The keys and values of a mapping, to change them.
    pub fn as_mapping_mut(&mut self) -> Option<&mut Mapping> {
        match &mut self.value {
            Value::Mapping(mapping) => Some(mapping),
            Value::Scalar(_) | Value::Sequence(_) => None,
        }
    }

    /// The value of `key`, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_mapping()?.get(key)
    }

    /// The value of `key`, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.as_mapping_mut()?.get_mut(key)
    }

    /// Whether nothing at all was written, as after `key:`.
    ///
    /// Such a node is null, but kustomize drops it where it keeps a spelled `null`, and reads it as an empty string
    /// inside a flow collection.
    pub fn is_bare(&self) -> bool {
        self.style == Style::Plain && self.tag.is_none() && self.as_str() == Some("")
    }

    /// Whether this is a null, spelled or bare. It is one in both schemas or in none.
    pub fn is_null(&self) -> bool {
        matches!(self.resolve(Schema::Kyaml), Ok(crate::Scalar::Null))
    }
}
