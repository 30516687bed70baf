//! Writing what an object's owner reads: its status, and its finalizer.

use fairlead_api::names::FINALIZER;
use serde_json::{Map, Value, json};

use super::{
    Reconciled, Subject,
    subject::{forget, resource},
};
use crate::{
    cluster::{ApiError, Part},
    queue::NextRun,
    watch::Object,
};

impl<K: Reconciled> Subject<'_, K> {
    /// Writes what of `after` differs from `before`; nothing if nothing does.
    pub(crate) async fn write(&self, before: &K::Status, after: &K::Status) -> Result<(), ApiError> {
        let before = serde_json::to_value(before).expect("a status serialises");
        let after = serde_json::to_value(after).expect("a status serialises");
        let Some(changes) = difference(&before, &after) else { return Ok(()) };
        self.patch(&json!({"status": changes}), Part::Status).await
    }

    /// Adds our finalizer, unless it is there.
    pub(super) async fn add_finalizer(&self) -> Result<(), ApiError> {
        let mut finalizers = self.metadata().finalizers.clone().unwrap_or_default();
        if finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
            return Ok(());
        }
        finalizers.push(FINALIZER.to_owned());
        self.write_finalizers(finalizers).await
    }

    /// Lets an object go, with all that is kept of it.
    pub(crate) async fn let_go(&self) -> Result<NextRun, ApiError> {
        forget::<K>(self.world, self.key);
        let mut finalizers = self.metadata().finalizers.clone().unwrap_or_default();
        if finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
            finalizers.retain(|finalizer| finalizer != FINALIZER);
            match self.write_finalizers(finalizers).await {
                Err(error) if error.is_not_found() => {}
                written => written?,
            }
        }
        Ok(NextRun::OnChange)
    }

    async fn write_finalizers(&self, finalizers: Vec<String>) -> Result<(), ApiError> {
        // The uid keeps the patch from an object of the same name that came after this one.
        let patch = json!({"metadata": {"finalizers": finalizers, "uid": self.metadata().uid}});
        self.patch(&patch, Part::Whole).await
    }

    async fn patch(&self, patch: &Value, part: Part) -> Result<(), ApiError> {
        let name = (self.key.namespace.as_str(), self.key.name.as_str());
        let answer = self.world.cluster.merge(&resource::<K>(), name, patch, part, K::MANAGER).await?;
        let object: Object<K> =
            serde_json::from_value(answer).map_err(|error| ApiError::Malformed(error.to_string()))?;
        if object.metadata.deletion_timestamp.is_none() {
            let change = K::served(self.world).put(object);
            if change.asks_for_a_run() {
                K::queue(self.world).wake(change.key);
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
