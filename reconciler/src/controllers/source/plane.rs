//! The objects of each kind of source, and who works on them.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use fairlead_api::source::{Bucket, GitRepository, HelmChart, HelmRepository, OciRepository};
use fairlead_sources::store::SourceKind;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use tokio::time::Instant;

use super::{Source, external_artifact::ExternalArtifacts, polls::Polls};
use crate::{
    backoff::Backoff,
    cluster::Resource,
    controllers::{
        ObjectKey,
        flux_configuration::{Facts, facts},
        subject::resource,
    },
    queue::Queue,
    watch::{Object, Served},
};

/// The objects of one kind of source, and who works on them.
pub(crate) struct Plane<K: Source> {
    pub(crate) served: Served<K>,
    pub(crate) queue: Arc<Queue<ObjectKey>>,
    pub(super) backoff: Backoff<ObjectKey>,
    pub(super) polls: Polls<K::Request>,
    /// Who is to be asked for anew, and since when.
    requests: Mutex<HashMap<ObjectKey, Instant>>,
}

impl<K: Source> Plane<K> {
    fn new(first_retry: Duration, last_retry: Duration) -> Self {
        Self {
            served: Served::default(),
            queue: Queue::new(),
            backoff: Backoff::new(first_retry, last_retry),
            polls: Polls::default(),
            requests: Mutex::default(),
        }
    }

    /// When the source called `key` was asked for anew, if nobody has taken that yet.
    pub(super) fn take_request(&self, key: &ObjectKey) -> Option<Instant> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).remove(key)
    }
}

/// The sources of all kinds.
pub(crate) struct Sources {
    pub(super) buckets: Plane<Bucket>,
    pub(crate) external_artifacts: ExternalArtifacts,
    pub(super) git_repositories: Plane<GitRepository>,
    pub(super) helm_charts: Plane<HelmChart>,
    pub(super) helm_repositories: Plane<HelmRepository>,
    pub(super) oci_repositories: Plane<OciRepository>,
}

impl Sources {
    /// The kinds that are fetched by objects of their own.
    pub(crate) const KINDS: [SourceKind; 5] =
        [OciRepository::KIND, Bucket::KIND, GitRepository::KIND, HelmRepository::KIND, HelmChart::KIND];

    /// Nothing is known yet; failed runs are tried again after the first delay, and at last after the second.
    pub(crate) fn new(first_retry: Duration, last_retry: Duration) -> Self {
        Self {
            buckets: Plane::new(first_retry, last_retry),
            external_artifacts: ExternalArtifacts::default(),
            git_repositories: Plane::new(first_retry, last_retry),
            helm_charts: Plane::new(first_retry, last_retry),
            helm_repositories: Plane::new(first_retry, last_retry),
            oci_repositories: Plane::new(first_retry, last_retry),
        }
    }

    /// Wakes the repositories that include the artifact of the one called `key`, and whose own it does not include: in a
    /// circle, each look at the interval is enough.
    pub(crate) fn wake_includers(&self, key: &ObjectKey) {
        for object in self.git_repositories.served.all() {
            let includer = object.key();
            if self.includes(&includer).contains(key) && !self.leads_to(key, &includer) {
                self.git_repositories.queue.wake(includer);
            }
        }
    }

    /// Whether what `from` includes, and what that includes, has `to` among it.
    fn leads_to(&self, from: &ObjectKey, to: &ObjectKey) -> bool {
        let (mut seen, mut open) = (HashSet::new(), vec![from.clone()]);
        while let Some(next) = open.pop() {
            if next == *to {
                return true;
            }
            if seen.insert(next.clone()) {
                open.extend(self.includes(&next));
            }
        }
        false
    }

    /// What the repository `key` includes.
    fn includes(&self, key: &ObjectKey) -> Vec<ObjectKey> {
        let object = self.git_repositories.served.get(key);
        let parsed = object.as_ref().and_then(|object| object.parsed.as_ref().ok());
        let included = parsed.into_iter().flat_map(|parsed| &parsed.spec.include);
        included.map(|entry| ObjectKey::new(&key.namespace, &entry.repository.name)).collect()
    }

    /// Wakes the charts that are found in the source `key`.
    pub(crate) fn wake_charts(&self, kind: SourceKind, key: &ObjectKey) {
        for object in self.helm_charts.served.all() {
            let is_meant = object.parsed.as_ref().is_ok_and(|chart| {
                let source = &chart.spec.source_ref;
                source.kind.name() == kind.name() && source.name == key.name
            });
            if is_meant && object.key().namespace == key.namespace {
                self.helm_charts.queue.wake(object.key());
            }
        }
    }

    /// The `HelmChart` called `key`.
    pub(crate) fn chart(&self, key: &ObjectKey) -> Option<Arc<Object<HelmChart>>> {
        self.helm_charts.served.get(key)
    }

    /// Whether there is a source of this kind called `key`.
    pub(crate) fn has(&self, kind: SourceKind, key: &ObjectKey) -> bool {
        match self.of(kind) {
            Some(known) => known.has(key),
            None => self.external_artifacts.served.get(key).is_some(),
        }
    }

    /// The sources of one kind; `None` for the one that others work on.
    pub(crate) fn of(&self, kind: SourceKind) -> Option<&dyn Known> {
        match kind {
            SourceKind::GitRepository => Some(&self.git_repositories),
            SourceKind::OciRepository => Some(&self.oci_repositories),
            SourceKind::Bucket => Some(&self.buckets),
            SourceKind::HelmRepository => Some(&self.helm_repositories),
            SourceKind::HelmChart => Some(&self.helm_charts),
            SourceKind::ExternalArtifact => None,
        }
    }
}

/// What can be asked of the sources of a kind without knowing it.
pub(crate) trait Known: Send + Sync {
    /// Whether there is one called `key`.
    fn has(&self, key: &ObjectKey) -> bool;

    /// The metadata of the one called `key`, and what of it matters to a configuration.
    fn seen(&self, key: &ObjectKey) -> Option<(ObjectMeta, Facts)>;

    /// Where they are found.
    fn resource(&self) -> Resource;

    /// Wakes the one called `key`.
    fn wake(&self, key: ObjectKey);

    /// Wakes the one called `key`, whose server is then asked anew, however lately it was asked.
    fn request(&self, key: ObjectKey);

    /// The metadata of the one called `key`.
    fn metadata(&self, key: &ObjectKey) -> Option<ObjectMeta>;

    /// The metadata of all in `namespace`.
    fn all_in(&self, namespace: &str) -> Vec<ObjectMeta>;
}

impl<K: Source> Known for Plane<K> {
    fn has(&self, key: &ObjectKey) -> bool {
        self.served.get(key).is_some()
    }

    fn seen(&self, key: &ObjectKey) -> Option<(ObjectMeta, Facts)> {
        self.served.get(key).map(|object| (object.metadata.clone(), facts(&object)))
    }

    fn resource(&self) -> Resource {
        resource::<K>()
    }

    fn wake(&self, key: ObjectKey) {
        self.queue.wake(key);
    }

    fn request(&self, key: ObjectKey) {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), Instant::now());
        self.queue.wake(key);
    }

    fn metadata(&self, key: &ObjectKey) -> Option<ObjectMeta> {
        self.served.get(key).map(|object| object.metadata.clone())
    }

    fn all_in(&self, namespace: &str) -> Vec<ObjectMeta> {
        let all = self.served.all().into_iter().map(|object| object.metadata.clone());
        all.filter(|metadata| metadata.namespace.as_deref() == Some(namespace)).collect()
    }
}
