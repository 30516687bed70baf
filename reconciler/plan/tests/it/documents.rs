//! Plans as files.

use fairlead_plan::{DocumentError, PlanDocument};
use serde_json::{Value, json};

use crate::scene::{Scene, owned, with};

fn scene(replicas: u64) -> Scene {
    let web =
        |replicas: u64| with(owned("Deployment shop/web"), &json!({"spec": {"template": {"replicas": replicas}}}));
    let live = with(web(1), &json!({"metadata": {"uid": "u-1"}}));
    Scene::default()
        .inventory(["Deployment shop/web", "ConfigMap shop/old"])
        .desired([web(replicas), owned("ConfigMap shop/new")])
        .previewed(&live, &web(replicas))
        .live(&owned("ConfigMap shop/old"))
}

#[test]
fn a_document_tells_each_step_with_its_reason() {
    insta::assert_snapshot!(scene(2).plan().to_json(), @r#"
    {
      "schemaVersion": 1,
      "digest": "sha256:c17ecb91334326e24adf68f2536adb70a44b758e04d47fedcd5009c39e1cf476",
      "owner": {
        "group": "kustomize.toolkit.fluxcd.io",
        "namespace": "flux-system",
        "name": "apps"
      },
      "revision": "main@sha1:2",
      "summary": {
        "create": 1,
        "update": 1,
        "replace": 0,
        "delete": 1,
        "keep": 0
      },
      "risks": [
        {
          "kind": "deletes",
          "object": {
            "kind": "ConfigMap",
            "namespace": "shop",
            "name": "old"
          }
        },
        {
          "kind": "restartsPods",
          "object": {
            "group": "apps",
            "kind": "Deployment",
            "namespace": "shop",
            "name": "web"
          }
        }
      ],
      "steps": [
        {
          "object": {
            "kind": "ConfigMap",
            "namespace": "shop",
            "name": "new"
          },
          "version": "v1",
          "stage": "rest",
          "action": "create",
          "origin": {
            "file": "configmap-new.yaml",
            "line": 1
          },
          "manifest": "sha256:974308f5b0722f3d24f4a418509b2894633dfb174b22ae1aa76d92cbf17e0ef7"
        },
        {
          "object": {
            "group": "apps",
            "kind": "Deployment",
            "namespace": "shop",
            "name": "web"
          },
          "version": "v1",
          "stage": "rest",
          "action": "update",
          "origin": {
            "file": "deployment-web.yaml",
            "line": 1
          },
          "uid": "u-1",
          "manifest": "sha256:7ba4e2e121eacb2038ae85c58329e07c0f51ae34bbf32d65b0de800ce518f307",
          "changes": [
            {
              "path": "spec.template.replicas",
              "pointer": "/spec/template/replicas",
              "before": {
                "value": 1
              },
              "after": {
                "value": 2
              },
              "restartsPods": true
            }
          ]
        },
        {
          "object": {
            "kind": "ConfigMap",
            "namespace": "shop",
            "name": "old"
          },
          "version": "v1",
          "stage": "prune",
          "action": "delete"
        }
      ]
    }
    "#);
}

#[test]
fn a_document_reads_what_it_writes() {
    let plan = scene(2).plan();
    assert_eq!(PlanDocument::from_json(&plan.to_json()).expect("its own document"), plan.document());
}

#[test]
fn a_saved_plan_holds_as_long_as_its_inputs_do() {
    let saved = PlanDocument::from_json(&scene(2).plan().to_json()).expect("its own document");
    assert_eq!(saved.verify(&scene(2).plan()), Ok(()));
    let moved = saved.verify(&scene(3).plan()).expect_err("an input has moved");
    insta::assert_snapshot!(moved, @"the plan no longer holds; what would happen has changed for Deployment shop/web");
    let more = saved.verify(&scene(2).desired([owned("ConfigMap shop/more")]).plan()).expect_err("an input was added");
    insta::assert_snapshot!(more, @"the plan no longer holds; what would happen has changed for ConfigMap shop/more");
}

#[test]
fn a_document_that_was_changed_by_hand_is_refused() {
    let mut document: Value = serde_json::from_str(&scene(2).plan().to_json()).expect("JSON");
    document["steps"][0]["action"] = "delete".into();
    let error = PlanDocument::from_json(&document.to_string()).expect_err("altered");
    assert!(matches!(error, DocumentError::Altered { .. }), "{error}");
}

#[test]
fn a_document_of_another_schema_is_refused_before_it_is_read() {
    let error = PlanDocument::from_json(r#"{"schemaVersion": 7, "steps": "of another shape"}"#).expect_err("too new");
    assert_eq!(error.to_string(), "the plan has schema version 7, and this program reads 1");
    assert_eq!(PlanDocument::from_json("[]").expect_err("no plan").to_string(), "not a plan");
}
