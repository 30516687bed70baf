//! `OCIRepository`.

use std::ops::Not;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::status::{SourceStatus, status_of_source};
use super::{Provider, default_fetch_timeout};
use crate::duration::Duration;
use crate::reference::LocalReference;
use crate::schema::described_by_field;

/// An artifact in an OCI registry whose content is kept for others to build from.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "source.toolkit.fluxcd.io",
    version = "v1",
    kind = "OCIRepository",
    root = "OciRepository",
    plural = "ocirepositories",
    shortname = "ocirepo",
    category = "all",
    category = "fluxcd",
    category = "fluxcd-sources",
    namespaced,
    status = "OciRepositoryStatus",
    derive = "PartialEq",
    doc = "An artifact in an OCI registry whose content is kept for others to build from.",
    printcolumn = r#"{"name": "URL", "type": "string", "jsonPath": ".spec.url"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name": "Status", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].message"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct OciRepositorySpec {
    /// Where the artifact is: `oci://<host>[:<port>]/<repository>`, without tag and digest.
    #[schemars(regex(pattern = "^oci://.*$"))]
    pub url: String,

    /// Which revision is wanted; the tag `latest` when it is not set.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<OciRepositoryRef>,

    /// Which layer is used, and how; the first one, extracted, when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer_selector: Option<OciLayerSelector>,

    /// Whose way to authenticate is used.
    #[serde(default)]
    pub provider: Provider,

    /// Secret with the credentials, of type `kubernetes.io/dockerconfigjson`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalReference>,

    /// Which signatures the artifact must carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<OciRepositoryVerification>,

    /// Service account whose image pull Secrets are used too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,

    /// Secret for TLS: `ca.crt`, or `tls.crt` and `tls.key`, or all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert_secret_ref: Option<LocalReference>,

    /// Secret with the proxy to go through: `address`, and `username` and `password` where it asks for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_secret_ref: Option<LocalReference>,

    /// How often the registry is asked for a new revision, about.
    pub interval: Duration,

    /// How long one fetch may take.
    #[serde(default = "default_fetch_timeout")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m))+$"))]
    pub timeout: Duration,

    /// What is left out of the artifact, in the format of `.gitignore`. Replaces the patterns that are left out
    /// otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore: Option<String>,

    /// Speaks plain HTTP with the registry.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub insecure: bool,

    /// Stops looking for new revisions. What is stored stays available.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub suspend: bool,
}

impl OciRepositorySpec {
    /// The fields that are set and accepted, but not honoured yet.
    pub fn unsupported(&self) -> Vec<&'static str> {
        let is_workload = self.provider != Provider::Generic && self.service_account_name.is_some();
        is_workload.then_some("spec.serviceAccountName with spec.provider").into_iter().collect()
    }
}

/// Which revision of an artifact is wanted. When several fields are set, `digest` beats `semver`, which beats `tag`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OciRepositoryRef {
    /// Digest that is wanted: `sha256:<hex>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,

    /// Range of versions; the highest tag in it is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub semver: Option<String>,

    /// Regular expression; tags that it does not match anywhere are not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub semver_filter: Option<String>,

    /// Tag that is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// Which layer of an artifact is used, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OciLayerSelector {
    /// Media type of the layer; the first one that has it is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,

    /// Whether the layer is unpacked (`extract`) or kept as it is (`copy`); unpacked when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<OciLayerOperation>,
}

/// What is done with a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(transform = described_by_field)]
pub enum OciLayerOperation {
    /// It is unpacked.
    Extract,
    /// It is kept as it is.
    Copy,
}

/// Which signatures an artifact must carry, and whose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["provider"]))]
pub struct OciRepositoryVerification {
    /// What verifies.
    #[serde(default)]
    pub provider: SignatureProvider,

    /// Secret with the public keys that are trusted, or the trust policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalReference>,

    /// The identities that are trusted without a key; one of them must match.
    #[serde(rename = "matchOIDCIdentity", default, skip_serializing_if = "Vec::is_empty")]
    pub match_oidc_identity: Vec<OidcIdentity>,

    /// Secret with the roots of trust of a Sigstore instance of one's own, under `trusted_root.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_root_secret_ref: Option<LocalReference>,
}

/// What verifies a signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SignatureProvider {
    /// Sigstore's Cosign.
    #[default]
    Cosign,
    /// The Notary Project's Notation.
    Notation,
}

/// An identity, as two regular expressions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OidcIdentity {
    /// Who vouches for the identity.
    pub issuer: String,

    /// Who signed.
    pub subject: String,
}

/// What is known about an artifact in a registry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OciRepositoryStatus {
    /// What every source tells.
    #[serde(flatten)]
    pub source: SourceStatus,

    /// Where the newest artifact can be had in the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,

    /// `spec.ignore` as the artifact was made with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_ignore: Option<String>,

    /// `spec.layerSelector` as the artifact was made with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_layer_selector: Option<OciLayerSelector>,
}

status_of_source!(OciRepositoryStatus);

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::with_fields;

    fn spec(more: &Value) -> OciRepositorySpec {
        with_fields(json!({"url": "oci://example.org/app", "interval": "1m"}), more)
    }

    #[test]
    fn fields_that_are_not_honoured_yet_are_named() {
        let secret = json!({"name": "keys"});
        for (set, named) in [
            (json!({}), ""),
            (json!({"provider": "generic", "secretRef": secret, "serviceAccountName": "puller"}), ""),
            (json!({"certSecretRef": secret, "proxySecretRef": secret, "insecure": true, "ignore": "*"}), ""),
            (json!({"layerSelector": {"operation": "copy"}, "ref": {"semver": "1.x", "semverFilter": "-rc"}}), ""),
            (json!({"provider": "gcp"}), ""),
            (json!({"provider": "gcp", "serviceAccountName": "x"}), "spec.serviceAccountName with spec.provider"),
            (json!({"provider": "aws", "verify": {"provider": "cosign"}}), ""),
        ] {
            assert_eq!(spec(&set).unsupported().join(" "), named, "{set}");
        }
    }
}
