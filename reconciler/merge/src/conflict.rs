//! What an apply would take from others.

use std::fmt;

use crate::{
    managers::{Manager, Operation},
    path::{Path, shown},
};

/// A place that someone else owns and that would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Who owns it.
    pub manager: Manager,
    /// The place.
    pub path: Path,
}

/// All conflicts of an apply, by owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflicts(pub Vec<Conflict>);

impl Conflict {
    /// Who it is with, as `conflict with "kubectl" using v1`.
    pub fn message(&self) -> String {
        format!("conflict with {}", Owner(&self.manager))
    }

    /// The place, as `.spec.replicas`.
    pub fn field(&self) -> String {
        shown(&self.path)
    }
}

impl fmt::Display for Conflicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.0.as_slice() {
            return write!(f, "{}: {}", only.message(), only.field());
        }
        let mut last = None;
        for (position, conflict) in self.0.iter().enumerate() {
            if last != Some(&conflict.manager) {
                let separator = if position == 0 { "" } else { "\n" };
                write!(f, "{separator}conflicts with {}:", Owner(&conflict.manager))?;
                last = Some(&conflict.manager);
            }
            write!(f, "\n- {}", conflict.field())?;
        }
        Ok(())
    }
}

struct Owner<'a>(&'a Manager);

impl fmt::Display for Owner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Manager { name, operation, api_version, subresource } = self.0;
        write!(f, "{name:?}")?;
        if !subresource.is_empty() {
            write!(f, " with subresource {subresource:?}")?;
        }
        match operation {
            Operation::Apply => Ok(()),
            Operation::Update => write!(f, " using {api_version}"),
        }
    }
}
