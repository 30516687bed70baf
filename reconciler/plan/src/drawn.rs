//! Fields that are drawn: made of random numbers or of the time, and so another each time that they are built.
//!
//! As long as each of them has a value in the cluster, that value is as good as any other: the field stays as it is and
//! takes no part in a comparison. Where one has none yet, all are drawn anew together, because they may belong
//! together: a certificate and the authority that others check it against. What they will be nobody knows before they
//! are applied, and no plan says it.

use fairlead_object::Manifest;
use serde_json::Value;

use crate::{Desired, FieldChange, Live, Observed, Shown, ignore::Pointer};

/// What stands for a value that is drawn when it is applied.
pub(crate) const NOT_KNOWN: &str = "(not known before apply)";

/// What happens to the drawn fields of all objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Draw {
    /// They stay as they are.
    Keep,
    /// They are drawn anew.
    Anew,
}

impl Draw {
    /// Decides for `desired`: drawn fields stay if each of them is in the cluster.
    pub(crate) fn of(desired: &Desired, live: &Live) -> Self {
        let is_there = |manifest: &Manifest| match live.get(manifest.id()) {
            None | Some(Observed::Absent) => false,
            Some(Observed::InSync) => true,
            Some(Observed::Present(live)) => manifest.drawn().iter().all(|path| live.body.pointer(path).is_some()),
        };
        let mut drawn = desired.manifests().filter(|manifest| !manifest.drawn().is_empty());
        if drawn.all(is_there) { Self::Keep } else { Self::Anew }
    }

    /// The fields of `manifest` that stay as they are.
    pub(crate) fn kept(self, manifest: &Manifest) -> Vec<Pointer> {
        match self {
            Self::Keep => manifest.drawn().iter().filter_map(|path| Pointer::parse(path)).collect(),
            Self::Anew => Vec::new(),
        }
    }
}

/// The object that `manifest` asks for as far as it is known before it is applied.
pub(crate) fn known_part(manifest: &Manifest) -> Value {
    let mut object = manifest.to_value();
    let drawn = manifest.drawn().iter().filter_map(|path| Pointer::parse(path));
    drawn.for_each(|path| path.set(&mut object, NOT_KNOWN.into()));
    object
}

/// The `changes` that applying `manifest` makes, without the values that are drawn.
pub(crate) fn known_changes(mut changes: Vec<FieldChange>, manifest: &Manifest) -> Vec<FieldChange> {
    for path in manifest.drawn() {
        for change in &mut changes {
            hide(change, path);
        }
    }
    changes
}

/// Hides what `change` says of the value at `drawn`.
fn hide(change: &mut FieldChange, drawn: &str) {
    let path = change.path.pointer();
    let Some(after) = &mut change.after else { return };
    let is_part =
        |whole: &str, part: &str| part.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if is_part(drawn, &path) {
        *after = Shown::NotKnown;
    } else if let Shown::Value(value) = after
        && is_part(&path, drawn)
        && let Some(field) = value.pointer_mut(&drawn[path.len()..])
    {
        *field = NOT_KNOWN.into();
    }
}
