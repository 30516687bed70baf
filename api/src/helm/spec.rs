//! What a `HelmRelease` asks for.

use std::collections::BTreeMap;
use std::ops::Not;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::actions::{Install, Rollback, Test, Uninstall, Upgrade};
use super::status::HelmReleaseStatus;
use crate::duration::Duration;
use crate::kustomize::{CommonMetadata, Dependency, HealthCheckExpr, IgnoreRule, Image, KubeConfigReference, Patch};
use crate::reference::LocalReference;
use crate::schema::{described_by_field, of_any_type, without_format};
use crate::source::{HelmChartSourceKind, ReconcileStrategy, SignatureProvider};

/// A chart, installed with values and kept so.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "helm.toolkit.fluxcd.io",
    version = "v2",
    kind = "HelmRelease",
    plural = "helmreleases",
    shortname = "hr",
    namespaced,
    status = "HelmReleaseStatus",
    derive = "PartialEq",
    doc = "A chart, installed with values and kept so.",
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name": "Status", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].message"}"#
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "(has(self.chart) && !has(self.chartRef)) || (!has(self.chart) && has(self.chartRef))",
    "message": "either chart or chartRef must be set",
}]))]
pub struct HelmReleaseSpec {
    /// The chart, by a `HelmChart` that is made for this release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chart: Option<ChartTemplate>,

    /// The chart, by a source that is there already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chart_ref: Option<ChartReference>,

    /// How often the release is compared with what is asked even when nothing seems to have changed, about.
    pub interval: Duration,

    /// The cluster to install to, when it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kube_config: Option<KubeConfigReference>,

    /// Stops new runs. When a suspended one is deleted, what it installed stays.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub suspend: bool,

    /// Name of the release; `<targetNamespace>-<name>` when it is not set, without the first part where that is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 53))]
    pub release_name: Option<String>,

    /// Namespace of the release; the one of this object when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub target_namespace: Option<String>,

    /// Namespace of the Secrets that record the release; the one of this object when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub storage_namespace: Option<String>,

    /// Releases that must be ready before this one is worked on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<Dependency>,

    /// How long one wait of an action may take; five minutes when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,

    /// How many revisions are kept; five when it is not set, all when it is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = without_format)]
    pub max_history: Option<i64>,

    /// Account in this namespace in whose name everything is read and written.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub service_account_name: Option<String>,

    /// Whether one client serves a whole run. It always does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent_client: Option<bool>,

    /// What is done about changes that others make to what was installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift_detection: Option<DriftDetection>,

    /// How the release is installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub install: Option<Install>,

    /// How the release is upgraded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<Upgrade>,

    /// Whether and how the release is tested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Test>,

    /// How the release is rolled back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback: Option<Rollback>,

    /// How the release is uninstalled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uninstall: Option<Uninstall>,

    /// `ConfigMap`s and Secrets of this namespace that hold values. Later ones win.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values_from: Vec<ValuesReference>,

    /// Values. They win over those of `valuesFrom`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = of_any_type)]
    pub values: Option<Value>,

    /// Labels and annotations for every object. They replace those with the same key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub common_metadata: Option<CommonMetadata>,

    /// What is done with the objects after they are rendered, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post_renderers: Vec<PostRenderer>,

    /// Whether hooks pass `postRenderers` too: `combined` together with the rest, `separate` after it, `nohooks` not at
    /// all. `combined` when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_render_strategy: Option<PostRenderStrategy>,

    /// How is decided that objects are ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_strategy: Option<WaitStrategy>,

    /// How the health of kinds is judged that have no rule of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health_check_exprs: Vec<HealthCheckExpr>,
}

/// How long one wait of an action may take if nothing says it.
const DEFAULT_TIMEOUT: std::time::Duration = std::time::Duration::from_mins(5);

/// How many revisions are kept if nothing says it.
const DEFAULT_MAX_HISTORY: i64 = 5;

/// Longest name of a release.
const RELEASE_NAME_LIMIT: usize = 53;

impl HelmReleaseSpec {
    /// The fields that are set and accepted, but not honoured yet.
    pub fn unsupported(&self) -> Vec<&'static str> {
        let install = self.install.clone().unwrap_or_default();
        let upgrade = self.upgrade.clone().unwrap_or_default();
        let rollback = self.rollback.clone().unwrap_or_default();
        let waits_as_before = self.wait_strategy.as_ref().is_some_and(WaitStrategy::is_legacy);
        [
            (self.kube_config.is_some(), "spec.kubeConfig"),
            (waits_as_before, "spec.waitStrategy"),
            (install.server_side_apply == Some(false), "spec.install.serverSideApply"),
            (upgrade.applies_in_client(), "spec.upgrade.serverSideApply"),
            (rollback.applies_in_client(), "spec.rollback.serverSideApply"),
        ]
        .into_iter()
        .filter_map(|(is_set, field)| is_set.then_some(field))
        .collect()
    }

    /// The name of the release of an object called `name`, before it is shortened.
    pub fn full_release_name(&self, name: &str) -> String {
        match (&self.release_name, &self.target_namespace) {
            (Some(named), _) => named.clone(),
            (None, Some(namespace)) => format!("{namespace}-{name}"),
            (None, None) => name.to_owned(),
        }
    }

    /// Whether the name of the release has to be shortened.
    pub fn is_release_name_long(name: &str) -> bool {
        name.len() > RELEASE_NAME_LIMIT
    }

    /// The namespace of the release of an object in `namespace`.
    pub fn release_namespace<'a>(&'a self, namespace: &'a str) -> &'a str {
        self.target_namespace.as_deref().unwrap_or(namespace)
    }

    /// The namespace of the Secrets that record the release of an object in `namespace`.
    pub fn storage_namespace<'a>(&'a self, namespace: &'a str) -> &'a str {
        self.storage_namespace.as_deref().unwrap_or(namespace)
    }

    /// How many revisions are kept; 0 for all.
    pub fn max_history(&self) -> usize {
        usize::try_from(self.max_history.unwrap_or(DEFAULT_MAX_HISTORY)).unwrap_or(0)
    }

    /// How long one wait of an action may take that says `own`.
    pub fn timeout(&self, own: Option<&Duration>) -> Result<std::time::Duration, crate::duration::DurationError> {
        match (own, &self.timeout) {
            (Some(own), _) => own.read("timeout"),
            (None, Some(timeout)) => timeout.read("spec.timeout"),
            (None, None) => Ok(DEFAULT_TIMEOUT),
        }
    }

    /// Whether the release is tested.
    pub fn is_tested(&self) -> bool {
        self.test.as_ref().is_some_and(|test| test.enable)
    }

    /// What is done about drift.
    pub fn drift_mode(&self) -> DriftMode {
        self.drift_detection.as_ref().and_then(|drift| drift.mode).unwrap_or_default()
    }
}

/// A `HelmChart` that is made for the release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChartTemplate {
    /// Labels and annotations of the `HelmChart`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<ChartTemplateMetadata>,

    /// What the `HelmChart` asks for.
    pub spec: ChartTemplateSpec,
}

/// Labels and annotations of a `HelmChart`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChartTemplateMetadata {
    /// Annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,

    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// What a `HelmChart` that is made for a release asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChartTemplateSpec {
    /// The name of the chart in a Helm repository, or its path in another source: a folder, or a package.
    #[schemars(length(min = 1, max = 2048))]
    pub chart: String,

    /// Which versions will do, as a version or a range of them; the highest is taken.
    #[serde(default = "any_version")]
    pub version: String,

    /// Where the chart is found.
    pub source_ref: ChartTemplateSource,

    /// How often the source is looked at for another version, about; the interval of the release when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Duration>,

    /// What makes another package: a new version of the chart, or any new revision of its source.
    #[serde(default)]
    pub reconcile_strategy: ReconcileStrategy,

    /// Files whose values, one over the other, replace those of `values.yaml`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values_files: Vec<String>,

    /// Passes by what of `valuesFiles` is not there.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub ignore_missing_values_files: bool,

    /// Which signatures a chart in a registry must carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<ChartVerification>,
}

fn any_version() -> String {
    "*".to_owned()
}

/// Where the chart of a release is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChartTemplateSource {
    /// API version of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,

    /// Kind of the source.
    pub kind: HelmChartSourceKind,

    /// Name of the source.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,

    /// Namespace of the source; the one of the release when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
}

/// Which signatures a chart must carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["provider"]))]
pub struct ChartVerification {
    /// What verifies.
    #[serde(default)]
    pub provider: SignatureProvider,

    /// Secret with the public keys that are trusted, or the trust policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalReference>,
}

/// A source that holds the chart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChartReference {
    /// Its API version. It is not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,

    /// Its kind.
    pub kind: ChartReferenceKind,

    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,

    /// Its namespace; the one of the release when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
}

/// The kinds of sources that hold a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ChartReferenceKind {
    /// An artifact in an OCI registry.
    OCIRepository,
    /// A chart that is packed already.
    HelmChart,
    /// An artifact that another controller makes.
    ExternalArtifact,
}

/// A `ConfigMap` or Secret that holds values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValuesReference {
    /// Which of both it is.
    pub kind: ValuesSourceKind,

    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,

    /// The key in it; `values.yaml` when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253), regex(pattern = r"^[\-._a-zA-Z0-9]+$"))]
    pub values_key: Option<String>,

    /// The path of the one value that it holds, as `--set` has it; without it, it holds a map of values.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 250), regex(pattern = r"^([a-zA-Z0-9_\-.\\\/]|\[[0-9]{1,5}\])+$"))]
    pub target_path: Option<String>,

    /// Takes the value at `targetPath` as a text, whatever it looks like.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub literal: bool,

    /// Goes on without it when it or its key is not there.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub optional: bool,
}

/// What can hold values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ValuesSourceKind {
    /// A Secret.
    Secret,
    /// A `ConfigMap`.
    ConfigMap,
}

impl ValuesSourceKind {
    /// As objects write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
        }
    }
}

/// What is done about changes that others make to what was installed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriftDetection {
    /// Whether they are put right (`enabled`), told (`warn`) or left (`disabled`). `disabled` when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<DriftMode>,

    /// Fields that others may change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<IgnoreRule>,
}

/// What is done about drift.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(transform = described_by_field)]
pub enum DriftMode {
    /// It is put right.
    Enabled,
    /// It is told.
    Warn,
    /// It is left.
    #[default]
    Disabled,
}

/// What is done with the objects after they are rendered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PostRenderer {
    /// Patches and images, as in a kustomization file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kustomize: Option<KustomizeRenderer>,
}

/// Patches and images, as in a kustomization file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KustomizeRenderer {
    /// Patches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<Patch>,

    /// Changes of image names, tags and digests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Image>,
}

/// Whether hooks pass the post-renderers too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(transform = described_by_field)]
pub enum PostRenderStrategy {
    /// Together with the rest.
    #[default]
    Combined,
    /// After the rest.
    Separate,
    /// Not at all.
    NoHooks,
}

/// How is decided that objects are ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaitStrategy {
    /// `poller` by the status of each object as kstatus reads it, `legacy` by the rules of Helm 3.
    pub name: WaitStrategyName,
}

impl WaitStrategy {
    fn is_legacy(&self) -> bool {
        self.name == WaitStrategyName::Legacy
    }
}

/// By which rules objects are ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(transform = described_by_field)]
pub enum WaitStrategyName {
    /// Those of kstatus.
    Poller,
    /// Those of Helm 3.
    Legacy,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::with_fields;

    fn spec(more: &Value) -> HelmReleaseSpec {
        let chart = json!({"spec": {"chart": "web", "sourceRef": {"kind": "HelmRepository", "name": "shop"}}});
        with_fields(json!({"interval": "1m", "chart": chart}), more)
    }

    #[test]
    fn fields_that_are_not_honoured_yet_are_named() {
        for (set, named) in [
            (json!({}), ""),
            (json!({"install": {"crds": "Skip"}, "upgrade": {"force": true}, "waitStrategy": {"name": "poller"}}), ""),
            (json!({"upgrade": {"serverSideApply": "auto"}, "uninstall": {"deletionPropagation": "orphan"}}), ""),
            (json!({"postRenderStrategy": "separate", "upgrade": {"cleanupOnFail": true}}), ""),
            (json!({"kubeConfig": {"secretRef": {"name": "x"}}}), "spec.kubeConfig"),
            (json!({"waitStrategy": {"name": "legacy"}}), "spec.waitStrategy"),
            (json!({"install": {"serverSideApply": false}}), "spec.install.serverSideApply"),
            (json!({"upgrade": {"serverSideApply": "disabled"}}), "spec.upgrade.serverSideApply"),
        ] {
            assert_eq!(spec(&set).unsupported().join(" "), named, "{set}");
        }
    }

    #[test]
    fn a_release_is_called_after_its_namespace_and_object_unless_it_has_a_name() {
        for (set, name) in [
            (json!({}), "web"),
            (json!({"targetNamespace": "shop"}), "shop-web"),
            (json!({"targetNamespace": "shop", "releaseName": "front"}), "front"),
        ] {
            assert_eq!(spec(&set).full_release_name("web"), name, "{set}");
        }
    }
}
