//! `GitRepository`.

use std::ops::Not;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::default_fetch_timeout;
use super::status::{Artifact, SourceStatus, status_of_source};
use crate::duration::Duration;
use crate::reference::LocalReference;
use crate::schema::described_by_field;

/// A Git repository whose content is kept as an artifact for others to build from.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "source.toolkit.fluxcd.io",
    version = "v1",
    kind = "GitRepository",
    plural = "gitrepositories",
    shortname = "gitrepo",
    category = "all",
    category = "fluxcd",
    category = "fluxcd-sources",
    namespaced,
    status = "GitRepositoryStatus",
    derive = "PartialEq",
    doc = "A Git repository whose content is kept as an artifact for others to build from.",
    printcolumn = r#"{"name": "URL", "type": "string", "jsonPath": ".spec.url"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name": "Status", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].message"}"#
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "!has(self.serviceAccountName) || \
             (has(self.provider) && (self.provider == 'azure' || self.provider == 'aws'))",
    "message": "serviceAccountName can only be set when provider is 'azure' or 'aws'",
}]))]
pub struct GitRepositorySpec {
    /// Where the repository is: an `http`, `https` or `ssh` URL. The short form `user@host:path` is not accepted.
    #[schemars(regex(pattern = "^(http|https|ssh)://.*$"))]
    pub url: String,

    /// Secret with the credentials: `username` and `password`, or `bearerToken`, for HTTPS; `identity` and
    /// `known_hosts` for SSH; `ca.crt`, `tls.crt` and `tls.key` for TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalReference>,

    /// Whose way to authenticate is used; `generic` when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<GitProvider>,

    /// Service account whose identity authenticates with the provider, for `azure` and `aws`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,

    /// How often the repository is looked at for a new revision, about.
    pub interval: Duration,

    /// How long one fetch may take.
    #[serde(default = "default_fetch_timeout")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m))+$"))]
    pub timeout: Duration,

    /// Which revision is wanted; the branch `master` when it is not set.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<GitRepositoryRef>,

    /// Which signatures a revision must carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<GitRepositoryVerification>,

    /// Secret with the proxy to go through: `address`, and `username` and `password` where it asks for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_secret_ref: Option<LocalReference>,

    /// What is left out of the artifact, in the format of `.gitignore`. Replaces the patterns that are left out
    /// otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore: Option<String>,

    /// Stops looking for new revisions. What is stored stays available.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub suspend: bool,

    /// Fetches submodules too, with their default settings.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub recurse_submodules: bool,

    /// Other repositories whose artifacts are copied into this one's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<GitRepositoryInclude>,

    /// The only directories that are fetched and stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sparse_checkout: Vec<String>,
}

impl GitRepositorySpec {
    /// The fields that are set and accepted, but not honoured yet.
    pub fn unsupported(&self) -> Vec<&'static str> {
        let is_code_commit = self.provider == Some(GitProvider::Aws);
        [
            (is_code_commit, "spec.provider aws"),
            (self.service_account_name.is_some(), "spec.serviceAccountName"),
            (self.proxy_secret_ref.is_some() && self.url.starts_with("ssh://"), "spec.proxySecretRef"),
        ]
        .into_iter()
        .filter_map(|(is_set, field)| is_set.then_some(field))
        .collect()
    }
}

/// Whose way to authenticate with a Git server is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(transform = described_by_field)]
pub enum GitProvider {
    /// A Secret, or nothing.
    Generic,
    /// AWS `CodeCommit`.
    Aws,
    /// Azure DevOps.
    Azure,
    /// A GitHub App.
    Github,
}

/// Which revision of a repository is wanted. When several fields are set, `commit` beats `name`, which beats `tag`,
/// which beats `semver`, which beats `branch`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GitRepositoryRef {
    /// Branch whose head is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,

    /// Tag that is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,

    /// Range of versions; the newest tag in it is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub semver: Option<String>,

    /// Full name of the reference that is wanted, such as `refs/heads/main` or `refs/pull/420/head`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,

    /// Commit that is wanted. `branch` may stand beside it and says where the commit is found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// Which signatures a revision must carry, and whose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GitRepositoryVerification {
    /// What must be signed: the commit (`HEAD`, or `head`), the tag (`Tag`), or both (`TagAndHEAD`).
    #[serde(default)]
    pub mode: GitVerificationMode,

    /// Secret with the public keys that are trusted: PGP keys under names that end in `.asc`, SSH keys under names
    /// that end in `.sshpub`.
    pub secret_ref: LocalReference,
}

/// What of a revision must be signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum GitVerificationMode {
    /// The commit; an older spelling.
    #[serde(rename = "head")]
    LowercaseHead,
    /// The commit.
    #[default]
    #[serde(rename = "HEAD")]
    Head,
    /// The tag.
    Tag,
    /// The tag and the commit.
    #[serde(rename = "TagAndHEAD")]
    TagAndHead,
}

/// A repository whose artifact is copied into another's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GitRepositoryInclude {
    /// The repository to copy from, in the same namespace.
    pub repository: LocalReference,

    /// The directory to copy; all of it when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_path: Option<String>,

    /// The directory to copy to; the repository's name when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_path: Option<String>,
}

/// What is known about a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GitRepositoryStatus {
    /// What every source tells.
    #[serde(flatten)]
    pub source: SourceStatus,

    /// The artifacts that were copied into it, in the order of `spec.include`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub included_artifacts: Vec<Artifact>,

    /// `spec.ignore` as the artifact was made with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_ignore: Option<String>,

    /// `spec.recurseSubmodules` as the artifact was made with it.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub observed_recurse_submodules: bool,

    /// `spec.include` as the artifact was made with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observed_include: Vec<GitRepositoryInclude>,

    /// `spec.sparseCheckout` as the artifact was made with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observed_sparse_checkout: Vec<String>,

    /// What was verified last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_verification_mode: Option<String>,
}

status_of_source!(GitRepositoryStatus);

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::with_fields;

    fn spec(more: &Value) -> GitRepositorySpec {
        with_fields(json!({"url": "https://example.org/repo", "interval": "1m"}), more)
    }

    #[test]
    fn fields_that_are_not_honoured_yet_are_named() {
        let secret = json!({"name": "keys"});
        for (set, named) in [
            (json!({}), ""),
            (json!({"provider": "generic", "suspend": true, "ignore": "*", "secretRef": secret}), ""),
            (json!({"ref": {"semver": ">=1.0.0"}, "timeout": "20s"}), ""),
            (json!({"provider": "github"}), ""),
            (json!({"provider": "azure"}), ""),
            (json!({"provider": "aws", "serviceAccountName": "git"}), "spec.provider aws spec.serviceAccountName"),
            (json!({"verify": {"secretRef": secret}}), ""),
            (json!({"proxySecretRef": secret}), ""),
            (json!({"proxySecretRef": secret, "url": "ssh://git@example.org/repo"}), "spec.proxySecretRef"),
            (json!({"recurseSubmodules": true, "sparseCheckout": ["apps"]}), ""),
            (json!({"include": [{"repository": {"name": "other"}}]}), ""),
        ] {
            assert_eq!(spec(&set).unsupported().join(" "), named, "{set}");
        }
    }

    #[test]
    fn what_is_not_set_has_its_default_and_is_not_written_back() {
        let spec = spec(&json!({}));
        assert_eq!(spec.timeout.as_str(), "60s");
        let written = serde_json::to_value(&spec).expect("a spec");
        assert_eq!(written, json!({"url": "https://example.org/repo", "interval": "1m", "timeout": "60s"}));
    }
}
