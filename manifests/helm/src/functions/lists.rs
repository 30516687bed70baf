//! Lists.
//!
//! Each function has a twin whose name starts with `must`. In Sprig the one panics and the other returns its error;
//! both stop the template with the same message, so here they are one.

use super::defaults::is_empty;
use super::logic::{elements, part_type};
use super::numbers::to_int;
use super::strings::to_texts;
use super::{Call, Function, NIL_POINTER, Returned, Type};
use crate::template::CallError;
use crate::value::{List, ListType, Text, Value};

const ANY: &[Type] = &[Type::Any];
const PAIR: &[Type] = &[Type::Any, Type::Any];
const CHUNK: &[Type] = &[Type::INT, Type::Any];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("list", &[], list, "A list of its arguments (Sprig).").rest(Type::Any),
    Function::new("tuple", &[], list, "A list of its arguments (Sprig).").rest(Type::Any),
    Function::new("first", ANY, first, "The first item (Sprig)."),
    Function::new("mustFirst", ANY, first, "The first item (Sprig)."),
    Function::new("last", ANY, last, "The last item (Sprig)."),
    Function::new("mustLast", ANY, last, "The last item (Sprig)."),
    Function::new("rest", ANY, rest, "All items but the first (Sprig)."),
    Function::new("mustRest", ANY, rest, "All items but the first (Sprig)."),
    Function::new("initial", ANY, initial, "All items but the last (Sprig)."),
    Function::new("mustInitial", ANY, initial, "All items but the last (Sprig)."),
    Function::new("append", PAIR, append, "A list with an item more at its end (Sprig)."),
    Function::new("mustAppend", PAIR, append, "A list with an item more at its end (Sprig)."),
    Function::new("push", PAIR, append, "A list with an item more at its end (Sprig)."),
    Function::new("mustPush", PAIR, append, "A list with an item more at its end (Sprig)."),
    Function::new("prepend", PAIR, prepend, "A list with an item more at its start (Sprig)."),
    Function::new("mustPrepend", PAIR, prepend, "A list with an item more at its start (Sprig)."),
    Function::new("concat", &[], concat, "One list of the items of all (Sprig).").rest(Type::Any),
    Function::new("reverse", ANY, reverse, "The items from last to first (Sprig)."),
    Function::new("mustReverse", ANY, reverse, "The items from last to first (Sprig)."),
    Function::new("compact", ANY, compact, "The items that are not empty (Sprig)."),
    Function::new("mustCompact", ANY, compact, "The items that are not empty (Sprig)."),
    Function::new("uniq", ANY, uniq, "Each item once (Sprig)."),
    Function::new("mustUniq", ANY, uniq, "Each item once (Sprig)."),
    Function::new("without", ANY, without, "The items that are none of the others (Sprig).").rest(Type::Any),
    Function::new("mustWithout", ANY, without, "The items that are none of the others (Sprig).").rest(Type::Any),
    Function::new("has", PAIR, has, "Whether a list has an item (Sprig)."),
    Function::new("mustHas", PAIR, has, "Whether a list has an item (Sprig)."),
    Function::new("slice", ANY, slice, "The items from an index up to another (Sprig).").rest(Type::Any),
    Function::new("mustSlice", ANY, slice, "The items from an index up to another (Sprig).").rest(Type::Any),
    Function::new("chunk", CHUNK, chunk, "Lists of at most so many items (Sprig)."),
    Function::new("mustChunk", CHUNK, chunk, "Lists of at most so many items (Sprig)."),
    Function::new("sortAlpha", ANY, sort_alpha, "The items as texts, in byte order (Sprig)."),
    Function::new("until", &[Type::INT], until, "The numbers from zero up to a number (Sprig)."),
    Function::new(
        "untilStep",
        &[Type::INT, Type::INT, Type::INT],
        until_step,
        "The numbers from one up to another by steps (Sprig).",
    ),
    Function::new("seq", &[], seq, "The numbers from one to another as text, as the command of that name (Sprig).")
        .rest(Type::INT),
];

/// The items of a list of any type. Go's reflection stops at a nil, and at anything else with a message of the
/// function's own.
fn items(value: &Value, otherwise: impl FnOnce(&str) -> String) -> Result<Vec<Value>, CallError> {
    if value.is_nil() {
        return Err(NIL_POINTER.into());
    }
    elements(value).ok_or_else(|| otherwise(value.kind().name()).into())
}

fn list(call: &mut Call<'_, '_>) -> Returned {
    Ok(Value::list(call.all().to_vec()))
}

fn first(call: &mut Call<'_, '_>) -> Returned {
    let items = items(call.any(0), |kind| format!("Cannot find first on type {kind}"))?;
    Ok(items.first().cloned().unwrap_or(Value::Nil))
}

fn last(call: &mut Call<'_, '_>) -> Returned {
    let items = items(call.any(0), |kind| format!("Cannot find last on type {kind}"))?;
    Ok(items.last().cloned().unwrap_or(Value::Nil))
}

fn rest(call: &mut Call<'_, '_>) -> Returned {
    let items = items(call.any(0), |kind| format!("Cannot find rest on type {kind}"))?;
    if items.is_empty() {
        return Ok(Value::List(List::nil(ListType::Nil)));
    }
    Ok(Value::list(items.into_iter().skip(1).collect()))
}

fn initial(call: &mut Call<'_, '_>) -> Returned {
    let mut items = items(call.any(0), |kind| format!("Cannot find initial on type {kind}"))?;
    match items.pop() {
        Some(_) => Ok(Value::list(items)),
        None => Ok(Value::List(List::nil(ListType::Nil))),
    }
}

fn append(call: &mut Call<'_, '_>) -> Returned {
    let mut items = items(call.any(0), |kind| format!("Cannot push on type {kind}"))?;
    items.push(call.any(1).clone());
    charge_items(call, items)
}

fn prepend(call: &mut Call<'_, '_>) -> Returned {
    let mut items = items(call.any(0), |kind| format!("Cannot prepend on type {kind}"))?;
    items.insert(0, call.any(1).clone());
    charge_items(call, items)
}

fn concat(call: &mut Call<'_, '_>) -> Returned {
    let mut all = Vec::new();
    for value in call.all() {
        all.extend(items(value, |kind| format!("Cannot concat type {kind} as list"))?);
    }
    if all.is_empty() {
        return Ok(Value::List(List::nil(ListType::Nil)));
    }
    charge_items(call, all)
}

fn charge_items(call: &mut Call<'_, '_>, items: Vec<Value>) -> Returned {
    call.charge(items.len() * size_of::<Value>())?;
    Ok(Value::list(items))
}

fn reverse(call: &mut Call<'_, '_>) -> Returned {
    let mut items = items(call.any(0), |kind| format!("Cannot find reverse on type {kind}"))?;
    items.reverse();
    Ok(Value::list(items))
}

fn compact(call: &mut Call<'_, '_>) -> Returned {
    let mut items = items(call.any(0), |kind| format!("Cannot compact on type {kind}"))?;
    items.retain(|item| !is_empty(item));
    Ok(Value::list(items))
}

fn uniq(call: &mut Call<'_, '_>) -> Returned {
    let items = items(call.any(0), |kind| format!("Cannot find uniq on type {kind}"))?;
    let mut unique: Vec<Value> = Vec::new();
    for item in items {
        call.charge(unique.len())?;
        if !contains(&unique, &item) {
            unique.push(item);
        }
    }
    Ok(Value::list(unique))
}

fn without(call: &mut Call<'_, '_>) -> Returned {
    let mut items = items(call.any(0), |kind| format!("Cannot find without on type {kind}"))?;
    items.retain(|item| !contains(call.from(1), item));
    Ok(Value::list(items))
}

fn has(call: &mut Call<'_, '_>) -> Returned {
    if call.any(1).is_nil() {
        return Ok(false.into());
    }
    let items = items(call.any(1), |kind| format!("Cannot find has on type {kind}"))?;
    Ok(contains(&items, call.any(0)).into())
}

fn contains(items: &[Value], wanted: &Value) -> bool {
    items.iter().any(|item| item.deep_equal(wanted))
}

fn slice(call: &mut Call<'_, '_>) -> Returned {
    let list = call.any(0);
    let items = items(list, |kind| format!("list should be type of slice or array but {kind}"))?;
    if items.is_empty() {
        return Ok(Value::Nil);
    }
    let index = |at: usize, otherwise: i64| call.from(1).get(at).map_or(otherwise, to_int);
    let start = index(0, 0);
    let end = index(1, i64::try_from(items.len()).unwrap_or(i64::MAX));
    let bounds = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let (start, end) = bounds
        .filter(|(start, end)| start <= end && *end <= items.len())
        .ok_or("reflect.Value.Slice: slice index out of bounds")?;
    let part = items[start..end].to_vec();
    Ok(match list {
        Value::Bytes(bytes) => Value::Bytes(bytes[start..end].into()),
        list => Value::List(List::of_type(part, part_type(list))),
    })
}

fn chunk(call: &mut Call<'_, '_>) -> Returned {
    let items = items(call.any(1), |kind| format!("Cannot chunk type {kind}"))?;
    let size = usize::try_from(call.int(0)).ok().filter(|size| *size > 0);
    let size = match size {
        Some(size) => size,
        // Sprig counts the chunks before it looks at their size.
        None if call.int(0) != 0 && items.len() as i128 - 1 == -i128::from(call.int(0)) => {
            return Ok(Value::List(List::of_type(Vec::new(), ListType::Lists)));
        }
        None => return Err("runtime error: makeslice: len out of range".into()),
    };
    let chunks = items.chunks(size).map(|chunk| Value::list(chunk.to_vec())).collect();
    Ok(Value::List(List::of_type(chunks, ListType::Lists)))
}

fn sort_alpha(call: &mut Call<'_, '_>) -> Returned {
    let mut texts: Vec<Text> = to_texts(call.any(0));
    if matches!(call.any(0), Value::List(_) | Value::Bytes(_)) {
        texts.sort();
    } else if texts.is_empty() {
        texts.push("<nil>".into());
    }
    Ok(Value::texts(texts))
}

fn until(call: &mut Call<'_, '_>) -> Returned {
    let stop = call.int(0);
    ints(call, 0, stop, if stop < 0 { -1 } else { 1 })
}

fn until_step(call: &mut Call<'_, '_>) -> Returned {
    let [start, stop, step] = [0, 1, 2].map(|index| call.int(index));
    ints(call, start, stop, step)
}

fn ints(call: &mut Call<'_, '_>, start: i64, stop: i64, step: i64) -> Returned {
    let numbers = steps(call, start, stop, step)?;
    Ok(Value::List(List::of_type(numbers.into_iter().map(Value::int).collect(), ListType::Ints)))
}

/// The numbers from `start` up to `stop`, without it.
fn steps(call: &mut Call<'_, '_>, start: i64, stop: i64, step: i64) -> Result<Vec<i64>, CallError> {
    let count = match step {
        0 => 0,
        _ if (stop < start) != (step < 0) => 0,
        _ => (i128::from(stop) - i128::from(start)).unsigned_abs().div_ceil(i128::from(step).unsigned_abs()),
    };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    call.charge(count.saturating_mul(size_of::<Value>()))?;
    Ok(std::iter::successors(Some(start), |number| number.checked_add(step)).take(count).collect())
}

fn seq(call: &mut Call<'_, '_>) -> Returned {
    let ints: Vec<i64> = (0..call.all().len()).map(|index| call.int(index)).collect();
    let (start, step, end) = match ints[..] {
        [end] => (1, if end < 1 { -1 } else { 1 }, end),
        [start, end] => (start, if end < start { -1 } else { 1 }, end),
        [start, step, end] if end < start && step > 0 => return Ok("".into()),
        [start, step, end] => (start, step, end),
        _ => return Ok("".into()),
    };
    let beyond = end.saturating_add(if end < start { -1 } else { 1 });
    let numbers: Vec<String> = steps(call, start, beyond, step)?.iter().map(ToString::to_string).collect();
    Ok(numbers.join(" ").into())
}
