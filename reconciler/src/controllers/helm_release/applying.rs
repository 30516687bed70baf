//! The objects of a release, applied by the plan that `diff` shows.

use std::sync::Arc;

use fairlead_api::helm::DeletionPropagation;
use fairlead_object::{Gvk, Manifest, ObjectId};
use fairlead_plan::{
    Action as PlannedAction, Inventory, KeepReason, Live, Options, Owner, Plan, Stage, TakeOver, plan, scope,
};
use fairlead_release::Release;

use super::{
    action::{Action, Underway},
    marker::Marker,
    objects,
    steps::{Pace, StepError},
    work::Work,
};
use crate::{
    apply::{Applier, ApplyError},
    cluster::Identity,
    controllers::{
        health::{Folded, failed_early},
        in_one_line,
    },
    observe::{Newcomers, Questions, observe},
    prepare::{Prepared, prepare},
};

impl Work<'_> {
    pub(super) fn owner(&self) -> Owner {
        Owner::helm_release(&self.subject.key.namespace, &self.subject.key.name, self.name.clone())
    }

    /// The objects of `record` as they are sent.
    pub(super) async fn prepared(&self, record: &Release) -> Result<Prepared, StepError> {
        let mut objects = objects::read(&self.cluster, &record.manifest, &record.namespace).await?;
        objects.iter_mut().for_each(fairlead_manifests::normalise);
        let revision = format!("{}@{}", record.chart_name(), record.chart_version());
        let custom = &self.subject.world.settings.custom_stage;
        let prepared = prepare(&self.cluster, objects, &revision, &self.owner(), custom).await;
        let prepared = prepared.map_err(|error| {
            let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
            StepError::Failed(format!("{}{hint}", in_one_line(&error)))
        })?;
        self.check_scope(&prepared)?;
        Ok(prepared)
    }

    fn check_scope(&self, prepared: &Prepared) -> Result<(), StepError> {
        let manifests: Vec<Manifest> =
            prepared.desired.in_apply_order().into_iter().map(|(_, manifest)| manifest.clone()).collect();
        let is_namespaced = |gvk: &Gvk| prepared.resources.is_namespaced(gvk);
        let escapes = scope::escapes(&manifests, &self.standing.scope, is_namespaced);
        if escapes.is_empty() {
            return Ok(());
        }
        Err(StepError::Failed(escapes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
    }

    /// Applies the objects; done when they are sent, and waits where definitions among them are not served yet.
    pub(super) async fn apply(&self, underway: &mut Underway) -> Result<Pace, StepError> {
        let prepared = self.prepared(&underway.record).await?;
        let held = objects::held(&self.cluster, &underway.known).await?;
        let is_unseen = underway.action == Action::Install
            && self.standing.identity == Identity::Own
            && underway.policy.takes_ownership
            && underway.inventory.is_none();
        let newcomers = match (is_unseen, &self.standing.identity) {
            (true, _) => Newcomers::Assumed,
            (false, Identity::Own) => Newcomers::Read,
            (false, Identity::ServiceAccount { .. }) => Newcomers::Rehearsed,
        };
        match self.plan_and_apply(underway, &prepared, &held, newcomers).await {
            Err(Reached::NotNew) => self
                .plan_and_apply(underway, &prepared, &held, Newcomers::Read)
                .await
                .map_err(|reached| reached.into_error("an object exists that was not there before")),
            reached => reached.map_err(|reached| reached.into_error("")),
        }
    }

    async fn plan_and_apply(
        &self,
        underway: &mut Underway,
        prepared: &Prepared,
        held: &Inventory,
        newcomers: Newcomers,
    ) -> Result<Pace, Reached> {
        let world = self.subject.world;
        let questions =
            Questions { is_in_sync: &|_| false, newcomers, override_managers: &world.settings.override_managers };
        let live = observe(&self.cluster, prepared, held, questions).await.map_err(|error| {
            let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
            let message = format!("{}{hint}", in_one_line(&error));
            let is_transient = error.0.iter().any(|refusal| refusal.error.is_transient());
            Reached::Error(if is_transient { StepError::Transient(message) } else { StepError::Failed(message) })
        })?;
        let plan = self.plan(underway, prepared, &live, held)?;
        underway.inventory = Some(plan.inventory_during());
        underway.note_created(&plan);
        let rules = Arc::clone(&underway.rules);
        let marker = Marker {
            tracker: &world.release_tracker,
            owner: self.subject.key,
            resources: &prepared.resources,
            rules: &rules,
        };
        marker.note_in_sync(&plan, prepared, &live);
        let is_guarded = newcomers == Newcomers::Assumed;
        let applier = Applier {
            cluster: &self.cluster,
            resources: &prepared.resources,
            is_guarded,
            propagation: DeletionPropagation::Background,
            witness: &marker,
        };
        let steps: Vec<_> = plan.steps.iter().collect();
        for stage in [Stage::Definitions, Stage::Classes, Stage::Custom, Stage::Rest, Stage::Prune] {
            match applier.apply_stage(&steps, stage).await {
                Err(ApplyError::NotNew(_)) => return Err(Reached::NotNew),
                applied => applied.map_err(|error| Reached::Error(error.into()))?,
            }
            if stage == Stage::Definitions && self.awaits_definitions(underway, &plan)? {
                return Ok(Pace::Waiting { look_again: None });
            }
        }
        underway.inventory = Some(plan.inventory_after());
        underway.awaited = awaited(underway, prepared);
        Ok(Pace::Done)
    }

    fn plan(&self, underway: &Underway, prepared: &Prepared, live: &Live, held: &Inventory) -> Result<Plan, Reached> {
        let settings = &self.subject.world.settings;
        let mut options = Options::new(self.owner(), self.subject.world.digest_key.clone());
        self.cluster.manager().name.clone_into(&mut options.manager);
        options.force = underway.policy.force;
        options.budget = settings.deletion_budget.clone();
        options.approved = self.subject.approved();
        options.override_managers.clone_from(&settings.override_managers);
        let failed = |message: String| Reached::Error(StepError::Failed(message));
        let plan = plan(&prepared.desired, live, held, &options)
            .map_err(|error| failed(format!("{} ({})", in_one_line(&error), error.hint())))?;
        if let Some(held) = &plan.held {
            return Err(failed(format!("held: {held}")));
        }
        if !underway.policy.takes_ownership {
            let foreign = plan.steps.iter().find(|step| step.takes_over.is_some());
            if let Some(step) = foreign {
                let whose = match &step.takes_over {
                    Some(TakeOver::From(owner)) => format!("it belongs to {owner}"),
                    Some(TakeOver::Unowned) | None => "it belongs to no release".to_owned(),
                };
                let object = step.object.subject();
                return Err(failed(format!(
                    "{object} exists and cannot be imported into the current release: {whose}"
                )));
            }
        }
        Ok(plan)
    }

    /// Whether definitions that were just applied are not served yet.
    fn awaits_definitions(&self, underway: &mut Underway, plan: &Plan) -> Result<bool, Reached> {
        let was_applied = |action: &PlannedAction| !matches!(action, PlannedAction::Keep(KeepReason::OptedOut(_)));
        let of_stage = plan.stage(Stage::Definitions).filter(|step| was_applied(&step.action));
        let definitions: Vec<ObjectId> = of_stage.map(|step| step.object.clone()).collect();
        let has_written = plan.stage(Stage::Definitions).any(|step| step.action.manifest().is_some());
        if has_written && definitions.iter().any(|id| id.kind == "CustomResourceDefinition") {
            self.cluster.expect_new_kinds();
        }
        self.subject.world.release_tracker.set_awaiting(self.subject.key, true);
        match self.folded(&definitions) {
            Folded::Current => Ok(false),
            Folded::InProgress { .. } => {
                underway.awaited = definitions;
                Ok(true)
            }
            Folded::Failed { stalled } => {
                let message = failed_early(underway.began.elapsed(), &stalled);
                Err(Reached::Error(StepError::Failed(message)))
            }
        }
    }
}

/// The objects that must become ready.
fn awaited(underway: &Underway, prepared: &Prepared) -> Vec<ObjectId> {
    if !underway.policy.waits {
        return Vec::new();
    }
    let is_job = |id: &ObjectId| id.group == "batch" && id.kind == "Job";
    let all = prepared.desired.inventory();
    let awaited = all.iter().map(|(id, _)| id).filter(|id| underway.policy.waits_for_jobs || !is_job(id));
    awaited.cloned().collect()
}

/// Why objects were not all applied.
enum Reached {
    /// One of those that were taken to be new exists.
    NotNew,
    Error(StepError),
}

impl Reached {
    fn into_error(self, not_new: &str) -> StepError {
        match self {
            Self::NotNew => StepError::Transient(not_new.to_owned()),
            Self::Error(error) => error,
        }
    }
}
