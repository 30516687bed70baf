//! From what is desired, seen and held to a plan.

use fairlead_object::{Manifest, ObjectId};
use serde_json::Value;

use crate::{
    Action, Budget, Desired, DigestKey, FieldChange, Held, IgnoreRules, Inventory, KeepReason, Live, LiveObject,
    Observed, Owner, Plan, PlanError, Preview, RefusedChange, Stage, Step, TakeOver,
    budget::exceeded,
    compare::{changes_to_manifest, changes_to_preview},
    control,
    drawn::{Draw, known_changes},
    ignore::{Pointer, payload, without},
    ownership::{Cleanup, KUSTOMIZE_CONTROLLER, is_in_sync, needs_cleanup},
};

/// How a plan is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whose inventory it is.
    pub owner: Owner,
    /// The field manager that applies.
    pub manager: String,
    /// Further managers whose fields are taken over, by the beginning of their names (`--override-manager`).
    pub override_managers: Vec<String>,
    /// Whether objects that the source no longer names are deleted.
    pub prune: Prune,
    /// Whether objects are replaced when an immutable field changes.
    pub force: Force,
    /// How much may be deleted unasked.
    pub budget: Budget,
    /// Fields that others may change.
    pub ignore: IgnoreRules,
    /// The value of the owner's annotation [`APPROVE_ANNOTATION`](crate::APPROVE_ANNOTATION).
    pub approved: Option<String>,
    /// The revision that was last applied.
    pub revision_from: Option<String>,
    /// The key under which values of Secrets are digested.
    pub digest_key: DigestKey,
}

/// Whether objects that the source no longer names are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prune {
    /// They are.
    Yes,
    /// They stay, and leave the inventory.
    No,
}

/// Whether objects are replaced when an immutable field changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// They are.
    Yes,
    /// The plan fails, unless the object itself asks for it.
    No,
}

impl Options {
    /// Flux's defaults for what `owner` applies: pruning, without force, within the usual budget.
    pub fn new(owner: Owner, digest_key: DigestKey) -> Self {
        Self {
            owner,
            manager: KUSTOMIZE_CONTROLLER.to_owned(),
            override_managers: Vec::new(),
            prune: Prune::Yes,
            force: Force::No,
            budget: Budget::default(),
            ignore: IgnoreRules::default(),
            approved: None,
            revision_from: None,
            digest_key,
        }
    }
}

/// Plans how to bring `live` to `desired`, and deletes what `inventory` holds and `desired` no longer names.
///
/// An object of `desired` that was not looked at counts as absent; one of `inventory` that was not looked at is kept.
pub fn plan(desired: &Desired, live: &Live, inventory: &Inventory, options: &Options) -> Result<Plan, PlanError> {
    let planner = Planner { live, inventory, options, draw: Draw::of(desired, live) };
    let (mut steps, mut refused) = (Vec::new(), Vec::new());
    for (stage, manifest) in desired.in_apply_order() {
        match planner.apply_step(stage, manifest) {
            Ok(step) => steps.push(step),
            Err(change) => refused.push(*change),
        }
    }
    if !refused.is_empty() {
        return Err(PlanError::Immutable(refused));
    }
    let stale = inventory.in_delete_order().into_iter().filter(|(object, _)| !desired.contains(object));
    steps.extend(stale.map(|(object, version)| planner.prune_step(object, version)));
    let mut plan = Plan {
        owner: options.owner.clone(),
        revision_from: options.revision_from.clone(),
        revision: desired.revision().to_owned(),
        steps,
        held: None,
        inventory: inventory.clone(),
        digest_key: options.digest_key.clone(),
    };
    plan.held = planner.hold(&plan);
    Ok(plan)
}

struct Planner<'a> {
    live: &'a Live,
    inventory: &'a Inventory,
    options: &'a Options,
    draw: Draw,
}

impl Planner<'_> {
    fn apply_step(&self, stage: Stage, manifest: &Manifest) -> Result<Step, Box<RefusedChange>> {
        let live = self.live.present(manifest.id());
        let opt_out = control::apply_opt_out(manifest, live.map(|live| &live.body));
        let action = match (opt_out, self.live.get(manifest.id())) {
            (Some(opt_out), _) => Action::Keep(KeepReason::OptedOut(opt_out)),
            (None, None | Some(Observed::Absent)) => Action::Create(manifest.clone()),
            (None, Some(Observed::InSync)) => Action::Keep(KeepReason::InSync),
            (None, Some(Observed::Present(live))) => self.bring_to(manifest, live)?,
        };
        let takes_over =
            live.filter(|_| action.manifest().is_some()).and_then(|live| self.take_over(manifest.id(), &live.body));
        Ok(Step {
            object: manifest.id().clone(),
            version: manifest.version().to_owned(),
            stage,
            action,
            origin: Some(manifest.origin().clone()),
            uid: live.and_then(|live| uid(&live.body)),
            takes_over,
        })
    }

    fn bring_to(&self, manifest: &Manifest, live: &LiveObject) -> Result<Action, Box<RefusedChange>> {
        let asked = manifest.to_value();
        let preview = match &live.preview {
            Preview::Answer(preview) => preview,
            Preview::NotAsked => &asked,
            Preview::Immutable { field, .. } if self.forces(manifest, live) => {
                let changes = changes_to_manifest(&live.body, &asked, &self.options.manager, &self.options.digest_key);
                let changes = known_changes(changes, manifest);
                return Ok(Action::Replace { to: manifest.clone(), changes, field: field.clone() });
            }
            Preview::Immutable { message, field } => return Err(refuse(manifest, field, message)),
        };
        let kept = self.draw.kept(manifest);
        let ignored: Vec<&Pointer> = self.options.ignore.paths(preview).into_iter().chain(&kept).collect();
        let to = payload(manifest, &live.body, preview, &ignored, &self.options.manager);
        let changes = known_changes(self.changes(&to, live, preview, &ignored), manifest);
        let cleanup = self.cleanup(manifest, &live.body);
        if changes.is_empty() && cleanup.is_none() {
            return Ok(Action::Keep(KeepReason::InSync));
        }
        Ok(Action::Update { to, changes, cleanup })
    }

    fn changes(&self, to: &Manifest, live: &LiveObject, preview: &Value, ignored: &[&Pointer]) -> Vec<FieldChange> {
        let (manager, key) = (self.options.manager.as_str(), &self.options.digest_key);
        let (before, after) = (without(&live.body, ignored), without(preview, ignored));
        match live.preview {
            Preview::NotAsked if is_in_sync(to, &live.body, manager) => Vec::new(),
            Preview::NotAsked => changes_to_manifest(&before, &after, manager, key),
            Preview::Answer(_) | Preview::Immutable { .. } => changes_to_preview(&before, &after, key),
        }
    }

    fn cleanup(&self, manifest: &Manifest, live: &Value) -> Option<Cleanup> {
        if control::merges(manifest, live) {
            return None;
        }
        needs_cleanup(live, &self.options.manager, &self.options.override_managers)
    }

    fn forces(&self, manifest: &Manifest, live: &LiveObject) -> bool {
        self.options.force == Force::Yes || control::forces(manifest, &live.body)
    }

    fn take_over(&self, object: &ObjectId, live: &Value) -> Option<TakeOver> {
        match Owner::of(live, &self.options.owner.group) {
            _ if self.options.owner.owns(live) => None,
            Some(owner) => Some(TakeOver::From(owner)),
            None => (!self.inventory.contains(object)).then_some(TakeOver::Unowned),
        }
    }

    fn prune_step(&self, object: &ObjectId, version: &str) -> Step {
        let observed = self.live.get(object);
        let uid = self.live.present(object).and_then(|live| uid(&live.body));
        Step {
            object: object.clone(),
            version: version.to_owned(),
            stage: Stage::Prune,
            action: self.prune(observed),
            origin: None,
            uid,
            takes_over: None,
        }
    }

    fn prune(&self, observed: Option<&Observed>) -> Action {
        let live = match (self.options.prune, observed) {
            (Prune::No, _) => return Action::Keep(KeepReason::PruneDisabled),
            (Prune::Yes, None | Some(Observed::InSync)) => return Action::Keep(KeepReason::NotObserved),
            (Prune::Yes, Some(Observed::Absent)) => return Action::Keep(KeepReason::AlreadyGone),
            (Prune::Yes, Some(Observed::Present(live))) => &live.body,
        };
        if !self.options.owner.owns(live) {
            return Action::Keep(KeepReason::NotOurs);
        }
        let kept = self.options.owner.release.as_ref().and_then(|_| control::kept_by_helm(live));
        control::prune_opt_out(live)
            .or(kept)
            .map_or(Action::Delete, |opt_out| Action::Keep(KeepReason::OptedOut(opt_out)))
    }

    fn hold(&self, plan: &Plan) -> Option<Held> {
        let reasons = exceeded(&self.options.budget, &plan.steps, self.inventory, self.live);
        if reasons.is_empty() {
            return None;
        }
        let approve = plan.approval();
        if self.options.approved.as_deref() == Some(approve.to_string().as_str()) {
            return None;
        }
        let deleted = plan.steps.iter().filter(|step| step.action.deletes());
        Some(Held { reasons, objects: deleted.map(|step| step.object.clone()).collect(), approve })
    }
}

fn refuse(manifest: &Manifest, field: &str, message: &str) -> Box<RefusedChange> {
    let is_secret = manifest.id().kind == "Secret";
    Box::new(RefusedChange {
        object: manifest.id().clone(),
        origin: manifest.origin().clone(),
        field: field.to_owned(),
        message: (!is_secret).then(|| message.to_owned()),
    })
}

fn uid(live: &Value) -> Option<String> {
    live.pointer("/metadata/uid")?.as_str().map(str::to_owned)
}
