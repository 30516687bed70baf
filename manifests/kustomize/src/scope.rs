//! Which kinds are in no namespace.
//!
//! # Follows kustomize
//! What kustomize knows comes from the `OpenAPI` document that it carries. Every other kind counts as namespaced: custom
//! resources, and API versions that are not listed here.

use crate::id::{GvkRef, Scope};

/// Cluster-scoped kinds with the API versions that are known.
const CLUSTER_SCOPED: &[(&str, &[&str], &[&str])] = &[
    ("", &["v1"], &["ComponentStatus", "Namespace", "Node", "NodeProxyOptions", "PersistentVolume"]),
    (
        "admissionregistration.k8s.io",
        &["v1", "v1beta1"],
        &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"],
    ),
    ("admissionregistration.k8s.io", &["v1"], &["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"]),
    ("apiextensions.k8s.io", &["v1", "v1beta1"], &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["v1", "v1beta1"], &["APIService"]),
    ("certificates.k8s.io", &["v1", "v1beta1"], &["CertificateSigningRequest"]),
    ("flowcontrol.apiserver.k8s.io", &["v1beta1"], &["FlowSchema", "PriorityLevelConfiguration"]),
    ("networking.k8s.io", &["v1", "v1beta1"], &["IngressClass"]),
    ("node.k8s.io", &["v1", "v1beta1"], &["RuntimeClass"]),
    ("policy", &["v1beta1"], &["PodSecurityPolicy"]),
    ("rbac.authorization.k8s.io", &["v1", "v1beta1"], &["ClusterRole", "ClusterRoleBinding"]),
    ("scheduling.k8s.io", &["v1", "v1beta1"], &["PriorityClass"]),
    ("storage.k8s.io", &["v1", "v1beta1"], &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"]),
];

/// The scope of `gvk` among the kinds that Kubernetes brings.
pub(crate) fn built_in(gvk: GvkRef<'_>) -> Scope {
    let listed = CLUSTER_SCOPED.iter().any(|(group, versions, kinds)| {
        *group == gvk.group && versions.contains(&gvk.version) && kinds.contains(&gvk.kind)
    });
    if listed { Scope::Cluster } else { Scope::Namespaced }
}
