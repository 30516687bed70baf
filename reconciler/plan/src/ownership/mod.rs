//! Who owns which field, read from an object's `metadata.managedFields` without asking the API server.
//!
//! The entry of our own manager changes exactly when we apply something else, or when someone changes or removes a field
//! that we own. So it tells whether an object still is what was applied, and [`entry_hash`] is all that must be kept of
//! an object to notice drift.

mod cleanup;
mod fields;
mod sync;

use fairlead_object::Digest;
use serde_json::Value;

pub use cleanup::{Cleanup, needs_cleanup};
pub(crate) use fields::{FieldSet, Owned};
pub use sync::is_in_sync;

/// The field manager under which objects are applied, as Flux names it.
pub const KUSTOMIZE_CONTROLLER: &str = "kustomize-controller";

/// The digest of the fields that `manager` has applied to the object `live` and still owns; nothing if it owns none.
///
/// It covers the field set and its API version alone: writes to other fields, to status and to times leave it as it is.
pub fn entry_hash(live: &Value, manager: &str) -> Option<Digest> {
    let entry = applied_entry(live, manager)?;
    let fields = serde_json::to_vec(entry.get("fieldsV1")?).expect("JSON with text keys serialises");
    let api_version = entry.get("apiVersion")?.as_str()?;
    Some(Digest::of_parts([api_version.as_bytes(), &fields]))
}

/// The fields that `manager` has applied, if it applied any and their set is well formed.
pub(crate) fn applied_fields(live: &Value, manager: &str) -> Option<FieldSet> {
    FieldSet::parse(applied_entry(live, manager)?.get("fieldsV1")?)
}

/// The managers that own the field that `owns` looks for, applying ones first.
pub(crate) fn managers_of(live: &Value, owns: impl Fn(&FieldSet) -> bool) -> Vec<&str> {
    let owner = |entry| {
        let fields = FieldSet::parse(Value::get(entry, "fieldsV1")?)?;
        owns(&fields).then(|| entry.get("manager")?.as_str()).flatten()
    };
    main_entries(live).filter_map(owner).collect()
}

/// Whether another manager than `manager` has applied the field at the JSON pointer `tokens`.
pub(crate) fn is_applied_by_another(live: &Value, tokens: &[String], manager: &str) -> bool {
    let others = main_entries(live).filter(|entry| entry["operation"] == "Apply" && entry["manager"] != manager);
    let sets = others.filter_map(|entry| FieldSet::parse(entry.get("fieldsV1")?));
    sets.filter(|set| !set.is_leaf()).any(|set| set.owns_at(live, tokens))
}

/// The entry of `manager` for what it applied to the main resource.
fn applied_entry<'a>(live: &'a Value, manager: &str) -> Option<&'a Value> {
    main_entries(live).find(|entry| entry["manager"] == manager && entry["operation"] == "Apply")
}

/// The entries that are about the object itself, not about its status or its scale.
fn main_entries(live: &Value) -> impl Iterator<Item = &Value> {
    let entries = live.pointer("/metadata/managedFields").and_then(Value::as_array);
    entries.into_iter().flatten().filter(|entry| is_main(entry))
}

fn is_main(entry: &Value) -> bool {
    entry.get("subresource").and_then(Value::as_str).unwrap_or_default().is_empty()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn live(fields: &Value, time: &str) -> Value {
        json!({"metadata": {"managedFields": [
            {"manager": "kubelet", "operation": "Update", "apiVersion": "v1", "fieldsV1": {"f:status": {}}, "subresource": "status"},
            {"manager": "kustomize-controller", "operation": "Apply", "apiVersion": "v1", "time": time, "fieldsV1": fields},
        ]}})
    }

    #[test]
    fn the_hash_follows_our_fields_and_nothing_else() {
        let hash = |live: &Value| entry_hash(live, KUSTOMIZE_CONTROLLER);
        let both = live(&json!({"f:data": {"f:a": {}, "f:b": {}}}), "2026-01-01T00:00:00Z");
        let later = live(&json!({"f:data": {"f:b": {}, "f:a": {}}}), "2026-02-02T00:00:00Z");
        let one = live(&json!({"f:data": {"f:a": {}}}), "2026-01-01T00:00:00Z");
        assert_eq!(hash(&both), hash(&later), "a later time and another order are no change");
        assert_ne!(hash(&both), hash(&one), "a field that is no longer ours is a change");
        assert_eq!(entry_hash(&both, "someone-else"), None);
    }
}
