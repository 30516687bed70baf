//! What a run for a source means: to its conditions, its artifact, its event and its next run.

use std::time::Duration;

use fairlead_api::{
    conditions::{
        ARTIFACT_IN_STORAGE, BUILD_FAILED, Conditions, FETCH_FAILED, INCLUDE_UNAVAILABLE, READY, RECONCILING,
        SOURCE_VERIFIED, STALLED, STORAGE_OPERATION_FAILED, Verdict,
    },
    duration::DurationError,
    reasons,
    source::{Artifact as StatusArtifact, SourceStatus},
};
use fairlead_sources::{
    fetch::SourceFailure,
    store::{Artifact, SourceKey, StoreError},
};
use jiff::Timestamp;
use kube::core::object::HasStatus;

use super::{Source, Told};
use crate::{
    controllers::{Next, Said, Unusable, in_one_line},
    events::Severity,
};

/// A run that went as it should.
pub(super) enum Outcome {
    /// The object does not want to be reconciled.
    Suspended,
    /// The wanted revision is the one that is kept.
    Unchanged { artifact: Artifact, told: Told, interval: Duration },
    /// A revision was fetched and is kept now.
    Stored(Stored),
}

/// A revision that was just fetched.
pub(super) struct Stored {
    pub(super) artifact: Artifact,
    /// What the conditions say of it.
    pub(super) told: Told,
    /// What the event says of it if it is new.
    pub(super) news: Told,
    pub(super) interval: Duration,
}

/// A run that did not.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Unusable(#[from] Unusable),
    #[error(transparent)]
    Duration(#[from] DurationError),
    #[error(transparent)]
    Source(#[from] SourceFailure),
    #[error("the artifact cannot be stored")]
    Store(#[from] StoreError),
    #[error("the artifact could not be stored: {0}")]
    Interrupted(String),
}

impl Failure {
    /// Nothing changes until the object or what it refers to is edited.
    fn is_terminal(&self) -> bool {
        match self {
            Self::Unusable(_) | Self::Duration(_) => true,
            Self::Store(_) | Self::Interrupted(_) => false,
            Self::Source(failure) => failure.is_terminal(),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Unusable(error) => error.reason(),
            Self::Duration(_) => reasons::INVALID_FIELD,
            Self::Source(failure) => failure.reason(),
            Self::Store(_) | Self::Interrupted(_) => reasons::source::ARCHIVE_OPERATION_FAILED,
        }
    }

    /// The condition that says what failed.
    fn condition(&self) -> &'static str {
        match self {
            Self::Unusable(_) | Self::Duration(_) => FETCH_FAILED,
            Self::Source(failure) => failure.condition(),
            Self::Store(_) | Self::Interrupted(_) => STORAGE_OPERATION_FAILED,
        }
    }

    /// A condition that holds besides, and its reason.
    fn besides(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Source(failure) => failure.besides(),
            Self::Unusable(_) | Self::Duration(_) | Self::Store(_) | Self::Interrupted(_) => None,
        }
    }

    /// Whether it is only too early.
    fn is_waiting(&self) -> bool {
        match self {
            Self::Source(failure) => failure.is_waiting(),
            Self::Unusable(_) | Self::Duration(_) | Self::Store(_) | Self::Interrupted(_) => false,
        }
    }

    /// What that condition says.
    fn verdict(&self, message: String) -> Verdict {
        match self.condition() {
            SOURCE_VERIFIED => Verdict::fails(SOURCE_VERIFIED, self.reason(), message),
            condition => Verdict::holds(condition, self.reason(), message),
        }
    }

    /// How long the server wants to be left alone.
    fn retry_after(&self) -> Duration {
        match self {
            Self::Source(failure) => failure.retry_after().unwrap_or_default(),
            Self::Unusable(_) | Self::Duration(_) | Self::Store(_) | Self::Interrupted(_) => Duration::ZERO,
        }
    }
}

/// What was known when the run began.
pub(super) struct Situation<'a, K: Source> {
    /// The status as it was, with what the run has noted in it.
    pub(super) noted: &'a <K as HasStatus>::Status,
    pub(super) key: SourceKey,
    pub(super) generation: Option<i64>,
    pub(super) requested_at: Option<&'a str>,
    /// Host of the URLs under which artifacts are served.
    pub(super) address: &'a str,
    pub(super) stored: Option<&'a Artifact>,
    pub(super) now: Timestamp,
}

/// What a run means.
pub(super) struct Report<S> {
    pub(super) status: S,
    pub(super) events: Vec<Said>,
    pub(super) next: Next,
}

/// The conditions of a source that failed.
const FAILURES: [&str; 4] = [FETCH_FAILED, INCLUDE_UNAVAILABLE, BUILD_FAILED, STORAGE_OPERATION_FAILED];

/// Says what `outcome` means.
pub(super) fn report<K: Source>(
    situation: &Situation<'_, K>,
    outcome: &Result<Outcome, Failure>,
) -> Report<<K as HasStatus>::Status> {
    let mut status = situation.noted.clone();
    if let Some(requested_at) = situation.requested_at {
        status.as_mut().last_handled_reconcile_at = Some(requested_at.to_owned());
    }
    match outcome {
        Ok(Outcome::Suspended) => {
            let told = status.as_mut();
            if !told.conditions.is_empty() {
                told.observed_generation = situation.generation;
            }
            Report { status, events: Vec::new(), next: Next::OnChange }
        }
        Ok(Outcome::Unchanged { artifact, told, interval }) => {
            let events = recovery(&status, told).into_iter().collect();
            succeed(&mut status, situation, artifact, told);
            Report { status, events, next: Next::Interval(*interval) }
        }
        Ok(Outcome::Stored(Stored { artifact, told, news, interval })) => {
            let is_new = situation.stored.is_none_or(|stored| stored.digest != artifact.digest);
            let event = if is_new { Some(good(news)) } else { recovery(&status, told) };
            let events = signature_event::<K>(artifact).into_iter().chain(event).collect();
            succeed(&mut status, situation, artifact, told);
            Report { status, events, next: Next::Interval(*interval) }
        }
        Err(failure) => fail(status, situation, failure),
    }
}

/// What is said of the signature that a new artifact was verified by.
fn signature_event<K: Source>(artifact: &Artifact) -> Option<Said> {
    let Told { reason, message } = K::signature_news(artifact.verified.as_ref()?.message.as_deref()?)?;
    Some(Said { severity: Severity::Trace, reason, message })
}

/// What is said of an artifact that is as it was, if something had failed before.
fn recovery(before: &impl AsRef<SourceStatus>, told: &Told) -> Option<Said> {
    has_failed(&before.as_ref().conditions).then(|| good(told))
}

fn good(told: &Told) -> Said {
    Said { severity: Severity::Info, reason: told.reason, message: told.message.clone() }
}

/// The status while a fetch takes long.
pub(super) fn progress<K: Source>(situation: &Situation<'_, K>) -> <K as HasStatus>::Status {
    let mut status = situation.noted.clone();
    let conditions = &mut status.as_mut().conditions;
    let is_new = conditions.get(READY).is_none();
    let mut set = |verdict| conditions.set(verdict, situation.generation, situation.now);
    set(Verdict::holds(RECONCILING, reasons::PROGRESSING, "reconciliation in progress"));
    if is_new {
        set(Verdict::unknown(READY, reasons::PROGRESSING, "reconciliation in progress"));
    }
    status
}

fn succeed<K: Source>(
    status: &mut <K as HasStatus>::Status,
    situation: &Situation<'_, K>,
    artifact: &Artifact,
    Told { reason, message }: &Told,
) {
    if let Ok(path) = situation.key.newest_path() {
        K::note_url(status, artifact_url(situation.address, &path));
    }
    let told = status.as_mut();
    for condition in FAILURES.into_iter().chain([RECONCILING, STALLED]) {
        told.conditions.remove(condition);
    }
    let verified = artifact.verified.as_ref().and_then(|verified| verified.message.clone());
    if verified.is_none() {
        told.conditions.remove(SOURCE_VERIFIED);
    }
    let mut set = |verdict| told.conditions.set(verdict, situation.generation, situation.now);
    if let Some(message) = verified {
        set(Verdict::holds(SOURCE_VERIFIED, reasons::SUCCEEDED, message));
    }
    set(Verdict::holds(READY, reason, message.clone()));
    set(Verdict::holds(ARTIFACT_IN_STORAGE, reason, message.clone()));
    told.observed_generation = situation.generation;
    told.artifact = Some(status_artifact(artifact, situation.address));
}

/// What a status tells of `artifact`, where artifacts are served at `address`.
pub(super) fn status_artifact(artifact: &Artifact, address: &str) -> StatusArtifact {
    StatusArtifact {
        digest: artifact.digest.to_string(),
        last_update_time: artifact.last_update_time.into(),
        path: artifact.path.clone(),
        revision: artifact.revision.clone(),
        size: i64::try_from(artifact.size_bytes).ok(),
        url: artifact_url(address, &artifact.path),
        metadata: artifact.metadata.clone(),
    }
}

/// Where an artifact is served. The address may bring its own scheme, as Flux's `--storage-adv-addr` may.
fn artifact_url(address: &str, path: &str) -> String {
    let address = address.trim_end_matches('/');
    if address.starts_with("http://") || address.starts_with("https://") {
        format!("{address}/{path}")
    } else {
        format!("http://{address}/{path}")
    }
}

fn fail<K: Source>(
    mut status: <K as HasStatus>::Status,
    situation: &Situation<'_, K>,
    failure: &Failure,
) -> Report<<K as HasStatus>::Status> {
    let (reason, besides, message) = (failure.reason(), failure.besides(), in_one_line(failure));
    let told = status.as_mut();
    // An artifact stays in use whatever happens later; one that the store lost is gone.
    if situation.stored.is_none() {
        told.artifact = None;
        told.conditions.remove(ARTIFACT_IN_STORAGE);
    }
    let is_still = |condition| condition == failure.condition() || besides.is_some_and(|(other, _)| condition == other);
    for condition in FAILURES.into_iter().filter(|condition| !is_still(*condition)) {
        told.conditions.remove(condition);
    }
    if told.conditions.is_false(SOURCE_VERIFIED) && failure.condition() != SOURCE_VERIFIED {
        told.conditions.remove(SOURCE_VERIFIED);
    }
    let mut set = |verdict| told.conditions.set(verdict, situation.generation, situation.now);
    set(failure.verdict(message.clone()));
    if let Some((condition, reason)) = besides {
        set(Verdict::holds(condition, reason, message.clone()));
    }
    set(Verdict::fails(READY, reason, message.clone()));
    let next = if failure.is_terminal() {
        set(Verdict::holds(STALLED, reason, message.clone()));
        told.observed_generation = situation.generation;
        Next::OnChange
    } else {
        set(Verdict::holds(RECONCILING, reasons::PROGRESSING_WITH_RETRY, "reconciliation in progress"));
        Next::Retry { soonest: failure.retry_after(), latest: None }
    };
    let severity = if failure.is_waiting() { Severity::Trace } else { Severity::Error };
    let reason = besides.map_or(reason, |(_, reason)| reason);
    Report { status, events: vec![Said { severity, reason, message }], next }
}

fn has_failed(conditions: &Conditions) -> bool {
    FAILURES.iter().any(|condition| conditions.is_true(condition)) || conditions.is_false(SOURCE_VERIFIED)
}

#[cfg(test)]
mod tests {
    use fairlead_api::{
        conditions::ConditionStatus,
        source::{OciRepository, OciRepositoryStatus},
    };
    use fairlead_object::Digest;
    use fairlead_sources::{fetch::SourceError, store::SourceKind, verify::Verified};
    use serde_json::json;

    use super::*;

    /// A server that answers nothing but this.
    #[derive(Debug, thiserror::Error)]
    #[error("the server says no")]
    struct Refused {
        is_terminal: bool,
        retry_after: Option<Duration>,
    }

    impl SourceError for Refused {
        fn reason(&self) -> &'static str {
            reasons::source::OCI_ARTIFACT_PULL_FAILED
        }

        fn is_terminal(&self) -> bool {
            self.is_terminal
        }

        fn retry_after(&self) -> Option<Duration> {
            self.retry_after
        }
    }

    fn artifact(digit: &str) -> Artifact {
        serde_json::from_value(json!({
            "revision": "latest@sha256:1", "digest": format!("sha256:{}", digit.repeat(64)), "sizeBytes": 7,
            "path": "ocirepository/shop/app/sha256:1.tar.gz", "lastUpdateTime": "2026-01-02T03:04:05Z",
            "tree": format!("sha256:{}", "0".repeat(64)),
        }))
        .expect("an artifact")
    }

    /// What `outcome` makes of a status that is `noted`, with `stored` in the store.
    fn reported(
        noted: &OciRepositoryStatus,
        stored: Option<&Artifact>,
        outcome: &Result<Outcome, Failure>,
    ) -> Report<OciRepositoryStatus> {
        let situation: Situation<'_, OciRepository> = Situation {
            noted,
            key: SourceKey { kind: SourceKind::OciRepository, namespace: "shop".into(), name: "app".into() },
            generation: Some(2),
            requested_at: Some("now"),
            address: "fairlead.flux-system",
            stored,
            now: Timestamp::UNIX_EPOCH,
        };
        report(&situation, outcome)
    }

    fn show(report: &Report<OciRepositoryStatus>) -> String {
        let source = &report.status.source;
        let said = source.conditions.iter().filter(|condition| condition.status != ConditionStatus::Unknown);
        let said = said.map(|said| format!("{}={} {}", said.type_, said.status, said.reason));
        let mut lines: Vec<_> = said.collect();
        let events = report.events.iter().map(|said| format!("{:?} {}: {}", said.severity, said.reason, said.message));
        lines.push(format!(
            "event {}",
            events.reduce(|all, next| format!("{all}, {next}")).as_deref().unwrap_or("none")
        ));
        lines.push(format!("observed {:?}, next {:?}", source.observed_generation, report.next));
        lines.join("\n")
    }

    fn told(message: &str) -> Told {
        Told::success(message.to_owned())
    }

    fn unchanged() -> Outcome {
        Outcome::Unchanged { artifact: artifact("0"), told: told("stored it"), interval: Duration::from_mins(1) }
    }

    fn refused(is_terminal: bool, retry_after: Option<Duration>) -> Result<Outcome, Failure> {
        Err(Failure::Source(Refused { is_terminal, retry_after }.into()))
    }

    #[test]
    fn what_is_stored_is_told_with_all_that_it_was_made_of() {
        let report = reported(&OciRepositoryStatus::default(), Some(&artifact("0")), &Ok(unchanged()));
        insta::assert_snapshot!(show(&report), @r"
        Ready=True Succeeded
        ArtifactInStorage=True Succeeded
        event none
        observed Some(2), next Interval(60s)
        ");
        let status = report.status;
        assert_eq!(status.url.as_deref(), Some("http://fairlead.flux-system/ocirepository/shop/app/latest.tar.gz"));
        assert_eq!(status.source.last_handled_reconcile_at.as_deref(), Some("now"));
        let artifact = status.source.artifact.expect("stored");
        assert_eq!(artifact.url, "http://fairlead.flux-system/ocirepository/shop/app/sha256:1.tar.gz");
    }

    #[test]
    fn a_failure_keeps_the_artifact_and_is_over_when_it_is_over() {
        let stored = reported(&OciRepositoryStatus::default(), Some(&artifact("0")), &Ok(unchanged())).status;
        let failed = reported(&stored, Some(&artifact("0")), &refused(false, Some(Duration::from_secs(9))));
        insta::assert_snapshot!(show(&failed), @r"
        Reconciling=True ProgressingWithRetry
        Ready=False OCIArtifactPullFailed
        ArtifactInStorage=True Succeeded
        FetchFailed=True OCIArtifactPullFailed
        event Error OCIArtifactPullFailed: the server says no
        observed Some(2), next Retry { soonest: 9s, latest: None }
        ");
        assert!(failed.status.source.artifact.is_some());
        let recovered = reported(&failed.status, Some(&artifact("0")), &Ok(unchanged()));
        insta::assert_snapshot!(show(&recovered), @r"
        Ready=True Succeeded
        ArtifactInStorage=True Succeeded
        event Info Succeeded: stored it
        observed Some(2), next Interval(60s)
        ");
        let lost = reported(&stored, None, &refused(false, None));
        assert_eq!(lost.status.source.artifact, None);
    }

    #[test]
    fn a_new_artifact_is_news_and_the_same_one_is_none() {
        let stored = |digit: &str| {
            let (told, news) = (told("stored it"), told("it is new"));
            Ok(Outcome::Stored(Stored { artifact: artifact(digit), told, news, interval: Duration::from_mins(1) }))
        };
        let before = OciRepositoryStatus::default();
        let event = |kept: Option<&Artifact>, digit: &str| {
            reported(&before, kept, &stored(digit)).events.pop().map(|said| said.message).unwrap_or_default()
        };
        assert_eq!(event(None, "0"), "it is new");
        assert_eq!(event(Some(&artifact("1")), "0"), "it is new");
        assert_eq!(event(Some(&artifact("0")), "0"), "");
    }

    #[test]
    fn what_only_an_edit_can_put_right_is_stalled() {
        let before = OciRepositoryStatus::default();
        insta::assert_snapshot!(show(&reported(&before, None, &refused(true, None))), @r"
        Stalled=True OCIArtifactPullFailed
        Ready=False OCIArtifactPullFailed
        FetchFailed=True OCIArtifactPullFailed
        event Error OCIArtifactPullFailed: the server says no
        observed Some(2), next OnChange
        ");
        let unsupported = Err(Failure::Unusable(Unusable::Unsupported(vec!["spec.sts"])));
        insta::assert_snapshot!(show(&reported(&before, None, &unsupported)), @r"
        Stalled=True UnsupportedField
        Ready=False UnsupportedField
        FetchFailed=True UnsupportedField
        event Error UnsupportedField: spec.sts is not supported yet: remove it
        observed Some(2), next OnChange
        ");
    }

    /// A revision that nobody signed.
    #[derive(Debug, thiserror::Error)]
    #[error("nobody signed it")]
    struct Unsigned {
        besides: Option<(&'static str, &'static str)>,
    }

    impl SourceError for Unsigned {
        fn condition(&self) -> &'static str {
            SOURCE_VERIFIED
        }

        fn reason(&self) -> &'static str {
            reasons::source::VERIFICATION_ERROR
        }

        fn besides(&self) -> Option<(&'static str, &'static str)> {
            self.besides
        }

        fn is_terminal(&self) -> bool {
            false
        }
    }

    #[test]
    fn a_chart_that_is_not_signed_is_not_built_either() {
        let besides = Some((BUILD_FAILED, reasons::source::CHART_VERIFICATION_ERROR));
        let unsigned = Err(Failure::Source(Unsigned { besides }.into()));
        let refused = reported(&OciRepositoryStatus::default(), Some(&artifact("0")), &unsigned);
        let recovered = reported(&refused.status, Some(&artifact("0")), &Ok(unchanged()));
        insta::assert_snapshot!([refused, recovered].map(|report| show(&report)).join("\n\n"), @r"
        Reconciling=True ProgressingWithRetry
        Ready=False VerificationError
        BuildFailed=True ChartVerificationError
        SourceVerified=False VerificationError
        event Error ChartVerificationError: nobody signed it
        observed None, next Retry { soonest: 0ns, latest: None }

        Ready=True Succeeded
        ArtifactInStorage=True Succeeded
        event Info Succeeded: stored it
        observed Some(2), next Interval(60s)
        ");
    }

    #[test]
    fn what_is_not_signed_leaves_the_artifact_that_was() {
        let message = Some("verified signature of revision latest@sha256:1".to_owned());
        let signed = Artifact { verified: Some(Verified { against: Digest::of(b"keys"), message }), ..artifact("0") };
        let interval = Duration::from_mins(1);
        let outcome = Ok(Outcome::Unchanged { artifact: signed.clone(), told: told("stored it"), interval });
        let stored = reported(&OciRepositoryStatus::default(), Some(&signed), &outcome);
        let unsigned = Err(Failure::Source(Unsigned { besides: None }.into()));
        let refused = reported(&stored.status, Some(&signed), &unsigned);
        let unread = reported(&refused.status, Some(&signed), &self::refused(false, None));
        let again = reported(&refused.status, Some(&signed), &outcome);
        let no_longer_demanded = reported(&stored.status, Some(&artifact("0")), &Ok(unchanged()));
        let told = [stored, refused, unread, again, no_longer_demanded].map(|report| show(&report)).join("\n\n");
        insta::assert_snapshot!(told, @r"
        Ready=True Succeeded
        ArtifactInStorage=True Succeeded
        SourceVerified=True Succeeded
        event none
        observed Some(2), next Interval(60s)

        Reconciling=True ProgressingWithRetry
        Ready=False VerificationError
        ArtifactInStorage=True Succeeded
        SourceVerified=False VerificationError
        event Error VerificationError: nobody signed it
        observed Some(2), next Retry { soonest: 0ns, latest: None }

        Reconciling=True ProgressingWithRetry
        Ready=False OCIArtifactPullFailed
        ArtifactInStorage=True Succeeded
        FetchFailed=True OCIArtifactPullFailed
        event Error OCIArtifactPullFailed: the server says no
        observed Some(2), next Retry { soonest: 0ns, latest: None }

        Ready=True Succeeded
        ArtifactInStorage=True Succeeded
        SourceVerified=True Succeeded
        event Info Succeeded: stored it
        observed Some(2), next Interval(60s)

        Ready=True Succeeded
        ArtifactInStorage=True Succeeded
        event none
        observed Some(2), next Interval(60s)
        ");
    }

    #[test]
    fn an_address_may_bring_its_own_scheme() {
        for (address, url) in [
            ("fairlead.flux-system", "http://fairlead.flux-system/a"),
            ("https://fairlead.example/", "https://fairlead.example/a"),
        ] {
            assert_eq!(artifact_url(address, "a"), url);
        }
    }
}
