//! YAML, JSON and TOML.

use super::{Call, Function, Returned, Type};
use crate::codec::json::{self, Layout, Undecoded};
use crate::codec::{toml, yaml};
use crate::value::{List, ListType, Map, Value};

const ANY: &[Type] = &[Type::Any];
const TEXT: &[Type] = &[Type::Text];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("toYaml", ANY, to_yaml, "A value as YAML; empty if it has none (Helm)."),
    Function::new("mustToYaml", ANY, must_to_yaml, "A value as YAML (Helm)."),
    Function::new("toYamlPretty", ANY, to_yaml_pretty, "A value as YAML with indented lists (Helm)."),
    Function::new("fromYaml", TEXT, from_yaml, "The map of a YAML text, or one with the key `Error` (Helm)."),
    Function::new("fromYamlArray", TEXT, from_yaml_array, "The list of a YAML text, or one with the error (Helm)."),
    Function::new("toJson", ANY, to_json, "A value as JSON; empty if it has none (Helm)."),
    Function::new("mustToJson", ANY, must_to_json, "A value as JSON (Helm)."),
    Function::new("toPrettyJson", ANY, to_pretty_json, "A value as JSON on several lines (Sprig)."),
    Function::new("mustToPrettyJson", ANY, must_to_pretty_json, "A value as JSON on several lines (Sprig)."),
    Function::new("toRawJson", ANY, to_raw_json, "A value as JSON that HTML may not hold (Sprig)."),
    Function::new("mustToRawJson", ANY, to_raw_json, "A value as JSON that HTML may not hold (Sprig)."),
    Function::new("fromJson", TEXT, from_json, "The map of a JSON text, or one with the key `Error` (Helm)."),
    Function::new("fromJsonArray", TEXT, from_json_array, "The list of a JSON text, or one with the error (Helm)."),
    Function::new("mustFromJson", TEXT, must_from_json, "The value of a JSON text (Sprig)."),
    Function::new("toToml", ANY, to_toml, "A value as TOML, or what is wrong with it (Helm)."),
    Function::new("mustToToml", ANY, must_to_toml, "A value as TOML (Helm)."),
    Function::new("fromToml", TEXT, from_toml, "The map of a TOML text, or one with the key `Error` (Helm)."),
];

fn to_yaml(call: &mut Call<'_, '_>) -> Returned {
    let text = yaml::encode(call.any(0)).unwrap_or_default();
    call.charge(text.len())?;
    Ok(text.into())
}

fn must_to_yaml(call: &mut Call<'_, '_>) -> Returned {
    Ok(yaml::encode(call.any(0))?.into())
}

fn to_yaml_pretty(call: &mut Call<'_, '_>) -> Returned {
    Ok(yaml::encode_pretty(call.any(0)).into())
}

fn from_yaml(call: &mut Call<'_, '_>) -> Returned {
    call.charge(call.text(0).len())?;
    Ok(match yaml::decode(call.text(0)) {
        Ok(value @ Value::Map(_)) => value,
        Ok(Value::Nil) => Map::default().into(),
        Ok(other) => error_map(format!("error unmarshaling JSON: while decoding JSON: {}", not_a_map(&other))),
        Err(problem) => error_map(problem),
    })
}

fn from_yaml_array(call: &mut Call<'_, '_>) -> Returned {
    Ok(match yaml::decode(call.text(0)) {
        Ok(value @ Value::List(_)) => value,
        Ok(Value::Nil) => Value::list(Vec::new()),
        Ok(other) => {
            Value::list(vec![format!("error unmarshaling JSON: while decoding JSON: {}", not_a_list(&other)).into()])
        }
        Err(problem) => Value::list(vec![problem.into()]),
    })
}

/// What Go says of a JSON value that is no object.
fn not_a_map(value: &Value) -> String {
    format!("json: cannot unmarshal {} into Go value of type map[string]interface {{}}", json::type_word(value))
}

fn not_a_list(value: &Value) -> String {
    format!("json: cannot unmarshal {} into Go value of type []interface {{}}", json::type_word(value))
}

fn error_map(problem: String) -> Value {
    [("Error".into(), problem.into())].into_iter().collect::<Map>().into()
}

fn to_json(call: &mut Call<'_, '_>) -> Returned {
    let text = json::encode(call.any(0), Layout::Compact).unwrap_or_default();
    call.charge(text.len())?;
    Ok(text.into())
}

fn must_to_json(call: &mut Call<'_, '_>) -> Returned {
    Ok(json::encode(call.any(0), Layout::Compact)?.into())
}

fn to_pretty_json(call: &mut Call<'_, '_>) -> Returned {
    Ok(json::encode(call.any(0), Layout::Pretty).unwrap_or_default().into())
}

fn must_to_pretty_json(call: &mut Call<'_, '_>) -> Returned {
    Ok(json::encode(call.any(0), Layout::Pretty)?.into())
}

fn to_raw_json(call: &mut Call<'_, '_>) -> Returned {
    Ok(json::encode(call.any(0), Layout::Raw)?.into())
}

fn from_json(call: &mut Call<'_, '_>) -> Returned {
    Ok(match json::decode(call.text(0)) {
        Ok(value @ Value::Map(_)) => value,
        Ok(Value::Nil) => Map::default().into(),
        Ok(other) => error_map(not_a_map(&other)),
        Err(Undecoded { rest: Value::Map(rest), problem }) => {
            rest.insert("Error".into(), problem.into());
            rest.into()
        }
        Err(Undecoded { rest: Value::Missing | Value::Nil, problem }) => error_map(problem),
        Err(Undecoded { rest, .. }) => error_map(not_a_map(&rest)),
    })
}

fn from_json_array(call: &mut Call<'_, '_>) -> Returned {
    Ok(match json::decode(call.text(0)) {
        Ok(value @ Value::List(_)) => value,
        Ok(Value::Nil) => Value::List(List::nil(ListType::Nil)),
        Ok(other) => Value::list(vec![not_a_list(&other).into()]),
        Err(Undecoded { rest: Value::Missing | Value::Nil | Value::List(_), problem }) => {
            Value::list(vec![problem.into()])
        }
        Err(Undecoded { rest, .. }) => Value::list(vec![not_a_list(&rest).into()]),
    })
}

fn must_from_json(call: &mut Call<'_, '_>) -> Returned {
    json::decode(call.text(0)).map_err(|undecoded| undecoded.problem.into())
}

fn to_toml(call: &mut Call<'_, '_>) -> Returned {
    match (call.any(0), toml::encode(call.any(0))) {
        // Go's encoder returns other errors, but this one it raises.
        (Value::Missing | Value::Nil, Err(problem)) => Err(problem.into()),
        (_, Ok(text) | Err(text)) => Ok(text.into()),
    }
}

fn must_to_toml(call: &mut Call<'_, '_>) -> Returned {
    Ok(toml::encode(call.any(0))?.into())
}

fn from_toml(call: &mut Call<'_, '_>) -> Returned {
    let zone = call.machine().world().now().time_zone().clone();
    Ok(toml::decode(&call.text(0).to_str(), &zone).unwrap_or_else(error_map))
}
