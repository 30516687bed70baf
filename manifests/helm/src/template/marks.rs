//! Which part of a template makes which part of its text.

use super::ast::Source;

/// Where the parts of a text begin, in order.
#[derive(Default)]
pub(super) struct Marks(Vec<Mark>);

struct Mark {
    /// Where the part begins in the text.
    at: usize,
    /// Where it comes from in the template.
    position: usize,
    making: Making,
}

#[derive(Clone, Copy)]
enum Making {
    /// It is in the template as it is in the text.
    Copied,
    /// An action makes it, with all its lines.
    Made,
}

impl Marks {
    /// What follows in the text is copied from `position` on.
    pub(super) fn copied(&mut self, at: usize, position: u32) {
        self.0.push(Mark { at, position: position as usize, making: Making::Copied });
    }

    /// What follows in the text is made by the action at `position`.
    pub(super) fn made(&mut self, at: usize, position: u32) {
        self.0.push(Mark { at, position: position as usize, making: Making::Made });
    }

    /// For each line of `text` the line of the template, from 1, that its first character comes from.
    pub(super) fn lines(&self, text: &[u8], source: &Source) -> Vec<u32> {
        let starts = source.line_starts();
        let (mut lines, mut offset, mut marks) = (Vec::new(), 0, self.0.as_slice());
        for line in text.split(|byte| *byte == b'\n') {
            let first = offset + line.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
            while let [_, next, ..] = marks
                && next.at <= first
            {
                marks = &marks[1..];
            }
            let position = marks.first().map_or(0, |mark| mark.origin(first));
            lines.push(u32::try_from(starts.partition_point(|start| *start <= position)).unwrap_or(u32::MAX));
            offset += line.len() + 1;
        }
        lines
    }
}

impl Mark {
    /// Where the byte at `at` of the text comes from.
    fn origin(&self, at: usize) -> usize {
        match self.making {
            Making::Copied => self.position + at.saturating_sub(self.at),
            Making::Made => self.position,
        }
    }
}
