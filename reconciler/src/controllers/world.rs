//! What every controller works with.

use std::sync::Arc;

use fairlead_api::{
    fairlead::FluxConfiguration,
    helm::HelmRelease,
    kustomize::{Kustomization, KustomizationSpec},
};
use fairlead_helm::ChartCache;
use fairlead_plan::DigestKey;
use fairlead_sources::store::{SourceKind, Store};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{
    ObjectKey, SourceName, flux_configuration, helm_release,
    kustomization::{AwaitedKinds, Memories},
    receiver::Receivers,
    source::Sources,
};
use crate::{
    backoff::{Backoff, jittered},
    clock::Clock,
    cluster::Cluster,
    events::{Recorder, Reference},
    metrics::Metrics,
    queue::{NextRun, Queue},
    settings::Settings,
    watch::{Served, Tracker},
};

/// The state of one controller process.
pub struct World {
    /// The cluster, as this process.
    pub cluster: Cluster,
    /// Artifacts of all sources.
    pub store: Store,
    /// Charts of releases, by the digests of their artifacts.
    pub(crate) charts: Arc<ChartCache>,
    /// Where events go.
    pub recorder: Recorder,
    /// What Prometheus is told.
    pub metrics: Metrics,
    /// The time.
    pub clock: Clock,
    /// The operator's decisions.
    pub settings: Settings,
    /// All `Kustomization` objects.
    pub kustomizations: Served<Kustomization>,
    /// All `FluxConfiguration` objects.
    pub configurations: Served<FluxConfiguration>,
    /// All `HelmRelease` objects.
    pub releases: Served<HelmRelease>,
    /// Wakes `HelmRelease` objects.
    pub release_queue: Arc<Queue<ObjectKey>>,
    /// Watches what `HelmRelease` objects own.
    pub release_tracker: Tracker,
    /// Wakes `Kustomization` objects.
    pub kustomization_queue: Arc<Queue<ObjectKey>>,
    /// Wakes `FluxConfiguration` objects.
    pub configuration_queue: Arc<Queue<ObjectKey>>,
    /// Watches what Kustomizations own.
    pub tracker: Tracker,
    /// Watches what `FluxConfiguration` objects hold rights and credentials by, and the Secrets that they refer to.
    pub configuration_tracker: Tracker,
    /// Under which values of Secrets are compared.
    pub(crate) digest_key: DigestKey,
    pub(crate) memories: Memories,
    pub(crate) awaited_kinds: AwaitedKinds,
    pub(crate) release_memories: helm_release::Memories,
    pub(crate) release_backoff: Backoff<ObjectKey>,
    pub(crate) configuration_memories: flux_configuration::Memories,
    pub(crate) sources: Sources,
    pub(crate) receivers: Receivers,
    /// Watches the Secrets of Receivers.
    pub(crate) receiver_tracker: Tracker,
    pub(crate) receiver_backoff: Backoff<ObjectKey>,
    pub(crate) kustomization_backoff: Backoff<ObjectKey>,
    pub(crate) configuration_backoff: Backoff<ObjectKey>,
}

impl World {
    /// The next run of an object that is as it should be.
    pub(crate) fn after_success(&self, interval: std::time::Duration) -> NextRun {
        NextRun::After(jittered(interval, self.settings.interval_jitter_percentage, fastrand::f64()))
    }

    /// Wakes what is made of the source `key`.
    pub(crate) fn wake_consumers(&self, kind: SourceKind, key: &ObjectKey) {
        self.wake_kustomizations(|spec, namespace| {
            let wanted = SourceName::of(spec, namespace);
            wanted.key == *key && wanted.stored_kind() == kind
        });
        self.wake_releases(kind, key);
        self.sources.wake_charts(kind, key);
        if kind == SourceKind::GitRepository {
            self.sources.wake_includers(key);
        }
    }

    /// Wakes the Kustomizations that wait for `dependency`.
    pub(crate) fn wake_dependents(&self, dependency: &ObjectKey) {
        self.wake_kustomizations(|spec, namespace| {
            spec.depends_on.iter().any(|entry| {
                entry.name == dependency.name && entry.namespace.as_deref().unwrap_or(namespace) == dependency.namespace
            })
        });
    }

    /// Wakes the releases whose chart is the source `key`.
    pub(crate) fn wake_releases(&self, kind: SourceKind, key: &ObjectKey) {
        for object in self.releases.all() {
            let release = object.key();
            let is_meant = object.parsed.as_ref().is_ok_and(|parsed| {
                helm_release::chart_source(&parsed.spec, &release).is_some_and(|source| source == (kind, key.clone()))
            });
            if is_meant {
                self.release_queue.wake(release);
            }
        }
    }

    /// Wakes the releases that wait for the release `dependency`.
    pub(crate) fn wake_dependent_releases(&self, dependency: &ObjectKey) {
        for object in self.releases.all() {
            let release = object.key();
            let is_meant = object.parsed.as_ref().is_ok_and(|parsed| {
                parsed.spec.depends_on.iter().any(|entry| {
                    let namespace = entry.namespace.as_deref().unwrap_or(&release.namespace);
                    entry.name == dependency.name && namespace == dependency.namespace
                })
            });
            if is_meant {
                self.release_queue.wake(release);
            }
        }
    }

    fn wake_kustomizations(&self, is_meant: impl Fn(&KustomizationSpec, &str) -> bool) {
        for object in self.kustomizations.all() {
            let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
            if object.parsed.as_ref().is_ok_and(|parsed| is_meant(&parsed.spec, namespace)) {
                self.kustomization_queue.wake(object.key());
            }
        }
    }
}

/// How Events refer to an object of a served kind.
pub(crate) fn reference<K: kube::Resource<DynamicType = ()>>(metadata: &ObjectMeta) -> Reference {
    Reference {
        api_version: K::api_version(&()).into_owned(),
        kind: K::kind(&()).into_owned(),
        namespace: metadata.namespace.clone().unwrap_or_default(),
        name: metadata.name.clone().unwrap_or_default(),
        uid: metadata.uid.clone().unwrap_or_default(),
        resource_version: metadata.resource_version.clone().unwrap_or_default(),
    }
}
