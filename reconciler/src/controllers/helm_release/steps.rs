//! Carries out what is under way, as far as it goes without waiting.

use std::time::Duration;

use fairlead_object::ObjectId;
use fairlead_release::Phase;
use tokio::time::Instant;

use super::{
    action::{Action, Step, Underway},
    history::HistoryError,
    objects::ObjectsError,
    work::Work,
};
use crate::{
    apply::ApplyError,
    cluster::ApiError,
    controllers::{
        health::{Folded, failed_early, fold, timed_out},
        in_one_line,
    },
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
                    return Err(self.give_up(underway, step, message).await);
                }
            };
            match pace {
                Pace::Done => {
                    underway.steps.pop_front();
                    underway.deadline = None;
                }
                Pace::Waiting { .. } if now >= deadline => {
                    let message = self.late(underway, step);
                    return Err(self.give_up(underway, step, message).await);
                }
                Pace::Waiting { look_again } => {
                    let left = deadline - now;
                    return Ok(Progress::Waiting { left: look_again.unwrap_or(left).min(left) });
                }
            }
        }
        Ok(Progress::Done)
    }

    /// Ends what is under way, which failed in `step`; returns what is said of it.
    async fn give_up(&self, underway: &mut Underway, step: Step, message: String) -> String {
        let message = self.failed(underway, step, message).await;
        if underway.policy.cleans_up && !underway.created.is_empty() {
            return self.clean_up(underway, message).await;
        }
        message
    }

    async fn failed(&self, underway: &mut Underway, step: Step, message: String) -> String {
        match step {
            Step::ClearHook(index) | Step::StartHook(index) | Step::AwaitHook(index) => {
                let run = &mut underway.record.hooks[index].last_run;
                run.phase = Phase::Failed;
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

    pub(super) fn folded(&self, objects: &[ObjectId]) -> Folded {
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
}
