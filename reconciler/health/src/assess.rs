//! The order in which rules are asked.

use jiff::Timestamp;
use serde_json::Value;

use crate::{Health, HealthRules, kinds, read::Object};

/// What the verdict on some objects depends on beside the object.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The pods that a `StatefulSet` or `ReplicaSet` selects, if they were read: one that failed fails their owner.
    pub pods: &'a [Value],
    /// The time: a pod may be unschedulable for a while before it has failed.
    pub now: Timestamp,
}

/// What the status of `object` says about it, by the rule for its kind in `rules` or else by the built-in ones.
pub fn assess(object: &Value, rules: &HealthRules, around: &Surroundings<'_>) -> Health {
    if object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null()) {
        return Health::Terminating;
    }
    if let Some(verdict) = rules.assess(object) {
        return verdict;
    }
    let object = Object(object);
    unobserved(object)
        .or_else(|| abnormal(object))
        .or_else(|| kinds::assess(object, around))
        .or_else(|| readiness(object))
        .unwrap_or(Health::Current)
}

/// A verdict on an object whose controller has not seen its latest generation.
pub(crate) fn unobserved(object: Object<'_>) -> Option<Health> {
    let observed = object.0.pointer("/status/observedGeneration").filter(|observed| !observed.is_null())?;
    let Some(observed) = observed.as_i64() else {
        return Some(Health::Unknown("status.observedGeneration is not an integer".to_owned()));
    };
    let generation = object.integer("/metadata/generation", 0);
    let message = || format!("generation is {generation}, but latest observed generation is {observed}");
    (observed != generation).then(|| Health::InProgress(message()))
}

/// A verdict from the conditions that are only there when something is unfinished or wrong; the first one counts.
fn abnormal(object: Object<'_>) -> Option<Health> {
    object.conditions().filter(|condition| condition.status == "True").find_map(|condition| match condition.type_ {
        "Reconciling" => Some(Health::InProgress(condition.message.to_owned())),
        "Stalled" => Some(Health::Failed(condition.message.to_owned())),
        _ => None,
    })
}

/// A verdict from the condition `Ready`. It never fails an object: not being ready may pass.
fn readiness(object: Object<'_>) -> Option<Health> {
    let ready = object.condition("Ready")?;
    match ready.status {
        "True" => Some(Health::Current),
        "False" | "Unknown" => Some(Health::InProgress(ready.message.to_owned())),
        _ => None,
    }
}
