//! `Kustomization`: a directory of a source, built and kept applied.
//!
//! # Differs from Flux
//! - The inventory is recorded before a run's first write and trimmed after its last: a crash leaves nothing untracked.
//! - Health is awaited by watch, and no run waits: it ends, and a change of health wakes it.
//! - Drift is seen when it happens. At the interval nothing is asked that the watches already told.
//! - A run in which nothing changed writes nothing, so `Ready` does not flip to `Unknown` on each.
//! - What one run may delete is limited; above that it waits for approval.

pub mod definitions;
mod dependencies;
mod finalize;
mod ledger;
mod memory;
mod outcome;
pub mod request;
mod work;

use std::{sync::Arc, time::Duration};

use fairlead_api::{
    conditions::READY,
    kustomize::{Kustomization, KustomizationStatus},
    names::{events as metadata_keys, labels},
    reasons::kustomization as reason,
};
use fairlead_object::ObjectId;
use fairlead_plan::Inventory;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use tokio::time::Instant;

use super::{ObjectKey, Reconciled, Said, Unusable, World};
use crate::{
    backoff::Backoff,
    cluster::{ApiError, FieldManager, Resource},
    observe::Refusal,
    queue::{NextRun, Queue},
    watch::{Interest, Marks, Served},
};
pub(crate) use definitions::AwaitedKinds;
pub(crate) use memory::Memories;
use memory::Memory;
pub(crate) use outcome::to_status;
use outcome::{Failure, Outcome, Report, Situation};

/// Health may always take this long, whatever `spec.timeout` says.
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a new object waits for its source without a word: both are often created at once.
const SOURCE_TO_COME: Duration = Duration::from_secs(2);

/// How long health is awaited without a word: what was applied is often well a moment later.
const HEALTH_TO_COME: Duration = Duration::from_secs(5);

/// How long an object rests whose interval cannot be read.
const FALLBACK_RETRY: Duration = Duration::from_mins(1);

/// By what the objects that Kustomizations apply are known.
pub(crate) const MARKS: Marks = Marks { label: labels::OWNER_NAME, manager: FieldManager::KUSTOMIZE.name, owner_of };

/// The Kustomization that the labels of an object name.
fn owner_of(metadata: &ObjectMeta) -> Option<ObjectKey> {
    let all = metadata.labels.as_ref()?;
    Some(ObjectKey::new(all.get(labels::OWNER_NAMESPACE)?, all.get(labels::OWNER_NAME)?))
}

/// One Kustomization in one run.
type Subject<'a> = super::Subject<'a, Kustomization>;

impl Reconciled for Kustomization {
    type Status = KustomizationStatus;

    const CONTROLLER: &'static str = "kustomize-controller";
    const METRICS: &'static str = "kustomization";
    const MANAGER: &'static str = "gotk-kustomize-controller";

    fn served(world: &World) -> &Served<Self> {
        &world.kustomizations
    }

    fn queue(world: &World) -> &Arc<Queue<ObjectKey>> {
        &world.kustomization_queue
    }

    fn backoff(world: &World) -> &Backoff<ObjectKey> {
        &world.kustomization_backoff
    }

    fn status(&self) -> Option<&KustomizationStatus> {
        self.status.as_ref()
    }

    fn forget(world: &World, key: &ObjectKey) {
        world.tracker.forget_owner(key);
        world.awaited_kinds.forget(key);
        world.memories.forget(key);
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
        let mut memory = self.world.memories.take(self.key);
        memory.attempted = None;
        memory.origin_revision = None;
        let outcome = self.outcome(&mut memory).await;
        if let Err(failure) = &outcome {
            self.await_remedy(failure);
        }
        if self.is_source_to_come(&outcome, &mut memory) {
            self.world.memories.put(self.key, memory);
            return Ok(NextRun::After(SOURCE_TO_COME));
        }
        if let Some(quiet) = self.quiet_for(&outcome, &memory) {
            memory.untold = outcome.map(|outcome| outcome.changes().to_vec()).unwrap_or_default();
            self.world.memories.put(self.key, memory);
            return Ok(NextRun::After(quiet));
        }
        let before = self.latest_status();
        let report = outcome::report(&self.situation(&before, memory.attempted.as_deref()), &outcome);
        let written = self.write(&before, &report.status).await;
        if let (Err(_), Ok(outcome)) = (&written, &outcome) {
            memory.untold = outcome.changes().to_vec();
        }
        let origin_revision = memory.origin_revision.clone();
        self.world.memories.put(self.key, memory);
        written?;
        self.announce(&report, &outcome, origin_revision.as_deref());
        Ok(self.next_run(report.next))
    }

    /// Whether a new object misses its source or the artifact of it for the first time. Either wakes it when it comes, so
    /// this is worth neither a write nor an event yet.
    fn is_source_to_come(&self, outcome: &Result<Outcome, Failure>, memory: &mut Memory) -> bool {
        let is_missing = matches!(outcome, Err(Failure::SourceMissing(..) | Failure::NoArtifact(..)));
        is_missing && self.before().conditions.is_empty() && !std::mem::replace(&mut memory.has_missed_source, true)
    }

    /// How much longer health is awaited without a word. A change of it wakes the next run, so this is worth no write yet;
    /// unless the object still counts as ready, or its inventory has become shorter.
    fn quiet_for(&self, outcome: &Result<Outcome, Failure>, memory: &Memory) -> Option<Duration> {
        let Ok(Outcome::Waiting { applied, is_final: true, .. }) = outcome else { return None };
        let is_ready = self.latest_status().conditions.is_true(READY);
        let is_recorded = self.inventory().is_ok_and(|recorded| recorded == applied.inventory);
        let left = memory.waiting.as_ref()?.quiet_until.checked_duration_since(Instant::now())?;
        (is_recorded && !is_ready).then_some(left)
    }

    /// Makes sure that what the failed run lacked wakes the next one when it comes.
    fn await_remedy(&self, failure: &Failure) {
        for group in failure.missing_groups() {
            self.world.awaited_kinds.add(group, self.key);
        }
        let namespaces = Resource { is_namespaced: false, ..Resource::namespaced("", "v1", "Namespace", "namespaces") };
        for name in failure.refusals().into_iter().filter_map(Refusal::awaited_namespace) {
            let id = ObjectId::new("", "Namespace", "", name);
            self.world.tracker.follow(self.key, &id, &namespaces, (Interest::Content, &Arc::default()));
        }
    }

    async fn outcome(&self, memory: &mut Memory) -> Result<Outcome, Failure> {
        let parsed = self.readable()?;
        if parsed.spec.suspend {
            return Ok(Outcome::Suspended);
        }
        Unusable::refuse(parsed.spec.unsupported())?;
        let work = work::Work::new(self, parsed)?;
        work.carry_out(memory).await
    }

    /// The status as last written: a run that recorded its inventory changed it since it began.
    fn latest_status(&self) -> KustomizationStatus {
        let latest = self.world.kustomizations.get(self.key);
        let latest = latest.and_then(|object| object.parsed.as_ref().ok().and_then(|parsed| parsed.status.clone()));
        latest.unwrap_or_else(|| self.before())
    }

    fn situation<'s>(&'s self, before: &'s KustomizationStatus, attempted: Option<&'s str>) -> Situation<'s> {
        let spec = self.object.parsed.as_ref().ok().map(|parsed| &parsed.spec);
        let retry = spec.and_then(|spec| {
            let retry = spec.retry_interval.as_ref().and_then(|retry| retry.read("spec.retryInterval").ok());
            retry.or_else(|| spec.interval.read("spec.interval").ok())
        });
        Situation {
            before,
            generation: self.metadata().generation,
            requested_at: self.requested_at(),
            attempted,
            retry_interval: retry.unwrap_or(FALLBACK_RETRY),
            now: self.world.clock.now(),
            took: self.began.elapsed(),
        }
    }

    fn inventory(&self) -> Result<Inventory, Failure> {
        let status = self.latest_status();
        let entries = status.inventory.iter().flat_map(|inventory| &inventory.entries);
        Inventory::from_entries(entries.map(|entry| (entry.id.as_str(), entry.version.as_str())))
            .map_err(|error| Failure::Inventory(error.to_string()))
    }

    fn announce(&self, report: &Report, outcome: &Result<Outcome, Failure>, origin_revision: Option<&str>) {
        let revision = match outcome {
            Ok(Outcome::Settled(settled)) => settled.applied.revision.clone(),
            Ok(Outcome::Waiting { applied, .. }) => applied.revision.clone(),
            Ok(Outcome::Suspended) | Err(_) => report.status.last_attempted_revision.clone().unwrap_or_default(),
        };
        for said in &report.events {
            let mut metadata = self.event_metadata(&revision);
            let origin = origin_revision.map(|origin| (metadata_keys::ORIGIN_REVISION.to_owned(), origin.to_owned()));
            metadata.extend(origin);
            // Among what a run says, only its successful end has this reason.
            if said.reason == reason::RECONCILIATION_SUCCEEDED {
                metadata.push((metadata_keys::COMMIT_STATUS.to_owned(), "update".to_owned()));
            }
            self.publish(said, &revision, metadata);
        }
    }

    /// Says something that has no revision.
    fn say(&self, said: &Said) {
        self.publish(said, "", self.event_metadata(""));
    }

    fn event_metadata(&self, revision: &str) -> Vec<(String, String)> {
        let entry = || (metadata_keys::KUSTOMIZATION_REVISION.to_owned(), revision.to_owned());
        let revision = (!revision.is_empty()).then(entry);
        revision.into_iter().chain(self.event_annotations()).collect()
    }
}
