//! From a decision to an action that is under way.

use std::{collections::VecDeque, sync::Arc};

use fairlead_helm::Schemas;
use fairlead_release::{Decision, HookRun, Info, Release, Status};
use serde_json::Map;
use tokio::time::Instant;

use super::{
    action::{Action, Policy, Purpose, Underway},
    chart::About,
    outcome::Failure,
    render::{Asked, Draft},
    story::{Fact, Story},
    values,
    work::{Wanted, Work},
};

impl Work<'_> {
    /// Prepares what `decision` asks for.
    pub(super) async fn start(
        &self,
        decision: &Decision,
        wanted: &Wanted,
        records: Vec<Release>,
        story: &mut Story,
    ) -> Result<Underway, Failure> {
        match decision {
            Decision::Install => self.release(Action::Install, wanted, records, story).await,
            Decision::Upgrade => self.release(Action::Upgrade, wanted, records, story).await,
            Decision::Test => {
                let record = records.first().cloned().unwrap_or_default();
                let policy = Policy::of(self.spec, Action::Test)?;
                story.tell(Fact::Began { action: Action::Test, timeout: policy.timeout });
                Ok(self.underway(Action::Test, Purpose::Lasting, record, records, policy))
            }
            Decision::Rollback { to } => self.roll_back(*to, records, story),
            Decision::Uninstall => {
                let timeout = Policy::of(self.spec, Action::Uninstall)?.timeout;
                story.tell(Fact::Began { action: Action::Uninstall, timeout });
                let started = self.uninstall(records, Purpose::Remedy)?;
                started.ok_or_else(|| Failure::NothingRecorded("there is nothing to uninstall".to_owned()))
            }
            Decision::Nothing | Decision::Unlock | Decision::Stop(_) => {
                Err(Failure::NothingRecorded("there is nothing to do".to_owned()))
            }
        }
    }

    fn underway(
        &self,
        action: Action,
        purpose: Purpose,
        record: Release,
        known: Vec<Release>,
        policy: Policy,
    ) -> Underway {
        let mut underway = Underway {
            action,
            purpose,
            policy,
            rules: Arc::clone(&self.rules),
            record,
            is_recorded: action == Action::Test,
            known,
            definitions: Vec::new(),
            steps: VecDeque::new(),
            began: Instant::now(),
            deadline: None,
            inventory: None,
            awaited: Vec::new(),
            oci_digest: None,
            storage: self.storage.clone(),
        };
        underway.plan_steps(self.runs_test());
        underway
    }

    /// Which tests run.
    pub(super) fn runs_test(&self) -> impl Fn(&str) -> bool {
        let test = self.spec.test.clone().unwrap_or_default();
        move |name| test.includes(name)
    }

    /// Renders the chart for an install or an upgrade.
    async fn release(
        &self,
        action: Action,
        wanted: &Wanted,
        records: Vec<Release>,
        story: &mut Story,
    ) -> Result<Underway, Failure> {
        let policy = Policy::of(self.spec, action)?;
        story.tell(Fact::Began { action, timeout: policy.timeout });
        let draft = match self.may_reuse_name(action, &records) {
            Ok(()) => self.render(&wanted.found, &self.asked(action, wanted, &records)).await,
            Err(problem) => Err(problem),
        };
        let Draft { mut record, definitions } = match draft {
            Ok(draft) => draft,
            Err(message) => {
                let what = self.what(wanted);
                let told = format!("Helm {} failed for release {what}: {message}", action.name());
                let took = self.subject.began.elapsed();
                story.tell(Fact::NotReleased { action, snapshot: None, what, message, took });
                return Err(Failure::NothingRecorded(told));
            }
        };
        let now = self.subject.world.clock.now();
        let first = records.last().and_then(|first| first.info.first_deployed);
        let (status, description) = match action {
            Action::Install => (Status::PendingInstall, "Initial install underway"),
            Action::Upgrade | Action::Test | Action::Rollback | Action::Uninstall => {
                (Status::PendingUpgrade, "Preparing upgrade")
            }
        };
        let notes = std::mem::take(&mut record.info.notes);
        record.info = Info {
            first_deployed: Some(first.filter(|_| action == Action::Upgrade).unwrap_or(now)),
            last_deployed: Some(now),
            notes,
            ..Info::default()
        };
        record.set_status(status, description);
        let mut underway = self.underway(action, Purpose::Lasting, record, records, policy);
        underway.oci_digest.clone_from(&wanted.found.oci_digest);
        underway.definitions = definitions;
        underway.plan_steps(self.runs_test());
        Ok(underway)
    }

    fn may_reuse_name(&self, action: Action, records: &[Release]) -> Result<(), String> {
        let replaces = self.spec.install.as_ref().is_some_and(|install| install.replace);
        if action == Action::Install && !records.is_empty() && !replaces {
            return Err("cannot reuse a name that is still in use".to_owned());
        }
        Ok(())
    }

    fn asked(&self, action: Action, wanted: &Wanted, records: &[Release]) -> Asked {
        let skips_schemas = match action {
            Action::Install => self.spec.install.as_ref().is_some_and(|install| install.disable_schema_validation),
            Action::Upgrade | Action::Test | Action::Rollback | Action::Uninstall => {
                self.spec.upgrade.as_ref().is_some_and(|upgrade| upgrade.disable_schema_validation)
            }
        };
        let preserves = self.spec.upgrade.as_ref().is_some_and(|upgrade| upgrade.preserve_values);
        let mut asked_values = Map::new();
        if let Some(last) = records.first().filter(|_| action == Action::Upgrade && preserves) {
            asked_values.clone_from(&last.config);
        }
        values::merge(&mut asked_values, wanted.values.clone());
        Asked {
            revision: records.first().map_or(0, |last| last.version) + 1,
            is_upgrade: action == Action::Upgrade,
            schemas: if skips_schemas { Schemas::Skipped } else { Schemas::Checked },
            values: asked_values,
        }
    }

    fn what(&self, wanted: &Wanted) -> String {
        let About { name: chart, version } = &wanted.about;
        format!("{}/{} with chart {chart}@{version}", self.name.namespace, self.name.name)
    }

    fn roll_back(&self, to: i64, records: Vec<Release>, story: &mut Story) -> Result<Underway, Failure> {
        let policy = Policy::of(self.spec, Action::Rollback)?;
        story.tell(Fact::Began { action: Action::Rollback, timeout: policy.timeout });
        let target = records.iter().find(|record| record.version == to).cloned().unwrap_or_default();
        let now = self.subject.world.clock.now();
        let mut record = Release { version: records.first().map_or(0, |last| last.version) + 1, ..target };
        record.info.last_deployed = Some(now);
        record.info.rollback_revision = to;
        record.hooks.iter_mut().for_each(|hook| hook.last_run = HookRun::default());
        record.set_status(Status::PendingRollback, format!("Rollback to {to}"));
        Ok(self.underway(Action::Rollback, Purpose::Lasting, record, records, policy))
    }

    /// Prepares to uninstall the newest of `records`; `None` if nothing is installed.
    pub(super) fn uninstall(&self, records: Vec<Release>, purpose: Purpose) -> Result<Option<Underway>, Failure> {
        let Some(last) = records.first().filter(|last| last.info.status != Status::Uninstalled) else {
            return Ok(None);
        };
        let mut record = last.clone();
        record.info.deleted = Some(self.subject.world.clock.now());
        record.set_status(Status::Uninstalling, "Deletion in progress (or silently failed)");
        let policy = Policy::of(self.spec, Action::Uninstall)?;
        Ok(Some(self.underway(Action::Uninstall, purpose, record, records, policy)))
    }
}
