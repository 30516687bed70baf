//! Anchors and what it costs to repeat them.

use std::collections::HashMap;

use crate::{MAX_ALIASED_BYTES, MAX_ALIASED_NODES, Node, Value};

/// The anchored nodes of a document, and the copies that were made in the whole text.
#[derive(Default)]
pub(crate) struct Anchors {
    nodes: HashMap<usize, Anchored>,
    copied_nodes: usize,
    copied_bytes: usize,
}

struct Anchored {
    node: Node,
    extent: Extent,
}

/// How large a tree is.
#[derive(Clone, Copy)]
struct Extent {
    nodes: usize,
    bytes: usize,
    height: usize,
}

/// Why a node cannot be copied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AliasError {
    /// The anchored node is not complete: it contains the alias.
    #[error("anchor '{0}' value contains itself")]
    Recursive(String),
    #[error("document contains excessive aliasing: more than {MAX_ALIASED_NODES} nodes")]
    TooManyNodes,
    #[error("document contains excessive aliasing: more than {MAX_ALIASED_BYTES} bytes")]
    TooManyBytes,
}

impl Anchors {
    /// Keeps a completed node for the aliases after it.
    pub(crate) fn keep(&mut self, anchor: usize, node: &Node) -> Result<(), AliasError> {
        let extent = Extent::of(node);
        self.count(extent)?;
        self.nodes.insert(anchor, Anchored { node: node.clone(), extent });
        Ok(())
    }

    /// Returns a copy of an anchored node, and its height. `name` is what the text calls the anchor.
    pub(crate) fn copy(&mut self, anchor: usize, name: &str) -> Result<(Node, usize), AliasError> {
        let recursive = || AliasError::Recursive(name.to_owned());
        let extent = self.nodes.get(&anchor).ok_or_else(recursive)?.extent;
        self.count(extent)?;
        Ok((self.nodes[&anchor].node.clone(), extent.height))
    }

    /// Forgets the anchors of a document; what they have cost stays counted.
    pub(crate) fn end_document(&mut self) {
        self.nodes.clear();
    }

    fn count(&mut self, copy: Extent) -> Result<(), AliasError> {
        self.copied_nodes += copy.nodes;
        self.copied_bytes += copy.bytes;
        if self.copied_nodes > MAX_ALIASED_NODES {
            return Err(AliasError::TooManyNodes);
        }
        if self.copied_bytes > MAX_ALIASED_BYTES {
            return Err(AliasError::TooManyBytes);
        }
        Ok(())
    }
}

impl Extent {
    fn of(node: &Node) -> Self {
        match &node.value {
            Value::Scalar(text) => Self { nodes: 1, bytes: text.len(), height: 0 },
            Value::Sequence(items) => Self::around(items.iter()),
            Value::Mapping(mapping) => Self::around(mapping.iter().flat_map(|(key, value)| [key, value])),
        }
    }

    fn around<'a>(children: impl Iterator<Item = &'a Node>) -> Self {
        let mut extent = Self { nodes: 1, bytes: 0, height: 1 };
        for child in children.map(Self::of) {
            extent.nodes += child.nodes;
            extent.bytes += child.bytes;
            extent.height = extent.height.max(child.height + 1);
        }
        extent
    }
}
