//! What a run for a release means: to its conditions and its next run.

use std::time::Duration;

use fairlead_api::{
    conditions::{READY, RECONCILING, STALLED, Verdict},
    duration::{Duration as WrittenDuration, DurationError},
    names::annotations::PINNED_REVISION,
    reasons::{self, helm as reason},
};
use fairlead_manifests::ChartBuildError;
use fairlead_plan::IgnoreRuleError;
use fairlead_release::Done;
use fairlead_sources::{fetch::SourceFailure, store::StoreError};

use super::{history::HistoryError, story::Story, values::ValuesError};
use crate::{
    cluster::{ApiError, InvalidAccount},
    controllers::{Next, Unusable, dependencies::DependencyError, in_one_line},
};

/// What the object says now, besides its spec.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment<'a> {
    pub(super) generation: Option<i64>,
    pub(super) requested_at: Option<&'a str>,
}

/// How a run ended.
#[derive(Debug)]
pub(super) enum End {
    /// The object does not want to be reconciled.
    Suspended,
    /// The release is as it should be.
    Settled { interval: Duration },
    /// Something is under way, which a watch tells of.
    Waiting { left: Duration },
    /// Something failed, and what follows can be tried at once.
    Again,
    /// Something failed, and is tried again after a while.
    Later { after: Duration },
    /// Something failed, and nothing more is tried.
    Stopped(Done),
}

/// Why a run could not come to the release itself.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Unusable(#[from] Unusable),
    #[error(transparent)]
    Duration(#[from] DurationError),
    #[error(transparent)]
    Account(#[from] InvalidAccount),
    #[error("{0}")]
    Expression(String),
    #[error(transparent)]
    Ignore(#[from] IgnoreRuleError),
    #[error("the annotation {PINNED_REVISION} is `{0}`, which is no number of a revision")]
    Pin(String),
    #[error("either spec.chart or spec.chartRef must be set")]
    NoChart,
    #[error("can't access '{0}', cross-namespace references have been blocked")]
    CrossNamespace(String),
    #[error("can't access '{0}', the feature gate ExternalArtifact is off")]
    ExternalArtifacts(String),
    #[error(transparent)]
    Dependency(#[from] DependencyError),
    #[error("the HelmChart cannot be written")]
    Chart(#[source] ApiError),
    #[error("{0} '{1}' not found")]
    SourceMissing(&'static str, String),
    #[error("{0} '{1}' is not ready: {2}")]
    SourceNotReady(&'static str, String, String),
    #[error(transparent)]
    External(#[from] SourceFailure),
    #[error("the artifact cannot be read")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Load(Box<ChartBuildError>),
    #[error("the version of the chart cannot be extended: {0}")]
    Version(String),
    #[error("the run was interrupted: {0}")]
    Interrupted(String),
    #[error(transparent)]
    Values(#[from] ValuesError),
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The condition `Released` says why.
    #[error("{0}")]
    NothingRecorded(String),
}

impl Failure {
    fn reason(&self) -> &'static str {
        match self {
            Self::Unusable(error) => error.reason(),
            Self::Duration(_) | Self::Account(_) | Self::Ignore(_) | Self::Pin(_) | Self::NoChart => {
                reasons::INVALID_FIELD
            }
            Self::Expression(_) | Self::Dependency(DependencyError::Invalid { .. }) => reason::INVALID_CEL_EXPRESSION,
            Self::CrossNamespace(_) | Self::ExternalArtifacts(_) => reasons::ACCESS_DENIED,
            Self::Dependency(_) => reason::DEPENDENCY_NOT_READY,
            Self::Chart(_) => reason::HELM_CHART_SYNC_ERROR,
            Self::SourceNotReady(..) => reason::SOURCE_NOT_READY,
            Self::SourceMissing(..) | Self::External(_) | Self::Store(_) | Self::Load(_) | Self::Version(_) => {
                reason::ARTIFACT_FAILED
            }
            Self::Values(_) => reason::VALUES_ERROR,
            Self::History(_) => reason::STATE_ERROR,
            Self::Interrupted(_) | Self::NothingRecorded(_) => reason::RECONCILE_ERROR,
        }
    }

    /// Whether nothing more is tried until the object itself is edited.
    fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::Unusable(_)
                | Self::Duration(_)
                | Self::Account(_)
                | Self::Ignore(_)
                | Self::Pin(_)
                | Self::NoChart
                | Self::Expression(_)
                | Self::CrossNamespace(_)
                | Self::ExternalArtifacts(_)
                | Self::Dependency(DependencyError::Invalid { .. })
        )
    }

    fn next(&self) -> Next {
        match self {
            _ if self.is_terminal() => Next::OnChange,
            // A new artifact, or the dependency, wakes it.
            Self::SourceMissing(..) | Self::SourceNotReady(..) | Self::Dependency(_) => Next::OnChange,
            _ => Next::RETRY,
        }
    }

    fn is_waiting(&self) -> bool {
        matches!(self, Self::SourceMissing(..) | Self::SourceNotReady(..) | Self::Dependency(_))
    }
}

impl Story {
    /// Ends the story: says what `outcome` means, and when the object is looked at again.
    pub(super) fn end(&mut self, outcome: &Result<End, Failure>, moment: Moment<'_>) -> Next {
        if let Some(requested_at) = moment.requested_at {
            self.status.last_handled_reconcile_at = Some(requested_at.to_owned());
        }
        match outcome {
            Ok(End::Suspended) => Next::OnChange,
            Ok(End::Settled { interval }) => {
                self.status.conditions.remove(RECONCILING);
                self.summarise();
                self.status.observed_generation = moment.generation;
                Next::Interval(*interval)
            }
            Ok(End::Waiting { left }) => Next::After(*left),
            Ok(End::Again) => {
                self.summarise();
                self.say_reconciling();
                Next::RETRY
            }
            Ok(End::Later { after }) => {
                self.summarise();
                let message = format!("retrying after {}", WrittenDuration::from(*after));
                self.verdict(Verdict::holds(RECONCILING, reasons::PROGRESSING_WITH_RETRY, message));
                self.status.observed_generation = moment.generation;
                Next::After(*after)
            }
            Ok(End::Stopped(done)) => {
                self.summarise();
                let (reason, message) = stalled(done);
                self.verdict(Verdict::holds(STALLED, reason, message));
                self.status.observed_generation = moment.generation;
                Next::OnChange
            }
            Err(failure) => self.fail(failure, moment),
        }
    }

    fn say_reconciling(&mut self) {
        let message = self.status.conditions.get(READY).map(|ready| ready.message.clone()).unwrap_or_default();
        self.verdict(Verdict::holds(RECONCILING, reasons::PROGRESSING_WITH_RETRY, message));
    }

    fn fail(&mut self, failure: &Failure, moment: Moment<'_>) -> Next {
        let (reason, message) = (failure.reason(), in_one_line(failure));
        let is_told = matches!(failure, Failure::NothingRecorded(_));
        let is_known = self.status.conditions.get(READY).is_some_and(|ready| ready.message == message);
        if is_told {
            self.summarise();
        } else {
            self.verdict(Verdict::fails(READY, reason, message.clone()));
        }
        if failure.is_terminal() {
            self.verdict(Verdict::holds(STALLED, reason, message.clone()));
            self.status.observed_generation = moment.generation;
        } else {
            self.say_reconciling();
        }
        match (is_told || is_known, failure.is_waiting()) {
            (true, _) => {}
            (false, true) => self.mention(reason, message),
            (false, false) => self.complain(reason, message),
        }
        failure.next()
    }
}

fn stalled(done: &Done) -> (&'static str, String) {
    match done {
        Done::RetriesExceeded { action, failures } => {
            (reason::RETRIES_EXCEEDED, format!("Failed to {action} after {failures} attempt(s)"))
        }
        Done::MissingRollbackTarget => (
            reason::MISSING_ROLLBACK_TARGET,
            "Failed to perform remediation: missing target release for rollback: cannot remediate failed release"
                .to_owned(),
        ),
        Done::NotRecorded { revision } => (
            reason::MISSING_ROLLBACK_TARGET,
            format!("revision {revision}, at which the release is to be kept, is not recorded"),
        ),
        Done::NotRestored { revision } => (
            reason::ROLLBACK_FAILED,
            format!("Failed to restore revision {revision}, at which the release is to be kept"),
        ),
        Done::Unknown(status) => {
            (reason::STATE_ERROR, format!("nothing is known to follow the status '{}' of a release", status.name()))
        }
    }
}
