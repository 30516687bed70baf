//! A controller for each served kind: what its objects ask for, carried out, and what came of it, reported.
//!
//! Each has the same shape. `run` takes a key, looks at what is known of the object, and does one piece of work that
//! ends in a `Result`. One pure function turns that outcome into conditions, an event and the next run.

mod dependencies;
pub mod flux_configuration;
mod health;
pub mod helm_release;
mod identity;
pub mod kustomization;
mod next;
pub(crate) mod receiver;
pub mod source;
mod source_name;
mod status;
mod subject;
mod unusable;
mod world;

use std::fmt;

pub(crate) use next::Next;
pub use source_name::SourceName;
pub(crate) use subject::{Reconciled, Said, Subject, run};
pub(crate) use unusable::Unusable;
pub use world::World;

use crate::queue::Key;

/// Names one object of a served kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ObjectKey {
    /// The object `name` in `namespace`.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

impl Key for ObjectKey {
    fn namespace(&self) -> &str {
        &self.namespace
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// An error with its causes, as one line for a condition.
pub(crate) fn in_one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
