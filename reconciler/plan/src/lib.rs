//! What one run would do to one cluster: desired manifests, live objects and an inventory in, a [`Plan`] out.
//!
//! A plan leaves nothing to decide. The controller carries it out, `diff` prints it, a gate approves its digest, and all
//! of them see the same steps for the same reasons. Equal inputs give equal plans, byte for byte.
//!
//! It is pure: no client, no clock, no runtime. The server-side dry runs and reads that it rests on come in as [`Live`],
//! and what must be written to make a plan true goes out as data. Values of Secrets enter a plan only inside the
//! manifests that will be sent; whatever can be printed or saved holds keyed digests in their place.

mod budget;
mod change;
mod compare;
mod control;
mod desired;
mod document;
mod drawn;
mod ignore;
mod inventory;
mod live;
mod owner;
pub mod ownership;
mod path;
mod plan;
mod planner;
mod quantity;
pub mod render;
mod risk;
pub mod scope;
mod secret;
mod selector;
mod stage;
#[cfg(test)]
mod testing;

pub use budget::{APPROVE_ANNOTATION, Budget, Held, HeldReason};
pub use change::FieldChange;
pub use control::{OptOut, OptOutPlace};
pub use desired::{Desired, DuplicateObject};
pub use document::{
    ActionName, ChangeDocument, Contents, DocumentError, InputsMoved, OriginDocument, PlanDocument, SCHEMA_VERSION,
    StepDocument, Summary,
};
pub use ignore::{IgnoreRule, IgnoreRuleError, IgnoreRules, IgnoreTarget};
pub use inventory::{Inventory, InventoryEntryError};
pub use live::{Live, LiveObject, Observed, Preview};
pub use owner::{Owner, ReleaseName, TakeOver};
pub use path::{FieldPath, Segment};
pub use plan::{Action, KeepReason, Plan, PlanError, RefusedChange, Step};
pub use planner::{Force, Options, Prune, plan};
pub use risk::{Risk, RiskKind};
pub use secret::{DigestKey, KeyedDigest, Shown};
pub use stage::{CustomStage, CustomStageError, Stage};
