//! One value laid over another.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value};

use super::{View, items, members};
use crate::{
    path::Step,
    types::{List, Mapping, Type, Types},
};

/// Lays `over` over `under`: members of both are merged, items that a step tells apart as well, all else is taken from
/// `over`.
pub(crate) fn merge(types: &Types, ty: Type, under: &Value, over: &Value) -> Value {
    values(types, ty, Some(under), Some(over)).unwrap_or_default()
}

fn values(types: &Types, ty: Type, under: Option<&Value>, over: Option<&Value>) -> Option<Value> {
    let view = match (under, over) {
        (None, None) => return None,
        (Some(under), None | Some(Value::Null)) => types.view(ty, under),
        (_, Some(over)) => types.view(ty, over),
    };
    match view {
        View::List(list) if !view.are_blank([under, over]) => {
            Some(Value::Array(Lists::new(types, list, items(under), items(over)).merged()))
        }
        View::Mapping(map) if !view.are_blank([under, over]) => {
            Some(Value::Object(mappings(types, map, members(under), members(over))))
        }
        View::Scalar | View::List(_) | View::Mapping(_) | View::Misfit => over.or(under).cloned(),
    }
}

fn mappings(
    types: &Types,
    map: &Mapping,
    under: Option<&Map<String, Value>>,
    over: Option<&Map<String, Value>>,
) -> Map<String, Value> {
    let mut merged = under.cloned().unwrap_or_default();
    for (name, member) in over.into_iter().flatten() {
        let Some(ty) = map.member(name) else { continue };
        if let Some(value) = values(types, ty, under.and_then(|under| under.get(name)), Some(member)) {
            merged.insert(name.clone(), value);
        }
    }
    merged
}

/// Two lists that are merged item by item.
///
/// The order of `over` holds for its own items; those of `under` alone stay near where they were.
struct Lists<'a> {
    types: &'a Types,
    item: Type,
    under: Vec<(Step, &'a Value)>,
    over: Vec<(Step, &'a Value)>,
}

impl<'a> Lists<'a> {
    fn new(types: &'a Types, list: &List, under: &'a [Value], over: &'a [Value]) -> Self {
        let steps = |items: &'a [Value]| {
            let items = items.iter().enumerate();
            items.filter_map(|(index, item)| Some((list.step(index, item).ok()?, item))).collect()
        };
        Self { types, item: list.item, under: steps(under), over: steps(over) }
    }

    fn merged(&self) -> Vec<Value> {
        let lower: BTreeMap<&Step, &Value> = self.under.iter().map(|(step, item)| (step, *item)).collect();
        let upper: BTreeMap<&Step, usize> = self.over.iter().enumerate().map(|(at, (step, _))| (step, at)).collect();
        let shared = self.over.iter().map(|(step, _)| step).filter(|step| lower.contains_key(step));
        let mut shared: VecDeque<&Step> = shared.collect();
        let mut merged = Vec::with_capacity(self.under.len().max(self.over.len()));
        let (mut low, mut high) = (0, 0);
        while low < self.under.len() || high < self.over.len() {
            let mine = self.under.get(low).map(|(step, _)| step);
            let Some((theirs, item)) = self.over.get(high) else {
                merged.extend(
                    self.under[low..]
                        .iter()
                        .filter(|(step, _)| !upper.contains_key(step))
                        .map(|(_, item)| (*item).clone()),
                );
                break;
            };
            match mine.map(|mine| (mine, upper.get(mine))) {
                Some((_, None)) => {
                    merged.push(self.under[low].1.clone());
                    low += 1;
                    continue;
                }
                // It comes later, where `over` has it.
                Some((mine, Some(_))) if mine != theirs && shared.front().is_some_and(|next| *next != mine) => {
                    low += 1;
                    continue;
                }
                // It has come already.
                Some((_, Some(at))) if *at < high => low += 1,
                Some((mine, Some(_))) if mine == theirs => low += 1,
                Some((_, Some(_))) | None => {}
            }
            merged.extend(values(self.types, self.item, lower.get(theirs).copied(), Some(item)));
            high += 1;
            if shared.front() == Some(&theirs) {
                shared.pop_front();
            }
        }
        merged
    }
}
