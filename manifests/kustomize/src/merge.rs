//! The strategic merge of a patch into an object.
//!
//! # Follows kustomize
//! Mappings merge by key and scalars are replaced. A list is replaced unless the schema gives it merge keys; then
//! elements are matched by them, and what the patch names comes first. `null` and `$patch: delete` remove,
//! `$patch: replace` replaces. Everything in a patched object is walked, so a key without a value is dropped even where
//! the patch says nothing, while a spelled `null` stays. `$setElementOrder`, `$deleteFromPrimitiveList` and
//! `$retainKeys` are fields like any other.

use std::collections::HashSet;

use fairlead_yaml::{Mapping, Node, Value};

use crate::{
    node::{self, NodeKind},
    schema::{List, Place},
};

const DIRECTIVE: &str = "$patch";

/// Why a patch does not fit an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MergeError(pub(crate) String);

type Merged = Result<Option<Node>, MergeError>;

/// What `$patch` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

/// Merges `patch` into `object`, which stands at `place` of the schema; `None` if nothing is left.
pub(crate) fn merge(object: Option<Node>, patch: Option<&Node>, place: Place<'_>) -> Merged {
    let present = |node: &&Node| !node.is_null();
    let kinds = [object.as_ref().filter(present), patch.filter(present)];
    let Some(kind) = kinds.iter().flatten().map(|node| NodeKind::of(node)).next() else {
        let spelled = |node: &Node| node.as_str().is_some_and(|text| !text.is_empty());
        return Ok(object.filter(|node| patch.is_none() && spelled(node)));
    };
    if let Some(other) = kinds.iter().flatten().find(|node| NodeKind::of(node) != kind) {
        return Err(wrong_kind(kind, other));
    }
    if patch.is_some_and(Node::is_null) {
        return Ok(None);
    }
    match kind {
        NodeKind::Scalar => Ok(patch.cloned().or(object)),
        NodeKind::Mapping => merge_mappings(object.filter(|node| !node.is_null()), patch, place),
        NodeKind::Sequence => merge_lists(object.filter(|node| !node.is_null()), patch, place),
    }
}

fn wrong_kind(wanted: NodeKind, found: &Node) -> MergeError {
    let contents = node::printed(found);
    let (wanted, found) = (wanted.name(), NodeKind::of(found).name());
    MergeError(format!("wrong node kind: expected {wanted} but got {found}: node contents:\n{contents}"))
}

fn merge_mappings(object: Option<Node>, patch: Option<&Node>, place: Place<'_>) -> Merged {
    let patched = patch.map(mapping_directive).transpose()?;
    let (directive, patch) = match &patched {
        Some((directive, entries)) => (*directive, Some(entries)),
        None => (Directive::Merge, None),
    };
    let mut merged = match (directive, object, patch) {
        (Directive::Merge, Some(object), _) => object,
        (Directive::Replace | Directive::Merge, _, Some(entries)) => Node::mapping(entries.clone()),
        (Directive::Delete, ..) | (Directive::Replace | Directive::Merge, _, None) => return Ok(None),
    };
    let Some(entries) = merged.as_mapping_mut() else { return Ok(Some(merged)) };
    merge_entries(entries, patch, place)?;
    Ok(Some(merged))
}

fn merge_entries(entries: &mut Mapping, patch: Option<&Mapping>, place: Place<'_>) -> Result<(), MergeError> {
    let mut result = Mapping::new();
    for (key, value) in std::mem::take(entries) {
        let name = key.as_str().unwrap_or_default();
        let patch = patch.and_then(|patch| patch.get(name));
        if let Some(value) = merge(Some(value), patch, place.field(name))? {
            result.push(key, value);
        }
    }
    for (key, patch) in patch.into_iter().flat_map(Mapping::iter) {
        let name = key.as_str().unwrap_or_default();
        let is_new = !result.contains_key(name);
        // A key that was merged to nothing above is null in the patch, and nothing again here.
        if is_new && let Some(value) = merge(None, Some(patch), place.field(name))? {
            result.push(key.clone(), value);
        }
    }
    *entries = result;
    Ok(())
}

/// Splits a patch into its directive and the rest.
fn mapping_directive(patch: &Node) -> Result<(Directive, Mapping), MergeError> {
    let mut entries = patch.as_mapping().cloned().unwrap_or_default();
    let directive = match entries.remove(DIRECTIVE) {
        Some(directive) => parse_directive(&directive)?,
        None => Directive::Merge,
    };
    Ok((directive, entries))
}

fn parse_directive(directive: &Node) -> Result<Directive, MergeError> {
    match directive.as_str() {
        Some("merge") => Ok(Directive::Merge),
        Some("replace") => Ok(Directive::Replace),
        Some("delete") => Ok(Directive::Delete),
        other => Err(MergeError(format!("unknown patch strategy '{}'", other.unwrap_or_default()))),
    }
}

/// Splits a list of a patch into its directive, which is an element of its own, and the other elements.
fn list_directive(patch: &Node) -> Result<(Directive, Vec<Node>), MergeError> {
    let mut items = patch.as_sequence().unwrap_or_default().to_vec();
    let is_directive =
        |item: &Node| item.as_mapping().is_some_and(|entries| entries.len() == 1 && entries.contains_key(DIRECTIVE));
    let Some(position) = items.iter().position(is_directive) else { return Ok((Directive::Merge, items)) };
    let directive = items[position].get(DIRECTIVE).map(parse_directive).transpose()?;
    items.remove(position);
    Ok((directive.unwrap_or(Directive::Merge), items))
}

fn merge_lists(object: Option<Node>, patch: Option<&Node>, place: Place<'_>) -> Merged {
    let List::Keyed(keys) = place.list() else {
        return match place.list() {
            List::Set => merge_sets(object.as_ref(), patch),
            List::Replaced | List::Keyed(_) => Ok(patch.cloned().or(object)),
        };
    };
    let patched = patch.map(list_directive).transpose()?;
    let (directive, patch) = patched.unwrap_or((Directive::Merge, Vec::new()));
    let mut merged = match (directive, object) {
        (Directive::Delete, _) => return Ok(None),
        (Directive::Replace, _) | (Directive::Merge, None) => Node::sequence(patch.clone()),
        (Directive::Merge, Some(object)) => object,
    };
    let Value::Sequence(items) = &mut merged.value else { return Ok(Some(merged)) };
    let old = std::mem::take(items);
    *items = merge_keyed(old, &patch, keys, place)?;
    Ok(Some(merged))
}

fn merge_sets(object: Option<&Node>, patch: Option<&Node>) -> Merged {
    let patched = patch.map(list_directive).transpose()?;
    let (directive, mut items) = patched.unwrap_or((Directive::Merge, Vec::new()));
    if directive == Directive::Delete {
        return Ok(None);
    }
    if directive == Directive::Merge {
        let old = object.and_then(Node::as_sequence).unwrap_or_default();
        items.extend(old.iter().cloned());
    }
    let mut seen = HashSet::new();
    items.retain(|item| seen.insert(item.as_str().map(str::to_owned)));
    Ok(Some(Node::sequence(items)))
}

/// The texts of an element's keys; empty where it has none.
type KeyValues = Vec<String>;

fn merge_keyed(mut old: Vec<Node>, patch: &[Node], keys: &[String], place: Place<'_>) -> Result<Vec<Node>, MergeError> {
    let wanted = key_values(patch.iter().chain(&old), keys);
    if patch.is_empty() && wanted.len() == old.len() && wanted.iter().flatten().all(|value| !value.is_empty()) {
        let merged = old.into_iter().map(|item| merge(Some(item), None, place.element()));
        return Ok(merged
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .filter(|item| !node::is_empty(item))
            .collect());
    }
    let wanted = unify(wanted);
    let used = used_keys(&wanted, keys);
    let mut front = Vec::new();
    for values in &wanted {
        let (matched_keys, matched_values) = non_empty(keys, values);
        let find = |items: &[Node]| items.iter().position(|item| has_values(item, &matched_keys, &matched_values));
        let (old_position, patched) = (find(&old), find(patch).map(|position| &patch[position]));
        let merged = merge(old_position.map(|position| old[position].clone()), patched, place.element())?;
        let values: Vec<String> =
            keys.iter().zip(values).filter(|(key, _)| used.contains(key)).map(|(_, value)| value.clone()).collect();
        let Some(mut merged) = merged.filter(|merged| !node::is_empty(merged)) else {
            set_element(&mut old, None, &used, &values);
            continue;
        };
        fill_in(&mut merged, &used, &values);
        if let Some(position) = old_position {
            old[position] = merged.clone();
        }
        set_element(&mut front, Some(merged), &used, &values);
    }
    append(&mut front, old, &used);
    Ok(front)
}

/// The distinct key values of `items`, in their order; elements without any of the keys have none.
fn key_values<'a>(items: impl Iterator<Item = &'a Node>, keys: &[String]) -> Vec<KeyValues> {
    let mut seen = HashSet::new();
    let values = items.map(|item| keys.iter().map(|key| node::text_at(item, &[key]).to_owned()).collect::<KeyValues>());
    values.filter(|values| values.iter().any(|value| !value.is_empty()) && seen.insert(values.clone())).collect()
}

/// Fills the gaps of key values that agree in one place with another's and differ only where one is empty.
fn unify(mut wanted: Vec<KeyValues>) -> Vec<KeyValues> {
    if wanted.first().is_none_or(|values| values.len() < 2) {
        return wanted;
    }
    for i in 0..wanted.len() {
        let values = wanted[i].clone();
        for j in 0..wanted.len() {
            if let Some(unified) = unified(&values, &wanted[j]) {
                wanted[i].clone_from(&unified);
                wanted[j] = unified;
            }
        }
    }
    wanted
}

fn unified(a: &KeyValues, b: &KeyValues) -> Option<KeyValues> {
    let agree = a.iter().zip(b).any(|(a, b)| a == b);
    let merged = a.iter().zip(b).map(|(a, b)| match (a.is_empty(), b.is_empty()) {
        (false, false) if a != b => None,
        (true, _) => Some(b.clone()),
        (false, _) => Some(a.clone()),
    });
    merged.collect::<Option<KeyValues>>().filter(|_| agree)
}

/// The keys that some element has.
fn used_keys<'a>(wanted: &[KeyValues], keys: &'a [String]) -> Vec<&'a String> {
    let is_used = |position: &usize| wanted.iter().any(|values| !values[*position].is_empty());
    (0..keys.len()).filter(is_used).map(|position| &keys[position]).collect()
}

fn non_empty<'a>(keys: &'a [String], values: &'a [String]) -> (Vec<&'a String>, Vec<&'a str>) {
    keys.iter().zip(values).filter(|(_, value)| !value.is_empty()).map(|(key, value)| (key, value.as_str())).unzip()
}

fn has_values(item: &Node, keys: &[&String], values: &[&str]) -> bool {
    keys.iter().zip(values).all(|(key, value)| node::text_at(item, &[key]) == *value)
}

fn fill_in(item: &mut Node, keys: &[&String], values: &[String]) {
    let Some(entries) = item.as_mapping_mut() else { return };
    for (key, value) in keys.iter().zip(values).filter(|(_, value)| !value.is_empty()) {
        if !entries.contains_key(key) {
            entries.insert(key, Node::plain(value.as_str()));
        }
    }
}

/// Puts `element` in place of the items that have `values` for `keys`, or at the end; without one, takes them out.
///
/// An empty value stands for any, and so does one that is missing at the end. Without any value nothing is kept, which
/// is how an element without keys costs a list its others.
fn set_element(items: &mut Vec<Node>, element: Option<Node>, keys: &[&String], values: &[String]) {
    let matches = |item: &Node| {
        !values.is_empty()
            && keys.iter().zip(values).all(|(key, value)| match item.get(key).filter(|field| !field.is_null()) {
                Some(field) => value.is_empty() || field.as_str() == Some(value),
                None => false,
            })
    };
    let mut found = false;
    let mut kept = Vec::with_capacity(items.len() + 1);
    for item in items.drain(..).filter(|item| !node::is_empty(item)) {
        if item.as_mapping().is_none() {
            kept.push(item);
        } else if matches(&item) {
            found = true;
            kept.extend(element.clone());
        } else if !values.is_empty() {
            kept.push(item);
        }
    }
    *items = kept;
    items.extend(element.filter(|_| !found));
}

/// Appends the old elements behind those that the patch names; one that is there already stays where it is.
fn append(front: &mut Vec<Node>, old: Vec<Node>, keys: &[&String]) {
    for item in old {
        let found = keys.iter().map(|key| item.get(key).filter(|field| !field.is_null()).and_then(Node::as_str));
        let values: Vec<String> = found.clone().flatten().map(str::to_owned).collect();
        if found.clone().any(|value| value.is_none()) {
            front.push(item.clone());
        }
        if keys.len() > 1 {
            set_element(front, None, keys, &values);
        }
        set_element(front, Some(item), keys, &values);
    }
}
