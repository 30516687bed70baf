//! Paths of values.

use std::fmt;

/// The path of a value from the outermost chart, as `image.tag`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValuePath(Vec<String>);

impl ValuePath {
    /// The path with these keys.
    pub(crate) fn of<'k>(keys: impl IntoIterator<Item = &'k [u8]>) -> Self {
        Self(keys.into_iter().map(|key| String::from_utf8_lossy(key).into_owned()).collect())
    }

    /// Its keys.
    pub fn keys(&self) -> &[String] {
        &self.0
    }
}

/// As `--set` takes it: a dot in a key has a backslash before it.
impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.0.iter().map(|key| key.replace('\\', "\\\\").replace('.', "\\.")).collect();
        f.write_str(&keys.join("."))
    }
}
