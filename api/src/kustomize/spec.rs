//! What a Kustomization asks for.

use std::collections::BTreeMap;
use std::ops::Not;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::status::KustomizationStatus;
use crate::duration::Duration;
use crate::reference::LocalReference;
use crate::schema::described_by_field;

/// A directory of a source, built and kept applied.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "kustomize.toolkit.fluxcd.io",
    version = "v1",
    kind = "Kustomization",
    shortname = "ks",
    category = "all",
    category = "fluxcd",
    category = "fluxcd-appliers",
    namespaced,
    status = "KustomizationStatus",
    derive = "PartialEq",
    doc = "A directory of a source, built and kept applied.",
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name": "Status", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].message"}"#
)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the fields are Flux's")]
pub struct KustomizationSpec {
    /// Labels and annotations for every object. They replace those with the same key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub common_metadata: Option<CommonMetadata>,

    /// Kustomizations that must be ready before this one is applied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<Dependency>,

    /// How encrypted Secrets are decrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decryption: Option<Decryption>,

    /// How often the cluster is compared with the source even when nothing seems to have changed, about.
    pub interval: Duration,

    /// When a failed run is tried again; `interval` when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_interval: Option<Duration>,

    /// The cluster to apply to, when it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kube_config: Option<KubeConfigReference>,

    /// The directory to build; the root of the source when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,

    /// What is done with the objects after they are built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_build: Option<PostBuild>,

    /// Deletes objects that the source no longer names.
    pub prune: bool,

    /// What happens to the objects when this one is deleted: `MirrorPrune` does as `prune` says, `Delete` deletes them,
    /// `WaitForTermination` deletes them and waits until they are gone, `Orphan` leaves them. `MirrorPrune` when it is
    /// not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,

    /// Objects whose health decides whether this one is ready. Not used when `wait` is set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health_checks: Vec<ObjectReference>,

    /// Put before the name of every object; replaces the prefix of the root kustomization file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub name_prefix: Option<String>,

    /// Put after the name of every object; replaces the suffix of the root kustomization file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub name_suffix: Option<String>,

    /// Patches, after those of the root kustomization file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<Patch>,

    /// Changes of image names, tags and digests, merged into those of the root kustomization file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Image>,

    /// Account in this namespace in whose name everything is read and written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,

    /// The source to build from.
    pub source_ref: SourceReference,

    /// Stops new runs. When a suspended one is deleted, its objects stay.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub suspend: bool,

    /// Namespace of every object; replaces the one of the root kustomization file. It is not created.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub target_namespace: Option<String>,

    /// How long objects may take to become healthy, but at least 30 seconds; half a minute less than `interval` when it is
    /// not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,

    /// Recreates an object when an immutable field of it has to change.
    #[serde(default)]
    pub force: bool,

    /// Becomes ready when everything that was applied is healthy.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub wait: bool,

    /// Kustomize components, as paths relative to `path`, after those of the root kustomization file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<String>,

    /// Leaves out the entries of `components` that are not in the source.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub ignore_missing_components: bool,

    /// Annotations that say where an object comes from and what changed it; replaces those of the root kustomization
    /// file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub build_metadata: Vec<BuildMetadata>,

    /// How the health of kinds is judged that have no rule of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health_check_exprs: Vec<HealthCheckExpr>,

    /// Fields that others may change without it being put right.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<IgnoreRule>,
}

impl KustomizationSpec {
    /// The fields that are set and accepted, but not honoured yet.
    pub fn unsupported(&self) -> Vec<&'static str> {
        [(self.decryption.is_some(), "spec.decryption"), (self.kube_config.is_some(), "spec.kubeConfig")]
            .into_iter()
            .filter_map(|(is_set, field)| is_set.then_some(field))
            .collect()
    }
}

/// Labels and annotations for every object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommonMetadata {
    /// Annotations for every object.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,

    /// Labels for every object.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// A Kustomization that must be ready first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Dependency {
    /// Its name.
    pub name: String,

    /// Its namespace; the same one when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,

    /// CEL expression that decides whether it is ready, with the two objects as `self` and `dep`. Replaces the usual
    /// rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_expr: Option<String>,
}

/// How encrypted Secrets are decrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Decryption {
    /// What encrypted them.
    pub provider: DecryptionProvider,

    /// Secret with the private keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalReference>,

    /// Account whose identity asks a cloud's key service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
}

/// What encrypted a Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DecryptionProvider {
    /// SOPS.
    Sops,
}

/// How another cluster is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "has(self.configMapRef) || has(self.secretRef)",
        "message": "exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified",
    },
    {
        "rule": "!has(self.configMapRef) || !has(self.secretRef)",
        "message": "exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified",
    },
]))]
pub struct KubeConfigReference {
    /// `ConfigMap` that names the cluster and whose identity reaches it: `provider`, `cluster`, `address`, `ca.crt`,
    /// `audiences` and `serviceAccountName`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<LocalReference>,

    /// Secret with a kubeconfig.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<KubeConfigSecret>,
}

/// A Secret with a kubeconfig.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KubeConfigSecret {
    /// Name of the Secret.
    pub name: String,

    /// Key of the kubeconfig in it; `value`, or `value.yaml`, when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// What is done with the objects after they are built.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PostBuild {
    /// Values of variables. They win over those of `substituteFrom`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub substitute: BTreeMap<String, String>,

    /// `ConfigMap`s and Secrets of this namespace whose keys are variables. Later ones win.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub substitute_from: Vec<SubstituteReference>,

    /// Whether variables are replaced when none has a value: `WithVariables` does nothing then, `Always` uses their
    /// defaults. `WithVariables` when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub substitute_strategy: Option<SubstituteStrategy>,
}

/// A `ConfigMap` or Secret whose keys are variables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubstituteReference {
    /// Which of both it is.
    pub kind: SubstituteKind,

    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,

    /// Goes on without it when it is not there.
    #[serde(default)]
    pub optional: bool,
}

/// What can hold variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SubstituteKind {
    /// A Secret.
    Secret,
    /// A `ConfigMap`.
    ConfigMap,
}

/// Whether variables are replaced when none has a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = described_by_field)]
pub enum SubstituteStrategy {
    /// Nothing is replaced unless a variable has a value.
    #[default]
    WithVariables,
    /// Defaults are used even when no variable has a value.
    Always,
}

/// What happens to the objects of a Kustomization that is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = described_by_field)]
pub enum DeletionPolicy {
    /// They are deleted if it prunes.
    #[default]
    MirrorPrune,
    /// They are deleted.
    Delete,
    /// They are deleted, and it stays until they are gone.
    WaitForTermination,
    /// They stay.
    Orphan,
}

/// An object in this cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectReference {
    /// Its API version; `apps/v1` when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,

    /// Its kind.
    pub kind: String,

    /// Its name.
    pub name: String,

    /// Its namespace; the one of the Kustomization when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// A patch of built objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Patch {
    /// A strategic merge patch, or a list of JSON 6902 operations, as YAML.
    pub patch: String,

    /// The objects it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Selector>,
}

/// Which objects are meant. What is not set matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Selector {
    /// API group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,

    /// Version of the API group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,

    /// Kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,

    /// Name, as an anchored regular expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,

    /// Namespace, as an anchored regular expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,

    /// Annotations, in the syntax of label selectors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotation_selector: Option<String>,

    /// Labels, in the syntax of label selectors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_selector: Option<String>,
}

/// A change of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// The image's name, without a tag.
    pub name: String,

    /// The name to use instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_name: Option<String>,

    /// The tag to use instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_tag: Option<String>,

    /// The digest to use instead. Beats `newTag`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// The source to build from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceReference {
    /// Its API version. It is not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,

    /// Its kind.
    pub kind: SourceKind,

    /// Its name.
    pub name: String,

    /// Its namespace; the one of the Kustomization when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// The kinds of sources that can be built from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum SourceKind {
    /// An artifact in an OCI registry.
    OCIRepository,
    /// A Git repository.
    GitRepository,
    /// A bucket of an object store.
    Bucket,
    /// An artifact that another controller makes.
    ExternalArtifact,
}

impl SourceKind {
    /// The kind as objects write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::OCIRepository => "OCIRepository",
            Self::GitRepository => "GitRepository",
            Self::Bucket => "Bucket",
            Self::ExternalArtifact => "ExternalArtifact",
        }
    }
}

/// An annotation that the build leaves on objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum BuildMetadata {
    /// Where the object comes from.
    OriginAnnotations,
    /// What changed the object.
    TransformerAnnotations,
}

/// How the health of a kind, or of a whole API group, is judged. Each expression is CEL over the object's fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HealthCheckExpr {
    /// API version whose group is meant; its version is not looked at.
    pub api_version: String,

    /// The kind; every kind of the group when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,

    /// True when the object is on its way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_progress: Option<String>,

    /// True when the object has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,

    /// True when the object is as it should be.
    pub current: String,
}

/// Fields that others may change without it being put right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IgnoreRule {
    /// JSON pointers (RFC 6901) to the fields.
    pub paths: Vec<String>,

    /// The objects it is for; all when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Selector>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::with_fields;

    fn spec(more: &Value) -> KustomizationSpec {
        let source = json!({"kind": "GitRepository", "name": "repo"});
        with_fields(json!({"interval": "1m", "prune": true, "sourceRef": source}), more)
    }

    #[test]
    fn fields_that_are_not_honoured_yet_are_named() {
        for (set, named) in [
            (json!({}), ""),
            (json!({"wait": true, "force": true, "ignore": [{"paths": ["/spec/replicas"]}]}), ""),
            (json!({"sourceRef": {"kind": "OCIRepository", "name": "x"}}), ""),
            (json!({"sourceRef": {"kind": "ExternalArtifact", "name": "x"}}), ""),
            (json!({"decryption": {"provider": "sops"}}), "spec.decryption"),
            (json!({"kubeConfig": {"secretRef": {"name": "x"}}}), "spec.kubeConfig"),
            (
                json!({"decryption": {"provider": "sops"}, "kubeConfig": {"secretRef": {"name": "x"}}}),
                "spec.decryption spec.kubeConfig",
            ),
        ] {
            assert_eq!(spec(&set).unsupported().join(" "), named, "{set}");
        }
    }
}
