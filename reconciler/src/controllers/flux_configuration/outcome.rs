//! What a run for a `FluxConfiguration` means: to its conditions, its states, its events and its next run.

use fairlead_api::{
    conditions::{READY, RECONCILING, STALLED, Verdict},
    fairlead::{
        ComplianceState, ConfigurationError, ConfigurationScope, FluxConfigurationSpec, FluxConfigurationStatus,
        ObjectStatus, ProvisioningState, StatusCondition,
    },
    reasons::{self, configuration as reason},
    reference::NamespacedName,
};
use fairlead_object::ObjectId;
use jiff::Timestamp;

use super::{
    compliance::{roll_up, state_of},
    credentials::SettingsError,
    facts::Part,
    provision::Provisioned,
};
use crate::{
    cluster::ApiError,
    controllers::{Next, ObjectKey, Said, Unusable, in_one_line},
    events::Severity,
};

/// A run that did not go as it should.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Unusable(#[from] Unusable),
    #[error(transparent)]
    Invalid(#[from] ConfigurationError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(
        "spec.scope is `{}`, but FluxConfiguration {other} of this namespace has another: whoever may create pods here \
         could use the stronger account; move one of them to another namespace", scope_name(*.scope)
    )]
    Conflict { scope: ConfigurationScope, other: ObjectKey },
    #[error("{0} exists and does not belong to this configuration")]
    Foreign(ObjectId),
    #[error("{object} cannot be written")]
    Apply { object: ObjectId, source: ApiError },
    #[error("the cluster cannot be asked")]
    Api(#[from] ApiError),
    #[error("cannot be removed yet")]
    Removal(#[source] ApiError),
}

fn scope_name(scope: ConfigurationScope) -> &'static str {
    match scope {
        ConfigurationScope::Cluster => "cluster",
        ConfigurationScope::Namespace => "namespace",
    }
}

impl Failure {
    fn reason(&self) -> &'static str {
        match self {
            Self::Unusable(Unusable::Unreadable(_))
            | Self::Invalid(_)
            | Self::Settings(SettingsError::Configuration(_)) => reason::INVALID_CONFIGURATION,
            Self::Unusable(error) => error.reason(),
            Self::Settings(_) => reason::INVALID_PROTECTED_SETTINGS,
            Self::Conflict { .. } => reasons::ACCESS_DENIED,
            Self::Foreign(_) | Self::Apply { .. } | Self::Api(_) | Self::Removal(_) => reason::PROVISIONING_FAILED,
        }
    }

    /// Nothing changes until the object, or what it refers to, is edited; that wakes it.
    fn is_terminal(&self) -> bool {
        match self {
            Self::Unusable(_) | Self::Invalid(_) | Self::Settings(_) | Self::Conflict { .. } => true,
            Self::Foreign(_) | Self::Apply { .. } | Self::Api(_) | Self::Removal(_) => false,
        }
    }
}

/// What was known when the run ended.
pub(super) struct Situation<'a> {
    pub(super) before: &'a FluxConfigurationStatus,
    /// `None` for an object that cannot be read.
    pub(super) spec: Option<&'a FluxConfigurationSpec>,
    pub(super) generation: Option<i64>,
    pub(super) requested_at: Option<&'a str>,
    pub(super) parts: Vec<Part>,
    pub(super) now: Timestamp,
}

impl Situation<'_> {
    fn is_suspended(&self) -> bool {
        self.spec.is_some_and(|spec| spec.suspend)
    }
}

/// What a run means.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) status: FluxConfigurationStatus,
    pub(super) events: Vec<Said>,
    /// An object failed that had not before.
    pub(super) has_failed: bool,
    pub(super) next: Next,
}

/// Says what `outcome` means.
pub(super) fn report(situation: &Situation<'_>, outcome: &Result<Provisioned, Failure>) -> Report {
    let mut status = situation.before.clone();
    tell_parts(&mut status, situation, outcome.is_ok());
    if let Some(requested_at) = situation.requested_at {
        status.last_handled_reconcile_at = Some(requested_at.to_owned());
    }
    let (verdict, next) = match outcome {
        Ok(provisioned) => (succeed(&mut status, situation, provisioned), Next::Interval(provisioned.interval)),
        Err(failure) => fail(&mut status, situation, failure),
    };
    let mut events = events_of(situation, outcome);
    events.extend(news(situation.before, &verdict));
    status.conditions.set(verdict, situation.generation, situation.now);
    date(&mut status, situation);
    let failed = |status: &FluxConfigurationStatus| status.compliance_state == Some(ComplianceState::NonCompliant);
    let has_failed = failed(&status) && !failed(situation.before);
    Report { status, events, has_failed, next }
}

/// Says that the configuration is being removed, and that `leaving` must go first.
pub(super) fn leaving(situation: &Situation<'_>, leaving: &[ObjectKey]) -> FluxConfigurationStatus {
    let message = waiting_until_gone(leaving);
    let mut status = situation.before.clone();
    tell_parts(&mut status, situation, false);
    status.provisioning_state = Some(ProvisioningState::Deleting);
    status.error_message = None;
    let mut set = |verdict| status.conditions.set(verdict, situation.generation, situation.now);
    set(Verdict::holds(RECONCILING, reasons::PROGRESSING, message.clone()));
    set(Verdict::unknown(READY, reason::PENDING, message));
    date(&mut status, situation);
    status
}

/// Says why a configuration cannot be removed yet.
pub(super) fn stuck(situation: &Situation<'_>, error: ApiError) -> Report {
    let mut report = report(situation, &Err(Failure::Removal(error)));
    report.status.provisioning_state = Some(ProvisioningState::Deleting);
    date(&mut report.status, situation);
    report
}

fn succeed(status: &mut FluxConfigurationStatus, situation: &Situation<'_>, provisioned: &Provisioned) -> Verdict {
    status.observed_generation = situation.generation;
    status.repository_public_key.clone_from(&provisioned.public_key);
    status.error_message = None;
    let is_done = provisioned.leaving.is_empty();
    status.provisioning_state = Some(if is_done { ProvisioningState::Succeeded } else { ProvisioningState::Updating });
    status.conditions.remove(STALLED);
    let verdict = verdict(status, situation.is_suspended(), provisioned);
    if verdict.reason == reason::PENDING {
        let reconciling = Verdict::holds(RECONCILING, reasons::PROGRESSING, verdict.message.clone());
        status.conditions.set(reconciling, situation.generation, situation.now);
    } else {
        status.conditions.remove(RECONCILING);
    }
    verdict
}

/// What `Ready` says of a configuration whose objects are there.
fn verdict(status: &FluxConfigurationStatus, is_suspended: bool, provisioned: &Provisioned) -> Verdict {
    let of_state = |state| status.statuses.iter().filter(move |object| object.compliance_state == state);
    match status.compliance_state.unwrap_or_default() {
        ComplianceState::Compliant if !provisioned.leaving.is_empty() => {
            Verdict::unknown(READY, reason::PENDING, waiting_until_gone(&provisioned.leaving))
        }
        ComplianceState::Compliant => {
            let revision = status.source_synced_commit_id.as_deref().unwrap_or("the source");
            Verdict::holds(READY, reason::COMPLIANT, format!("Everything is ready at {revision}"))
        }
        ComplianceState::NonCompliant => {
            // What only waits for a failure tells nobody what to do.
            let mut failed: Vec<_> = of_state(ComplianceState::NonCompliant).collect();
            failed.sort_by_key(|object| is_waiting(object));
            let first = failed.first().map(|object| complaint(object)).unwrap_or_default();
            let more = if failed.len() > 1 { format!(" (and {} more)", failed.len() - 1) } else { String::new() };
            Verdict::fails(READY, reason::NON_COMPLIANT, format!("{first}{more}"))
        }
        ComplianceState::Pending | ComplianceState::Unknown => {
            let waiting = of_state(ComplianceState::Pending).chain(of_state(ComplianceState::Unknown)).next();
            let waiting = waiting.map_or("its objects".to_owned(), name);
            Verdict::unknown(READY, reason::PENDING, format!("Waiting for {waiting}"))
        }
        ComplianceState::Suspended => {
            let one = of_state(ComplianceState::Suspended).next().filter(|_| !is_suspended);
            let one = one.map_or("The configuration".to_owned(), name);
            Verdict::unknown(READY, reason::SUSPENDED, format!("{one} is suspended"))
        }
    }
}

fn name(object: &ObjectStatus) -> String {
    format!("{} {}/{}", object.kind, object.namespace, object.name)
}

fn ready(object: &ObjectStatus) -> Option<&StatusCondition> {
    object.status_conditions.iter().find(|condition| condition.type_ == READY)
}

fn is_waiting(object: &ObjectStatus) -> bool {
    ready(object).is_some_and(|ready| ready.reason == reasons::kustomization::DEPENDENCY_NOT_READY)
}

/// What an object says went wrong.
fn complaint(object: &ObjectStatus) -> String {
    let said = ready(object).map(|ready| format!(": {}: {}", ready.reason, ready.message)).unwrap_or_default();
    format!("{}{said}", name(object))
}

fn waiting_until_gone(kustomizations: &[ObjectKey]) -> String {
    let names: Vec<_> = kustomizations.iter().map(|key| format!("Kustomization {key}")).collect();
    format!("Waiting until {} has removed what it applied", names.join(", "))
}

fn fail(status: &mut FluxConfigurationStatus, situation: &Situation<'_>, failure: &Failure) -> (Verdict, Next) {
    let message = in_one_line(failure);
    status.provisioning_state = Some(ProvisioningState::Failed);
    status.error_message = Some(message.clone());
    let mut set = |verdict| status.conditions.set(verdict, situation.generation, situation.now);
    let verdict = Verdict::fails(READY, failure.reason(), message.clone());
    if failure.is_terminal() {
        set(Verdict::holds(STALLED, failure.reason(), message));
        status.observed_generation = situation.generation;
        return (verdict, Next::OnChange);
    }
    set(Verdict::holds(RECONCILING, reasons::PROGRESSING_WITH_RETRY, message));
    (verdict, Next::RETRY)
}

/// Rolls the states of the objects up.
fn tell_parts(status: &mut FluxConfigurationStatus, situation: &Situation<'_>, is_provisioned: bool) {
    let parts = &situation.parts;
    let states: Vec<ComplianceState> = parts.iter().map(|part| state_of(part, parts)).collect();
    let served = parts.iter().zip(&states).filter(|(part, _)| part.facts.is_some()).map(|(_, state)| *state);
    let state = roll_up(situation.is_suspended(), is_provisioned, &served.collect::<Vec<_>>());
    status.compliance_state = Some(state);
    status.statuses = parts.iter().zip(&states).map(|(part, state)| object_status(part, *state)).collect();
    let source = parts.iter().find(|part| part.kind == "GitRepository" && part.applied_by.is_none());
    if let Some(facts) = source.and_then(|source| source.facts.as_ref()) {
        let revision = facts.revision.as_deref();
        status.source_synced_commit_id = revision.map(|revision| commit_id(situation.spec, revision));
        status.source_updated_at = facts.updated_at;
    }
}

fn object_status(part: &Part, compliance_state: ComplianceState) -> ObjectStatus {
    let conditions = part.facts.iter().flat_map(|facts| &facts.conditions);
    let condition = |condition: &fairlead_api::conditions::Condition| StatusCondition {
        type_: condition.type_.clone(),
        status: condition.status,
        reason: condition.reason.clone(),
        message: condition.message.clone(),
        last_transition_time: condition.last_transition_time,
    };
    let applied_by = part.applied_by.as_ref();
    ObjectStatus {
        kind: part.kind.clone(),
        namespace: part.key.namespace.clone(),
        name: part.key.name.clone(),
        compliance_state,
        applied_by: applied_by.map(|key| NamespacedName { name: key.name.clone(), namespace: key.namespace.clone() }),
        status_conditions: conditions.map(condition).collect(),
        helm_release_properties: None,
    }
}

/// Arc's spelling of a revision: `branch/commit` where a branch is followed, else the revision as it is.
fn commit_id(spec: Option<&FluxConfigurationSpec>, revision: &str) -> String {
    let wanted = spec.and_then(|spec| spec.git_repository.as_ref()).map(|git| &git.repository_ref);
    let follows_branch = wanted.is_some_and(|wanted| wanted.branch.is_some());
    match revision.split_once("@sha1:").or_else(|| revision.split_once("@sha256:")) {
        Some((branch, commit)) if follows_branch => format!("{branch}/{commit}"),
        Some(_) | None => revision.to_owned(),
    }
}

fn events_of(situation: &Situation<'_>, outcome: &Result<Provisioned, Failure>) -> Vec<Said> {
    let Ok(provisioned) = outcome else { return Vec::new() };
    let info = |reason, message| Said { severity: Severity::Info, reason, message };
    let mut events = Vec::new();
    if !provisioned.changes.is_empty() {
        events.push(info(reasons::PROGRESSING, provisioned.changes.join("\n")));
    }
    let without_effect = situation.spec.map(FluxConfigurationSpec::without_effect).unwrap_or_default();
    if situation.before.observed_generation != situation.generation && !without_effect.is_empty() {
        let message = format!("{} has no effect: the API server validates what is applied", without_effect.join(", "));
        events.push(info(reasons::PROGRESSING, message));
    }
    events
}

/// What is worth an event: that the configuration became well, or is not, and why.
fn news(before: &FluxConfigurationStatus, verdict: &Verdict) -> Option<Said> {
    let was = before.conditions.get(READY);
    let is_known = was.is_some_and(|was| was.reason == verdict.reason && was.message == verdict.message);
    let severity = match verdict.reason {
        reason::PENDING => return None,
        reason::COMPLIANT | reason::SUSPENDED => Severity::Info,
        _ => Severity::Error,
    };
    (!is_known).then(|| Said { severity, reason: verdict.reason, message: verdict.message.clone() })
}

/// Dates the status if anything in it is new.
fn date(status: &mut FluxConfigurationStatus, situation: &Situation<'_>) {
    status.status_updated_at = situation.before.status_updated_at;
    if status != situation.before {
        status.status_updated_at = Some(situation.now.into());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fairlead_api::conditions::ConditionStatus;
    use serde_json::{Value, json};

    use super::*;
    use crate::controllers::flux_configuration::facts::Facts;

    const INTERVAL: Duration = Duration::from_mins(10);

    fn spec(more: Value) -> FluxConfigurationSpec {
        let mut spec =
            json!({"gitRepository": {"url": "https://example.org/repo", "repositoryRef": {"branch": "main"}}});
        if let (Some(into), Value::Object(more)) = (spec.as_object_mut(), more) {
            into.extend(more);
        }
        serde_json::from_value(spec).expect("a spec")
    }

    fn source(verdict: Verdict) -> Part {
        let mut facts = Facts {
            generation: Some(1),
            observed_generation: Some(1),
            revision: Some("main@sha1:0f3c".to_owned()),
            updated_at: Some(at(5).into()),
            ..Facts::default()
        };
        facts.conditions.set(verdict, Some(1), at(5));
        let key = ObjectKey::new("team-a", "shop");
        Part { kind: "GitRepository".to_owned(), key, applied_by: None, facts: Some(facts) }
    }

    fn stored() -> Part {
        source(Verdict::holds(READY, "Succeeded", "stored"))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn provisioned() -> Provisioned {
        Provisioned { changes: Vec::new(), public_key: None, leaving: Vec::new(), interval: INTERVAL }
    }

    fn told(
        before: &FluxConfigurationStatus,
        spec: &FluxConfigurationSpec,
        parts: Vec<Part>,
        outcome: &Result<Provisioned, Failure>,
        second: i64,
    ) -> Report {
        let now = at(second);
        report(&Situation { before, spec: Some(spec), generation: Some(2), requested_at: None, parts, now }, outcome)
    }

    fn show(report: &Report) -> String {
        let conditions = report.status.conditions.iter();
        let conditions =
            conditions.map(|said| format!("{}={} {}: {}", said.type_, said.status, said.reason, said.message));
        let states = format!("{:?} {:?}", report.status.provisioning_state, report.status.compliance_state);
        let events = report.events.iter().map(|said| format!("event {:?} {}", said.severity, said.reason));
        let lines: Vec<_> = conditions.chain([states]).chain(events).chain([format!("{:?}", report.next)]).collect();
        lines.join("\n")
    }

    #[test]
    fn each_outcome_says_what_it_means_to_owners_and_to_the_next_run() {
        let fresh = FluxConfigurationStatus::default();
        let outcome = |outcome: Result<Provisioned, Failure>, parts: Vec<Part>| {
            show(&told(&fresh, &spec(json!({})), parts, &outcome, 10))
        };
        insta::assert_snapshot!(outcome(Ok(provisioned()), vec![stored()]), @r"
        Ready=True Compliant: Everything is ready at main/0f3c
        Some(Succeeded) Some(Compliant)
        event Info Compliant
        Interval(600s)
        ");
        let failing = source(Verdict::fails(READY, "AuthenticationFailed", "no such user"));
        insta::assert_snapshot!(outcome(Ok(provisioned()), vec![failing]), @r"
        Ready=False NonCompliant: GitRepository team-a/shop: AuthenticationFailed: no such user
        Some(Succeeded) Some(NonCompliant)
        event Error NonCompliant
        Interval(600s)
        ");
        insta::assert_snapshot!(outcome(Ok(provisioned()), vec![]), @r"
        Reconciling=True Progressing: Waiting for its objects
        Ready=Unknown Pending: Waiting for its objects
        Some(Succeeded) Some(Unknown)
        Interval(600s)
        ");
        let leaving = Provisioned { leaving: vec![ObjectKey::new("team-a", "shop-old")], ..provisioned() };
        insta::assert_snapshot!(outcome(Ok(leaving), vec![stored()]), @r"
        Reconciling=True Progressing: Waiting until Kustomization team-a/shop-old has removed what it applied
        Ready=Unknown Pending: Waiting until Kustomization team-a/shop-old has removed what it applied
        Some(Updating) Some(Compliant)
        Interval(600s)
        ");
        insta::assert_snapshot!(outcome(Err(Unusable::Unsupported(vec!["spec.sourceKind"]).into()), vec![]), @r"
        Stalled=True UnsupportedField: spec.sourceKind is not supported yet: remove it
        Ready=False UnsupportedField: spec.sourceKind is not supported yet: remove it
        Some(Failed) Some(Unknown)
        event Error UnsupportedField
        OnChange
        ");
        let foreign = ObjectId::new("", "Secret", "team-a", "shop-auth");
        insta::assert_snapshot!(outcome(Err(Failure::Foreign(foreign)), vec![stored()]), @r"
        Reconciling=True ProgressingWithRetry: Secret team-a/shop-auth exists and does not belong to this configuration
        Ready=False ProvisioningFailed: Secret team-a/shop-auth exists and does not belong to this configuration
        Some(Failed) Some(Pending)
        event Error ProvisioningFailed
        Retry { soonest: 0ns, latest: None }
        ");
        let suspended = told(&fresh, &spec(json!({"suspend": true})), vec![stored()], &Ok(provisioned()), 10);
        insta::assert_snapshot!(show(&suspended), @r"
        Ready=Unknown Suspended: The configuration is suspended
        Some(Succeeded) Some(Suspended)
        event Info Suspended
        Interval(600s)
        ");
    }

    #[test]
    fn a_status_is_dated_when_something_in_it_is_new() {
        let spec = spec(json!({}));
        let first = told(&FluxConfigurationStatus::default(), &spec, vec![stored()], &Ok(provisioned()), 10).status;
        let again = told(&first, &spec, vec![stored()], &Ok(provisioned()), 20);
        assert_eq!(again.status, first);
        assert!(again.events.is_empty());
        let failing = source(Verdict::fails(READY, "AuthenticationFailed", "no such user"));
        let failed = told(&first, &spec, vec![failing], &Ok(provisioned()), 30);
        assert_eq!(failed.status.status_updated_at, Some(at(30).into()));
        assert!(failed.has_failed);
        assert_eq!(failed.status.conditions.get(READY).map(|ready| ready.status), Some(ConditionStatus::False));
    }

    #[test]
    fn a_commit_is_written_with_its_branch_and_any_other_revision_as_it_is() {
        for (reference, revision, expected) in [
            (json!({"branch": "main"}), "main@sha1:0f3c", "main/0f3c"),
            (json!({"tag": "v1"}), "v1@sha1:0f3c", "v1@sha1:0f3c"),
            (json!({"commit": "0f3c"}), "sha1:0f3c", "sha1:0f3c"),
            (json!({"branch": "main", "commit": "0f3c"}), "main@sha1:0f3c", "main/0f3c"),
        ] {
            let git = json!({"url": "https://example.org/repo", "repositoryRef": reference});
            assert_eq!(commit_id(Some(&spec(json!({"gitRepository": git}))), revision), expected, "{revision}");
        }
    }
}
