//! Taking over what earlier tools left on an object.
//!
//! # Follows Flux
//! Before an object is applied, the bookkeeping of `kubectl` and of Flux's first generation is removed from its metadata,
//! and their field sets are united with ours, so that the apply that follows deletes what they wrote and the source does
//! not ask for. Managers are matched by the beginning of their names; those of a subresource stay.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::is_main;

/// A JSON patch (RFC 6902) that takes an object's metadata over before it is applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cleanup {
    /// The patch: a list of operations, which fails if the object has changed since it was read.
    pub patch: Value,
}

/// Managers whose fields become ours, by the beginning of their names, and the operation of their entries.
const TAKEN_OVER: [(&str, &str); 4] =
    [("kubectl", "Apply"), ("kubectl", "Update"), ("before-first-apply", "Update"), ("kustomize-controller", "Update")];

/// Entries of metadata that only the tools that wrote them read.
const BOOKKEEPING: [(&str, &str); 4] = [
    ("annotations", "kubectl.kubernetes.io/last-applied-configuration"),
    ("annotations", "kustomize.toolkit.fluxcd.io/checksum"),
    ("annotations", "fluxcd.io/sync-checksum"),
    ("labels", "fluxcd.io/sync-gc-mark"),
];

/// The patch that cleans the metadata of `live` before `manager` applies to it; nothing if it is clean.
///
/// `overridden` names further managers, by the beginning of their names, whose fields are taken over too.
pub fn needs_cleanup(live: &Value, manager: &str, overridden: &[String]) -> Option<Cleanup> {
    let mut operations = bookkeeping_removals(live);
    operations.extend(managers_takeover(live, manager, overridden));
    if operations.is_empty() {
        return None;
    }
    let unchanged = live.pointer("/metadata/resourceVersion").map(|version| {
        // Written over itself: the API server then refuses the patch if the object has changed.
        json!({"op": "replace", "path": "/metadata/resourceVersion", "value": version})
    });
    Some(Cleanup { patch: operations.into_iter().chain(unchanged).collect() })
}

fn bookkeeping_removals(live: &Value) -> Vec<Value> {
    let removal = |(map, key): &(&str, &str)| {
        live.get("metadata")?.get(map)?.get(key)?;
        Some(json!({"op": "remove", "path": format!("/metadata/{map}/{}", key.replace('/', "~1"))}))
    };
    BOOKKEEPING.iter().filter_map(removal).collect()
}

fn managers_takeover(live: &Value, manager: &str, overridden: &[String]) -> Option<Value> {
    let entries = live.pointer("/metadata/managedFields")?.as_array()?;
    let is_taken = |entry: &&Value| is_main(entry) && !is_ours(entry, manager) && is_taken_over(entry, overridden);
    let (taken, kept): (Vec<_>, Vec<_>) = entries.iter().partition(is_taken);
    let (ours, others): (Vec<_>, Vec<_>) = kept.into_iter().partition(|entry| is_ours(entry, manager));
    let mut united = (*ours.first().or(taken.first())?).clone();
    for entry in taken.iter().chain(ours.get(1..).unwrap_or_default()) {
        unite(&mut united["fieldsV1"], &entry["fieldsV1"]);
    }
    united["manager"] = manager.into();
    united["operation"] = "Apply".into();
    let after: Vec<&Value> = std::iter::once(&united).chain(others).collect();
    (!taken.is_empty()).then(|| json!({"op": "replace", "path": "/metadata/managedFields", "value": after}))
}

fn is_ours(entry: &Value, manager: &str) -> bool {
    is_main(entry) && entry["manager"] == manager && entry["operation"] == "Apply"
}

fn is_taken_over(entry: &Value, overridden: &[String]) -> bool {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
    let (manager, operation) = (text("manager"), text("operation"));
    TAKEN_OVER.iter().any(|(prefix, of)| manager.starts_with(prefix) && operation == *of)
        || overridden.iter().any(|prefix| manager.starts_with(prefix.as_str()))
}

/// Adds the field set `more` to `set`, both encoded as `fieldsV1`.
fn unite(set: &mut Value, more: &Value) {
    let Some(more) = more.as_object() else { return };
    if !set.is_object() {
        *set = Value::Object(Map::new());
    }
    let set = set.as_object_mut().expect("it was just made an object");
    for (member, below) in more {
        match set.get_mut(member) {
            Some(known) => unite_below(known, below),
            None => drop(set.insert(member.clone(), below.clone())),
        }
    }
}

/// A leaf that gets members must go on saying that it is in the set itself.
fn unite_below(known: &mut Value, below: &Value) {
    let is_leaf = |set: &Value| set.as_object().is_some_and(Map::is_empty);
    let was_leaf = is_leaf(known) != is_leaf(below);
    unite(known, below);
    if was_leaf && let Some(members) = known.as_object_mut() {
        members.insert(".".to_owned(), json!({}));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    fn patch(live: &Value) -> Option<String> {
        let cleanup = needs_cleanup(live, "kustomize-controller", &["legacy".to_owned()])?;
        let lines = cleanup.patch.as_array().expect("a list of operations").iter().map(Value::to_string);
        Some(lines.collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn an_object_that_only_controllers_touch_is_clean() {
        let live = json!({"metadata": {"managedFields": [
            entry("kustomize-controller", "Apply", &json!({"f:data": {}})),
            entry("flux-client-side-apply", "Update", &json!({"f:data": {}})),
            entry("kube-controller-manager", "Update", &json!({"f:status": {}})),
        ]}});
        assert_eq!(patch(&live), None);
    }

    #[test]
    fn what_kubectl_left_is_removed_and_its_fields_become_ours() {
        let live = json!({"metadata": {
            "resourceVersion": "7",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "mine": "yes"},
            "labels": {"fluxcd.io/sync-gc-mark": "x"},
            "managedFields": [
                entry("kustomize-controller", "Apply", &json!({"f:data": {"f:a": {}}, "f:spec": {}})),
                entry("kubectl-client-side-apply", "Update", &json!({"f:data": {".": {}, "f:b": {}}})),
                entry("legacy-tool", "Apply", &json!({"f:spec": {"f:c": {}}})),
                entry("helm", "Update", &json!({"f:data": {"f:d": {}}})),
            ],
        }});
        insta::assert_snapshot!(patch(&live).expect("not clean"), @r#"
        {"op":"remove","path":"/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"}
        {"op":"remove","path":"/metadata/labels/fluxcd.io~1sync-gc-mark"}
        {"op":"replace","path":"/metadata/managedFields","value":[{"apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:data":{".":{},"f:a":{},"f:b":{}},"f:spec":{".":{},"f:c":{}}},"manager":"kustomize-controller","operation":"Apply"},{"apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:data":{"f:d":{}}},"manager":"helm","operation":"Update"}]}
        {"op":"replace","path":"/metadata/resourceVersion","value":"7"}
        "#);
    }

    #[test]
    fn an_object_that_we_never_applied_gets_our_entry_from_theirs() {
        let live = json!({"metadata": {"managedFields": [entry("kubectl-edit", "Update", &json!({"f:data": {}}))]}});
        insta::assert_snapshot!(patch(&live).expect("not clean"), @r#"{"op":"replace","path":"/metadata/managedFields","value":[{"apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:data":{}},"manager":"kustomize-controller","operation":"Apply"}]}"#);
    }

    #[test]
    fn entries_of_subresources_stay_with_whoever_wrote_them() {
        let mut scale = entry("kubectl", "Update", &json!({"f:spec": {"f:replicas": {}}}));
        scale["subresource"] = "scale".into();
        assert_eq!(patch(&json!({"metadata": {"managedFields": [scale]}})), None);
    }
}
