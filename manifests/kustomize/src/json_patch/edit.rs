//! Values at the paths of JSON Pointer: found, added, removed and replaced.

use fairlead_yaml::MAX_DEPTH;
use serde_json::Value as Json;

use super::OperationError;

fn missing(op: &str, path: &str) -> OperationError {
    OperationError(format!("{op} operation does not apply: doc is missing path: {path:?}: missing value"))
}

fn bad_index(op: &str, path: &str, index: &str) -> OperationError {
    OperationError(format!(
        "error in {op} for path: '{path}': Unable to access invalid index: {index}: invalid index referenced"
    ))
}

pub(super) fn tokens(path: &str) -> Vec<String> {
    path.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~")).collect()
}

/// What `path` names; `None` for a key that is missing in an object.
pub(super) fn get<'a>(object: &'a mut Json, op: &str, path: &str) -> Result<Option<&'a Json>, OperationError> {
    let (parent, token) = parent(object, op, path)?;
    match parent {
        Json::Array(items) => {
            let index = existing_index(&token, items.len()).ok_or_else(|| bad_index(op, path, &token))?;
            Ok(items.get(index))
        }
        fields => Ok(fields.get(&token)),
    }
}

fn find_mut<'a>(object: &'a mut Json, tokens: &[String]) -> Option<&'a mut Json> {
    tokens.iter().try_fold(object, |value, token| match value {
        Json::Object(fields) => fields.get_mut(token),
        Json::Array(items) => {
            let index = existing_index(token, items.len())?;
            items.get_mut(index)
        }
        _ => None,
    })
}

/// The index that `token` means in a list of `len` items; a negative one counts from the end.
fn existing_index(token: &str, len: usize) -> Option<usize> {
    let index: i64 = token.parse().ok()?;
    let len = i64::try_from(len).ok()?;
    let index = if index < 0 { index + len } else { index };
    (0..len).contains(&index).then(|| usize::try_from(index).ok()).flatten()
}

/// The collection that holds what `path` names, and the name in it.
fn parent<'a>(object: &'a mut Json, op: &str, path: &str) -> Result<(&'a mut Json, String), OperationError> {
    let mut tokens = tokens(path);
    let last = tokens.pop().ok_or_else(|| missing(op, path))?;
    let parent = find_mut(object, &tokens).filter(|parent| parent.is_object() || parent.is_array());
    Ok((parent.ok_or_else(|| missing(op, path))?, last))
}

/// Fails if an object would be nested more deeply with `value` at `path` than a text may be.
fn check_depth(path: &str, value: &Json) -> Result<(), OperationError> {
    if tokens(path).len() + depth(value) <= MAX_DEPTH {
        return Ok(());
    }
    Err(OperationError(format!("the value at {path:?} would be nested more than {MAX_DEPTH} deep")))
}

fn depth(value: &Json) -> usize {
    match value {
        Json::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Json::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => 0,
    }
}

pub(super) fn add(object: &mut Json, path: &str, value: Json) -> Result<(), OperationError> {
    check_depth(path, &value)?;
    let (parent, token) = parent(object, "add", path)?;
    match parent {
        Json::Object(fields) => drop(fields.insert(token, value)),
        Json::Array(items) if token == "-" => items.push(value),
        Json::Array(items) => {
            // An element may be put behind the last one, so there is one place more than there are elements.
            let index = existing_index(&token, items.len() + 1).ok_or_else(|| bad_index("add", path, &token))?;
            items.insert(index, value);
        }
        _ => return Err(missing("add", path)),
    }
    Ok(())
}

pub(super) fn remove(object: &mut Json, path: &str) -> Result<Json, OperationError> {
    let (parent, token) = parent(object, "remove", path)?;
    match parent {
        Json::Object(fields) => fields.remove(&token).ok_or_else(|| {
            OperationError(format!(
                "error in remove for path: '{path}': Unable to remove nonexistent key: {token}: missing value"
            ))
        }),
        Json::Array(items) => {
            let index = existing_index(&token, items.len()).ok_or_else(|| bad_index("remove", path, &token))?;
            Ok(items.remove(index))
        }
        _ => Err(missing("remove", path)),
    }
}

pub(super) fn replace(object: &mut Json, path: &str, value: Json) -> Result<(), OperationError> {
    check_depth(path, &value)?;
    if path.is_empty() {
        *object = value;
        return Ok(());
    }
    let (parent, token) = parent(object, "replace", path).map_err(|_| {
        OperationError(format!("replace operation does not apply: doc is missing path: {path}: missing value"))
    })?;
    match parent {
        Json::Object(fields) => drop(fields.insert(token, value)),
        Json::Array(items) => {
            let index = existing_index(&token, items.len()).ok_or_else(|| bad_index("replace", path, &token))?;
            items[index] = value;
        }
        _ => return Err(missing("replace", path)),
    }
    Ok(())
}
