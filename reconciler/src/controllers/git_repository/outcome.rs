//! What a run for a `GitRepository` means: to its conditions, its artifact, its event and its next run.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use fairlead_api::{
    conditions::{
        ARTIFACT_IN_STORAGE, Conditions, FETCH_FAILED, READY, RECONCILING, STALLED, STORAGE_OPERATION_FAILED, Verdict,
    },
    duration::DurationError,
    names::events,
    reasons,
    source::{Artifact as StatusArtifact, GitRepositoryStatus},
};
use fairlead_sources::{
    git::GitError,
    store::{Artifact, StoreError},
};
use jiff::Timestamp;

use super::GitRequestError;
use crate::{
    controllers::{Said, Unusable, in_one_line},
    events::Severity,
};

/// A run that went as it should.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The object does not want to be reconciled.
    Suspended,
    /// The wanted revision is the one that is kept.
    Unchanged { interval: Duration },
    /// A revision was fetched and is kept now.
    Stored(Stored),
}

/// A revision that was just fetched.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) artifact: Artifact,
    /// The first line of the commit's message.
    pub(super) subject: String,
    pub(super) interval: Duration,
}

impl Outcome {
    /// Flux's metadata for the event.
    pub(super) fn event_metadata(&self) -> Vec<(String, String)> {
        match self {
            Self::Stored(Stored { artifact, .. }) => vec![
                (events::SOURCE_REVISION.to_owned(), artifact.revision.clone()),
                (events::SOURCE_DIGEST.to_owned(), artifact.digest.to_string()),
            ],
            Self::Suspended | Self::Unchanged { .. } => Vec::new(),
        }
    }
}

/// A run that did not.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Unusable(#[from] Unusable),
    #[error(transparent)]
    Duration(#[from] DurationError),
    #[error(transparent)]
    Request(#[from] GitRequestError),
    #[error(transparent)]
    Git(#[from] Arc<GitError>),
    #[error("the artifact cannot be stored")]
    Store(#[from] StoreError),
    #[error("the artifact could not be stored: {0}")]
    Interrupted(String),
}

impl Failure {
    /// Nothing changes until the object or what it refers to is edited.
    fn is_terminal(&self) -> bool {
        match self {
            Self::Unusable(_)
            | Self::Duration(_)
            | Self::Request(GitRequestError::Url(_) | GitRequestError::Timeout(_)) => true,
            Self::Request(_) | Self::Store(_) | Self::Interrupted(_) => false,
            Self::Git(error) => error.is_terminal(),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Unusable(error) => error.reason(),
            Self::Duration(_) | Self::Request(GitRequestError::Timeout(_)) => reasons::INVALID_FIELD,
            Self::Request(GitRequestError::Url(_)) => reasons::source::URL_INVALID,
            Self::Request(_) => reasons::source::AUTHENTICATION_FAILED,
            Self::Git(error) => error.reason(),
            Self::Store(_) | Self::Interrupted(_) => reasons::source::ARCHIVE_OPERATION_FAILED,
        }
    }

    /// The condition that says what failed.
    fn condition(&self) -> &'static str {
        match self {
            Self::Store(_) | Self::Interrupted(_) => STORAGE_OPERATION_FAILED,
            Self::Unusable(_) | Self::Duration(_) | Self::Request(_) | Self::Git(_) => FETCH_FAILED,
        }
    }
}

/// What was known when the run began.
pub(super) struct Situation<'a> {
    pub(super) before: &'a GitRepositoryStatus,
    pub(super) generation: Option<i64>,
    pub(super) requested_at: Option<&'a str>,
    pub(super) ignore: Option<&'a str>,
    /// Host of the URLs under which artifacts are served.
    pub(super) address: &'a str,
    pub(super) stored: Option<&'a Artifact>,
    pub(super) now: Timestamp,
}

/// What a run means.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) status: GitRepositoryStatus,
    pub(super) event: Option<Said>,
    pub(super) next: Next,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Interval(Duration),
    Retry,
    OnChange,
}

/// Says what `outcome` means.
pub(super) fn report(situation: &Situation<'_>, outcome: &Result<Outcome, Failure>) -> Report {
    let mut status = situation.before.clone();
    if let Some(requested_at) = situation.requested_at {
        status.last_handled_reconcile_at = Some(requested_at.to_owned());
    }
    match outcome {
        Ok(Outcome::Suspended) => {
            if !status.conditions.is_empty() {
                status.observed_generation = situation.generation;
            }
            Report { status, event: None, next: Next::OnChange }
        }
        Ok(Outcome::Unchanged { interval }) => {
            let had_failed = has_failed(&status.conditions);
            if let Some(artifact) = situation.stored {
                succeed(&mut status, situation, artifact);
            }
            let event = had_failed.then(|| recovered(situation));
            Report { status, event, next: Next::Interval(*interval) }
        }
        Ok(Outcome::Stored(stored)) => {
            succeed(&mut status, situation, &stored.artifact);
            Report { status, event: Some(new_artifact(&stored.subject)), next: Next::Interval(stored.interval) }
        }
        Err(failure) => fail(status, situation, failure),
    }
}

/// The status while a fetch takes long.
pub(super) fn progress(situation: &Situation<'_>) -> GitRepositoryStatus {
    let mut status = situation.before.clone();
    let mut set = |verdict| status.conditions.set(verdict, situation.generation, situation.now);
    set(Verdict::holds(RECONCILING, reasons::PROGRESSING, "reconciliation in progress"));
    if situation.before.conditions.get(READY).is_none() {
        set(Verdict::unknown(READY, reasons::PROGRESSING, "reconciliation in progress"));
    }
    status
}

fn succeed(status: &mut GitRepositoryStatus, situation: &Situation<'_>, artifact: &Artifact) {
    let message = format!("stored artifact for revision '{}'", artifact.revision);
    for condition in [FETCH_FAILED, STORAGE_OPERATION_FAILED, RECONCILING, STALLED] {
        status.conditions.remove(condition);
    }
    let mut set = |verdict| status.conditions.set(verdict, situation.generation, situation.now);
    set(Verdict::holds(READY, reasons::SUCCEEDED, message.clone()));
    set(Verdict::holds(ARTIFACT_IN_STORAGE, reasons::SUCCEEDED, message));
    status.observed_generation = situation.generation;
    status.observed_ignore = situation.ignore.map(str::to_owned);
    status.artifact = Some(StatusArtifact {
        digest: artifact.digest.to_string(),
        last_update_time: artifact.last_update_time.into(),
        path: artifact.path.clone(),
        revision: artifact.revision.clone(),
        size: i64::try_from(artifact.size_bytes).ok(),
        url: artifact_url(situation.address, &artifact.path),
        metadata: BTreeMap::new(),
    });
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

fn fail(mut status: GitRepositoryStatus, situation: &Situation<'_>, failure: &Failure) -> Report {
    let (reason, message) = (failure.reason(), in_one_line(failure));
    // An artifact stays in use whatever happens later; one that the store lost is gone.
    if situation.stored.is_none() {
        status.artifact = None;
        status.conditions.remove(ARTIFACT_IN_STORAGE);
    }
    for condition in [FETCH_FAILED, STORAGE_OPERATION_FAILED] {
        if condition != failure.condition() {
            status.conditions.remove(condition);
        }
    }
    let mut set = |verdict| status.conditions.set(verdict, situation.generation, situation.now);
    set(Verdict::holds(failure.condition(), reason, message.clone()));
    set(Verdict::fails(READY, reason, message.clone()));
    let next = if failure.is_terminal() {
        set(Verdict::holds(STALLED, reason, message.clone()));
        status.observed_generation = situation.generation;
        Next::OnChange
    } else {
        set(Verdict::holds(RECONCILING, reasons::PROGRESSING_WITH_RETRY, "reconciliation in progress"));
        Next::Retry
    };
    Report { status, event: Some(Said { severity: Severity::Error, reason, message }), next }
}

fn has_failed(conditions: &Conditions) -> bool {
    [FETCH_FAILED, STORAGE_OPERATION_FAILED].iter().any(|condition| conditions.is_true(condition))
}

fn recovered(situation: &Situation<'_>) -> Said {
    let revision = situation.stored.map(|artifact| artifact.revision.as_str()).unwrap_or_default();
    let message = format!("stored artifact for revision '{revision}'");
    Said { severity: Severity::Info, reason: reasons::SUCCEEDED, message }
}

fn new_artifact(subject: &str) -> Said {
    let mut shown: String = subject.chars().take(50).collect();
    if shown.len() < subject.len() {
        shown.push_str("...");
    }
    let message = format!("stored artifact for commit '{shown}'");
    Said { severity: Severity::Info, reason: reasons::source::NEW_ARTIFACT, message }
}
