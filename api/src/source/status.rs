//! What the statuses of all kinds of sources say alike.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::conditions::Conditions;
use crate::time::Time;

/// What the status of every source tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceStatus {
    /// The generation that was last reconciled to its end; -1 before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// The state of the source, aspect by aspect.
    #[serde(default, skip_serializing_if = "Conditions::is_empty")]
    pub conditions: Conditions,

    /// What was last fetched and stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact: Option<Artifact>,

    /// The request to reconcile that was handled last: the value of its annotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
}

/// Lets the status of a kind be read and written as that of any source.
macro_rules! status_of_source {
    ($status:ty) => {
        impl AsRef<SourceStatus> for $status {
            fn as_ref(&self) -> &SourceStatus {
                &self.source
            }
        }

        impl AsMut<SourceStatus> for $status {
            fn as_mut(&mut self) -> &mut SourceStatus {
                &mut self.source
            }
        }
    };
}

pub(super) use status_of_source;

/// The stored content of a source at one revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// Where it lies below the root of the store.
    pub path: String,

    /// Where it can be had in the cluster. It is a `.tar.gz`.
    pub url: String,

    /// The revision it was made of, as people read it: `main@sha1:<commit>`. A new one is what wakes those who use it.
    pub revision: String,

    /// The digest of the file, `sha256:<hex>`.
    #[schemars(regex(pattern = "^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$"))]
    pub digest: String,

    /// When it was stored.
    pub last_update_time: Time,

    /// The length of the file in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<i64>,

    /// What the origin says about it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}
