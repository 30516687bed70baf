//! YAML as a generator makes it: what is said, before it is decided how it is written.

/// A value that will be written. Text stands as it will be written, quotes and tags included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Yaml {
    /// A scalar on one line, written the same inside brackets.
    Text(String),
    /// A block scalar: its header and its lines.
    Lines(&'static str, Vec<&'static str>),
    /// A text of several lines, with a line break at its end.
    Quoted(String),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
    /// A value with an anchor of this name.
    Anchored(&'static str, Box<Yaml>),
}

impl From<&str> for Yaml {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Yaml {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<usize> for Yaml {
    fn from(number: usize) -> Self {
        Self::Text(number.to_string())
    }
}

impl From<Vec<Yaml>> for Yaml {
    fn from(items: Vec<Yaml>) -> Self {
        Self::List(items)
    }
}

impl Yaml {
    /// Adds an entry, if this is a map.
    pub(super) fn put(&mut self, key: &str, value: impl Into<Self>) {
        if let Self::Map(entries) = self {
            entries.push((key.to_owned(), value.into()));
        }
    }

    /// The value of `key`, if this is a map that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The text of a scalar on one line; empty for anything else.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Lines(..) | Self::Quoted(_) | Self::List(_) | Self::Map(_) | Self::Anchored(..) => "",
        }
    }
}

/// A map of the given entries, in their order.
macro_rules! map {
    ($($key:literal: $value:expr),* $(,)?) => {
        $crate::generate::yaml::Yaml::Map(vec![
            $(($key.to_owned(), $crate::generate::yaml::Yaml::from($value))),*
        ])
    };
}
/// A list of the given items.
macro_rules! list {
    ($($item:expr),* $(,)?) => {
        $crate::generate::yaml::Yaml::List(vec![$($crate::generate::yaml::Yaml::from($item)),*])
    };
}
pub(super) use {list, map};
