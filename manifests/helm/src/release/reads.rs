//! Which values the templates of a chart read, so that a change of others renders nothing.

use std::collections::{BTreeMap, btree_map::Entry};

use fairlead_object::Digest;

use super::prepared::Prepared;
use super::{Instance, Release, RenderError, on_deep_stack};
use crate::chart::Chart;
use crate::value::{Look, Looked, Map, Value};
use crate::values::{UserValues, ValuePath};

/// What the templates of one rendering read of the values, and which charts were used.
///
/// The same chart for the same release makes the same of all values in which nothing of it is another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuesRead {
    charts: Vec<String>,
    seen: BTreeMap<Seen, Digest>,
}

/// Why a chart must be rendered again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValuesChange {
    /// Other charts are used.
    Charts,
    /// This value is another.
    Value(ValuePath),
}

/// A part of the values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    /// What is at a path; of a map only that it is one.
    Value(ValuePath),
    /// Which keys the map at a path has.
    Keys(ValuePath),
    /// The keys and values of the map at a path; of maps in it only that they are some.
    Entries(ValuePath),
}

impl ValuesRead {
    /// What is known before any template has been executed.
    pub(super) fn nothing_of(prepared: &Prepared<'_>) -> Self {
        let mut charts = Vec::new();
        collect_charts(&prepared.chart, "", &mut charts);
        Self { charts, seen: BTreeMap::new() }
    }

    /// Adds what was looked at of `values`, which are as they were before any template changed them.
    pub(super) fn add(&mut self, looks: &[Look], values: &Map) {
        for look in looks {
            if let Entry::Vacant(new) = self.seen.entry(Seen::from(look)) {
                let digest = new.key().digest(values);
                new.insert(digest);
            }
        }
    }

    /// How many values were read.
    pub fn count(&self) -> usize {
        self.seen.len()
    }

    /// Why `chart` must be rendered again for `release` if it is given `given`; `None` if it would make the same.
    ///
    /// # Errors
    /// If those values cannot be used at all: then rendering says the same.
    pub fn first_change(
        &self,
        chart: &Chart,
        release: &Release,
        given: &[UserValues],
    ) -> Result<Option<ValuesChange>, RenderError> {
        on_deep_stack(|| {
            let prepared = Prepared::new(chart, release, given)?;
            if Self::nothing_of(&prepared).charts != self.charts {
                return Ok(Some(ValuesChange::Charts));
            }
            let changed = self.seen.iter().find(|(seen, digest)| seen.digest(&prepared.values) != **digest);
            Ok(changed.map(|(seen, _)| ValuesChange::Value(seen.path().clone())))
        })
    }
}

impl From<&Look> for Seen {
    fn from(look: &Look) -> Self {
        let path = ValuePath::of(look.path.iter().map(|key| &**key));
        match &look.looked {
            Looked::At(_) => Self::Value(path_of(look)),
            Looked::Keys => Self::Keys(path),
            Looked::Entries => Self::Entries(path),
        }
    }
}

/// The path of the value that was looked at.
pub(super) fn path_of(look: &Look) -> ValuePath {
    let key = match &look.looked {
        Looked::At(key) => Some(&**key),
        Looked::Keys | Looked::Entries => None,
    };
    ValuePath::of(look.path.iter().map(|key| &**key).chain(key))
}

impl Seen {
    fn path(&self) -> &ValuePath {
        match self {
            Self::Value(path) | Self::Keys(path) | Self::Entries(path) => path,
        }
    }

    /// The digest of this part of `values`.
    fn digest(&self, values: &Map) -> Digest {
        let found = found(values, self.path());
        let mut bytes = Vec::new();
        match (self, &found) {
            (Self::Keys(_), Some(Value::Map(map))) => {
                map.entries().keys().for_each(|key| write_bytes(&mut bytes, key));
            }
            (Self::Entries(_), Some(Value::Map(map))) => {
                for (key, value) in map.entries().iter() {
                    write_bytes(&mut bytes, key);
                    write_value(&mut bytes, value, Depth::Shallow);
                }
            }
            (Self::Value(_) | Self::Keys(_) | Self::Entries(_), Some(value)) => {
                write_value(&mut bytes, value, Depth::Shallow);
            }
            (Self::Value(_) | Self::Keys(_) | Self::Entries(_), None) => bytes.push(b'-'),
        }
        Digest::of(&bytes)
    }
}

fn found(values: &Map, path: &ValuePath) -> Option<Value> {
    path.keys().iter().try_fold(Value::Map(values.clone()), |value, key| match value {
        Value::Map(map) => map.get(key.as_bytes()),
        _ => None,
    })
}

/// Whether the maps in a value are written too.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Shallow,
    Full,
}

/// Writes what a template can see of a value: its type as well, since `--set` gives other numbers than a file.
fn write_value(bytes: &mut Vec<u8>, value: &Value, depth: Depth) {
    write_bytes(bytes, value.type_name().unwrap_or("nil").as_bytes());
    match value {
        Value::Map(_) if depth == Depth::Shallow => {}
        Value::Map(map) => {
            for (key, value) in map.entries().iter() {
                write_bytes(bytes, key);
                write_value(bytes, value, Depth::Full);
            }
            bytes.push(b'}');
        }
        Value::List(list) => {
            list.iter().for_each(|item| write_value(bytes, item, Depth::Full));
            bytes.push(b']');
        }
        Value::Float(number) => bytes.extend(number.to_bits().to_le_bytes()),
        Value::Missing
        | Value::Nil
        | Value::Bool(_)
        | Value::Int(..)
        | Value::Uint(..)
        | Value::Text(_)
        | Value::Bytes(_)
        | Value::Object(_) => write_bytes(bytes, crate::fmt::display(value).as_bytes()),
    }
}

/// Writes bytes after their number, so that no two lists look the same.
fn write_bytes(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend((part.len() as u64).to_le_bytes());
    bytes.extend(part);
}

fn collect_charts(chart: &Instance<'_>, above: &str, charts: &mut Vec<String>) {
    let path = format!("{above}/{}", chart.name);
    chart.inside.iter().for_each(|inside| collect_charts(inside, &path, charts));
    charts.push(path);
}
