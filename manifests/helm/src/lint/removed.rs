//! Kinds that Kubernetes does not serve any more.

/// A kind that was removed: its version, its names (none for all of the version), the minor version of Kubernetes that
/// does not have it, and what to use instead.
type Row = (&'static str, &'static [&'static str], u32, &'static str);

const REMOVED: &[Row] = &[
    ("extensions/v1beta1", &["Deployment", "DaemonSet", "ReplicaSet"], 16, "apps/v1"),
    ("extensions/v1beta1", &["NetworkPolicy"], 16, "networking.k8s.io/v1"),
    ("extensions/v1beta1", &["PodSecurityPolicy"], 16, "Pod Security Admission"),
    ("extensions/v1beta1", &["Ingress"], 22, "networking.k8s.io/v1"),
    ("apps/v1beta1", &[], 16, "apps/v1"),
    ("apps/v1beta2", &[], 16, "apps/v1"),
    (
        "admissionregistration.k8s.io/v1beta1",
        &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"],
        22,
        "admissionregistration.k8s.io/v1",
    ),
    ("apiextensions.k8s.io/v1beta1", &["CustomResourceDefinition"], 22, "apiextensions.k8s.io/v1"),
    ("apiregistration.k8s.io/v1beta1", &["APIService"], 22, "apiregistration.k8s.io/v1"),
    ("certificates.k8s.io/v1beta1", &["CertificateSigningRequest"], 22, "certificates.k8s.io/v1"),
    ("coordination.k8s.io/v1beta1", &["Lease"], 22, "coordination.k8s.io/v1"),
    ("networking.k8s.io/v1beta1", &["Ingress", "IngressClass"], 22, "networking.k8s.io/v1"),
    ("rbac.authorization.k8s.io/v1beta1", &[], 22, "rbac.authorization.k8s.io/v1"),
    ("scheduling.k8s.io/v1beta1", &["PriorityClass"], 22, "scheduling.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"], 22, "storage.k8s.io/v1"),
    ("autoscaling/v2beta1", &[], 25, "autoscaling/v2"),
    ("batch/v1beta1", &["CronJob"], 25, "batch/v1"),
    ("discovery.k8s.io/v1beta1", &["EndpointSlice"], 25, "discovery.k8s.io/v1"),
    ("events.k8s.io/v1beta1", &["Event"], 25, "events.k8s.io/v1"),
    ("node.k8s.io/v1beta1", &["RuntimeClass"], 25, "node.k8s.io/v1"),
    ("policy/v1beta1", &["PodDisruptionBudget"], 25, "policy/v1"),
    ("policy/v1beta1", &["PodSecurityPolicy"], 25, "Pod Security Admission"),
    ("autoscaling/v2beta2", &[], 26, "autoscaling/v2"),
    ("flowcontrol.apiserver.k8s.io/v1beta1", &[], 26, "flowcontrol.apiserver.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", &["CSIStorageCapacity"], 27, "storage.k8s.io/v1"),
    ("flowcontrol.apiserver.k8s.io/v1beta2", &[], 29, "flowcontrol.apiserver.k8s.io/v1"),
    ("flowcontrol.apiserver.k8s.io/v1beta3", &[], 32, "flowcontrol.apiserver.k8s.io/v1"),
];

/// That a cluster of the version `kube_version` does not serve a kind any more, if so.
pub(super) fn find(api_version: &str, kind: &str, kube_version: &str) -> Option<String> {
    let minor: u32 = kube_version.trim_start_matches('v').split('.').nth(1)?.parse().ok()?;
    let is_meant = |row: &&Row| row.0 == api_version && (row.1.is_empty() || row.1.contains(&kind));
    let (_, _, removed_in, instead) = REMOVED.iter().find(is_meant).filter(|row| row.2 <= minor)?;
    Some(format!("{api_version} {kind} is not served since Kubernetes 1.{removed_in}; use {instead}"))
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn a_kind_is_gone_from_the_version_on_that_removed_it() {
        let message = "policy/v1beta1 PodDisruptionBudget is not served since Kubernetes 1.25; use policy/v1";
        assert_eq!(find("policy/v1beta1", "PodDisruptionBudget", "v1.25.0").as_deref(), Some(message));
        assert_eq!(find("policy/v1beta1", "PodDisruptionBudget", "1.24"), None);
        assert_eq!(find("policy/v1", "PodDisruptionBudget", "v1.37.0"), None);
    }
}
