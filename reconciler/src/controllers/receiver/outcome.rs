//! What a run for a Receiver means: to its conditions, its path, its event and its next run.

use std::time::Duration;

use fairlead_api::{
    conditions::{READY, RECONCILING, STALLED, Verdict},
    duration::DurationError,
    notification::ReceiverStatus,
    reasons,
};
use fairlead_health::ExpressionError;
use jiff::Timestamp;

use crate::{
    controllers::{Next, Said, Unusable, in_one_line},
    events::Severity,
    webhook::HookSecretError,
};

/// A run that went as it should.
pub(super) enum Outcome {
    /// The object does not want webhooks.
    Suspended,
    /// Webhooks are taken at `path`.
    Listening { path: String, interval: Duration },
}

/// A run that did not.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Unusable(#[from] Unusable),
    #[error(transparent)]
    Duration(#[from] DurationError),
    #[error("Reconciliation failed terminally due to configuration error")]
    Filter(#[from] ExpressionError),
    #[error(transparent)]
    Secret(#[from] HookSecretError),
}

impl Failure {
    /// Nothing changes until the object or what it refers to is edited.
    fn is_terminal(&self) -> bool {
        match self {
            Self::Unusable(_) | Self::Duration(_) | Self::Filter(_) => true,
            Self::Secret(_) => false,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Unusable(error) => error.reason(),
            Self::Duration(_) => reasons::INVALID_FIELD,
            Self::Filter(_) => reasons::receiver::INVALID_CEL_EXPRESSION,
            Self::Secret(_) => reasons::receiver::TOKEN_NOT_FOUND,
        }
    }
}

/// What was known when the run began.
pub(super) struct Situation<'a> {
    pub(super) before: &'a ReceiverStatus,
    pub(super) generation: Option<i64>,
    pub(super) requested_at: Option<&'a str>,
    pub(super) now: Timestamp,
}

/// What a run means.
pub(super) struct Report {
    pub(super) status: ReceiverStatus,
    pub(super) event: Option<Said>,
    pub(super) next: Next,
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
        Ok(Outcome::Listening { path, interval }) => {
            let message = format!("Receiver initialized for path: {path}");
            let is_news = status.webhook_path.as_ref() != Some(path) || !situation.before.conditions.is_true(READY);
            let said = || Said { severity: Severity::Info, reason: reasons::SUCCEEDED, message: message.clone() };
            let event = is_news.then(said);
            status.conditions.remove(RECONCILING);
            status.conditions.remove(STALLED);
            let ready = Verdict::holds(READY, reasons::SUCCEEDED, message);
            status.conditions.set(ready, situation.generation, situation.now);
            status.observed_generation = situation.generation;
            status.webhook_path = Some(path.clone());
            Report { status, event, next: Next::Interval(*interval) }
        }
        Err(failure) => fail(status, situation, failure),
    }
}

/// Without what authenticates webhooks there is no path.
fn fail(mut status: ReceiverStatus, situation: &Situation<'_>, failure: &Failure) -> Report {
    let (reason, message) = (failure.reason(), in_one_line(failure));
    status.webhook_path = None;
    let mut set = |verdict| status.conditions.set(verdict, situation.generation, situation.now);
    set(Verdict::fails(READY, reason, message.clone()));
    let next = if failure.is_terminal() {
        set(Verdict::holds(STALLED, reason, message.clone()));
        status.observed_generation = situation.generation;
        Next::OnChange
    } else {
        set(Verdict::holds(RECONCILING, reasons::PROGRESSING_WITH_RETRY, message.clone()));
        Next::RETRY
    };
    Report { status, event: Some(Said { severity: Severity::Error, reason, message }), next }
}

#[cfg(test)]
mod tests {
    use fairlead_health::Expression;

    use super::*;

    fn reported(before: &ReceiverStatus, outcome: &Result<Outcome, Failure>) -> Report {
        let now = Timestamp::UNIX_EPOCH;
        report(&Situation { before, generation: Some(2), requested_at: Some("now"), now }, outcome)
    }

    fn show(report: &Report) -> String {
        let said = report.status.conditions.iter();
        let mut lines: Vec<_> =
            said.map(|said| format!("{}={} {}: {}", said.type_, said.status, said.reason, said.message)).collect();
        let event = report.event.as_ref().map(|said| format!("{:?} {}", said.severity, said.reason));
        lines.push(format!("path {}", report.status.webhook_path.as_deref().unwrap_or("none")));
        lines.push(format!("event {}", event.as_deref().unwrap_or("none")));
        lines.push(format!("observed {:?}, next {:?}", report.status.observed_generation, report.next));
        lines.join("\n")
    }

    fn listening() -> Outcome {
        Outcome::Listening { path: "/hook/1".to_owned(), interval: Duration::from_mins(10) }
    }

    fn without_secret() -> Result<Outcome, Failure> {
        let (namespace, name) = ("shop".to_owned(), "token".to_owned());
        Err(Failure::Secret(HookSecretError::Missing { namespace, name }))
    }

    #[test]
    fn a_path_is_told_once_and_lost_with_its_token() {
        let first = reported(&ReceiverStatus::default(), &Ok(listening()));
        insta::assert_snapshot!(show(&first), @r"
        Ready=True Succeeded: Receiver initialized for path: /hook/1
        path /hook/1
        event Info Succeeded
        observed Some(2), next Interval(600s)
        ");
        assert_eq!(first.status.last_handled_reconcile_at.as_deref(), Some("now"));
        assert_eq!(reported(&first.status, &Ok(listening())).event, None);
        let lost = reported(&first.status, &without_secret());
        insta::assert_snapshot!(show(&lost), @r#"
        Reconciling=True ProgressingWithRetry: unable to read token from secret 'shop/token' error: secrets "token" not found
        Ready=False TokenNotFound: unable to read token from secret 'shop/token' error: secrets "token" not found
        path none
        event Error TokenNotFound
        observed Some(2), next Retry { soonest: 0ns, latest: None }
        "#);
        let again = reported(&lost.status, &Ok(listening()));
        insta::assert_snapshot!(show(&again), @r"
        Ready=True Succeeded: Receiver initialized for path: /hook/1
        path /hook/1
        event Info Succeeded
        observed Some(2), next Interval(600s)
        ");
    }

    #[test]
    fn what_only_an_edit_can_put_right_is_stalled() {
        let error = Expression::compile("spec.resourceFilter", "req.").expect_err("no expression");
        let broken = Err(Failure::Filter(error));
        insta::assert_snapshot!(show(&reported(&ReceiverStatus::default(), &broken)), @r"
        Stalled=True InvalidCELExpression: Reconciliation failed terminally due to configuration error: spec.resourceFilter: not a CEL expression: expected identifier after '.' at 1:5
        Ready=False InvalidCELExpression: Reconciliation failed terminally due to configuration error: spec.resourceFilter: not a CEL expression: expected identifier after '.' at 1:5
        path none
        event Error InvalidCELExpression
        observed Some(2), next OnChange
        ");
        let unsupported = Err(Failure::Unusable(Unusable::Unsupported(vec!["spec.type generic-oidc"])));
        insta::assert_snapshot!(show(&reported(&ReceiverStatus::default(), &unsupported)), @r"
        Stalled=True UnsupportedField: spec.type generic-oidc is not supported yet: remove it
        Ready=False UnsupportedField: spec.type generic-oidc is not supported yet: remove it
        path none
        event Error UnsupportedField
        observed Some(2), next OnChange
        ");
    }
}
