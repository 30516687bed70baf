//! What happens to a release, as its status, its conditions and its events tell it.
//!
//! # Follows Flux
//! Conditions, reasons and messages, and that `Ready` says what the most telling of the others says.

use std::{collections::BTreeMap, time::Duration};

use fairlead_api::{
    conditions::{ConditionStatus, DRIFTED, READY, RECONCILING, RELEASED, REMEDIATED, STALLED, TEST_SUCCESS, Verdict},
    duration::Duration as WrittenDuration,
    helm::{HelmReleaseSpec, HelmReleaseStatus, Snapshot, TestHook},
    reasons::{self, helm as reason},
};

use super::action::Action;
use crate::{clock::Clock, controllers::Said, events::Severity};

/// What an event says, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) said: Said,
    pub(super) revision: Option<String>,
    pub(super) config_digest: Option<String>,
    pub(super) app_version: Option<String>,
    pub(super) oci_digest: Option<String>,
}

/// What has happened to a release.
#[derive(Clone, Debug)]
pub(super) enum Fact {
    /// It is being worked on.
    Began { action: Action, timeout: Duration },
    /// It was installed or upgraded.
    Released { action: Action, snapshot: Snapshot, took: Duration },
    /// It could not be; without a snapshot, nothing of it is recorded.
    NotReleased { action: Action, snapshot: Option<Snapshot>, what: String, message: String, took: Duration },
    /// Its tests have ended.
    Tested { tests: BTreeMap<String, TestHook>, message: String },
    /// One of its tests failed.
    NotTested { tests: BTreeMap<String, TestHook>, message: String, is_failure: bool },
    /// An earlier revision is restored.
    RolledBack { snapshot: Snapshot, to: Snapshot },
    /// It could not be restored.
    NotRolledBack { snapshot: Option<Snapshot>, to: Snapshot, message: String },
    /// It is kept at a revision, which is the newest or what that restores.
    Kept { snapshot: Snapshot, revision: i64 },
    /// What a failure left was uninstalled.
    Remedied { snapshot: Snapshot },
    /// It could not be.
    NotRemedied { snapshot: Snapshot, message: String },
    /// It was uninstalled to be installed elsewhere.
    Uninstalled { snapshot: Snapshot },
    /// It could not be uninstalled.
    NotUninstalled { snapshot: Snapshot, message: String },
    /// What was cut off is marked as failed.
    Unlocked { snapshot: Snapshot, message: String },
    /// Others have changed it.
    Drifted { message: String },
    /// Nobody has changed it.
    NotDrifted,
}

/// What has happened to a release so far.
pub(super) struct Story {
    pub(super) status: HelmReleaseStatus,
    pub(super) said: Vec<Told>,
    generation: Option<i64>,
    is_tested: bool,
    ignores_tests: bool,
    retries: [bool; 2],
    clock: Clock,
}

impl Story {
    pub(super) fn new(
        status: HelmReleaseStatus,
        spec: Option<&HelmReleaseSpec>,
        generation: Option<i64>,
        clock: Clock,
    ) -> Self {
        use fairlead_api::helm::StrategyName::RetryOnFailure;
        let install = spec.and_then(|spec| spec.install.as_ref()?.strategy.as_ref());
        let upgrade = spec.and_then(|spec| spec.upgrade.as_ref()?.strategy.as_ref());
        let retries = [install.map(|strategy| strategy.name), upgrade.map(|strategy| strategy.name)];
        Self {
            status,
            said: Vec::new(),
            generation,
            is_tested: spec.is_some_and(HelmReleaseSpec::is_tested),
            ignores_tests: spec.is_some_and(|spec| spec.test.as_ref().is_some_and(|test| test.ignore_failures)),
            retries: retries.map(|name| name == Some(RetryOnFailure)),
            clock,
        }
    }

    /// Adds what has just happened.
    pub(super) fn tell(&mut self, fact: Fact) {
        match fact {
            Fact::Began { action, timeout } => self.began(action, timeout),
            Fact::Released { action, snapshot, took } => self.released(action, snapshot, took),
            Fact::NotReleased { action, snapshot, what, message, took } => {
                self.took(action, took);
                self.count_failure(snapshot.is_some().then_some(action));
                self.record(snapshot);
                let told = format!("Helm {} failed for release {what}: {message}", action.name());
                self.tell_failure(RELEASED, action.failed(), told);
            }
            Fact::Tested { tests, message } => {
                let told = format!("Helm test succeeded for release {}: {message}", self.latest());
                self.keep_tests(tests);
                self.tell_success(TEST_SUCCESS, reason::TEST_SUCCEEDED, told);
            }
            Fact::NotTested { tests, message, is_failure } => {
                let told = format!("Helm test failed for release {}: {message}", self.latest());
                self.keep_tests(tests);
                self.tell_failure(TEST_SUCCESS, reason::TEST_FAILED, told);
                let is_install = self.status.last_attempted_release_action.as_deref() == Some("install");
                let action = if is_install { Action::Install } else { Action::Upgrade };
                self.count_failure(is_failure.then_some(action));
            }
            Fact::RolledBack { snapshot, to } => {
                self.supersede(snapshot.version);
                self.record(Some(snapshot));
                let told = format!("Helm rollback to previous release {} succeeded", named(&to));
                self.tell_success(REMEDIATED, reason::ROLLBACK_SUCCEEDED, told);
            }
            Fact::NotRolledBack { snapshot, to, message } => {
                self.record(snapshot);
                let told = format!("Helm rollback to previous release {} failed: {message}", named(&to));
                self.tell_failure(REMEDIATED, reason::ROLLBACK_FAILED, told);
            }
            Fact::Kept { snapshot, revision } => self.kept(snapshot, revision),
            Fact::Remedied { snapshot } => {
                let told = format!("Helm uninstall remediation for release {} succeeded", named(&snapshot));
                self.record(Some(snapshot));
                self.status.inventory = None;
                self.tell_success(REMEDIATED, reason::UNINSTALL_SUCCEEDED, told);
            }
            Fact::NotRemedied { snapshot, message } => {
                let told = format!("Helm uninstall remediation for release {} failed: {message}", named(&snapshot));
                self.tell_failure(REMEDIATED, reason::UNINSTALL_FAILED, told);
            }
            Fact::Uninstalled { snapshot } => self.uninstalled(&snapshot),
            Fact::NotUninstalled { snapshot, message } => {
                let told = format!("Helm uninstall failed for release {}: {message}", named(&snapshot));
                self.tell_failure(RELEASED, reason::UNINSTALL_FAILED, told);
            }
            Fact::Unlocked { snapshot, message } => {
                self.record(Some(snapshot));
                self.tell_failure(RELEASED, reason::PENDING_RELEASE, message);
            }
            Fact::Drifted { message } => self.drifted(message),
            Fact::NotDrifted => {
                let message = "No drift detected against the cluster state";
                self.verdict(Verdict::fails(DRIFTED, reason::NO_DRIFT_DETECTED, message));
            }
        }
    }

    /// Says in a condition and in an event that something was done.
    fn tell_success(&mut self, type_: &'static str, reason: &'static str, told: String) {
        self.verdict(Verdict::holds(type_, reason, told.clone()));
        self.say(Severity::Info, reason, told);
    }

    /// Says in a condition and in an event that something could not be done.
    fn tell_failure(&mut self, type_: &'static str, reason: &'static str, told: String) {
        self.verdict(Verdict::fails(type_, reason, told.clone()));
        self.say(Severity::Error, reason, told);
    }

    /// Counts that something failed, and that `action` did if it is one that is tried again.
    fn count_failure(&mut self, action: Option<Action>) {
        self.status.failures += 1;
        if let Some(action) = action {
            *self.failures(action) += 1;
        }
    }

    fn uninstalled(&mut self, snapshot: &Snapshot) {
        let told = format!("Helm uninstall succeeded for release {}", named(snapshot));
        self.say(Severity::Info, reason::UNINSTALL_SUCCEEDED, told.clone());
        self.forget_history();
        self.status.inventory = None;
        self.verdict(Verdict::fails(RELEASED, reason::UNINSTALL_SUCCEEDED, told));
    }

    fn kept(&mut self, snapshot: Snapshot, revision: i64) {
        let told = format!("Helm release {} is kept at revision {revision}", named(&snapshot));
        if self.status.history.first().is_none_or(|latest| latest.version != snapshot.version) {
            self.record(Some(snapshot));
        }
        if self.status.history.first().is_some_and(|latest| latest.version != revision) {
            // What is asked for now did not make it: it is upgraded as soon as it may be.
            self.status.observed_post_renderers_digest = Some(String::new());
            self.status.observed_common_metadata_digest = Some(String::new());
        }
        self.status.conditions.remove(REMEDIATED);
        self.status.conditions.remove(TEST_SUCCESS);
        self.verdict(Verdict::holds(RELEASED, reason::ROLLBACK_SUCCEEDED, told));
    }

    fn drifted(&mut self, message: String) {
        let known = self.status.conditions.get(DRIFTED);
        let is_known = known.is_some_and(|known| known.message == message);
        self.verdict(Verdict::holds(DRIFTED, reason::DRIFT_DETECTED, message.clone()));
        if !is_known {
            self.say(Severity::Error, reason::DRIFT_DETECTED, message);
        }
    }

    /// Says something that no condition tells.
    pub(super) fn mention(&mut self, reason: &'static str, message: String) {
        self.say(Severity::Info, reason, message);
    }

    /// Says that something failed that no condition tells.
    pub(super) fn complain(&mut self, reason: &'static str, message: String) {
        self.say(Severity::Error, reason, message);
    }

    fn began(&mut self, action: Action, timeout: Duration) {
        let timeout = WrittenDuration::from(timeout);
        let message = format!("Running '{}' action with timeout of {timeout}", action.name());
        self.verdict(Verdict::holds(RECONCILING, reasons::PROGRESSING, message.clone()));
        match action {
            Action::Install | Action::Upgrade => {
                self.status.last_attempted_release_action = Some(action.name().to_owned());
                self.verdict(Verdict::unknown(READY, reasons::PROGRESSING, message));
            }
            Action::Test | Action::Rollback | Action::Uninstall => {}
        }
        if action == Action::Install {
            self.status.history.clear();
            self.status.conditions.remove(TEST_SUCCESS);
            self.status.conditions.remove(REMEDIATED);
        }
    }

    fn released(&mut self, action: Action, snapshot: Snapshot, took: Duration) {
        self.took(action, took);
        let told = format!("Helm {} succeeded for release {}", action.name(), named(&snapshot));
        let awaits = format!("Helm release {} is awaiting tests", named(&snapshot));
        self.supersede(snapshot.version);
        self.record(Some(snapshot));
        self.status.conditions.remove(REMEDIATED);
        self.verdict(Verdict::holds(RELEASED, action.succeeded(), told.clone()));
        if self.is_tested {
            self.verdict(Verdict::unknown(TEST_SUCCESS, reason::AWAITING_TESTS, awaits));
        }
        if self.retries[usize::from(action == Action::Upgrade)] {
            self.forget_failures();
        }
        self.say(Severity::Info, action.succeeded(), told);
    }

    fn took(&mut self, action: Action, took: Duration) {
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.status.last_attempted_release_action = Some(action.name().to_owned());
        self.status.last_attempted_release_action_duration = Some(Duration::from_millis(millis).into());
    }

    fn failures(&mut self, action: Action) -> &mut i64 {
        match action {
            Action::Install => &mut self.status.install_failures,
            Action::Upgrade | Action::Test | Action::Rollback | Action::Uninstall => &mut self.status.upgrade_failures,
        }
    }

    /// Nothing has failed any more.
    pub(super) fn forget_failures(&mut self) {
        self.status.failures = 0;
        self.status.install_failures = 0;
        self.status.upgrade_failures = 0;
    }

    /// No revision is known any more.
    pub(super) fn forget_history(&mut self) {
        self.status.history.clear();
    }

    /// Keeps the newest revision, and those before it down to the last that was well.
    ///
    /// # Follows Flux
    /// With a strategy that only tries again, five are kept.
    pub(super) fn trim_history(&mut self, ignores_tests: bool, retries: bool) {
        const KEPT: usize = 5;
        if retries {
            self.status.history.truncate(KEPT);
            return;
        }
        let is_good = |snapshot: &Snapshot| {
            let was_installed = ["deployed", "superseded"].contains(&snapshot.status.as_str());
            was_installed && (ignores_tests || !snapshot.has_failed_test())
        };
        let previous = self.status.history.iter().skip(1).position(is_good);
        if let Some(previous) = previous {
            self.status.history.truncate(previous + 2);
        }
    }

    /// Says that the newest revision is what is asked for, where it was restored and is.
    pub(super) fn replace_remediated(&mut self) {
        if self.status.conditions.is_true(REMEDIATED) {
            self.status.conditions.remove(REMEDIATED);
            self.say_released();
        }
    }

    /// Says that the newest revision is what is asked for, where something else was said last: a failure, or that it was
    /// kept at a revision.
    pub(super) fn mend_released(&mut self) {
        let told = self.status.conditions.get(RELEASED).map(|told| (told.status, told.reason.as_str()));
        if told.is_none_or(|(status, said)| status != ConditionStatus::True || said == reason::ROLLBACK_SUCCEEDED) {
            self.say_released();
        }
    }

    fn say_released(&mut self) {
        let Some(latest) = self.status.history.first() else { return };
        let is_install = latest.action.as_deref() == Some("install");
        let action = if is_install { Action::Install } else { Action::Upgrade };
        let message = format!("Helm {} succeeded for release {}", action.name(), named(latest));
        self.verdict(Verdict::holds(RELEASED, action.succeeded(), message));
    }

    fn supersede(&mut self, version: i64) {
        let deployed = self.status.history.iter_mut().filter(|known| known.version < version);
        for known in deployed.filter(|known| known.status == "deployed") {
            "superseded".clone_into(&mut known.status);
        }
    }

    /// Puts a revision first, over what is known of it.
    fn record(&mut self, snapshot: Option<Snapshot>) {
        let Some(snapshot) = snapshot else { return };
        self.status.history.retain(|known| known.version != snapshot.version);
        self.status.history.insert(0, snapshot);
    }

    fn keep_tests(&mut self, tests: BTreeMap<String, TestHook>) {
        if let Some(latest) = self.status.history.first_mut() {
            latest.test_hooks = Some(tests);
        }
    }

    fn latest(&self) -> String {
        self.status.history.first().map(named).unwrap_or_default()
    }

    pub(super) fn verdict(&mut self, verdict: Verdict) {
        self.status.conditions.set(verdict, self.generation, self.clock.now());
    }

    fn say(&mut self, severity: Severity, reason: &'static str, message: String) {
        let latest = self.status.history.first();
        let revision = latest.map(|latest| latest.chart_version.clone());
        let told = Told {
            said: Said { severity, reason, message },
            revision: revision.or_else(|| self.status.last_attempted_revision.clone()),
            config_digest: self.status.last_attempted_config_digest.clone(),
            app_version: latest.and_then(|latest| latest.app_version.clone()),
            oci_digest: self.status.last_attempted_revision_digest.clone(),
        };
        self.said.push(told);
    }

    /// Makes `Ready` say what the most telling of the other conditions says.
    pub(super) fn summarise(&mut self) {
        if !self.is_tested {
            self.status.conditions.remove(TEST_SUCCESS);
        }
        let counts_tests = self.is_tested && !self.ignores_tests;
        let telling = [(REMEDIATED, true), (TEST_SUCCESS, counts_tests), (RELEASED, true)];
        let conditions = &self.status.conditions;
        let told = telling.iter().filter(|(_, counts)| *counts).filter_map(|(type_, _)| conditions.get(type_));
        let newest = told.rev().max_by_key(|condition| condition.observed_generation);
        let Some(newest) = newest.cloned() else { return };
        let status = if newest.type_ == REMEDIATED { ConditionStatus::False } else { newest.status };
        if status == ConditionStatus::True {
            self.status.conditions.remove(STALLED);
        }
        let reason = known_reason(&newest.reason);
        self.verdict(Verdict { type_: READY, status, reason, message: newest.message });
    }
}

/// A reason that a condition has, as the constant that it was made of.
fn known_reason(written: &str) -> &'static str {
    let known = [
        reason::INSTALL_SUCCEEDED,
        reason::INSTALL_FAILED,
        reason::UPGRADE_SUCCEEDED,
        reason::UPGRADE_FAILED,
        reason::TEST_SUCCEEDED,
        reason::TEST_FAILED,
        reason::AWAITING_TESTS,
        reason::ROLLBACK_SUCCEEDED,
        reason::ROLLBACK_FAILED,
        reason::UNINSTALL_SUCCEEDED,
        reason::UNINSTALL_FAILED,
        reason::PENDING_RELEASE,
    ];
    known.into_iter().find(|known| *known == written).unwrap_or(reasons::PROGRESSING)
}

/// A revision and its chart, as messages name them.
fn named(snapshot: &Snapshot) -> String {
    format!("{} with chart {}", snapshot.full_name(), snapshot.chart())
}
