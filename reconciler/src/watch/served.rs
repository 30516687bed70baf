//! The objects of one served kind, as the API server last told.
//!
//! Each object is read on its own: one that cannot be read (an older client stored it, or validation was bypassed) is
//! kept with its error, and the others go on.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use fairlead_api::names::annotations;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{
    Api, Client, Resource,
    runtime::watcher::{self, Event},
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::relisting;
use crate::controllers::ObjectKey;

/// One object of a served kind: its metadata, and the rest if it can be read.
#[derive(Clone, Debug)]
pub struct Object<K> {
    /// Its metadata, without managed fields.
    pub metadata: ObjectMeta,
    /// The object, or why it cannot be read.
    pub parsed: Result<K, String>,
}

impl<K> Object<K> {
    /// Its namespace and name.
    pub fn key(&self) -> ObjectKey {
        ObjectKey {
            namespace: self.metadata.namespace.clone().unwrap_or_default(),
            name: self.metadata.name.clone().unwrap_or_default(),
        }
    }

    fn version(&self) -> u64 {
        self.metadata.resource_version.as_deref().and_then(|version| version.parse().ok()).unwrap_or(0)
    }
}

impl<'de, K: DeserializeOwned> Deserialize<'de> for Object<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut object = Value::deserialize(deserializer)?;
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
        }
        let metadata = ObjectMeta::deserialize(&object["metadata"]).map_err(serde::de::Error::custom)?;
        let parsed = K::deserialize(object).map_err(|error| error.to_string());
        Ok(Self { metadata, parsed })
    }
}

impl<K: Resource<DynamicType = ()>> Resource for Object<K> {
    type DynamicType = ();
    type Scope = K::Scope;

    fn kind((): &()) -> Cow<'_, str> {
        K::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        K::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        K::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        K::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

/// Everything known of one kind. Cheap to clone.
pub struct Served<K>(Arc<RwLock<HashMap<ObjectKey, Arc<Object<K>>>>>);

impl<K> Clone for Served<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> Default for Served<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// What a watch saw of one object.
pub struct Change<K> {
    /// Which object.
    pub key: ObjectKey,
    /// As it was before; `None` if it is new.
    pub before: Option<Arc<Object<K>>>,
    /// As it is now; `None` if it is gone.
    pub now: Option<Arc<Object<K>>>,
}

impl<K> Change<K> {
    /// Whether it is one that the kind's controller must look at: of the spec, the object's end, a request. What a
    /// controller itself writes, status and finalizers, is none.
    pub fn asks_for_a_run(&self) -> bool {
        let (Some(before), Some(now)) = (&self.before, &self.now) else { return true };
        let (before, now) = (&before.metadata, &now.metadata);
        let annotation =
            |metadata: &ObjectMeta, key: &str| metadata.annotations.as_ref().and_then(|all| all.get(key)).cloned();
        let is_other = |key: &str| annotation(before, key) != annotation(now, key);
        before.uid != now.uid
            || before.generation != now.generation
            || before.deletion_timestamp.is_some() != now.deletion_timestamp.is_some()
            || is_other(annotations::REQUESTED_AT)
            || is_other(annotations::PINNED_REVISION)
            || is_other(fairlead_plan::APPROVE_ANNOTATION)
    }
}

impl<K> Served<K> {
    /// The object, if it exists.
    pub fn get(&self, key: &ObjectKey) -> Option<Arc<Object<K>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Every object.
    pub fn all(&self) -> Vec<Arc<Object<K>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Takes the answer to a write, unless the watch already told something newer.
    ///
    /// The answer may be the first to tell what someone else has changed: the watch tells nothing that is not newer.
    pub fn put(&self, object: Object<K>) -> Change<K> {
        let key = object.key();
        let mut objects = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = objects.get(&key).cloned();
        if let Some(before) = &before
            && before.metadata.uid == object.metadata.uid
            && before.version() >= object.version()
        {
            return Change { key, now: Some(Arc::clone(before)), before: Some(Arc::clone(before)) };
        }
        let now = Arc::new(object);
        objects.insert(key.clone(), Arc::clone(&now));
        Change { key, before, now: Some(now) }
    }

    fn remove(&self, key: ObjectKey) -> Change<K> {
        let before = self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&key);
        Change { key, before, now: None }
    }
}

impl<K> Served<K>
where
    K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
    K: Clone + fmt::Debug + DeserializeOwned + Send + Sync + 'static,
{
    /// Watches the objects in `namespace` (all where it is `None`) that match `labels`, tells `on_change` what happens,
    /// and `on_filled` once everything that exists is known. Goes on until `stop`.
    pub async fn watch(
        self,
        client: Client,
        namespace: Option<String>,
        labels: String,
        stop: CancellationToken,
        on_change: impl Fn(&Change<K>),
        on_filled: impl FnOnce(),
    ) {
        let api: Api<Object<K>> = match &namespace {
            Some(namespace) => Api::namespaced(client, namespace),
            None => Api::all(client),
        };
        let config = watcher::Config::default().labels(&labels);
        let mut events = relisting(api, config).boxed();
        let mut on_filled = Some(on_filled);
        let mut listed: Option<HashSet<ObjectKey>> = None;
        loop {
            let event = tokio::select! {
                event = events.try_next() => event,
                () = stop.cancelled() => return,
            };
            match event {
                Ok(Some(Event::Init)) => listed = Some(HashSet::new()),
                Ok(Some(Event::InitApply(object))) => {
                    if let Some(listed) = &mut listed {
                        listed.insert(object.key());
                    }
                    on_change(&self.put(object));
                }
                Ok(Some(Event::InitDone)) => {
                    let listed = listed.take().unwrap_or_default();
                    let gone = self.all().into_iter().map(|object| object.key()).filter(|key| !listed.contains(key));
                    for key in gone {
                        on_change(&self.remove(key));
                    }
                    if let Some(on_filled) = on_filled.take() {
                        on_filled();
                    }
                }
                Ok(Some(Event::Apply(object))) => on_change(&self.put(object)),
                Ok(Some(Event::Delete(object))) => on_change(&self.remove(object.key())),
                Ok(None) => return,
                Err(error) => warn!(kind = %K::kind(&()), %error, "a watch broke and is started again"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(version: &str, generation: i64, request: &str) -> Object<Value> {
        let metadata = json!({
            "name": "apps", "namespace": "shop", "uid": "1", "resourceVersion": version, "generation": generation,
            "annotations": { annotations::REQUESTED_AT: request },
        });
        serde_json::from_value(json!({ "metadata": metadata })).expect("an object")
    }

    #[test]
    fn what_others_changed_asks_for_a_run_once_whoever_tells_it_first() {
        let served = Served::default();
        let asks = |version: &str, generation: i64, request: &str| {
            served.put(object(version, generation, request)).asks_for_a_run()
        };
        assert!(asks("1", 1, ""), "it is new");
        assert!(!asks("2", 1, ""), "a status was written");
        assert!(asks("4", 2, ""), "the answer to a write has a new spec");
        assert!(!asks("3", 2, ""), "the watch is late");
        assert!(!asks("4", 2, ""), "the watch tells the same");
        assert!(asks("5", 2, "now"), "a reconciliation is requested");
    }
}
