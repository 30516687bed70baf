//! Laying values over each other.
//!
//! # Follows Helm
//! There are two ways. *Coalescing* gives what templates see: a null that a user writes takes away the chart's
//! default. *Merging* keeps nulls, for values that will be coalesced later. In both, maps are merged and anything
//! else is replaced as a whole.

use crate::value::{Map, Text, Value};

/// What becomes of nulls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nulls {
    /// They take away what they stand for.
    Remove,
    /// They stay.
    Keep,
}

/// A subchart's values are not a map.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("type mismatch on {chart}: {found}")]
pub struct TypeMismatch {
    /// The chart.
    pub chart: String,
    /// What its values are, as Go prints it with the verb for booleans.
    pub found: String,
}

/// A chart as far as its values matter.
pub(crate) trait Scope: Sized {
    /// The name under which its values stand.
    fn name(&self) -> &str;

    /// Its default values.
    fn values(&self) -> &Map;

    /// The charts inside of it.
    fn inside(&self) -> &[Self];
}

const GLOBAL: &[u8] = b"global";

/// The values that `chart` and the charts inside of it get when `given` is laid over their defaults.
pub(crate) fn coalesced(chart: &impl Scope, given: &Map, nulls: Nulls) -> Result<Map, TypeMismatch> {
    let Value::Map(values) = Value::Map(given.clone()).deep_copy() else {
        unreachable!("a copy of a map is a map");
    };
    coalesce(chart, &values, nulls)?;
    Ok(values)
}

fn coalesce(chart: &impl Scope, values: &Map, nulls: Nulls) -> Result<(), TypeMismatch> {
    coalesce_defaults(chart, values, nulls);
    for inside in chart.inside() {
        let name = Text::from(inside.name());
        let below = match values.get(&name) {
            None => {
                let below = Map::default();
                values.insert(name, below.clone().into());
                below
            }
            Some(Value::Map(below)) => below,
            Some(other) => {
                let found = String::from_utf8_lossy(&crate::fmt::sprintf(b"%t", &[other])).into_owned();
                return Err(TypeMismatch { chart: inside.name().to_owned(), found });
            }
        };
        hand_down_globals(&below, values);
        coalesce(inside, &below, nulls)?;
    }
    Ok(())
}

fn coalesce_defaults<S: Scope>(chart: &S, values: &Map, nulls: Nulls) {
    for (key, default) in chart.values().entries().iter() {
        match (values.get(key), default) {
            (Some(Value::Map(ours)), Value::Map(default)) => {
                let is_chart = chart.inside().iter().any(|inside| inside.name().as_bytes() == &**key);
                lay_over(&ours, default, if is_chart { Nulls::Keep } else { nulls });
            }
            (Some(Value::Nil), _) if nulls == Nulls::Remove => drop(values.remove(key)),
            (ours, default) => fill(values, key, ours.as_ref(), default, nulls),
        }
    }
}

/// Sets `key` of `values` to a copy of its default, where it has no value of its own.
fn fill(values: &Map, key: &Text, own: Option<&Value>, default: &Value, nulls: Nulls) {
    match (own, default, nulls) {
        (Some(_), ..) | (None, Value::Nil, Nulls::Remove) => {}
        (None, Value::Map(default), Nulls::Remove) => values.insert(key.clone(), without_nulls(default).into()),
        (None, default, Nulls::Remove | Nulls::Keep) => values.insert(key.clone(), default.deep_copy()),
    }
}

/// Fills what `ours` lacks with copies from `default`.
pub(crate) fn lay_over(ours: &Map, default: &Map, nulls: Nulls) {
    if ours.is_same(default) {
        return;
    }
    for (key, default) in default.entries().iter() {
        match (ours.get(key), default) {
            (Some(Value::Map(ours)), Value::Map(default)) => lay_over(&ours, default, nulls),
            (Some(Value::Nil), default) if nulls == Nulls::Remove && !default.is_nil() => drop(ours.remove(key)),
            (own, default) => fill(ours, key, own.as_ref(), default, nulls),
        }
    }
}

/// Gives `ours` what it lacks of `theirs`: the very maps, and nulls as well.
pub(crate) fn take_over(ours: &Map, theirs: &Map) {
    if ours.is_same(theirs) {
        return;
    }
    for (key, value) in theirs.snapshot() {
        match (ours.get(&key), value) {
            (Some(Value::Map(ours)), Value::Map(value)) => take_over(&ours, &value),
            (Some(_), _) => {}
            (None, value) => ours.insert(key, value),
        }
    }
}

/// A copy of `map` in which no map holds a null.
fn without_nulls(map: &Map) -> Map {
    let copied = map.entries();
    let copied = copied.iter().filter_map(|(key, value)| match value {
        Value::Nil => None,
        Value::Map(below) => Some((key.clone(), without_nulls(below).into())),
        value => Some((key.clone(), value.deep_copy())),
    });
    copied.collect()
}

/// Gives a chart inside the global values of the one around it, which win.
fn hand_down_globals(below: &Map, around: &Map) {
    let globals = |values: &Map| match values.get(GLOBAL) {
        None => Some(Map::default()),
        Some(Value::Map(globals)) => Some(globals),
        Some(_) => None,
    };
    let (Some(ours), Some(theirs)) = (globals(below), globals(around)) else { return };
    for (key, value) in theirs.snapshot() {
        match (value, ours.get(&key)) {
            (Value::Map(value), None) => ours.insert(key, shallow_copy(&value).into()),
            (Value::Map(value), Some(Value::Map(old))) => {
                let value = shallow_copy(&value);
                lay_over(&value, &old, Nulls::Keep);
                ours.insert(key, value.into());
            }
            (Value::Map(_), Some(_)) | (_, Some(Value::Map(_))) => {}
            (value, _) => ours.insert(key, value),
        }
    }
    below.insert(GLOBAL.into(), ours.into());
}

fn shallow_copy(map: &Map) -> Map {
    map.snapshot().into_iter().collect()
}

/// Merges `over` into `values`: maps are merged, anything else is replaced, by a null as well.
pub(crate) fn merge_over(values: &Map, over: &Map) {
    for (key, value) in over.snapshot() {
        match (values.get(&key), value) {
            (Some(Value::Map(old)), Value::Map(new)) => merge_over(&old, &new),
            (_, value) => values.insert(key, value),
        }
    }
}

/// The map at a path of keys; `None` if there is none.
pub(crate) fn table(values: &Map, path: &str) -> Option<Map> {
    path.split('.').try_fold(values.clone(), |map, key| match map.get(key.as_bytes()) {
        Some(Value::Map(below)) => Some(below),
        _ => None,
    })
}

/// The value at a path of keys, if it is no map.
pub(crate) fn leaf(values: &Map, path: &str) -> Option<Value> {
    let (map, key) = match path.rsplit_once('.') {
        Some((above, key)) => (table(values, above)?, key),
        None => (values.clone(), path),
    };
    map.get(key.as_bytes()).filter(|value| !matches!(value, Value::Map(_)))
}
