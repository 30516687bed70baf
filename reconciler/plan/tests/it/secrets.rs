//! Values of Secrets are never told, wherever they stand.

use fairlead_plan::{Force, Plan, render};
use serde_json::{Value, json};

use crate::scene::{Scene, owned, with};

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A Secret with a canary in each place where tools put values.
fn secret(name: &str, generation: &str) -> Value {
    let canary = |place: &str| format!("canary-{generation}-{place}");
    let applied = json!({"data": {"password": canary("last-applied")}}).to_string();
    with(
        owned(&format!("Secret shop/{name}")),
        &json!({
            "metadata": {"annotations": {LAST_APPLIED: applied, "hint": canary("annotation")}},
            "data": {"password": canary("data"), generation: canary("key")},
            "stringData": {"token": canary("string-data"), "list": [canary("list")]},
            "odd": canary("odd"),
        }),
    )
}

/// Every way to tell a plan.
fn tellings(plan: &Plan) -> String {
    [
        plan.to_json(),
        render::text(plan),
        render::diff(plan),
        render::markdown(plan),
        render::change_log(plan),
        format!("{plan:?}"),
    ]
    .join("\n")
}

#[test]
fn no_telling_of_a_plan_holds_a_value_of_a_secret() {
    let (old, new) = (secret("changed", "old"), secret("changed", "new"));
    let plan = Scene::default()
        .inventory(["Secret shop/deleted"])
        .desired([secret("created", "new"), new.clone(), secret("unasked", "new"), secret("replaced", "new")])
        .previewed(&old, &new)
        .live(&secret("unasked", "old"))
        .immutable(&secret("replaced", "old"), "type")
        .live(&secret("deleted", "old"))
        .options(|options| options.force = Force::Yes)
        .plan();
    let told = tellings(&plan);
    assert!(!told.contains("canary"), "{told}");
}

#[test]
fn a_refused_change_of_a_secret_is_told_without_the_servers_words() {
    let scene = Scene::default().desired([secret("s", "new")]).immutable(&secret("s", "old"), "data");
    let error = scene.try_plan().expect_err("refused");
    assert_eq!(error.to_string(), "secret-s.yaml:1: Secret shop/s: field data is immutable");
}

#[test]
fn a_reader_sees_which_keys_change_and_not_to_what() {
    let (old, new) = (secret("s", "old"), secret("s", "new"));
    let plan = Scene::default().inventory(["Secret shop/s"]).desired([new.clone()]).previewed(&old, &new).plan();
    insta::assert_snapshot!(render::text(&plan), @r#"
    ► Secret/shop/s drifted
      secret-s.yaml:1
      @@ data.new @@
      +***
      @@ data.old @@
      -***
      @@ data.password @@
      -*** (before)
      +*** (after)
      @@ metadata.annotations.hint @@
      -*** (before)
      +*** (after)
      @@ metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"] @@
      -*** (before)
      +*** (after)
      @@ odd @@
      -*** (before)
      +*** (after)
      @@ stringData.list @@
      -*** (before)
      +*** (after)
      @@ stringData.token @@
      -*** (before)
      +*** (after)
    Plan: 1 to update.
    "#);
}

#[test]
fn equal_values_have_equal_digests_under_one_key_only() {
    let told = |key: &[u8]| {
        let (old, new) = (secret("s", "old"), secret("s", "new"));
        let scene = Scene::default().desired([new.clone()]).previewed(&old, &new);
        scene.options(|options| options.digest_key = fairlead_plan::DigestKey::new(key)).plan().to_json()
    };
    assert_eq!(told(b"one"), told(b"one"));
    assert_ne!(told(b"one"), told(b"two"));
}
