//! What happens to which object, and why.

use fairlead_plan::{Force, Inventory, Prune, Stage, TakeOver};
use serde_json::{Value, json};

use crate::scene::{Scene, manifest, owned, unowned, with};

fn annotated(body: Value, key: &str, value: &str) -> Value {
    let key = format!("kustomize.toolkit.fluxcd.io/{key}");
    with(body, &json!({"metadata": {"annotations": {key: value}}}))
}

#[test]
fn prunes_what_left_the_source_and_nothing_else() {
    let limits = owned("ConfigMap shop/limits");
    let scene = Scene::default()
        .inventory(["ConfigMap shop/limits", "ConfigMap shop/old"])
        .live(&limits)
        .live(&owned("ConfigMap shop/old"))
        .live(&owned("ConfigMap shop/by-hand"))
        .desired([limits.clone()]);
    insta::assert_snapshot!(scene.outline(), @r"
    keep    ConfigMap shop/limits  in sync
    delete  ConfigMap shop/old
    ");
}

#[test]
fn creates_in_the_order_of_stages_and_deletes_in_the_reverse_order_of_kinds() {
    let scene = Scene::default()
        .inventory(["Namespace old", "ConfigMap old/env", "Deployment old/web"])
        .live(&owned("Namespace old"))
        .live(&owned("ConfigMap old/env"))
        .live(&owned("Deployment old/web"))
        .desired(["Deployment shop/web", "ConfigMap shop/env", "Namespace shop"].map(owned));
    insta::assert_snapshot!(scene.outline(), @r"
    create  Namespace shop
    create  ConfigMap shop/env
    create  Deployment shop/web
    delete  Deployment old/web
    delete  ConfigMap old/env
    delete  Namespace old
    held    would delete Namespace old
    ");
}

#[test]
fn only_fields_that_an_apply_would_change_count_as_drift() {
    let live = with(
        owned("Deployment shop/web"),
        &json!({
            "metadata": {"resourceVersion": "7", "generation": 3, "finalizers": ["x"], "managedFields": []},
            "spec": {"replicas": 1, "paused": null, "template": {}},
            "status": {"replicas": 1},
        }),
    );
    let same = with(
        live.clone(),
        &json!({
            "metadata": {"resourceVersion": "8", "generation": 4, "finalizers": ["x", "y"]},
            "spec": {"paused": {}, "template": []},
            "status": {"replicas": 2},
        }),
    );
    let desired = owned("Deployment shop/web");
    assert_eq!(
        Scene::default().desired([desired.clone()]).previewed(&live, &same).outline(),
        "keep    Deployment shop/web  in sync"
    );
    let changed = with(same, &json!({"spec": {"replicas": 2}, "metadata": {"annotations": {"a": "b"}}}));
    insta::assert_snapshot!(Scene::default().desired([desired]).previewed(&live, &changed).outline(), @"update  Deployment shop/web  metadata.annotations, spec.replicas");
}

#[test]
fn metrics_of_an_autoscaler_are_compared_without_duplicates() {
    let metric = json!({"type": "Resource", "resource": {"name": "cpu"}});
    let live = with(owned("HorizontalPodAutoscaler shop/web"), &json!({"spec": {"metrics": [metric]}}));
    let preview = with(live.clone(), &json!({"spec": {"metrics": [metric, metric]}}));
    let scene = Scene::default().desired([owned("HorizontalPodAutoscaler shop/web")]).previewed(&live, &preview);
    assert_eq!(scene.outline(), "keep    HorizontalPodAutoscaler shop/web  in sync");
}

#[test]
fn changes_are_told_by_the_name_of_list_items() {
    let containers = |list: Value| with(owned("Deployment shop/web"), &json!({"spec": {"containers": list}}));
    let live = containers(json!([
        {"name": "app", "image": "app:1", "ports": [{"containerPort": 80}], "args": ["-v"]},
        {"name": "old", "image": "old:1"},
    ]));
    let preview = containers(json!([
        {"name": "new", "image": "new:1"},
        {"name": "app", "image": "app:2", "ports": [{"containerPort": 80, "name": "http"}], "args": ["-v", "-q"]},
    ]));
    let plan = Scene::default().desired([owned("Deployment shop/web")]).previewed(&live, &preview).plan();
    let paths: Vec<_> = plan.steps[0]
        .action
        .changes()
        .iter()
        .map(|change| format!("{}  {}", change.path, change.path.pointer()))
        .collect();
    insta::assert_snapshot!(paths.join("\n"), @r#"
    spec.containers[name="new"]  /spec/containers/0
    spec.containers[name="app"].args  /spec/containers/1/args
    spec.containers[name="app"].image  /spec/containers/1/image
    spec.containers[name="app"].ports[containerPort=80].name  /spec/containers/1/ports/0/name
    spec.containers[name="old"]  /spec/containers/1
    "#);
}

#[test]
fn items_in_another_order_are_a_change() {
    let containers = |list: Value| with(owned("Deployment shop/web"), &json!({"spec": {"containers": list}}));
    let (live, preview) =
        (containers(json!([{"name": "a"}, {"name": "b"}])), containers(json!([{"name": "b"}, {"name": "a"}])));
    let scene = Scene::default().desired([owned("Deployment shop/web")]).previewed(&live, &preview);
    assert_eq!(scene.outline(), "update  Deployment shop/web  spec.containers");
}

#[test]
fn without_a_dry_run_the_manifest_tells_what_changes_and_ownership_what_is_removed() {
    let live = with(
        owned("ConfigMap shop/env"),
        &json!({
            "data": {"kept": "1", "changed": "1", "dropped": "1", "by-others": "1"},
            "metadata": {"managedFields": [{
                "manager": "kustomize-controller", "operation": "Apply", "apiVersion": "v1",
                "fieldsV1": {"f:data": {"f:kept": {}, "f:changed": {}, "f:dropped": {}}},
            }]},
        }),
    );
    let desired = with(owned("ConfigMap shop/env"), &json!({"data": {"kept": "1", "changed": "2", "added": "1"}}));
    insta::assert_snapshot!(Scene::default().desired([desired]).live(&live).outline(), @"update  ConfigMap shop/env  data.added, data.changed, data.dropped");
}

#[test]
fn objects_opt_out_by_label_or_annotation_in_the_source_or_in_the_cluster() {
    let web = || owned("ConfigMap shop/web");
    let stale = with(web(), &json!({"data": {"a": "stale"}}));
    let cases: [(&str, Value, Value, &str); 9] = [
        ("reconcile in the source", annotated(web(), "reconcile", "disabled"), stale.clone(), "keep"),
        ("reconcile in the cluster", web(), annotated(stale.clone(), "reconcile", "Disabled"), "keep"),
        ("ignore in the source", annotated(web(), "ssa", "Ignore"), stale.clone(), "keep"),
        ("ignore in the cluster", web(), annotated(stale.clone(), "ssa", "ignore"), "keep"),
        ("absent only, in the source", annotated(web(), "ssa", "IfNotPresent"), stale.clone(), "keep"),
        ("absent only, in the cluster", web(), annotated(stale.clone(), "ssa", "IfNotPresent"), "update"),
        ("override", annotated(web(), "ssa", "Override"), stale.clone(), "update"),
        ("another value", annotated(web(), "reconcile", "enabled"), stale.clone(), "update"),
        (
            "by label",
            with(web(), &json!({"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/ssa": "Ignore"}}})),
            stale.clone(),
            "keep",
        ),
    ];
    for (name, desired, live, verb) in cases {
        let preview = with(live.clone(), &json!({"data": {"a": "fresh"}}));
        let outline = Scene::default().desired([desired]).previewed(&live, &preview).outline();
        assert!(outline.starts_with(verb), "{name}: {outline}");
    }
}

#[test]
fn an_object_that_is_wanted_only_if_absent_is_created_when_it_is() {
    let desired = annotated(owned("ConfigMap shop/web"), "ssa", "IfNotPresent");
    assert_eq!(
        Scene::default().desired([desired]).absent("ConfigMap shop/web").outline(),
        "create  ConfigMap shop/web"
    );
    let ignored = annotated(owned("ConfigMap shop/web"), "ssa", "Ignore");
    assert_eq!(
        Scene::default().desired([ignored]).outline(),
        "keep    ConfigMap shop/web  kustomize.toolkit.fluxcd.io/ssa: Ignore in the source"
    );
}

#[test]
fn pruning_spares_what_opts_out_and_what_is_not_its_owners() {
    let names = [
        "ConfigMap a/opted-out",
        "ConfigMap a/ignored",
        "ConfigMap a/only-absent",
        "ConfigMap a/foreign",
        "ConfigMap a/unmarked",
        "ConfigMap a/gone",
        "ConfigMap a/unseen",
    ];
    let foreign = with(
        owned("ConfigMap a/foreign"),
        &json!({"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/name": "other"}}}),
    );
    let scene = Scene::default()
        .inventory(names)
        .live(&annotated(owned("ConfigMap a/opted-out"), "prune", "Disabled"))
        .live(&annotated(owned("ConfigMap a/ignored"), "ssa", "Ignore"))
        .live(&annotated(owned("ConfigMap a/only-absent"), "ssa", "IfNotPresent"))
        .live(&foreign)
        .live(&unowned("ConfigMap a/unmarked"))
        .absent("ConfigMap a/gone");
    insta::assert_snapshot!(scene.outline(), @r"
    keep    ConfigMap a/unseen  not observed
    keep    ConfigMap a/unmarked  its labels do not name its owner
    keep    ConfigMap a/opted-out  kustomize.toolkit.fluxcd.io/prune: Disabled in the cluster
    delete  ConfigMap a/only-absent
    keep    ConfigMap a/ignored  kustomize.toolkit.fluxcd.io/ssa: Ignore in the cluster
    keep    ConfigMap a/gone  already gone
    keep    ConfigMap a/foreign  its labels do not name its owner
    ");
}

#[test]
fn nothing_is_pruned_when_pruning_is_off() {
    let scene = Scene::default()
        .inventory(["ConfigMap shop/old"])
        .live(&owned("ConfigMap shop/old"))
        .options(|options| options.prune = Prune::No);
    assert_eq!(scene.outline(), "keep    ConfigMap shop/old  pruning is off");
}

#[test]
fn an_immutable_field_is_an_error_that_names_object_field_and_place() {
    let scene = Scene::default()
        .desired([owned("Job shop/migrate"), owned("Deployment shop/web")])
        .immutable(&owned("Job shop/migrate"), "spec.template")
        .immutable(&owned("Deployment shop/web"), "spec.selector");
    let error = scene.try_plan().expect_err("both are refused");
    insta::assert_snapshot!(error, @r"
    deployment-web.yaml:1: Deployment shop/web: field spec.selector is immutable: spec.selector: Invalid value: field is immutable
    job-migrate.yaml:1: Job shop/migrate: field spec.template is immutable: spec.template: Invalid value: field is immutable
    ");
    insta::assert_snapshot!(error.hint(), @"Take the change back, or let the object be deleted and created anew: spec.force on its owner, or annotation kustomize.toolkit.fluxcd.io/force: Enabled on the object.");
}

#[test]
fn an_immutable_field_is_a_replacement_where_its_owner_or_the_object_forces_it() {
    let job = || owned("Job shop/migrate");
    let forced = Scene::default()
        .options(|options| options.force = Force::Yes)
        .desired([job()])
        .immutable(&job(), "spec.template");
    assert_eq!(forced.outline(), "replace Job shop/migrate  because of spec.template");
    let asked = Scene::default().desired([annotated(job(), "force", "enabled")]).immutable(&job(), "spec.template");
    assert_eq!(asked.outline(), "replace Job shop/migrate  because of spec.template");
}

#[test]
fn what_kubectl_left_is_cleaned_unless_the_object_merges() {
    let applied = json!({"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}});
    let live = with(owned("ConfigMap shop/env"), &applied);
    let clean = Scene::default().desired([owned("ConfigMap shop/env")]).previewed(&live, &live);
    assert_eq!(clean.outline(), "update  ConfigMap shop/env   and its metadata");
    let merging = annotated(owned("ConfigMap shop/env"), "ssa", "Merge");
    let merged = Scene::default().desired([merging]).previewed(&live, &live);
    assert_eq!(merged.outline(), "keep    ConfigMap shop/env  in sync");
}

#[test]
fn taking_an_object_over_says_from_whom() {
    let other = with(
        owned("ConfigMap shop/a"),
        &json!({"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/name": "other"}}}),
    );
    let scene = Scene::default()
        .inventory(["ConfigMap shop/c"])
        .desired(["ConfigMap shop/a", "ConfigMap shop/b", "ConfigMap shop/c", "ConfigMap shop/d"].map(owned))
        .previewed(&other, &owned("ConfigMap shop/a"))
        .previewed(&unowned("ConfigMap shop/b"), &owned("ConfigMap shop/b"))
        .previewed(&unowned("ConfigMap shop/c"), &owned("ConfigMap shop/c"));
    let plan = scene.plan();
    let taken: Vec<_> = plan.steps.iter().map(|step| step.takes_over.as_ref()).collect();
    let from = fairlead_plan::Owner::kustomization("flux-system", "other");
    assert_eq!(taken, [Some(&TakeOver::From(from)), Some(&TakeOver::Unowned), None, None]);
}

#[test]
fn the_inventory_covers_old_and_new_while_a_plan_is_carried_out() {
    let scene = Scene::default()
        .inventory(["ConfigMap shop/old", "ConfigMap shop/unseen", "ConfigMap shop/kept"])
        .live(&owned("ConfigMap shop/old"))
        .live(&owned("ConfigMap shop/kept"))
        .desired(["ConfigMap shop/kept", "ConfigMap shop/new"].map(owned));
    let plan = scene.plan();
    let names =
        |inventory: &Inventory| inventory.iter().map(|(object, _)| object.name.clone()).collect::<Vec<_>>().join(" ");
    assert_eq!(names(&plan.inventory_during()), "kept new old unseen");
    assert_eq!(names(&plan.inventory_after()), "kept new unseen");
}

#[test]
fn a_step_names_the_live_objects_uid_as_its_precondition() {
    let old = with(owned("ConfigMap shop/old"), &json!({"metadata": {"uid": "u-1"}}));
    let plan = Scene::default().inventory(["ConfigMap shop/old"]).live(&old).plan();
    assert_eq!(plan.stage(Stage::Prune).next().and_then(|step| step.uid.as_deref()), Some("u-1"));
}

#[test]
fn a_plan_with_nothing_to_write_is_empty() {
    let web = owned("ConfigMap shop/web");
    assert!(Scene::default().desired([web.clone()]).previewed(&web, &web).plan().is_empty());
    assert!(!Scene::default().desired([web]).plan().is_empty());
}

#[test]
fn the_debug_output_of_a_plan_holds_no_manifest() {
    let secret = with(owned("Secret shop/s"), &json!({"stringData": {"password": "canary"}}));
    let plan = Scene::default().desired([secret.clone()]).plan();
    assert_eq!(manifest(&secret).id(), &plan.steps[0].object);
    assert!(!format!("{plan:?}").contains("canary"));
}
