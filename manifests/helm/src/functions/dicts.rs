//! Maps.

use super::defaults::is_empty;
use super::strings::to_text;
use super::{Call, Function, Returned, Type};
use crate::template::CallError;
use crate::value::{Entries, Map, MapType, Text, Value};

const MAP: &[Type] = &[Type::Map];
const MAP_KEY: &[Type] = &[Type::Map, Type::Text];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("dict", &[], dict, "A map of keys and values in turn (Sprig).").rest(Type::Any),
    Function::new("get", MAP_KEY, get, "The value of a key, or an empty text (Sprig)."),
    Function::new("set", &[Type::Map, Type::Text, Type::Any], set, "Sets a key of a map, and returns it (Sprig)."),
    Function::new("unset", MAP_KEY, unset, "Takes a key out of a map, and returns it (Sprig)."),
    Function::new("hasKey", MAP_KEY, has_key, "Whether a map has a key (Sprig)."),
    Function::new("pluck", &[Type::Text], pluck, "The values of a key in several maps (Sprig).").rest(Type::Map),
    Function::new("keys", &[], keys, "The keys of maps, in byte order (Sprig, where it is random).").rest(Type::Map),
    Function::new("values", MAP, values, "The values of a map in the order of its keys (Sprig, where it is random)."),
    Function::new("pick", MAP, pick, "A map with some keys of another (Sprig).").rest(Type::Text),
    Function::new("omit", MAP, omit, "A map without some keys of another (Sprig).").rest(Type::Text),
    Function::new("dig", &[], dig, "The value at a path of keys in a map, or a default (Sprig).").rest(Type::Any),
    Function::new("merge", MAP, merge, "Fills what a map lacks from others (Sprig).").rest(Type::Map),
    Function::new("mustMerge", MAP, merge, "Fills what a map lacks from others (Sprig).").rest(Type::Map),
    Function::new("mergeOverwrite", MAP, overwrite, "Merges maps into one, later ones over it (Sprig).")
        .rest(Type::Map),
    Function::new("mustMergeOverwrite", MAP, overwrite, "Merges maps into one, later ones over it (Sprig).")
        .rest(Type::Map),
];

fn dict(call: &mut Call<'_, '_>) -> Returned {
    let mut entries = Entries::new();
    for pair in call.all().chunks(2) {
        entries.insert(to_text(&pair[0]), pair.get(1).cloned().unwrap_or_else(|| "".into()));
    }
    Ok(Map::new(entries).into())
}

fn get(call: &mut Call<'_, '_>) -> Returned {
    Ok(call.map(0).get(call.text(1)).unwrap_or_else(|| "".into()))
}

fn set(call: &mut Call<'_, '_>) -> Returned {
    call.charge(call.text(1).len())?;
    call.map(0).insert(call.text(1).clone(), call.any(2).clone());
    Ok(call.any(0).clone())
}

fn unset(call: &mut Call<'_, '_>) -> Returned {
    call.map(0).remove(call.text(1));
    Ok(call.any(0).clone())
}

fn has_key(call: &mut Call<'_, '_>) -> Returned {
    Ok(call.map(0).contains(call.text(1)).into())
}

fn pluck(call: &mut Call<'_, '_>) -> Returned {
    let found = (1..call.all().len()).filter_map(|index| call.map(index).get(call.text(0)));
    Ok(Value::list(found.collect()))
}

fn keys(call: &mut Call<'_, '_>) -> Returned {
    let all = (0..call.all().len()).flat_map(|index| call.map(index).entries().keys().cloned().collect::<Vec<_>>());
    Ok(Value::texts(all))
}

fn values(call: &mut Call<'_, '_>) -> Returned {
    Ok(Value::list(call.map(0).entries().values().cloned().collect()))
}

fn pick(call: &mut Call<'_, '_>) -> Returned {
    let picked = (1..call.all().len()).filter_map(|index| {
        let key = call.text(index);
        Some((key.clone(), call.map(0).get(key)?))
    });
    Ok(picked.collect::<Map>().into())
}

fn omit(call: &mut Call<'_, '_>) -> Returned {
    let is_kept = |key: &Text| (1..call.all().len()).all(|index| call.text(index) != key);
    Ok(call.map(0).snapshot().into_iter().filter(|(key, _)| is_kept(key)).collect::<Map>().into())
}

fn dig(call: &mut Call<'_, '_>) -> Returned {
    let [path @ .., default, dict] = call.all() else { return Err("dig needs at least three arguments".into()) };
    if path.is_empty() {
        return Err("dig needs at least three arguments".into());
    }
    let mut map = plain_map(dict)?;
    let mut keys = Vec::new();
    for key in path {
        let Value::Text(key) = key else { return Err(not_a("string", key)) };
        keys.push(key);
    }
    for (index, key) in keys.iter().enumerate() {
        let Some(value) = map.get(key) else { return Ok(default.clone()) };
        if index + 1 == keys.len() {
            return Ok(value);
        }
        map = plain_map(&value)?;
    }
    Ok(default.clone())
}

fn plain_map(value: &Value) -> Result<Map, CallError> {
    match value {
        Value::Map(map) if map.map_type() == MapType::Any => Ok(map.clone()),
        other => Err(not_a("map[string]interface {}", other)),
    }
}

/// What Go says when an interface holds another type than is asked for.
fn not_a(wanted: &str, value: &Value) -> CallError {
    let given = value.type_name().unwrap_or("nil");
    format!("interface conversion: interface {{}} is {given}, not {wanted}").into()
}

/// Deepest nesting that is merged; a map may contain itself.
const MAX_DEPTH: usize = 1000;

/// Which side of a merge wins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Winner {
    Destination,
    Source,
}

fn merge(call: &mut Call<'_, '_>) -> Returned {
    merge_all(call, Winner::Destination)
}

fn overwrite(call: &mut Call<'_, '_>) -> Returned {
    merge_all(call, Winner::Source)
}

fn merge_all(call: &mut Call<'_, '_>, winner: Winner) -> Returned {
    for index in 1..call.all().len() {
        merge_maps(call, (call.map(0), call.map(index)), winner, 0)?;
    }
    Ok(call.any(0).clone())
}

/// Merges `source` into `destination`, maps in them likewise.
///
/// # Follows mergo
/// Empty counts as absent: `false`, `0` and `""` in the destination give way. A null of the source counts only if the
/// source wins. Lists are taken whole.
fn merge_maps(
    call: &mut Call<'_, '_>,
    (destination, source): (&Map, &Map),
    winner: Winner,
    depth: usize,
) -> Result<(), CallError> {
    if destination.is_same(source) {
        return Ok(());
    }
    if depth > MAX_DEPTH {
        return Err(format!("maps are nested deeper than {MAX_DEPTH}").into());
    }
    for (key, theirs) in source.snapshot() {
        call.charge(key.len() + size_of::<Value>())?;
        let ours = destination.get(&key);
        if theirs.is_nil() && winner == Winner::Destination {
            continue;
        }
        if let (Some(Value::Map(ours)), Value::Map(theirs)) = (&ours, &theirs) {
            merge_maps(call, (ours, theirs), winner, depth + 1)?;
            if !ours.is_empty() {
                continue;
            }
        }
        if winner == Winner::Source || ours.is_none_or(|ours| is_empty(&ours)) {
            destination.insert(key, theirs);
        }
    }
    Ok(())
}
