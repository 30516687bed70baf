//! Fields that others may change.

use fairlead_plan::{IgnoreRule, IgnoreRules};
use serde_json::{Value, json};

use crate::scene::{Scene, owned, with};

fn ignoring(paths: &[&str]) -> Scene {
    let rule = IgnoreRule { paths: paths.iter().map(|path| (*path).to_owned()).collect(), target: None };
    Scene::default().options(|options| options.ignore = IgnoreRules::compile(&[rule]).expect("valid"))
}

fn web(spec: &Value) -> Value {
    with(owned("Deployment shop/web"), &json!({"spec": spec}))
}

/// The body that would be sent for the only step.
fn sent(scene: &Scene) -> Value {
    scene.plan().steps[0].action.manifest().map(|manifest| manifest.to_value()["spec"].clone()).unwrap_or_default()
}

#[test]
fn a_difference_in_an_ignored_field_alone_is_no_drift() {
    let (desired, live) = (web(&json!({"replicas": 1})), web(&json!({"replicas": 5})));
    let scene = || ignoring(&["/spec/replicas"]).desired([desired.clone()]);
    assert_eq!(scene().previewed(&live, &desired).outline(), "keep    Deployment shop/web  in sync");
    assert_eq!(scene().live(&live).outline(), "keep    Deployment shop/web  in sync");
}

#[test]
fn an_ignored_field_is_sent_as_it_is_when_its_object_is_applied_for_another_reason() {
    let (desired, live) = (web(&json!({"replicas": 1, "paused": true})), web(&json!({"replicas": 5})));
    let scene = ignoring(&["/spec/replicas"]).desired([desired.clone()]).previewed(&live, &desired);
    assert_eq!(scene.outline(), "update  Deployment shop/web  spec.paused");
    assert_eq!(sent(&scene), json!({"replicas": 5, "paused": true}));
}

#[test]
fn an_ignored_field_that_another_manager_applied_is_left_to_it() {
    let desired = web(&json!({"replicas": 1, "paused": true, "containers": [{"name": "a", "image": "a:1"}]}));
    let mut live = web(&json!({"replicas": 5, "containers": [{"name": "a", "image": "a:2"}]}));
    live["metadata"]["managedFields"] = json!([{
        "manager": "autoscaler", "operation": "Apply", "apiVersion": "apps/v1",
        "fieldsV1": {"f:spec": {"f:replicas": {}, "f:containers": {"k:{\"name\":\"a\"}": {".": {}, "f:image": {}}}}},
    }]);
    let scene =
        ignoring(&["/spec/replicas", "/spec/containers/0/image"]).desired([desired.clone()]).previewed(&live, &desired);
    assert_eq!(sent(&scene), json!({"paused": true, "containers": [{"name": "a"}]}));
}

#[test]
fn an_object_is_created_with_all_its_fields() {
    let scene = ignoring(&["/spec/replicas"]).desired([web(&json!({"replicas": 1}))]);
    assert_eq!(sent(&scene), json!({"replicas": 1}));
}
