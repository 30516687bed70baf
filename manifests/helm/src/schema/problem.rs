//! What does not meet a schema.

/// One thing that does not meet a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The JSON pointer of the value.
    pointer: String,
    message: String,
    causes: Vec<Problem>,
}

/// What several problems of one value are called together.
const GROUP: &str = "validation failed";

impl Problem {
    pub(super) fn new(pointer: &str, message: impl Into<String>) -> Self {
        Self::with_causes(pointer, message, Vec::new())
    }

    pub(super) fn with_causes(pointer: &str, message: impl Into<String>, causes: Vec<Problem>) -> Self {
        Self { pointer: pointer.to_owned(), message: message.into(), causes }
    }

    /// All problems of one value as one; `None` if there is none.
    pub(super) fn grouped(pointer: impl FnOnce() -> String, mut problems: Vec<Problem>) -> Option<Self> {
        match problems.len() {
            0 | 1 => problems.pop(),
            _ => Some(Self::with_causes(&pointer(), GROUP, problems)),
        }
    }

    /// The problems of a group, each for itself.
    pub(super) fn ungrouped(self) -> Vec<Problem> {
        if self.message == GROUP { self.causes } else { vec![self] }
    }

    /// The JSON pointers of the values that it is about: those of its causes, if it has some.
    pub(crate) fn pointers(&self) -> Vec<&str> {
        if self.causes.is_empty() {
            return vec![&self.pointer];
        }
        self.causes.iter().flat_map(Self::pointers).collect()
    }

    /// Writes the problem and its causes, a line each.
    pub(crate) fn write(&self, text: &mut String, indent: usize) {
        let Self { pointer, message, causes } = self;
        text.push_str(&format!("{:indent$}- at '{pointer}': {message}\n", ""));
        for cause in causes {
            cause.write(text, indent + 2);
        }
    }
}
