//! What a write makes of an object, and of who owns what.

use std::{fmt, sync::LazyLock};

use serde_json::{Map, Value, json};

use crate::{
    conflict::{Conflict, Conflicts},
    managers::{Manager, Managers, Operation, Owned},
    path::{Path, Step},
    set::Set,
    typed::{Differences, compare, field_set, merge, remove, validate, with_named_fields},
    types::{Type, Types},
};

/// Who owns all that was there before anyone applied.
const BEFORE: &str = "before-first-apply";

/// The metadata that names an object, or that only the API server writes.
const IDENTITY: [&str; 9] = [
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
];

/// The places that nobody owns.
static UNOWNED: LazyLock<Set> = LazyLock::new(|| {
    let mut set = Set::new();
    for field in ["apiVersion", "kind", "metadata"] {
        set.insert(&[Step::field(field)]);
    }
    for field in IDENTITY {
        set.insert(&[Step::field("metadata"), Step::field(field)]);
    }
    set
});

/// What must be known of an object's kind.
#[derive(Clone, Copy, Debug)]
pub struct Kind<'a> {
    /// The types of its API version.
    pub types: &'a Types,
    /// Its own.
    pub ty: Type,
    /// What a write at this endpoint leaves alone, as `status` where there is a subresource of that name.
    pub reset: &'a Set,
}

/// An object before a write.
#[derive(Clone, Copy, Debug)]
pub struct Live<'a> {
    /// It, if it is there.
    pub object: Option<&'a Value>,
    /// What its kind is when nothing is set, as `{"spec": {}}`.
    pub empty: &'a Value,
}

/// An apply of one manager.
#[derive(Clone, Copy, Debug)]
pub struct Applying<'a> {
    /// The name that it applies under.
    pub manager: &'a str,
    /// The API version that it applies, as `apps/v1`.
    pub api_version: &'a str,
    /// The subresource that it applies to; empty for the object itself.
    pub subresource: &'a str,
    /// What becomes of places that others own.
    pub force: Force,
    /// The time, as the API server writes it: `2026-01-31T08:00:00Z`.
    pub now: &'a str,
}

/// What becomes of places that others own and that an apply would change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// They are conflicts.
    No,
    /// They are taken.
    Yes,
}

/// A write of another kind than an apply.
#[derive(Clone, Copy, Debug)]
pub struct Updating<'a> {
    /// The name that it is made under.
    pub manager: &'a str,
    /// The API version that is written, as `apps/v1`.
    pub api_version: &'a str,
    /// The subresource that is written; empty for the object itself.
    pub subresource: &'a str,
    /// The time, as the API server writes it: `2026-01-31T08:00:00Z`.
    pub now: &'a str,
}

/// What a write makes.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The object with its `managedFields`.
    pub object: Value,
    /// Whether it differs from what was there, owners aside.
    pub is_changed: bool,
}

/// Why nothing is applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// What is applied does not fit its type.
    #[error("failed to create typed patch object ({object}): {}", Problems(.problems))]
    Untyped {
        /// The object, as the API server names it here: `/web; apps/v1, Kind=Deployment`.
        object: String,
        /// What does not fit.
        problems: Vec<String>,
    },
    /// Others own what would change.
    #[error("{0}")]
    Conflicts(Conflicts),
}

struct Problems<'a>(&'a [String]);

impl fmt::Display for Problems<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [only] => f.write_str(only),
            problems => {
                f.write_str("errors:")?;
                problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

/// Applies `config`: what the manager sets is set, and what it set before and no longer does goes, unless someone else owns
/// it as well.
pub fn apply(kind: Kind<'_>, live: Live<'_>, config: &Value, applying: &Applying<'_>) -> Result<Outcome, ApplyError> {
    let Kind { types, ty, .. } = kind;
    let problems = validate(types, ty, config);
    if !problems.is_empty() {
        return Err(ApplyError::Untyped { object: shown(config), problems });
    }
    let Applying { manager, api_version, subresource, force, now } = *applying;
    let me = manager_of(manager, Operation::Apply, api_version, subresource);
    let old = without_managers(live.before());
    let mut managers = kind.managers(live, applying);
    let before = managers.take(&me);
    let set = kind.owned(&field_set(types, ty, config));

    let mut held = managers.clone();
    held.put(me.clone(), Owned { set: set.clone(), time: None });
    let merged = merge(types, ty, &old, &without_managers(config));
    let new = match &before {
        Some(before) => with_identity(kind.pruned(&merged, &before.set, &held), &merged),
        None => merged,
    };
    let differences = compare(types, ty, &old, &new);
    kind.settle(&mut managers, &differences, force).map_err(ApplyError::Conflicts)?;
    let is_changed = !differences.is_empty();
    let time = if is_changed { Some(now.to_owned()) } else { before.and_then(|before| before.time) };
    managers.put(me, Owned { set, time });
    Ok(Outcome { object: with_managers(new, &managers), is_changed })
}

/// Notes that `new` takes the place of what is there: who changes a place owns it alone.
///
/// An object of which no owner is known gets none, unless it is new. Where `new` lists managers itself, those count.
pub fn update(kind: Kind<'_>, live: Live<'_>, new: &Value, updating: &Updating<'_>) -> Outcome {
    let Updating { manager, api_version, subresource, now } = *updating;
    let old = without_managers(live.before());
    let listed = new.pointer("/metadata/managedFields").is_some_and(Value::is_array);
    let mut managers = Managers::of(if listed { new } else { live.before() });
    let new = without_managers(new);
    let differences = compare(kind.types, kind.ty, &old, &new);
    let is_changed = !differences.is_empty();
    let is_tracked = live.object.is_none() || !managers.is_empty();
    if is_tracked {
        let me = manager_of(manager, Operation::Update, api_version, subresource);
        let before = managers.take(&me).unwrap_or_default();
        let differences = differences.without(kind.reset);
        let changed = differences.modified.union(&differences.added);
        managers.take_places(&changed.union(&differences.removed));
        let set = kind.owned(&before.set.difference(&differences.removed).union(&changed));
        let time = if is_changed { Some(now.to_owned()) } else { before.time };
        managers.put(me, Owned { set, time });
        managers.cap();
    }
    Outcome { object: with_managers(new, &managers), is_changed }
}

impl<'a> Live<'a> {
    /// What is written over.
    fn before(self) -> &'a Value {
        self.object.unwrap_or(self.empty)
    }
}

impl Kind<'_> {
    /// Those places of `set` that someone can own here.
    fn owned(&self, set: &Set) -> Set {
        set.difference(&UNOWNED).without_all_of(self.reset)
    }

    /// Who owns what before an apply: of an object without owners all belongs to whoever was there before.
    fn managers(&self, live: Live<'_>, applying: &Applying<'_>) -> Managers {
        let mut managers = Managers::of(live.before());
        if let Some(object) = live.object
            && managers.is_empty()
        {
            let found = compare(self.types, self.ty, live.empty, &without_managers(object));
            let set = self.owned(&found.modified.union(&found.added));
            let before = manager_of(BEFORE, Operation::Update, applying.api_version, "");
            managers.put(before, Owned { set, time: Some(applying.now.to_owned()) });
        }
        managers
    }

    /// `merged` without the places of `last` that nobody of `held` owns.
    fn pruned(&self, merged: &Value, last: &Set, held: &Managers) -> Value {
        let named = |set: &Set| with_named_fields(self.types, Some(self.ty), set);
        let filled = |value: &Value| named(&field_set(self.types, self.ty, value));
        let without = |set: &Set| remove(self.types, self.ty, merged, set);
        let last = named(last);
        let owned = held.iter().fold(Set::new(), |all, (_, owned)| all.union(&owned.set));
        let everything = filled(merged);
        // What went with a place around it and belongs to someone comes back.
        let kept = without(&everything.difference(&filled(&without(&last)).union(&named(&owned))));
        // So does what went with it and was never the manager's.
        without(&everything.difference(&filled(&kept)).intersection(&last))
    }

    /// Takes what changes from those who own it, or returns the conflicts with them.
    fn settle(&self, managers: &mut Managers, found: &Differences, force: Force) -> Result<(), Conflicts> {
        let found = found.without(self.reset);
        let changed = found.modified.union(&found.added);
        if force == Force::No {
            let conflicts: Vec<Conflict> =
                managers.iter().flat_map(|(manager, owned)| conflicts(manager, &owned.set, &changed)).collect();
            if !conflicts.is_empty() {
                return Err(Conflicts(conflicts));
            }
        }
        managers.take_places(&changed.union(&found.removed));
        Ok(())
    }
}

fn conflicts(manager: &Manager, owned: &Set, changed: &Set) -> impl Iterator<Item = Conflict> {
    let manager = manager.clone();
    owned.intersection(changed).paths().into_iter().map(move |path: Path| Conflict { manager: manager.clone(), path })
}

fn manager_of(name: &str, operation: Operation, api_version: &str, subresource: &str) -> Manager {
    let (name, api_version, subresource) = (name.to_owned(), api_version.to_owned(), subresource.to_owned());
    Manager { name, operation, api_version, subresource }
}

fn without_managers(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    object
}

/// `pruned` with what names it, which goes with the last of the metadata that it stands beside.
fn with_identity(mut pruned: Value, merged: &Value) -> Value {
    for field in IDENTITY {
        if let Some(value) = merged["metadata"].get(field) {
            pruned["metadata"][field] = value.clone();
        }
    }
    pruned
}

fn with_managers(mut object: Value, managers: &Managers) -> Value {
    if managers.is_empty() {
        return object;
    }
    if let Some(members) = object.as_object_mut() {
        let metadata = members.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
        if metadata.is_null() {
            *metadata = json!({});
        }
        metadata["managedFields"] = managers.encoded();
    }
    object
}

/// How the API server names an object that does not fit its type.
fn shown(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let api_version = text("/apiVersion");
    let version = if api_version.contains('/') { api_version.to_owned() } else { format!("/{api_version}") };
    format!("{}/{}; {version}, Kind={}", text("/metadata/namespace"), text("/metadata/name"), text("/kind"))
}
