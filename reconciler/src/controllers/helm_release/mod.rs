//! `HelmRelease`: a chart, installed with values and kept so.
//!
//! A run finds out how the release stands, decides what follows, and does it step by step. Where a step must wait, the run
//! ends and what is under way is kept in memory; a watch wakes the next one. What was lost with the process is found as
//! a pending release, marked as failed and tried again.
//!
//! # Differs from Flux
//! - No run waits: neither for health, nor for hooks, nor for deletion.
//! - Drift is seen when it happens. Where it is not looked for, nothing is asked of the cluster at the interval but the
//!   records of the release.
//! - Objects are always applied in the API server.

mod action;
mod applying;
mod begin;
pub mod chart;
mod drift;
mod finalize;
mod finish;
pub mod history;
mod hooks;
mod last_words;
mod marker;
mod memory;
pub mod objects;
mod outcome;
mod pinned;
mod prerequisites;
mod removal;
pub mod render;
mod steps;
mod story;
pub mod values;
mod work;

use std::sync::Arc;

use fairlead_api::{
    helm::{HelmRelease, HelmReleaseStatus},
    names::{annotations, events as metadata_keys, labels},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

pub(crate) use chart::chart_source;
pub(crate) use memory::Memories;
use memory::Memory;
use outcome::{End, Failure};
use story::Story;

use super::{ObjectKey, Reconciled, Unusable, World};
use crate::{
    backoff::Backoff,
    cluster::{ApiError, FieldManager},
    queue::{NextRun, Queue},
    watch::{Marks, Served},
};

/// By what the objects that releases consist of are known.
pub(crate) const MARKS: Marks = Marks { label: labels::RELEASE_NAME, manager: FieldManager::HELM.name, owner_of };

/// The `HelmRelease` that the labels of an object name.
fn owner_of(metadata: &ObjectMeta) -> Option<ObjectKey> {
    let all = metadata.labels.as_ref()?;
    Some(ObjectKey::new(all.get(labels::RELEASE_NAMESPACE)?, all.get(labels::RELEASE_NAME)?))
}

/// One `HelmRelease` in one run.
type Subject<'a> = super::Subject<'a, HelmRelease>;

impl Reconciled for HelmRelease {
    type Status = HelmReleaseStatus;

    const CONTROLLER: &'static str = "helm-controller";
    const METRICS: &'static str = "helmrelease";
    const MANAGER: &'static str = "helm-controller";

    fn served(world: &World) -> &Served<Self> {
        &world.releases
    }

    fn queue(world: &World) -> &Arc<Queue<ObjectKey>> {
        &world.release_queue
    }

    fn backoff(world: &World) -> &Backoff<ObjectKey> {
        &world.release_backoff
    }

    fn status(&self) -> Option<&HelmReleaseStatus> {
        self.status.as_ref()
    }

    fn forget(world: &World, key: &ObjectKey) {
        world.release_tracker.forget_owner(key);
        world.release_memories.forget(key);
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
        let mut memory = self.world.release_memories.take(self.key);
        let before = self.latest_status();
        let mut story = self.story(memory.untold.take().unwrap_or_else(|| before.clone()));
        let outcome = self.outcome(&mut memory, &mut story).await;
        let next = story.end(&outcome, self.moment());
        let written = self.write(&before, &story.status).await;
        if written.is_err() {
            memory.untold = Some(story.status.clone());
        }
        self.world.release_memories.put(self.key, memory);
        written?;
        self.announce(&story);
        Ok(self.next_run(next))
    }

    async fn outcome(&self, memory: &mut Memory, story: &mut Story) -> Result<End, Failure> {
        let release = self.readable()?;
        if release.spec.suspend && memory.underway.is_none() {
            return Ok(End::Suspended);
        }
        Unusable::refuse(release.spec.unsupported())?;
        work::Work::new(self, release, memory)?.carry_out(memory, story).await
    }

    /// What has happened so far, to which a run adds.
    fn story(&self, status: HelmReleaseStatus) -> Story {
        let spec = self.parsed().map(|parsed| &parsed.spec);
        Story::new(status, spec, self.metadata().generation, self.world.clock.clone())
    }

    /// What the object says now, besides its spec.
    fn moment(&self) -> outcome::Moment<'_> {
        outcome::Moment { generation: self.metadata().generation, requested_at: self.requested_at() }
    }

    /// The value of an annotation that counts once, if it is that of the request to reconcile and new.
    fn asked_by(&self, annotation: &str, handled: Option<&str>) -> Option<&str> {
        let value = self.metadata().annotations.as_ref()?.get(annotation).map(String::as_str)?;
        (self.requested_at() == Some(value) && handled != Some(value)).then_some(value)
    }

    /// The value of an annotation that counts once, whether it was handled or not.
    fn force_annotation(&self) -> Option<&str> {
        self.metadata().annotations.as_ref()?.get(annotations::FORCE_AT).map(String::as_str)
    }

    /// The status as last written.
    fn latest_status(&self) -> HelmReleaseStatus {
        let latest = self.world.releases.get(self.key);
        let latest = latest.and_then(|object| object.parsed.as_ref().ok().and_then(|parsed| parsed.status.clone()));
        latest.unwrap_or_else(|| self.before())
    }

    fn announce(&self, story: &Story) {
        for told in &story.said {
            let about = [
                (metadata_keys::RELEASE_REVISION, told.revision.as_deref()),
                (metadata_keys::RELEASE_TOKEN, told.config_digest.as_deref()),
                (metadata_keys::RELEASE_APP_VERSION, told.app_version.as_deref()),
                (metadata_keys::RELEASE_OCI_DIGEST, told.oci_digest.as_deref()),
            ];
            let about = about.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())));
            let metadata = about.chain(self.event_annotations()).collect();
            self.publish(&told.said, told.revision.as_deref().unwrap_or_default(), metadata);
        }
    }
}
