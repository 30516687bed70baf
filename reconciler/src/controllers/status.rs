//! Writing what an object's owner reads: its status, and its finalizer.

use fairlead_api::names::FINALIZER;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::{ObjectKey, World};
use crate::{
    cluster::{ApiError, Part, Resource},
    queue::Queue,
    watch::{Object, Served},
};

/// Where the objects of one served kind are written, and in whose name.
pub(crate) struct Kind {
    pub(crate) resource: Resource,
    /// Field manager of status and finalizer.
    pub(crate) manager: &'static str,
    /// Where its objects are woken.
    pub(crate) queue: fn(&World) -> &Queue<ObjectKey>,
}

impl Kind {
    /// Writes what of `after` differs from `before`; nothing if nothing does.
    pub(crate) async fn write_status<K: DeserializeOwned>(
        &self,
        world: &World,
        served: &Served<K>,
        metadata: &ObjectMeta,
        before: &impl Serialize,
        after: &impl Serialize,
    ) -> Result<(), ApiError> {
        let before = serde_json::to_value(before).expect("a status serialises");
        let after = serde_json::to_value(after).expect("a status serialises");
        let Some(changes) = difference(&before, &after) else { return Ok(()) };
        self.patch(world, served, metadata, &json!({"status": changes}), Part::Status).await
    }

    /// Adds our finalizer, unless it is there.
    pub(crate) async fn add_finalizer<K: DeserializeOwned>(
        &self,
        world: &World,
        served: &Served<K>,
        metadata: &ObjectMeta,
    ) -> Result<(), ApiError> {
        let mut finalizers = metadata.finalizers.clone().unwrap_or_default();
        if finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
            return Ok(());
        }
        finalizers.push(FINALIZER.to_owned());
        self.write_finalizers(world, served, metadata, finalizers).await
    }

    /// Removes our finalizer, if it is there; the object then goes.
    pub(crate) async fn remove_finalizer<K: DeserializeOwned>(
        &self,
        world: &World,
        served: &Served<K>,
        metadata: &ObjectMeta,
    ) -> Result<(), ApiError> {
        let mut finalizers = metadata.finalizers.clone().unwrap_or_default();
        if !finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
            return Ok(());
        }
        finalizers.retain(|finalizer| finalizer != FINALIZER);
        match self.write_finalizers(world, served, metadata, finalizers).await {
            Err(error) if error.is_not_found() => Ok(()),
            written => written,
        }
    }

    async fn write_finalizers<K: DeserializeOwned>(
        &self,
        world: &World,
        served: &Served<K>,
        metadata: &ObjectMeta,
        finalizers: Vec<String>,
    ) -> Result<(), ApiError> {
        // The uid keeps the patch from an object of the same name that came after this one.
        let patch = json!({"metadata": {"finalizers": finalizers, "uid": metadata.uid}});
        self.patch(world, served, metadata, &patch, Part::Whole).await
    }

    async fn patch<K: DeserializeOwned>(
        &self,
        world: &World,
        served: &Served<K>,
        metadata: &ObjectMeta,
        patch: &Value,
        part: Part,
    ) -> Result<(), ApiError> {
        let name = (metadata.namespace.as_deref().unwrap_or_default(), metadata.name.as_deref().unwrap_or_default());
        let answer = world.cluster.merge(&self.resource, name, patch, part, self.manager).await?;
        let object: Object<K> =
            serde_json::from_value(answer).map_err(|error| ApiError::Malformed(error.to_string()))?;
        if object.metadata.deletion_timestamp.is_none() {
            let change = served.put(object);
            if change.asks_for_a_run() {
                (self.queue)(world).wake(change.key);
            }
        }
        Ok(())
    }
}

/// The merge patch (RFC 7386) that makes `before` into `after`; `None` if they are equal.
fn difference(before: &Value, after: &Value) -> Option<Value> {
    let (Value::Object(before), Value::Object(after)) = (before, after) else {
        return (before != after).then(|| after.clone());
    };
    let mut patch = Map::new();
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, value) in after {
        let change = match before.get(key) {
            Some(before) => difference(before, value),
            None => Some(value.clone()),
        };
        if let Some(change) = change {
            patch.insert(key.clone(), change);
        }
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_holds_what_changed_and_nothing_else() {
        let rows = [
            (json!({"a": 1}), json!({"a": 1}), None),
            (json!({"a": 1, "b": 2}), json!({"a": 1, "b": 3}), Some(json!({"b": 3}))),
            (json!({"a": 1}), json!({}), Some(json!({"a": null}))),
            (json!({"a": {"b": 1, "c": 2}}), json!({"a": {"b": 1}}), Some(json!({"a": {"c": null}}))),
            (json!({"a": [1, 2]}), json!({"a": [2]}), Some(json!({"a": [2]}))),
        ];
        for (before, after, expected) in rows {
            assert_eq!(difference(&before, &after), expected, "{before} to {after}");
        }
    }
}
