//! What the stages of a build ask of nodes beyond the tree itself.

use std::sync::Arc;

use fairlead_yaml::{Mapping, Node, Position, Scalar, Schema, Style, Value, Written, emit_json};

use crate::at::At;

/// The shape of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeKind {
    Scalar,
    Sequence,
    Mapping,
}

impl NodeKind {
    /// The shape of `node`.
    pub(crate) fn of(node: &Node) -> Self {
        match &node.value {
            Value::Scalar(_) => Self::Scalar,
            Value::Sequence(_) => Self::Sequence,
            Value::Mapping(_) => Self::Mapping,
        }
    }

    /// The name that kustomize's errors give to it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Scalar => "ScalarNode",
            Self::Sequence => "SequenceNode",
            Self::Mapping => "MappingNode",
        }
    }
}

/// A node of `kind` that holds nothing.
pub(crate) fn empty(kind: NodeKind) -> Node {
    match kind {
        NodeKind::Scalar => untyped(""),
        NodeKind::Sequence => Node::sequence(Vec::new()),
        NodeKind::Mapping => Node::mapping(Mapping::new()),
    }
}

/// A scalar of no type: whatever text comes to stand there says what it is.
pub(crate) fn untyped(text: impl AsRef<str>) -> Node {
    Node { untyped: true, ..Node::plain(text) }
}

/// The text at `path` in `root`; empty if it is not there or no scalar.
pub(crate) fn text_at<'a>(root: &'a Node, path: &[&str]) -> &'a str {
    let found = path.iter().try_fold(root, |node, key| node.get(key));
    found.filter(|node| !node.is_null()).and_then(Node::as_str).unwrap_or_default()
}

/// The mapping at `key` of `root`, made if it is missing, null or of another shape.
pub(crate) fn mapping_at<'a>(root: &'a mut Node, key: &str) -> &'a mut Mapping {
    if root.as_mapping().is_none() {
        *root = empty(NodeKind::Mapping);
    }
    let entries = root.as_mapping_mut().expect("it is a mapping or was made one");
    let child = entries.get_or_insert_with(key, || empty(NodeKind::Mapping));
    if child.as_mapping().is_none() {
        *child = empty(NodeKind::Mapping);
    }
    child.as_mapping_mut().expect("it is a mapping or was made one")
}

/// Puts `text` in place of `node` as a string, whatever it looks like. The quotes that were there stay, and none are
/// added: [`respell`] then makes a number of what looks like one, as kustomize does.
pub(crate) fn set_string(node: &mut Node, text: impl AsRef<str>) {
    let quoted = Node::string(text);
    let (style, tag) = match (&node.value, node.style, quoted.style) {
        (Value::Scalar(_), Style::Plain, Style::Plain) => (Style::Plain, None),
        (Value::Scalar(_), Style::Plain, _) => (Style::Plain, Some("!!str".into())),
        (Value::Scalar(_), style, _) | (Value::Sequence(_) | Value::Mapping(_), _, style) => (style, None),
    };
    let written = std::mem::take(&mut node.written);
    *node = Node { position: node.position, shared: node.shared, style, tag, written, ..quoted };
}

/// Sets the value of `key` to `text`, which keeps the quotes that were there or gets none: `1` is a number then. Only a
/// value that was not there gets the quotes that it needs.
pub(crate) fn set_text(entries: &mut Mapping, key: &str, text: &str, mark: &Written) {
    match entries.get_mut(key) {
        Some(old) => respell(old, text, mark),
        None => drop(entries.insert(key, Node { written: mark.clone(), ..Node::string(text) })),
    }
}

/// Puts `text` in place of `node` as [`set_string`] does, as written by `mark`.
pub(crate) fn rewrite(node: &mut Node, text: impl AsRef<str>, mark: &Written) {
    let text = text.as_ref();
    let written = if node.as_str() == Some(text) { node.written.clone() } else { mark.over(&node.written) };
    set_string(node, text);
    node.written = written;
}

/// Puts `text` in place of `node`, as written by `mark`. The quotes that were there stay, and none are added, now or when
/// another text takes its place.
pub(crate) fn respell(node: &mut Node, text: impl Into<String>, mark: &Written) {
    let text = text.into();
    let written = if node.as_str() == Some(&text) { node.written.clone() } else { mark.over(&node.written) };
    let style = if node.as_str().is_some() { node.style } else { Style::Plain };
    *node = Node { position: node.position, shared: node.shared, style, written, ..untyped(text) };
}

/// A copy of `node` that is a node of its own wherever it is put.
pub(crate) fn copied(node: &Node) -> Node {
    let mut copy = node.clone();
    visit(&mut copy, &mut |node| node.shared = None);
    copy
}

/// Calls `see` with `node` and every value below it.
pub(crate) fn visit(node: &mut Node, see: &mut dyn FnMut(&mut Node)) {
    see(node);
    match &mut node.value {
        Value::Scalar(_) => {}
        Value::Sequence(items) => items.iter_mut().for_each(|item| visit(item, see)),
        Value::Mapping(entries) => entries.iter_mut().for_each(|(_, value)| visit(value, see)),
    }
}

/// Marks all of `node`, which was read elsewhere, as written by `mark`.
pub(crate) fn stamp(node: &mut Node, mark: &Written) {
    stamp_each(node, &|_| mark.clone());
}

/// Marks all of `node` as written by the lines of the text that begins at `at`, from which it was read.
pub(crate) fn stamp_lines(node: &mut Node, at: &At) {
    // Lines of one text share its name.
    let name = at.mark();
    let name = name.writers().next().map(|writer| Arc::clone(&writer.text)).unwrap_or_default();
    stamp_each(node, &|position| match at.line_below(position.line) {
        At::Line { line, .. } => Written::by(Arc::clone(&name), line),
        At::Field(_) => Written::by(Arc::clone(&name), 0),
    });
}

fn stamp_each(node: &mut Node, mark: &dyn Fn(Position) -> Written) {
    node.written = mark(node.position);
    node.position = Position::default();
    match &mut node.value {
        Value::Scalar(_) => {}
        Value::Sequence(items) => items.iter_mut().for_each(|item| stamp_each(item, mark)),
        Value::Mapping(entries) => entries.iter_mut().for_each(|(_, value)| stamp_each(value, mark)),
    }
}

/// Counts the lines of `node` from `lines` further down.
pub(crate) fn move_down(node: &mut Node, lines: u32) {
    visit(node, &mut |node| node.position.line += lines);
}

/// Whether `node` holds nothing: null, or a collection without entries.
pub(crate) fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Scalar(_) => node.is_null(),
        Value::Sequence(items) => items.is_empty(),
        Value::Mapping(entries) => entries.is_empty(),
    }
}

/// How deep the collections of `node` are nested.
pub(crate) fn depth(node: &Node) -> usize {
    match &node.value {
        Value::Scalar(_) => 0,
        Value::Sequence(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Mapping(entries) => 1 + entries.values().map(depth).max().unwrap_or(0),
    }
}

/// How many bytes a value costs besides its text, about.
pub(crate) const VALUE_BYTES: usize = 64;

/// How many bytes `node` costs, about.
pub(crate) fn weight(node: &Node) -> usize {
    let content = match &node.value {
        Value::Scalar(text) => text.len(),
        Value::Sequence(items) => items.iter().map(weight).sum(),
        Value::Mapping(entries) => {
            entries.iter().map(|(key, value)| key.as_str().map_or(0, str::len) + weight(value)).sum()
        }
    };
    VALUE_BYTES + content
}

/// Whether `node` is a scalar that is a string.
pub(crate) fn is_string(node: &Node) -> bool {
    let is_string = matches!((&node.value, node.resolve(Schema::Kyaml)), (Value::Scalar(_), Ok(Scalar::String(_))));
    is_string && node.tag.as_deref() != Some("!!binary")
}

/// The tag of the type that a scalar has; `None` if it has none, or is no scalar.
pub(crate) fn type_tag(scalar: &Node) -> Option<&'static str> {
    if scalar.untyped {
        return None;
    }
    match scalar.resolve(Schema::Kyaml).ok()? {
        Scalar::Null => Some("!!null"),
        Scalar::Bool(_) => Some("!!bool"),
        Scalar::Int(_) | Scalar::UInt(_) => Some("!!int"),
        Scalar::Float(_) => Some("!!float"),
        Scalar::String(_) => Some("!!str"),
        Scalar::Timestamp(_) => Some("!!timestamp"),
    }
}

/// `node` as YAML, for messages and for matching on values.
pub(crate) fn printed(node: &Node) -> String {
    match node.to_json(Schema::Kyaml) {
        Ok(value) => emit_json(&value),
        Err(error) => error.to_string(),
    }
}
