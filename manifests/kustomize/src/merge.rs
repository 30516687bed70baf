//! The strategic merge of a patch into an object.
//!
//! # Follows kustomize
//! Mappings merge by key and scalars are replaced. A list is replaced unless the schema gives it merge keys; then
//! elements are matched by them, and what the patch names comes first. `null` and `$patch: delete` remove,
//! `$patch: replace` replaces. Everything in a patched object is walked, so a key without a value is dropped even where
//! the patch says nothing, while a spelled `null` stays. `$setElementOrder`, `$deleteFromPrimitiveList` and
//! `$retainKeys` are fields like any other.

use std::collections::HashSet;

use fairlead_yaml::{Mapping, Node, Style, Value};

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

/// Whether a patch asks for the whole object to be replaced.
pub(crate) fn replaces(patch: &Node) -> bool {
    patch.get(DIRECTIVE).and_then(Node::as_str) == Some("replace")
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
        NodeKind::Scalar => Ok(merge_scalars(object, patch)),
        NodeKind::Mapping => merge_mappings(object.filter(|node| !node.is_null()), patch, place),
        NodeKind::Sequence => merge_lists(object.filter(|node| !node.is_null()), patch, place),
    }
}

/// A value keeps the quotes that it had, and stays a string with them unless it had a tag, or gets one that its text alone
/// would not have; one that had none gets none, and is a string by its tag if it must be. A text of which nothing is said gets quotes if YAML 1.1 reads it as something else.
fn merge_scalars(object: Option<Node>, patch: Option<&Node>) -> Option<Node> {
    match (object, patch) {
        (Some(object), Some(patch)) if object.style != Style::Plain && !object.is_null() => {
            let without_quotes = Node::plain(patch.as_str().unwrap_or_default());
            let tag = match (&object.tag, &patch.tag) {
                (Some(_), None) => node::type_tag(patch).map(Into::into),
                (Some(_), Some(tag)) => Some(tag.clone()),
                (None, tag) => tag.clone().filter(|tag| node::type_tag(&without_quotes) != Some(tag)),
            };
            let new = Node { style: object.style, tag, shared: object.shared, ..patch.clone() };
            Some(object.replaced_by(new, &patch.written))
        }
        (Some(object), Some(patch)) => {
            let mut new = Node { style: Style::Plain, shared: object.shared, ..patch.clone() };
            if new.tag.is_none() && node::is_string(patch) && !node::is_string(&new) {
                new.tag = Some("!!str".into());
            }
            Some(object.replaced_by(new, &patch.written))
        }
        (Some(object), None) if object.style == Style::Plain && may_be_text(&object) => {
            let style = Node::string(object.as_str().unwrap_or_default()).style;
            Some(Node { style, tag: None, ..object })
        }
        (object, patch) => patch.cloned().or(object),
    }
}

/// Whether a scalar without quotes is a text, or of no type at all.
fn may_be_text(scalar: &Node) -> bool {
    let has_own_tag = !matches!(scalar.tag.as_deref(), None | Some("!!str"));
    !has_own_tag && (node::is_string(scalar) || scalar.untyped && !scalar.is_null())
}

/// `new` in the brackets that `old` has, or has not: a text inside of them is written in quotes and not folded.
fn laid_out_as(old: &Node, new: Node) -> Node {
    match (&old.value, &new.value) {
        (Value::Sequence(_), Value::Sequence(_)) | (Value::Mapping(_), Value::Mapping(_)) => {
            Node { style: old.style, ..new }
        }
        (Value::Scalar(_) | Value::Sequence(_) | Value::Mapping(_), _) => new,
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
        (Directive::Merge, Some(mut object), _) => {
            // What is new is merged with itself, directives included.
            drop(object.as_mapping_mut().filter(|_| patch.is_some()).and_then(|entries| entries.remove(DIRECTIVE)));
            object
        }
        (Directive::Replace, Some(object), Some(entries)) => laid_out_as(&object, Node::mapping(entries.clone())),
        (Directive::Replace | Directive::Merge, _, Some(entries)) => Node::mapping(entries.clone()),
        (Directive::Delete, ..) | (Directive::Replace | Directive::Merge, _, None) => return Ok(None),
    };
    let Some(entries) = merged.as_mapping_mut() else { return Ok(Some(merged)) };
    merge_entries(entries, patch, place)?;
    Ok(Some(merged))
}

fn merge_entries(entries: &mut Mapping, patch: Option<&Mapping>, place: Place<'_>) -> Result<(), MergeError> {
    let old = std::mem::take(entries);
    let new = patch.into_iter().flat_map(Mapping::iter);
    let new: Vec<_> = new.filter(|(key, _)| !key.as_str().is_some_and(|key| old.contains_key(key))).collect();
    for (key, value) in old {
        let name = key.as_str().unwrap_or_default();
        let patch = patch.and_then(|patch| patch.get(name));
        if let Some(value) = merge(Some(value), patch, place.field(name))? {
            entries.push(key, value);
        }
    }
    for (key, value) in new {
        if let Some(value) = merge(None, Some(value), place.field(key.as_str().unwrap_or_default()))? {
            entries.push(key.clone(), value);
        }
    }
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

/// What a list of a patch asks for, by an element that is nothing but a directive; only the first element that has one
/// is looked at.
fn list_directive(patch: &[Node]) -> Result<Option<(Directive, &Node)>, MergeError> {
    let Some(item) = patch.iter().find(|item| item.get(DIRECTIVE).is_some()) else { return Ok(None) };
    let alone = item.as_mapping().filter(|entries| entries.len() == 1).and_then(|entries| entries.get(DIRECTIVE));
    alone.map(|directive| Ok((parse_directive(directive)?, directive))).transpose()
}

/// `items` without those that have `directive`, be it beside other fields, and without empty ones.
fn without(items: &[Node], directive: &Node) -> Vec<Node> {
    let has_it = |item: &Node| item.get(DIRECTIVE).and_then(Node::as_str) == directive.as_str();
    items.iter().filter(|item| !has_it(item) && !node::is_empty(item)).cloned().collect()
}

fn merge_lists(object: Option<Node>, patch: Option<&Node>, place: Place<'_>) -> Merged {
    if *place.list() == List::Replaced {
        return Ok(match (object, patch) {
            (Some(object), Some(patch)) => {
                Some(object.replaced_by(laid_out_as(&object, patch.clone()), &patch.written))
            }
            (object, patch) => patch.cloned().or(object),
        });
    }
    let patch = patch.and_then(Node::as_sequence);
    // A list that is new is taken with its directives; kustomize reads them only where there is something to merge.
    let (Some(mut object), Some(patch)) = (object.clone(), patch) else {
        let items = object.as_ref().and_then(Node::as_sequence);
        let taken = patch.or(items).unwrap_or_default().to_vec();
        return Ok(Some(Node::sequence(merge_items(taken, patch.unwrap_or_default(), place)?)));
    };
    let items = object.as_sequence().unwrap_or_default();
    let merged = match list_directive(patch)? {
        Some((Directive::Delete, _)) => return Ok(None),
        Some((Directive::Replace, directive)) => {
            let patch = without(patch, directive);
            merge_items(patch.clone(), &patch, place)?
        }
        Some((Directive::Merge, directive)) => {
            merge_items(without(items, directive), &without(patch, directive), place)?
        }
        None => merge_items(items.to_vec(), patch, place)?,
    };
    object.value = Value::Sequence(merged);
    Ok(Some(object))
}

fn merge_items(old: Vec<Node>, patch: &[Node], place: Place<'_>) -> Result<Vec<Node>, MergeError> {
    match place.list() {
        List::Keyed(keys) => {
            check_items(&old, NodeKind::Mapping)?;
            merge_keyed(old, patch, keys, place)
        }
        List::Replaced | List::Set => {
            check_items(patch, NodeKind::Scalar)?;
            check_items(&old, NodeKind::Scalar)?;
            Ok(union(old, patch))
        }
    }
}

fn check_items(items: &[Node], wanted: NodeKind) -> Result<(), MergeError> {
    let other = items.iter().find(|item| !item.is_null() && NodeKind::of(item) != wanted);
    other.map_or(Ok(()), |other| Err(wrong_kind(wanted, other)))
}

/// The values of `patch`, then those of `old` that are not among them; nulls are none.
fn union(old: Vec<Node>, patch: &[Node]) -> Vec<Node> {
    let mut seen = HashSet::new();
    let all = patch.iter().cloned().chain(old).filter(|item| !item.is_null());
    all.filter(|item| seen.insert(item.as_str().map(str::to_owned))).collect()
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
    let used = used_keys(&wanted.iter().collect::<Vec<_>>(), keys);
    let mut front = Vec::new();
    for values in &wanted {
        let own = used_keys(&[values], keys);
        let own_values = values_of(&own, keys, values);
        let find = |items: &[Node]| items.iter().position(|item| has_values(item, &own, &own_values));
        let (old_position, patched) = (find(&old), find(patch).map(|position| &patch[position]));
        let merged = merge(old_position.map(|position| old[position].clone()), patched, place.element())?;
        let values = values_of(&used, keys, values);
        let Some(mut merged) = merged.filter(|merged| !node::is_empty(merged)) else {
            if let Some(entries) = old_position.and_then(|position| old[position].as_mapping_mut()) {
                entries.remove(DIRECTIVE);
            }
            set_element(&mut old, None, &used, &values);
            continue;
        };
        fill_in(&mut merged, &used, &values);
        // An element that the patch replaces stays in the old list as it was, and comes back from there; unless the list
        // is new, when both are the same element.
        let replaces = patched.and_then(|patch| patch.get(DIRECTIVE)).and_then(Node::as_str) == Some("replace");
        let is_updated = |position: &usize| !replaces || old[*position].get(DIRECTIVE).is_some();
        if let Some(position) = old_position.filter(is_updated) {
            old[position] = merged.clone();
        }
        set_element(&mut front, Some(merged), &used, &values);
    }
    append(&mut front, old, &used);
    Ok(front)
}

/// The distinct key values of `items`, in their order.
fn key_values<'a>(items: impl Iterator<Item = &'a Node>, keys: &[String]) -> Vec<KeyValues> {
    let mut seen = HashSet::new();
    let values = items.map(|item| keys.iter().map(|key| node::text_at(item, &[key]).to_owned()).collect::<KeyValues>());
    values.filter(|values| seen.insert(values.clone())).collect()
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

/// The keys that some of `wanted` has a value for; all keys if none has.
fn used_keys<'a>(wanted: &[&KeyValues], keys: &'a [String]) -> Vec<&'a String> {
    let is_used = |position: &usize| wanted.iter().any(|values| !values[*position].is_empty());
    let used: Vec<_> = (0..keys.len()).filter(is_used).map(|position| &keys[position]).collect();
    if used.is_empty() { keys.iter().collect() } else { used }
}

/// The values of `used` among those of all `keys`.
fn values_of(used: &[&String], keys: &[String], values: &[String]) -> Vec<String> {
    keys.iter().zip(values).filter(|(key, _)| used.contains(key)).map(|(_, value)| value.clone()).collect()
}

fn has_values(item: &Node, keys: &[&String], values: &[String]) -> bool {
    keys.iter().zip(values).all(|(key, value)| item.get(key).and_then(Node::as_str) == Some(value))
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
