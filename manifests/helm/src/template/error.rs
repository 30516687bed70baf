//! What is wrong with a template.

use std::sync::Arc;

/// A template that does not parse. Printed as Go prints it: `template: file:line: problem`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template: {file}:{line}: {problem}")]
pub struct ParseError {
    /// The name of the text.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// What is wrong there.
    pub problem: String,
}

/// A template that stopped while it was executed, and where. Printed as Go prints it:
/// `template: file:line:column: executing "name" at <node>: problem`.
#[derive(Debug, thiserror::Error)]
#[error("template: {file}:{line}:{column}: executing {} at <{node}>: {failure}", crate::fmt::quote(self.template.as_bytes()))]
pub struct ExecError {
    /// The name of the text.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
    /// The column in bytes, from 0.
    pub column: usize,
    /// The template, which may be a `define` in that text.
    pub template: Arc<str>,
    /// What was evaluated, in its canonical form.
    pub node: String,
    /// What is wrong there.
    pub failure: Failure,
}

/// Why evaluation cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Something is wrong with the template itself.
    #[error("{0}")]
    Problem(String),
    /// `{{ template }}` names one that does not exist.
    #[error("template {} not defined", crate::fmt::quote(.0.as_bytes()))]
    Undefined(String),
    /// A function or method failed.
    #[error("error calling {function}: {cause}")]
    Call {
        /// Its name.
        function: String,
        /// Why it failed.
        cause: Box<CallError>,
    },
    /// It takes more than it may.
    #[error(transparent)]
    Limit(LimitError),
}

/// Why a function failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// It says so.
    #[error("{0}")]
    Message(String),
    /// The chart itself refuses what it was given, by `fail` or `required`.
    #[error("{0}")]
    Refused(String),
    /// No template has this name.
    #[error("template: no template {} associated with template \"gotpl\"", crate::fmt::quote(.0.as_bytes()))]
    NoTemplate(String),
    /// A template that it executed failed.
    #[error(transparent)]
    Template(Box<ExecError>),
    /// A text that `tpl` was given does not parse.
    #[error("cannot parse template {text}: {error}")]
    Parse {
        /// The quoted text.
        text: String,
        /// What is wrong with it.
        error: ParseError,
    },
    /// A text that `tpl` was given failed.
    #[error("error during tpl function execution for {text}: {error}")]
    Tpl {
        /// The quoted text.
        text: String,
        /// Where it failed.
        error: Box<ExecError>,
    },
    /// A template asked for more than it may have.
    #[error(transparent)]
    Limit(#[from] LimitError),
}

/// What a template asked too much of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// It evaluates too much.
    #[error("the chart evaluates more than {0} steps")]
    Steps(u64),
    /// It makes too much text.
    #[error("the chart makes more than {0} bytes of text and lists")]
    Bytes(u64),
    /// Templates call each other too deeply.
    #[error("templates are nested deeper than {0}")]
    Depth(usize),
}

impl From<String> for CallError {
    fn from(message: String) -> Self {
        Self::Message(message)
    }
}

impl From<&str> for CallError {
    fn from(message: &str) -> Self {
        Self::Message(message.to_owned())
    }
}

impl CallError {
    /// Whether at the end of it a template was called that does not exist.
    pub(crate) fn lacks_template(&self) -> bool {
        let innermost = match self {
            Self::NoTemplate(_) => return true,
            Self::Template(error) | Self::Tpl { error, .. } => error.chain().last().map(|error| &error.failure),
            Self::Message(_) | Self::Refused(_) | Self::Parse { .. } | Self::Limit(_) => None,
        };
        match innermost {
            Some(Failure::Call { cause, .. }) => matches!(**cause, Self::NoTemplate(_)),
            Some(Failure::Undefined(_)) => true,
            Some(Failure::Problem(_) | Failure::Limit(_)) | None => false,
        }
    }
}

impl ExecError {
    /// This error, then those of the templates that were called from there, the innermost last.
    pub fn chain(&self) -> Vec<&Self> {
        let mut chain = vec![self];
        let mut at = self;
        while let Failure::Call { cause, .. } = &at.failure
            && let CallError::Template(inner) | CallError::Tpl { error: inner, .. } = &**cause
        {
            chain.push(inner);
            at = inner;
        }
        chain
    }

    /// What the chart itself refused, if that is the cause: the text that its author wrote.
    pub fn refusal(&self) -> Option<&str> {
        let Failure::Call { cause, .. } = &self.failure else { return None };
        match &**cause {
            CallError::Refused(message) => Some(message),
            CallError::Template(error) | CallError::Tpl { error, .. } => error.refusal(),
            CallError::Message(_) | CallError::NoTemplate(_) | CallError::Parse { .. } | CallError::Limit(_) => None,
        }
    }

    /// The limit that was exceeded, if that is the cause.
    pub fn limit(&self) -> Option<&LimitError> {
        let cause = match &self.failure {
            Failure::Limit(limit) => return Some(limit),
            Failure::Problem(_) | Failure::Undefined(_) => return None,
            Failure::Call { cause, .. } => cause,
        };
        match &**cause {
            CallError::Limit(limit) => Some(limit),
            CallError::Template(error) | CallError::Tpl { error, .. } => error.limit(),
            CallError::Message(_) | CallError::Refused(_) | CallError::NoTemplate(_) | CallError::Parse { .. } => None,
        }
    }
}
