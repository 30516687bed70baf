//! What holds for every value and every text.

use fairlead_yaml::{Node, Schema, documents, emit, emit_json, parse};
use proptest::prelude::*;
use serde_json::Value;

/// Text of the pieces that YAML gives a meaning.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z]{1,8}",
        "[-?:,#&*!|>'\"%@`~=<{}\\[\\] \n\t]{1,3}",
        "[0-9_.xobeE+:-]{1,6}",
        Just("yes".to_owned()),
        Just("null".to_owned()),
        Just("---".to_owned()),
        Just("a long run of words ".to_owned()),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e15..1e15)
            .prop_filter("an integer is read back as one", |float: &f64| float.fract() != 0.0)
            .prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..5).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

fn read_one(text: &str, schema: Schema) -> Value {
    let nodes = parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(nodes.len(), 1, "{text}");
    nodes[0].to_json(schema).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(value in json()) {
        let printed = emit_json(&value);
        prop_assert_eq!(read_one(&printed, Schema::SigsYaml), value.clone(), "{}", printed);
        prop_assert_eq!(read_one(&printed, Schema::Kyaml), without_merge_keys(value), "{}", printed);
    }

    #[test]
    fn a_tree_is_written_so_that_it_is_read_back(value in json()) {
        let written = emit(&Node::from_json(&value));
        prop_assert_eq!(read_one(&written, Schema::SigsYaml), value, "{}", written);
    }

    #[test]
    fn no_text_makes_reading_or_writing_panic(text in text()) {
        let _ = documents(&text);
        for node in parse(&text).unwrap_or_default() {
            let _ = emit(&node);
            for schema in [Schema::Kyaml, Schema::SigsYaml] {
                let _ = node.to_json(schema).map(|json| emit_json(&json));
            }
        }
    }

    #[test]
    fn what_was_read_is_written_with_the_same_meaning(text in text()) {
        for node in parse(&text).unwrap_or_default() {
            if let Ok(json) = node.to_json(Schema::Kyaml) {
                let written = emit(&node);
                prop_assert_eq!(read_one(&written, Schema::Kyaml), json, "{:?}", written);
            }
        }
    }
}

/// Kustomize leaves such keys out when it reads.
fn without_merge_keys(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(without_merge_keys).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(key, _)| key != "<<")
            .map(|(key, value)| (key, without_merge_keys(value)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}
