//! What is being done to a release, step by step.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use fairlead_api::{
    duration::DurationError,
    helm::{Crds, DeletionPropagation, HelmReleaseSpec},
    reasons::helm as reason,
};
use fairlead_health::HealthRules;
use fairlead_object::{Manifest, ObjectId};
use fairlead_plan::{Action as PlannedAction, Force, Inventory, Plan};
use fairlead_release::{Release, hook};
use tokio::time::Instant;

use super::memory::Kind;

/// What is done to a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Install,
    Upgrade,
    Test,
    Rollback,
    Uninstall,
}

impl Action {
    /// As messages and hooks name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Upgrade => "upgrade",
            Self::Test => "test",
            Self::Rollback => "rollback",
            Self::Uninstall => "uninstall",
        }
    }

    /// The reason that tells of its success.
    pub(super) fn succeeded(self) -> &'static str {
        match self {
            Self::Install => reason::INSTALL_SUCCEEDED,
            Self::Upgrade => reason::UPGRADE_SUCCEEDED,
            Self::Test => reason::TEST_SUCCEEDED,
            Self::Rollback => reason::ROLLBACK_SUCCEEDED,
            Self::Uninstall => reason::UNINSTALL_SUCCEEDED,
        }
    }

    /// The reason that tells of its failure.
    pub(super) fn failed(self) -> &'static str {
        match self {
            Self::Install => reason::INSTALL_FAILED,
            Self::Upgrade => reason::UPGRADE_FAILED,
            Self::Test => reason::TEST_FAILED,
            Self::Rollback => reason::ROLLBACK_FAILED,
            Self::Uninstall => reason::UNINSTALL_FAILED,
        }
    }

    /// The events before and after it at which hooks run.
    fn events(self) -> [&'static str; 2] {
        match self {
            Self::Install => ["pre-install", "post-install"],
            Self::Upgrade => ["pre-upgrade", "post-upgrade"],
            Self::Test => [hook::TEST, hook::TEST],
            Self::Rollback => ["pre-rollback", "post-rollback"],
            Self::Uninstall => ["pre-delete", "post-delete"],
        }
    }
}

/// What an action is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// What is done shall stay.
    Lasting,
    /// It has failed.
    Remedy,
    /// It is kept at an earlier revision.
    Keep,
    /// The release is installed elsewhere, or another chart is.
    Move,
    /// The object goes.
    Deletion,
}

/// How an action is carried out.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of its own")]
pub(super) struct Policy {
    /// How long one wait may take.
    pub(super) timeout: Duration,
    pub(super) runs_hooks: bool,
    pub(super) waits: bool,
    pub(super) waits_for_jobs: bool,
    pub(super) takes_ownership: bool,
    pub(super) force: Force,
    pub(super) crds: Crds,
    /// A namespace that is created where it is missing.
    pub(super) creates_namespace: bool,
    pub(super) keeps_history: bool,
    /// Whether what was created goes again when the action fails.
    pub(super) cleans_up: bool,
    /// What becomes of what the objects own when they are uninstalled.
    pub(super) propagation: DeletionPropagation,
}

/// One step of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The namespace is created.
    Namespace,
    /// The definitions of the chart are applied.
    Definitions,
    /// They are served.
    Served,
    /// The revision is recorded.
    Record,
    /// What is left of an earlier run of this hook is deleted.
    ClearHook(usize),
    /// The hook is created.
    StartHook(usize),
    /// The hook has ended.
    AwaitHook(usize),
    /// Hooks of this event are deleted that are not kept.
    DropHooks(&'static str),
    /// The objects are applied.
    Apply,
    /// They are ready.
    Ready,
    /// The objects are deleted.
    Delete,
}

/// What is being done to a release.
pub(super) struct Underway {
    pub(super) action: Action,
    pub(super) purpose: Purpose,
    pub(super) policy: Policy,
    pub(super) rules: Arc<HealthRules>,
    /// The revision that is made, or worked on.
    pub(super) record: Release,
    pub(super) is_recorded: bool,
    /// The revisions before, the newest first.
    pub(super) known: Vec<Release>,
    pub(super) definitions: Vec<Manifest>,
    /// What remains to be done.
    pub(super) steps: VecDeque<Step>,
    pub(super) began: Instant,
    /// When the present step must be done.
    pub(super) deadline: Option<Instant>,
    /// What belongs to the release from now on.
    pub(super) inventory: Option<Inventory>,
    /// What was not there before.
    pub(super) created: Inventory,
    /// What must become ready.
    pub(super) awaited: Vec<ObjectId>,
    pub(super) oci_digest: Option<String>,
    /// The namespace in which the release is recorded.
    pub(super) storage: String,
}

impl Underway {
    /// The kind of what is done; `None` where that is not counted.
    pub(super) fn kind(&self) -> Option<Kind> {
        match (self.action, self.purpose) {
            (Action::Install | Action::Upgrade, _) => Some(Kind::Release),
            (Action::Test, _) => Some(Kind::Test),
            (Action::Rollback, Purpose::Keep)
            | (Action::Uninstall, Purpose::Lasting | Purpose::Keep | Purpose::Move | Purpose::Deletion) => None,
            (Action::Rollback, _) | (Action::Uninstall, Purpose::Remedy) => Some(Kind::Remedy),
        }
    }

    /// Notes what `plan` creates.
    pub(super) fn note_created(&mut self, plan: &Plan) {
        for step in &plan.steps {
            if let PlannedAction::Create(manifest) = &step.action {
                self.created.insert(step.object.clone(), manifest.version().to_owned());
            }
        }
    }

    /// Lists the steps of the action.
    pub(super) fn plan_steps(&mut self, runs_test: impl Fn(&str) -> bool) {
        let [before, after] = self.action.events();
        let mut steps = Vec::new();
        match self.action {
            Action::Install | Action::Upgrade => {
                steps.extend(self.policy.creates_namespace.then_some(Step::Namespace));
                if self.policy.crds != Crds::Skip && !self.definitions.is_empty() {
                    steps.extend([Step::Definitions, Step::Served]);
                }
                steps.push(Step::Record);
                steps.extend(self.hook_steps(before, |_| true));
                steps.extend([Step::Apply, Step::Ready]);
                steps.extend(self.hook_steps(after, |_| true));
            }
            Action::Rollback => {
                steps.push(Step::Record);
                steps.extend(self.hook_steps(before, |_| true));
                steps.extend([Step::Apply, Step::Ready]);
                steps.extend(self.hook_steps(after, |_| true));
            }
            Action::Test => steps.extend(self.hook_steps(hook::TEST, runs_test)),
            Action::Uninstall => {
                steps.push(Step::Record);
                steps.extend(self.hook_steps(before, |_| true));
                steps.push(Step::Delete);
                steps.extend(self.hook_steps(after, |_| true));
            }
        }
        self.steps = steps.into();
    }

    fn hook_steps(&self, event: &'static str, is_meant: impl Fn(&str) -> bool) -> Vec<Step> {
        if !self.policy.runs_hooks {
            return Vec::new();
        }
        let hooks = self.record.hooks_at(event).into_iter().filter(|index| is_meant(&self.record.hooks[*index].name));
        let steps = hooks.flat_map(|index| [Step::ClearHook(index), Step::StartHook(index), Step::AwaitHook(index)]);
        let mut steps: Vec<Step> = steps.collect();
        if !steps.is_empty() {
            steps.push(Step::DropHooks(event));
        }
        steps
    }
}

impl Policy {
    /// How `spec` carries `action` out.
    pub(super) fn of(spec: &HelmReleaseSpec, action: Action) -> Result<Self, DurationError> {
        let install = spec.install.clone().unwrap_or_default();
        let upgrade = spec.upgrade.clone().unwrap_or_default();
        let rollback = spec.rollback.clone().unwrap_or_default();
        let uninstall = spec.uninstall.clone().unwrap_or_default();
        let test = spec.test.clone().unwrap_or_default();
        let base = Self {
            timeout: spec.timeout(None)?,
            runs_hooks: true,
            waits: true,
            waits_for_jobs: true,
            takes_ownership: true,
            force: Force::No,
            crds: Crds::Skip,
            creates_namespace: false,
            keeps_history: false,
            cleans_up: false,
            propagation: DeletionPropagation::Background,
        };
        let forced = |is_forced| if is_forced { Force::Yes } else { Force::No };
        Ok(match action {
            Action::Install => Self {
                timeout: spec.timeout(install.timeout.as_ref())?,
                runs_hooks: !install.disable_hooks,
                waits: !install.disable_wait,
                waits_for_jobs: !install.disable_wait_for_jobs,
                takes_ownership: !install.disable_take_ownership,
                crds: if install.skip_crds { Crds::Skip } else { install.crds.unwrap_or_default() },
                creates_namespace: install.create_namespace && spec.target_namespace.is_some(),
                ..base
            },
            Action::Upgrade => Self {
                timeout: spec.timeout(upgrade.timeout.as_ref())?,
                runs_hooks: !upgrade.disable_hooks,
                waits: !upgrade.disable_wait,
                waits_for_jobs: !upgrade.disable_wait_for_jobs,
                takes_ownership: !upgrade.disable_take_ownership,
                crds: upgrade.crds.unwrap_or_default(),
                force: forced(upgrade.force),
                cleans_up: upgrade.cleanup_on_fail,
                ..base
            },
            Action::Test => Self { timeout: spec.timeout(test.timeout.as_ref())?, ..base },
            Action::Rollback => Self {
                timeout: spec.timeout(rollback.timeout.as_ref())?,
                runs_hooks: !rollback.disable_hooks,
                waits: !rollback.disable_wait,
                waits_for_jobs: !rollback.disable_wait_for_jobs,
                force: forced(rollback.force),
                cleans_up: rollback.cleanup_on_fail,
                ..base
            },
            Action::Uninstall => Self {
                timeout: spec.timeout(uninstall.timeout.as_ref())?,
                runs_hooks: !uninstall.disable_hooks,
                waits: !uninstall.disable_wait,
                keeps_history: uninstall.keep_history,
                propagation: uninstall.deletion_propagation.unwrap_or_default(),
                ..base
            },
        })
    }
}
