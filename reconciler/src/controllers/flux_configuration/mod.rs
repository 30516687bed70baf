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

mod block;
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
    names::labels,
};

use super::{ObjectKey, Reconciled, Unusable, World};
use crate::{
    backoff::Backoff,
    cluster::ApiError,
    queue::{NextRun, Queue},
    watch::{Change, Marks, Object, Served},
};
pub(crate) use facts::{Facts, FluxKind, facts};
pub(crate) use memory::Memories;
use outcome::{Failure, Situation};
pub use parts::account_name;
use provision::Provisioned;

/// The field manager of everything that a configuration consists of, and of its status.
const MANAGER: &str = "fairlead";

/// By what the account of a configuration, its bindings and its Secret are known.
pub(crate) const MARKS: Marks =
    Marks { label: labels::CONFIGURATION_NAME, manager: MANAGER, owner_of: live::named_configuration };

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

/// One configuration in one run.
type Subject<'a> = super::Subject<'a, FluxConfiguration>;

impl Reconciled for FluxConfiguration {
    type Status = FluxConfigurationStatus;

    const CONTROLLER: &'static str = "fluxconfig-controller";
    const METRICS: &'static str = "fluxconfiguration";
    const MANAGER: &'static str = MANAGER;

    fn served(world: &World) -> &Served<Self> {
        &world.configurations
    }

    fn queue(world: &World) -> &Arc<Queue<ObjectKey>> {
        &world.configuration_queue
    }

    fn backoff(world: &World) -> &Backoff<ObjectKey> {
        &world.configuration_backoff
    }

    fn status(&self) -> Option<&FluxConfigurationStatus> {
        self.status.as_ref()
    }

    fn forget(world: &World, key: &ObjectKey) {
        world.configuration_memories.forget(key);
        world.configuration_tracker.forget_owner(key);
    }

    async fn reconcile(subject: &Subject<'_>) -> Result<NextRun, ApiError> {
        subject.reconcile().await
    }

    async fn finalize(subject: &Subject<'_>) -> Result<NextRun, ApiError> {
        subject.finalize().await
    }
}

impl Subject<'_> {
    async fn reconcile(&self) -> Result<NextRun, ApiError> {
        let before = self.before();
        let outcome = self.outcome().await;
        let report = outcome::report(&self.situation(&before), &outcome);
        self.write(&before, &report.status).await?;
        for said in &report.events {
            self.publish(said, "", Vec::new());
        }
        if report.has_failed {
            // It may be that someone took rights or credentials away, and that the watch which tells it is late.
            self.world.configuration_memories.forget(self.key);
            self.world.configuration_queue.wake(self.key.clone());
        }
        Ok(self.next_run(report.next))
    }

    async fn outcome(&self) -> Result<Provisioned, Failure> {
        let configuration = self.readable()?;
        Unusable::refuse(configuration.spec.unsupported())?;
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
            spec: self.parsed().map(|parsed| &parsed.spec),
            generation: self.metadata().generation,
            requested_at: self.requested_at(),
            parts: facts::parts(self.world, self.key, self.uid()),
            now: self.world.clock.now(),
        }
    }
}
