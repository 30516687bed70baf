//! `Bucket`.

use std::ops::Not;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::status::{SourceStatus, status_of_source};
use super::{Provider, default_fetch_timeout};
use crate::duration::Duration;
use crate::reference::LocalReference;

/// A bucket of an object store whose objects are kept for others to build from.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "source.toolkit.fluxcd.io",
    version = "v1",
    kind = "Bucket",
    plural = "buckets",
    category = "all",
    category = "fluxcd",
    category = "fluxcd-sources",
    namespaced,
    status = "BucketStatus",
    derive = "PartialEq",
    doc = "A bucket of an object store whose objects are kept for others to build from.",
    printcolumn = r#"{"name": "Endpoint", "type": "string", "jsonPath": ".spec.endpoint"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name": "Status", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].message"}"#
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "self.provider == 'aws' || self.provider == 'generic' || !has(self.sts)",
        "message": "STS configuration is only supported for the 'aws' and 'generic' Bucket providers",
    },
    {
        "rule": "self.provider != 'aws' || !has(self.sts) || self.sts.provider == 'aws'",
        "message": "'aws' is the only supported STS provider for the 'aws' Bucket provider",
    },
    {
        "rule": "self.provider != 'generic' || !has(self.sts) || self.sts.provider == 'ldap'",
        "message": "'ldap' is the only supported STS provider for the 'generic' Bucket provider",
    },
    {
        "rule": "!has(self.sts) || self.sts.provider != 'aws' || !has(self.sts.secretRef)",
        "message": "spec.sts.secretRef is not required for the 'aws' STS provider",
    },
    {
        "rule": "!has(self.sts) || self.sts.provider != 'aws' || !has(self.sts.certSecretRef)",
        "message": "spec.sts.certSecretRef is not required for the 'aws' STS provider",
    },
    {
        "rule": "self.provider != 'generic' || !has(self.serviceAccountName)",
        "message": "ServiceAccountName is not supported for the 'generic' Bucket provider",
    },
    {
        "rule": "!has(self.secretRef) || !has(self.serviceAccountName)",
        "message": "cannot set both .spec.secretRef and .spec.serviceAccountName",
    },
]))]
pub struct BucketSpec {
    /// Whose service it is, and whose way to authenticate is used.
    #[serde(default)]
    pub provider: Provider,

    /// Name of the bucket, or of the container.
    pub bucket_name: String,

    /// Where the service is: `<host>[:<port>]`; for `azure` the URL of the account.
    pub endpoint: String,

    /// Temporary credentials from a token service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sts: Option<BucketSts>,

    /// Speaks plain HTTP with the service.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub insecure: bool,

    /// Region that the bucket is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,

    /// How the keys of the wanted objects begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,

    /// Secret with the credentials: `accesskey` and `secretkey`, `serviceaccount` for `gcp`, `accountKey` or `sasKey` for
    /// `azure`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalReference>,

    /// Service account whose identity authenticates with the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,

    /// Secret for TLS: `ca.crt`, or `tls.crt` and `tls.key`, or all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert_secret_ref: Option<LocalReference>,

    /// Secret with the proxy to go through: `address`, and `username` and `password` where it asks for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_secret_ref: Option<LocalReference>,

    /// How often the bucket is listed, about.
    pub interval: Duration,

    /// How long one listing or one fetch may take.
    #[serde(default = "default_fetch_timeout")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m))+$"))]
    pub timeout: Duration,

    /// What is left out of the artifact, in the format of `.gitignore`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore: Option<String>,

    /// Stops looking for changes. What is stored stays available.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub suspend: bool,
}

impl BucketSpec {
    /// The fields that are set and accepted, but not honoured yet.
    pub fn unsupported(&self) -> Vec<&'static str> {
        [(self.sts.is_some(), "spec.sts"), (self.service_account_name.is_some(), "spec.serviceAccountName")]
            .into_iter()
            .filter_map(|(is_set, field)| is_set.then_some(field))
            .collect()
    }
}

/// Temporary credentials from a token service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BucketSts {
    /// Which protocol the service speaks.
    pub provider: StsProvider,

    /// Where the service is.
    #[schemars(regex(pattern = "^(http|https)://.*$"))]
    pub endpoint: String,

    /// Secret with `username` and `password`, for `ldap`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalReference>,

    /// Secret for TLS with the service, for `ldap`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert_secret_ref: Option<LocalReference>,
}

/// Which protocol a token service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StsProvider {
    /// Amazon's.
    Aws,
    /// That of `MinIO`, which asks an LDAP directory.
    Ldap,
}

/// What is known about a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BucketStatus {
    /// What every source tells.
    #[serde(flatten)]
    pub source: SourceStatus,

    /// Where the newest artifact can be had in the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,

    /// `spec.ignore` as the artifact was made with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_ignore: Option<String>,
}

status_of_source!(BucketStatus);

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::with_fields;

    fn spec(more: &Value) -> BucketSpec {
        with_fields(json!({"bucketName": "shop", "endpoint": "s3.example.org", "interval": "1m"}), more)
    }

    #[test]
    fn fields_that_are_not_honoured_yet_are_named() {
        let secret = json!({"name": "keys"});
        let sts = json!({"provider": "ldap", "endpoint": "https://sts.example.org"});
        for (set, named) in [
            (json!({}), ""),
            (json!({"secretRef": secret, "certSecretRef": secret, "proxySecretRef": secret, "region": "eu"}), ""),
            (json!({"provider": "azure", "secretRef": secret, "prefix": "a/", "ignore": "*"}), ""),
            (json!({"provider": "gcp"}), ""),
            (json!({"provider": "aws", "serviceAccountName": "x"}), "spec.serviceAccountName"),
            (json!({"sts": sts}), "spec.sts"),
        ] {
            assert_eq!(spec(&set).unsupported().join(" "), named, "{set}");
        }
    }
}
