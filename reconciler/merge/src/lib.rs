//! Server-side apply without a server: what it makes of an object, and who owns which of its fields.
//!
//! [`Types`] says how the members of a kind belong together, read from the `OpenAPI` document of its API version.
//! [`apply`] and [`update`] take an object as it is and what someone wants of it, and give the object as it would become,
//! with its `managedFields`; or the conflicts with those who own what would change.
//!
//! # Follows the API server
//! The rules are those of structured-merge-diff v6, with which kube-apiserver 1.36 works. Objects are of one API version
//! here: fields are not converted between versions.

mod apply;
mod conflict;
mod fields_v1;
mod managers;
mod open_api;
mod path;
mod set;
mod typed;
mod types;

pub use apply::{ApplyError, Applying, Force, Kind, Live, Outcome, Updating, apply, update};
pub use conflict::{Conflict, Conflicts};
pub use fields_v1::{FieldsError, decode, encode};
pub use managers::{Manager, Operation};
pub use open_api::OpenApiError;
pub use path::{Ordered, Path, Step, shown};
pub use set::Set;
pub use types::{Type, Types};
