//! What a configuration builds from its source.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sources::{default_seconds, seconds};
use crate::kustomize::PostBuild;

/// A directory of the configuration's source, built and kept applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KustomizationDefinition {
    /// The directory to build; the root of the source when it is empty.
    #[serde(default)]
    #[schemars(length(max = 4096))]
    pub path: String,

    /// Names of kustomizations of this configuration that must be ready first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(min = 1, max = 63)))]
    pub depends_on: Vec<String>,

    /// How long objects may take to become healthy.
    #[serde(default = "default_seconds")]
    #[schemars(range(min = 1, max = 86400))]
    pub timeout_in_seconds: i64,

    /// How often the cluster is compared with the source even when nothing seems to have changed.
    #[serde(default = "default_seconds")]
    #[schemars(range(min = 30))]
    pub sync_interval_in_seconds: i64,

    /// When a failed run is tried again; as `syncIntervalInSeconds` when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 30))]
    pub retry_interval_in_seconds: Option<i64>,

    /// Deletes objects that the source no longer names, and all of them when the configuration is deleted.
    #[serde(default)]
    pub prune: bool,

    /// Recreates an object when an immutable field of it has to change.
    #[serde(default)]
    pub force: bool,

    /// Becomes ready when everything that was applied is healthy.
    #[serde(default = "default_wait")]
    pub wait: bool,

    /// What is done with the objects after they are built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_build: Option<PostBuild>,

    /// Has no effect: the server validates whatever is applied.
    #[serde(default)]
    pub validation: Validation,
}

impl KustomizationDefinition {
    /// How long objects may take to become healthy.
    pub fn timeout(&self) -> Duration {
        seconds(self.timeout_in_seconds)
    }

    /// How often the cluster is compared with the source.
    pub fn sync_interval(&self) -> Duration {
        seconds(self.sync_interval_in_seconds)
    }

    /// When a failed run is tried again.
    pub fn retry_interval(&self) -> Duration {
        self.retry_interval_in_seconds.map_or_else(|| self.sync_interval(), seconds)
    }
}

fn default_wait() -> bool {
    true
}

/// Who validates manifests before they are applied. Kept for configurations that set it; it changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Validation {
    /// Nobody.
    #[default]
    None,
    /// The client.
    Client,
    /// The server.
    Server,
}
