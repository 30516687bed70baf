//! Who has written an object: the entries of its `managedFields`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    fields_v1::{decode, encode},
    set::Set,
};

/// How many entries of updates an object keeps; older ones are put together.
const MOST_UPDATES: usize = 10;

/// Who the fields of older updates belong to.
const ANCIENT: &str = "ancient-changes";

/// How someone writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// By server-side apply.
    Apply,
    /// In any other way.
    Update,
}

/// Someone who writes an object. Who writes it in two ways is two managers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Manager {
    /// The name that it writes under.
    pub name: String,
    /// How it writes.
    pub operation: Operation,
    /// The API version that it wrote last, as `apps/v1`. Updates in two versions are of two managers.
    pub api_version: String,
    /// The subresource that it writes, as `status`; empty for the object itself.
    pub subresource: String,
}

/// What a manager owns.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Owned {
    pub(crate) set: Set,
    /// When it last changed the object, as the API server writes times.
    pub(crate) time: Option<String>,
}

/// All managers of an object with what they own.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Managers(BTreeMap<Manager, Owned>);

impl Operation {
    const fn name(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

impl Managers {
    /// Reads `metadata.managedFields` of `object`; an entry that says nothing is none.
    pub(crate) fn of(object: &Value) -> Self {
        let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
        Self(entries.into_iter().flatten().filter_map(entry).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Manager, &Owned)> {
        self.0.iter()
    }

    /// What `manager` owns; an apply of another version is the same manager.
    pub(crate) fn take(&mut self, manager: &Manager) -> Option<Owned> {
        let same = |other: &Manager| match manager.operation {
            Operation::Update => other == manager,
            Operation::Apply => {
                (&other.name, other.operation, &other.subresource)
                    == (&manager.name, manager.operation, &manager.subresource)
            }
        };
        let found = self.0.keys().find(|other| same(other))?.clone();
        self.0.remove(&found)
    }

    /// Notes what `manager` owns; nothing is no entry.
    pub(crate) fn put(&mut self, manager: Manager, owned: Owned) {
        if !owned.set.is_empty() {
            self.0.insert(manager, owned);
        }
    }

    /// Takes the places of `taken` from every manager.
    pub(crate) fn take_places(&mut self, taken: &Set) {
        self.0.retain(|_, owned| {
            owned.set = owned.set.difference(taken);
            !owned.set.is_empty()
        });
    }

    /// Puts the oldest updates of each version together until no more than ten are left.
    pub(crate) fn cap(&mut self) {
        let updates = self.0.iter().filter(|(manager, _)| manager.operation == Operation::Update);
        let mut oldest: Vec<_> = updates.map(|(manager, owned)| (owned.time.clone(), manager.clone())).collect();
        oldest.sort();
        let mut count = oldest.len();
        for (_, manager) in oldest {
            if count <= MOST_UPDATES {
                return;
            }
            let bucket = Manager { name: ANCIENT.to_owned(), ..manager.clone() };
            if bucket == manager {
                continue;
            }
            let Some(owned) = self.0.remove(&manager) else { continue };
            if self.0.contains_key(&bucket) {
                count -= 1;
            }
            let old = self.0.entry(bucket).or_default();
            old.set = old.set.union(&owned.set);
            old.time = old.time.take().max(owned.time);
        }
    }

    /// Writes them as `managedFields`: applies first, then by time and name.
    pub(crate) fn encoded(&self) -> Value {
        let mut entries: Vec<_> = self.0.iter().collect();
        entries.sort_by_key(|(manager, owned)| {
            (manager.operation, owned.time.as_ref(), &manager.name, &manager.api_version, &manager.subresource)
        });
        entries.into_iter().map(|(manager, owned)| encoded(manager, owned)).collect()
    }
}

fn entry(written: &Value) -> Option<(Manager, Owned)> {
    let text = |key: &str| written.get(key).and_then(Value::as_str).map(str::to_owned);
    let operation = match written.get("operation")?.as_str()? {
        "Apply" => Operation::Apply,
        "Update" => Operation::Update,
        _ => return None,
    };
    let manager = Manager {
        name: text("manager").unwrap_or_default(),
        operation,
        api_version: text("apiVersion")?,
        subresource: text("subresource").unwrap_or_default(),
    };
    Some((manager, Owned { set: decode(written.get("fieldsV1")?).ok()?, time: text("time") }))
}

fn encoded(manager: &Manager, owned: &Owned) -> Value {
    let mut entry = json!({
        "apiVersion": manager.api_version,
        "fieldsType": "FieldsV1",
        "fieldsV1": encode(&owned.set),
        "manager": manager.name,
        "operation": manager.operation.name(),
    });
    if !manager.subresource.is_empty() {
        entry["subresource"] = json!(manager.subresource);
    }
    if let Some(time) = &owned.time {
        entry["time"] = json!(time);
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::Step;

    fn object(count: usize) -> Value {
        let entry = |number: usize| {
            json!({
                "manager": format!("u{number}"),
                "operation": "Update",
                "apiVersion": "v1",
                "time": format!("2026-01-01T00:00:{number:02}Z"),
                "fieldsType": "FieldsV1",
                "fieldsV1": { "f:data": { format!("f:k{number}"): {} } },
            })
        };
        json!({ "metadata": { "managedFields": (0..count).map(entry).collect::<Vec<_>>() } })
    }

    #[test]
    fn the_oldest_updates_are_put_together_once_there_are_more_than_ten() {
        let mut managers = Managers::of(&object(13));
        managers.cap();
        let names: Vec<_> = managers.iter().map(|(manager, _)| manager.name.as_str()).collect();
        assert_eq!(names, ["ancient-changes", "u10", "u11", "u12", "u4", "u5", "u6", "u7", "u8", "u9"]);
        let (_, ancient) = managers.iter().next().expect("the first");
        let owned = (0..4).map(|number| vec![Step::field("data"), Step::field(&format!("k{number}"))]);
        assert_eq!(ancient.set.paths(), owned.collect::<Vec<_>>());
    }

    #[test]
    fn entries_are_read_and_written() {
        let object = object(2);
        assert_eq!(Some(&Managers::of(&object).encoded()), object.pointer("/metadata/managedFields"));
    }
}
