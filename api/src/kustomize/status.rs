//! What is known about a Kustomization.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::conditions::Conditions;
use crate::duration::Duration;
use crate::time::Time;

/// What is known about a Kustomization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KustomizationStatus {
    /// The generation that was last reconciled to its end; -1 before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// The state of the Kustomization, aspect by aspect.
    #[serde(default, skip_serializing_if = "Conditions::is_empty")]
    pub conditions: Conditions,

    /// The revision that was applied, pruned and found healthy last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_applied_revision: Option<String>,

    /// The revision of the origin of what was applied last, where its source tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_applied_origin_revision: Option<String>,

    /// The revision that was tried last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_attempted_revision: Option<String>,

    /// The request to reconcile that was handled last: the value of its annotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,

    /// The objects that belong to this Kustomization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inventory: Option<Inventory>,

    /// The last outcomes, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Snapshot>,
}

/// The objects that belong to a Kustomization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Inventory {
    /// One for each object.
    pub entries: Vec<InventoryEntry>,
}

/// One object of an inventory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct InventoryEntry {
    /// The object: `<namespace>_<name>_<group>_<kind>`.
    pub id: String,

    /// The version of its API group.
    #[serde(rename = "v")]
    pub version: String,
}

/// One outcome: what was built, how it ended, and how often it ended so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Digest of the built objects, `sha256:<hex>`.
    pub digest: String,

    /// When it first ended so.
    pub first_reconciled: Time,

    /// When it last ended so.
    pub last_reconciled: Time,

    /// How long the last run took.
    #[schemars(with = "String")]
    pub last_reconciled_duration: Duration,

    /// How it ended: the reason of the condition `Ready`.
    pub last_reconciled_status: String,

    /// How often it ended so.
    pub total_reconciliations: i64,

    /// The revision, and the origin's revision where the source tells.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_of_flux_reads_and_prints_unchanged() {
        let written = json!({
            "observedGeneration": 3,
            "lastHandledReconcileAt": "2026-01-05T10:00:00.123456789Z",
            "lastAttemptedRevision": "main@sha1:0f3c",
            "lastAppliedRevision": "main@sha1:0f3c",
            "conditions": [{
                "type": "Healthy", "status": "True", "reason": "Succeeded", "observedGeneration": 3,
                "message": "Health check passed in 5.02s", "lastTransitionTime": "2026-01-05T10:00:00Z",
            }],
            "inventory": {"entries": [
                {"id": "_shop__Namespace", "v": "v1"},
                {"id": "_system__shop-reader_rbac.authorization.k8s.io_ClusterRole", "v": "v1"},
            ]},
            "history": [{
                "digest": "sha256:00", "lastReconciledStatus": "ReconciliationSucceeded", "totalReconciliations": 7,
                "firstReconciled": "2026-01-05T10:00:00Z", "lastReconciled": "2026-01-05T10:10:00Z",
                "lastReconciledDuration": "1.234567ms", "metadata": {"revision": "main@sha1:0f3c"},
            }],
        });
        let status: KustomizationStatus = serde_json::from_value(written.clone()).expect("a status");
        assert_eq!(serde_json::to_value(&status).expect("a status"), written);
    }
}
