//! The objects of each kind of source, and who works on them.

use std::{sync::Arc, time::Duration};

use fairlead_api::source::{Bucket, GitRepository, HelmRepository, OciRepository};
use fairlead_sources::store::SourceKind;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{Source, polls::Polls};
use crate::{
    backoff::Backoff,
    cluster::Resource,
    controllers::{
        ObjectKey,
        flux_configuration::{Facts, facts},
        subject::resource,
    },
    queue::Queue,
    watch::Served,
};

/// The objects of one kind of source, and who works on them.
pub(crate) struct Plane<K: Source> {
    pub(crate) served: Served<K>,
    pub(crate) queue: Arc<Queue<ObjectKey>>,
    pub(super) backoff: Backoff<ObjectKey>,
    pub(super) polls: Polls<K::Request>,
}

impl<K: Source> Plane<K> {
    fn new(first_retry: Duration, last_retry: Duration) -> Self {
        Self {
            served: Served::default(),
            queue: Queue::new(),
            backoff: Backoff::new(first_retry, last_retry),
            polls: Polls::default(),
        }
    }
}

/// The sources of all kinds.
pub(crate) struct Sources {
    pub(super) buckets: Plane<Bucket>,
    pub(super) git_repositories: Plane<GitRepository>,
    pub(super) helm_repositories: Plane<HelmRepository>,
    pub(super) oci_repositories: Plane<OciRepository>,
}

impl Sources {
    /// The kinds.
    pub(crate) const KINDS: [SourceKind; 4] =
        [OciRepository::KIND, Bucket::KIND, GitRepository::KIND, HelmRepository::KIND];

    /// Nothing is known yet; failed runs are tried again after the first delay, and at last after the second.
    pub(crate) fn new(first_retry: Duration, last_retry: Duration) -> Self {
        Self {
            buckets: Plane::new(first_retry, last_retry),
            git_repositories: Plane::new(first_retry, last_retry),
            helm_repositories: Plane::new(first_retry, last_retry),
            oci_repositories: Plane::new(first_retry, last_retry),
        }
    }

    /// Whether there is a source of this kind called `key`.
    pub(crate) fn has(&self, kind: SourceKind, key: &ObjectKey) -> bool {
        self.of(kind).is_some_and(|known| known.has(key))
    }

    /// The sources of one kind, if it is served.
    pub(crate) fn of(&self, kind: SourceKind) -> Option<&dyn Known> {
        match kind {
            SourceKind::GitRepository => Some(&self.git_repositories),
            SourceKind::OciRepository => Some(&self.oci_repositories),
            SourceKind::Bucket => Some(&self.buckets),
            SourceKind::HelmRepository => Some(&self.helm_repositories),
            SourceKind::HelmChart => None,
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
}
