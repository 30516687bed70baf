//! Which lists of Kubernetes' own kinds merge by which keys, as data.
//!
//! It holds what a strategic merge needs of the `OpenAPI` document of Kubernetes 1.21, which is the one that kustomize
//! carries: lists with merge keys, and the way to them.

use std::collections::HashMap;

use crate::schema::{Field, List, Schema, Type, TypeId};

/// What a field of a [`TYPES`] row is.
enum Is {
    /// A mapping of this type.
    A(&'static str),
    /// A list of this type, merged by these keys.
    Keyed(&'static [&'static str], &'static str),
    /// A list of values, merged as a set.
    Set,
}

/// Fields with what they are.
type Fields = &'static [(&'static str, Is)];

/// A type without lists that merge.
const LEAF: &str = "Leaf";

/// Types and their fields.
const TYPES: &[(&str, Fields)] = &[
    (LEAF, &[]),
    ("ObjectMeta", &[("ownerReferences", Is::Keyed(&["uid"], LEAF)), ("finalizers", Is::Set)]),
    (
        "PodSpec",
        &[
            ("containers", Is::Keyed(&["name"], "Container")),
            ("initContainers", Is::Keyed(&["name"], "Container")),
            ("ephemeralContainers", Is::Keyed(&["name"], "EphemeralContainer")),
            ("imagePullSecrets", Is::Keyed(&["name"], LEAF)),
            ("volumes", Is::Keyed(&["name"], "Volume")),
            ("hostAliases", Is::Keyed(&["ip"], LEAF)),
            ("topologySpreadConstraints", Is::Keyed(&["topologyKey", "whenUnsatisfiable"], LEAF)),
        ],
    ),
    (
        "Container",
        &[
            ("env", Is::Keyed(&["name"], LEAF)),
            ("ports", Is::Keyed(&["containerPort", "protocol"], LEAF)),
            ("volumeMounts", Is::Keyed(&["mountPath"], LEAF)),
            ("volumeDevices", Is::Keyed(&["devicePath"], LEAF)),
        ],
    ),
    (
        "EphemeralContainer",
        &[
            ("env", Is::Keyed(&["name"], LEAF)),
            ("volumeMounts", Is::Keyed(&["mountPath"], LEAF)),
            ("volumeDevices", Is::Keyed(&["devicePath"], LEAF)),
        ],
    ),
    ("Volume", &[("ephemeral", Is::A("EphemeralVolumeSource"))]),
    ("EphemeralVolumeSource", &[("volumeClaimTemplate", Is::A("WithMetadata"))]),
    ("WithMetadata", &[("metadata", Is::A("ObjectMeta"))]),
    ("PodTemplateSpec", &[("metadata", Is::A("ObjectMeta")), ("spec", Is::A("PodSpec"))]),
    ("WorkloadSpec", &[("template", Is::A("PodTemplateSpec"))]),
    ("JobTemplateSpec", &[("metadata", Is::A("ObjectMeta")), ("spec", Is::A("WorkloadSpec"))]),
    ("CronJobSpec", &[("jobTemplate", Is::A("JobTemplateSpec"))]),
    ("ServiceSpec", &[("ports", Is::Keyed(&["port", "protocol"], LEAF))]),
    ("NodeSpec", &[("podCIDRs", Is::Set)]),
    ("CSINodeSpec", &[("drivers", Is::Keyed(&["name"], LEAF))]),
    ("Conditions", &[("conditions", Is::Keyed(&["type"], LEAF))]),
    ("NodeStatus", &[("conditions", Is::Keyed(&["type"], LEAF)), ("addresses", Is::Keyed(&["type"], LEAF))]),
    ("PodStatus", &[("conditions", Is::Keyed(&["type"], LEAF)), ("podIPs", Is::Keyed(&["ip"], LEAF))]),
];

/// Kinds with the API versions that are known; every one of them has `metadata` besides these fields.
const KINDS: &[(&[&str], &[&str], Fields)] = &[
    (
        &["v1"],
        &["Binding", "ConfigMap", "Endpoints", "Event", "LimitRange", "PersistentVolume", "ResourceQuota", "Secret"],
        &[],
    ),
    (&["v1"], &["ComponentStatus"], &[("conditions", Is::Keyed(&["type"], LEAF))]),
    (&["v1"], &["Namespace", "PersistentVolumeClaim"], &[("status", Is::A("Conditions"))]),
    (&["v1"], &["Node"], &[("spec", Is::A("NodeSpec")), ("status", Is::A("NodeStatus"))]),
    (&["v1"], &["Pod"], &[("spec", Is::A("PodSpec")), ("status", Is::A("PodStatus"))]),
    (&["v1"], &["PodTemplate"], &[("template", Is::A("PodTemplateSpec"))]),
    (&["v1"], &["ReplicationController"], &[("spec", Is::A("WorkloadSpec")), ("status", Is::A("Conditions"))]),
    (&["v1"], &["Service"], &[("spec", Is::A("ServiceSpec")), ("status", Is::A("Conditions"))]),
    (&["v1"], &["ServiceAccount"], &[("secrets", Is::Keyed(&["name"], LEAF))]),
    (&["apps/v1"], &["ControllerRevision"], &[]),
    (
        &["apps/v1"],
        &["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"],
        &[("spec", Is::A("WorkloadSpec")), ("status", Is::A("Conditions"))],
    ),
    (&["batch/v1"], &["Job"], &[("spec", Is::A("WorkloadSpec")), ("status", Is::A("Conditions"))]),
    (&["batch/v1", "batch/v1beta1"], &["CronJob"], &[("spec", Is::A("CronJobSpec"))]),
    (&["autoscaling/v1", "autoscaling/v2beta1", "autoscaling/v2beta2"], &["HorizontalPodAutoscaler"], &[]),
    (&["extensions/v1beta1"], &["Ingress"], &[]),
    (&["networking.k8s.io/v1", "networking.k8s.io/v1beta1"], &["Ingress", "IngressClass"], &[]),
    (&["networking.k8s.io/v1"], &["NetworkPolicy"], &[]),
    (&["policy/v1", "policy/v1beta1"], &["PodDisruptionBudget"], &[("status", Is::A("Conditions"))]),
    (&["policy/v1beta1"], &["PodSecurityPolicy"], &[]),
    (
        &["rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io/v1beta1"],
        &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
        &[],
    ),
    (
        &["storage.k8s.io/v1", "storage.k8s.io/v1beta1"],
        &["CSIDriver", "CSIStorageCapacity", "StorageClass", "VolumeAttachment"],
        &[],
    ),
    (&["storage.k8s.io/v1", "storage.k8s.io/v1beta1"], &["CSINode"], &[("spec", Is::A("CSINodeSpec"))]),
    (
        &["admissionregistration.k8s.io/v1", "admissionregistration.k8s.io/v1beta1"],
        &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"],
        &[("webhooks", Is::Keyed(&["name"], LEAF))],
    ),
    (&["apiextensions.k8s.io/v1", "apiextensions.k8s.io/v1beta1"], &["CustomResourceDefinition"], &[]),
    (
        &["apiregistration.k8s.io/v1", "apiregistration.k8s.io/v1beta1"],
        &["APIService"],
        &[("status", Is::A("Conditions"))],
    ),
    (&["certificates.k8s.io/v1", "certificates.k8s.io/v1beta1"], &["CertificateSigningRequest"], &[]),
    (&["coordination.k8s.io/v1", "coordination.k8s.io/v1beta1"], &["Lease"], &[]),
    (&["discovery.k8s.io/v1", "discovery.k8s.io/v1beta1"], &["EndpointSlice"], &[]),
    (&["events.k8s.io/v1", "events.k8s.io/v1beta1"], &["Event"], &[]),
    (&["node.k8s.io/v1", "node.k8s.io/v1beta1"], &["RuntimeClass"], &[]),
    (&["scheduling.k8s.io/v1", "scheduling.k8s.io/v1beta1"], &["PriorityClass"], &[]),
    (&["flowcontrol.apiserver.k8s.io/v1beta1"], &["FlowSchema", "PriorityLevelConfiguration"], &[]),
];

/// The schema that the tables describe.
pub(crate) fn schema() -> Schema {
    let ids: HashMap<&str, TypeId> = TYPES.iter().enumerate().map(|(of, (name, _))| (*name, of)).collect();
    let mut types: Vec<Type> = TYPES.iter().map(|(_, fields)| type_of(fields, &ids)).collect();
    let mut kinds = HashMap::new();
    for (versions, names, fields) in KINDS {
        let mut kind = type_of(fields, &ids);
        kind.fields.insert("metadata".to_owned(), field(&Is::A("ObjectMeta"), &ids));
        for version in *versions {
            kinds.extend(names.iter().map(|name| (((*version).to_owned(), (*name).to_owned()), types.len())));
        }
        types.push(kind);
    }
    let names = ids.into_iter().map(|(name, of)| (name.to_owned(), of)).collect();
    Schema::new(types, names, kinds)
}

fn type_of(fields: &[(&str, Is)], ids: &HashMap<&str, TypeId>) -> Type {
    Type { fields: fields.iter().map(|(name, is)| ((*name).to_owned(), field(is, ids))).collect(), others: None }
}

fn field(is: &Is, ids: &HashMap<&str, TypeId>) -> Field {
    let (list, of) = match is {
        Is::A(name) => (List::Replaced, Some(*name)),
        Is::Keyed(keys, name) => (List::Keyed(keys.iter().map(|key| (*key).to_owned()).collect()), Some(*name)),
        Is::Set => (List::Set, None),
    };
    Field { list, of: of.map(|name| ids[name]) }
}
