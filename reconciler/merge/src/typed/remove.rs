//! A value without some of its places.

use serde_json::{Map, Value};

use super::View;
use crate::{
    path::Step,
    set::Set,
    types::{Type, Types},
};

/// `value` without the members and items of `set`.
///
/// A mapping or list that places are taken from and that is empty then becomes null.
pub(crate) fn remove(types: &Types, ty: Type, value: &Value, set: &Set) -> Value {
    match types.view(ty, value) {
        View::List(list) => {
            let items = value.as_array().into_iter().flatten().enumerate();
            let kept = items.filter_map(|(index, item)| match list.step(index, item) {
                Ok(step) => kept(types, list.item, item, &step, set),
                Err(_) => Some(item.clone()),
            });
            let kept: Vec<Value> = kept.collect();
            if kept.is_empty() { Value::Null } else { Value::Array(kept) }
        }
        View::Mapping(map) => {
            let members = value.as_object().into_iter().flatten();
            let kept = members.filter_map(|(name, member)| {
                let ty = map.member(name).unwrap_or(Types::DEDUCED);
                Some((name.clone(), kept(types, ty, member, &Step::field(name), set)?))
            });
            let kept: Map<String, Value> = kept.collect();
            if kept.is_empty() { Value::Null } else { Value::Object(kept) }
        }
        View::Scalar | View::Misfit => value.clone(),
    }
}

/// What is left of the value that `step` leads to; `None` if it goes itself.
fn kept(types: &Types, ty: Type, value: &Value, step: &Step, set: &Set) -> Option<Value> {
    if set.has(step) {
        return None;
    }
    Some(set.below(step).map_or_else(|| value.clone(), |below| remove(types, ty, value, below)))
}
