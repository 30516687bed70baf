//! Comparison of a live object with what it would become.
//!
//! # Follows Flux
//! Labels, annotations and everything outside `metadata` and `status` are compared; empty and null lists and maps are
//! equal; the metrics of a `HorizontalPodAutoscaler` are compared without duplicates.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::{
    DigestKey, FieldChange, FieldPath, Segment, Shown,
    ownership::{FieldSet, Owned, applied_fields, managers_of},
    secret::is_confidential,
};

/// What `preview`, the answer of a dry run, would change of the object `live`.
pub(crate) fn changes_to_preview(live: &Value, preview: &Value, key: &DigestKey) -> Vec<FieldChange> {
    let mut after = compared_part(preview);
    if preview["kind"] == "HorizontalPodAutoscaler" {
        drop_repeated_metrics(&mut after);
    }
    Comparison::new(live, key).run(&after, Owned::Everything)
}

/// What applying the manifest `asked` as `manager` would change of the object `live`, as far as the manifest tells: fields
/// that it leaves out are removed only if `manager` owns them.
pub(crate) fn changes_to_manifest(live: &Value, asked: &Value, manager: &str, key: &DigestKey) -> Vec<FieldChange> {
    let owned = applied_fields(live, manager);
    let owned = owned.as_ref().map_or(Owned::Nothing, Owned::Parts);
    Comparison::new(live, key).run(&compared_part(asked), owned)
}

/// The parts of an object that take part in a comparison.
fn compared_part(object: &Value) -> Value {
    let mut compared = object.as_object().cloned().unwrap_or_default();
    compared.retain(|key, _| !matches!(key.as_str(), "apiVersion" | "kind" | "status"));
    if let Some(Value::Object(metadata)) = compared.get_mut("metadata") {
        metadata.retain(|key, _| matches!(key.as_str(), "labels" | "annotations"));
    }
    Value::Object(compared)
}

fn drop_repeated_metrics(object: &mut Value) {
    let Some(Value::Array(metrics)) = object.pointer_mut("/spec/metrics") else { return };
    let mut seen = BTreeSet::new();
    metrics.retain(|metric| seen.insert(metric.to_string()));
}

/// A walk through the live object and what it would become, side by side.
struct Comparison<'a> {
    live: &'a Value,
    kind: &'a str,
    key: &'a DigestKey,
    changes: Vec<FieldChange>,
}

impl<'a> Comparison<'a> {
    fn new(live: &'a Value, key: &'a DigestKey) -> Self {
        Self { live, kind: live["kind"].as_str().unwrap_or_default(), key, changes: Vec::new() }
    }

    /// Collects the changes to `after`. What `after` leaves out counts as removed where it is `owned`, and else stays.
    fn run(mut self, after: &Value, owned: Owned<'_>) -> Vec<FieldChange> {
        self.compare(&FieldPath::root(), Some(&compared_part(self.live)), Some(after), owned);
        self.changes
    }

    fn compare(&mut self, path: &FieldPath, before: Option<&Value>, after: Option<&Value>, owned: Owned<'_>) {
        if before.is_some_and(is_void) && after.is_some_and(is_void) {
            return;
        }
        match (present(before), present(after)) {
            (None, None) => {}
            (Some(before), None) => {
                if owned.is_something() {
                    self.report(path, Some(before), None);
                }
            }
            (None, Some(after)) => self.report(path, None, Some(after)),
            (Some(before), Some(after)) => self.compare_present(path, before, after, owned),
        }
    }

    fn compare_present(&mut self, path: &FieldPath, before: &Value, after: &Value, owned: Owned<'_>) {
        if before == after {
            return;
        }
        match (before, after) {
            (Value::Object(before), Value::Object(after)) => self.compare_objects(path, before, after, owned),
            (Value::Array(before), Value::Array(after)) => self.compare_lists(path, before, after, owned),
            _ => self.report(path, Some(before), Some(after)),
        }
    }

    fn compare_objects(
        &mut self,
        path: &FieldPath,
        before: &Map<String, Value>,
        after: &Map<String, Value>,
        owned: Owned<'_>,
    ) {
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for name in names {
            let segment = Segment::Field(name.clone());
            let owned = owned.below(&segment);
            self.compare(&path.child(segment), before.get(name), after.get(name), owned);
        }
    }

    fn compare_lists(&mut self, path: &FieldPath, before: &[Value], after: &[Value], owned: Owned<'_>) {
        let Some(key) = naming_key(before, after) else {
            return self.compare_by_place(path, before, after, owned);
        };
        let reported = self.changes.len();
        for (segment, before, after) in pairs_by_key(key, before, after) {
            let owned = owned.below(&segment);
            self.compare(&path.child(segment), before, after, owned);
        }
        let is_moved = self.changes.len() == reported && !is_in_order(key, before, after);
        if is_moved {
            self.report(path, Some(&names_of(key, before)), Some(&names_of(key, after)));
        }
    }

    /// Lists of objects of one length are compared item by item; all others are one field.
    fn compare_by_place(&mut self, path: &FieldPath, before: &[Value], after: &[Value], owned: Owned<'_>) {
        let is_comparable = before.len() == after.len() && before.iter().chain(after).all(Value::is_object);
        if !is_comparable {
            return self.report(path, Some(&Value::from(before)), Some(&Value::from(after)));
        }
        for (index, (before, after)) in before.iter().zip(after).enumerate() {
            self.compare_present(
                &path.child(Segment::Index(index)),
                before,
                after,
                owned.below(&Segment::Index(index)),
            );
        }
    }

    /// Reports one field; of a confidential object or list each leaf by itself, so that its shape shows and no more.
    fn report(&mut self, path: &FieldPath, before: Option<&Value>, after: Option<&Value>) {
        let is_secret = is_confidential(self.kind, path);
        if is_secret && let Some(names) = member_names(before, after) {
            for name in names {
                let member = |value: Option<&'_ Value>| value.and_then(|value| value.get(&name)).cloned();
                self.report(&path.field(&name), member(before).as_ref(), member(after).as_ref());
            }
            return;
        }
        let show =
            |value: &Value| if is_secret { Shown::Secret(self.key.digest(value)) } else { Shown::Value(value.clone()) };
        let owns = |fields: &FieldSet| fields.owns(path.segments());
        let manager = before.and_then(|_| managers_of(self.live, owns).first().map(|manager| (*manager).to_owned()));
        self.changes.push(FieldChange {
            path: path.clone(),
            before: before.map(show),
            after: after.map(show),
            manager,
        });
    }
}

fn present(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| !value.is_null())
}

/// Null, an empty list or an empty map.
pub(crate) fn is_void(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// The names of the members of two values of which at least one is an object and the other is one or absent.
fn member_names(before: Option<&Value>, after: Option<&Value>) -> Option<BTreeSet<String>> {
    let present: Vec<&Map<String, Value>> =
        [before, after].into_iter().flatten().map(Value::as_object).collect::<Option<_>>()?;
    let names: BTreeSet<String> = present.into_iter().flat_map(Map::keys).cloned().collect();
    (!names.is_empty()).then_some(names)
}

/// Fields that name the items of Kubernetes' lists, the most telling first.
const NAMING_KEYS: [&str; 10] =
    ["name", "containerPort", "port", "mountPath", "devicePath", "topologyKey", "ip", "uid", "type", "key"];

/// The field that names each item of both lists, and no two of a list alike.
fn naming_key(before: &[Value], after: &[Value]) -> Option<&'static str> {
    NAMING_KEYS.into_iter().find(|key| is_named_by(key, before) && is_named_by(key, after))
}

fn is_named_by(key: &str, items: &[Value]) -> bool {
    let mut seen = BTreeSet::new();
    let is_name = |value: &Value| value.is_string() || value.is_number();
    items.iter().all(|item| item.get(key).is_some_and(|name| is_name(name) && seen.insert(name.to_string())))
}

type Pair<'a> = (Segment, Option<&'a Value>, Option<&'a Value>);

/// The items of both lists by name: those of `after` in their order, then those that only `before` has.
fn pairs_by_key<'a>(key: &str, before: &'a [Value], after: &'a [Value]) -> Vec<Pair<'a>> {
    let segment = |index, item: &Value| Segment::Item { index, key: key.to_owned(), value: item[key].clone() };
    let (known, kept) = (by_name(key, before), by_name(key, after));
    let wanted = after.iter().enumerate().map(|(index, item)| {
        let before = known.get(&item[key].to_string()).copied();
        (segment(index, item), before, Some(item))
    });
    let gone = before.iter().enumerate().filter(|(_, item)| !kept.contains_key(&item[key].to_string()));
    wanted.chain(gone.map(|(index, item)| (segment(index, item), Some(item), None))).collect()
}

fn by_name<'a>(key: &str, items: &'a [Value]) -> BTreeMap<String, &'a Value> {
    items.iter().map(|item| (item[key].to_string(), item)).collect()
}

/// Whether the items that both lists have stand in the same order.
fn is_in_order(key: &str, before: &[Value], after: &[Value]) -> bool {
    let shared = |items: &[Value], others: &[Value]| -> Vec<String> {
        let others = by_name(key, others);
        items.iter().map(|item| item[key].to_string()).filter(|name| others.contains_key(name)).collect()
    };
    shared(before, after) == shared(after, before)
}

fn names_of(key: &str, items: &[Value]) -> Value {
    items.iter().map(|item| item[key].clone()).collect()
}
