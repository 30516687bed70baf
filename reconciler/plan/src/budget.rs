//! The deletion budget: how much one run may delete before a person must agree.
//!
//! A branch emptied by mistake, a path that moved, a selector that matches nothing: each looks like a wish to delete.
//! Above the budget a plan is held. A held plan carries out nothing at all, until its owner carries the annotation
//! [`APPROVE_ANNOTATION`] with the digest of just these deletions at just this revision ([`approval`](crate::Plan::approval)): an approval of
//! one plan is none of the next.

use std::fmt;

use fairlead_object::{Digest, ObjectId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Action, Inventory, Live, Step};

/// The annotation that approves a held plan; its value is [`Held::approve`].
pub const APPROVE_ANNOTATION: &str = "fairlead.dev/approve";

/// How much one run may delete unasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Budget {
    /// Everything: the deletion was asked for in so many words.
    Unlimited,
    /// A share of the inventory, and nothing that takes other data with it.
    Limited {
        /// Highest share of the inventory, in percent.
        percent: u8,
        /// Size from which an inventory's share is looked at, in objects.
        from_objects: usize,
    },
}

impl Default for Budget {
    /// At most half of an inventory of ten or more, and no Namespace, `CustomResourceDefinition` or bound
    /// `PersistentVolumeClaim`.
    fn default() -> Self {
        Self::Limited { percent: 50, from_objects: 10 }
    }
}

/// A plan that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Why, in the order of weight.
    pub reasons: Vec<HeldReason>,
    /// The objects that would be deleted.
    pub objects: Vec<ObjectId>,
    /// The digest that approves it, as the value of [`APPROVE_ANNOTATION`].
    pub approve: Digest,
}

/// Why a plan is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HeldReason {
    /// It would delete an object that takes others or their data with it.
    Protected(ObjectId),
    /// It would delete too much of the inventory.
    #[serde(rename_all = "camelCase")]
    Share {
        /// Objects that it would delete.
        deleted: usize,
        /// Objects in the inventory.
        of: usize,
        /// Highest share, in percent.
        percent: u8,
    },
}

impl fmt::Display for HeldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protected(object) => write!(f, "would delete {object}"),
            Self::Share { deleted, of, percent } => {
                write!(f, "would delete {deleted} of {of} objects, more than {percent} %")
            }
        }
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons: Vec<_> = self.reasons.iter().map(HeldReason::to_string).collect();
        write!(f, "{}; to approve, set annotation {APPROVE_ANNOTATION}: {}", reasons.join(", "), self.approve)
    }
}

/// Why `steps` exceed `budget`; empty if they do not.
pub(crate) fn exceeded(budget: &Budget, steps: &[Step], inventory: &Inventory, live: &Live) -> Vec<HeldReason> {
    let Budget::Limited { percent, from_objects } = *budget else { return Vec::new() };
    let is_protected = |step: &&Step| step.action.deletes() && is_protected(&step.object, live);
    let protected = steps.iter().filter(is_protected).map(|step| HeldReason::Protected(step.object.clone()));
    let deleted = steps.iter().filter(|step| matches!(step.action, Action::Delete)).count();
    let is_over = inventory.len() >= from_objects && deleted * 100 > inventory.len() * usize::from(percent);
    let share = is_over.then_some(HeldReason::Share { deleted, of: inventory.len(), percent });
    protected.chain(share).collect()
}

/// Whether deleting `object` deletes what no source can bring back.
pub(crate) fn is_protected(object: &ObjectId, live: &Live) -> bool {
    match (object.group.as_str(), object.kind.as_str()) {
        ("", "Namespace") | ("apiextensions.k8s.io", "CustomResourceDefinition") => true,
        ("", "PersistentVolumeClaim") => live.present(object).is_some_and(|claim| holds_data(&claim.body)),
        _ => false,
    }
}

fn holds_data(claim: &Value) -> bool {
    let text = |pointer| claim.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    !text("/spec/volumeName").is_empty() || matches!(text("/status/phase"), "Bound" | "Lost")
}
