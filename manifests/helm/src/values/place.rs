//! Where values are set.
//!
//! Values carry nothing along: where one comes from is looked for when someone asks, which is when something is wrong.

use fairlead_yaml::{Node, parse};

use super::{UserValues, apply};
use crate::value::{Map, Text, Value};

/// Something that sets values: the weaker ones come first.
pub(crate) enum Setter<'v> {
    /// The defaults of a chart, whose values are below `scope`.
    Defaults {
        /// Its file.
        file: String,
        /// What the file holds.
        text: &'v Text,
        /// The names of the charts on the way to it.
        scope: Vec<String>,
    },
    /// What a user gives.
    Given(&'v UserValues),
}

/// Where the value at `path` is set, as `values.yaml:12` or `--set image.tag`; `None` if nothing sets it.
pub(crate) fn place_of(setters: &[Setter<'_>], path: &[String]) -> Option<String> {
    setters.iter().rev().find_map(|setter| setter.place_of(path))
}

impl Setter<'_> {
    fn place_of(&self, path: &[String]) -> Option<String> {
        match self {
            Self::Defaults { file, text, scope } => {
                line_in(text, path.strip_prefix(scope.as_slice())?).map(|line| at(file, line))
            }
            Self::Given(UserValues::File { name, content }) => line_in(content, path).map(|line| at(name, line)),
            // Only the path is told: a value may be secret.
            Self::Given(values) => sets(values, path).then(|| format!("{} {}", values.flag(), path.join("."))),
        }
    }
}

/// Whether `given` alone makes something of the value at `path`.
fn sets(given: &UserValues, path: &[String]) -> bool {
    let values = Map::default();
    if apply(&values, given).is_err() {
        return false;
    }
    let below = |value: Value, key: &String| match value {
        Value::Map(map) => map.get(key.as_bytes()),
        _ => None,
    };
    path.iter().try_fold(Value::Map(values), below).is_some()
}

fn at(file: &str, line: u32) -> String {
    format!("{file}:{line}")
}

/// The line in a YAML text of the value at `path`, in the last document that has it.
fn line_in(text: &[u8], path: &[String]) -> Option<u32> {
    let documents = parse(&String::from_utf8_lossy(text)).ok()?;
    documents.iter().rev().find_map(|document| line_of(document, path))
}

fn line_of(node: &Node, path: &[String]) -> Option<u32> {
    let (key, rest) = path.split_first()?;
    if let Some(items) = node.as_sequence() {
        let item = items.get(key.parse::<usize>().ok()?)?;
        return if rest.is_empty() { Some(item.position.line) } else { line_of(item, rest) };
    }
    let (key, value) = node.as_mapping()?.get_entry(key)?;
    if rest.is_empty() { Some(key.position.line) } else { line_of(value, rest) }
}
