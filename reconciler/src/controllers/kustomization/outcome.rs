//! What a run for a `Kustomization` means: to its conditions, its history, its events and its next run.

use std::time::Duration;

use fairlead_api::{
    conditions::{HEALTHY, READY, RECONCILING, STALLED, Verdict},
    duration::{Duration as WrittenDuration, DurationError},
    kustomize::{Inventory as StatusInventory, InventoryEntry, KustomizationStatus, Snapshot},
    reasons::{self, kustomization as reason},
};
use fairlead_manifests::BuildError;
use fairlead_object::Digest;
use fairlead_plan::{Held, IgnoreRuleError, Inventory, PlanError, scope::Escape};
use fairlead_sources::{fetch::SourceFailure, store::StoreError};
use jiff::Timestamp;

use super::request::RequestError;
use crate::{
    apply::ApplyError,
    cluster::{ApiError, InvalidAccount},
    controllers::{Next, Said, Unusable, dependencies::DependencyError, in_one_line},
    events::Severity,
    observe::{ObserveError, Refusal},
    prepare::PrepareError,
};

/// A run that went as it should.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The object does not want to be reconciled.
    Suspended,
    /// Applied, and healthy where that is asked for.
    Settled(Settled),
    /// Applied as far as it goes without something becoming healthy first.
    Waiting {
        applied: Applied,
        /// What is awaited, for people.
        message: String,
        /// How much longer it may take.
        left: Duration,
        /// It is the last step that is awaited: everything is applied.
        is_final: bool,
    },
}

impl Outcome {
    /// What the run changed, in the words of its event.
    pub(super) fn changes(&self) -> &[String] {
        match self {
            Self::Suspended => &[],
            Self::Settled(settled) => &settled.applied.changes,
            Self::Waiting { applied, .. } => &applied.changes,
        }
    }
}

/// What was applied.
#[derive(Clone, Debug)]
pub(super) struct Applied {
    pub(super) revision: String,
    /// The revision of what the source was made of, where the source says it.
    pub(super) origin_revision: Option<String>,
    pub(super) inventory: Inventory,
    /// Digest of what was built; `None` if nothing had to be built.
    pub(super) digest: Digest,
    /// Lines as `Deployment/shop/web created`; empty if nothing was written.
    pub(super) changes: Vec<String>,
}

/// A run that is done.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) applied: Applied,
    /// How long health took, if it was looked at.
    pub(super) healthy_after: Option<Duration>,
    /// Health is worth an event: something was written, or it was not well before.
    pub(super) has_recovered: bool,
    pub(super) interval: Duration,
    /// Drift is put right again and again: the next correction is held back for this long.
    pub(super) held_back: Option<Duration>,
}

/// A run that did not.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Unusable(#[from] Unusable),
    #[error(transparent)]
    Duration(#[from] DurationError),
    #[error(transparent)]
    Account(#[from] InvalidAccount),
    #[error("Reconciliation failed terminally due to configuration error: {0}")]
    Expression(String),
    #[error("can't access '{0}', cross-namespace references have been blocked")]
    CrossNamespace(String),
    #[error("can't access '{0}', the feature gate ExternalArtifact is off")]
    ExternalArtifacts(String),
    #[error(transparent)]
    External(#[from] SourceFailure),
    #[error("{0} '{1}' not found")]
    SourceMissing(&'static str, String),
    #[error("{0} '{1}' has no artifact yet")]
    NoArtifact(&'static str, String),
    #[error("the artifact cannot be read")]
    Store(#[from] StoreError),
    #[error("kustomization path not found: `{0}`")]
    PathMissing(String),
    #[error(transparent)]
    Dependency(#[from] DependencyError),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Build(Box<BuildError>),
    #[error("the build was interrupted: {0}")]
    Interrupted(String),
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Escapes(Vec<Escape>),
    #[error(transparent)]
    Observe(#[from] ObserveError),
    #[error(transparent)]
    Ignore(#[from] IgnoreRuleError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error("held: {0}")]
    Held(Box<Held>),
    #[error(transparent)]
    Apply(ApplyError),
    #[error(transparent)]
    Prune(ApplyError),
    #[error("status.inventory cannot be read: {0}")]
    Inventory(String),
    #[error("the inventory cannot be recorded, so nothing was written")]
    Record(#[source] ApiError),
    #[error("{message}")]
    Health { message: String, applied: Box<Applied> },
}

/// What to tell who misses a file that is in the repository.
const LEFT_OUT: &str = "commit the file itself: a source keeps no symbolic links, nothing that `.sourceignore` names, and submodules only with \
     `spec.recurseSubmodules`";

/// What an outcome makes of the next run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    /// Only a change of what it depends on can help, and wakes it.
    OnChange,
    /// After the retry interval.
    Later,
    /// Soon, and later with each failure in a row: what failed may mend itself.
    Soon,
}

impl Failure {
    fn reason(&self) -> &'static str {
        match self {
            Self::Unusable(error) => error.reason(),
            Self::Duration(_) | Self::Account(_) | Self::Ignore(_) => reasons::INVALID_FIELD,
            Self::Expression(_) | Self::Dependency(DependencyError::Invalid { .. }) => reason::INVALID_CEL_EXPRESSION,
            Self::CrossNamespace(_) | Self::ExternalArtifacts(_) | Self::Escapes(_) => reasons::ACCESS_DENIED,
            Self::SourceMissing(..)
            | Self::NoArtifact(..)
            | Self::External(_)
            | Self::Store(_)
            | Self::PathMissing(_) => reason::ARTIFACT_FAILED,
            Self::Dependency(_) => reason::DEPENDENCY_NOT_READY,
            Self::Request(_) | Self::Build(_) | Self::Interrupted(_) => reason::BUILD_FAILED,
            Self::Prepare(_)
            | Self::Observe(_)
            | Self::Plan(_)
            | Self::Apply(_)
            | Self::Inventory(_)
            | Self::Record(_) => reason::RECONCILIATION_FAILED,
            Self::Held(_) => reason::DELETION_BUDGET_EXCEEDED,
            Self::Prune(_) => reason::PRUNE_FAILED,
            Self::Health { .. } => reason::HEALTH_CHECK_FAILED,
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
                | Self::Expression(_)
                | Self::CrossNamespace(_)
                | Self::ExternalArtifacts(_)
                | Self::Dependency(DependencyError::Invalid { .. })
        )
    }

    fn again(&self) -> Again {
        match self {
            _ if self.is_terminal() => Again::OnChange,
            // A new artifact, or the dependency, wakes it.
            Self::SourceMissing(..) | Self::NoArtifact(..) | Self::Dependency(_) => Again::OnChange,
            // A definition that was just applied is served a moment later.
            Self::Prepare(error) if !error.missing_groups().is_empty() => Again::Soon,
            Self::Apply(ApplyError::Terminating(_)) | Self::External(_) => Again::Soon,
            _ if self.answers().into_iter().any(ApiError::is_transient) => Again::Soon,
            _ => Again::Later,
        }
    }

    /// What the API server answered.
    fn answers(&self) -> Vec<&ApiError> {
        match self {
            Self::Prepare(PrepareError::Discovery(error))
            | Self::Record(error)
            | Self::Request(RequestError::Read { source: error, .. }) => vec![error],
            _ => self.refusals().into_iter().map(|refusal| &refusal.error).collect(),
        }
    }

    /// The objects that the API server refused.
    pub(super) fn refusals(&self) -> Vec<&Refusal> {
        match self {
            Self::Observe(ObserveError(refusals)) => refusals.iter().collect(),
            Self::Apply(error) | Self::Prune(error) => error.refusal().into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// The API groups of kinds that are not served.
    pub(super) fn missing_groups(&self) -> Vec<&str> {
        match self {
            Self::Prepare(error) => error.missing_groups(),
            _ => Vec::new(),
        }
    }

    /// How long the API server asks to be left alone.
    fn rest(&self) -> Duration {
        self.answers().into_iter().filter_map(ApiError::retry_after).max().unwrap_or_default()
    }

    /// What the reader can try.
    fn hint(&self) -> Option<String> {
        match self {
            Self::Plan(error) => Some(error.hint()),
            Self::Build(error) => error.hint().or_else(|| error.is_missing().then(|| LEFT_OUT.to_owned())),
            Self::PathMissing(_) => Some(LEFT_OUT.to_owned()),
            Self::Prepare(error) => error.hint(),
            Self::Observe(error) => error.hint(),
            Self::Apply(error) | Self::Prune(error) => error.hint(),
            _ => None,
        }
    }

    /// Whether the next run comes as soon as the reader has done what the hint says.
    fn is_remedy_awaited(&self) -> bool {
        let is_awaited = |refusal: &Refusal| refusal.awaited_namespace().is_some() || refusal.error.is_transient();
        !self.missing_groups().is_empty() || self.refusals().into_iter().any(is_awaited)
    }

    /// The whole message, with its causes and what to do.
    pub(super) fn message(&self) -> String {
        let text = in_one_line(self);
        match self.hint() {
            Some(hint) if self.is_remedy_awaited() => format!("{text}\n{hint}; this goes on by itself then"),
            Some(hint) => format!("{text}\n{hint}"),
            None => text,
        }
    }
}

/// What was known when the run began.
pub(super) struct Situation<'a> {
    pub(super) before: &'a KustomizationStatus,
    pub(super) generation: Option<i64>,
    pub(super) requested_at: Option<&'a str>,
    /// The revision that the run came to try.
    pub(super) attempted: Option<&'a str>,
    pub(super) retry_interval: Duration,
    pub(super) now: Timestamp,
    pub(super) took: Duration,
}

/// What a run means.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) status: KustomizationStatus,
    pub(super) events: Vec<Said>,
    pub(super) next: Next,
}

/// Says what `outcome` means.
pub(super) fn report(situation: &Situation<'_>, outcome: &Result<Outcome, Failure>) -> Report {
    let mut status = situation.before.clone();
    if let Some(requested_at) = situation.requested_at {
        status.last_handled_reconcile_at = Some(requested_at.to_owned());
    }
    if let Some(revision) = situation.attempted {
        status.last_attempted_revision = Some(revision.to_owned());
    }
    match outcome {
        Ok(Outcome::Suspended) => Report { status, events: Vec::new(), next: Next::OnChange },
        Ok(Outcome::Settled(settled)) => settle(status, situation, settled),
        Ok(Outcome::Waiting { applied, message, left, is_final }) => {
            wait(&mut status, situation, applied, message, *is_final);
            Report { status, events: change_event(applied).into_iter().collect(), next: Next::After(*left) }
        }
        Err(failure) => fail(status, situation, failure),
    }
}

/// The status before the first write of a run: what is about to be tried, and all that may exist afterwards.
pub(super) fn progress(situation: &Situation<'_>, revision: &str, inventory: &Inventory) -> KustomizationStatus {
    let mut status = situation.before.clone();
    let mut set = |verdict| status.conditions.set(verdict, situation.generation, situation.now);
    set(Verdict::holds(RECONCILING, reasons::PROGRESSING, format!("Applying revision {revision}")));
    set(Verdict::unknown(READY, reasons::PROGRESSING, "Reconciliation in progress"));
    status.last_attempted_revision = Some(revision.to_owned());
    status.inventory = Some(to_status(inventory));
    status
}

pub(crate) fn to_status(inventory: &Inventory) -> StatusInventory {
    let entries = inventory.to_entries().into_iter().map(|(id, version)| InventoryEntry { id, version });
    StatusInventory { entries: entries.collect() }
}

fn settle(mut status: KustomizationStatus, situation: &Situation<'_>, settled: &Settled) -> Report {
    let Settled { applied, healthy_after, has_recovered, interval, held_back } = settled;
    let revision = &applied.revision;
    status.conditions.remove(RECONCILING);
    status.conditions.remove(STALLED);
    let was_healthy = situation.before.conditions.is_true(HEALTHY);
    let is_new_revision = status.last_applied_revision.as_ref() != Some(revision);
    let mut set = |verdict| status.conditions.set(verdict, situation.generation, situation.now);
    let ready = format!("Applied revision: {revision}");
    set(Verdict::holds(READY, reason::RECONCILIATION_SUCCEEDED, ready));
    let mut events: Vec<Said> = change_event(applied).into_iter().collect();
    match healthy_after {
        // Its message tells how long it took; it is not said again while nothing changed.
        Some(_) if was_healthy && !*has_recovered => {}
        Some(took) => {
            let message = format!("Health check passed in {}", short(*took));
            set(Verdict::holds(HEALTHY, reasons::SUCCEEDED, message.clone()));
            events.push(Said { severity: Severity::Info, reason: reasons::PROGRESSING, message });
        }
        None => status.conditions.remove(HEALTHY),
    }
    status.observed_generation = situation.generation;
    status.last_attempted_revision = Some(revision.clone());
    status.last_applied_revision = Some(revision.clone());
    status.last_applied_origin_revision.clone_from(&applied.origin_revision);
    status.inventory = Some(to_status(&applied.inventory));
    let is_worth_telling =
        is_new_revision || !applied.changes.is_empty() || !situation.before.conditions.is_true(READY);
    if is_worth_telling {
        record(&mut status, situation, applied, reason::RECONCILIATION_SUCCEEDED);
        let message = format!("Reconciliation finished in {}, next run in {}", short(situation.took), short(*interval));
        events.push(Said { severity: Severity::Info, reason: reason::RECONCILIATION_SUCCEEDED, message });
    }
    let next = held_back.map_or(Next::Interval(*interval), Next::After);
    Report { status, events, next }
}

fn wait(status: &mut KustomizationStatus, situation: &Situation<'_>, applied: &Applied, message: &str, is_final: bool) {
    let mut set = |verdict| status.conditions.set(verdict, situation.generation, situation.now);
    set(Verdict::holds(RECONCILING, reasons::PROGRESSING, message));
    set(Verdict::unknown(READY, reasons::PROGRESSING, "Reconciliation in progress"));
    if is_final {
        set(Verdict::unknown(HEALTHY, reasons::PROGRESSING, message));
    }
    status.last_attempted_revision = Some(applied.revision.clone());
    status.inventory = Some(to_status(&applied.inventory));
}

fn fail(mut status: KustomizationStatus, situation: &Situation<'_>, failure: &Failure) -> Report {
    let (reason, message) = (failure.reason(), failure.message());
    let mut set = |verdict| status.conditions.set(verdict, situation.generation, situation.now);
    set(Verdict::fails(READY, reason, message.clone()));
    if failure.is_terminal() {
        set(Verdict::holds(STALLED, reason, message.clone()));
        status.observed_generation = situation.generation;
    } else {
        set(Verdict::holds(RECONCILING, reasons::PROGRESSING_WITH_RETRY, "Reconciliation in progress"));
    }
    let mut events = Vec::new();
    if let Failure::Health { applied, .. } = failure {
        events.extend(change_event(applied));
        status.conditions.set(Verdict::fails(HEALTHY, reason, message.clone()), situation.generation, situation.now);
        record(&mut status, situation, applied, reason);
    }
    let next = match failure.again() {
        Again::OnChange => Next::OnChange,
        Again::Later => Next::After(situation.retry_interval),
        Again::Soon => Next::Retry { soonest: failure.rest(), latest: Some(situation.retry_interval) },
    };
    let is_waiting = matches!(failure, Failure::Dependency(_) | Failure::NoArtifact(..));
    let severity = if is_waiting { Severity::Info } else { Severity::Error };
    let is_known = situation.before.conditions.get(READY).is_some_and(|ready| ready.message == message);
    // The same failure is told once, however often it is tried again.
    events.extend((!is_known).then_some(Said { severity, reason, message }));
    Report { status, events, next }
}

fn change_event(applied: &Applied) -> Option<Said> {
    let message = applied.changes.join("\n");
    (!message.is_empty()).then_some(Said { severity: Severity::Info, reason: reasons::PROGRESSING, message })
}

/// How many outcomes `status.history` keeps.
const HISTORY: usize = 5;

/// Writes an outcome into the history: over the entry of the same build and end, or as a new one.
fn record(status: &mut KustomizationStatus, situation: &Situation<'_>, applied: &Applied, ended: &str) {
    let digest = applied.digest.to_string();
    let is_same = |entry: &Snapshot| entry.digest == digest && entry.last_reconciled_status == ended;
    let known = status.history.iter().position(is_same).map(|at| status.history.remove(at));
    let (first, count) =
        known.map_or((situation.now.into(), 0), |entry| (entry.first_reconciled, entry.total_reconciliations));
    let snapshot = Snapshot {
        digest,
        first_reconciled: first,
        last_reconciled: situation.now.into(),
        last_reconciled_duration: WrittenDuration::from(rounded(situation.took)),
        last_reconciled_status: ended.to_owned(),
        total_reconciliations: count + 1,
        metadata: [("revision", Some(&applied.revision)), ("originRevision", applied.origin_revision.as_ref())]
            .into_iter()
            .filter_map(|(key, revision)| Some((key.to_owned(), revision?.clone())))
            .collect(),
    };
    status.history.insert(0, snapshot);
    status.history.truncate(HISTORY);
}

fn rounded(duration: Duration) -> Duration {
    Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

fn short(duration: Duration) -> String {
    WrittenDuration::from(rounded(duration)).to_string()
}

#[cfg(test)]
mod tests {
    use fairlead_object::ObjectId;
    use kube::core::Status;
    use serde_json::json;

    use super::*;
    use crate::controllers::ObjectKey;

    const RETRY: Duration = Duration::from_mins(1);

    fn situation<'a>(before: &'a KustomizationStatus, requested_at: Option<&'a str>) -> Situation<'a> {
        Situation {
            before,
            generation: Some(3),
            requested_at,
            attempted: None,
            retry_interval: RETRY,
            now: Timestamp::UNIX_EPOCH,
            took: Duration::from_millis(1200),
        }
    }

    fn applied(changes: &[&str]) -> Applied {
        Applied {
            origin_revision: Some("v1@sha1:4f2a".to_owned()),
            revision: "main@sha1:1".to_owned(),
            inventory: Inventory::default(),
            digest: Digest::of(b"built"),
            changes: changes.iter().map(|line| (*line).to_owned()).collect(),
        }
    }

    fn settled(changes: &[&str], healthy_after: Option<Duration>) -> Outcome {
        Outcome::Settled(Settled {
            applied: applied(changes),
            healthy_after,
            has_recovered: !changes.is_empty(),
            interval: Duration::from_mins(10),
            held_back: None,
        })
    }

    fn refused(code: u16, reason: &str) -> Refusal {
        let status = json!({"status": "Failure", "message": "no", "reason": reason, "code": code});
        let status: Status = serde_json::from_value(status).expect("a status");
        let object = ObjectId::new("apps", "Deployment", "shop", "web");
        Refusal { object, at: None, verb: "apply failed", error: ApiError::Refused(status.boxed()) }
    }

    /// Everything that users and tools read of a report, in a line for each.
    fn told(report: &Report) -> String {
        let conditions = report.status.conditions.iter().map(|condition| {
            let (type_, status, reason) = (&condition.type_, condition.status, &condition.reason);
            format!("{type_}={status} {reason}: {}", condition.message)
        });
        let events =
            report.events.iter().map(|said| format!("event {:?} {}: {}", said.severity, said.reason, said.message));
        conditions.chain(events).chain([format!("next {:?}", report.next)]).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn each_failure_has_fluxs_reason_and_its_own_next_run() {
        let key = ObjectKey::new("flux-system", "infra");
        let rows: [(Failure, &str, bool, Next); 12] = [
            (Unusable::Unreadable("x".into()).into(), "InvalidField", true, Next::OnChange),
            (Unusable::Unsupported(vec!["spec.decryption"]).into(), "UnsupportedField", true, Next::OnChange),
            (Failure::Expression("x".into()), "InvalidCELExpression", true, Next::OnChange),
            (Failure::CrossNamespace("x".into()), "AccessDenied", true, Next::OnChange),
            (Failure::SourceMissing("GitRepository", "a/b".into()), "ArtifactFailed", false, Next::OnChange),
            (Failure::NoArtifact("GitRepository", "a/b".into()), "ArtifactFailed", false, Next::OnChange),
            (Failure::PathMissing("apps".into()), "ArtifactFailed", false, Next::After(RETRY)),
            (Failure::Dependency(DependencyError::NotReady(key)), "DependencyNotReady", false, Next::OnChange),
            (Failure::Apply(refused(403, "Forbidden").into()), "ReconciliationFailed", false, Next::After(RETRY)),
            (
                Failure::Apply(refused(503, "ServiceUnavailable").into()),
                "ReconciliationFailed",
                false,
                Next::Retry { soonest: Duration::ZERO, latest: Some(RETRY) },
            ),
            (Failure::Prune(refused(403, "Forbidden").into()), "PruneFailed", false, Next::After(RETRY)),
            (
                Failure::Health { message: "x".into(), applied: Box::new(applied(&[])) },
                "HealthCheckFailed",
                false,
                Next::After(RETRY),
            ),
        ];
        for (failure, reason, is_stalled, next) in rows {
            let text = failure.to_string();
            let report = report(&situation(&KustomizationStatus::default(), None), &Err(failure));
            let ready = report.status.conditions.get(READY).expect("Ready is always said");
            assert_eq!(ready.reason, reason, "{text}");
            assert_eq!(report.status.conditions.is_true(STALLED), is_stalled, "{text}");
            assert_eq!(report.status.conditions.is_true(RECONCILING), !is_stalled, "{text}");
            assert_eq!(report.next, next, "{text}");
        }
    }

    #[test]
    fn a_run_that_changed_something_says_what_and_when_it_looks_again() {
        let before = KustomizationStatus::default();
        let outcome = settled(&["Deployment/shop/web created"], Some(Duration::from_millis(800)));
        insta::assert_snapshot!(told(&report(&situation(&before, None), &Ok(outcome))), @r"
        Ready=True ReconciliationSucceeded: Applied revision: main@sha1:1
        Healthy=True Succeeded: Health check passed in 800ms
        event Info Progressing: Deployment/shop/web created
        event Info Progressing: Health check passed in 800ms
        event Info ReconciliationSucceeded: Reconciliation finished in 1.2s, next run in 10m0s
        next Interval(600s)
        ");
    }

    #[test]
    fn a_run_in_which_nothing_changed_leaves_the_status_as_it_is_and_says_nothing() {
        let nothing = KustomizationStatus::default();
        let first = settled(&["Deployment/shop/web created"], Some(Duration::from_millis(800)));
        let before = report(&situation(&nothing, None), &Ok(first)).status;
        let again = report(&situation(&before, None), &Ok(settled(&[], Some(Duration::from_millis(3)))));
        assert_eq!(again.status, before);
        assert_eq!(again.events, []);
    }

    #[test]
    fn the_same_failure_is_told_once() {
        let failure = || Err(Failure::PathMissing("apps".to_owned()));
        let nothing = KustomizationStatus::default();
        let first = report(&situation(&nothing, None), &failure());
        let again = report(&situation(&first.status, None), &failure());
        assert_eq!((first.events.len(), again.events.len()), (1, 0));
        assert_eq!(again.status, first.status);
    }

    #[test]
    fn a_request_is_handled_whatever_came_of_it() {
        let before = KustomizationStatus::default();
        for outcome in [Ok(Outcome::Suspended), Err(Failure::PathMissing("apps".to_owned()))] {
            let report = report(&situation(&before, Some("now")), &outcome);
            assert_eq!(report.status.last_handled_reconcile_at.as_deref(), Some("now"));
        }
    }

    #[test]
    fn the_history_counts_equal_outcomes_and_keeps_five() {
        let mut status = KustomizationStatus::default();
        for round in 0_u8..8 {
            let mut applied = applied(&["ConfigMap/shop/env configured"]);
            applied.digest = Digest::of(&[round / 2]);
            let outcome = Outcome::Settled(Settled {
                applied,
                healthy_after: None,
                has_recovered: false,
                interval: RETRY,
                held_back: None,
            });
            status = report(&situation(&status, None), &Ok(outcome)).status;
        }
        let counts: Vec<_> = status.history.iter().map(|entry| entry.total_reconciliations).collect();
        assert_eq!(counts, [2, 2, 2, 2]);
    }
}
