//! Why an expression has no value.

use super::{NESTING_LIMIT, OUTPUT_LIMIT_BYTES};

/// Why a text could not be expanded. Flux's words are kept where it has some; no value is ever shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// The expression cannot be read.
    #[error("`{expression}`: {problem}")]
    Syntax {
        /// The beginning of the expression.
        expression: String,
        /// What is wrong with it.
        problem: Problem,
    },
    /// A variable has no value, and the expression gives none.
    #[error("`{expression}`: variable not set (strict mode): \"{name}\"")]
    NotSet {
        /// The expression.
        expression: String,
        /// The variable.
        name: String,
    },
    /// A substring begins or ends inside of a character.
    #[error("`{expression}`: the substring cuts a character in two")]
    CutsCharacter {
        /// The expression.
        expression: String,
    },
    /// The text has grown too large.
    #[error("`{expression}`: the object grows larger than {OUTPUT_LIMIT_BYTES} bytes")]
    TooLarge {
        /// The expression that went over the limit.
        expression: String,
    },
    /// A pattern would take too many steps.
    #[error("`{expression}`: value and pattern are too long to be compared")]
    TooCostly {
        /// The expression that went over the limit.
        expression: String,
    },
}

/// What is wrong with an expression that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// There is no name after the brace.
    #[error("unable to parse variable name")]
    VariableName,
    /// Something follows the name that is no operator.
    #[error("missing closing brace")]
    ClosingBrace,
    /// An operator has no pattern, offset or word.
    #[error("unable to parse substitution within function")]
    Parameter,
    /// Anything else.
    #[error("bad substitution")]
    BadSubstitution,
    /// It is nested too deeply.
    #[error("expressions nest deeper than {NESTING_LIMIT}")]
    TooDeep,
}

impl ExpressionError {
    /// The expression that has no value, as far as it could be read.
    pub fn expression(&self) -> &str {
        match self {
            Self::Syntax { expression, .. }
            | Self::NotSet { expression, .. }
            | Self::CutsCharacter { expression }
            | Self::TooLarge { expression }
            | Self::TooCostly { expression } => expression,
        }
    }

    /// What the reader can try.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Syntax { expression, .. } => {
                Some(format!("write `${expression}` to keep `{expression}` as it is, e.g. in a script"))
            }
            Self::NotSet { expression, name } => Some(format!(
                "set `{name}` in `postBuild`, give it a default as `${{{name}:=…}}`, or write `${expression}` to keep \
                 `{expression}` as it is"
            )),
            Self::CutsCharacter { .. } | Self::TooLarge { .. } | Self::TooCostly { .. } => None,
        }
    }
}
