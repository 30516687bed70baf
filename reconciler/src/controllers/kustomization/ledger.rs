//! What a run writes down of each object that it applies: for the tracker, the next run and the change event.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fairlead_health::HealthRules;
use fairlead_object::{Digest, Manifest, ObjectId};
use fairlead_plan::{Action, KeepReason, Live, Plan};
use serde_json::Value;

use super::memory::Memory;
use crate::{
    apply::Witness,
    cluster::Resource,
    controllers::ObjectKey,
    prepare::{Prepared, Resources},
    watch::Tracker,
};

/// Writes down what is applied, for the tracker, the next run and the change event.
pub(super) struct Ledger<'a> {
    tracker: &'a Tracker,
    owner: &'a ObjectKey,
    resources: &'a Resources,
    rules: &'a Arc<HealthRules>,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    applied: HashMap<ObjectId, Digest>,
    changes: Vec<String>,
    created: HashSet<ObjectId>,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(
        tracker: &'a Tracker,
        owner: &'a ObjectKey,
        resources: &'a Resources,
        rules: &'a Arc<HealthRules>,
        memory: &mut Memory,
    ) -> Self {
        let entries = Entries {
            applied: std::mem::take(&mut memory.applied),
            changes: std::mem::take(&mut memory.untold),
            created: HashSet::new(),
        };
        Self { tracker, owner, resources, rules, entries: Mutex::new(entries) }
    }

    /// Whether the object was applied from an equal manifest and nobody has touched it since.
    pub(super) fn is_in_sync(&self, manifest: &Manifest) -> bool {
        let is_applied = self.entries().applied.get(manifest.id()) == Some(&manifest.digest());
        is_applied && self.tracker.verdict(self.owner, manifest.id()).is_some_and(|verdict| !verdict.has_drifted)
    }

    /// Watches what was found to be as it should be.
    pub(super) fn note_in_sync(&self, plan: &Plan, prepared: &Prepared, live: &Live) {
        self.entries().created.clear();
        for step in &plan.steps {
            match (&step.action, prepared.desired.get(&step.object), live.present(&step.object)) {
                (Action::Keep(KeepReason::InSync), Some(manifest), Some(found)) => {
                    self.watch(manifest, self.resources.of(manifest), &found.body);
                }
                (Action::Create(_), ..) => {
                    self.entries().created.insert(step.object.clone());
                }
                _ => {}
            }
        }
    }

    fn watch(&self, manifest: &Manifest, resource: &Arc<Resource>, body: &Value) {
        self.tracker.written(self.owner, manifest.id(), resource, body, self.rules);
        self.entries().applied.insert(manifest.id().clone(), manifest.digest());
    }

    pub(super) fn changes(&self) -> Vec<String> {
        self.entries().changes.clone()
    }

    pub(super) fn into_applied(self) -> HashMap<ObjectId, Digest> {
        self.entries.into_inner().unwrap_or_else(PoisonError::into_inner).applied
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Witness for Ledger<'_> {
    fn writing(&self, manifest: &Manifest) {
        self.tracker.writing(self.owner, manifest.id(), self.resources.of(manifest), self.rules);
        self.entries().applied.remove(manifest.id());
    }

    fn written(&self, manifest: &Manifest, body: &Value) {
        self.watch(manifest, self.resources.of(manifest), body);
        let mut entries = self.entries();
        let verb = if entries.created.contains(manifest.id()) { "created" } else { "configured" };
        entries.changes.push(format!("{} {verb}", manifest.id().subject()));
    }

    fn deleting(&self, object: &ObjectId) {
        self.tracker.forget(self.owner, object);
        self.entries().applied.remove(object);
    }

    fn deleted(&self, object: &ObjectId) {
        self.entries().changes.push(format!("{} deleted", object.subject()));
    }
}
