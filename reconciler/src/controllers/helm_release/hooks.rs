//! Hooks: objects that run around an action, one after the other, and end.

use std::sync::Arc;

use fairlead_health::{Health, HealthRules, Surroundings};
use fairlead_object::Manifest;
use fairlead_release::{Phase, hook};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    action::Underway,
    objects,
    steps::{LOOK_AGAIN, Pace, StepError},
    work::Work,
};
use crate::{
    cluster::{ApplyOptions, Resource},
    watch::Interest,
};

impl Work<'_> {
    /// Deletes what is left of an earlier run of the hook.
    pub(super) async fn clear_hook(&self, underway: &Underway, index: usize) -> Result<Pace, StepError> {
        if !underway.record.hooks[index].is_deleted(hook::BEFORE_CREATION) {
            return Ok(Pace::Done);
        }
        let is_gone = self.delete_hook(underway, index).await?;
        Ok(if is_gone { Pace::Done } else { Pace::Waiting { look_again: Some(LOOK_AGAIN) } })
    }

    /// Creates the hook.
    pub(super) async fn start_hook(&self, underway: &mut Underway, index: usize) -> Result<Pace, StepError> {
        let (object, resource) = self.hook_object(underway, index).await?;
        self.subject.world.release_tracker.follow(
            self.subject.key,
            object.id(),
            &resource,
            (Interest::Content, &underway.rules),
        );
        let options = ApplyOptions { force: true, ..ApplyOptions::default() };
        self.cluster
            .apply(&resource, object.body(), options)
            .await
            .map_err(|error| StepError::of(&error, &format!("{} cannot be created", object.id().subject())))?;
        let run = &mut underway.record.hooks[index].last_run;
        run.started_at = Some(self.subject.world.clock.now());
        run.completed_at = None;
        run.phase = Phase::Running;
        Ok(Pace::Done)
    }

    /// Looks whether the hook has ended.
    pub(super) async fn await_hook(&self, underway: &mut Underway, index: usize) -> Result<Pace, StepError> {
        let (object, resource) = self.hook_object(underway, index).await?;
        let id = object.id();
        let found = self.cluster.get(&resource, id.namespace_or_empty(), &id.name).await;
        let found = found.map_err(|error| StepError::of(&error, &format!("{} cannot be read", id.subject())))?;
        let now = self.subject.world.clock.now();
        let health = match &found {
            Some(body) => ended(body, &underway.rules, now),
            // Jobs may go by themselves when they are done.
            None => Health::Current,
        };
        let (phase, why) = match health {
            Health::Current => (Phase::Succeeded, None),
            Health::Failed(why) => (Phase::Failed, Some(why)),
            Health::InProgress(_) | Health::Terminating | Health::Unknown(_) => {
                return Ok(Pace::Waiting { look_again: None });
            }
        };
        let run = &mut underway.record.hooks[index].last_run;
        run.completed_at = Some(now);
        run.phase = phase;
        match why {
            None => Ok(Pace::Done),
            Some(why) => {
                let why = if why.is_empty() { "it has failed".to_owned() } else { why };
                let last_words = self.last_words(object.id()).await;
                Err(StepError::Failed(format!("{} failed: {why}{last_words}", id.subject())))
            }
        }
    }

    /// Deletes the hooks of `event` that are not kept after they succeeded, the last one first.
    pub(super) async fn drop_hooks(&self, underway: &Underway, event: &str) -> Result<Pace, StepError> {
        for index in underway.record.hooks_at(event).into_iter().rev() {
            let hook = &underway.record.hooks[index];
            if hook.last_run.phase == Phase::Succeeded && hook.is_deleted(hook::SUCCEEDED) {
                self.delete_hook(underway, index).await?;
            }
        }
        Ok(Pace::Done)
    }

    /// Deletes the hooks that are not kept after one of them failed.
    pub(super) async fn drop_failed_hooks(&self, underway: &Underway) {
        for index in 0..underway.record.hooks.len() {
            let hook = &underway.record.hooks[index];
            let is_dropped = match hook.last_run.phase {
                Phase::Failed => hook.is_deleted(hook::FAILED),
                Phase::Succeeded => hook.is_deleted(hook::SUCCEEDED),
                Phase::Never | Phase::Unknown | Phase::Running => false,
            };
            if is_dropped {
                // What cannot be deleted now is deleted before it runs again.
                drop(self.delete_hook(underway, index).await);
            }
        }
    }

    /// Deletes the hook; returns whether it is gone.
    async fn delete_hook(&self, underway: &Underway, index: usize) -> Result<bool, StepError> {
        let (object, resource) = self.hook_object(underway, index).await?;
        let name = (object.id().namespace_or_empty(), object.id().name.as_str());
        let failed = |error| StepError::of(&error, &format!("{} cannot be deleted", object.id().subject()));
        if !self.cluster.delete(&resource, name, None).await.map_err(failed)? {
            return Ok(true);
        }
        Ok(self.cluster.get(&resource, name.0, name.1).await.map_err(failed)?.is_none())
    }

    async fn hook_object(&self, underway: &Underway, index: usize) -> Result<(Manifest, Arc<Resource>), StepError> {
        let hook = &underway.record.hooks[index];
        let mut read = objects::read(&self.cluster, &hook.manifest, &underway.record.namespace).await?;
        let object = read.pop().ok_or_else(|| StepError::Failed(format!("hook {} is empty", hook.name)))?;
        let resource = self.cluster.resolve(&object.gvk()).await;
        let resource =
            resource.map_err(|error| StepError::of(&error, "cannot learn which kinds the cluster serves"))?;
        let resource = resource.ok_or_else(|| StepError::Failed(format!("the cluster serves no {}", object.gvk())))?;
        Ok((object, resource))
    }
}

/// Whether a hook has ended. A pod that runs has not, unlike one that is installed; all other kinds are judged alike.
fn ended(body: &Value, rules: &HealthRules, now: Timestamp) -> Health {
    if body["kind"] != "Pod" {
        return fairlead_health::assess(body, rules, &Surroundings { pods: &[], now });
    }
    let status = &body["status"];
    match status["phase"].as_str() {
        Some("Succeeded") => Health::Current,
        Some("Failed") => Health::Failed(status["message"].as_str().unwrap_or_default().to_owned()),
        Some(_) | None => Health::InProgress("the pod has not ended".to_owned()),
    }
}
