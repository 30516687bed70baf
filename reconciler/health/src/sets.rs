//! The sets extension of CEL: `sets.contains`, `sets.equivalent` and `sets.intersects` on lists.

use cel::{
    DeclarationError, Env, ExecutionError,
    common::{
        types::{CelBool, LIST_TYPE},
        value::{CowVal, Val},
    },
};

/// Adds the three functions to `env`.
pub(crate) fn extension(env: &mut Env) -> Result<(), DeclarationError> {
    let lists = || vec![LIST_TYPE, LIST_TYPE];
    env.add_overload("sets.contains", "list_sets_contains_list", lists(), |lists| decide(&lists, contains))?;
    env.add_overload("sets.equivalent", "list_sets_equivalent_list", lists(), |lists| {
        decide(&lists, |a, b| contains(a, b) && contains(b, a))
    })?;
    env.add_overload("sets.intersects", "list_sets_intersects_list", lists(), |lists| {
        decide(&lists, |a, b| a.iter().any(|item| has(b, *item)))
    })
}

type Items<'a> = [&'a (dyn Val + 'a)];

/// What `relation` says about the items of two lists.
fn decide<'b, 'v>(
    lists: &[CowVal<'_, '_>],
    relation: fn(&Items<'_>, &Items<'_>) -> bool,
) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [a, b] = lists else { return Err(ExecutionError::invalid_argument_count(2, lists.len())) };
    Ok(CowVal::owned(CelBool::from(relation(&items(a)?, &items(b)?))))
}

fn items<'a>(list: &'a CowVal<'_, '_>) -> Result<Vec<&'a (dyn Val + 'a)>, ExecutionError> {
    let list = list.as_iterable().ok_or_else(|| ExecutionError::function_error("sets", "an operand is not a list"))?;
    let mut iterator = list.iter();
    Ok(std::iter::from_fn(|| iterator.next().map(|item| item as _)).collect())
}

fn contains(set: &Items<'_>, part: &Items<'_>) -> bool {
    part.iter().all(|item| has(set, *item))
}

fn has(set: &Items<'_>, item: &dyn Val) -> bool {
    set.iter().any(|member| member.equals(item))
}
