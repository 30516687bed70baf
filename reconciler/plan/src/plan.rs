//! The plan and its steps.

use std::fmt;

use fairlead_object::{Manifest, ObjectId, Origin, Place};
use serde::{Deserialize, Serialize};

use crate::{DigestKey, FieldChange, Held, Inventory, OptOut, Owner, Stage, TakeOver, ownership::Cleanup};

/// What one run would do to one cluster, in the order in which it would be done.
///
/// A plan leaves nothing to decide. Equal inputs give equal plans, byte for byte.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whose plan it is.
    pub owner: Owner,
    /// The revision that was last applied, if one was.
    pub revision_from: Option<String>,
    /// The revision that the plan applies.
    pub revision: String,
    /// Every object that the source or the inventory names, each with what happens to it.
    pub steps: Vec<Step>,
    /// Set if the plan exceeds the deletion budget and nobody has approved it: then nothing of it is carried out.
    pub held: Option<Held>,
    pub(crate) inventory: Inventory,
    pub(crate) digest_key: DigestKey,
}

/// What happens to one object, with all that is needed to do it.
#[derive(Clone, Debug)]
pub struct Step {
    /// The object.
    pub object: ObjectId,
    /// Version of its API: that of the manifest, or for a deletion that in which it was last applied.
    pub version: String,
    /// When it happens.
    pub stage: Stage,
    /// What happens.
    pub action: Action,
    /// Where its manifest was written; nothing for an object that the source no longer names.
    pub origin: Option<Origin>,
    /// UID of the live object, the precondition of a deletion.
    pub uid: Option<String>,
    /// Whom the object is taken over from, if it is not yet its owner's.
    pub takes_over: Option<TakeOver>,
}

/// What happens to one object.
#[derive(Clone)]
pub enum Action {
    /// It is created.
    Create(Manifest),
    /// The manifest is applied to it.
    Update {
        /// What is applied, with ignored fields as they are to be sent.
        to: Manifest,
        /// What that changes; empty if only ownership changes.
        changes: Vec<FieldChange>,
        /// A patch of its metadata that goes first.
        cleanup: Option<Cleanup>,
    },
    /// It is deleted, awaited to be gone and created anew, because a field cannot change.
    Replace {
        /// What is created.
        to: Manifest,
        /// What the replacement changes.
        changes: Vec<FieldChange>,
        /// The field that cannot change.
        field: String,
    },
    /// It is deleted.
    Delete,
    /// It is left as it is, and why.
    Keep(KeepReason),
}

/// Why an object is left as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeepReason {
    /// It is as its manifest says.
    InSync,
    /// A label or annotation says so.
    OptedOut(OptOut),
    /// It would be deleted, but its labels do not name its owner.
    NotOurs,
    /// It would be deleted, but pruning is off.
    PruneDisabled,
    /// It would be deleted, but does not exist.
    AlreadyGone,
    /// It would be deleted, but nobody looked at it.
    NotObserved,
}

/// A set of manifests that cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Fields would change that cannot change, and replacing the objects was not allowed.
    #[error("{}", lines(.0))]
    Immutable(Vec<RefusedChange>),
}

/// A change to a field that cannot change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedChange {
    /// The object.
    pub object: ObjectId,
    /// Where its manifest was written.
    pub origin: Origin,
    /// The field.
    pub field: String,
    /// The API server's own words; of a Secret none, for they may quote its values.
    pub message: Option<String>,
}

impl Plan {
    /// Whether carrying it out would write nothing.
    pub fn is_empty(&self) -> bool {
        self.work().next().is_none()
    }

    /// The steps that write something.
    pub fn work(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| !matches!(step.action, Action::Keep(_)))
    }

    /// The steps of `stage`.
    pub fn stage(&self, stage: Stage) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(move |step| step.stage == stage)
    }

    /// What the owner may hold while the plan is carried out: recorded before the first write.
    pub fn inventory_during(&self) -> Inventory {
        self.inventory.union(&self.inventory_after())
    }

    /// What the owner holds once the plan is carried out; before, if the plan is held.
    pub fn inventory_after(&self) -> Inventory {
        if self.held.is_some() {
            return self.inventory.clone();
        }
        let remaining = self.steps.iter().filter(|step| step.remains());
        remaining.map(|step| (step.object.clone(), step.version.clone())).collect()
    }
}

impl Step {
    /// Where the source sets the field that `change` is about; nothing for one that it does not set.
    pub fn set_at(&self, change: &FieldChange) -> Option<Place> {
        change.after.as_ref()?;
        self.action.manifest()?.places(&change.path.pointer()).into_iter().next()
    }

    /// Whether the object is in the inventory afterwards.
    fn remains(&self) -> bool {
        match self.stage {
            Stage::Definitions | Stage::Classes | Stage::Custom | Stage::Rest => true,
            Stage::Prune => matches!(self.action, Action::Keep(KeepReason::NotObserved)),
        }
    }
}

impl Action {
    /// Whether the object that is there now is deleted.
    pub fn deletes(&self) -> bool {
        match self {
            Self::Delete | Self::Replace { .. } => true,
            Self::Create(_) | Self::Update { .. } | Self::Keep(_) => false,
        }
    }

    /// The manifest that is sent.
    pub fn manifest(&self) -> Option<&Manifest> {
        match self {
            Self::Create(to) | Self::Update { to, .. } | Self::Replace { to, .. } => Some(to),
            Self::Delete | Self::Keep(_) => None,
        }
    }

    /// The fields that change, as far as the object exists before and after.
    pub fn changes(&self) -> &[FieldChange] {
        match self {
            Self::Update { changes, .. } | Self::Replace { changes, .. } => changes,
            Self::Create(_) | Self::Delete | Self::Keep(_) => &[],
        }
    }
}

/// Tells what happens without the manifest, which may hold secrets.
impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create(_) => f.write_str("Create"),
            Self::Update { changes, cleanup, .. } => {
                f.debug_struct("Update").field("changes", changes).field("cleanup", &cleanup.is_some()).finish()
            }
            Self::Replace { changes, field, .. } => {
                f.debug_struct("Replace").field("changes", changes).field("field", field).finish()
            }
            Self::Delete => f.write_str("Delete"),
            Self::Keep(reason) => f.debug_tuple("Keep").field(reason).finish(),
        }
    }
}

impl fmt::Display for KeepReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InSync => f.write_str("in sync"),
            Self::OptedOut(opt_out) => opt_out.fmt(f),
            Self::NotOurs => f.write_str("its labels do not name its owner"),
            Self::PruneDisabled => f.write_str("pruning is off"),
            Self::AlreadyGone => f.write_str("already gone"),
            Self::NotObserved => f.write_str("not observed"),
        }
    }
}

impl fmt::Display for RefusedChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: field {} is immutable", self.origin, self.object, self.field)?;
        self.message.as_ref().map_or(Ok(()), |message| write!(f, ": {message}"))
    }
}

impl PlanError {
    /// What the reader can try.
    pub fn hint(&self) -> String {
        match self {
            Self::Immutable(_) => {
                "Take the change back, or let the object be deleted and created anew: spec.force on its owner, or annotation \
                 kustomize.toolkit.fluxcd.io/force: Enabled on the object."
                    .to_owned()
            }
        }
    }
}

fn lines(refused: &[RefusedChange]) -> String {
    refused.iter().map(RefusedChange::to_string).collect::<Vec<_>>().join("\n")
}
