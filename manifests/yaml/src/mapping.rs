//! Keys and values in their written order.

use crate::{Node, Position};

/// An ordered list of keys and values.
///
/// A key is a whole node, because YAML allows it and because its comments and style are kept. A text may repeat a key;
/// the tools that we follow differ in what they make of it, so both entries are kept: lookups see the first,
/// [`Mapping::duplicate`] reports the second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapping {
    entries: Vec<(Node, Node)>,
}

/// A key that is written twice in one mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// The key.
    pub key: String,
    /// Where it is written first.
    pub first: Position,
    /// Where it is written again.
    pub again: Position,
}

impl Mapping {
    /// A mapping without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries there are, repeated keys counted each time.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether some entry has this key.
    pub fn contains_key(&self, key: &str) -> bool {
        self.index_of(key).is_some()
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.index_of(key).map(|index| &self.entries[index].1)
    }

    /// The value of `key`, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.index_of(key).map(|index| &mut self.entries[index].1)
    }

    /// The entry of `key`, with the node of the key itself.
    pub fn get_entry(&self, key: &str) -> Option<(&Node, &Node)> {
        self.index_of(key).map(|index| (&self.entries[index].0, &self.entries[index].1))
    }

    /// Sets the value of `key` in its place, or at the end, and returns the value that was there.
    pub fn insert(&mut self, key: &str, value: Node) -> Option<Node> {
        if let Some(old) = self.get_mut(key) {
            return Some(std::mem::replace(old, value));
        }
        self.push(Node::string(key), value);
        None
    }

    /// The value of `key`; `default` is put at the end first if there is none.
    pub fn get_or_insert_with(&mut self, key: &str, default: impl FnOnce() -> Node) -> &mut Node {
        let index = self.index_of(key).unwrap_or_else(|| {
            self.push(Node::string(key), default());
            self.entries.len() - 1
        });
        &mut self.entries[index].1
    }

    /// Appends an entry without looking whether its key is there.
    pub fn push(&mut self, key: Node, value: Node) {
        self.entries.push((key, value));
    }

    /// Takes out the first entry of `key` and returns its value; the order of the others stays.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        self.index_of(key).map(|index| self.entries.remove(index).1)
    }

    /// Keeps the entries for which `keep` is true.
    pub fn retain(&mut self, mut keep: impl FnMut(&Node, &mut Node) -> bool) {
        self.entries.retain_mut(|(key, value)| keep(key, value));
    }

    /// The entries in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Node, &Node)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// The entries in their order, values to change.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&Node, &mut Node)> {
        self.entries.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// The text of every scalar key, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter_map(|(key, _)| key.as_str())
    }

    /// The values in their order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Node> {
        self.entries.iter().map(|(_, value)| value)
    }

    /// The first key that is written twice, if one is.
    pub fn duplicate(&self) -> Option<Duplicate> {
        let mut seen = std::collections::HashMap::with_capacity(self.len());
        self.entries.iter().find_map(|(node, _)| {
            let key = node.as_str()?;
            let first = seen.insert(key, node.position)?;
            Some(Duplicate { key: key.to_owned(), first, again: node.position })
        })
    }

    fn index_of(&self, key: &str) -> Option<usize> {
        self.entries.iter().position(|(node, _)| node.as_str() == Some(key))
    }
}

impl From<Vec<(Node, Node)>> for Mapping {
    fn from(entries: Vec<(Node, Node)>) -> Self {
        Self { entries }
    }
}

impl FromIterator<(Node, Node)> for Mapping {
    fn from_iter<I: IntoIterator<Item = (Node, Node)>>(entries: I) -> Self {
        Self { entries: entries.into_iter().collect() }
    }
}

impl IntoIterator for Mapping {
    type Item = (Node, Node);
    type IntoIter = std::vec::IntoIter<(Node, Node)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}
