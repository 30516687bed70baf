//! The variables of a build.

use std::{collections::BTreeMap, fmt};

/// Variables by name.
///
/// Names are those that a shell accepts. Values hold no line feed: Flux takes them out of every value, so that a
/// Secret's trailing one does not break the manifest that uses it. Values may be secret: `Debug` shows the names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

/// A text that cannot name a variable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` cannot name a variable: only letters, digits and `_` can, and no digit comes first")]
pub struct VariableError {
    /// The refused name.
    pub name: String,
}

/// What a substitution does when there are no variables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Leave the objects as they are, `${…}` with a default included.
    #[default]
    WithVariables,
    /// Expand all the same, so that defaults apply.
    Always,
}

impl Variables {
    /// Sets a variable, over one of the same name. Line feeds in `value` are taken out.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), VariableError> {
        if !is_variable_name(name) {
            return Err(VariableError { name: name.to_owned() });
        }
        self.0.insert(name.to_owned(), value.replace('\n', ""));
        Ok(())
    }

    /// The value of a variable, if it is set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Sets all of them, or names the first that is refused.
impl TryFrom<&BTreeMap<String, String>> for Variables {
    type Error = VariableError;

    fn try_from(values: &BTreeMap<String, String>) -> Result<Self, VariableError> {
        let mut variables = Self::default();
        for (name, value) in values {
            variables.set(name, value)?;
        }
        Ok(variables)
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Strategy {
    /// The name that `spec.postBuild.substituteStrategy` has for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::WithVariables => "WithVariables",
            Self::Always => "Always",
        }
    }
}

fn is_variable_name(name: &str) -> bool {
    let is_start = |c: char| c == '_' || c.is_ascii_alphabetic();
    name.starts_with(is_start) && name.chars().all(|c| is_start(c) || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_a_shell_accepts() {
        let rows = [
            ("a", true),
            ("_1", true),
            ("cluster_REGION", true),
            ("1a", false),
            ("", false),
            ("my-key", false),
            ("é", false),
        ];
        for (name, accepted) in rows {
            assert_eq!(Variables::default().set(name, "").is_ok(), accepted, "{name}");
        }
        let error = Variables::default().set("my-key", "").expect_err("refused");
        assert_eq!(
            error.to_string(),
            "`my-key` cannot name a variable: only letters, digits and `_` can, and no digit comes first"
        );
    }

    #[test]
    fn values_lose_their_line_feeds_and_are_not_shown() {
        let mut variables = Variables::default();
        variables.set("token", "s3cr\net\n").expect("a name");
        assert_eq!(variables.get("token"), Some("s3cret"));
        assert_eq!(format!("{variables:?}"), r#"{"token"}"#);
    }
}
