//! What is known about a `HelmRelease`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::conditions::Conditions;
use crate::duration::Duration;
use crate::kustomize::Inventory;
use crate::schema::{action_of_attempt, without_format};
use crate::time::Time;

/// What is known about a `HelmRelease`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelmReleaseStatus {
    /// The generation that was last reconciled to its end; -1 before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Digest of `postRenderers` as they were last used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_post_renderers_digest: Option<String>,

    /// Digest of `commonMetadata` as it was last used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_common_metadata_digest: Option<String>,

    /// The generation that was last tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_attempted_generation: Option<i64>,

    /// The state of the release, aspect by aspect.
    #[serde(default, skip_serializing_if = "Conditions::is_empty")]
    pub conditions: Conditions,

    /// The `HelmChart` that was made for the release: `<namespace>/<name>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helm_chart: Option<String>,

    /// The namespace of the Secrets that record the release.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub storage_namespace: Option<String>,

    /// The revisions of the release that matter, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Snapshot>,

    /// The objects that belong to the release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inventory: Option<Inventory>,

    /// What was last tried: `install` or `upgrade`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = action_of_attempt)]
    pub last_attempted_release_action: Option<String>,

    /// How long what was last tried took.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub last_attempted_release_action_duration: Option<Duration>,

    /// How often anything failed since what is asked for changed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failures: i64,

    /// How often an install failed since then.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub install_failures: i64,

    /// How often an upgrade failed since then.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub upgrade_failures: i64,

    /// The version of the chart that was last tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_attempted_revision: Option<String>,

    /// The digest of the artifact in a registry that was last tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_attempted_revision_digest: Option<String>,

    /// Digest of the values that were last tried, as an earlier version of Flux wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_attempted_values_checksum: Option<String>,

    /// The revision that was last released, as an earlier version of Flux wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = without_format)]
    pub last_release_revision: Option<i64>,

    /// Digest of the values that were last tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_attempted_config_digest: Option<String>,

    /// The request to reconcile that was handled last: the value of its annotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,

    /// The request to upgrade in any case that was handled last: the value of its annotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_force_at: Option<String>,

    /// The request to forget failures that was handled last: the value of its annotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reset_at: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(count: &i64) -> bool {
    *count == 0
}

/// One revision of a release, as it was last seen here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// By which rule `digest` is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,

    /// Digest of what is recorded of the revision.
    pub digest: String,

    /// Name of the release.
    pub name: String,

    /// Namespace of the release.
    pub namespace: String,

    /// Number of the revision.
    #[schemars(transform = without_format)]
    pub version: i64,

    /// State of the revision, as Helm calls it.
    pub status: String,

    /// What made the revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,

    /// Name of the chart.
    pub chart_name: String,

    /// Version of the chart.
    pub chart_version: String,

    /// Version of what the chart installs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_version: Option<String>,

    /// Digest of the values.
    pub config_digest: String,

    /// When the release was first installed.
    pub first_deployed: Time,

    /// When this revision was installed.
    pub last_deployed: Time,

    /// When it was uninstalled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Time>,

    /// What came of its tests; not there if it was not tested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_hooks: Option<BTreeMap<String, TestHook>>,

    /// The digest of the artifact in a registry that it was made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oci_digest: Option<String>,
}

/// What came of a test.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestHook {
    /// When it was last started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_started: Option<Time>,

    /// When it last ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_completed: Option<Time>,

    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
}

impl Snapshot {
    /// The revision, as messages name it.
    pub fn full_name(&self) -> String {
        format!("{}/{}.v{}", self.namespace, self.name, self.version)
    }

    /// The chart, as messages name it.
    pub fn chart(&self) -> String {
        format!("{}@{}", self.chart_name, self.chart_version)
    }

    /// Whether all its tests have ended.
    ///
    /// # Follows Flux
    /// One that failed ends the others.
    pub fn is_tested(&self) -> bool {
        let Some(tests) = &self.test_hooks else { return false };
        self.has_failed_test() || tests.values().all(|test| test.phase.as_deref() == Some("Succeeded"))
    }

    /// Whether one of its tests failed.
    pub fn has_failed_test(&self) -> bool {
        let mut tests = self.test_hooks.iter().flat_map(BTreeMap::values);
        tests.any(|test| test.phase.as_deref() == Some("Failed"))
    }
}
