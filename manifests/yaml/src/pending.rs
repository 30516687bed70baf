//! Comments that still wait for the node they belong to.

use crate::{Comments, Node, Position, Style};

/// Comment lines that were read and not yet given to a node.
#[derive(Default)]
pub(crate) struct Pending {
    lines: Vec<Line>,
}

struct Line {
    text: String,
    position: Position,
}

impl Pending {
    /// Adds a comment that stands at `position`.
    pub(crate) fn push(&mut self, text: String, position: Position) {
        self.lines.push(Line { text, position });
    }

    /// Gives all lines to `node`, which stands below them.
    pub(crate) fn put_above(&mut self, node: &mut Node) {
        if self.lines.is_empty() {
            return;
        }
        // A block scalar is where its text begins, below its header.
        let header = u32::from(matches!(node.style, Style::Literal | Style::Folded));
        let next = node.position.line.saturating_sub(header);
        let lines = std::mem::take(&mut self.lines);
        comments_of(node).above = with_blank_lines(lines, Some(next));
    }

    /// Gives the lines that are indented at least to `column` to `node`, which stands above them.
    pub(crate) fn put_below(&mut self, node: &mut Node, column: u32) {
        let count = self.lines.iter().take_while(|line| line.position.column >= column).count();
        if count == 0 {
            return;
        }
        let lines = self.lines.drain(..count).collect();
        comments_of(node).below.extend(with_blank_lines(lines, None));
    }
}

/// The comments of `node`, made if it had none.
pub(crate) fn comments_of(node: &mut Node) -> &mut Comments {
    node.comments.get_or_insert_default()
}

fn with_blank_lines(lines: Vec<Line>, next: Option<u32>) -> Vec<String> {
    let mut texts = Vec::with_capacity(lines.len());
    let mut previous = None;
    for Line { text, position } in lines {
        if previous.is_some_and(|previous| position.line > previous + 1) {
            texts.push(String::new());
        }
        texts.push(text);
        previous = Some(position.line);
    }
    if let (Some(previous), Some(next)) = (previous, next)
        && next > previous + 1
    {
        texts.push(String::new());
    }
    texts
}
