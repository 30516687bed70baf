//! `HelmRepository`.

use std::collections::BTreeMap;
use std::ops::Not;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Provider;
use super::status::{SourceStatus, status_of_source};
use crate::duration::Duration;
use crate::reference::LocalReference;
use crate::schema::described_by_field;

/// A Helm repository: over HTTP its index is kept for charts to be found in; in an OCI registry it is only named.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "source.toolkit.fluxcd.io",
    version = "v1",
    kind = "HelmRepository",
    plural = "helmrepositories",
    shortname = "helmrepo",
    category = "all",
    category = "fluxcd",
    category = "fluxcd-sources",
    namespaced,
    status = "HelmRepositoryStatus",
    derive = "PartialEq",
    doc = "A Helm repository: over HTTP its index is kept for charts to be found in; in an OCI registry it is only named.",
    printcolumn = r#"{"name": "URL", "type": "string", "jsonPath": ".spec.url"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name": "Status", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].message"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct HelmRepositorySpec {
    /// Where the repository is: an `http`, `https` or `oci` URL.
    #[schemars(regex(pattern = "^(http|https|oci)://.*$"))]
    pub url: String,

    /// Secret with `username` and `password`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalReference>,

    /// Secret for TLS: `ca.crt`, or `tls.crt` and `tls.key`, or all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert_secret_ref: Option<LocalReference>,

    /// Shows user and password to every server that the index names, and not to the repository's own only.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub pass_credentials: bool,

    /// How often the index is fetched, about; once a minute when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Duration>,

    /// Speaks plain HTTP with an OCI registry.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub insecure: bool,

    /// How long one fetch may take; a minute when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m))+$"))]
    pub timeout: Option<Duration>,

    /// Stops fetching the index. What is stored stays available.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub suspend: bool,

    /// Who may refer to the repository from other namespaces. It is not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_from: Option<AccessFrom>,

    /// Whether it is a repository over HTTP (`default`) or in an OCI registry (`oci`).
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<HelmRepositoryType>,

    /// Whose way to authenticate with an OCI registry is used.
    #[serde(default)]
    pub provider: Provider,
}

impl HelmRepositorySpec {
    /// Whether it is a repository in an OCI registry, which has no index.
    pub fn is_oci(&self) -> bool {
        self.type_ == Some(HelmRepositoryType::Oci)
    }

    /// How often the index is fetched.
    pub fn interval(&self) -> Duration {
        self.interval.clone().unwrap_or_else(|| "1m".into())
    }

    /// How long one fetch may take.
    pub fn timeout(&self) -> Duration {
        self.timeout.clone().unwrap_or_else(super::default_fetch_timeout)
    }
}

/// Whether a repository is one over HTTP or in an OCI registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(transform = described_by_field)]
pub enum HelmRepositoryType {
    /// Over HTTP, with an index.
    Default,
    /// In an OCI registry.
    Oci,
}

/// Who may refer to an object from other namespaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessFrom {
    /// The namespaces; one of these must match.
    pub namespace_selectors: Vec<NamespaceSelector>,
}

/// Namespaces by their labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceSelector {
    /// The labels; all namespaces when it is empty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub match_labels: BTreeMap<String, String>,
}

/// What is known about a Helm repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelmRepositoryStatus {
    /// What every source tells.
    #[serde(flatten)]
    pub source: SourceStatus,

    /// Where the newest index can be had in the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

status_of_source!(HelmRepositoryStatus);

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::with_fields;

    #[test]
    fn what_is_not_set_has_flux_s_default() {
        let spec: HelmRepositorySpec =
            with_fields(json!({"url": "https://charts.example.org"}), &Value::Object(serde_json::Map::new()));
        assert_eq!((spec.interval().as_str(), spec.timeout().as_str(), spec.is_oci()), ("1m", "60s", false));
    }
}
