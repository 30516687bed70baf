//! Tells the tracker what is written, so that a watch knows an object before it tells of it.

use std::sync::Arc;

use fairlead_health::HealthRules;
use fairlead_object::{Manifest, ObjectId};
use fairlead_plan::{Action as PlannedAction, KeepReason, Live, Plan};
use serde_json::Value;

use crate::{
    apply::Witness,
    controllers::ObjectKey,
    prepare::{Prepared, Resources},
    watch::Tracker,
};

/// Tells the tracker what is written.
pub(super) struct Marker<'a> {
    pub(super) tracker: &'a Tracker,
    pub(super) owner: &'a ObjectKey,
    pub(super) resources: &'a Resources,
    pub(super) rules: &'a Arc<HealthRules>,
}

impl Marker<'_> {
    /// Watches what was found to be as it should be.
    pub(super) fn note_in_sync(&self, plan: &Plan, prepared: &Prepared, live: &Live) {
        for step in &plan.steps {
            if let (PlannedAction::Keep(KeepReason::InSync), Some(manifest), Some(found)) =
                (&step.action, prepared.desired.get(&step.object), live.present(&step.object))
            {
                self.written(manifest, &found.body);
            }
        }
    }
}

impl Witness for Marker<'_> {
    fn writing(&self, manifest: &Manifest) {
        self.tracker.writing(self.owner, manifest.id(), self.resources.of(manifest), self.rules);
    }

    fn written(&self, manifest: &Manifest, body: &Value) {
        self.tracker.written(self.owner, manifest.id(), self.resources.of(manifest), body, self.rules);
    }

    fn deleting(&self, object: &ObjectId) {
        self.tracker.forget(self.owner, object);
    }

    fn deleted(&self, _: &ObjectId) {}
}
