//! Conditions: what is true of an object, aspect by aspect, as its owner and tools read it.
//!
//! # Follows Flux
//! The shape, the rule for `lastTransitionTime`, the length of a message, the order of the list, and that `Stalled` and
//! `Reconciling` exclude each other. `kubectl wait`, kstatus and Flux's tools rely on all of it.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::time::Time;

/// The object is as its spec asks.
pub const READY: &str = "Ready";
/// The object is being worked on.
pub const RECONCILING: &str = "Reconciling";
/// Nothing more is tried until the object or what it refers to is changed.
pub const STALLED: &str = "Stalled";
/// A Kustomization's objects are healthy.
pub const HEALTHY: &str = "Healthy";
/// A chart is installed as its release asks.
pub const RELEASED: &str = "Released";
/// The tests of a chart have succeeded.
pub const TEST_SUCCESS: &str = "TestSuccess";
/// What a failed release has left was put right.
pub const REMEDIATED: &str = "Remediated";
/// Others have changed what was installed.
pub const DRIFTED: &str = "Drifted";
/// A source could not be fetched.
pub const FETCH_FAILED: &str = "FetchFailed";
/// A chart could not be packed.
pub const BUILD_FAILED: &str = "BuildFailed";
/// What is to be copied into a source is not there yet.
pub const INCLUDE_UNAVAILABLE: &str = "IncludeUnavailable";
/// An artifact could not be stored.
pub const STORAGE_OPERATION_FAILED: &str = "StorageOperationFailed";
/// A source is signed by someone who is trusted. Said only where that is demanded.
pub const SOURCE_VERIFIED: &str = "SourceVerified";
/// An artifact is stored.
pub const ARTIFACT_IN_STORAGE: &str = "ArtifactInStorage";

/// The longest message in bytes. A longer one is cut and ends in `...`.
pub const MESSAGE_LIMIT_BYTES: usize = 32_768;

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It cannot be said.
    Unknown,
}

impl fmt::Display for ConditionStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        })
    }
}

/// What is true of one aspect of an object, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// The aspect.
    #[serde(rename = "type")]
    #[schemars(
        length(max = 316),
        regex(
            pattern = r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"
        )
    )]
    pub type_: String,

    /// Whether it holds.
    pub status: ConditionStatus,

    /// The generation of the object that this was said about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,

    /// Since when status, reason and message have been what they are.
    pub last_transition_time: Time,

    /// Why, in one word for programs.
    #[schemars(length(min = 1, max = 1024), regex(pattern = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"))]
    pub reason: String,

    /// Why, in words for people.
    #[schemars(length(max = 32768))]
    pub message: String,
}

/// What is to be said about one aspect of an object: a condition that does not know its time yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The aspect.
    pub type_: &'static str,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// Why, in one word for programs.
    pub reason: &'static str,
    /// Why, in words for people. Of any length.
    pub message: String,
}

impl Verdict {
    /// The aspect `type_` holds.
    pub fn holds(type_: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self { type_, status: ConditionStatus::True, reason, message: message.into() }
    }

    /// The aspect `type_` does not hold.
    pub fn fails(type_: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self { type_, status: ConditionStatus::False, reason, message: message.into() }
    }

    /// Whether the aspect `type_` holds cannot be said.
    pub fn unknown(type_: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self { type_, status: ConditionStatus::Unknown, reason, message: message.into() }
    }
}

/// The conditions of an object, at most one for each type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Conditions(Vec<Condition>);

impl Conditions {
    /// Says `verdict` about the object's `generation`.
    ///
    /// The time stays when only the generation is new. Saying `Stalled` or `Reconciling` removes the other one.
    pub fn set(&mut self, verdict: Verdict, generation: Option<i64>, now: Timestamp) {
        match verdict.type_ {
            STALLED => self.remove(RECONCILING),
            RECONCILING => self.remove(STALLED),
            _ => {}
        }
        let mut condition = Condition {
            type_: verdict.type_.to_owned(),
            status: verdict.status,
            observed_generation: generation,
            last_transition_time: now.into(),
            reason: verdict.reason.to_owned(),
            message: cut(verdict.message),
        };
        if let Some(before) = self.get(verdict.type_)
            && (before.status, &before.reason, &before.message)
                == (condition.status, &condition.reason, &condition.message)
        {
            condition.last_transition_time = before.last_transition_time;
        }
        self.remove(verdict.type_);
        self.0.push(condition);
        self.0.sort_by(|a, b| order(a).cmp(&order(b)));
    }

    /// Says nothing about the aspect `type_` any more.
    pub fn remove(&mut self, type_: &str) {
        self.0.retain(|condition| condition.type_ != type_);
    }

    /// What is said about the aspect `type_`.
    pub fn get(&self, type_: &str) -> Option<&Condition> {
        self.0.iter().find(|condition| condition.type_ == type_)
    }

    /// Whether the aspect `type_` is known to hold.
    pub fn is_true(&self, type_: &str) -> bool {
        self.get(type_).is_some_and(|condition| condition.status == ConditionStatus::True)
    }

    /// Whether the aspect `type_` is known not to hold.
    pub fn is_false(&self, type_: &str) -> bool {
        self.get(type_).is_some_and(|condition| condition.status == ConditionStatus::False)
    }

    /// Whether nothing is said about the object.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All conditions, in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Condition> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a Conditions {
    type Item = &'a Condition;
    type IntoIter = std::slice::Iter<'a, Condition>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromIterator<Condition> for Conditions {
    fn from_iter<I: IntoIterator<Item = Condition>>(conditions: I) -> Self {
        Self(conditions.into_iter().collect())
    }
}

impl JsonSchema for Conditions {
    fn schema_name() -> Cow<'static, str> {
        "Conditions".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<Condition>::json_schema(generator)
    }
}

/// What decides the place of `condition`: first what tells whether to wait, then the newest.
fn order(condition: &Condition) -> (usize, Reverse<Option<i64>>, &str) {
    let place = [STALLED, RECONCILING, READY].iter().position(|first| *first == condition.type_);
    match place {
        Some(place) => (place, Reverse(None), ""),
        None => (3, Reverse(condition.observed_generation), &condition.type_),
    }
}

/// Cuts `message` to [`MESSAGE_LIMIT_BYTES`], between characters.
fn cut(mut message: String) -> String {
    const END: &str = "...";
    if message.len() > MESSAGE_LIMIT_BYTES {
        message.truncate(message.floor_char_boundary(MESSAGE_LIMIT_BYTES - END.len()));
        message.push_str(END);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    const GENERATION: Option<i64> = Some(3);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    /// The conditions, one a line, with the second since when they hold.
    fn show(conditions: &Conditions) -> String {
        let lines = conditions.iter().map(|condition| {
            let Condition { type_, status, reason, message, .. } = condition;
            let since = condition.last_transition_time.as_timestamp().as_second();
            let generation = condition.observed_generation.unwrap_or_default();
            format!("{type_}={status} {reason} `{message}` of generation {generation} since {since}")
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn after(verdicts: &[(Verdict, i64, i64)]) -> Conditions {
        let mut conditions = Conditions::default();
        for (verdict, generation, second) in verdicts {
            conditions.set(verdict.clone(), Some(*generation), at(*second));
        }
        conditions
    }

    #[test]
    fn the_time_changes_with_status_reason_or_message_and_with_nothing_else() {
        let said = Verdict::fails(READY, "BuildFailed", "first");
        for (case, now, since) in [
            ("nothing", said.clone(), 10),
            ("the status", Verdict::unknown(READY, "BuildFailed", "first"), 20),
            ("the reason", Verdict::fails(READY, "PruneFailed", "first"), 20),
            ("the message", Verdict::fails(READY, "BuildFailed", "second"), 20),
        ] {
            let conditions = after(&[(said.clone(), 1, 10), (now, 2, 20)]);
            let ready = conditions.get(READY).expect("it was set");
            assert_eq!(ready.last_transition_time, at(since).into(), "{case} changes");
            assert_eq!(ready.observed_generation, Some(2), "{case} changes");
        }
    }

    #[test]
    fn conditions_stand_in_the_order_in_which_they_matter() {
        let conditions = after(&[
            (Verdict::holds(HEALTHY, "Succeeded", "all"), 3, 1),
            (Verdict::holds(ARTIFACT_IN_STORAGE, "Succeeded", "stored"), 3, 2),
            (Verdict::holds("Approved", "Asked", "by hand"), 2, 3),
            (Verdict::unknown(READY, "Progressing", "building"), 3, 4),
            (Verdict::holds(RECONCILING, "Progressing", "building"), 3, 5),
        ]);
        insta::assert_snapshot!(show(&conditions), @r"
        Reconciling=True Progressing `building` of generation 3 since 5
        Ready=Unknown Progressing `building` of generation 3 since 4
        ArtifactInStorage=True Succeeded `stored` of generation 3 since 2
        Healthy=True Succeeded `all` of generation 3 since 1
        Approved=True Asked `by hand` of generation 2 since 3
        ");
    }

    #[test]
    fn an_object_is_never_stalled_and_reconciling_at_once() {
        let mut conditions = after(&[(Verdict::holds(RECONCILING, "Progressing", "building"), 1, 1)]);
        conditions.set(Verdict::holds(STALLED, "AccessDenied", "no"), GENERATION, at(2));
        insta::assert_snapshot!(show(&conditions), @"Stalled=True AccessDenied `no` of generation 3 since 2");

        conditions.set(Verdict::holds(RECONCILING, "Progressing", "again"), GENERATION, at(3));
        insta::assert_snapshot!(show(&conditions), @"Reconciling=True Progressing `again` of generation 3 since 3");
    }

    #[test]
    fn what_is_removed_is_no_longer_said() {
        let mut conditions = after(&[(Verdict::holds(READY, "Succeeded", ""), 1, 1)]);
        assert!(conditions.is_true(READY) && !conditions.is_false(READY));
        conditions.remove(READY);
        assert!(conditions.is_empty() && !conditions.is_true(READY) && !conditions.is_false(READY));
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        for (case, message, length, end) in [
            ("as long as may be", "a".repeat(MESSAGE_LIMIT_BYTES), MESSAGE_LIMIT_BYTES, "aaa"),
            ("one byte longer", "a".repeat(MESSAGE_LIMIT_BYTES + 1), MESSAGE_LIMIT_BYTES, "a..."),
            ("of wide characters", "€".repeat(MESSAGE_LIMIT_BYTES), MESSAGE_LIMIT_BYTES - 2, "€..."),
        ] {
            let conditions = after(&[(Verdict::fails(READY, "BuildFailed", message), 1, 1)]);
            let cut = &conditions.get(READY).expect("it was set").message;
            assert_eq!(cut.len(), length, "{case}");
            assert!(cut.ends_with(end), "{case}");
        }
    }

    #[test]
    fn a_condition_reads_and_prints_as_flux_writes_it() {
        let written = serde_json::json!([{
            "type": "Ready",
            "status": "False",
            "observedGeneration": 3,
            "lastTransitionTime": "2026-01-05T10:00:00Z",
            "reason": "BuildFailed",
            "message": "no such file",
        }]);
        let conditions: Conditions = serde_json::from_value(written.clone()).expect("conditions");
        assert!(conditions.is_false(READY));
        assert_eq!(serde_json::to_value(&conditions).expect("conditions"), written);
    }
}
