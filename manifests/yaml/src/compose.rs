//! Builds trees from what a reader finds in a text.
//!
//! The composer keeps its own stack of open collections, so that nesting costs heap and not stack. An alias is replaced
//! by a copy of what it names as soon as it is read.

use crate::anchors::{AliasError, Anchors};
use crate::merge::{expand_merges, is_merge_key};
use crate::pending::{Pending, comments_of};
use crate::syntax;
use crate::{MAX_DEPTH, Node, ParseError, Position, Style, Value};

/// What a reader gives as the anchor of a node that has none.
pub(crate) const NO_ANCHOR: usize = 0;

/// Trees that are being built.
#[derive(Default)]
pub(crate) struct Composer {
    documents: Vec<Node>,
    open: Vec<Open>,
    /// The items of all open lists, those of the last one last.
    items: Vec<Node>,
    /// The entries of all open mappings, those of the last one last.
    entries: Vec<(Node, Node)>,
    anchors: Anchors,
    comments: Pending,
}

/// A collection whose end has not been read.
struct Open {
    /// The collection without its children.
    node: Node,
    anchor: usize,
    children: Children,
}

/// Where the children of an open collection are.
enum Children {
    /// In [`Composer::items`] from this place on.
    Items { from: usize },
    /// In [`Composer::entries`] from this place on; and the key that has no value yet.
    Entries { from: usize, key: Option<Node>, merges: bool },
}

/// Where a comment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// At the end of a line on which a node ends.
    Beside,
    /// On a line of its own.
    Alone,
}

impl Composer {
    /// The roots of all documents that were read.
    pub(crate) fn into_documents(self) -> Vec<Node> {
        self.documents
    }

    /// Takes a scalar, giving it the comments above it, unless they stand between a key and its value.
    pub(crate) fn scalar(&mut self, mut node: Node, anchor: usize) -> Result<(), ParseError> {
        match self.open.last_mut() {
            Some(Open { children: Children::Entries { key: Some(key), .. }, .. }) => self.comments.put_above(key),
            Some(_) | None => self.comments.put_above(&mut node),
        }
        self.place(node, anchor)
    }

    /// Opens a collection; the comments above a block collection that is a value go to its first child.
    pub(crate) fn start(&mut self, mut node: Node, anchor: usize) -> Result<(), ParseError> {
        self.check_depth(1, node.position)?;
        if !matches!(self.open.last(), None | Some(Open { children: Children::Entries { key: Some(_), .. }, .. })) {
            self.comments.put_above(&mut node);
        }
        let children = match node.value {
            Value::Mapping(_) => Children::Entries { from: self.entries.len(), key: None, merges: false },
            Value::Sequence(_) | Value::Scalar(_) => Children::Items { from: self.items.len() },
        };
        self.open.push(Open { node, anchor, children });
        Ok(())
    }

    /// Closes the last collection that is open.
    pub(crate) fn end(&mut self) -> Result<(), ParseError> {
        let Some(mut open) = self.open.pop() else { return Ok(()) };
        if let Some(parent) = self.open.last()
            && open.node.style == Style::Block
            && let Some(last) = open.last_child(&mut self.items, &mut self.entries)
        {
            self.comments.put_below(last, parent.node.position.column + 1);
        }
        open.node.value = match open.children {
            Children::Items { from } => Value::Sequence(self.items.split_off(from)),
            Children::Entries { from, merges: true, .. } => {
                Value::Mapping(expand_merges(self.entries.split_off(from))?)
            }
            Children::Entries { from, .. } => Value::Mapping(self.entries.split_off(from).into()),
        };
        self.place(open.node, open.anchor)
    }

    /// Puts a copy of the anchored node where its alias `name` stands.
    pub(crate) fn alias(&mut self, anchor: usize, name: &str, position: Position) -> Result<(), ParseError> {
        let refused = |error: AliasError| ParseError::new(position, error.to_string());
        let (node, height) = self.anchors.copy(anchor, name).map_err(refused)?;
        self.check_depth(height, position)?;
        self.place(node, NO_ANCHOR)
    }

    /// Gives a comment to what it stands beside, or keeps it for what comes next.
    pub(crate) fn comment(&mut self, text: String, placement: Placement, position: Position) {
        let last = self.open.last_mut().and_then(|open| open.last_touched(&mut self.items, &mut self.entries));
        match last {
            Some(node) if placement == Placement::Beside => comments_of(node).beside = Some(text),
            Some(_) | None => self.comments.push(text, position),
        }
    }

    /// Ends a document: comments that are left belong to it, and its anchors are forgotten.
    pub(crate) fn end_document(&mut self) {
        if let Some(root) = self.documents.last_mut() {
            self.comments.put_below(root, 1);
        }
        self.anchors.end_document();
    }

    fn place(&mut self, node: Node, anchor: usize) -> Result<(), ParseError> {
        if anchor != NO_ANCHOR {
            let refused = |error: AliasError| ParseError::new(node.position, error.to_string());
            self.anchors.keep(anchor, &node).map_err(refused)?;
        }
        match self.open.last_mut().map(|open| &mut open.children) {
            None => self.documents.push(node),
            Some(Children::Items { .. }) => self.items.push(node),
            Some(Children::Entries { key, merges, .. }) => match key.take() {
                None => *key = Some(node),
                Some(key) => {
                    *merges |= is_merge_key(&key);
                    self.entries.push((key, node));
                }
            },
        }
        Ok(())
    }

    fn check_depth(&self, height: usize, position: Position) -> Result<(), ParseError> {
        if self.open.len() + height <= MAX_DEPTH {
            return Ok(());
        }
        Err(ParseError::new(position, syntax::too_deep()))
    }
}

impl Open {
    /// What a comment at the end of the current line belongs to: a key without its value yet, or the last child.
    fn last_touched<'a>(&'a mut self, items: &'a mut [Node], entries: &'a mut [(Node, Node)]) -> Option<&'a mut Node> {
        match &mut self.children {
            Children::Items { from } => items[*from..].last_mut(),
            Children::Entries { key: Some(key), .. } => Some(key),
            Children::Entries { from, .. } => entries[*from..].last_mut().map(|(_, value)| value),
        }
    }

    /// The last item, or the last key.
    fn last_child<'a>(&self, items: &'a mut [Node], entries: &'a mut [(Node, Node)]) -> Option<&'a mut Node> {
        match self.children {
            Children::Items { from } => items[from..].last_mut(),
            Children::Entries { from, .. } => entries[from..].last_mut().map(|(key, _)| key),
        }
    }
}
