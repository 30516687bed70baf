//! Carries an action on, and records how it ended.

use std::time::Duration;

use fairlead_api::{
    conditions::{RELEASED, REMEDIATED},
    helm::Snapshot,
};
use fairlead_release::{Release, Standing, Status, digest, hook};

use super::{
    action::{Action, Purpose, Underway},
    history::HistoryError,
    memory::Memory,
    outcome::{End, Failure},
    steps::Progress,
    story::{Fact, Story},
    work::Work,
};
use crate::controllers::kustomization::to_status;

impl Work<'_> {
    /// Carries `underway` on, and tells how it ended; `None` if something may follow.
    pub(super) async fn go_on(
        &self,
        mut underway: Box<Underway>,
        memory: &mut Memory,
        story: &mut Story,
    ) -> Result<Option<End>, Failure> {
        let outcome = match self.advance(&mut underway).await {
            Ok(Progress::Waiting { left }) => {
                tell_inventory(&underway, story);
                memory.underway = Some(underway);
                return Ok(Some(End::Waiting { left }));
            }
            Ok(Progress::Done) => Ok(()),
            Err(message) => Err(message),
        };
        self.subject.world.release_tracker.set_awaiting(self.subject.key, false);
        tell_inventory(&underway, story);
        memory.done.extend(underway.kind());
        memory.watched = Some(underway.record.version);
        let is_failed = outcome.is_err();
        let fact = self.finish(&mut underway, outcome, story).await?;
        story.tell(fact);
        if !is_failed && matches!(underway.action, Action::Install | Action::Upgrade) {
            self.note_overlays(story);
        }
        story.summarise();
        self.after(&underway, is_failed, story)
    }

    /// What follows what was done.
    fn after(&self, underway: &Underway, is_failed: bool, story: &Story) -> Result<Option<End>, Failure> {
        let standing = Standing { spec: self.spec, status: &story.status, is_forced: false, records: &underway.known };
        match (underway.action, underway.purpose) {
            (Action::Install | Action::Upgrade, _) if is_failed && !underway.is_recorded => {
                let released = story.status.conditions.get(RELEASED).map(|told| told.message.clone());
                Err(Failure::NothingRecorded(released.unwrap_or_default()))
            }
            (Action::Install | Action::Upgrade, _) if is_failed => {
                Ok(standing.retry()?.map(|after| End::Later { after }))
            }
            (Action::Rollback, Purpose::Keep) if is_failed && !underway.is_recorded => {
                let remediated = story.status.conditions.get(REMEDIATED).map(|told| told.message.clone());
                Err(Failure::NothingRecorded(remediated.unwrap_or_default()))
            }
            (Action::Install | Action::Upgrade | Action::Test, _) | (Action::Rollback, Purpose::Keep) => Ok(None),
            (Action::Rollback, _) | (Action::Uninstall, Purpose::Remedy) => {
                Ok(Some(match standing.after_remediation() {
                    None => End::Again,
                    Some(done) => End::Stopped(done),
                }))
            }
            (Action::Uninstall, Purpose::Lasting | Purpose::Keep | Purpose::Move | Purpose::Deletion) => {
                Ok(Some(End::Again))
            }
        }
    }

    /// Records how an action ended.
    async fn finish(
        &self,
        underway: &mut Underway,
        outcome: Result<(), String>,
        story: &Story,
    ) -> Result<Fact, Failure> {
        let took = underway.began.elapsed();
        match underway.action {
            Action::Install | Action::Upgrade => self.finish_release(underway, outcome, took).await,
            Action::Test => self.finish_test(underway, outcome, story).await,
            Action::Rollback => self.finish_rollback(underway, outcome).await,
            Action::Uninstall => self.finish_uninstall(underway, outcome).await,
        }
    }

    fn snapshot(&self, underway: &Underway) -> Snapshot {
        let now = self.subject.world.clock.now();
        let action = match (underway.action, underway.purpose) {
            (Action::Uninstall, Purpose::Remedy) => "uninstall-remediation",
            (action, _) => action.name(),
        };
        digest::snapshot(&underway.record, action, underway.oci_digest.as_deref(), now)
    }

    async fn finish_release(
        &self,
        underway: &mut Underway,
        outcome: Result<(), String>,
        took: Duration,
    ) -> Result<Fact, Failure> {
        let (history, now, action) = (self.history(), self.subject.world.clock.now(), underway.action);
        match outcome {
            Ok(()) => {
                if action == Action::Upgrade {
                    self.supersede(&underway.known).await?;
                }
                let title = if action == Action::Install { "Install" } else { "Upgrade" };
                underway.record.set_status(Status::Deployed, format!("{title} complete"));
                history.update(&underway.record, now).await?;
                Ok(Fact::Released { action, snapshot: self.snapshot(underway), took })
            }
            Err(message) => {
                let record = &mut underway.record;
                let what = format!(
                    "{}/{} with chart {}@{}",
                    record.namespace,
                    record.name,
                    record.chart_name(),
                    record.chart_version()
                );
                let title = if action == Action::Install { "Release" } else { "Upgrade" };
                record.set_status(Status::Failed, format!("{title} {:?} failed: {message}", self.name.name));
                if underway.is_recorded {
                    history.update(&underway.record, now).await?;
                }
                let snapshot = underway.is_recorded.then(|| self.snapshot(underway));
                Ok(Fact::NotReleased { action, snapshot, what, message, took })
            }
        }
    }

    /// Marks the revisions that a new one takes the place of.
    async fn supersede(&self, known: &[Release]) -> Result<(), Failure> {
        for old in known.iter().filter(|old| old.info.status == Status::Deployed) {
            let mut old = old.clone();
            old.info.status = Status::Superseded;
            let updated = self.history().update(&old, self.subject.world.clock.now()).await;
            match updated {
                // It was one too many.
                Err(HistoryError::Cluster(error)) if error.is_not_found() => {}
                updated => updated?,
            }
        }
        Ok(())
    }

    async fn finish_test(
        &self,
        underway: &Underway,
        outcome: Result<(), String>,
        story: &Story,
    ) -> Result<Fact, Failure> {
        let ran = underway.record.hooks_at(hook::TEST).len();
        if ran > 0 {
            self.history().update(&underway.record, self.subject.world.clock.now()).await?;
        }
        let runs = self.runs_test();
        let mut tests = digest::tests(&underway.record);
        tests.retain(|name, _| runs(name));
        let records = &underway.known;
        let standing = Standing { spec: self.spec, status: &story.status, is_forced: false, records };
        Ok(match outcome {
            Ok(()) => {
                let message = match tests.len() {
                    0 => "no test hooks".to_owned(),
                    count => format!("{count} test hook{} completed successfully", if count == 1 { "" } else { "s" }),
                };
                Fact::Tested { tests, message }
            }
            Err(message) => Fact::NotTested { tests, message, is_failure: !standing.ignores_tests() },
        })
    }

    async fn finish_rollback(&self, underway: &mut Underway, outcome: Result<(), String>) -> Result<Fact, Failure> {
        let (history, now) = (self.history(), self.subject.world.clock.now());
        let to = underway.record.info.rollback_revision;
        self.supersede(&underway.known).await?;
        let target = underway.known.iter().find(|known| known.version == to).cloned().unwrap_or_default();
        match outcome {
            Ok(()) => {
                underway.record.set_status(Status::Deployed, format!("Rollback to {to}"));
                history.update(&underway.record, now).await?;
                Ok(Fact::RolledBack {
                    snapshot: self.snapshot(underway),
                    to: digest::snapshot(&target, "rollback", None, now),
                })
            }
            Err(message) => {
                let name = &self.name.name;
                underway.record.set_status(Status::Failed, format!("Rollback {name:?} failed: {message}"));
                if underway.is_recorded {
                    history.update(&underway.record, now).await?;
                }
                let snapshot = underway.is_recorded.then(|| self.snapshot(underway));
                Ok(Fact::NotRolledBack { snapshot, to: digest::snapshot(&target, "rollback", None, now), message })
            }
        }
    }

    async fn finish_uninstall(&self, underway: &mut Underway, outcome: Result<(), String>) -> Result<Fact, Failure> {
        let (history, now) = (self.history(), self.subject.world.clock.now());
        match outcome {
            Ok(()) => {
                underway.record.set_status(Status::Uninstalled, "Uninstallation complete");
                if underway.policy.keeps_history {
                    history.update(&underway.record, now).await?;
                } else {
                    for known in &underway.known {
                        history.delete(known).await?;
                    }
                }
                let snapshot = self.snapshot(underway);
                Ok(match underway.purpose {
                    Purpose::Remedy => Fact::Remedied { snapshot },
                    Purpose::Lasting | Purpose::Keep | Purpose::Move | Purpose::Deletion => {
                        Fact::Uninstalled { snapshot }
                    }
                })
            }
            Err(message) => {
                underway.record.set_status(Status::Failed, format!("Uninstallation failed: {message}"));
                history.update(&underway.record, now).await?;
                let snapshot = self.snapshot(underway);
                Ok(match underway.purpose {
                    Purpose::Remedy => Fact::NotRemedied { snapshot, message },
                    Purpose::Lasting | Purpose::Keep | Purpose::Move | Purpose::Deletion => {
                        Fact::NotUninstalled { snapshot, message }
                    }
                })
            }
        }
    }
}

/// Tells what belongs to the release from now on.
fn tell_inventory(underway: &Underway, story: &mut Story) {
    let Some(mut inventory) = underway.inventory.clone() else { return };
    for definition in &underway.definitions {
        inventory.insert(definition.id().clone(), definition.version().to_owned());
    }
    story.status.inventory = Some(to_status(&inventory));
}
