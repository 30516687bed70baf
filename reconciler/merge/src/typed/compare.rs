//! How two values of a type differ.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{View, items, members};
use crate::{
    path::{Path, Step, are_equal},
    set::Set,
    types::{List, Mapping, Type, Types},
};

/// The places at which two values differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Differences {
    pub(crate) added: Set,
    pub(crate) removed: Set,
    pub(crate) modified: Set,
}

impl Differences {
    pub(crate) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.modified.is_empty()
    }

    /// The same differences without those at or below a place of `reset`.
    pub(crate) fn without(&self, reset: &Set) -> Self {
        Self {
            added: self.added.without_all_of(reset),
            removed: self.removed.without_all_of(reset),
            modified: self.modified.without_all_of(reset),
        }
    }
}

/// Compares two values of type `ty`.
pub(crate) fn compare(types: &Types, ty: Type, old: &Value, new: &Value) -> Differences {
    let mut comparison = Comparison { types, found: Differences::default(), at: Path::new() };
    comparison.values(ty, Some(old), Some(new));
    comparison.found
}

struct Comparison<'t> {
    types: &'t Types,
    found: Differences,
    at: Path,
}

impl Comparison<'_> {
    fn values(&mut self, ty: Type, old: Option<&Value>, new: Option<&Value>) {
        let views = (old.map(|old| self.types.view(ty, old)), new.map(|new| self.types.view(ty, new)));
        match views {
            (None, None) => {}
            (Some(view), None) | (None, Some(view)) => self.viewed(view, old, new),
            (Some(before), Some(after)) if before == after || new == Some(&Value::Null) => {
                self.viewed(before, old, new);
            }
            (Some(before), Some(after)) => {
                if old != Some(&Value::Null) {
                    self.viewed(before, old, new);
                }
                self.viewed(after, old, new);
            }
        }
    }

    fn viewed(&mut self, view: View<'_>, old: Option<&Value>, new: Option<&Value>) {
        if view.are_blank([old, new]) {
            return self.leaf(old, new);
        }
        match view {
            View::Scalar | View::Misfit => {}
            View::List(list) => self.items(list, old, new),
            View::Mapping(map) => self.members(map, old, new),
        }
        self.appearance(old, new);
    }

    fn leaf(&mut self, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (Some(old), Some(new)) if are_equal(old, new) => {}
            (Some(_), Some(_)) => self.found.modified.insert(&self.at),
            (None, _) | (_, None) => self.appearance(old, new),
        }
    }

    fn appearance(&mut self, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (None, Some(_)) => self.found.added.insert(&self.at),
            (Some(_), None) => self.found.removed.insert(&self.at),
            (Some(_), Some(_)) | (None, None) => {}
        }
    }

    fn members(&mut self, map: &Mapping, old: Option<&Value>, new: Option<&Value>) {
        let (old, new) = (members(old), members(new));
        let in_new_alone = new.into_iter().flatten().filter(|(name, _)| old.is_none_or(|old| !old.contains_key(*name)));
        let names = old.into_iter().flatten().chain(in_new_alone).map(|(name, _)| name);
        for name in names {
            let Some(ty) = map.member(name) else { continue };
            let [before, after] = [old, new].map(|members| members.and_then(|members| members.get(name)));
            self.below(Step::field(name), ty, before, after);
        }
    }

    fn items(&mut self, list: &List, old: Option<&Value>, new: Option<&Value>) {
        let mut by_step: BTreeMap<Step, (Vec<&Value>, Vec<&Value>)> = BTreeMap::new();
        for (index, item) in items(old).iter().enumerate() {
            if let Ok(step) = list.step(index, item) {
                by_step.entry(step).or_default().0.push(item);
            }
        }
        for (index, item) in items(new).iter().enumerate() {
            if let Ok(step) = list.step(index, item) {
                by_step.entry(step).or_default().1.push(item);
            }
        }
        for (step, (before, after)) in by_step {
            match (before.as_slice(), after.as_slice()) {
                (before, after) if before.len() <= 1 && after.len() <= 1 => {
                    self.below(step, list.item, before.first().copied(), after.first().copied());
                }
                (before, after) => self.repeated(step, before, after),
            }
        }
    }

    /// An item that is there more than once is compared as a whole.
    fn repeated(&mut self, step: Step, before: &[&Value], after: &[&Value]) {
        self.at.push(step);
        if before.is_empty() {
            self.found.added.insert(&self.at);
        } else if after.is_empty() {
            self.found.removed.insert(&self.at);
        } else if before.len() != after.len() || before.iter().zip(after).any(|(old, new)| !are_equal(old, new)) {
            self.found.modified.insert(&self.at);
        }
        self.at.pop();
    }

    fn below(&mut self, step: Step, ty: Type, old: Option<&Value>, new: Option<&Value>) {
        self.at.push(step);
        self.values(ty, old, new);
        self.at.pop();
    }
}
