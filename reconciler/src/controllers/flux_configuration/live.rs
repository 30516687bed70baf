//! Whether an object in the cluster is a configuration's, and as the configuration wants it.

use fairlead_api::names::labels;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde_json::Value;

use crate::controllers::ObjectKey;

/// Whether the object with `metadata` belongs to the configuration `key` with this `uid`.
pub(super) fn belongs(metadata: &ObjectMeta, key: &ObjectKey, uid: &str) -> bool {
    let is_owned = metadata.owner_references.iter().flatten().any(|owner| owner.uid == uid);
    is_owned || named_configuration(metadata).as_ref() == Some(key)
}

/// The configuration that the labels of an object name. An object without a namespace says in which one it lies.
pub(super) fn named_configuration(metadata: &ObjectMeta) -> Option<ObjectKey> {
    let all = metadata.labels.as_ref()?;
    let namespace = metadata.namespace.as_ref().or_else(|| all.get(labels::CONFIGURATION_NAMESPACE))?;
    Some(ObjectKey::new(namespace, all.get(labels::CONFIGURATION_NAME)?))
}

/// [`belongs`] for an object as the API server sent it.
pub(super) fn value_belongs(object: &Value, key: &ObjectKey, uid: &str) -> bool {
    ObjectMeta::deserialize(&object["metadata"]).is_ok_and(|metadata| belongs(&metadata, key, uid))
}

/// Whether `live` has everything that `wanted` has. What else is in it belongs to others, except in `data`, where
/// nothing else may be.
pub(super) fn is_as_wanted(live: &Value, wanted: &Value) -> bool {
    let fields = wanted.as_object().into_iter().flatten();
    fields.filter(|(name, _)| !matches!(name.as_str(), "apiVersion" | "kind")).all(|(name, wanted)| {
        match name.as_str() {
            "metadata" => has_metadata(&live["metadata"], wanted),
            "data" => live["data"] == *wanted,
            _ => holds(&live[name], wanted),
        }
    })
}

fn has_metadata(live: &Value, wanted: &Value) -> bool {
    let held = |field: &str| wanted.get(field).is_none_or(|wanted| holds(&live[field], wanted));
    let owners = |of: &Value| of["ownerReferences"].as_array().cloned().unwrap_or_default();
    let live_owners = owners(live);
    let is_owned = owners(wanted).iter().all(|wanted| live_owners.iter().any(|live| holds(live, wanted)));
    is_owned && held("labels") && held("annotations")
}

/// Whether `live` holds `wanted`: every field of an object, a list or a value as it is.
fn holds(live: &Value, wanted: &Value) -> bool {
    match wanted {
        Value::Object(wanted) => {
            wanted.iter().all(|(name, wanted)| live.get(name).is_some_and(|live| holds(live, wanted)))
        }
        Value::Array(wanted) => {
            let live = live.as_array().map_or(&[][..], Vec::as_slice);
            live.len() == wanted.len() && live.iter().zip(wanted).all(|(live, wanted)| holds(live, wanted))
        }
        _ => live == wanted,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_others_added_is_left_and_what_is_ours_is_missed() {
        let wanted = json!({
            "metadata": {
                "name": "a",
                "labels": {"l": "1"},
                "ownerReferences": [{"uid": "1"}],
            },
            "spec": {"path": "./a", "dependsOn": [{"name": "b"}]},
        });
        let live = |metadata: Value, spec: Value| json!({"metadata": metadata, "spec": spec});
        let owned = json!({
            "labels": {"l": "1", "m": "2"},
            "ownerReferences": [{"uid": "0"}, {"uid": "1", "kind": "x"}],
        });
        let rows = [
            ("the same", wanted.clone(), true),
            (
                "with more",
                live(owned.clone(), json!({"path": "./a", "dependsOn": [{"name": "b"}], "patches": []})),
                true,
            ),
            ("with another path", live(owned.clone(), json!({"path": "./b", "dependsOn": [{"name": "b"}]})), false),
            ("without a list", live(owned.clone(), json!({"path": "./a"})), false),
            (
                "with a longer list",
                live(owned, json!({"path": "./a", "dependsOn": [{"name": "b"}, {"name": "c"}]})),
                false,
            ),
            (
                "without its owner",
                live(json!({"labels": {"l": "1"}}), json!({"path": "./a", "dependsOn": [{"name": "b"}]})),
                false,
            ),
        ];
        for (case, live, expected) in rows {
            assert_eq!(is_as_wanted(&live, &wanted), expected, "{case}");
        }
    }

    #[test]
    fn nothing_else_stands_in_the_data_of_a_secret() {
        let wanted = json!({"data": {"identity": "AA=="}});
        assert!(is_as_wanted(&json!({"data": {"identity": "AA=="}}), &wanted));
        assert!(!is_as_wanted(&json!({"data": {"identity": "AA==", "password": "AA=="}}), &wanted));
    }

    #[test]
    fn an_object_belongs_to_who_owns_it_or_is_named_in_its_label() {
        let key = ObjectKey::new("team-a", "shop");
        let rows = [
            (
                "by owner",
                json!({"namespace": "team-a", "ownerReferences": [
                    {"apiVersion": "fairlead.dev/v1alpha1", "kind": "FluxConfiguration", "name": "shop", "uid": "1"},
                ]}),
                true,
            ),
            ("by label", json!({"namespace": "team-a", "labels": {"fairlead.dev/configuration": "shop"}}), true),
            (
                "by both labels",
                json!({"labels": {
                    "fairlead.dev/configuration": "shop", "fairlead.dev/configuration-namespace": "team-a",
                }}),
                true,
            ),
            (
                "by the label of another namespace",
                json!({"labels": {
                    "fairlead.dev/configuration": "shop", "fairlead.dev/configuration-namespace": "team-b",
                }}),
                false,
            ),
            ("of another one", json!({"namespace": "team-a", "labels": {"fairlead.dev/configuration": "x"}}), false),
            ("of nobody", json!({"namespace": "team-a"}), false),
        ];
        for (case, metadata, expected) in rows {
            assert_eq!(value_belongs(&json!({"metadata": metadata}), &key, "1"), expected, "{case}");
        }
    }
}
