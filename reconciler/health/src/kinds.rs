//! The rules for kinds that Kubernetes itself serves.

use jiff::{SignedDuration, Timestamp};

use crate::{Health, Surroundings, read::Object};

/// How long a pod may be unschedulable before it has failed: until then a node may be on its way.
const SCHEDULING_GRACE: SignedDuration = SignedDuration::from_secs(15);

/// Value of `progressDeadlineSeconds` that means none.
const NO_DEADLINE: i64 = i32::MAX as i64;

/// The verdict of the rule for the object's kind, if its kind has one.
pub(crate) fn assess(object: Object<'_>, around: &Surroundings<'_>) -> Option<Health> {
    let verdict = match (object.group(), object.kind()) {
        ("apps" | "extensions", "Deployment") => deployment(object),
        ("apps", "StatefulSet") => with_pods(stateful_set(object), around),
        ("apps" | "extensions", "ReplicaSet") => with_pods(replica_set(object), around),
        ("apps" | "extensions", "DaemonSet") => daemon_set(object),
        ("batch", "Job") => job(object),
        ("", "Pod") => pod(object, around.now),
        ("", "PersistentVolumeClaim") => claim(object),
        ("", "Service") => service(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(object),
        ("", "Secret" | "ConfigMap") | ("batch", "CronJob") | ("policy", "PodDisruptionBudget") => Health::Current,
        _ => return None,
    };
    Some(verdict)
}

/// The first of these that does not hold is what the object waits for; if all hold, it is current.
fn current_when(checks: &[(bool, String)]) -> Health {
    checks.iter().find(|(holds, _)| !holds).map_or(Health::Current, |(_, unmet)| Health::InProgress(unmet.clone()))
}

/// Requires `count` to reach `wanted`.
fn reaches(what: &str, count: i64, wanted: i64) -> (bool, String) {
    (count >= wanted, format!("{what}: {count}/{wanted}"))
}

/// Requires that `count` is no more than `wanted`.
fn not_above(count: i64, wanted: i64) -> (bool, String) {
    (count <= wanted, format!("Pending termination: {}", count - wanted))
}

fn deployment(object: Object<'_>) -> Health {
    let progressing = object.condition("Progressing");
    if let Some(condition) = progressing.filter(|condition| condition.reason == "ProgressDeadlineExceeded") {
        return Health::Failed(message_or(condition.message, "Progress deadline exceeded"));
    }
    let has_deadline = object.integer("/spec/progressDeadlineSeconds", NO_DEADLINE) != NO_DEADLINE;
    let is_rolled_out =
        progressing.is_some_and(|condition| condition.status == "True" && condition.reason == "NewReplicaSetAvailable");
    let wanted = object.integer("/spec/replicas", 1);
    let count = |field: &str| object.integer(&format!("/status/{field}"), 0);
    current_when(&[
        reaches("Replicas", count("replicas"), wanted),
        reaches("Updated", count("updatedReplicas"), wanted),
        not_above(count("replicas"), wanted),
        reaches("Available", count("availableReplicas"), count("updatedReplicas")),
        reaches("Ready", count("readyReplicas"), wanted),
        (!has_deadline || is_rolled_out, "ReplicaSet not available".to_owned()),
        (object.has_condition("Available"), "Deployment not available".to_owned()),
    ])
}

fn stateful_set(object: Object<'_>) -> Health {
    if object.text("/spec/updateStrategy/type") == "OnDelete" {
        return Health::Current;
    }
    let wanted = object.integer("/spec/replicas", 1);
    let count = |field: &str| object.integer(&format!("/status/{field}"), 0);
    let scaled = current_when(&[
        reaches("Replicas", count("replicas"), wanted),
        reaches("Ready", count("readyReplicas"), wanted),
        not_above(count("replicas"), wanted),
    ]);
    if !scaled.is_current() {
        return scaled;
    }
    match object.0.pointer("/spec/updateStrategy/rollingUpdate/partition").and_then(serde_json::Value::as_i64) {
        Some(partition) => current_when(&[reaches("Updated", count("updatedReplicas"), wanted - partition)]),
        None => current_when(&[
            reaches("Current", count("currentReplicas"), wanted),
            (
                object.text("/status/currentRevision") == object.text("/status/updateRevision"),
                "Waiting for updated revision to match current revision".to_owned(),
            ),
        ]),
    }
}

fn replica_set(object: Object<'_>) -> Health {
    let wanted = object.integer("/spec/replicas", 1);
    let count = |field: &str| object.integer(&format!("/status/{field}"), 0);
    current_when(&[
        (!object.has_condition("ReplicaFailure"), "Replica failure: see its pods".to_owned()),
        reaches("Labelled", count("fullyLabeledReplicas"), wanted),
        reaches("Available", count("availableReplicas"), wanted),
        reaches("Ready", count("readyReplicas"), wanted),
        not_above(count("replicas"), wanted),
    ])
}

fn daemon_set(object: Object<'_>) -> Health {
    let has_generations = ["/metadata/generation", "/status/observedGeneration"]
        .iter()
        .all(|pointer| object.0.pointer(pointer).is_some());
    let wanted = object.integer("/status/desiredNumberScheduled", -1);
    let count = |field: &str| object.integer(&format!("/status/{field}"), 0);
    current_when(&[
        (has_generations, "Observed generation not known".to_owned()),
        (wanted >= 0, "Desired number of pods not known".to_owned()),
        reaches("Current", count("currentNumberScheduled"), wanted),
        reaches("Updated", count("updatedNumberScheduled"), wanted),
        reaches("Available", count("numberAvailable"), wanted),
        reaches("Ready", count("numberReady"), wanted),
    ])
}

/// Lets a failed pod fail its owner while that is in progress, unless the pod is on its way out or merely unschedulable.
fn with_pods(owner: Health, around: &Surroundings<'_>) -> Health {
    let Health::InProgress(_) = owner else { return owner };
    let has_failed = |pod: &Object<'_>| {
        let is_leaving = pod.0.pointer("/metadata/deletionTimestamp").is_some();
        !is_leaving && !is_unschedulable(*pod) && matches!(self::pod(*pod, around.now), Health::Failed(_))
    };
    match around.pods.iter().map(Object).find(has_failed) {
        Some(pod) => Health::Failed(format!("Pod {} has failed", pod.text("/metadata/name"))),
        None => owner,
    }
}

fn pod(object: Object<'_>, now: Timestamp) -> Health {
    match object.text("/status/phase") {
        "Succeeded" | "Failed" => Health::Current,
        "Running" => running_pod(object),
        "Pending" => pending_pod(object, now),
        "" => Health::InProgress("Pod phase not available".to_owned()),
        phase => Health::Unknown(format!("unknown pod phase `{phase}`")),
    }
}

fn running_pod(object: Object<'_>) -> Health {
    if object.has_condition("Ready") {
        return Health::Current;
    }
    let statuses = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"];
    let crashing = statuses
        .iter()
        .flat_map(|field| object.items(&format!("/status/{field}")))
        .find(|container| container.text("/state/waiting/reason") == "CrashLoopBackOff");
    match crashing {
        Some(container) => Health::Failed(format!("Container {} is crash looping", container.text("/name"))),
        None => Health::InProgress("Pod is running but not ready".to_owned()),
    }
}

fn pending_pod(object: Object<'_>, now: Timestamp) -> Health {
    if !is_unschedulable(object) {
        return Health::InProgress("Pod is pending".to_owned());
    }
    let created: Option<Timestamp> = object.text("/metadata/creationTimestamp").parse().ok();
    let is_overdue = created.is_some_and(|created| now.duration_since(created) > SCHEDULING_GRACE);
    if is_overdue {
        Health::Failed("Pod could not be scheduled".to_owned())
    } else {
        Health::InProgress("Pod has not been scheduled yet".to_owned())
    }
}

fn is_unschedulable(pod: Object<'_>) -> bool {
    pod.condition("PodScheduled")
        .is_some_and(|condition| condition.status == "False" && condition.reason == "Unschedulable")
}

/// A running Job is in progress, unlike in kstatus: its work counts, not its start.
fn job(object: Object<'_>) -> Health {
    if let Some(failed) = object.condition("Failed").filter(|condition| condition.status == "True") {
        return Health::Failed(message_or(failed.message, "Job has failed"));
    }
    let is_suspended = object.is_true("/spec/suspend") || object.has_condition("Suspended");
    if is_suspended || object.has_condition("Complete") {
        return Health::Current;
    }
    let count = |field: &str| object.integer(&format!("/status/{field}"), 0);
    let (succeeded, active, failed) = (count("succeeded"), count("active"), count("failed"));
    Health::InProgress(format!("Job in progress: {succeeded} succeeded, {active} active, {failed} failed"))
}

fn claim(object: Object<'_>) -> Health {
    let phase = object.text("/status/phase");
    current_when(&[(phase == "Bound", format!("claim is not bound, its phase is `{phase}`"))])
}

/// An address of the load balancer is not required.
fn service(object: Object<'_>) -> Health {
    let waits = object.text("/spec/type") == "LoadBalancer" && object.text("/spec/clusterIP").is_empty();
    current_when(&[(!waits, "clusterIP is not set".to_owned())])
}

fn definition(object: Object<'_>) -> Health {
    let is_false = |type_| object.condition(type_).filter(|condition| condition.status == "False");
    let refused =
        is_false("NamesAccepted").or(is_false("Established").filter(|condition| condition.reason != "Installing"));
    match refused {
        Some(condition) => Health::Failed(message_or(condition.message, "Definition was refused")),
        None => current_when(&[(object.has_condition("Established"), "Install in progress".to_owned())]),
    }
}

fn message_or(message: &str, otherwise: &str) -> String {
    if message.is_empty() { otherwise } else { message }.to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{HealthRules, assess as assess_object};

    const NOW: &str = "2026-01-01T00:01:00Z";

    fn verdict_with_pods(object: &Value, pods: &[Value]) -> String {
        let around = Surroundings { pods, now: NOW.parse().expect("a time") };
        assess_object(object, &HealthRules::none(), &around).to_string()
    }

    /// Checks rows of a name, a `spec`, a `status` and the verdict on an object of `kind` that has them.
    fn check(api_version: &str, kind: &str, rows: &[(&str, Value, Value, &str)]) {
        for (name, spec, status, expected) in rows {
            let object = json!({
                "apiVersion": api_version, "kind": kind,
                "metadata": {"name": "x", "generation": 2, "creationTimestamp": "2026-01-01T00:00:50Z"},
                "spec": spec, "status": status,
            });
            assert_eq!(verdict_with_pods(&object, &[]), *expected, "{kind}: {name}");
        }
    }

    fn condition(type_: &str, status: &str, reason: &str) -> Value {
        json!({"type": type_, "status": status, "reason": reason, "message": format!("{type_} is {status}")})
    }

    #[test]
    fn generic_conditions_and_generations() {
        let conditions = |list: &[Value]| json!({"conditions": list});
        let true_ = |type_| condition(type_, "True", "");
        check(
            "example.com/v1",
            "Widget",
            &[
                ("nothing said", json!({}), json!({}), "Current"),
                ("latest generation seen", json!({}), json!({"observedGeneration": 2}), "Current"),
                (
                    "old generation seen",
                    json!({}),
                    json!({"observedGeneration": 1}),
                    "InProgress: generation is 2, but latest observed generation is 1",
                ),
                (
                    "generation is a text",
                    json!({}),
                    json!({"observedGeneration": "2"}),
                    "Unknown: status.observedGeneration is not an integer",
                ),
                (
                    "reconciling",
                    json!({}),
                    conditions(&[true_("Reconciling"), true_("Ready")]),
                    "InProgress: Reconciling is True",
                ),
                ("stalled", json!({}), conditions(&[true_("Stalled")]), "Failed: Stalled is True"),
                (
                    "stalled before reconciling",
                    json!({}),
                    conditions(&[true_("Stalled"), true_("Reconciling")]),
                    "Failed: Stalled is True",
                ),
                ("not stalled", json!({}), conditions(&[condition("Stalled", "False", "")]), "Current"),
                ("ready", json!({}), conditions(&[true_("Ready")]), "Current"),
                (
                    "not ready never fails",
                    json!({}),
                    conditions(&[condition("Ready", "False", "")]),
                    "InProgress: Ready is False",
                ),
                (
                    "readiness unknown",
                    json!({}),
                    conditions(&[condition("Ready", "Unknown", "")]),
                    "InProgress: Ready is Unknown",
                ),
            ],
        );
    }

    #[test]
    fn an_object_on_its_way_out_is_terminating_whatever_its_kind() {
        for kind in ["Widget", "Deployment", "Secret"] {
            let object = json!({"apiVersion": "v1", "kind": kind, "metadata": {"deletionTimestamp": NOW}});
            assert_eq!(verdict_with_pods(&object, &[]), "Terminating", "{kind}");
        }
    }

    #[test]
    fn deployments() {
        let status = |replicas: i64, updated: i64, available: i64, ready: i64, reason: &str| {
            json!({
                "replicas": replicas, "updatedReplicas": updated, "availableReplicas": available, "readyReplicas": ready,
                "conditions": [condition("Progressing", "True", reason), condition("Available", "True", "")],
            })
        };
        let spec = json!({"replicas": 2, "progressDeadlineSeconds": 600});
        let available = "NewReplicaSetAvailable";
        check(
            "apps/v1",
            "Deployment",
            &[
                ("rolled out", spec.clone(), status(2, 2, 2, 2, available), "Current"),
                ("one replica by default", json!({}), status(1, 1, 1, 1, available), "Current"),
                ("scaled to none", json!({"replicas": 0}), status(0, 0, 0, 0, available), "Current"),
                ("just created", spec.clone(), json!({}), "InProgress: Replicas: 0/2"),
                ("too few replicas", spec.clone(), status(1, 2, 2, 2, available), "InProgress: Replicas: 1/2"),
                ("too few updated", spec.clone(), status(2, 1, 2, 2, available), "InProgress: Updated: 1/2"),
                (
                    "too many replicas",
                    spec.clone(),
                    status(3, 2, 2, 2, available),
                    "InProgress: Pending termination: 1",
                ),
                ("too few available", spec.clone(), status(2, 2, 1, 2, available), "InProgress: Available: 1/2"),
                ("too few ready", spec.clone(), status(2, 2, 2, 1, available), "InProgress: Ready: 1/2"),
                (
                    "still rolling out",
                    spec.clone(),
                    status(2, 2, 2, 2, "ReplicaSetUpdated"),
                    "InProgress: ReplicaSet not available",
                ),
                ("without a deadline", json!({"replicas": 2}), status(2, 2, 2, 2, "ReplicaSetUpdated"), "Current"),
                (
                    "the largest deadline is none",
                    json!({"replicas": 2, "progressDeadlineSeconds": NO_DEADLINE}),
                    status(2, 2, 2, 2, ""),
                    "Current",
                ),
                (
                    "deadline exceeded",
                    spec.clone(),
                    status(2, 1, 1, 1, "ProgressDeadlineExceeded"),
                    "Failed: Progressing is True",
                ),
                (
                    "not available",
                    json!({"replicas": 0}),
                    json!({"conditions": [condition("Available", "False", "")]}),
                    "InProgress: Deployment not available",
                ),
            ],
        );
    }

    #[test]
    fn stateful_sets() {
        let status = |replicas: i64, ready: i64, current: i64, updated: i64, revision: &str| {
            json!({
                "replicas": replicas, "readyReplicas": ready, "currentReplicas": current, "updatedReplicas": updated,
                "currentRevision": "a", "updateRevision": revision,
            })
        };
        let partition = |partition: i64| json!({"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}});
        let spec = json!({"replicas": 3});
        check(
            "apps/v1",
            "StatefulSet",
            &[
                ("rolled out", spec.clone(), status(3, 3, 3, 3, "a"), "Current"),
                (
                    "updated on delete",
                    json!({"replicas": 3, "updateStrategy": {"type": "OnDelete"}}),
                    json!({}),
                    "Current",
                ),
                ("too few replicas", spec.clone(), status(2, 2, 2, 2, "a"), "InProgress: Replicas: 2/3"),
                ("too few ready", spec.clone(), status(3, 2, 3, 3, "a"), "InProgress: Ready: 2/3"),
                ("too many replicas", spec.clone(), status(4, 4, 3, 3, "a"), "InProgress: Pending termination: 1"),
                ("too few of the revision", spec.clone(), status(3, 3, 2, 3, "a"), "InProgress: Current: 2/3"),
                (
                    "another revision",
                    spec.clone(),
                    status(3, 3, 3, 3, "b"),
                    "InProgress: Waiting for updated revision to match current revision",
                ),
                ("partition reached", partition(2), status(3, 3, 0, 1, "b"), "Current"),
                ("partition not reached", partition(1), status(3, 3, 0, 1, "b"), "InProgress: Updated: 1/2"),
            ],
        );
    }

    #[test]
    fn replica_sets() {
        let status = |replicas: i64, labelled: i64, available: i64, ready: i64| json!({"replicas": replicas, "fullyLabeledReplicas": labelled, "availableReplicas": available, "readyReplicas": ready});
        let spec = json!({"replicas": 2});
        let failing = json!({"conditions": [condition("ReplicaFailure", "True", "")]});
        check(
            "apps/v1",
            "ReplicaSet",
            &[
                ("complete", spec.clone(), status(2, 2, 2, 2), "Current"),
                ("replica failure", spec.clone(), failing, "InProgress: Replica failure: see its pods"),
                ("too few labelled", spec.clone(), status(2, 1, 2, 2), "InProgress: Labelled: 1/2"),
                ("too few available", spec.clone(), status(2, 2, 1, 2), "InProgress: Available: 1/2"),
                ("too few ready", spec.clone(), status(2, 2, 2, 1), "InProgress: Ready: 1/2"),
                ("too many replicas", spec.clone(), status(3, 2, 2, 2), "InProgress: Pending termination: 1"),
            ],
        );
    }

    #[test]
    fn daemon_sets() {
        let status = |current: i64, updated: i64, available: i64, ready: i64| {
            json!({
                "observedGeneration": 2, "desiredNumberScheduled": 2, "currentNumberScheduled": current,
                "updatedNumberScheduled": updated, "numberAvailable": available, "numberReady": ready,
            })
        };
        check(
            "apps/v1",
            "DaemonSet",
            &[
                ("on every node", json!({}), status(2, 2, 2, 2), "Current"),
                (
                    "not observed",
                    json!({}),
                    json!({"desiredNumberScheduled": 0}),
                    "InProgress: Observed generation not known",
                ),
                (
                    "nodes not counted",
                    json!({}),
                    json!({"observedGeneration": 2}),
                    "InProgress: Desired number of pods not known",
                ),
                ("too few scheduled", json!({}), status(1, 2, 2, 2), "InProgress: Current: 1/2"),
                ("too few updated", json!({}), status(2, 1, 2, 2), "InProgress: Updated: 1/2"),
                ("too few available", json!({}), status(2, 2, 1, 2), "InProgress: Available: 1/2"),
                ("too few ready", json!({}), status(2, 2, 2, 1), "InProgress: Ready: 1/2"),
            ],
        );
    }

    #[test]
    fn pods() {
        let phase = |phase: &str, conditions: &[Value]| json!({"phase": phase, "conditions": conditions});
        let crashing = json!({"phase": "Running", "initContainerStatuses": [
            {"name": "setup", "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
        ]});
        check(
            "v1",
            "Pod",
            &[
                ("succeeded", json!({}), phase("Succeeded", &[]), "Current"),
                ("failed is final too", json!({}), phase("Failed", &[]), "Current"),
                ("running and ready", json!({}), phase("Running", &[condition("Ready", "True", "")]), "Current"),
                (
                    "running",
                    json!({}),
                    phase("Running", &[condition("Ready", "False", "")]),
                    "InProgress: Pod is running but not ready",
                ),
                ("crash looping", json!({}), crashing, "Failed: Container setup is crash looping"),
                ("pending", json!({}), phase("Pending", &[]), "InProgress: Pod is pending"),
                (
                    "unschedulable for ten seconds",
                    json!({}),
                    phase("Pending", &[condition("PodScheduled", "False", "Unschedulable")]),
                    "InProgress: Pod has not been scheduled yet",
                ),
                ("no phase", json!({}), json!({}), "InProgress: Pod phase not available"),
                ("unheard-of phase", json!({}), phase("Dreaming", &[]), "Unknown: unknown pod phase `Dreaming`"),
            ],
        );
    }

    /// A pod of a `StatefulSet`, created at `created`.
    fn pod_since(created: &str, status: &Value) -> Value {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db-0", "creationTimestamp": created}, "status": status})
    }

    #[test]
    fn a_pod_that_stays_unschedulable_has_failed() {
        let unschedulable =
            json!({"phase": "Pending", "conditions": [condition("PodScheduled", "False", "Unschedulable")]});
        let verdict = |created| verdict_with_pods(&pod_since(created, &unschedulable), &[]);
        assert_eq!(verdict("2026-01-01T00:00:45Z"), "InProgress: Pod has not been scheduled yet");
        assert_eq!(verdict("2026-01-01T00:00:44Z"), "Failed: Pod could not be scheduled");
    }

    #[test]
    fn a_failed_pod_fails_its_owner_unless_it_is_leaving_or_unschedulable() {
        let crashing = json!({"phase": "Running", "containerStatuses": [
            {"name": "db", "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
        ]});
        let unschedulable =
            json!({"phase": "Pending", "conditions": [condition("PodScheduled", "False", "Unschedulable")]});
        let old = "2026-01-01T00:00:00Z";
        let mut leaving = pod_since(old, &crashing);
        leaving["metadata"]["deletionTimestamp"] = NOW.into();
        let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}});
        let complete =
            json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "db"}, "spec": {"replicas": 0}});
        let cases = [
            ("crash looping", &set, pod_since(old, &crashing), "Failed: Pod db-0 has failed"),
            ("leaving", &set, leaving, "InProgress: Replicas: 0/1"),
            ("unschedulable", &set, pod_since(old, &unschedulable), "InProgress: Replicas: 0/1"),
            ("its owner is complete", &complete, pod_since(old, &crashing), "Current"),
        ];
        for (name, owner, pod, expected) in cases {
            assert_eq!(verdict_with_pods(owner, &[pod]), expected, "{name}");
        }
    }

    #[test]
    fn jobs() {
        let conditions = |type_| json!({"conditions": [condition(type_, "True", "")]});
        check(
            "batch/v1",
            "Job",
            &[
                ("complete", json!({}), conditions("Complete"), "Current"),
                ("failed", json!({}), conditions("Failed"), "Failed: Failed is True"),
                ("suspended", json!({"suspend": true}), json!({}), "Current"),
                (
                    "running",
                    json!({}),
                    json!({"active": 1, "failed": 2}),
                    "InProgress: Job in progress: 0 succeeded, 1 active, 2 failed",
                ),
            ],
        );
    }

    #[test]
    fn other_kinds_of_the_core() {
        check(
            "v1",
            "PersistentVolumeClaim",
            &[
                ("bound", json!({}), json!({"phase": "Bound"}), "Current"),
                (
                    "pending",
                    json!({}),
                    json!({"phase": "Pending"}),
                    "InProgress: claim is not bound, its phase is `Pending`",
                ),
            ],
        );
        check(
            "v1",
            "Service",
            &[
                ("of any type", json!({"type": "ClusterIP"}), json!({}), "Current"),
                (
                    "load balancer without an address",
                    json!({"type": "LoadBalancer", "clusterIP": "10.0.0.1"}),
                    json!({}),
                    "Current",
                ),
                (
                    "load balancer without clusterIP",
                    json!({"type": "LoadBalancer"}),
                    json!({}),
                    "InProgress: clusterIP is not set",
                ),
            ],
        );
        check("v1", "ConfigMap", &[("always", json!({}), json!({}), "Current")]);
        check("v1", "Secret", &[("always", json!({}), json!({}), "Current")]);
        check("batch/v1", "CronJob", &[("always", json!({}), json!({}), "Current")]);
        check(
            "policy/v1",
            "PodDisruptionBudget",
            &[
                ("observed", json!({}), json!({"observedGeneration": 2}), "Current"),
                (
                    "not observed",
                    json!({}),
                    json!({"observedGeneration": 1}),
                    "InProgress: generation is 2, but latest observed generation is 1",
                ),
            ],
        );
    }

    #[test]
    fn definitions() {
        let conditions = |list: &[Value]| json!({"conditions": list});
        check(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            &[
                (
                    "established",
                    json!({}),
                    conditions(&[condition("NamesAccepted", "True", ""), condition("Established", "True", "")]),
                    "Current",
                ),
                ("just created", json!({}), json!({}), "InProgress: Install in progress"),
                (
                    "installing",
                    json!({}),
                    conditions(&[condition("Established", "False", "Installing")]),
                    "InProgress: Install in progress",
                ),
                (
                    "not established",
                    json!({}),
                    conditions(&[condition("Established", "False", "NotAccepted")]),
                    "Failed: Established is False",
                ),
                (
                    "names taken",
                    json!({}),
                    conditions(&[condition("NamesAccepted", "False", "")]),
                    "Failed: NamesAccepted is False",
                ),
            ],
        );
    }

    #[test]
    fn a_kind_of_another_group_follows_the_generic_rules() {
        check("example.com/v1", "Deployment", &[("no replicas", json!({"replicas": 3}), json!({}), "Current")]);
    }
}
