//! What kube-apiserver 1.36 answers to the same writes.

use serde_json::{Value, json};

use crate::custom::Scene;

fn owners(scene: &Scene) -> Value {
    scene.owners().into_iter().collect::<serde_json::Map<_, _>>().into()
}

#[test]
fn two_who_apply_the_same_value_own_it_together() {
    let mut scene = Scene::new();
    scene.apply("m1", json!({ "m": { "k1": "a", "k2": "b" } })).unwrap();
    scene.apply("m2", json!({ "m": { "k1": "a" } })).unwrap();
    assert_eq!(
        owners(&scene),
        json!({
            "m1/Apply": { "f:m": { "f:k1": {}, "f:k2": {} } },
            "m2/Apply": { "f:m": { "f:k1": {} } },
        })
    );
}

#[test]
fn a_value_of_another_is_a_conflict_unless_it_is_forced() {
    let mut scene = Scene::new();
    scene.apply("m1", json!({ "m": { "k1": "a", "k2": "b" } })).unwrap();
    scene.apply("m2", json!({ "m": { "k1": "a" } })).unwrap();
    let other = json!({ "m": { "k1": "z", "k2": "y" } });
    assert_eq!(
        scene.apply("m3", other.clone()).unwrap_err().to_string(),
        "conflicts with \"m1\":\n- .spec.m.k1\n- .spec.m.k2\nconflicts with \"m2\":\n- .spec.m.k1"
    );
    scene.force("m3", other);
    assert_eq!(owners(&scene), json!({ "m3/Apply": { "f:m": { "f:k1": {}, "f:k2": {} } } }));
}

#[test]
fn what_a_manager_leaves_out_goes_unless_someone_else_owns_it() {
    let mut scene = Scene::new();
    scene.apply("m1", json!({ "setl": ["a", "b"], "obj": { "a": "1" } })).unwrap();
    scene.apply("m2", json!({ "setl": ["c", "a"], "obj": { "b": "2" } })).unwrap();
    assert_eq!(scene.spec(), json!({ "setl": ["c", "a", "b"], "obj": { "a": "1", "b": "2" } }));
    scene.apply("m2", json!({ "setl": ["c"], "obj": { "b": "2" } })).unwrap();
    assert_eq!(scene.spec()["setl"], json!(["c", "a", "b"]));
    scene.apply("m1", json!({ "setl": ["b"] })).unwrap();
    assert_eq!(scene.spec(), json!({ "setl": ["c", "b"], "obj": { "b": "2" } }));
    scene.apply("m2", json!({ "setl": ["c"] })).unwrap();
    assert_eq!(scene.spec(), json!({ "setl": ["c", "b"] }));
}

#[test]
fn items_are_told_apart_by_their_keys_and_their_defaults() {
    let mut scene = Scene::new();
    let items = json!([{ "name": "n1", "v": "1" }, { "name": "n1", "proto": "UDP", "v": "2" }]);
    scene.apply("m1", json!({ "mapl": items })).unwrap();
    assert_eq!(
        owners(&scene)["m1/Apply"]["f:mapl"],
        json!({
            r#"k:{"name":"n1","proto":"TCP"}"#: { ".": {}, "f:name": {}, "f:v": {} },
            r#"k:{"name":"n1","proto":"UDP"}"#: { ".": {}, "f:name": {}, "f:proto": {}, "f:v": {} },
        })
    );
    let error = scene.apply("m3", json!({ "mapl": [{ "name": "n1", "proto": "UDP", "v": "9" }] })).unwrap_err();
    assert_eq!(error.to_string(), "conflict with \"m1\": .spec.mapl[name=\"n1\",proto=\"UDP\"].v");
}

#[test]
fn an_item_stays_for_the_fields_that_others_own_in_it() {
    let mut scene = Scene::new();
    scene.apply("m1", json!({ "mapl": [{ "name": "n1", "proto": "TCP", "v": "1" }] })).unwrap();
    scene.apply("m2", json!({ "mapl": [{ "name": "n1", "proto": "TCP", "w": "2" }] })).unwrap();
    scene.apply("m1", json!({})).unwrap();
    assert_eq!(scene.spec(), json!({ "mapl": [{ "name": "n1", "proto": "TCP", "w": "2" }] }));
}

#[test]
fn what_is_emptied_by_leaving_it_out_is_null_where_another_claims_it() {
    let mut scene = Scene::new();
    scene.apply("m1", json!({ "obj": {} })).unwrap();
    scene.apply("m2", json!({ "obj": { "a": "1" }, "m": { "k": "v" } })).unwrap();
    scene.apply("m2", json!({})).unwrap();
    assert_eq!(scene.spec(), json!({ "obj": null }));
}

#[test]
fn a_list_with_one_owner_is_taken_as_a_whole() {
    let mut scene = Scene::new();
    scene.apply("m1", json!({ "atoml": ["p", "q"], "any": { "a": { "b": 1 }, "l": [1] } })).unwrap();
    scene.apply("m2", json!({ "any": { "a": { "c": 2 } } })).unwrap();
    assert_eq!(scene.spec()["any"], json!({ "a": { "b": 1, "c": 2 }, "l": [1] }));
    assert_eq!(
        owners(&scene),
        json!({
            "m1/Apply": { "f:any": { "f:a": { ".": {}, "f:b": {} }, "f:l": {} }, "f:atoml": {} },
            "m2/Apply": { "f:any": { "f:a": { ".": {}, "f:c": {} } } },
        })
    );
    let error = scene.apply("m3", json!({ "atoml": ["k"] })).unwrap_err();
    assert_eq!(error.to_string(), "conflict with \"m1\": .spec.atoml");
}

#[test]
fn empty_values_are_kept_and_owned_where_they_have_an_owner() {
    let mut scene = Scene::new();
    scene.apply("m1", json!({ "setl": [], "m": {}, "obj": {}, "mapl": [], "atoml": [] })).unwrap();
    assert_eq!(owners(&scene), json!({ "m1/Apply": { "f:atoml": {}, "f:m": {}, "f:obj": {} } }));
    scene.apply("m1", json!({ "obj": {} })).unwrap();
    assert_eq!(scene.spec(), json!({ "setl": [], "obj": {}, "mapl": [] }));
}

#[test]
fn an_update_takes_what_it_changes_and_owns_the_way_to_it() {
    let mut scene = Scene::new();
    scene.apply("m1", json!({ "m": { "k1": "a" }, "str": "s" })).unwrap();
    scene.put("u1", json!({ "m": { "k1": "b", "k9": "n" }, "str": "s", "obj": { "a": "1" } }));
    assert_eq!(
        owners(&scene),
        json!({
            "m1/Apply": { "f:str": {} },
            "u1/Update": { "f:m": { "f:k1": {}, "f:k9": {} }, "f:obj": { ".": {}, "f:a": {} } },
        })
    );
    let error = scene.apply("m1", json!({ "m": { "k1": "c" } })).unwrap_err();
    assert_eq!(error.to_string(), "conflict with \"u1\" using x.io/v1: .spec.m.k1");
}

#[test]
fn an_object_that_nobody_owns_belongs_to_whoever_was_there_before_the_first_apply() {
    let mut scene = Scene::new();
    scene.put("c1", json!(null));
    scene.put("c2", json!({ "str": "a" }));
    assert_eq!(owners(&scene), json!({}));
    let error = scene.apply("m1", json!({ "str": "b" })).unwrap_err();
    assert_eq!(error.to_string(), "conflict with \"before-first-apply\" using x.io/v1: .spec.str");
}

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    let mut scene = Scene::new();
    let problem = |scene: &mut Scene, spec: Value| {
        let error = scene.apply("m1", spec).unwrap_err().to_string();
        error.strip_prefix("failed to create typed patch object (shop/t; x.io/v1, Kind=T): ").unwrap().to_owned()
    };
    let rows = [
        (json!({ "foo": 1 }), ".spec.foo: field not declared in schema"),
        (json!({ "str": 1 }), ".spec.str: expected string, got &value.valueUnstructured{Value:1}"),
        (json!({ "setl": "x" }), ".spec.setl: expected list, got &{x}"),
        (json!({ "setl": ["c", "c"] }), ".spec.setl: duplicate entries for key [=\"c\"]"),
        (
            json!({ "mapl": [{ "name": "z" }, { "name": "z", "proto": "TCP" }] }),
            ".spec.mapl: duplicate entries for key [name=\"z\",proto=\"TCP\"]",
        ),
    ];
    for (spec, expected) in rows {
        assert_eq!(problem(&mut scene, spec), expected);
    }
}

#[test]
fn the_order_of_the_applied_list_holds_for_its_own_items() {
    let rows = [
        (json!(["a", "b"]), json!(["c", "a"]), json!(["c", "a", "b"])),
        (json!(["a", "b", "c", "d"]), json!(["d", "x", "b"]), json!(["a", "c", "d", "x", "b"])),
        (json!(["a", "c", "d", "x", "b"]), json!(["d", "c", "b", "a"]), json!(["d", "x", "c", "b", "a"])),
    ];
    for (live, applied, expected) in rows {
        let mut scene = Scene::new();
        scene.apply("m1", json!({ "setl": live })).unwrap();
        scene.apply("m2", json!({ "setl": applied })).unwrap();
        assert_eq!(scene.spec()["setl"], expected, "{applied} over {live}");
    }
}
