//! What the last run for a release leaves for the next one.
//!
//! It is lost with the process. What was under way then is found as a pending release.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use fairlead_api::helm::HelmReleaseStatus;
use fairlead_health::HealthRules;
use fairlead_object::Digest;
use fairlead_release::Decision;

use super::{action::Underway, chart::About};
use crate::controllers::ObjectKey;

/// The memories of all releases.
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

/// What is known of one release.
#[derive(Default)]
pub(super) struct Memory {
    /// What is being done, and waits.
    pub(super) underway: Option<Box<Underway>>,
    /// What was done since something was last asked for: nothing is done twice.
    pub(super) done: Vec<Kind>,
    /// A status that could not be written.
    pub(super) untold: Option<HelmReleaseStatus>,
    /// The rules of `spec.healthCheckExprs` of this generation.
    pub(super) rules: Option<(i64, Arc<HealthRules>)>,
    /// What the chart in this tree says of itself.
    pub(super) chart: Option<(Digest, About)>,
    /// The revision whose objects are watched for drift.
    pub(super) watched: Option<i64>,
}

/// What kind of action it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Release,
    Test,
    Remedy,
    Unlock,
}

impl Kind {
    /// The kind of what `decision` asks for; `None` if that is nothing.
    pub(super) fn of(decision: &Decision) -> Option<Self> {
        match decision {
            Decision::Nothing | Decision::Stop(_) => None,
            Decision::Unlock => Some(Self::Unlock),
            Decision::Install | Decision::Upgrade => Some(Self::Release),
            Decision::Test => Some(Self::Test),
            Decision::Rollback { .. } | Decision::Uninstall => Some(Self::Remedy),
        }
    }
}
