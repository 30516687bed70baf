//! Drift: what others have changed of what a release consists of.
//!
//! # Follows Flux
//! Objects with `helm.toolkit.fluxcd.io/driftDetection: disabled` are passed by, and the message counts what has changed.
//! # Differs from Flux
//! It is looked for when a watch tells of a change, and once after a start.

use std::sync::Arc;

use fairlead_api::{
    helm::{DeletionPropagation, DriftMode},
    kustomize,
    reasons::helm as reason,
};
use fairlead_object::Manifest;
use fairlead_plan::{
    Action as PlannedAction, Desired, IgnoreRule, IgnoreRules, IgnoreTarget, Inventory, Options, Plan, Prune, Stage,
    Step, plan,
};
use fairlead_release::{Release, Status};

use super::{
    marker::Marker,
    memory::Memory,
    outcome::Failure,
    steps::StepError,
    story::{Fact, Story},
    work::Work,
};
use crate::{
    apply::Applier,
    controllers::in_one_line,
    observe::{Newcomers, Questions, observe},
};

/// By this an object opts out.
const OPT_OUT: &str = "helm.toolkit.fluxcd.io/driftDetection";

impl Work<'_> {
    /// Compares the cluster with `record`, where it may be another, and does about it what the spec says.
    pub(super) async fn look_for_drift(
        &self,
        record: &Release,
        memory: &mut Memory,
        story: &mut Story,
    ) -> Result<(), Failure> {
        let (world, key) = (self.subject.world, self.subject.key);
        let tracker = &world.release_tracker;
        let is_requested = self.subject.requested_at() != story.status.last_handled_reconcile_at.as_deref();
        let is_watched = memory.watched == Some(record.version) && !tracker.is_blind_for(key) && !is_requested;
        if record.info.status != Status::Deployed || is_watched && tracker.drifted(key).is_empty() {
            story.tell(Fact::NotDrifted);
            return Ok(());
        }
        match self.compare(record, story).await {
            Ok(()) => memory.watched = Some(record.version),
            Err(StepError::Transient(message) | StepError::Failed(message)) => {
                return Err(Failure::Interrupted(message));
            }
        }
        Ok(())
    }

    async fn compare(&self, record: &Release, story: &mut Story) -> Result<(), StepError> {
        let mut prepared = self.prepared(record).await?;
        let kept = prepared.desired.in_apply_order().into_iter().map(|(_, manifest)| manifest.clone());
        let kept: Vec<Manifest> = kept.filter(|manifest| !opts_out(manifest)).collect();
        prepared.desired = Desired::new(prepared.desired.revision().to_owned(), kept).expect("nothing is named twice");
        let held: Inventory = prepared.desired.inventory();
        let world = self.subject.world;
        let questions = Questions { is_in_sync: &|_| false, newcomers: Newcomers::Read, override_managers: &[] };
        let live = observe(&self.cluster, &prepared, &held, questions)
            .await
            .map_err(|error| StepError::Transient(in_one_line(&error)))?;
        let mut options = Options::new(self.owner(), world.digest_key.clone());
        self.cluster.manager().name.clone_into(&mut options.manager);
        options.prune = Prune::No;
        options.ignore = self.ignored().map_err(|error| StepError::Failed(error.to_string()))?;
        let plan =
            plan(&prepared.desired, &live, &held, &options).map_err(|error| StepError::Failed(in_one_line(&error)))?;
        let rules = Arc::default();
        let marker = Marker {
            tracker: &world.release_tracker,
            owner: self.subject.key,
            resources: &prepared.resources,
            rules: &rules,
        };
        marker.note_in_sync(&plan, &prepared, &live);
        let changed: Vec<String> = plan.steps.iter().filter_map(line).collect();
        if changed.is_empty() {
            story.tell(Fact::NotDrifted);
            return Ok(());
        }
        world.metrics.count_drift("helmrelease");
        let (namespace, name, version) = (&record.namespace, &record.name, record.version);
        let head =
            format!("Cluster state of release {namespace}/{name}.v{version} has drifted from the desired state:");
        story.tell(Fact::Drifted { message: format!("{head}\n{}", changed.join("\n")) });
        match self.spec.drift_mode() {
            DriftMode::Enabled => {
                let applier = Applier {
                    cluster: &self.cluster,
                    resources: &prepared.resources,
                    is_guarded: false,
                    propagation: DeletionPropagation::Background,
                    witness: &marker,
                };
                self.correct(&applier, &plan, record, story).await;
            }
            DriftMode::Warn | DriftMode::Disabled => {}
        }
        Ok(())
    }

    async fn correct(&self, applier: &Applier<'_>, plan: &Plan, record: &Release, story: &mut Story) {
        let steps: Vec<&Step> = plan.steps.iter().collect();
        let name = format!("{}/{}.v{}", record.namespace, record.name, record.version);
        for stage in [Stage::Definitions, Stage::Classes, Stage::Custom, Stage::Rest] {
            if let Err(error) = applier.apply_stage(&steps, stage).await {
                let message =
                    format!("Failed to fully correct cluster state of release {name}:\n{}", in_one_line(&error));
                story.complain(reason::DRIFT_CORRECTION_FAILED, message);
                return;
            }
        }
        let lines = plan.work().map(|step| format!("{} corrected", step.object.subject()));
        let lines: Vec<String> = lines.collect();
        let message = format!("Cluster state of release {name} has been corrected:\n{}", lines.join("\n"));
        story.mention(reason::DRIFT_CORRECTED, message);
        story.tell(Fact::NotDrifted);
    }

    fn ignored(&self) -> Result<IgnoreRules, fairlead_plan::IgnoreRuleError> {
        let target = |selector: &kustomize::Selector| IgnoreTarget {
            group: selector.group.clone(),
            version: selector.version.clone(),
            kind: selector.kind.clone(),
            name: selector.name.clone(),
            namespace: selector.namespace.clone(),
            label_selector: selector.label_selector.clone(),
            annotation_selector: selector.annotation_selector.clone(),
        };
        let rule = |rule: &kustomize::IgnoreRule| IgnoreRule {
            paths: rule.paths.clone(),
            target: rule.target.as_ref().map(target),
        };
        let rules = self.spec.drift_detection.iter().flat_map(|drift| &drift.ignore).map(rule);
        IgnoreRules::compile(&rules.collect::<Vec<_>>())
    }
}

fn opts_out(manifest: &Manifest) -> bool {
    let of = |map: &str| manifest.body()["metadata"].get(map)?.get(OPT_OUT)?.as_str();
    ["labels", "annotations"].into_iter().filter_map(of).any(|value| value == "disabled")
}

/// What of the object has changed; nothing if nothing has.
fn line(step: &Step) -> Option<String> {
    let object = step.object.subject();
    match &step.action {
        PlannedAction::Create(_) => Some(format!("{object} removed")),
        PlannedAction::Update { changes, .. } | PlannedAction::Replace { changes, .. } => {
            let count = |is_meant: fn(bool, bool) -> bool| {
                changes.iter().filter(|change| is_meant(change.before.is_some(), change.after.is_some())).count()
            };
            let added = count(|before, after| !before && after);
            let removed = count(|before, after| before && !after);
            let changed = count(|before, after| before && after);
            let is_some = added + removed + changed > 0;
            is_some.then(|| format!("{object} changed ({added} additions, {changed} changes, {removed} removals)"))
        }
        PlannedAction::Delete | PlannedAction::Keep(_) => None,
    }
}
