//! Defaults, and questions about types.

use super::{Call, Function, Returned, Type};
use crate::value::{Kind, Value};

const ANY: &[Type] = &[Type::Any];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("default", ANY, default, "The second value, or the first if that is empty (Sprig).").rest(Type::Any),
    Function::new("empty", ANY, empty, "Whether a value is empty: nothing, false, zero or without content (Sprig)."),
    Function::new("coalesce", &[], coalesce, "The first value that is not empty (Sprig).").rest(Type::Any),
    Function::new("all", &[], every, "Whether no value is empty (Sprig).").rest(Type::Any),
    Function::new("any", &[], some, "Whether a value is not empty (Sprig).").rest(Type::Any),
    Function::new(
        "ternary",
        &[Type::Any, Type::Any, Type::Bool],
        ternary,
        "The first value if the last is true, else the second (Sprig).",
    ),
    Function::new("typeOf", ANY, type_of, "Go's name of a value's type (Sprig)."),
    Function::new("typeIs", &[Type::Text, Type::Any], type_is, "Whether a value is of a type (Sprig)."),
    Function::new(
        "typeIsLike",
        &[Type::Text, Type::Any],
        type_is_like,
        "Whether a value is of a type or points to one (Sprig).",
    ),
    Function::new("kindOf", ANY, kind_of, "Go's kind of a value (Sprig)."),
    Function::new("kindIs", &[Type::Text, Type::Any], kind_is, "Whether a value is of a kind (Sprig)."),
    Function::new("deepEqual", &[Type::Any, Type::Any], deep_equal, "Whether values and types are equal (Sprig)."),
    Function::new("deepCopy", ANY, deep_copy, "A copy that shares nothing (Sprig)."),
    Function::new("mustDeepCopy", ANY, deep_copy, "A copy that shares nothing (Sprig)."),
    Function::new("hello", &[], hello, "A greeting (Sprig)."),
];

/// Whether Sprig calls a value empty. Structs and pointers never are.
pub(super) fn is_empty(value: &Value) -> bool {
    !value.is_true()
}

fn default(call: &mut Call<'_, '_>) -> Returned {
    let given = call.from(1).first().filter(|given| !is_empty(given));
    Ok(given.unwrap_or(call.any(0)).clone())
}

fn empty(call: &mut Call<'_, '_>) -> Returned {
    Ok(is_empty(call.any(0)).into())
}

fn coalesce(call: &mut Call<'_, '_>) -> Returned {
    Ok(call.all().iter().find(|value| !is_empty(value)).cloned().unwrap_or(Value::Nil))
}

fn every(call: &mut Call<'_, '_>) -> Returned {
    Ok((!call.all().iter().any(is_empty)).into())
}

fn some(call: &mut Call<'_, '_>) -> Returned {
    Ok(call.all().iter().any(|value| !is_empty(value)).into())
}

fn ternary(call: &mut Call<'_, '_>) -> Returned {
    Ok(call.any(usize::from(!call.any(2).is_true())).clone())
}

fn type_name(value: &Value) -> &'static str {
    value.type_name().unwrap_or("<nil>")
}

fn type_of(call: &mut Call<'_, '_>) -> Returned {
    Ok(type_name(call.any(0)).into())
}

fn type_is(call: &mut Call<'_, '_>) -> Returned {
    Ok((&**call.text(0) == type_name(call.any(1)).as_bytes()).into())
}

fn type_is_like(call: &mut Call<'_, '_>) -> Returned {
    let name = type_name(call.any(1)).as_bytes();
    let wanted = &**call.text(0);
    Ok((name == wanted || name.strip_prefix(b"*") == Some(wanted)).into())
}

fn kind_of(call: &mut Call<'_, '_>) -> Returned {
    Ok(call.any(0).kind().name().into())
}

fn kind_is(call: &mut Call<'_, '_>) -> Returned {
    let kind: Kind = call.any(1).kind();
    Ok((&**call.text(0) == kind.name().as_bytes()).into())
}

fn deep_equal(call: &mut Call<'_, '_>) -> Returned {
    Ok(call.any(0).deep_equal(call.any(1)).into())
}

fn deep_copy(call: &mut Call<'_, '_>) -> Returned {
    if call.any(0).is_nil() {
        return Err("reflect: call of reflect.Value.Type on zero Value".into());
    }
    Ok(call.any(0).deep_copy())
}

fn hello(_: &mut Call<'_, '_>) -> Returned {
    Ok("Hello!".into())
}
