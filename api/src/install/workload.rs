//! The Deployment, and how it is reached.

use serde_json::{Value, json};

use super::{Applier, InstallOptions, NAME, component_labels, metadata};
use crate::names::labels;

/// The port artifacts are served on.
const ARTIFACTS_PORT: u16 = 9090;
/// The port metrics are served on.
const METRICS_PORT: u16 = 8080;
/// The port probes are answered on.
const PROBES_PORT: u16 = 9440;
/// The port webhooks are taken on.
const WEBHOOKS_PORT: u16 = 9292;
/// The name that Flux's guides have for the Service of webhooks.
const WEBHOOKS_SERVICE: &str = "webhook-receiver";
/// The user it runs as; any but root will do.
const USER: u32 = 65532;

/// The Deployment, its Services, and who may reach it.
pub(crate) fn manifests(options: &InstallOptions) -> Vec<Value> {
    vec![
        service(options, NAME, "http"),
        service(options, WEBHOOKS_SERVICE, "http-webhook"),
        network_policy(options),
        deployment(options),
    ]
}

/// Other controllers fetch artifacts at the address that `status.artifact.url` gives, and an Ingress brings webhooks.
fn service(options: &InstallOptions, name: &str, port: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(options, name),
        "spec": {
            "type": "ClusterIP",
            "selector": selector(),
            "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": port}],
        },
    })
}

/// Artifacts are served without asking who wants them, so only this namespace may. Metrics, probes and
/// webhooks are for all.
fn network_policy(options: &InstallOptions) -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(options, NAME),
        "spec": {
            "podSelector": {"matchLabels": selector()},
            "policyTypes": ["Ingress"],
            "ingress": [
                {"from": [{"podSelector": {}}], "ports": [{"port": ARTIFACTS_PORT, "protocol": "TCP"}]},
                {"ports": [
                    {"port": METRICS_PORT, "protocol": "TCP"},
                    {"port": PROBES_PORT, "protocol": "TCP"},
                    {"port": WEBHOOKS_PORT, "protocol": "TCP"},
                ]},
            ],
        },
    })
}

fn deployment(options: &InstallOptions) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(options, NAME),
        "spec": {
            "replicas": 1,
            // Two controllers must not write one store.
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": selector()},
            "template": {
                "metadata": {
                    "labels": component_labels(options),
                    "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": METRICS_PORT.to_string()},
                },
                "spec": pod(options),
            },
        },
    })
}

fn pod(options: &InstallOptions) -> Value {
    json!({
        "serviceAccountName": NAME,
        // A run that has begun ends.
        "terminationGracePeriodSeconds": 60,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container(options)],
        "volumes": [{"name": "data", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}],
    })
}

/// The container. Flux's tools look for its logs under the name `manager`.
fn container(options: &InstallOptions) -> Value {
    json!({
        "name": "manager",
        "image": options.image,
        "imagePullPolicy": "IfNotPresent",
        "args": arguments(options),
        "env": [{"name": "RUNTIME_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}],
        "ports": [
            {"name": "http", "containerPort": ARTIFACTS_PORT, "protocol": "TCP"},
            {"name": "http-webhook", "containerPort": WEBHOOKS_PORT, "protocol": "TCP"},
            {"name": "http-prom", "containerPort": METRICS_PORT, "protocol": "TCP"},
            {"name": "healthz", "containerPort": PROBES_PORT, "protocol": "TCP"},
        ],
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": "healthz"}},
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "healthz"}},
        "resources": {
            "requests": {"cpu": "100m", "memory": "64Mi"},
            "limits": {"cpu": "1000m", "memory": "1Gi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "runAsNonRoot": true,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "tmp", "mountPath": "/tmp"}],
    })
}

fn arguments(options: &InstallOptions) -> Vec<String> {
    let mut arguments = vec![
        "controller".to_owned(),
        "--watch-all-namespaces=true".to_owned(),
        format!("--log-level={}", options.log_level),
        "--log-encoding=json".to_owned(),
        "--enable-leader-election=true".to_owned(),
        "--storage-path=/data".to_owned(),
        format!("--storage-adv-addr={NAME}.$(RUNTIME_NAMESPACE).svc.{}.", options.cluster_domain),
    ];
    match &options.applier {
        Applier::Controller => {}
        Applier::ServiceAccount(name) => {
            arguments.push("--no-cross-namespace-refs".to_owned());
            arguments.push(format!("--default-service-account={name}"));
        }
    }
    arguments
}

/// The labels by which the pods are found; they cannot be changed once the Deployment is there.
fn selector() -> Value {
    json!({labels::PART_OF: "flux", labels::COMPONENT: NAME})
}
