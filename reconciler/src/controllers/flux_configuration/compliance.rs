//! Compliance: from the states of Flux objects to the one word for a configuration.
//!
//! # Follows Azure Arc
//! The words and what they mean. How they add up is not published there, so the rules are these, in their order:
//!
//! 1. `Suspended` if the configuration is.
//! 2. `Unknown` if none of its objects has ever been reported.
//! 3. `Pending` if its present spec has not been brought about.
//! 4. `NonCompliant` if an object failed.
//! 5. `Pending` if an object is being worked on, is behind its spec or its source, or waits for one that is pending.
//! 6. `NonCompliant` if an object waits for one that failed.
//! 7. `Suspended` if an object was suspended on its own.
//! 8. `Compliant` otherwise.

use std::slice;

use fairlead_api::{
    conditions::{ConditionStatus, READY},
    fairlead::ComplianceState,
    reasons::{self, kustomization as reason},
};

use super::facts::{Facts, Part};
use crate::controllers::ObjectKey;

/// The state of a configuration, from what it asks for and the states of its objects.
pub(super) fn roll_up(is_suspended: bool, is_provisioned: bool, states: &[ComplianceState]) -> ComplianceState {
    let has = |state| states.contains(&state);
    if is_suspended {
        ComplianceState::Suspended
    } else if states.iter().all(|state| *state == ComplianceState::Unknown) {
        ComplianceState::Unknown
    } else if !is_provisioned {
        ComplianceState::Pending
    } else if has(ComplianceState::NonCompliant) {
        ComplianceState::NonCompliant
    } else if has(ComplianceState::Pending) || has(ComplianceState::Unknown) {
        ComplianceState::Pending
    } else if has(ComplianceState::Suspended) {
        ComplianceState::Suspended
    } else {
        ComplianceState::Compliant
    }
}

/// The state of one of `parts`; `Unknown` for one that is not served here.
pub(super) fn state_of(part: &Part, parts: &[Part]) -> ComplianceState {
    Walk { parts, path: Vec::new() }.state(part)
}

/// A way along what waits for what. An object that waits for itself in the end is pending.
struct Walk<'a> {
    parts: &'a [Part],
    path: Vec<&'a ObjectKey>,
}

impl<'a> Walk<'a> {
    fn state(&mut self, part: &'a Part) -> ComplianceState {
        let Some(facts) = &part.facts else { return ComplianceState::Unknown };
        if facts.is_suspended {
            return ComplianceState::Suspended;
        }
        if facts.is_name_only {
            return ComplianceState::Compliant;
        }
        let Some(ready) = facts.conditions.get(READY) else { return ComplianceState::Unknown };
        if ready.observed_generation.is_some() && ready.observed_generation != facts.generation {
            return ComplianceState::Pending;
        }
        match ready.status {
            ConditionStatus::Unknown => ComplianceState::Pending,
            ConditionStatus::True if self.is_behind(facts) => ComplianceState::Pending,
            ConditionStatus::True => ComplianceState::Compliant,
            ConditionStatus::False => match ready.reason.as_str() {
                reasons::PROGRESSING => ComplianceState::Pending,
                reason::DEPENDENCY_NOT_READY => self.waiting_for(part, "Kustomization", &facts.dependencies),
                reason::ARTIFACT_FAILED if !self.has_tried(facts) => match &facts.source {
                    Some(source) => self.waiting_for(part, source.kind.name(), slice::from_ref(&source.key)),
                    None => ComplianceState::Pending,
                },
                _ => ComplianceState::NonCompliant,
            },
        }
    }

    /// Whether an object that is ready is not yet where it should be.
    fn is_behind(&self, facts: &Facts) -> bool {
        let source = self.source(facts);
        let wanted = source.and_then(|source| source.facts.as_ref()?.revision.as_ref());
        let is_outdated = wanted.is_some_and(|wanted| facts.revision.as_ref() != Some(wanted));
        facts.observed_generation != facts.generation || is_outdated
    }

    /// Whether a Kustomization has come so far as to try the revision that its source has.
    fn has_tried(&self, facts: &Facts) -> bool {
        let source = self.source(facts);
        let Some(source) = source.and_then(|source| source.facts.as_ref()) else { return true };
        source.revision.is_some() && source.revision == facts.attempted
    }

    /// The state of `part`, which waits for the objects `keys`.
    fn waiting_for(&mut self, part: &'a Part, kind: &str, keys: &'a [ObjectKey]) -> ComplianceState {
        if self.path.contains(&&part.key) {
            return ComplianceState::Pending;
        }
        self.path.push(&part.key);
        let has_failed = keys.iter().any(|key| {
            let found = self.find(kind, key);
            found.is_some_and(|found| self.state(found) == ComplianceState::NonCompliant)
        });
        self.path.pop();
        if has_failed { ComplianceState::NonCompliant } else { ComplianceState::Pending }
    }

    fn source(&self, facts: &Facts) -> Option<&'a Part> {
        facts.source.as_ref().and_then(|source| self.find(source.kind.name(), &source.key))
    }

    fn find(&self, kind: &str, key: &ObjectKey) -> Option<&'a Part> {
        self.parts.iter().find(|part| part.kind == kind && part.key == *key)
    }
}

#[cfg(test)]
mod tests {
    use ComplianceState::{Compliant, NonCompliant, Pending, Suspended, Unknown};
    use fairlead_api::{
        conditions::{Conditions, Verdict},
        kustomize::SourceKind,
    };
    use jiff::Timestamp;

    use super::*;
    use crate::controllers::SourceName;

    #[test]
    fn the_states_of_objects_add_up_by_the_rules() {
        for (rule, is_suspended, is_provisioned, states, expected) in [
            ("1: suspended, whatever else", true, false, &[NonCompliant][..], Suspended),
            ("2: nothing there", false, true, &[], Unknown),
            ("2: nothing reported", false, true, &[Unknown, Unknown], Unknown),
            ("3: a spec that was not brought about", false, false, &[Compliant, NonCompliant], Pending),
            ("4: a failure", false, true, &[Compliant, Pending, NonCompliant], NonCompliant),
            ("5: something pending", false, true, &[Compliant, Pending, Suspended], Pending),
            ("5: something not reported yet", false, true, &[Compliant, Unknown], Pending),
            ("7: one that is suspended on its own", false, true, &[Compliant, Suspended], Suspended),
            ("8: all is well", false, true, &[Compliant, Compliant], Compliant),
        ] {
            assert_eq!(roll_up(is_suspended, is_provisioned, states), expected, "{rule}");
        }
    }

    fn key(name: &str) -> ObjectKey {
        ObjectKey::new("shop", name)
    }

    fn said(verdict: Verdict, generation: i64) -> Conditions {
        let mut conditions = Conditions::default();
        conditions.set(verdict, Some(generation), Timestamp::UNIX_EPOCH);
        conditions
    }

    fn source(verdict: Verdict) -> Part {
        let facts = Facts {
            generation: Some(1),
            observed_generation: Some(1),
            conditions: said(verdict, 1),
            revision: Some("main@sha1:2".to_owned()),
            ..Facts::default()
        };
        Part { kind: "GitRepository".to_owned(), key: key("shop"), applied_by: None, facts: Some(facts) }
    }

    /// A Kustomization at the source's revision that waits for `dependency`.
    fn kustomization(name: &str, dependency: &str, verdict: Verdict) -> Part {
        let facts = Facts {
            generation: Some(1),
            observed_generation: Some(1),
            conditions: said(verdict, 1),
            revision: Some("main@sha1:2".to_owned()),
            attempted: Some("main@sha1:2".to_owned()),
            source: Some(SourceName { kind: SourceKind::GitRepository, key: key("shop") }),
            dependencies: vec![key(dependency)],
            ..Facts::default()
        };
        Part { kind: "Kustomization".to_owned(), key: key(name), applied_by: None, facts: Some(facts) }
    }

    fn ready() -> Verdict {
        Verdict::holds(READY, "ReconciliationSucceeded", "applied")
    }

    fn failed(reason: &'static str) -> Verdict {
        Verdict::fails(READY, reason, "no")
    }

    #[test]
    fn an_object_is_as_its_conditions_and_what_it_waits_for_say() {
        let waiting = || failed(reason::DEPENDENCY_NOT_READY);
        let changed = |mut part: Part, change: fn(&mut Facts)| {
            part.facts.as_mut().map(change);
            part
        };
        let app = |verdict| kustomization("app", "infra", verdict);
        let untried = || changed(app(failed(reason::ARTIFACT_FAILED)), |facts| facts.attempted = None);
        let without_artifact = |verdict| changed(source(verdict), |facts| facts.revision = None);
        let infra = |verdict| kustomization("infra", "none", verdict);
        let well = source(ready());
        for (case, app, infra, source, expected) in vec![
            ("ready", app(ready()), infra(ready()), well.clone(), Compliant),
            (
                "nothing said yet",
                changed(app(ready()), |facts| facts.conditions = Conditions::default()),
                infra(ready()),
                well.clone(),
                Unknown,
            ),
            (
                "suspended on its own",
                changed(app(ready()), |facts| facts.is_suspended = true),
                infra(ready()),
                well.clone(),
                Suspended,
            ),
            (
                "only a name for others",
                changed(app(failed("BuildFailed")), |facts| facts.is_name_only = true),
                infra(ready()),
                well.clone(),
                Compliant,
            ),
            (
                "said about an older spec",
                changed(app(ready()), |facts| facts.generation = Some(2)),
                infra(ready()),
                well.clone(),
                Pending,
            ),
            (
                "reconciled an older spec",
                changed(app(ready()), |facts| facts.observed_generation = Some(0)),
                infra(ready()),
                well.clone(),
                Pending,
            ),
            (
                "at an older revision",
                changed(app(ready()), |facts| facts.revision = Some("main@sha1:1".to_owned())),
                infra(ready()),
                well.clone(),
                Pending,
            ),
            ("working", app(Verdict::unknown(READY, "Progressing", "")), infra(ready()), well.clone(), Pending),
            ("a build that failed", app(failed("BuildFailed")), infra(ready()), well.clone(), NonCompliant),
            (
                "a path that is not there",
                app(failed(reason::ARTIFACT_FAILED)),
                infra(ready()),
                well.clone(),
                NonCompliant,
            ),
            (
                "a dependency that works",
                app(waiting()),
                infra(Verdict::unknown(READY, "Progressing", "")),
                well.clone(),
                Pending,
            ),
            ("a dependency that is ready by now", app(waiting()), infra(ready()), well.clone(), Pending),
            ("a dependency that failed", app(waiting()), infra(failed("BuildFailed")), well.clone(), NonCompliant),
            (
                "dependencies that wait for each other",
                app(waiting()),
                kustomization("infra", "app", waiting()),
                well.clone(),
                Pending,
            ),
            (
                "a source that is fetched",
                untried(),
                infra(ready()),
                without_artifact(Verdict::unknown(READY, "Progressing", "")),
                Pending,
            ),
            ("a source that is there by now", untried(), infra(ready()), well, Pending),
            (
                "a source that failed",
                untried(),
                infra(ready()),
                without_artifact(failed("AuthenticationFailed")),
                NonCompliant,
            ),
        ] {
            let parts = [source, infra, app];
            assert_eq!(state_of(&parts[2], &parts), expected, "{case}");
        }
    }
}
