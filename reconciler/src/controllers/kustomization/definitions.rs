//! Kinds that are not served yet: who waits for one is woken when a definition of its group comes or changes.
//!
//! Definitions are watched from when someone first waits, and by their metadata alone: they are large.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api,
    core::PartialObjectMeta,
    runtime::watcher::{self, Event},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{
    controllers::{ObjectKey, World},
    watch::relisting,
};

/// Who waits for a kind of which API group.
#[derive(Default)]
pub(crate) struct AwaitedKinds {
    by_group: Mutex<BTreeMap<String, BTreeSet<ObjectKey>>>,
    is_needed: Notify,
}

impl AwaitedKinds {
    /// Says that `key` waits for a kind of `group`, until one of its definitions comes or changes.
    pub(super) fn add(&self, group: &str, key: &ObjectKey) {
        self.by_group().entry(group.to_owned()).or_default().insert(key.clone());
        self.is_needed.notify_one();
    }

    /// Says that `key` waits for nothing any more.
    pub(super) fn forget(&self, key: &ObjectKey) {
        self.by_group().retain(|_, keys| {
            keys.remove(key);
            !keys.is_empty()
        });
    }

    /// Takes who waits for the group of the definition `name`, which is `<plural>.<group>`.
    fn take(&self, name: &str) -> BTreeSet<ObjectKey> {
        let group = name.split_once('.').map_or("", |(_, group)| group);
        self.by_group().remove(group).unwrap_or_default()
    }

    fn by_group(&self) -> MutexGuard<'_, BTreeMap<String, BTreeSet<ObjectKey>>> {
        self.by_group.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes who waits for a kind when its definition may have come. Goes on until `stop`.
pub(crate) async fn follow(world: Arc<World>, stop: CancellationToken) {
    tokio::select! {
        () = world.awaited_kinds.is_needed.notified() => {}
        () = stop.cancelled() => return,
    }
    let definitions: Api<PartialObjectMeta<CustomResourceDefinition>> = Api::all(world.cluster.client().clone());
    let mut events = relisting(definitions, watcher::Config::default()).boxed();
    loop {
        let event = tokio::select! {
            event = events.try_next() => event,
            () = stop.cancelled() => return,
        };
        match event {
            Ok(Some(Event::Apply(definition) | Event::InitApply(definition))) => {
                wake(&world, definition.metadata.name.as_deref().unwrap_or_default());
            }
            Ok(Some(Event::Init | Event::InitDone | Event::Delete(_))) => {}
            Ok(None) => return,
            Err(error) => warn!(kind = "CustomResourceDefinition", %error, "a watch broke and is started again"),
        }
    }
}

fn wake(world: &World, name: &str) {
    let keys = world.awaited_kinds.take(name);
    if !keys.is_empty() {
        world.cluster.expect_new_kinds();
    }
    for key in keys {
        // A definition is served a moment after it is told: if the next run comes too early, the one after it is soon.
        world.kustomization_backoff.reset(&key);
        world.kustomization_queue.wake(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_wakes_who_waits_for_its_group_and_nobody_twice() {
        let kinds = AwaitedKinds::default();
        let (apps, infra) = (ObjectKey::new("shop", "apps"), ObjectKey::new("shop", "infra"));
        kinds.add("example.com", &apps);
        kinds.add("example.com", &infra);
        kinds.add("example.org", &infra);
        kinds.forget(&apps);
        assert_eq!(kinds.take("widgets.example.com"), BTreeSet::from([infra.clone()]));
        assert_eq!(kinds.take("widgets.example.com"), BTreeSet::new());
        assert_eq!(kinds.take("ships.example.org"), BTreeSet::from([infra]));
    }
}
