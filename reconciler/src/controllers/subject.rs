//! One object in one run, and the frame that all runs share: what is looked up before, and what a write that failed means
//! for the next one.

use std::sync::Arc;

use fairlead_api::names::annotations;
use k8s_openapi::{NamespaceResourceScope, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::Instant;
use tracing::{info, warn};

use super::{ObjectKey, Unusable, World, world::reference};
use crate::{
    backoff::Backoff,
    cluster::{ApiError, Resource},
    events::{Event, Severity},
    queue::{NextRun, Queue},
    watch::{Object, Served},
};

/// A kind whose objects are reconciled here.
pub(crate) trait Reconciled:
    kube::Resource<DynamicType = (), Scope = NamespaceResourceScope> + DeserializeOwned + Send + Sync + 'static
{
    /// What its controller writes into its objects.
    type Status: Serialize + Clone + Default + Send + Sync;

    /// Its controller's name in Events.
    const CONTROLLER: &'static str;
    /// Its controller's name in metrics.
    const METRICS: &'static str;
    /// The field manager of status and finalizer.
    const MANAGER: &'static str;

    fn served(world: &World) -> &Served<Self>;
    fn queue(world: &World) -> &Arc<Queue<ObjectKey>>;
    fn backoff(world: &World) -> &Backoff<ObjectKey>;

    /// The status as it was read.
    fn status(&self) -> Option<&Self::Status>;

    /// Whether the object is only a name that others refer to: nothing is kept of it, and nothing is said about it.
    fn is_name_only(&self) -> bool {
        false
    }

    /// Drops what is kept of an object that is gone.
    fn forget(world: &World, key: &ObjectKey);

    /// Brings about what the object asks for, and reports. An error is one of writing the status.
    fn reconcile(subject: &Subject<'_, Self>) -> impl Future<Output = Result<NextRun, ApiError>> + Send;

    /// Ends an object that is being deleted.
    fn finalize(subject: &Subject<'_, Self>) -> impl Future<Output = Result<NextRun, ApiError>> + Send;
}

/// One object in one run.
pub(crate) struct Subject<'a, K> {
    pub(crate) world: &'a World,
    pub(crate) key: &'a ObjectKey,
    pub(crate) object: &'a Object<K>,
    pub(crate) began: Instant,
}

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) severity: Severity,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

/// One run for the object `key`.
pub(crate) async fn run<K: Reconciled>(world: Arc<World>, key: ObjectKey) -> NextRun {
    let began = Instant::now();
    let Some(object) = K::served(&world).get(&key) else {
        forget::<K>(&world, &key);
        return NextRun::OnChange;
    };
    let _active = world.metrics.active(K::METRICS);
    let subject = Subject { world: &world, key: &key, object: &object, began };
    let next = match subject.run().await {
        Ok(next) => next,
        Err(error) if error.is_not_found() => NextRun::OnChange,
        Err(error) => {
            let kind = K::kind(&());
            warn!(%kind, namespace = key.namespace, name = key.name, %error, "status not written");
            subject.after_failure()
        }
    };
    let result = if next == NextRun::OnChange { "success" } else { "requeue_after" };
    world.metrics.observe_run((&K::kind(&()), &key.namespace, &key.name), K::METRICS, result, began.elapsed());
    next
}

/// Where the objects of a kind are found.
pub(crate) fn resource<K: Reconciled>() -> Resource {
    Resource::namespaced(&K::group(&()), &K::version(&()), &K::kind(&()), &K::plural(&()))
}

/// Drops everything that is kept of an object that is gone.
pub(super) fn forget<K: Reconciled>(world: &World, key: &ObjectKey) {
    K::forget(world, key);
    K::backoff(world).reset(key);
    world.metrics.forget((&K::kind(&()), &key.namespace, &key.name));
}

impl<K: Reconciled> Subject<'_, K> {
    async fn run(&self) -> Result<NextRun, ApiError> {
        if self.metadata().deletion_timestamp.is_some() {
            return K::finalize(self).await;
        }
        if self.parsed().is_some_and(K::is_name_only) {
            self.write(&self.before(), &K::Status::default()).await?;
            return self.let_go().await;
        }
        self.add_finalizer().await?;
        K::reconcile(self).await
    }

    pub(crate) fn metadata(&self) -> &ObjectMeta {
        &self.object.metadata
    }

    pub(crate) fn uid(&self) -> &str {
        self.metadata().uid.as_deref().unwrap_or_default()
    }

    /// The object, if it can be read.
    pub(crate) fn parsed(&self) -> Option<&K> {
        self.readable().ok()
    }

    /// The object, or why it cannot be read.
    pub(crate) fn readable(&self) -> Result<&K, Unusable> {
        self.object.parsed.as_ref().map_err(|error| Unusable::Unreadable(error.clone()))
    }

    /// The status as it was when the run began.
    pub(crate) fn before(&self) -> K::Status {
        self.parsed().and_then(K::status).cloned().unwrap_or_default()
    }

    /// The request to reconcile that the object bears.
    pub(crate) fn requested_at(&self) -> Option<&str> {
        self.metadata().annotations.as_ref()?.get(annotations::REQUESTED_AT).map(String::as_str)
    }

    /// What of a plan that exceeds the budget was approved.
    pub(crate) fn approved(&self) -> Option<String> {
        self.metadata().annotations.as_ref()?.get(fairlead_plan::APPROVE_ANNOTATION).cloned()
    }

    /// The object's annotations that its events carry.
    pub(crate) fn event_annotations(&self) -> Vec<(String, String)> {
        let all = self.metadata().annotations.iter().flatten();
        let meant = all.filter(|(key, _)| key.starts_with(annotations::EVENT_PREFIX));
        meant.map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// The next run after one that failed: later with each failure in a row.
    pub(crate) fn after_failure(&self) -> NextRun {
        NextRun::After(K::backoff(self.world).after_failure(self.key.clone()))
    }

    /// Says something in the log and as an Event; `revision` is empty where there is none.
    pub(crate) fn publish(&self, said: &Said, revision: &str, metadata: Vec<(String, String)>) {
        let (kind, namespace, name) = (K::kind(&()), &self.key.namespace, &self.key.name);
        let revision = (!revision.is_empty()).then_some(revision);
        match said.severity {
            Severity::Trace | Severity::Info => {
                info!(%kind, namespace, name, revision, output = said.message, "reconciled");
            }
            Severity::Error => warn!(%kind, namespace, name, revision, error = said.message, "failed"),
        }
        self.world.recorder.record(Event {
            about: reference::<K>(self.metadata()),
            severity: said.severity,
            reason: said.reason,
            message: said.message.clone(),
            metadata,
            controller: K::CONTROLLER,
        });
    }
}
