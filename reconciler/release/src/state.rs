//! How a release stands: what is recorded of it, compared with what is asked for.
//!
//! # Follows Flux
//! The states and the order in which they are looked for. Whether the cluster is as the record says is asked elsewhere.

use fairlead_api::helm::Snapshot;

use crate::{Release, Status, digest};

/// What is known of a release.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Its newest record.
    pub last: Option<&'a Release>,
    /// Its newest revision, as it was last seen here.
    pub snapshot: Option<&'a Snapshot>,
    /// Name and version of the chart that is asked for.
    pub chart: (&'a str, &'a str),
    /// Digest of the values that are asked for.
    pub config_digest: &'a str,
    /// What is done with rendered objects, where that is not what was last done.
    pub other_overlay: Option<&'a str>,
    /// Whether it is to be tested.
    pub is_tested: bool,
    /// Whether a failed test is a failure.
    pub is_failed_by_tests: bool,
}

/// How a release stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is not installed.
    Absent,
    /// Someone else has made another revision, or the first one.
    Unmanaged,
    /// Something else is asked for, and what.
    OutOfSync(&'static str),
    /// What was being done to it was cut off.
    Locked(Status),
    /// It is as it should be, and was not tested.
    Untested,
    /// It is as it should be.
    InSync,
    /// What made it failed, or a test.
    Failed,
    /// It is in a state that nothing is known to follow.
    Unknown(Status),
}

/// How the release stands that `seen` tells of.
pub fn determine(seen: &Seen<'_>) -> State {
    let Some(last) = seen.last else { return State::Absent };
    let status = last.info.status;
    if status.is_pending() {
        return State::Locked(status);
    }
    let Some(snapshot) = seen.snapshot.filter(|snapshot| is_of(snapshot, last)) else {
        let is_gone = seen.snapshot.is_none() && status == Status::Uninstalled;
        return if is_gone { State::Absent } else { State::Unmanaged };
    };
    match status {
        Status::Failed => State::Failed,
        Status::Uninstalled | Status::Uninstalling => State::Absent,
        Status::Deployed => deployed(seen, last, snapshot),
        Status::Superseded
        | Status::Unknown
        | Status::PendingInstall
        | Status::PendingUpgrade
        | Status::PendingRollback => State::Unknown(status),
    }
}

fn deployed(seen: &Seen<'_>, last: &Release, snapshot: &Snapshot) -> State {
    if (last.chart_name(), last.chart_version()) != seen.chart {
        return State::OutOfSync("chart name or version has changed");
    }
    if digest::of_values(&last.config) != seen.config_digest {
        return State::OutOfSync("values have changed");
    }
    if let Some(what) = seen.other_overlay {
        return State::OutOfSync(match what {
            "postRenderers" => "post-renderers have changed",
            _ => "common metadata has changed",
        });
    }
    if seen.is_tested && !snapshot.is_tested() {
        return State::Untested;
    }
    if seen.is_tested && seen.is_failed_by_tests && snapshot.has_failed_test() {
        return State::Failed;
    }
    State::InSync
}

/// Whether `snapshot` tells of `release` as it is now.
pub(crate) fn is_of(snapshot: &Snapshot, release: &Release) -> bool {
    let is_same =
        snapshot.name == release.name && snapshot.namespace == release.namespace && snapshot.version == release.version;
    let is_ours = snapshot.api_version.as_deref() == Some(digest::RULE);
    is_same && (!is_ours || snapshot.digest == digest::of_release(release))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{release, snapshot};

    #[test]
    fn a_release_stands_as_its_record_and_what_is_asked_for_say() {
        let deployed = release(2, Status::Deployed);
        let known = snapshot(&deployed);
        let values = digest::of_values(&deployed.config);
        let base = Seen {
            last: Some(&deployed),
            snapshot: Some(&known),
            chart: ("web", "1.0.0"),
            config_digest: &values,
            other_overlay: None,
            is_tested: false,
            is_failed_by_tests: true,
        };
        let in_state = |status| (release(2, status), snapshot(&release(2, status)));
        let failed = in_state(Status::Failed);
        let pending = in_state(Status::PendingUpgrade);
        let gone = in_state(Status::Uninstalled);
        let by_hand = release(3, Status::Deployed);
        let edited = Release { config: serde_json::from_value(json!({"a": 1})).expect("a map"), ..deployed.clone() };
        for (case, seen, state) in [
            ("all is well", base, State::InSync),
            ("no record", Seen { last: None, ..base }, State::Absent),
            ("cut off", Seen { last: Some(&pending.0), ..base }, State::Locked(Status::PendingUpgrade)),
            ("never seen here", Seen { snapshot: None, ..base }, State::Unmanaged),
            ("never seen, uninstalled", Seen { last: Some(&gone.0), snapshot: None, ..base }, State::Absent),
            ("another revision", Seen { last: Some(&by_hand), ..base }, State::Unmanaged),
            ("another record", Seen { last: Some(&edited), ..base }, State::Unmanaged),
            ("failed", Seen { last: Some(&failed.0), snapshot: Some(&failed.1), ..base }, State::Failed),
            ("uninstalled", Seen { last: Some(&gone.0), snapshot: Some(&gone.1), ..base }, State::Absent),
            (
                "another chart",
                Seen { chart: ("web", "2.0.0"), ..base },
                State::OutOfSync("chart name or version has changed"),
            ),
            ("other values", Seen { config_digest: "x", ..base }, State::OutOfSync("values have changed")),
            ("untested", Seen { is_tested: true, ..base }, State::Untested),
        ] {
            assert_eq!(determine(&seen), state, "{case}");
        }
    }

    #[test]
    fn the_digests_of_flux_are_passed_by() {
        let deployed = release(2, Status::Deployed);
        let theirs =
            Snapshot { api_version: Some("v2".to_owned()), digest: "sha256:00".to_owned(), ..snapshot(&deployed) };
        assert!(is_of(&theirs, &deployed));
    }
}
