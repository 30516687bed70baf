//! The objects of a release, deleted: all of them, or what a failed action has created.

use fairlead_api::helm::DeletionPropagation;
use fairlead_plan::{Budget, Desired, Inventory, Options, Stage, plan};

use super::{
    action::Underway,
    marker::Marker,
    objects,
    steps::{LOOK_AGAIN, Pace, StepError},
    work::Work,
};
use crate::{
    apply::Applier,
    controllers::in_one_line,
    observe::{Newcomers, Questions, observe},
    prepare::{Prepared, Resources},
};

/// Whether objects are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Removed {
    Yes,
    /// Their deletion was asked for.
    Soon,
}

impl Work<'_> {
    /// Deletes the objects of the release; done when they are gone, where that is waited for.
    pub(super) async fn delete(&self, underway: &mut Underway) -> Result<Pace, StepError> {
        let held = objects::held(&self.cluster, &underway.known).await?;
        Ok(match self.remove_objects(&held, underway.policy.propagation, underway).await? {
            Removed::Soon if underway.policy.waits => Pace::Waiting { look_again: Some(LOOK_AGAIN) },
            Removed::Soon | Removed::Yes => Pace::Done,
        })
    }

    /// Deletes what the action has created, which failed for the reason `message`; returns what is to be said of both.
    pub(super) async fn clean_up(&self, underway: &Underway, message: String) -> String {
        match self.remove_objects(&underway.created, DeletionPropagation::Background, underway).await {
            Ok(Removed::Yes | Removed::Soon) => message,
            Err(StepError::Transient(problem) | StepError::Failed(problem)) => {
                format!("{message} (what it created could not be deleted: {problem})")
            }
        }
    }

    async fn remove_objects(
        &self,
        held: &Inventory,
        propagation: DeletionPropagation,
        underway: &Underway,
    ) -> Result<Removed, StepError> {
        let prepared = Prepared {
            desired: Desired::new(String::new(), Vec::new()).expect("nothing is named twice"),
            resources: Resources::default(),
        };
        let questions = Questions { is_in_sync: &|_| false, newcomers: Newcomers::Read, override_managers: &[] };
        let live = observe(&self.cluster, &prepared, held, questions)
            .await
            .map_err(|error| StepError::Transient(in_one_line(&error)))?;
        let options =
            Options { budget: Budget::Unlimited, ..Options::new(self.owner(), self.subject.world.digest_key.clone()) };
        let plan =
            plan(&prepared.desired, &live, held, &options).map_err(|error| StepError::Failed(in_one_line(&error)))?;
        let marker = Marker {
            tracker: &self.subject.world.release_tracker,
            owner: self.subject.key,
            resources: &prepared.resources,
            rules: &underway.rules,
        };
        let applier = Applier {
            cluster: &self.cluster,
            resources: &prepared.resources,
            is_guarded: false,
            propagation,
            witness: &marker,
        };
        let steps: Vec<_> = plan.steps.iter().collect();
        applier.apply_stage(&steps, Stage::Prune).await?;
        Ok(if plan.is_empty() { Removed::Yes } else { Removed::Soon })
    }
}
