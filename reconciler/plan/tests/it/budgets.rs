//! When a plan waits for a person.

use fairlead_plan::{APPROVE_ANNOTATION, Budget};
use serde_json::json;

use crate::scene::{Scene, id, owned, unowned, with};

const TEN: [&str; 10] = [
    "ConfigMap a/0",
    "ConfigMap a/1",
    "ConfigMap a/2",
    "ConfigMap a/3",
    "ConfigMap a/4",
    "ConfigMap a/5",
    "ConfigMap a/6",
    "ConfigMap a/7",
    "ConfigMap a/8",
    "ConfigMap a/9",
];

/// An inventory of ten objects of which the source asks for `kept`.
fn keeping(kept: usize) -> Scene {
    let scene = Scene::default().inventory(TEN);
    TEN.iter().enumerate().fold(scene, |scene, (place, named)| {
        let scene = scene.live(&owned(named));
        if place < kept { scene.desired([owned(named)]) } else { scene }
    })
}

fn held(scene: &Scene) -> String {
    scene
        .plan()
        .held
        .map(|held| held.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        .unwrap_or_default()
}

#[test]
fn half_of_an_inventory_may_go_and_no_more() {
    assert_eq!(held(&keeping(5)), "");
    assert_eq!(held(&keeping(4)), "would delete 6 of 10 objects, more than 50 %");
}

#[test]
fn a_small_inventory_may_go_as_a_whole() {
    let scene = Scene::default().inventory(["ConfigMap a/0"]).live(&owned("ConfigMap a/0"));
    assert_eq!(held(&scene), "");
}

#[test]
fn objects_that_take_others_with_them_are_protected_one_by_one() {
    let claim = |status: &str| with(owned("PersistentVolumeClaim a/data"), &json!({"status": {"phase": status}}));
    let deleting = |body: serde_json::Value, named| Scene::default().inventory([named]).live(&body);
    let cases = [
        (deleting(owned("Namespace shop"), "Namespace shop"), "would delete Namespace shop"),
        (
            deleting(owned("CustomResourceDefinition w.example.com"), "CustomResourceDefinition w.example.com"),
            "would delete CustomResourceDefinition w.example.com",
        ),
        (deleting(claim("Bound"), "PersistentVolumeClaim a/data"), "would delete PersistentVolumeClaim a/data"),
        (deleting(claim("Pending"), "PersistentVolumeClaim a/data"), ""),
        (deleting(unowned("Namespace shop"), "Namespace shop"), ""),
    ];
    for (scene, expected) in cases {
        assert_eq!(held(&scene), expected, "{}", scene.outline());
    }
}

#[test]
fn a_held_plan_says_what_it_would_delete_and_how_to_approve_it() {
    let scene = Scene::default().inventory(["Namespace shop"]).live(&owned("Namespace shop"));
    let plan = scene.plan();
    let held = plan.held.clone().expect("a Namespace would be deleted");
    assert_eq!(held.objects, [id(&unowned("Namespace shop"))]);
    let approval = plan.approval();
    assert_eq!(
        held.to_string(),
        format!("would delete Namespace shop; to approve, set annotation {APPROVE_ANNOTATION}: {approval}")
    );
    assert_eq!(plan.inventory_after(), plan.inventory_during(), "nothing leaves the inventory");
}

/// A Namespace with this UID and another object, both of which would be deleted.
fn leaving(uid: &str) -> Scene {
    let first = with(owned("Namespace shop"), &json!({"metadata": {"uid": uid}}));
    Scene::default().inventory(["Namespace shop", "ConfigMap a/0"]).live(&first).live(&owned("ConfigMap a/0"))
}

#[test]
fn an_approval_is_of_these_deletions_and_of_no_others() {
    let approval = leaving("u-1").plan().approval().to_string();
    let approved = |scene: Scene| held(&scene.options(|options| options.approved = Some(approval.clone())));
    assert_eq!(approved(leaving("u-1")), "");
    assert_eq!(
        approved(leaving("u-1").desired([owned("ConfigMap a/1")])),
        "",
        "what is only created needs no approval"
    );
    assert_eq!(approved(leaving("u-2")), "would delete Namespace shop", "another object of the same name");
    assert_eq!(
        approved(leaving("u-1").desired([owned("ConfigMap a/0")])),
        "would delete Namespace shop",
        "one deletion less"
    );
}

#[test]
fn an_unlimited_budget_holds_nothing() {
    let scene = Scene::default().inventory(["Namespace shop"]).live(&owned("Namespace shop"));
    assert_eq!(held(&scene.options(|options| options.budget = Budget::Unlimited)), "");
}
