//! What leaves the source goes, and nothing else.

use serde_json::json;

use crate::scene::{LIMIT, Team, config_map};

#[tokio::test]
async fn deleting_a_kustomization_deletes_what_it_owns_and_nothing_else() {
    let limits = config_map("limits", "one");
    let team = Team::following("owned", &[("limits.yaml", Some(&limits))], json!({})).await;
    team.ready().await;
    team.cluster
        .apply(json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": "by-hand", "namespace": team.namespace },
        }))
        .await;

    let app = team.named("Kustomization", "app");
    team.cluster.delete(&app).await;
    team.cluster.wait_until_gone(&app, LIMIT).await;
    assert_eq!(team.find("ConfigMap", "limits").await, None);
    assert!(team.find("ConfigMap", "by-hand").await.is_some());
}

#[tokio::test]
async fn deleting_a_kustomization_that_orphans_deletes_nothing() {
    let limits = config_map("limits", "one");
    let spec = json!({ "deletionPolicy": "Orphan" });
    let team = Team::following("orphan", &[("limits.yaml", Some(&limits))], spec).await;
    team.ready().await;

    let app = team.named("Kustomization", "app");
    team.cluster.delete(&app).await;
    team.cluster.wait_until_gone(&app, LIMIT).await;
    assert!(team.find("ConfigMap", "limits").await.is_some());
}

#[tokio::test]
async fn without_prune_and_with_the_opt_out_annotation_objects_stay() {
    let (limits, more) = (config_map("limits", "one"), config_map("more", "x"));
    let kept = config_map("kept", "x")
        .replace("metadata:\n", "metadata:\n  annotations:\n    kustomize.toolkit.fluxcd.io/prune: disabled\n");
    let files =
        [("limits.yaml", Some(limits.as_str())), ("kept.yaml", Some(kept.as_str())), ("more.yaml", Some(&more))];
    let team = Team::following("keep", &files, json!({})).await;
    team.ready().await;

    let commit = team.push(&[("kept.yaml", None)]).await;
    team.applied(&commit).await;
    assert!(team.find("ConfigMap", "kept").await.is_some(), "it opts out");

    team.kustomize("app", json!({ "prune": false })).await;
    let commit = team.push(&[("more.yaml", None)]).await;
    team.applied(&commit).await;
    assert!(team.find("ConfigMap", "more").await.is_some(), "nothing is pruned");
}

#[tokio::test]
async fn a_run_that_would_delete_most_of_what_is_there_stops_and_asks() {
    let maps: Vec<_> =
        (0..12).map(|index| (format!("map-{index}.yaml"), config_map(&format!("map-{index}"), "x"))).collect();
    let files: Vec<_> = maps.iter().map(|(path, text)| (path.as_str(), Some(text.as_str()))).collect();
    let team = Team::following("budget", &files, json!({})).await;
    team.ready().await;

    let gone: Vec<_> = files[..10].iter().map(|(path, _)| (*path, None)).collect();
    team.push(&gone).await;
    let held = team.failed().await;
    assert!(held.message.contains("10"), "{held}");
    assert!(held.message.contains("approve"), "it says how to go on: {held}");
    assert_eq!(team.inventory().await.len(), 12);
    assert!(team.find("ConfigMap", "map-0").await.is_some());
}
