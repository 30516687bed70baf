//! What is to be done about a release.
//!
//! # Follows Flux
//! What follows each state, the limits of retries, and when a failure is remedied.

use std::time::Duration;

use fairlead_api::{
    duration::DurationError,
    helm::{HelmReleaseSpec, HelmReleaseStatus, RemediationStrategy, Snapshot, StrategyName},
};

use crate::{Release, State, Status, state::is_of};

/// When a failed action is tried again that says nothing else.
const RETRY_INTERVAL: Duration = Duration::from_mins(5);

/// What decides about a release besides its state.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// What is asked for.
    pub spec: &'a HelmReleaseSpec,
    /// What has happened.
    pub status: &'a HelmReleaseStatus,
    /// Whether an upgrade was asked for in any case.
    pub is_forced: bool,
    /// All its records.
    pub records: &'a [Release],
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: it is as it should be.
    Nothing,
    /// Mark what was cut off as failed.
    Unlock,
    /// Install it.
    Install,
    /// Upgrade it.
    Upgrade,
    /// Test it.
    Test,
    /// Restore this revision.
    Rollback {
        /// Its number.
        to: i64,
    },
    /// Uninstall what is left of it.
    Uninstall,
    /// Nothing more until something else is asked for.
    Stop(Done),
}

/// Why nothing more is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// It failed more often than is tried again.
    RetriesExceeded {
        /// `install` or `upgrade`.
        action: String,
        /// How often it failed.
        failures: i64,
    },
    /// The revision that should be restored is not recorded any more.
    MissingRollbackTarget,
    /// The revision that the release is to be kept at is not recorded.
    NotRecorded {
        /// Its number.
        revision: i64,
    },
    /// The revision that the release is to be kept at could not be restored.
    NotRestored {
        /// Its number.
        revision: i64,
    },
    /// It is in a state that nothing follows.
    Unknown(Status),
}

/// What was last tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    Install,
    Upgrade,
}

impl Standing<'_> {
    fn attempt(&self) -> Option<Attempt> {
        match self.status.last_attempted_release_action.as_deref() {
            Some("install") => Some(Attempt::Install),
            Some("upgrade") => Some(Attempt::Upgrade),
            _ => None,
        }
    }

    fn retries(&self, attempt: Attempt) -> i64 {
        let (install, upgrade) = (self.spec.install.as_ref(), self.spec.upgrade.as_ref());
        let retries = match attempt {
            Attempt::Install => install.and_then(|install| install.remediation.as_ref()?.retries),
            Attempt::Upgrade => upgrade.and_then(|upgrade| upgrade.remediation.as_ref()?.retries),
        };
        retries.unwrap_or(0)
    }

    fn failures(&self, attempt: Attempt) -> i64 {
        match attempt {
            Attempt::Install => self.status.install_failures,
            Attempt::Upgrade => self.status.upgrade_failures,
        }
    }

    fn is_exhausted(&self, attempt: Attempt) -> bool {
        let retries = self.retries(attempt);
        retries >= 0 && self.failures(attempt) > retries
    }

    fn remedies_last(&self, attempt: Attempt) -> bool {
        let (install, upgrade) = (self.spec.install.as_ref(), self.spec.upgrade.as_ref());
        match attempt {
            Attempt::Install => {
                install.and_then(|install| install.remediation.as_ref()?.remediate_last_failure).unwrap_or(false)
            }
            Attempt::Upgrade => upgrade
                .and_then(|upgrade| upgrade.remediation.as_ref()?.remediate_last_failure)
                .unwrap_or_else(|| self.retries(attempt) > 0),
        }
    }

    fn uninstalls(&self, attempt: Attempt) -> bool {
        let upgrade = self.spec.upgrade.as_ref();
        let strategy = upgrade.and_then(|upgrade| upgrade.remediation.as_ref()?.strategy).unwrap_or_default();
        attempt == Attempt::Install || strategy == RemediationStrategy::Uninstall
    }

    /// Whether a failed test is no failure.
    pub fn ignores_tests(&self) -> bool {
        let (install, upgrade) = (self.spec.install.as_ref(), self.spec.upgrade.as_ref());
        let own = match self.attempt() {
            None => return true,
            Some(Attempt::Install) => install.and_then(|install| install.remediation.as_ref()?.ignore_test_failures),
            Some(Attempt::Upgrade) => upgrade.and_then(|upgrade| upgrade.remediation.as_ref()?.ignore_test_failures),
        };
        own.unwrap_or_else(|| self.spec.test.as_ref().is_some_and(|test| test.ignore_failures))
    }

    /// When a failed action is tried again, where it is not remedied.
    pub fn retry(&self) -> Result<Option<Duration>, DurationError> {
        let (install, upgrade) = (self.spec.install.as_ref(), self.spec.upgrade.as_ref());
        let strategy = match self.attempt() {
            None => None,
            Some(Attempt::Install) => install
                .and_then(|install| install.strategy.as_ref())
                .map(|strategy| (strategy.name, &strategy.retry_interval, "spec.install.strategy.retryInterval")),
            Some(Attempt::Upgrade) => upgrade
                .and_then(|upgrade| upgrade.strategy.as_ref())
                .map(|strategy| (strategy.name, &strategy.retry_interval, "spec.upgrade.strategy.retryInterval")),
        };
        match strategy {
            Some((StrategyName::RetryOnFailure, Some(interval), field)) => interval.read(field).map(Some),
            Some((StrategyName::RetryOnFailure, None, _)) => Ok(Some(RETRY_INTERVAL)),
            Some((StrategyName::RemediateOnFailure, ..)) | None => Ok(None),
        }
    }

    fn retries_on_failure(&self) -> bool {
        !matches!(self.retry(), Ok(None))
    }

    /// What a remediation that is done leaves to do: `None` if the action is to be tried again.
    pub fn after_remediation(&self) -> Option<Done> {
        let attempt = self.attempt()?;
        let starts_anew = attempt == Attempt::Upgrade && self.uninstalls(attempt);
        (self.is_exhausted(attempt) && !starts_anew).then(|| self.exceeded(attempt))
    }

    fn exceeded(&self, attempt: Attempt) -> Done {
        let action = match attempt {
            Attempt::Install => "install",
            Attempt::Upgrade => "upgrade",
        };
        Done::RetriesExceeded { action: action.to_owned(), failures: self.failures(attempt) }
    }

    /// The newest revision before the last that was well.
    pub fn previous_good(&self) -> Option<&Snapshot> {
        let is_good = |snapshot: &&Snapshot| {
            let was_installed = ["deployed", "superseded"].contains(&snapshot.status.as_str());
            was_installed && (self.ignores_tests() || !snapshot.has_failed_test())
        };
        self.status.history.iter().skip(1).find(is_good)
    }

    fn remediation(&self, attempt: Attempt) -> Decision {
        if self.uninstalls(attempt) {
            return Decision::Uninstall;
        }
        let Some(previous) = self.previous_good() else { return Decision::Stop(Done::MissingRollbackTarget) };
        match self.records.iter().find(|record| record.version == previous.version) {
            None => Decision::Stop(Done::MissingRollbackTarget),
            Some(record) if is_unchanged(previous, record) => Decision::Rollback { to: previous.version },
            Some(_) => Decision::Upgrade,
        }
    }

    fn unless_exhausted(&self, attempt: Attempt, decision: Decision) -> Decision {
        if self.is_exhausted(attempt) && !self.is_forced { Decision::Stop(self.exceeded(attempt)) } else { decision }
    }
}

/// Whether `record` is what `snapshot` tells of; that a later revision took its place is no change.
fn is_unchanged(snapshot: &Snapshot, record: &Release) -> bool {
    let mut as_seen = record.clone();
    as_seen.info.status = match snapshot.status.as_str() {
        "deployed" => Status::Deployed,
        _ => Status::Superseded,
    };
    is_of(snapshot, &as_seen)
}

/// What is to be done about a release that stands as `state` says.
pub fn decide(state: &State, standing: &Standing<'_>) -> Decision {
    match state {
        State::InSync if standing.is_forced => Decision::Upgrade,
        State::InSync => Decision::Nothing,
        State::Locked(_) => Decision::Unlock,
        State::Absent => standing.unless_exhausted(Attempt::Install, Decision::Install),
        State::Unmanaged => Decision::Upgrade,
        State::OutOfSync(_) => standing.unless_exhausted(Attempt::Upgrade, Decision::Upgrade),
        State::Untested => Decision::Test,
        State::Failed => after_failure(standing),
        State::Unknown(status) => Decision::Stop(Done::Unknown(*status)),
    }
}

/// What is to be done about a release that is kept at `revision`, whatever is asked for.
pub fn decide_kept(revision: i64, standing: &Standing<'_>) -> Decision {
    let Some(last) = standing.records.first() else { return Decision::Stop(Done::NotRecorded { revision }) };
    let is_it = last.version == revision || last.info.rollback_revision == revision;
    match last.info.status {
        status if status.is_pending() => Decision::Unlock,
        Status::Deployed if is_it => Decision::Nothing,
        Status::Failed if last.info.rollback_revision == revision && !standing.is_forced => {
            Decision::Stop(Done::NotRestored { revision })
        }
        _ if standing.records.iter().any(|record| record.version == revision) => Decision::Rollback { to: revision },
        _ => Decision::Stop(Done::NotRecorded { revision }),
    }
}

fn after_failure(standing: &Standing<'_>) -> Decision {
    let Some(attempt) = standing.attempt() else { return Decision::Upgrade };
    if standing.retries_on_failure() || standing.failures(attempt) <= 0 || standing.is_forced {
        return Decision::Upgrade;
    }
    if standing.is_exhausted(attempt) && !standing.remedies_last(attempt) {
        return Decision::Stop(standing.exceeded(attempt));
    }
    standing.remediation(attempt)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{release, snapshot};

    fn decided(state: &State, spec: &Value, status: Value, is_forced: bool) -> Decision {
        let mut all = json!({"interval": "1m", "chartRef": {"kind": "HelmChart", "name": "web"}});
        all.as_object_mut().expect("a spec").extend(spec.as_object().expect("fields").clone());
        let spec: HelmReleaseSpec = serde_json::from_value(all).expect("a spec");
        let mut status: HelmReleaseStatus = serde_json::from_value(status).expect("a status");
        let records = [release(2, Status::Failed), release(1, Status::Deployed)];
        status.history = records.iter().map(snapshot).collect();
        decide(state, &Standing { spec: &spec, status: &status, is_forced, records: &records })
    }

    #[test]
    fn what_follows_a_failure_depends_on_what_was_tried_and_how_often_it_failed() {
        let upgraded = |failures: i64| json!({"lastAttemptedReleaseAction": "upgrade", "upgradeFailures": failures});
        let installed = |failures: i64| json!({"lastAttemptedReleaseAction": "install", "installFailures": failures});
        let retried = |retries: i64| json!({"install": {"remediation": {"retries": retries}}, "upgrade": {"remediation": {"retries": retries}}});
        let exceeded =
            |action: &str, failures| Decision::Stop(Done::RetriesExceeded { action: action.to_owned(), failures });
        let uninstalls = json!({"upgrade": {"remediation": {"retries": 1, "strategy": "uninstall"}}});
        let waits = json!({"upgrade": {"strategy": {"name": "RetryOnFailure"}}});
        for (case, spec, status, is_forced, decision) in [
            ("nothing was tried", json!({}), json!({}), false, Decision::Upgrade),
            ("something else is asked for since", json!({}), upgraded(0), false, Decision::Upgrade),
            ("no retries", json!({}), upgraded(1), false, exceeded("upgrade", 1)),
            ("no retries, forced", json!({}), upgraded(1), true, Decision::Upgrade),
            ("a retry is left", retried(1), upgraded(1), false, Decision::Rollback { to: 1 }),
            ("the last failure", retried(1), upgraded(2), false, Decision::Rollback { to: 1 }),
            ("an install is uninstalled", retried(1), installed(1), false, Decision::Uninstall),
            ("its last failure stays", retried(1), installed(2), false, exceeded("install", 2)),
            ("endless retries", retried(-1), installed(9), false, Decision::Uninstall),
            ("an upgrade is uninstalled", uninstalls, upgraded(1), false, Decision::Uninstall),
            ("it only waits", waits, upgraded(3), false, Decision::Upgrade),
        ] {
            assert_eq!(decided(&State::Failed, &spec, status, is_forced), decision, "{case}");
        }
    }

    #[test]
    fn a_release_that_is_kept_at_a_revision_is_brought_back_to_it_and_not_tried_twice() {
        let spec = json!({"interval": "1m", "chartRef": {"kind": "HelmChart", "name": "web"}});
        let spec: HelmReleaseSpec = serde_json::from_value(spec).expect("a spec");
        let restored = |version, status, of| {
            let mut record = release(version, status);
            record.info.rollback_revision = of;
            record
        };
        let decided = |records: &[Release], is_forced| {
            let status = HelmReleaseStatus::default();
            decide_kept(1, &Standing { spec: &spec, status: &status, is_forced, records })
        };
        let first = release(1, Status::Superseded);
        for (case, records, is_forced, decision) in [
            ("it is the last", vec![release(1, Status::Deployed)], false, Decision::Nothing),
            ("a later one", vec![release(2, Status::Deployed), first.clone()], false, Decision::Rollback { to: 1 }),
            (
                "a later one failed",
                vec![release(2, Status::Failed), first.clone()],
                false,
                Decision::Rollback { to: 1 },
            ),
            ("it is restored", vec![restored(3, Status::Deployed, 1), first.clone()], false, Decision::Nothing),
            ("it is restored, and was forgotten", vec![restored(3, Status::Deployed, 1)], false, Decision::Nothing),
            ("it is being restored", vec![restored(3, Status::PendingRollback, 1)], false, Decision::Unlock),
            (
                "it could not be restored",
                vec![restored(3, Status::Failed, 1), first.clone()],
                false,
                Decision::Stop(Done::NotRestored { revision: 1 }),
            ),
            ("it is asked for again", vec![restored(3, Status::Failed, 1), first], true, Decision::Rollback { to: 1 }),
            (
                "nobody knows it",
                vec![release(2, Status::Deployed)],
                false,
                Decision::Stop(Done::NotRecorded { revision: 1 }),
            ),
            ("there is nothing", vec![], false, Decision::Stop(Done::NotRecorded { revision: 1 })),
        ] {
            assert_eq!(decided(&records, is_forced), decision, "{case}");
        }
    }

    #[test]
    fn a_release_is_brought_to_what_is_asked_for() {
        let upgraded = json!({"lastAttemptedReleaseAction": "upgrade", "upgradeFailures": 1});
        for (state, status, decision) in [
            (State::Absent, json!({}), Decision::Install),
            (State::Unmanaged, json!({}), Decision::Upgrade),
            (State::OutOfSync("values have changed"), json!({}), Decision::Upgrade),
            (State::Locked(Status::PendingInstall), json!({}), Decision::Unlock),
            (State::Untested, json!({}), Decision::Test),
            (State::InSync, upgraded, Decision::Nothing),
        ] {
            assert_eq!(decided(&state, &json!({}), status, false), decision, "{state:?}");
        }
        assert_eq!(decided(&State::InSync, &json!({}), json!({}), true), Decision::Upgrade, "forced");
    }
}
