//! The configuration itself: scope, source, kustomizations.

use std::collections::BTreeMap;
use std::ops::Not;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kustomization::{KustomizationDefinition, Validation};
use super::sources::{AzureBlobSource, BucketSource, GitRepositorySource, OciRepositorySource};
use super::status::FluxConfigurationStatus;
use crate::reference::LocalReference;

/// One source, what is built from it, and the rights it is applied with.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "fairlead.dev",
    version = "v1alpha1",
    kind = "FluxConfiguration",
    plural = "fluxconfigurations",
    shortname = "fluxconfig",
    category = "all",
    category = "fairlead",
    namespaced,
    status = "FluxConfigurationStatus",
    derive = "PartialEq",
    doc = "One source, what is built from it, and the rights it is applied with.",
    printcolumn = r#"{"name": "Scope", "type": "string", "jsonPath": ".spec.scope"}"#,
    printcolumn = r#"{"name": "URL", "type": "string", "jsonPath": ".spec['gitRepository','bucket','azureBlob','ociRepository'].url"}"#,
    printcolumn = r#"{"name": "Provision", "type": "string", "jsonPath": ".status.provisioningState"}"#,
    printcolumn = r#"{"name": "Compliance", "type": "string", "jsonPath": ".status.complianceState"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "has(self.gitRepository) == (self.sourceKind == 'GitRepository')",
        "message": "gitRepository must be set if sourceKind is GitRepository, and only then",
    },
    {
        "rule": "has(self.bucket) == (self.sourceKind == 'Bucket')",
        "message": "bucket must be set if sourceKind is Bucket, and only then",
    },
    {
        "rule": "has(self.azureBlob) == (self.sourceKind == 'AzureBlob')",
        "message": "azureBlob must be set if sourceKind is AzureBlob, and only then",
    },
    {
        "rule": "has(self.ociRepository) == (self.sourceKind == 'OCIRepository')",
        "message": "ociRepository must be set if sourceKind is OCIRepository, and only then",
    },
    {
        "rule": "!has(self.__namespace__) || !has(oldSelf.__namespace__) || self.__namespace__ == oldSelf.__namespace__",
        "message": "namespace cannot be changed; delete the configuration and create it in the other namespace",
    },
    {
        "rule": "!has(self.gitRepository) || !has(self.gitRepository.httpsUser) || \
                 has(self.configurationProtectedSettings)",
        "message": "gitRepository.httpsUser needs httpsKey in configurationProtectedSettings",
    },
    {
        "rule": "!has(self.bucket) || !has(self.bucket.accessKey) || has(self.configurationProtectedSettings)",
        "message": "bucket.accessKey needs bucketSecretKey in configurationProtectedSettings",
    },
    {
        "rule": "!has(self.configurationProtectedSettings) || \
                 !((has(self.gitRepository) && has(self.gitRepository.localAuthRef)) || \
                   (has(self.bucket) && has(self.bucket.localAuthRef)))",
        "message": "localAuthRef and configurationProtectedSettings exclude each other",
    },
]))]
pub struct FluxConfigurationSpec {
    /// How far the configuration reaches: `cluster` applies anything, `namespace` only what lies in this namespace.
    /// It cannot be changed.
    #[serde(default)]
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "self == oldSelf",
        "message": "scope cannot be changed; delete the configuration and create it anew",
    }]))]
    pub scope: ConfigurationScope,

    /// The configuration namespace. It is the namespace of this object, and must be the same if it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([\-a-z0-9]*[a-z0-9])?$"))]
    pub namespace: Option<String>,

    /// The kind of the source; the block with its name must be set, and no other.
    #[serde(default)]
    pub source_kind: ConfigurationSourceKind,

    /// Stops looking for new revisions, and stops applying. A run that has begun ends.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub suspend: bool,

    /// A Git repository as the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git_repository: Option<GitRepositorySource>,

    /// A bucket as the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<BucketSource>,

    /// A container of Azure Blob Storage as the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub azure_blob: Option<AzureBlobSource>,

    /// An artifact in an OCI registry as the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oci_repository: Option<OciRepositorySource>,

    /// What is built from the source, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend(
        "maxProperties" = 100,
        "x-kubernetes-validations" = [
            {
                "rule": r"self.all(name, size(name) <= 61 && name.matches('^[a-z0-9]([.a-z0-9-]*[a-z0-9])?$'))",
                "message": "the name of a kustomization consists of at most 61 lower-case letters, digits, `-` and `.`, \
                            and begins and ends with a letter or digit",
            },
            {
                "rule": "self.all(name, !has(self[name].dependsOn) || \
                         self[name].dependsOn.all(other, other != name && other in self))",
                "message": "dependsOn names other kustomizations of the same configuration",
            },
        ]
    ))]
    pub kustomizations: BTreeMap<String, KustomizationDefinition>,

    /// Where the secret part of the configuration is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration_protected_settings: Option<ProtectedSettings>,

    /// Counts the configuration as provisioned only when its kustomizations have been applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_for_reconciliation: Option<bool>,

    /// How long `waitForReconciliation` waits, as an ISO 8601 duration such as `PT5M`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 4, max = 32), regex(pattern = r"^PT([0-9]+H)?([0-9]+M)?([0-9]+S)?$"))]
    pub reconciliation_wait_duration: Option<String>,
}

impl FluxConfigurationSpec {
    /// The fields that are set and accepted, but not honoured yet.
    pub fn unsupported(&self) -> Vec<&'static str> {
        let azure = self.azure_blob.as_ref();
        [
            (azure.is_some_and(|azure| azure.service_principal.is_some()), "spec.azureBlob.servicePrincipal"),
            (azure.is_some_and(|azure| azure.managed_identity.is_some()), "spec.azureBlob.managedIdentity"),
            (azure.is_some_and(AzureBlobSource::is_anonymous), "spec.azureBlob without credentials"),
            (self.wait_for_reconciliation == Some(true), "spec.waitForReconciliation"),
            (self.reconciliation_wait_duration.is_some(), "spec.reconciliationWaitDuration"),
        ]
        .into_iter()
        .filter_map(|(is_set, field)| is_set.then_some(field))
        .collect()
    }

    /// The fields that are set and have no effect, by name of the kustomization.
    pub fn without_effect(&self) -> Vec<String> {
        self.kustomizations
            .iter()
            .filter(|(_, kustomization)| kustomization.validation != Validation::None)
            .map(|(name, _)| format!("spec.kustomizations.{name}.validation"))
            .collect()
    }
}

/// How far a configuration reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ConfigurationScope {
    /// Anything in the cluster.
    #[default]
    Cluster,
    /// What lies in the configuration namespace.
    Namespace,
}

/// The kind of a configuration's source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ConfigurationSourceKind {
    /// A Git repository.
    #[default]
    GitRepository,
    /// A bucket that speaks S3.
    Bucket,
    /// A container of Azure Blob Storage.
    AzureBlob,
    /// An artifact in an OCI registry.
    OCIRepository,
}

/// Where the secret part of a configuration is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProtectedSettings {
    /// Secret in this namespace with the keys `sshPrivateKey`, `httpsKey` or `bucketSecretKey`.
    pub secret_ref: LocalReference,
}

impl ProtectedSettings {
    /// Key of the Secret: the private key for an SSH URL, in PEM or OpenSSH's format.
    pub const SSH_PRIVATE_KEY: &str = "sshPrivateKey";
    /// Key of the Secret: the password or token that belongs to `gitRepository.httpsUser`.
    pub const HTTPS_KEY: &str = "httpsKey";
    /// Key of the Secret: the secret key that belongs to `bucket.accessKey`.
    pub const BUCKET_SECRET_KEY: &str = "bucketSecretKey";
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::testing::with_fields;

    fn spec(more: &Value) -> FluxConfigurationSpec {
        let git = json!({"url": "https://example.org/repo", "repositoryRef": {"branch": "main"}});
        with_fields(json!({"gitRepository": git}), more)
    }

    #[test]
    fn defaults_are_those_of_arc() {
        let spec = spec(&json!({"kustomizations": {"apps": {}}}));
        assert_eq!(spec.scope, ConfigurationScope::Cluster);
        assert_eq!(spec.source_kind, ConfigurationSourceKind::GitRepository);
        let git = spec.git_repository.expect("it is set");
        assert_eq!((git.timeout(), git.sync_interval()), (Duration::from_mins(10), Duration::from_mins(10)));
        let apps = &spec.kustomizations["apps"];
        assert_eq!(apps.path, "");
        assert_eq!((apps.timeout(), apps.sync_interval()), (Duration::from_mins(10), Duration::from_mins(10)));
        assert!(apps.wait && !apps.prune && !apps.force, "it waits and does not prune: not Flux's defaults");
    }

    #[test]
    fn a_retry_is_as_far_away_as_a_sync_unless_it_is_set() {
        let spec = spec(&json!({"kustomizations": {
            "without": {"syncIntervalInSeconds": 120},
            "with": {"syncIntervalInSeconds": 120, "retryIntervalInSeconds": 30},
        }}));
        assert_eq!(spec.kustomizations["without"].retry_interval(), Duration::from_mins(2));
        assert_eq!(spec.kustomizations["with"].retry_interval(), Duration::from_secs(30));
    }

    #[test]
    fn fields_that_are_not_honoured_yet_are_named() {
        let git = |provider| {
            json!({"gitRepository": {
                "url": "https://example.org/repo", "repositoryRef": {"branch": "main"}, "provider": provider,
            }})
        };
        for (set, named) in [
            (json!({}), ""),
            (git("Generic"), ""),
            (git("Azure"), ""),
            (
                json!({"azureBlob": {
                    "url": "https://a.example.org", "containerName": "c", "managedIdentity": {"clientId": "x"},
                }}),
                "spec.azureBlob.managedIdentity",
            ),
            (
                json!({"azureBlob": {"url": "https://a.example.org", "containerName": "c"}}),
                "spec.azureBlob without credentials",
            ),
            (
                json!({"ociRepository": {
                    "url": "oci://example.org/a", "useWorkloadIdentity": true, "verify": {"provider": "cosign"},
                }}),
                "",
            ),
            (json!({"waitForReconciliation": false}), ""),
            (
                json!({"waitForReconciliation": true, "reconciliationWaitDuration": "PT5M"}),
                "spec.waitForReconciliation spec.reconciliationWaitDuration",
            ),
        ] {
            assert_eq!(spec(&set).unsupported().join(" "), named, "{set}");
        }
    }

    #[test]
    fn a_field_without_effect_is_named_with_its_kustomization() {
        let spec = spec(&json!({"kustomizations": {
            "apps": {"validation": "client"}, "base": {"validation": "none"}, "infra": {},
        }}));
        assert_eq!(spec.without_effect(), ["spec.kustomizations.apps.validation"]);
    }
}
