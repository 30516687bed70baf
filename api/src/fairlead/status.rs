//! What is known about a configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::conditions::{ConditionStatus, Conditions};
use crate::reference::NamespacedName;
use crate::schema::described_by_field;
use crate::time::Time;

/// What is known about a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FluxConfigurationStatus {
    /// The generation that was last reconciled to its end; -1 before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// The state of the configuration, aspect by aspect.
    #[serde(default, skip_serializing_if = "Conditions::is_empty")]
    pub conditions: Conditions,

    /// Whether the cluster is as the configuration asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compliance_state: Option<ComplianceState>,

    /// Whether the objects that the configuration stands for are there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provisioning_state: Option<ProvisioningState>,

    /// Why provisioning failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,

    /// The revision that was fetched last; a commit as `<branch>/<commit>`, anything else as its artifact's revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_synced_commit_id: Option<String>,

    /// When the source was fetched last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_updated_at: Option<Time>,

    /// When this status changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_updated_at: Option<Time>,

    /// Public half of the key that reads the repository, in OpenSSH's format. Give it to the Git server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository_public_key: Option<String>,

    /// The Flux objects that the configuration stands for, and those that they applied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<ObjectStatus>,

    /// The request to reconcile that was handled last: the value of its annotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
}

/// Whether something is as it should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = described_by_field)]
pub enum ComplianceState {
    /// Every object is ready at the wanted revision.
    Compliant,
    /// An object has failed.
    NonCompliant,
    /// What is wanted is known, but not reached yet.
    Pending,
    /// Nothing is done about it.
    Suspended,
    /// Nothing is known.
    #[default]
    Unknown,
}

/// Whether the objects that a configuration stands for are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = described_by_field)]
pub enum ProvisioningState {
    /// They are there.
    Succeeded,
    /// They could not be made.
    Failed,
    /// Making them was given up.
    Canceled,
    /// They are being made.
    Creating,
    /// They are being changed.
    Updating,
    /// They are being removed.
    Deleting,
}

/// The state of one Flux object. Its identity is its kind, namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectStatus {
    /// Its kind.
    pub kind: String,

    /// Its namespace.
    pub namespace: String,

    /// Its name.
    pub name: String,

    /// Whether it is as it should be.
    #[serde(default)]
    pub compliance_state: ComplianceState,

    /// The Kustomization that applied it; not set for the configuration's own objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_by: Option<NamespacedName>,

    /// Its conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status_conditions: Vec<StatusCondition>,

    /// More about it, if it is a `HelmRelease`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helm_release_properties: Option<HelmReleaseProperties>,
}

/// A condition of an object that a configuration stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusCondition {
    /// The aspect.
    #[serde(rename = "type")]
    pub type_: String,

    /// Whether it holds.
    pub status: ConditionStatus,

    /// Why, in one word for programs.
    pub reason: String,

    /// Why, in words for people.
    pub message: String,

    /// Since when status, reason and message have been what they are.
    pub last_transition_time: Time,
}

/// More about a `HelmRelease`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelmReleaseProperties {
    /// The revision of the release that was made last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_revision_applied: Option<i64>,

    /// The `HelmChart` it is made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helm_chart_ref: Option<NamespacedName>,

    /// How often reconciling it failed.
    #[serde(default)]
    pub failure_count: i64,

    /// How often installing it failed.
    #[serde(default)]
    pub install_failure_count: i64,

    /// How often upgrading it failed.
    #[serde(default)]
    pub upgrade_failure_count: i64,
}
