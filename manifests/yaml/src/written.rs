//! Who wrote a node.

use std::{iter, sync::Arc};

/// Who has changed a node since it was read: for most nodes, nobody.
///
/// A tree that was read needs none of it: whoever read it knows its text, and [`Node::position`](crate::Node::position)
/// says the rest. Who changes a tree notes it here, by [`Node::overwrite`](crate::Node::overwrite), so that a value knows
/// where it comes from and what it replaces. It plays no part in whether two nodes are equal.
#[derive(Clone, Debug, Default)]
pub struct Written(Option<Arc<Writer>>);

/// Who wrote a node.
#[derive(Clone, Debug)]
pub struct Writer {
    /// The name of the text that says so: a file, or what else stands for one.
    pub text: Arc<str>,
    /// The line in it, from 1; 0 if it has none.
    pub line: u32,
    /// Who had written what it replaced.
    over: Written,
}

impl PartialEq for Written {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Written {
    /// Written as `line` (from 1; 0 for none) of `text` says.
    pub fn by(text: impl Into<Arc<str>>, line: u32) -> Self {
        Self(Some(Arc::new(Writer { text: text.into(), line, over: Self(None) })))
    }

    /// The same last writer, who has replaced what is `old`.
    #[must_use]
    pub fn over(&self, old: &Self) -> Self {
        match (&self.0, &old.0) {
            (None, _) => old.clone(),
            (Some(_), None) => Self(self.last()),
            (Some(new), Some(before)) if new.is_same(before) => old.clone(),
            (Some(new), Some(_)) => Self(Some(Arc::new(Writer { over: old.clone(), ..Writer::clone(new) }))),
        }
    }

    /// The writers, last one first.
    pub fn writers(&self) -> impl Iterator<Item = &Writer> {
        iter::successors(self.0.as_deref(), |writer| writer.over.0.as_deref())
    }

    /// Whether nobody has written it since it was read.
    pub fn is_as_read(&self) -> bool {
        self.0.is_none()
    }

    /// The last writer alone, without those before.
    fn last(&self) -> Option<Arc<Writer>> {
        let writer = self.0.as_ref()?;
        if writer.over.is_as_read() {
            return Some(Arc::clone(writer));
        }
        Some(Arc::new(Writer { over: Self(None), ..Writer::clone(writer) }))
    }
}

impl Writer {
    fn is_same(&self, other: &Self) -> bool {
        self.line == other.line && self.text == other.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Node;

    fn shown(node: &Node) -> String {
        node.written
            .writers()
            .map(|writer| format!("{}:{}", writer.text, writer.line))
            .collect::<Vec<_>>()
            .join(" over ")
    }

    #[test]
    fn a_node_knows_who_wrote_it_and_what_that_replaced() {
        let mut node = Node::plain("1");
        assert_eq!(shown(&node), "");
        let (first, second) = (Written::by("first.yaml", 3), Written::by("second.yaml", 7));
        node.overwrite(Node::plain("2"), &first);
        node.overwrite(Node::plain("3"), &second);
        node.overwrite(Node::plain("4"), &second);
        assert_eq!(shown(&node), "second.yaml:7 over first.yaml:3");
        // What stands elsewhere is copied with its last writer only.
        let mut copy = Node::plain("5");
        copy.overwrite(Node::plain("6"), &node.written);
        assert_eq!(shown(&copy), "second.yaml:7");
        assert_eq!(node, Node::plain("4"));
    }
}
