//! Carries out what is under way, as far as it goes without waiting.

use std::time::Duration;

use fairlead_api::helm::Crds;
use fairlead_object::{Manifest, ObjectId};
use fairlead_plan::{
    Action as PlannedAction, Budget, Desired, Inventory, KeepReason, Live, Options, Owner, Plan, Stage, TakeOver, plan,
    scope,
};
use fairlead_release::{Release, Status};
use tokio::time::Instant;

use super::{
    action::{Action, Step, Underway},
    history::HistoryError,
    objects::{self, ObjectsError},
    work::Work,
};
use crate::{
    apply::{Applier, ApplyError, Witness},
    cluster::{ApiError, ApplyOptions, Identity, Resource},
    controllers::{
        ObjectKey,
        health::{Folded, failed_early, fold, timed_out},
        in_one_line,
    },
    observe::{Newcomers, Questions, observe},
    prepare::{Prepared, Resources, prepare},
    watch::Tracker,
};

/// How often is looked whether deleted objects are gone.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How far a step has come.
pub(super) enum Pace {
    Done,
    /// A watch tells when it goes on; where none does, it is looked at again.
    Waiting {
        look_again: Option<Duration>,
    },
}

/// How far an action has come.
pub(super) enum Progress {
    Done,
    Waiting { left: Duration },
}

/// Why a step could not be done.
#[derive(Debug)]
pub(super) enum StepError {
    /// It may mend itself.
    Transient(String),
    Failed(String),
}

impl StepError {
    /// What the API server answered when `what` was tried.
    pub(super) fn of(error: &ApiError, what: &str) -> Self {
        let message = format!("{what}: {}", in_one_line(error));
        if error.is_transient() { Self::Transient(message) } else { Self::Failed(message) }
    }
}

impl From<ObjectsError> for StepError {
    fn from(error: ObjectsError) -> Self {
        match &error {
            ObjectsError::Cluster(answer) if answer.is_transient() => Self::Transient(in_one_line(&error)),
            ObjectsError::Cluster(_) | ObjectsError::Manifest(_) => Self::Failed(in_one_line(&error)),
        }
    }
}

impl From<HistoryError> for StepError {
    fn from(error: HistoryError) -> Self {
        match &error {
            HistoryError::Cluster(answer) if answer.is_transient() => Self::Transient(in_one_line(&error)),
            HistoryError::Cluster(_) | HistoryError::Unreadable(_) | HistoryError::TooLarge(_) => {
                Self::Failed(in_one_line(&error))
            }
        }
    }
}

impl From<ApplyError> for StepError {
    fn from(error: ApplyError) -> Self {
        let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
        let message = format!("{}{hint}", in_one_line(&error));
        if error.is_transient() { Self::Transient(message) } else { Self::Failed(message) }
    }
}

impl Work<'_> {
    /// Carries `underway` on; an error says why the action has failed.
    pub(super) async fn advance(&self, underway: &mut Underway) -> Result<Progress, String> {
        while let Some(step) = underway.steps.front().copied() {
            let now = Instant::now();
            let deadline = *underway.deadline.get_or_insert(now + underway.policy.timeout);
            let pace = match self.step(underway, step).await {
                Ok(pace) => pace,
                Err(StepError::Transient(_)) if now < deadline => Pace::Waiting { look_again: Some(LOOK_AGAIN) },
                Err(StepError::Transient(message) | StepError::Failed(message)) => {
                    return Err(self.failed(underway, step, message).await);
                }
            };
            match pace {
                Pace::Done => {
                    underway.steps.pop_front();
                    underway.deadline = None;
                }
                Pace::Waiting { .. } if now >= deadline => {
                    let message = self.late(underway, step);
                    return Err(self.failed(underway, step, message).await);
                }
                Pace::Waiting { look_again } => {
                    let left = deadline - now;
                    return Ok(Progress::Waiting { left: look_again.unwrap_or(left).min(left) });
                }
            }
        }
        Ok(Progress::Done)
    }

    async fn failed(&self, underway: &mut Underway, step: Step, message: String) -> String {
        match step {
            Step::ClearHook(index) | Step::StartHook(index) | Step::AwaitHook(index) => {
                let run = &mut underway.record.hooks[index].last_run;
                run.phase = fairlead_release::Phase::Failed;
                run.completed_at = Some(self.subject.world.clock.now());
                let events = underway.record.hooks[index].events.join(",");
                self.drop_failed_hooks(underway).await;
                if underway.action == Action::Test { message } else { format!("failed {events}: {message}") }
            }
            Step::Namespace
            | Step::Definitions
            | Step::Served
            | Step::Record
            | Step::DropHooks(_)
            | Step::Apply
            | Step::Ready
            | Step::Delete => message,
        }
    }

    /// Says what the time of `step` is over for.
    fn late(&self, underway: &Underway, step: Step) -> String {
        let waiting_for = match step {
            Step::ClearHook(index) | Step::StartHook(index) | Step::AwaitHook(index) => {
                let hook = &underway.record.hooks[index];
                format!("{} {}", hook.kind, hook.name)
            }
            Step::Ready | Step::Apply | Step::Served => match self.folded(&underway.awaited) {
                Folded::Current => String::new(),
                Folded::InProgress { waiting_for } => waiting_for,
                Folded::Failed { stalled } => stalled,
            },
            Step::Delete => "deletion of the objects".to_owned(),
            Step::Namespace | Step::Definitions | Step::Record | Step::DropHooks(_) => String::new(),
        };
        timed_out(underway.policy.timeout, &waiting_for)
    }

    async fn step(&self, underway: &mut Underway, step: Step) -> Result<Pace, StepError> {
        match step {
            Step::Namespace => self.create_namespace(underway).await,
            Step::Definitions => self.apply_definitions(underway).await,
            Step::Served | Step::Ready => self.await_health(underway),
            Step::Record => self.record(underway).await,
            Step::ClearHook(index) => self.clear_hook(underway, index).await,
            Step::StartHook(index) => self.start_hook(underway, index).await,
            Step::AwaitHook(index) => self.await_hook(underway, index).await,
            Step::DropHooks(event) => self.drop_hooks(underway, event).await,
            Step::Apply => self.apply(underway).await,
            Step::Delete => self.delete(underway).await,
        }
    }

    async fn create_namespace(&self, underway: &Underway) -> Result<Pace, StepError> {
        let name = &underway.record.namespace;
        let resource = Resource { is_namespaced: false, ..Resource::namespaced("", "v1", "Namespace", "namespaces") };
        let found = self.cluster.get(&resource, "", name).await;
        if found.map_err(|error| StepError::of(&error, &format!("Namespace {name} cannot be read")))?.is_none() {
            let body = serde_json::json!({
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": { "name": name, "labels": { "name": name } },
            });
            let body = body.as_object().expect("a namespace is an object");
            let created = self.cluster.apply(&resource, body, ApplyOptions::default()).await;
            created.map_err(|error| StepError::of(&error, &format!("Namespace {name} cannot be created")))?;
        }
        Ok(Pace::Done)
    }

    async fn apply_definitions(&self, underway: &mut Underway) -> Result<Pace, StepError> {
        underway.awaited.clear();
        for definition in &underway.definitions {
            let id = definition.id();
            let told = |error: ApiError| StepError::of(&error, &format!("{} cannot be applied", id.subject()));
            let resource = self.cluster.resolve(&definition.gvk()).await.map_err(told)?;
            let Some(resource) = resource else {
                return Err(StepError::Failed("no definitions are served".to_owned()));
            };
            let found = self.cluster.get(&resource, "", &id.name).await.map_err(told)?;
            let tracker = &self.subject.world.release_tracker;
            let body = match (found, underway.policy.crds) {
                (Some(found), Crds::Create | Crds::Skip) => found,
                (None, Crds::Create | Crds::Skip) | (_, Crds::CreateReplace) => {
                    tracker.writing(self.subject.key, id, &resource, &underway.rules);
                    let options = ApplyOptions { force: true, ..ApplyOptions::default() };
                    self.cluster.apply(&resource, definition.body(), options).await.map_err(told)?
                }
            };
            tracker.written(self.subject.key, id, &resource, &body, &underway.rules);
            underway.awaited.push(id.clone());
        }
        self.cluster.expect_new_kinds();
        Ok(Pace::Done)
    }

    /// Records the revision before its first object is written.
    async fn record(&self, underway: &mut Underway) -> Result<Pace, StepError> {
        let (history, now) = (self.history(), self.subject.world.clock.now());
        match underway.action {
            Action::Install | Action::Upgrade | Action::Rollback => {
                let limit = self.spec.max_history();
                history.create(&underway.record, (&underway.known, limit), now).await?;
            }
            Action::Uninstall => history.update(&underway.record, now).await?,
            Action::Test => {}
        }
        underway.is_recorded = true;
        Ok(Pace::Done)
    }

    fn folded(&self, objects: &[ObjectId]) -> Folded {
        let (tracker, key) = (&self.subject.world.release_tracker, self.subject.key);
        fold(objects, |id| tracker.verdict(key, id).and_then(|verdict| verdict.health))
    }

    fn await_health(&self, underway: &Underway) -> Result<Pace, StepError> {
        let (tracker, key) = (&self.subject.world.release_tracker, self.subject.key);
        tracker.set_awaiting(key, true);
        match self.folded(&underway.awaited) {
            Folded::Current => {
                tracker.set_awaiting(key, false);
                Ok(Pace::Done)
            }
            Folded::InProgress { .. } => Ok(Pace::Waiting { look_again: None }),
            Folded::Failed { stalled } => {
                tracker.set_awaiting(key, false);
                Err(StepError::Failed(failed_early(underway.began.elapsed(), &stalled)))
            }
        }
    }

    pub(super) fn owner(&self) -> Owner {
        Owner::helm_release(&self.subject.key.namespace, &self.subject.key.name, self.release_name())
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
        let is_namespaced = |gvk: &fairlead_object::Gvk| prepared.resources.is_namespaced(gvk);
        let escapes = scope::escapes(&manifests, &self.standing.scope, is_namespaced);
        if escapes.is_empty() {
            return Ok(());
        }
        Err(StepError::Failed(escapes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
    }

    /// What the revisions before consist of, except what the new one is not to delete.
    async fn held(&self, underway: &Underway) -> Result<Inventory, StepError> {
        let mut held = Inventory::default();
        let last = underway.known.iter().find(|known| known.info.status == Status::Deployed);
        for record in underway.known.first().into_iter().chain(last) {
            for object in objects::read(&self.cluster, &record.manifest, &record.namespace).await? {
                held.insert(object.id().clone(), object.version().to_owned());
            }
        }
        Ok(held)
    }

    async fn apply(&self, underway: &mut Underway) -> Result<Pace, StepError> {
        let prepared = self.prepared(&underway.record).await?;
        let held = self.held(underway).await?;
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
        let rules = std::sync::Arc::clone(&underway.rules);
        let marker = Marker {
            tracker: &world.release_tracker,
            owner: self.subject.key,
            resources: &prepared.resources,
            rules: &rules,
        };
        marker.note_in_sync(&plan, prepared, &live);
        let is_guarded = newcomers == Newcomers::Assumed;
        let applier = Applier { cluster: &self.cluster, resources: &prepared.resources, is_guarded, witness: &marker };
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

    /// Deletes the objects of the release; done when they are gone, where that is waited for.
    async fn delete(&self, underway: &mut Underway) -> Result<Pace, StepError> {
        let held = self.held(underway).await?;
        let prepared = Prepared {
            desired: Desired::new(String::new(), Vec::new()).expect("nothing is named twice"),
            resources: Resources::default(),
        };
        let questions = Questions { is_in_sync: &|_| false, newcomers: Newcomers::Read, override_managers: &[] };
        let live = observe(&self.cluster, &prepared, &held, questions)
            .await
            .map_err(|error| StepError::Transient(in_one_line(&error)))?;
        let options =
            Options { budget: Budget::Unlimited, ..Options::new(self.owner(), self.subject.world.digest_key.clone()) };
        let plan =
            plan(&prepared.desired, &live, &held, &options).map_err(|error| StepError::Failed(in_one_line(&error)))?;
        let marker = Marker {
            tracker: &self.subject.world.release_tracker,
            owner: self.subject.key,
            resources: &prepared.resources,
            rules: &underway.rules,
        };
        let applier =
            Applier { cluster: &self.cluster, resources: &prepared.resources, is_guarded: false, witness: &marker };
        let steps: Vec<_> = plan.steps.iter().collect();
        applier.apply_stage(&steps, Stage::Prune).await?;
        let is_gone = plan.is_empty() || !underway.policy.waits;
        Ok(if is_gone { Pace::Done } else { Pace::Waiting { look_again: Some(LOOK_AGAIN) } })
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

/// Tells the tracker what is written.
pub(super) struct Marker<'a> {
    pub(super) tracker: &'a Tracker,
    pub(super) owner: &'a ObjectKey,
    pub(super) resources: &'a Resources,
    pub(super) rules: &'a std::sync::Arc<fairlead_health::HealthRules>,
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

    fn written(&self, manifest: &Manifest, body: &serde_json::Value) {
        self.tracker.written(self.owner, manifest.id(), self.resources.of(manifest), body, self.rules);
    }

    fn deleting(&self, object: &ObjectId) {
        self.tracker.forget(self.owner, object);
    }

    fn deleted(&self, _: &ObjectId) {}
}
