//! What changes in one object, field by field.

use crate::{FieldPath, Shown};

/// One field that an apply would change.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldChange {
    /// Where the field stands; an item of a list is counted in the object that has it, in the new one if both do.
    pub path: FieldPath,
    /// What the cluster holds; nothing if the field is new.
    pub before: Option<Shown>,
    /// What it would hold; nothing if the field is removed.
    pub after: Option<Shown>,
    /// The manager that owns the field now, if one does.
    pub manager: Option<String>,
}

impl FieldChange {
    /// Whether changing this field of an object of `kind` replaces its pods.
    pub fn restarts_pods(&self, kind: &str) -> bool {
        matches!(kind, "Deployment" | "StatefulSet" | "DaemonSet") && self.path.is_below(&["spec", "template"])
    }
}
