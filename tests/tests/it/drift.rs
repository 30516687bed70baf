//! What others change or delete is put right.

use serde_json::{Value, json};

use crate::scene::{LIMIT, Team, config_map};

fn value_of(found: Option<&Value>) -> Option<&str> {
    found?["data"]["value"].as_str()
}

#[tokio::test]
async fn a_field_that_was_changed_by_hand_is_put_right() {
    let limits = config_map("limits", "one");
    let team = Team::following("drift", &[("limits.yaml", Some(&limits))], json!({})).await;
    team.ready().await;

    let named = team.named("ConfigMap", "limits");
    team.cluster.merge(&named, json!({ "data": { "value": "by hand", "more": "kept" } })).await;
    let kept = team.cluster.watch(&named, LIMIT, |found| {
        (value_of(found) == Some("one")).then(|| found.map(|found| found["data"]["more"].clone()))
    });
    assert_eq!(kept.await, Some(json!("kept")), "a field that is not ours stays");
}

#[tokio::test]
async fn an_object_that_was_deleted_by_hand_comes_back() {
    let limits = config_map("limits", "one");
    let team = Team::following("deleted", &[("limits.yaml", Some(&limits))], json!({})).await;
    team.ready().await;

    let named = team.named("ConfigMap", "limits");
    let before = team.find("ConfigMap", "limits").await.unwrap()["metadata"]["uid"].clone();
    team.cluster.delete(&named).await;
    team.cluster.watch(&named, LIMIT, |found| (found?["metadata"]["uid"] != before).then_some(())).await;
}

#[tokio::test]
async fn an_object_that_opts_out_is_left_as_others_made_it() {
    let limits = config_map("limits", "one");
    let team = Team::following("optout", &[("limits.yaml", Some(&limits))], json!({})).await;
    team.ready().await;

    let named = team.named("ConfigMap", "limits");
    let opt_out = json!({ "kustomize.toolkit.fluxcd.io/reconcile": "disabled" });
    team.cluster.merge(&named, json!({ "metadata": { "annotations": opt_out }, "data": { "value": "mine" } })).await;
    let (two, more) = (config_map("limits", "two"), config_map("more", "x"));
    let commit = team.push(&[("limits.yaml", Some(&two)), ("more.yaml", Some(&more))]).await;
    team.applied(&commit).await;
    assert_eq!(team.find("ConfigMap", "limits").await.unwrap()["data"]["value"], "mine");
    assert!(team.find("ConfigMap", "more").await.is_some());
}
