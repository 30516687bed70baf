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
