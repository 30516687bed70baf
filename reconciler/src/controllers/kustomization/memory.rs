//! What a Kustomization's last runs leave for the next one: enough to know that there is nothing to do.
//!
//! It is lost with the process; then everything is read and compared once, and nothing is written that is as it should
//! be.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use fairlead_health::HealthRules;
use fairlead_manifests::BuildInputs;
use fairlead_object::{Digest, ObjectId};
use tokio::time::Instant;

use crate::controllers::ObjectKey;

/// The memories of all Kustomizations.
#[derive(Default)]
pub(crate) struct Memories(Mutex<HashMap<ObjectKey, Memory>>);

impl Memories {
    /// Takes the memory of `key` for the time of a run; a run that never puts it back has forgotten everything.
    pub(super) fn take(&self, key: &ObjectKey) -> Memory {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key).unwrap_or_default()
    }

    pub(super) fn put(&self, key: &ObjectKey, memory: Memory) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), memory);
    }

    pub(super) fn forget(&self, key: &ObjectKey) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

/// What is known of one Kustomization.
#[derive(Default)]
pub(super) struct Memory {
    /// The inputs of the last build, and its digest, once all of it was applied.
    pub(super) built: Option<LastBuild>,
    /// The digest of each manifest as it was last applied, or found to be as it should be.
    pub(super) applied: HashMap<ObjectId, Digest>,
    /// What was changed and not told, because the run failed later on: in the words of the event, for the next run.
    pub(super) untold: Vec<String>,
    /// Set while health is awaited.
    pub(super) waiting: Option<Waiting>,
    /// The rules of `spec.healthCheckExprs` of this generation.
    pub(super) rules: Option<(i64, Arc<HealthRules>)>,
    /// The revision that the present run came to try.
    pub(super) attempted: Option<String>,
    /// The revision of what that was made of, where its source says it.
    pub(super) origin_revision: Option<String>,
    /// The revision whose warnings were logged.
    pub(super) warned_of: Option<String>,
    /// Its source, or the artifact of it, was missing before.
    pub(super) has_missed_source: bool,
    /// When drift was put right lately.
    pub(super) corrections: Vec<Instant>,
}

/// The last build that was applied.
pub(super) struct LastBuild {
    pub(super) inputs: BuildInputs,
    /// The generation of the Kustomization that was built.
    pub(super) generation: Option<i64>,
    pub(super) digest: Digest,
    /// What health is awaited of.
    pub(super) objects: Arc<[ObjectId]>,
}

/// Health that is awaited.
#[derive(Clone, Copy)]
pub(super) struct Waiting {
    pub(super) since: Instant,
    pub(super) deadline: Instant,
    /// Until then nothing is said of the waiting.
    pub(super) quiet_until: Instant,
    /// Something was written before: recovery is worth an event.
    pub(super) has_changes: bool,
    /// How long it took until an object was found to have failed.
    pub(super) failed_after: Option<Duration>,
}

/// How many corrections of drift in [`FIGHT_WINDOW`] make a fight.
const FIGHT: usize = 10;
const FIGHT_WINDOW: Duration = Duration::from_mins(1);

impl Memory {
    /// Counts a correction of drift. Returns how long to hold back the next one if someone keeps undoing them.
    pub(super) fn corrected(&mut self, now: Instant) -> Option<Duration> {
        self.corrections.retain(|at| now.duration_since(*at) < FIGHT_WINDOW);
        if self.corrections.len() >= FIGHT {
            return Some(FIGHT_WINDOW);
        }
        self.corrections.push(now);
        None
    }
}
