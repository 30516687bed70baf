//! Where a value is written, and what was written before it.

use super::output::Output;

/// How far a collection is indented against the one that holds it.
pub(super) const STEP: usize = 2;
/// Longest key that is written without a `?`, in bytes.
pub(super) const MAX_SIMPLE_KEY: usize = 128;

/// Where a value is written.
#[derive(Clone, Copy)]
pub(super) struct Around {
    /// Indentation of the collection that holds the value.
    pub(super) indent: usize,
    pub(super) lead: Lead,
}

/// What was written before a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lead {
    /// Nothing on this line.
    Nothing,
    /// `key:`
    Key,
    /// `-`, `?`, or the `:` below a `?`: a collection begins on the same line.
    Indicator,
}

impl Around {
    pub(super) const DOCUMENT: Self = Self { indent: 0, lead: Lead::Nothing };

    /// A list stands at the indentation of its key.
    pub(super) fn sequence_indent(self) -> usize {
        match self.lead {
            Lead::Nothing | Lead::Key => self.indent,
            Lead::Indicator => self.indent + STEP,
        }
    }

    pub(super) fn mapping_indent(self) -> usize {
        match self.lead {
            Lead::Nothing => self.indent,
            Lead::Key | Lead::Indicator => self.indent + STEP,
        }
    }

    /// Goes to where the entry `index` of a collection begins.
    pub(super) fn start_entry(self, out: &mut Output, index: usize, indent: usize) {
        if index == 0 && self.lead == Lead::Indicator {
            out.push(' ');
        } else {
            out.start_line(indent);
        }
    }

    /// Separates a value from what is before it on its line.
    pub(super) fn space(self, out: &mut Output) {
        if self.lead != Lead::Nothing {
            out.push(' ');
        }
    }
}
