//! From a decision to an action that is under way.

use std::{collections::VecDeque, sync::Arc};

use fairlead_api::{
    conditions::{READY, Verdict},
    reasons,
};
use fairlead_plan::Inventory;
use fairlead_release::{Decision, HookRun, Info, Release, Status};
use tokio::time::Instant;

use super::{
    action::{Action, Policy, Purpose, Underway},
    chart::About,
    outcome::Failure,
    render::{Asked, Draft, Occasion},
    story::{Fact, Story},
    work::{Wanted, Work},
};
use crate::controllers::in_one_line;

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
            Decision::Rollback { to } => self.roll_back(*to, Purpose::Remedy, records, story),
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
            created: Inventory::default(),
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
        let Draft { mut record, definitions, .. } = match self.draft(action, wanted, &records).await {
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

    async fn draft(&self, action: Action, wanted: &Wanted, records: &[Release]) -> Result<Draft, String> {
        self.may_reuse_name(action, records)?;
        let occasion = match action {
            Action::Install => Occasion::Install,
            Action::Upgrade | Action::Test | Action::Rollback | Action::Uninstall => Occasion::Upgrade,
        };
        let asked = Asked::next(self.spec, occasion, wanted.values.clone(), records);
        let chart = self.chart(&wanted.found).await.map_err(|failure| in_one_line(&failure))?;
        self.rendering().render(&chart, &asked).await.map_err(|unrendered| unrendered.to_string())
    }

    fn may_reuse_name(&self, action: Action, records: &[Release]) -> Result<(), String> {
        let replaces = self.spec.install.as_ref().is_some_and(|install| install.replace);
        if action == Action::Install && !records.is_empty() && !replaces {
            return Err("cannot reuse a name that is still in use".to_owned());
        }
        Ok(())
    }

    fn what(&self, wanted: &Wanted) -> String {
        let About { name: chart, version } = &wanted.about;
        format!("{}/{} with chart {chart}@{version}", self.name.namespace, self.name.name)
    }

    /// Prepares to restore the revision `to`.
    pub(super) fn roll_back(
        &self,
        to: i64,
        purpose: Purpose,
        records: Vec<Release>,
        story: &mut Story,
    ) -> Result<Underway, Failure> {
        let policy = Policy::of(self.spec, Action::Rollback)?;
        story.tell(Fact::Began { action: Action::Rollback, timeout: policy.timeout });
        if purpose == Purpose::Keep {
            story.verdict(Verdict::unknown(READY, reasons::PROGRESSING, format!("restoring revision {to}")));
        }
        let target = records.iter().find(|record| record.version == to).cloned().unwrap_or_default();
        let now = self.subject.world.clock.now();
        let mut record = Release { version: records.first().map_or(0, |last| last.version) + 1, ..target };
        record.info.last_deployed = Some(now);
        record.info.rollback_revision = to;
        record.hooks.iter_mut().for_each(|hook| hook.last_run = HookRun::default());
        record.set_status(Status::PendingRollback, format!("Rollback to {to}"));
        Ok(self.underway(Action::Rollback, purpose, record, records, policy))
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
