//! `GitRepository`: the wanted revision of a repository, kept as an artifact.
//!
//! # Differs from Flux
//! A run that finds nothing new writes nothing, not even an event. Progress is written when a fetch takes longer than
//! two seconds, not before each. Objects that name the same repository and credentials share one request.

mod outcome;
mod polls;
mod request;

use std::{sync::Arc, time::Duration};

use fairlead_api::{
    names::annotations,
    source::{GitRepository, GitRepositorySpec, GitRepositoryStatus},
};
use fairlead_sources::store::{Artifact, SourceKey, SourceKind};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{ObjectKey, World, status::Kind, world::reference};
use crate::{
    cluster::{ApiError, Resource},
    events::{Event, Severity},
    queue::NextRun,
    watch::Object,
};
use outcome::{Failure, Outcome, Report, Stored};
pub(crate) use polls::Polls;
pub use request::{GitRequestError, git_request};

/// How long a fetch may take before the object's status says that it is going on.
const PROGRESS_AFTER: Duration = Duration::from_secs(2);

const CONTROLLER: &str = "source-controller";

fn kind() -> Kind {
    let resource = Resource::namespaced("source.toolkit.fluxcd.io", "v1", "GitRepository", "gitrepositories");
    Kind { resource, manager: CONTROLLER, queue: |world| &world.repository_queue }
}

/// The store's name of the artifact of the repository `key`.
pub fn source_key(key: &ObjectKey) -> SourceKey {
    SourceKey { kind: SourceKind::GitRepository, namespace: key.namespace.clone(), name: key.name.clone() }
}

/// One run for the repository `key`.
pub async fn run(world: Arc<World>, key: ObjectKey) -> NextRun {
    let began = Instant::now();
    let Some(object) = world.repositories.get(&key) else { return gone(&world, &key) };
    let _active = world.metrics.active("gitrepository");
    let ended = match finalized(&world, &key, &object).await {
        Ok(true) => return NextRun::OnChange,
        Ok(false) => reconcile(&world, &key, &object, began).await,
        Err(error) => Err(error),
    };
    let next = match ended {
        Ok(next) => next,
        Err(error) if error.is_not_found() => NextRun::OnChange,
        Err(error) => {
            warn!(kind = "GitRepository", namespace = key.namespace, name = key.name, %error, "status not written");
            NextRun::After(world.repository_backoff.after_failure(key.clone()))
        }
    };
    let result = if next == NextRun::OnChange { "success" } else { "requeue_after" };
    world.metrics.observe_run(("GitRepository", &key.namespace, &key.name), "gitrepository", result, began.elapsed());
    next
}

/// The object is gone; what it left behind goes too.
fn gone(world: &World, key: &ObjectKey) -> NextRun {
    if let Err(error) = world.store.withdraw(&source_key(key)) {
        warn!(kind = "GitRepository", namespace = key.namespace, name = key.name, %error, "artifact not withdrawn");
    }
    world.repository_backoff.reset(key);
    world.metrics.forget(("GitRepository", &key.namespace, &key.name));
    NextRun::OnChange
}

/// Ends an object that is being deleted; otherwise makes sure that its end is not missed.
async fn finalized(world: &World, key: &ObjectKey, object: &Object<GitRepository>) -> Result<bool, ApiError> {
    let metadata = &object.metadata;
    if metadata.deletion_timestamp.is_none() {
        kind().add_finalizer(world, &world.repositories, metadata).await?;
        return Ok(false);
    }
    gone(world, key);
    kind().remove_finalizer(world, &world.repositories, metadata).await?;
    Ok(true)
}

async fn reconcile(
    world: &World,
    key: &ObjectKey,
    object: &Object<GitRepository>,
    began: Instant,
) -> Result<NextRun, ApiError> {
    let subject = Subject::new(world, key, object);
    let outcome = subject.fetch_with_progress(began).await;
    let report = outcome::report(&subject.situation(), &outcome);
    subject.write(&report).await?;
    subject.announce(&report, &outcome);
    Ok(match report.next {
        outcome::Next::Interval(interval) => {
            world.repository_backoff.reset(key);
            world.after_success(interval)
        }
        outcome::Next::Retry => NextRun::After(world.repository_backoff.after_failure(key.clone())),
        outcome::Next::OnChange => NextRun::OnChange,
    })
}

/// One object in one run.
struct Subject<'a> {
    world: &'a World,
    key: &'a ObjectKey,
    metadata: &'a ObjectMeta,
    parsed: Result<&'a GitRepository, &'a str>,
    before: GitRepositoryStatus,
    artifact: Option<Artifact>,
}

impl<'a> Subject<'a> {
    fn new(world: &'a World, key: &'a ObjectKey, object: &'a Object<GitRepository>) -> Self {
        let parsed = object.parsed.as_ref().map_err(String::as_str);
        let before = parsed.ok().and_then(|parsed| parsed.status.clone()).unwrap_or_default();
        let artifact = world.store.artifact(&source_key(key));
        Self { world, key, metadata: &object.metadata, parsed, before, artifact }
    }

    fn situation(&self) -> outcome::Situation<'_> {
        outcome::Situation {
            before: &self.before,
            generation: self.metadata.generation,
            requested_at: self.requested_at(),
            ignore: self.parsed.ok().and_then(|parsed| parsed.spec.ignore.as_deref()),
            address: &self.world.settings.artifact_address,
            stored: self.artifact.as_ref(),
            now: self.world.clock.now(),
        }
    }

    fn requested_at(&self) -> Option<&str> {
        self.metadata.annotations.as_ref()?.get(annotations::REQUESTED_AT).map(String::as_str)
    }

    fn is_requested(&self) -> bool {
        self.requested_at() != self.before.last_handled_reconcile_at.as_deref()
    }

    /// Fetches; says so in the status if it takes long.
    async fn fetch_with_progress(&self, began: Instant) -> Result<Outcome, Failure> {
        let fetch = self.fetch(began);
        tokio::pin!(fetch);
        if let Ok(outcome) = tokio::time::timeout(PROGRESS_AFTER, &mut fetch).await {
            return outcome;
        }
        let progress = outcome::progress(&self.situation());
        if let Err(error) = self.write_status(&progress).await {
            warn!(namespace = self.key.namespace, name = self.key.name, %error, "progress not written");
        }
        fetch.await
    }

    async fn fetch(&self, began: Instant) -> Result<Outcome, Failure> {
        let spec = &self.parsed.map_err(|error| Failure::Unreadable(error.to_owned()))?.spec;
        if spec.suspend {
            return Ok(Outcome::Suspended);
        }
        let unsupported = spec.unsupported();
        if !unsupported.is_empty() {
            return Err(Failure::Unsupported(unsupported));
        }
        let interval = spec.interval.read("spec.interval")?;
        let request = git_request(&self.world.cluster, &self.key.namespace, spec).await?;
        let not_before = polls::not_before(self.is_requested(), began);
        let resolved = self.world.polls.resolve(&request, not_before).await?;
        if self.is_stored(spec, &resolved.revision) {
            return Ok(Outcome::Unchanged { interval });
        }
        let fetched = self.world.polls.fetch(&request, &resolved, &self.world.store, spec.ignore.as_deref()).await?;
        let (store, source, now) = (self.world.store.clone(), source_key(self.key), self.world.clock.now());
        let (revision, tree) = (resolved.revision.clone(), Arc::clone(&fetched));
        let published = tokio::task::spawn_blocking(move || store.publish(&source, &revision, &tree.tree, now));
        let artifact = published.await.map_err(|error| Failure::Interrupted(error.to_string()))??;
        self.world.wake_consumers(self.key);
        Ok(Outcome::Stored(Stored { artifact, subject: fetched.subject.clone(), interval }))
    }

    /// Whether what is wanted is what is kept: nothing needs to be fetched.
    fn is_stored(&self, spec: &GitRepositorySpec, revision: &str) -> bool {
        let is_ignored_alike = self.before.observed_ignore == spec.ignore;
        is_ignored_alike && self.artifact.as_ref().is_some_and(|artifact| artifact.revision == revision)
    }

    async fn write(&self, report: &Report) -> Result<(), ApiError> {
        self.write_status(&report.status).await
    }

    async fn write_status(&self, status: &GitRepositoryStatus) -> Result<(), ApiError> {
        kind().write_status(self.world, &self.world.repositories, self.metadata, &self.before, status).await
    }

    fn announce(&self, report: &Report, outcome: &Result<Outcome, Failure>) {
        let Some(said) = &report.event else { return };
        let (namespace, name) = (&self.key.namespace, &self.key.name);
        match said.severity {
            Severity::Info => info!(kind = "GitRepository", namespace, name, output = said.message, "reconciled"),
            Severity::Error => warn!(kind = "GitRepository", namespace, name, error = said.message, "failed"),
        }
        self.world.recorder.record(Event {
            about: reference::<GitRepository>(self.metadata),
            severity: said.severity,
            reason: said.reason,
            message: said.message.clone(),
            metadata: outcome.as_ref().map(Outcome::event_metadata).unwrap_or_default(),
            controller: CONTROLLER,
        });
    }
}
