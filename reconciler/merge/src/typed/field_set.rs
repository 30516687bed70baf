//! The places that a value fills.

use serde_json::Value;

use super::{View, items, members};
use crate::{
    path::{Path, Step},
    set::Set,
    types::{List, Mapping, Type, Types},
};

/// The places that `value` fills: those of its scalars, of what has one owner, of items and of empty mappings.
pub(crate) fn field_set(types: &Types, ty: Type, value: &Value) -> Set {
    let mut filled = Filled { types, set: Set::new(), at: Path::new() };
    filled.value(ty, value);
    filled.set
}

struct Filled<'t> {
    types: &'t Types,
    set: Set,
    at: Path,
}

impl Filled<'_> {
    fn value(&mut self, ty: Type, value: &Value) {
        match self.types.view(ty, value) {
            View::Scalar => self.here(),
            View::List(list) if list.is_atomic() => self.here(),
            View::Mapping(map) if map.is_atomic => self.here(),
            View::List(list) => self.items(list, value),
            View::Mapping(map) => self.members(map, value),
            View::Misfit => {}
        }
    }

    fn here(&mut self) {
        self.set.insert(&self.at);
    }

    fn items(&mut self, list: &List, value: &Value) {
        let steps: Vec<_> = items(Some(value)).iter().enumerate().map(|(index, item)| list.step(index, item)).collect();
        for (item, step) in items(Some(value)).iter().zip(&steps) {
            let Ok(known) = step else { continue };
            let is_alone = steps.iter().filter(|other| *other == step).count() == 1;
            self.at.push(known.clone());
            if is_alone {
                self.value(list.item, item);
            }
            self.here();
            self.at.pop();
        }
    }

    fn members(&mut self, map: &Mapping, value: &Value) {
        for (name, member) in members(Some(value)).into_iter().flatten() {
            let Some(ty) = map.member(name) else { continue };
            self.at.push(Step::field(name));
            self.value(ty, member);
            let is_empty = member.is_null() || member.as_object().is_some_and(serde_json::Map::is_empty);
            if is_empty || !map.fields.contains_key(name) {
                self.here();
            }
            self.at.pop();
        }
    }
}

/// `set` with the declared fields on the way to its places, which a set leaves out.
pub(crate) fn with_named_fields(types: &Types, ty: Option<Type>, set: &Set) -> Set {
    let map = ty.and_then(|ty| types.form(ty).map.as_ref());
    let mut named = Set::new();
    for (step, is_member, below) in set.entries() {
        let is_declared = match step {
            Step::Field(name) => map.is_some_and(|map| map.fields.contains_key(name)),
            Step::Key(_) | Step::Item(_) | Step::Index(_) => false,
        };
        let inner = ty.and_then(|ty| types.below(ty, step));
        let is_on_the_way = is_declared && !below.is_empty();
        named.put(step.clone(), is_member || is_on_the_way, with_named_fields(types, inner, below));
    }
    named
}
