//! Comments of a node.

/// The comments that belong to a node. Every line keeps its `#`; an empty line is a blank line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comments {
    /// Lines above the node.
    pub above: Vec<String>,
    /// The comment that ends the node's own line.
    pub beside: Option<String>,
    /// Lines below the node that belong to nothing after it.
    pub below: Vec<String>,
}
