//! The rule of each kind, row by row.

use fairlead_health::{HealthRules, Surroundings, assess};
use serde_json::{Value, json};

const NOW: &str = "2026-01-01T00:01:00Z";

fn verdict_with_pods(object: &Value, pods: &[Value]) -> String {
    let around = Surroundings { pods, now: NOW.parse().expect("a time") };
    assess(object, &HealthRules::none(), &around).to_string()
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
            ("too many replicas", spec.clone(), status(3, 2, 2, 2, available), "InProgress: Pending termination: 1"),
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
                json!({"replicas": 2, "progressDeadlineSeconds": i32::MAX}),
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
            ("updated on delete", json!({"replicas": 3, "updateStrategy": {"type": "OnDelete"}}), json!({}), "Current"),
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
