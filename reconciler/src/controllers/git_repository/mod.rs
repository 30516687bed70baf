//! `GitRepository`: the wanted revision of a repository, kept as an artifact.
//!
//! # Differs from Flux
//! A run that finds nothing new writes nothing, not even an event. Progress is written when a fetch takes longer than
//! two seconds, not before each. Objects that name the same repository and credentials share one request.

mod outcome;
mod polls;
mod request;

use std::{sync::Arc, time::Duration};

use fairlead_api::source::{GitRepository, GitRepositorySpec, GitRepositoryStatus};
use fairlead_sources::store::{Artifact, SourceKey, SourceKind};
use tracing::warn;

use super::{ObjectKey, Reconciled, Unusable, World};
use crate::{
    backoff::Backoff,
    cluster::ApiError,
    queue::{NextRun, Queue},
    watch::Served,
};
use outcome::{Failure, Outcome, Stored};
pub(crate) use polls::Polls;
pub use request::{GitRequestError, git_request};

/// How long a fetch may take before the object's status says that it is going on.
const PROGRESS_AFTER: Duration = Duration::from_secs(2);

/// The store's name of the artifact of the repository `key`.
pub fn source_key(key: &ObjectKey) -> SourceKey {
    SourceKey { kind: SourceKind::GitRepository, namespace: key.namespace.clone(), name: key.name.clone() }
}

/// One repository in one run.
type Subject<'a> = super::Subject<'a, GitRepository>;

impl Reconciled for GitRepository {
    type Status = GitRepositoryStatus;

    const CONTROLLER: &'static str = "source-controller";
    const METRICS: &'static str = "gitrepository";
    const MANAGER: &'static str = "source-controller";

    fn served(world: &World) -> &Served<Self> {
        &world.repositories
    }

    fn queue(world: &World) -> &Arc<Queue<ObjectKey>> {
        &world.repository_queue
    }

    fn backoff(world: &World) -> &Backoff<ObjectKey> {
        &world.repository_backoff
    }

    fn status(&self) -> Option<&GitRepositoryStatus> {
        self.status.as_ref()
    }

    fn forget(world: &World, key: &ObjectKey) {
        if let Err(error) = world.store.withdraw(&source_key(key)) {
            warn!(kind = "GitRepository", namespace = key.namespace, name = key.name, %error, "artifact not withdrawn");
        }
    }

    async fn reconcile(subject: &Subject<'_>) -> Result<NextRun, ApiError> {
        Attempt::new(subject).reconcile().await
    }

    async fn finalize(subject: &Subject<'_>) -> Result<NextRun, ApiError> {
        subject.let_go().await
    }
}

/// An attempt to fetch what a repository asks for.
struct Attempt<'a> {
    subject: &'a Subject<'a>,
    before: GitRepositoryStatus,
    artifact: Option<Artifact>,
}

impl<'a> Attempt<'a> {
    fn new(subject: &'a Subject<'a>) -> Self {
        let artifact = subject.world.store.artifact(&source_key(subject.key));
        Self { subject, before: subject.before(), artifact }
    }

    async fn reconcile(&self) -> Result<NextRun, ApiError> {
        let subject = self.subject;
        let outcome = self.fetch_with_progress().await;
        let report = outcome::report(&self.situation(), &outcome);
        subject.write(&self.before, &report.status).await?;
        if let Some(said) = &report.event {
            subject.publish(said, "", outcome.as_ref().map(Outcome::event_metadata).unwrap_or_default());
        }
        Ok(match report.next {
            outcome::Next::Interval(interval) => {
                subject.world.repository_backoff.reset(subject.key);
                subject.world.after_success(interval)
            }
            outcome::Next::Retry => subject.after_failure(),
            outcome::Next::OnChange => NextRun::OnChange,
        })
    }

    fn situation(&self) -> outcome::Situation<'_> {
        outcome::Situation {
            before: &self.before,
            generation: self.subject.metadata().generation,
            requested_at: self.subject.requested_at(),
            ignore: self.subject.parsed().and_then(|parsed| parsed.spec.ignore.as_deref()),
            address: &self.subject.world.settings.artifact_address,
            stored: self.artifact.as_ref(),
            now: self.subject.world.clock.now(),
        }
    }

    fn is_requested(&self) -> bool {
        self.subject.requested_at() != self.before.last_handled_reconcile_at.as_deref()
    }

    /// Fetches; says so in the status if it takes long.
    async fn fetch_with_progress(&self) -> Result<Outcome, Failure> {
        let fetch = self.fetch();
        tokio::pin!(fetch);
        if let Ok(outcome) = tokio::time::timeout(PROGRESS_AFTER, &mut fetch).await {
            return outcome;
        }
        let progress = outcome::progress(&self.situation());
        if let Err(error) = self.subject.write(&self.before, &progress).await {
            let key = self.subject.key;
            warn!(namespace = key.namespace, name = key.name, %error, "progress not written");
        }
        fetch.await
    }

    async fn fetch(&self) -> Result<Outcome, Failure> {
        let (world, key) = (self.subject.world, self.subject.key);
        let spec = &self.subject.readable()?.spec;
        if spec.suspend {
            return Ok(Outcome::Suspended);
        }
        Unusable::refuse(spec.unsupported())?;
        let interval = spec.interval.read("spec.interval")?;
        let request = git_request(&world.cluster, &key.namespace, spec).await?;
        let not_before = polls::not_before(self.is_requested(), self.subject.began);
        let resolved = world.polls.resolve(&request, not_before).await?;
        if self.is_stored(spec, &resolved.revision) {
            return Ok(Outcome::Unchanged { interval });
        }
        let fetched = world.polls.fetch(&request, &resolved, &world.store, spec.ignore.as_deref()).await?;
        let (store, source, now) = (world.store.clone(), source_key(key), world.clock.now());
        let (revision, tree) = (resolved.revision.clone(), Arc::clone(&fetched));
        let published = tokio::task::spawn_blocking(move || store.publish(&source, &revision, &tree.tree, now));
        let artifact = published.await.map_err(|error| Failure::Interrupted(error.to_string()))??;
        world.wake_consumers(key);
        Ok(Outcome::Stored(Stored { artifact, subject: fetched.subject.clone(), interval }))
    }

    /// Whether what is wanted is what is kept: nothing needs to be fetched.
    fn is_stored(&self, spec: &GitRepositorySpec, revision: &str) -> bool {
        let is_ignored_alike = self.before.observed_ignore == spec.ignore;
        is_ignored_alike && self.artifact.as_ref().is_some_and(|artifact| artifact.revision == revision)
    }
}
