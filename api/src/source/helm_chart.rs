//! `HelmChart`.

use std::ops::Not;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::oci_repository::{OidcIdentity, SignatureProvider};
use super::status::{SourceStatus, status_of_source};
use crate::duration::Duration;
use crate::reference::LocalReference;

/// A Helm chart of a repository, kept as a package for others to install.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "source.toolkit.fluxcd.io",
    version = "v1",
    kind = "HelmChart",
    plural = "helmcharts",
    shortname = "hc",
    category = "all",
    category = "fluxcd",
    category = "fluxcd-sources",
    namespaced,
    status = "HelmChartStatus",
    derive = "PartialEq",
    doc = "A Helm chart of a repository, kept as a package for others to install.",
    printcolumn = r#"{"name": "Chart", "type": "string", "jsonPath": ".spec.chart"}"#,
    printcolumn = r#"{"name": "Version", "type": "string", "jsonPath": ".spec.version"}"#,
    printcolumn = r#"{"name": "Source Kind", "type": "string", "jsonPath": ".spec.sourceRef.kind"}"#,
    printcolumn = r#"{"name": "Source Name", "type": "string", "jsonPath": ".spec.sourceRef.name"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name": "Status", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].message"}"#
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "!has(self.verify) || self.sourceRef.kind == 'HelmRepository'",
    "message": "spec.verify is only supported when spec.sourceRef.kind is 'HelmRepository'",
}]))]
pub struct HelmChartSpec {
    /// The name of the chart in a Helm repository, or its path in another source: a folder, or a package.
    pub chart: String,

    /// Which versions will do, as a version or a range of them; the highest is taken. Nothing but a Helm repository has
    /// several.
    #[serde(default = "any_version")]
    pub version: String,

    /// Where the chart is found: an object in the same namespace.
    pub source_ref: HelmChartSource,

    /// How often the source is looked at for another version, about.
    pub interval: Duration,

    /// What makes another package: a new version of the chart, or any new revision of its source.
    #[serde(default)]
    pub reconcile_strategy: ReconcileStrategy,

    /// Files whose values, one over the other, replace those of `values.yaml`. They are paths in the source, or in the
    /// chart if that is of a Helm repository.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values_files: Vec<String>,

    /// Passes by what of `valuesFiles` is not there.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub ignore_missing_values_files: bool,

    /// Stops looking for new versions. What is stored stays available.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub suspend: bool,

    /// Which signatures a chart in a registry must carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<HelmChartVerification>,
}

fn any_version() -> String {
    "*".to_owned()
}

impl HelmChartSpec {
    /// The files that replace the values of the chart. Its own file alone replaces nothing.
    pub fn values_files(&self) -> &[String] {
        match self.values_files.as_slice() {
            [own] if own == "values.yaml" => &[],
            files => files,
        }
    }
}

/// Where a chart is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelmChartSource {
    /// API version of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,

    /// Kind of the source.
    pub kind: HelmChartSourceKind,

    /// Name of the source.
    pub name: String,
}

/// The kinds of objects that a chart is found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum HelmChartSourceKind {
    /// A Helm repository, over HTTP or in a registry.
    HelmRepository,
    /// A folder or file of a Git repository.
    GitRepository,
    /// A folder or file of a bucket.
    Bucket,
}

impl HelmChartSourceKind {
    /// As objects write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::HelmRepository => "HelmRepository",
            Self::GitRepository => "GitRepository",
            Self::Bucket => "Bucket",
        }
    }
}

/// What makes another package of a chart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ReconcileStrategy {
    /// A new version of the chart.
    #[default]
    ChartVersion,
    /// A new revision of its source, for Git repositories and buckets.
    Revision,
}

/// Which signatures a chart must carry, and whose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["provider"]))]
pub struct HelmChartVerification {
    /// What verifies.
    #[serde(default)]
    pub provider: SignatureProvider,

    /// Secret with the public keys that are trusted, with the roots of trust of a Sigstore instance under
    /// `trusted_root.json`, or with the trust policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalReference>,

    /// The identities that are trusted without a key; one of them must match.
    #[serde(rename = "matchOIDCIdentity", default, skip_serializing_if = "Vec::is_empty")]
    pub match_oidc_identity: Vec<OidcIdentity>,
}

/// What is known about a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelmChartStatus {
    /// What every source tells.
    #[serde(flatten)]
    pub source: SourceStatus,

    /// The revision of the source that was looked at last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_source_artifact_revision: Option<String>,

    /// The name that the chart gives itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_chart_name: Option<String>,

    /// The files of values that were there, if missing ones are passed by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observed_values_files: Vec<String>,

    /// Where the newest package can be had in the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

status_of_source!(HelmChartStatus);

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::with_fields;

    fn spec(more: &Value) -> HelmChartSpec {
        let source = json!({"kind": "HelmRepository", "name": "shop"});
        with_fields(json!({"chart": "web", "sourceRef": source, "interval": "1m"}), more)
    }

    #[test]
    fn what_is_not_set_has_flux_s_default() {
        let spec = spec(&json!({}));
        assert_eq!((spec.version.as_str(), spec.reconcile_strategy), ("*", ReconcileStrategy::ChartVersion));
    }

    #[test]
    fn the_chart_s_own_values_alone_replace_nothing() {
        for (written, meant) in [
            (json!([]), json!([])),
            (json!(["values.yaml"]), json!([])),
            (json!(["values.yaml", "more.yaml"]), json!(["values.yaml", "more.yaml"])),
            (json!(["more.yaml"]), json!(["more.yaml"])),
        ] {
            assert_eq!(json!(spec(&json!({"valuesFiles": written})).values_files()), meant, "{written}");
        }
    }
}
