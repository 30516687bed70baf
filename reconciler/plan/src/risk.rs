//! What a reader of a plan should see first.

use std::fmt;

use fairlead_object::ObjectId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Action, FieldChange, Plan, Shown, Step, TakeOver};

/// One thing about a plan that deserves a second look.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Risk {
    /// What is risky.
    pub kind: RiskKind,
    /// The object.
    pub object: ObjectId,
    /// What is special about this one, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Kinds of risk, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RiskKind {
    /// Deletes a Namespace, a `CustomResourceDefinition` or a `PersistentVolumeClaim`, and what depends on it.
    DeletesProtected,
    /// Deletes an object and creates it anew.
    Replaces,
    /// Deletes an object.
    Deletes,
    /// Grants rights in the whole cluster that were not granted before.
    GrantsClusterRights,
    /// Grants rights in one namespace that were not granted before.
    GrantsRights,
    /// Takes an object over that is not its owner's yet.
    TakesOver,
    /// Replaces the pods of a workload.
    RestartsPods,
}

impl RiskKind {
    /// What a plan does, as a verb phrase before the object's name.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::DeletesProtected | Self::Deletes => "deletes",
            Self::Replaces => "replaces",
            Self::GrantsClusterRights => "grants cluster-wide rights by",
            Self::GrantsRights => "grants rights by",
            Self::TakesOver => "takes over",
            Self::RestartsPods => "restarts the pods of",
        }
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.phrase(), self.object)?;
        self.detail.as_ref().map_or(Ok(()), |detail| write!(f, " ({detail})"))
    }
}

impl Plan {
    /// What a reader should see first, the gravest first.
    pub fn risks(&self) -> Vec<Risk> {
        let mut risks: Vec<Risk> = self.work().flat_map(risks_of).collect();
        risks.sort();
        risks
    }
}

fn risks_of(step: &Step) -> Vec<Risk> {
    let risk = |kind, detail| Risk { kind, object: step.object.clone(), detail };
    let deletion = match &step.action {
        Action::Delete if takes_others_along(&step.object) => {
            Some(risk(RiskKind::DeletesProtected, Some("and all that depends on it".to_owned())))
        }
        Action::Delete => Some(risk(RiskKind::Deletes, None)),
        Action::Replace { field, .. } => Some(risk(RiskKind::Replaces, Some(format!("{field} is immutable")))),
        Action::Create(_) | Action::Update { .. } | Action::Keep(_) => None,
    };
    let rights = granted_by(step).map(|kind| risk(kind, step.origin.as_ref().map(ToString::to_string)));
    let taken = step.takes_over.as_ref().map(|from| risk(RiskKind::TakesOver, Some(describe(from))));
    let is_restarted = step.action.changes().iter().any(|change| change.restarts_pods(&step.object.kind));
    let restarted = is_restarted.then(|| risk(RiskKind::RestartsPods, None));
    [deletion, rights, taken, restarted].into_iter().flatten().collect()
}

fn takes_others_along(object: &ObjectId) -> bool {
    matches!(
        (object.group.as_str(), object.kind.as_str()),
        ("", "Namespace" | "PersistentVolumeClaim") | ("apiextensions.k8s.io", "CustomResourceDefinition")
    )
}

fn describe(from: &TakeOver) -> String {
    match from {
        TakeOver::Unowned => "exists already, without an owner".to_owned(),
        TakeOver::From(owner) => format!("from {owner}"),
    }
}

fn granted_by(step: &Step) -> Option<RiskKind> {
    let kind = match (step.object.group.as_str(), step.object.kind.as_str()) {
        ("rbac.authorization.k8s.io", "ClusterRole" | "ClusterRoleBinding") => RiskKind::GrantsClusterRights,
        ("rbac.authorization.k8s.io", "Role" | "RoleBinding") => RiskKind::GrantsRights,
        _ => return None,
    };
    let is_wider = match &step.action {
        Action::Create(_) => true,
        Action::Update { changes, .. } | Action::Replace { changes, .. } => changes.iter().any(widens),
        Action::Delete | Action::Keep(_) => false,
    };
    is_wider.then_some(kind)
}

/// Whether a change of an RBAC object may grant something new: it adds or alters, and does not only take away.
fn widens(change: &FieldChange) -> bool {
    let is_about_rights =
        ["rules", "subjects", "roleRef", "aggregationRule"].iter().any(|field| change.path.is_below(&[field]));
    is_about_rights
        && match (&change.before, &change.after) {
            (_, None) => false,
            (Some(Shown::Value(Value::Array(before))), Some(Shown::Value(Value::Array(after)))) => {
                after.iter().any(|item| !before.contains(item))
            }
            (_, Some(_)) => true,
        }
}
