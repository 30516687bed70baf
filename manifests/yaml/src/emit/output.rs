//! The text that is being written.

/// How many bytes an output has room for before it grows: as long as most objects are.
const CAPACITY: usize = 1024;

/// A line break, and as many spaces as most lines begin with at most.
const LINE: &str = "\n                                                                ";
const SPACES: &str = LINE.split_at(1).1;

/// Text with the place where its last line begins.
pub(super) struct Output {
    text: String,
    line_start: usize,
}

impl Output {
    pub(super) fn new() -> Self {
        Self { text: String::with_capacity(CAPACITY), line_start: 0 }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    pub(super) fn push(&mut self, char: char) {
        self.text.push(char);
    }

    pub(super) fn push_str(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(super) fn push_line_break(&mut self) {
        self.text.push('\n');
        self.line_start = self.text.len();
    }

    /// Ends the line, if something is on it.
    pub(super) fn end_line(&mut self) {
        if !self.is_at_line_start() {
            self.push_line_break();
        }
    }

    /// Starts a line that is indented to `indent`.
    pub(super) fn start_line(&mut self, indent: usize) {
        if indent > SPACES.len() || self.is_at_line_start() {
            self.end_line();
            return self.pad(indent);
        }
        self.text.push_str(&LINE[..=indent]);
        self.line_start = self.text.len() - indent;
    }

    pub(super) fn pad(&mut self, spaces: usize) {
        let mut left = spaces;
        while left > 0 {
            let part = left.min(SPACES.len());
            self.text.push_str(&SPACES[..part]);
            left -= part;
        }
    }

    pub(super) fn is_at_line_start(&self) -> bool {
        self.line_start == self.text.len()
    }

    /// How many bytes the line has, which is at least its column.
    pub(super) fn line_bytes(&self) -> usize {
        self.text.len() - self.line_start
    }

    /// How many characters the line has.
    pub(super) fn column(&self) -> usize {
        self.text[self.line_start..].chars().count()
    }
}
