//! The record of one revision of a release.
//!
//! # Follows Helm
//! The JSON is that of Helm 4. What the record holds of the chart is kept as it is: whoever reads it here needs no more
//! than its name and its versions.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// One revision of a release.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Release {
    /// Name of the release.
    #[serde(default)]
    pub name: String,
    /// What became of it.
    #[serde(default)]
    pub info: Info,
    /// The chart, as Helm records it: without the charts inside of it.
    #[serde(default)]
    pub chart: Value,
    /// The values that were given; the chart's own are not among them.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub config: Map<String, Value>,
    /// The objects, as YAML.
    #[serde(default)]
    pub manifest: String,
    /// What runs around actions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<Hook>,
    /// Number of the revision, from 1.
    #[serde(default)]
    pub version: i64,
    /// Namespace of the release.
    #[serde(default)]
    pub namespace: String,
    /// `ssa` where objects were applied in the API server.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub apply_method: String,
}

/// What became of a revision.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Info {
    /// When the release was first installed.
    #[serde(default, deserialize_with = "time", skip_serializing_if = "Option::is_none")]
    pub first_deployed: Option<Timestamp>,
    /// When this revision was installed.
    #[serde(default, deserialize_with = "time", skip_serializing_if = "Option::is_none")]
    pub last_deployed: Option<Timestamp>,
    /// When it was uninstalled.
    #[serde(default, deserialize_with = "time", skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Timestamp>,
    /// What happened last, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its state.
    #[serde(default)]
    pub status: Status,
    /// The revision that it restores; 0 if it restores none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rollback_revision: i64,
    /// What the chart tells its user.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
}

/// The state of a revision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Nobody knows.
    #[default]
    Unknown,
    /// It is installed.
    Deployed,
    /// It was uninstalled, and its record kept.
    Uninstalled,
    /// A later revision took its place.
    Superseded,
    /// What made it failed.
    Failed,
    /// It is being uninstalled.
    Uninstalling,
    /// It is being installed.
    PendingInstall,
    /// It is being made of an earlier one.
    PendingUpgrade,
    /// It is being restored.
    PendingRollback,
}

impl Status {
    /// As Helm writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Deployed => "deployed",
            Self::Uninstalled => "uninstalled",
            Self::Superseded => "superseded",
            Self::Failed => "failed",
            Self::Uninstalling => "uninstalling",
            Self::PendingInstall => "pending-install",
            Self::PendingUpgrade => "pending-upgrade",
            Self::PendingRollback => "pending-rollback",
        }
    }

    /// Whether something is being done to it, or was cut off.
    pub fn is_pending(self) -> bool {
        matches!(self, Self::PendingInstall | Self::PendingUpgrade | Self::PendingRollback)
    }
}

/// An object that runs around an action.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Hook {
    /// Name of the object.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Kind of the object.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// The template that makes it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// The object, as YAML.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub manifest: String,
    /// When it runs, as `pre-install`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// What came of it.
    #[serde(default)]
    pub last_run: HookRun,
    /// Which of several comes first: the lightest.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub weight: i64,
    /// When it is deleted again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delete_policies: Vec<String>,
    /// When the output of its pods is kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub output_log_policies: Vec<String>,
}

/// What came of a hook.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HookRun {
    /// When it was last started.
    #[serde(default, deserialize_with = "time", skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it last ended.
    #[serde(default, deserialize_with = "time", skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// How it ended.
    #[serde(default)]
    pub phase: Phase,
}

/// How a hook ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// It never ran.
    #[default]
    #[serde(rename = "")]
    Never,
    /// Nobody knows.
    Unknown,
    /// It has not ended.
    Running,
    /// Well.
    Succeeded,
    /// Not well.
    Failed,
}

impl Phase {
    /// As Helm writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Never => "",
            Self::Unknown => "Unknown",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// Reads a time. Helm has written none as an empty text and as the beginning of the calendar.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    const NEVER: &str = "0001-01-01T00:00:00Z";
    let written: Option<String> = Option::deserialize(deserializer)?;
    let written = written.filter(|text| !text.is_empty() && text != NEVER);
    written.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
}

impl Release {
    /// What `Chart.yaml` says under `key`; empty if nothing.
    fn about_chart(&self, key: &str) -> &str {
        self.chart["metadata"][key].as_str().unwrap_or_default()
    }

    /// Name of the chart.
    pub fn chart_name(&self) -> &str {
        self.about_chart("name")
    }

    /// Version of the chart.
    pub fn chart_version(&self) -> &str {
        self.about_chart("version")
    }

    /// Version of what the chart installs.
    pub fn app_version(&self) -> &str {
        self.about_chart("appVersion")
    }

    /// Says what became of it.
    pub fn set_status(&mut self, status: Status, description: impl Into<String>) {
        self.info.status = status;
        self.info.description = description.into();
    }

    /// The hooks that run at `event`, in the order in which they do: the lightest first, then by name.
    pub fn hooks_at(&self, event: &str) -> Vec<usize> {
        let is_meant = |hook: &Hook| hook.events.iter().any(|known| known == event);
        let mut hooks: Vec<usize> = (0..self.hooks.len()).filter(|index| is_meant(&self.hooks[*index])).collect();
        hooks.sort_by(|a, b| {
            let [a, b] = [a, b].map(|index| &self.hooks[*index]);
            a.weight.cmp(&b.weight).then_with(|| a.name.cmp(&b.name))
        });
        hooks
    }
}
