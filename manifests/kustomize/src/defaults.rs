//! kustomize's own field specs, as data.

use crate::{
    config::{Config, NameReference},
    field_spec::{Create, FieldSpec},
};

/// A row of a table: group, version and kind (any if empty), and the field.
type Row = (&'static str, &'static str, &'static str, &'static str);

const MADE_NAMESPACES: &[Row] =
    &[("", "", "Namespace", "metadata/name"), ("apiregistration.k8s.io", "", "APIService", "spec/service/namespace")];

const NAMESPACES: &[Row] = &[(
    "apiextensions.k8s.io",
    "",
    "CustomResourceDefinition",
    "spec/conversion/webhook/clientConfig/service/namespace",
)];

const IMAGES: &[Row] = &[
    ("", "", "", "spec/containers[]/image"),
    ("", "", "", "spec/initContainers[]/image"),
    ("", "", "", "spec/volumes[]/image/reference"),
    ("", "", "", "spec/template/spec/containers[]/image"),
    ("", "", "", "spec/template/spec/initContainers[]/image"),
    ("", "", "", "spec/template/spec/volumes[]/image/reference"),
];

const REPLICAS: &[Row] = &[
    ("", "", "Deployment", "spec/replicas"),
    ("", "", "ReplicationController", "spec/replicas"),
    ("", "", "ReplicaSet", "spec/replicas"),
    ("", "", "StatefulSet", "spec/replicas"),
];

const COMMON_ANNOTATIONS: &[Row] = &[
    ("", "", "", "metadata/annotations"),
    ("", "v1", "ReplicationController", "spec/template/metadata/annotations"),
    ("", "", "Deployment", "spec/template/metadata/annotations"),
    ("", "", "ReplicaSet", "spec/template/metadata/annotations"),
    ("", "", "DaemonSet", "spec/template/metadata/annotations"),
    ("", "", "StatefulSet", "spec/template/metadata/annotations"),
    ("batch", "", "Job", "spec/template/metadata/annotations"),
    ("batch", "", "CronJob", "spec/jobTemplate/metadata/annotations"),
    ("batch", "", "CronJob", "spec/jobTemplate/spec/template/metadata/annotations"),
];

const TEMPLATE_LABELS: &[Row] = &[
    ("", "", "", "metadata/labels"),
    ("", "v1", "ReplicationController", "spec/template/metadata/labels"),
    ("", "", "Deployment", "spec/template/metadata/labels"),
    ("", "", "ReplicaSet", "spec/template/metadata/labels"),
    ("", "", "DaemonSet", "spec/template/metadata/labels"),
    ("apps", "", "StatefulSet", "spec/template/metadata/labels"),
    ("batch", "", "Job", "spec/template/metadata/labels"),
    ("batch", "", "CronJob", "spec/jobTemplate/metadata/labels"),
    ("batch", "", "CronJob", "spec/jobTemplate/spec/template/metadata/labels"),
];

const VOLUME_CLAIM_TEMPLATE_LABELS: &[Row] =
    &[("apps", "", "StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels")];

const MADE_SELECTORS: &[Row] = &[
    ("", "v1", "Service", "spec/selector"),
    ("", "v1", "ReplicationController", "spec/selector"),
    ("", "", "Deployment", "spec/selector/matchLabels"),
    ("", "", "ReplicaSet", "spec/selector/matchLabels"),
    ("", "", "DaemonSet", "spec/selector/matchLabels"),
    ("apps", "", "StatefulSet", "spec/selector/matchLabels"),
];

const SELECTORS: &[Row] = &[
    ("batch", "", "Job", "spec/selector/matchLabels"),
    ("batch", "", "CronJob", "spec/jobTemplate/spec/selector/matchLabels"),
    ("policy", "", "PodDisruptionBudget", "spec/selector/matchLabels"),
    ("networking.k8s.io", "", "NetworkPolicy", "spec/podSelector/matchLabels"),
    ("networking.k8s.io", "", "NetworkPolicy", "spec/ingress/from/podSelector/matchLabels"),
    ("networking.k8s.io", "", "NetworkPolicy", "spec/egress/to/podSelector/matchLabels"),
];

/// Selectors inside the pod templates of workloads.
const POD_SELECTORS: [&str; 5] = [
    "affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "topologySpreadConstraints/labelSelector/matchLabels",
];

/// A kind with pods, its API version (any if empty), and where it keeps their spec.
type Pods = (&'static str, &'static str, &'static str);

const POD: Pods = ("", "Pod", "spec");
const POD_V1: Pods = ("v1", "Pod", "spec");
const POD_TEMPLATE: Pods = ("", "PodTemplate", "template/spec");
const DEPLOYMENT: Pods = ("", "Deployment", "spec/template/spec");
const REPLICA_SET: Pods = ("", "ReplicaSet", "spec/template/spec");
const DAEMON_SET: Pods = ("", "DaemonSet", "spec/template/spec");
const STATEFUL_SET: Pods = ("", "StatefulSet", "spec/template/spec");
const REPLICATION_CONTROLLER: Pods = ("", "ReplicationController", "spec/template/spec");
const JOB: Pods = ("", "Job", "spec/template/spec");
const CRON_JOB: Pods = ("", "CronJob", "spec/jobTemplate/spec/template/spec");

/// Where the kinds that read configuration keep their pod's spec.
const CONFIGURED: &[Pods] = &[POD_V1, POD_TEMPLATE, DEPLOYMENT, REPLICA_SET, DAEMON_SET, STATEFUL_SET, JOB, CRON_JOB];
/// Where the kinds whose claims, accounts and priorities are followed keep their pod's spec.
const SCHEDULED: &[Pods] = &[POD, STATEFUL_SET, DEPLOYMENT, REPLICATION_CONTROLLER, JOB, DAEMON_SET, CRON_JOB];
/// Where the kinds whose variables are replaced keep their pod's spec.
const WITH_VARS: &[Pods] = &[CRON_JOB, DAEMON_SET, DEPLOYMENT, JOB, POD, REPLICA_SET, STATEFUL_SET];

/// A kind that others refer to: itself (group, version, kind), fields of pods in some kinds, and fields of other kinds.
struct References {
    target: (&'static str, &'static str, &'static str),
    pods: (&'static [Pods], &'static [&'static str]),
    others: &'static [Row],
}

const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";
const SCALED: &[Row] = &[("", "", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name")];

const REFERENCES: &[References] = &[
    References { target: ("", "", "Deployment"), pods: (&[], &[]), others: SCALED },
    References { target: ("", "", "ReplicationController"), pods: (&[], &[]), others: SCALED },
    References { target: ("", "", "ReplicaSet"), pods: (&[], &[]), others: SCALED },
    References { target: ("", "", "StatefulSet"), pods: (&[], &[]), others: SCALED },
    References {
        target: ("", "v1", "ConfigMap"),
        pods: (
            CONFIGURED,
            &[
                "volumes/configMap/name",
                "containers/env/valueFrom/configMapKeyRef/name",
                "initContainers/env/valueFrom/configMapKeyRef/name",
                "containers/envFrom/configMapRef/name",
                "initContainers/envFrom/configMapRef/name",
                "volumes/projected/sources/configMap/name",
            ],
        ),
        others: &[
            ("", "", "Node", "spec/configSource/configMap"),
            ("", "", "Role", "rules/resourceNames"),
            ("", "", "ClusterRole", "rules/resourceNames"),
            ("", "", "Ingress", r"metadata/annotations/nginx.ingress.kubernetes.io\/fastcgi-params-configmap"),
        ],
    },
    References {
        target: ("", "v1", "Secret"),
        pods: (
            CONFIGURED,
            &[
                "volumes/secret/secretName",
                "containers/env/valueFrom/secretKeyRef/name",
                "initContainers/env/valueFrom/secretKeyRef/name",
                "containers/envFrom/secretRef/name",
                "initContainers/envFrom/secretRef/name",
                "imagePullSecrets/name",
                "volumes/projected/sources/secret/name",
            ],
        ),
        others: &[
            ("", "", "Ingress", "spec/tls/secretName"),
            ("", "", "Ingress", r"metadata/annotations/ingress.kubernetes.io\/auth-secret"),
            ("", "", "Ingress", r"metadata/annotations/nginx.ingress.kubernetes.io\/auth-secret"),
            ("", "", "Ingress", r"metadata/annotations/nginx.ingress.kubernetes.io\/auth-tls-secret"),
            ("", "", "ServiceAccount", "imagePullSecrets/name"),
            ("", "", "StorageClass", "parameters/secretName"),
            ("", "", "StorageClass", "parameters/adminSecretName"),
            ("", "", "StorageClass", "parameters/userSecretName"),
            ("", "", "StorageClass", "parameters/secretRef"),
            ("", "", "Role", "rules/resourceNames"),
            ("", "", "ClusterRole", "rules/resourceNames"),
            ("serving.knative.dev", "v1", "Service", "spec/template/spec/containers/env/valueFrom/secretKeyRef/name"),
            ("", "", "PersistentVolume", "spec/azureFile/secretName"),
        ],
    },
    References {
        target: ("", "v1", "Service"),
        pods: (&[], &[]),
        others: &[
            ("apps", "", "StatefulSet", "spec/serviceName"),
            ("", "", "Ingress", "spec/rules/http/paths/backend/serviceName"),
            ("", "", "Ingress", "spec/backend/serviceName"),
            ("", "", "Ingress", "spec/rules/http/paths/backend/service/name"),
            ("", "", "Ingress", "spec/defaultBackend/service/name"),
            ("apiregistration.k8s.io", "", "APIService", "spec/service/name"),
            (ADMISSION, "", "ValidatingWebhookConfiguration", "webhooks/clientConfig/service"),
            (ADMISSION, "", "MutatingWebhookConfiguration", "webhooks/clientConfig/service"),
        ],
    },
    References { target: (RBAC, "", "Role"), pods: (&[], &[]), others: &[(RBAC, "", "RoleBinding", "roleRef/name")] },
    References {
        target: (RBAC, "", "ClusterRole"),
        pods: (&[], &[]),
        others: &[(RBAC, "", "RoleBinding", "roleRef/name"), (RBAC, "", "ClusterRoleBinding", "roleRef/name")],
    },
    References {
        target: ("", "v1", "ServiceAccount"),
        pods: (SCHEDULED, &["serviceAccountName"]),
        others: &[(RBAC, "", "RoleBinding", "subjects"), (RBAC, "", "ClusterRoleBinding", "subjects")],
    },
    References {
        target: ("", "v1", "PersistentVolumeClaim"),
        pods: (SCHEDULED, &["volumes/persistentVolumeClaim/claimName"]),
        others: &[],
    },
    References {
        target: ("", "v1", "PersistentVolume"),
        pods: (&[], &[]),
        others: &[("", "", "PersistentVolumeClaim", "spec/volumeName"), ("", "", "ClusterRole", "rules/resourceNames")],
    },
    References {
        target: ("storage.k8s.io", "v1", "StorageClass"),
        pods: (&[], &[]),
        others: &[
            ("", "", "PersistentVolume", "spec/storageClassName"),
            ("", "", "PersistentVolumeClaim", "spec/storageClassName"),
            ("", "", "StatefulSet", "spec/volumeClaimTemplates/spec/storageClassName"),
        ],
    },
    References {
        target: ("scheduling.k8s.io", "v1", "PriorityClass"),
        pods: (SCHEDULED, &["priorityClassName"]),
        others: &[],
    },
    References {
        target: (ADMISSION, "", "ValidatingAdmissionPolicy"),
        pods: (&[], &[]),
        others: &[(ADMISSION, "", "ValidatingAdmissionPolicyBinding", "spec/policyName")],
    },
];

const POD_VARS: [&str; 8] = [
    "containers/args",
    "containers/command",
    "containers/env/value",
    "containers/volumeMounts/mountPath",
    "initContainers/args",
    "initContainers/command",
    "initContainers/env/value",
    "initContainers/volumeMounts/mountPath",
];

const VARS: &[Row] = &[
    ("", "", "CronJob", "spec/jobTemplate/spec/template/volumes/nfs/server"),
    ("", "", "DaemonSet", "spec/template/spec/volumes/nfs/server"),
    ("", "", "Deployment", "spec/template/spec/volumes/nfs/server"),
    ("", "", "Deployment", "spec/template/metadata/annotations"),
    ("", "", "Ingress", "spec/rules/host"),
    ("", "", "Ingress", "spec/tls/hosts"),
    ("", "", "Ingress", "spec/tls/secretName"),
    ("", "", "Job", "spec/template/spec/volumes/nfs/server"),
    ("", "", "Pod", "spec/volumes/nfs/server"),
    ("", "", "ReplicaSet", "spec/template/spec/volumes/nfs/server"),
    ("", "", "Service", "spec/ports/port"),
    ("", "", "Service", "spec/ports/targetPort"),
    ("", "", "StatefulSet", "spec/volumeClaimTemplates/spec/nfs/server"),
    ("", "", "PersistentVolume", "spec/nfs/server"),
    ("", "", "", "metadata/labels"),
    ("", "", "", "metadata/annotations"),
];

/// All of kustomize's own specs.
pub(crate) fn config() -> Config {
    let names = vec![FieldSpec::new("", "", "", "metadata/name", Create::No)];
    let template_labels = specs(TEMPLATE_LABELS, Create::Yes);
    let volume_claim_template_labels = specs(VOLUME_CLAIM_TEMPLATE_LABELS, Create::Yes);
    Config {
        name_prefix: names.clone(),
        name_suffix: names,
        namespace: [specs(MADE_NAMESPACES, Create::Yes), specs(NAMESPACES, Create::No)].concat(),
        common_labels: [selectors(), template_labels.clone(), volume_claim_template_labels.clone()].concat(),
        labels: Vec::new(),
        template_labels,
        volume_claim_template_labels,
        common_annotations: specs(COMMON_ANNOTATIONS, Create::Yes),
        name_reference: REFERENCES.iter().map(name_reference).collect(),
        var_reference: [in_pods(WITH_VARS, &POD_VARS), specs(VARS, Create::No)].concat(),
        images: specs(IMAGES, Create::Yes),
        replicas: specs(REPLICAS, Create::Yes),
    }
}

fn selectors() -> Vec<FieldSpec> {
    let in_templates = ["Deployment", "StatefulSet"].into_iter().flat_map(|kind| {
        POD_SELECTORS
            .iter()
            .map(move |path| FieldSpec::new("apps", "", kind, &format!("spec/template/spec/{path}"), Create::No))
    });
    [specs(MADE_SELECTORS, Create::Yes), specs(SELECTORS, Create::No), in_templates.collect()].concat()
}

fn specs(rows: &[Row], create: Create) -> Vec<FieldSpec> {
    rows.iter().map(|(group, version, kind, path)| FieldSpec::new(group, version, kind, path, create)).collect()
}

/// The specs of `fields` below the pod specs of `kinds`.
fn in_pods(kinds: &[Pods], fields: &[&str]) -> Vec<FieldSpec> {
    let of_kind = |(version, kind, pod): &Pods| {
        let (version, kind, pod) = (*version, *kind, *pod);
        fields.iter().map(move |field| FieldSpec::new("", version, kind, &format!("{pod}/{field}"), Create::No))
    };
    kinds.iter().flat_map(of_kind).collect()
}

fn name_reference(references: &References) -> NameReference {
    let (group, version, kind) = references.target;
    let (kinds, fields) = references.pods;
    NameReference {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        field_specs: [in_pods(kinds, fields), specs(references.others, Create::No)].concat(),
    }
}
