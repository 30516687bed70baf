//! Quoted text whose further lines are not indented.
//!
//! YAML asks for them to be indented as far as what is around them; libyaml never looked, and public charts have JSON in
//! quotes that closes at the margin. The blanks in front of such a line mean nothing, so more of them are added where
//! the parser stops, and the text is read again.
//!
//! ```yaml
//! data:
//!   dashboard: '{
//!   "title": "Cluster"
//! }'
//! ```

use granit_parser::{ErrorKind, ScanError};

/// Most bytes that are read again in all because of such lines.
const MAX_READ_AGAIN: usize = 64 * 1024 * 1024;
/// Copying a text costs this much less than reading it.
const COPIED_PER_READ: usize = 8;

/// A text that is being repaired, line by line.
pub(crate) struct Reindent {
    read_again: usize,
    last_line: usize,
    indent: usize,
}

impl Reindent {
    pub(crate) fn new() -> Self {
        Self { read_again: 0, last_line: 0, indent: 0 }
    }

    /// The text with the line indented at which `error` stopped; `None` if that is not what was wrong, or enough was
    /// tried.
    pub(crate) fn repair(&mut self, text: &str, error: &ScanError) -> Option<String> {
        let line = error.marker().line();
        self.read_again += error.marker().index() + text.len() / COPIED_PER_READ;
        let repairable = matches!(error.kind(), ErrorKind::InvalidQuotedScalarIndent | ErrorKind::TabInIndentation);
        if !repairable || line <= self.last_line || self.read_again > MAX_READ_AGAIN {
            return None;
        }
        let start = line_start(text, line)?;
        if text[start..].starts_with("---") || text[start..].starts_with("...") {
            return None;
        }
        // The lines of one scalar need the same indentation, and its first line is longer than that.
        if line != self.last_line + 1 {
            self.indent = text[..start].trim_end().lines().next_back()?.len();
        }
        self.last_line = line;
        Some(format!("{}{}{}", &text[..start], " ".repeat(self.indent), &text[start..]))
    }
}

/// Where line `line`, from 1, begins.
fn line_start(text: &str, line: usize) -> Option<usize> {
    let break_before = line.checked_sub(2)?;
    text.match_indices('\n').nth(break_before).map(|(end, _)| end + 1)
}

#[cfg(test)]
mod tests {
    use granit_parser::Parser;

    use super::*;

    #[test]
    fn what_is_read_again_is_bounded() {
        let text = "a: 'x\ny'\n";
        let mut parser = Parser::new_from_str(text);
        let error = std::iter::from_fn(|| parser.next_event()).find_map(Result::err).expect("YAML 1.2 refuses it");
        assert_eq!(Reindent::new().repair(text, &error).as_deref(), Some("a: 'x\n     y'\n"));
        let mut spent = Reindent { read_again: MAX_READ_AGAIN, ..Reindent::new() };
        assert_eq!(spent.repair(text, &error), None);
    }
}
