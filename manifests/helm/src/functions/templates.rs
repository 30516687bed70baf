//! Functions that execute templates, and those that stop them.

use super::{Call, Function, Returned, Type};
use crate::template::CallError;
use crate::value::{Map, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("include", &[Type::Text, Type::Any], include, "What a template prints for a value (Helm)."),
    Function::new("tpl", &[Type::Text, Type::Any], tpl, "What a text prints for a value, read as a template (Helm)."),
    Function::new("required", &[Type::Text, Type::Any], required, "A value, or an error if it is nothing (Helm)."),
    Function::new("fail", &[Type::Text], fail, "An error with the given text (Helm)."),
    Function::new(
        "lookup",
        &[Type::Text, Type::Text, Type::Text, Type::Text],
        lookup,
        "An object of the cluster by API version, kind, namespace and name; an empty map without one (Helm).",
    ),
    Function::new("getHostByName", &[Type::Text], host, "Always empty: rendering asks no network (Helm)."),
];

fn include(call: &mut Call<'_, '_>) -> Returned {
    let (name, dot) = (call.text(0), call.any(1).clone());
    Ok(call.machine().include(name, dot)?.into())
}

fn tpl(call: &mut Call<'_, '_>) -> Returned {
    let (text, dot) = (call.text(0), call.any(1).clone());
    Ok(call.machine().tpl(text, dot)?.into())
}

fn required(call: &mut Call<'_, '_>) -> Returned {
    let value = call.any(1);
    let is_given = match value {
        Value::Text(text) => !text.is_empty(),
        other => !other.is_nil(),
    };
    if is_given { Ok(value.clone()) } else { Err(CallError::Refused(call.text(0).to_string())) }
}

fn fail(call: &mut Call<'_, '_>) -> Returned {
    Err(CallError::Refused(call.text(0).to_string()))
}

fn lookup(call: &mut Call<'_, '_>) -> Returned {
    let [api_version, kind, namespace, name] = [0, 1, 2, 3].map(|index| call.text(index).to_str());
    let object = call.machine().world().lookup(&api_version, &kind, &namespace, &name);
    Ok(object.map_or_else(|| Value::Map(Map::default()), |object| Value::from_json(&object)))
}

fn host(_: &mut Call<'_, '_>) -> Returned {
    Ok("".into())
}
