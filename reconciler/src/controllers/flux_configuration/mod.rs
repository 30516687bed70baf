//! `FluxConfiguration`: a source and what is built from it, under one scope.
//!
//! A run brings its parts about: an account with the rights of the scope, a Secret with the credentials, a source, and
//! Kustomizations. Those are served like any other; what comes of them is rolled up into one status when it changes.
//!
//! # Follows Azure Arc
//! The names of source and Kustomizations, how protected settings become credentials, and what the states mean.
//! # Differs from Azure Arc
//! - Each configuration has an account of its own, so that no grant leaks to a neighbour. Where two scopes meet in one
//!   namespace, the later configuration is refused and holds no rights: whoever may create pods there could borrow the
//!   stronger account.
//! - Nothing is written that is as it should be, and nothing is taken over that does not belong to the configuration.

mod compliance;
mod conflict;
mod credentials;
mod facts;
mod finalize;
mod live;
mod memory;
mod outcome;
mod parts;
mod provision;

use std::sync::Arc;

use fairlead_api::{
    fairlead::{FluxConfiguration, FluxConfigurationStatus},
    names::{annotations, labels},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{ObjectKey, World, status::Kind, world::reference};
use crate::{
    cluster::{ApiError, Resource},
    events::{Event, Severity},
    queue::NextRun,
    watch::{Change, Marks, Object},
};
pub(crate) use facts::FluxKind;
pub(crate) use memory::Memories;
use outcome::{Failure, Next, Said, Situation};
pub use parts::account_name;
use provision::Provisioned;

const CONTROLLER: &str = "fluxconfig-controller";

/// The field manager of everything that a configuration consists of, and of its status.
const MANAGER: &str = "fairlead";

/// By what the account of a configuration, its bindings and its Secret are known.
pub(crate) const MARKS: Marks =
    Marks { label: labels::CONFIGURATION_NAME, manager: MANAGER, owner_of: live::named_configuration };

fn kind() -> Kind {
    let resource = Resource::namespaced("fairlead.dev", "v1alpha1", "FluxConfiguration", "fluxconfigurations");
    Kind { resource, manager: MANAGER, queue: |world| &world.configuration_queue }
}

/// Wakes the configuration that a changed object belongs to, if what changed matters to it.
pub(crate) fn wake_owner<K: FluxKind>(world: &World, change: &Change<K>) {
    let Some(object) = change.now.as_ref().or(change.before.as_ref()) else { return };
    let Some(owner) = facts::owner(world, &object.metadata) else { return };
    let facts = change.now.as_ref().map(|object| facts::facts(object));
    if world.configuration_memories.is_news(K::KIND, &change.key, facts.as_ref()) {
        world.configuration_queue.wake(owner);
    }
}

/// Wakes the configurations of another scope next to one that came or went: they may be refused because of it, or not
/// any more.
pub(crate) fn wake_neighbours(world: &World, change: &Change<FluxConfiguration>) {
    let ((None, Some(changed)) | (Some(changed), None)) = (&change.before, &change.now) else { return };
    let scope = |object: &Object<FluxConfiguration>| object.parsed.as_ref().ok().map(|parsed| parsed.spec.scope);
    for object in world.configurations.all() {
        let key = object.key();
        if key.namespace == change.key.namespace && scope(&object) != scope(changed) {
            world.configuration_memories.forget(&key);
            world.configuration_queue.wake(key);
        }
    }
}

/// One run for the configuration `key`.
pub async fn run(world: Arc<World>, key: ObjectKey) -> NextRun {
    let began = Instant::now();
    let Some(object) = world.configurations.get(&key) else { return gone(&world, &key) };
    let _active = world.metrics.active("fluxconfiguration");
    let subject = Subject { world: &world, key: &key, object: &object };
    let ended = match object.metadata.deletion_timestamp {
        Some(_) => subject.finalize().await,
        None => subject.reconcile().await,
    };
    let next = match ended {
        Ok(next) => next,
        Err(error) if error.is_not_found() => NextRun::OnChange,
        Err(error) => {
            warn!(kind = "FluxConfiguration", namespace = key.namespace, name = key.name, %error, "status not written");
            NextRun::After(world.configuration_backoff.after_failure(key.clone()))
        }
    };
    let result = if next == NextRun::OnChange { "success" } else { "requeue_after" };
    let names = ("FluxConfiguration", key.namespace.as_str(), key.name.as_str());
    world.metrics.observe_run(names, "fluxconfiguration", result, began.elapsed());
    next
}

fn gone(world: &World, key: &ObjectKey) -> NextRun {
    world.configuration_memories.forget(key);
    world.configuration_tracker.forget_owner(key);
    world.configuration_backoff.reset(key);
    world.metrics.forget(("FluxConfiguration", &key.namespace, &key.name));
    NextRun::OnChange
}

/// One configuration in one run.
struct Subject<'a> {
    world: &'a World,
    key: &'a ObjectKey,
    object: &'a Object<FluxConfiguration>,
}

impl Subject<'_> {
    fn metadata(&self) -> &ObjectMeta {
        &self.object.metadata
    }

    fn uid(&self) -> &str {
        self.metadata().uid.as_deref().unwrap_or_default()
    }

    fn before(&self) -> FluxConfigurationStatus {
        self.object.parsed.as_ref().ok().and_then(|parsed| parsed.status.clone()).unwrap_or_default()
    }

    fn requested_at(&self) -> Option<&str> {
        self.metadata().annotations.as_ref()?.get(annotations::REQUESTED_AT).map(String::as_str)
    }

    async fn reconcile(&self) -> Result<NextRun, ApiError> {
        kind().add_finalizer(self.world, &self.world.configurations, self.metadata()).await?;
        let before = self.before();
        let outcome = self.outcome().await;
        let report = outcome::report(&self.situation(&before), &outcome);
        self.write(&before, &report.status).await?;
        for said in &report.events {
            self.say(said);
        }
        if report.has_failed {
            // It may be that someone took rights or credentials away, and that the watch which tells it is late.
            self.world.configuration_memories.forget(self.key);
            self.world.configuration_queue.wake(self.key.clone());
        }
        Ok(match report.next {
            Next::Interval(interval) => {
                self.world.configuration_backoff.reset(self.key);
                self.world.after_success(interval)
            }
            Next::Retry => NextRun::After(self.world.configuration_backoff.after_failure(self.key.clone())),
            Next::OnChange => NextRun::OnChange,
        })
    }

    async fn outcome(&self) -> Result<Provisioned, Failure> {
        let configuration = self.object.parsed.as_ref().map_err(|error| Failure::Unreadable(error.clone()))?;
        let unsupported = configuration.spec.unsupported();
        if !unsupported.is_empty() {
            return Err(Failure::Unsupported(unsupported));
        }
        configuration.check()?;
        let provisioned = self.provision(configuration).await;
        if provisioned.is_err() {
            self.world.configuration_memories.forget(self.key);
        }
        provisioned
    }

    fn situation<'s>(&'s self, before: &'s FluxConfigurationStatus) -> Situation<'s> {
        Situation {
            before,
            spec: self.object.parsed.as_ref().ok().map(|parsed| &parsed.spec),
            generation: self.metadata().generation,
            requested_at: self.requested_at(),
            parts: facts::parts(self.world, self.key, self.uid()),
            now: self.world.clock.now(),
        }
    }

    async fn write(&self, before: &FluxConfigurationStatus, after: &FluxConfigurationStatus) -> Result<(), ApiError> {
        kind().write_status(self.world, &self.world.configurations, self.metadata(), before, after).await
    }

    fn say(&self, said: &Said) {
        let (namespace, name) = (&self.key.namespace, &self.key.name);
        match said.severity {
            Severity::Info => info!(kind = "FluxConfiguration", namespace, name, output = said.message, "reconciled"),
            Severity::Error => warn!(kind = "FluxConfiguration", namespace, name, error = said.message, "failed"),
        }
        self.world.recorder.record(Event {
            about: reference::<FluxConfiguration>(self.metadata()),
            severity: said.severity,
            reason: said.reason,
            message: said.message.clone(),
            metadata: Vec::new(),
            controller: CONTROLLER,
        });
    }
}
