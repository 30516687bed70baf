//! A commit becomes the state of the cluster.

use fairlead_tests::{Controller, Request, web};
use serde_json::json;

use crate::scene::{LIMIT, Team, config_map};

#[tokio::test]
async fn a_commit_becomes_objects_and_the_next_one_changes_and_prunes_them() {
    let (one, two, old) = (config_map("limits", "one"), config_map("limits", "two"), config_map("old", "x"));
    let files = [("limits.yaml", Some(one.as_str())), ("old.yaml", Some(old.as_str()))];
    let team = Team::following("follow", &files, json!({})).await;
    let ready = team.ready().await;
    let first = team.repository.head("main").unwrap();
    assert_eq!(ready.to_string(), format!("True ReconciliationSucceeded: Applied revision: main@sha1:{first}"));
    assert_eq!(team.inventory().await, ["NAMESPACE_limits__ConfigMap", "NAMESPACE_old__ConfigMap"]);

    let second = team.push(&[("limits.yaml", Some(&two)), ("old.yaml", None)]).await;
    team.applied(&second).await;
    assert_eq!(team.find("ConfigMap", "limits").await.unwrap()["data"], json!({ "value": "two" }));
    assert_eq!(team.find("ConfigMap", "old").await, None);
    assert_eq!(team.inventory().await, ["NAMESPACE_limits__ConfigMap"]);
}

#[tokio::test]
async fn an_object_carries_the_labels_of_its_owner_and_fluxs_field_manager() {
    let limits = config_map("limits", "one");
    let team = Team::following("owner", &[("limits.yaml", Some(&limits))], json!({})).await;
    team.ready().await;

    let found = team.find("ConfigMap", "limits").await.unwrap();
    let labels = &found["metadata"]["labels"];
    assert_eq!(labels["kustomize.toolkit.fluxcd.io/name"], "app");
    assert_eq!(labels["kustomize.toolkit.fluxcd.io/namespace"], team.namespace.as_str());
    assert_eq!(found["metadata"]["managedFields"][0]["manager"], "kustomize-controller");
}

#[tokio::test]
async fn an_artifact_is_served_as_other_controllers_expect_it() {
    let limits = config_map("limits", "one");
    let team = Team::following("artifact", &[("limits.yaml", Some(&limits))], json!({})).await;
    team.ready().await;

    let source = team.find("GitRepository", "app").await.unwrap();
    let artifact = &source["status"]["artifact"];
    let commit = team.repository.head("main").unwrap();
    assert_eq!(artifact["revision"], format!("main@sha1:{commit}"));
    let digest = artifact["digest"].as_str().unwrap();
    assert!(digest.starts_with("sha256:"), "{digest}");
    let url = artifact["url"].as_str().unwrap();
    assert!(url.ends_with(".tar.gz"), "{url}");
    assert_eq!(web::status(url).await, 200);
}

#[tokio::test]
async fn an_unchanged_remote_costs_one_question_and_no_write_but_the_answer_to_who_asked() {
    let limits = config_map("limits", "one");
    let team = Team::following("unchanged", &[("limits.yaml", Some(&limits))], json!({})).await;
    team.ready().await;
    let (asked_before, written_before) = (team.git.requests().len(), writes_in(&team).await.len());

    team.request("GitRepository", "app").await;
    let app = team.named("GitRepository", "app");
    team.cluster
        .watch(&app, LIMIT, |found| {
            let found = found?;
            let request = &found["metadata"]["annotations"]["reconcile.fluxcd.io/requestedAt"];
            (found["status"]["lastHandledReconcileAt"] == *request).then_some(())
        })
        .await;

    let asked = team.git.requests().split_off(asked_before);
    assert!(asked.iter().all(|request| !request.is_fetch), "{asked:#?}");
    assert!(asked.len() <= 2, "the second version of the protocol says hello before it asks: {asked:#?}");
    let written = writes_in(&team).await.split_off(written_before);
    // Events are sent when there is time for it: one of the first fetch may come as late as this.
    let written = written.iter().filter(|write| write.resource != "events");
    let written: Vec<_> = written.map(|write| (write.verb.as_str(), write.resource.as_str())).collect();
    assert_eq!(written, [("patch", "gitrepositories/status")]);
}

#[tokio::test]
async fn a_suspended_kustomization_rests_until_it_is_resumed() {
    let (one, two) = (config_map("limits", "one"), config_map("limits", "two"));
    let team = Team::following("suspended", &[("limits.yaml", Some(&one))], json!({})).await;
    team.ready().await;
    let app = team.named("Kustomization", "app");
    team.cluster.merge(&app, json!({ "spec": { "suspend": true } })).await;

    let commit = team.push(&[("limits.yaml", Some(&two))]).await;
    let source = team.named("GitRepository", "app");
    let revision = format!("main@sha1:{commit}");
    team.cluster
        .watch(&source, LIMIT, |found| {
            found.filter(|found| found["status"]["artifact"]["revision"] == revision.as_str()).map(|_| ())
        })
        .await;
    assert_eq!(team.find("ConfigMap", "limits").await.unwrap()["data"]["value"], "one");

    team.cluster.merge(&app, json!({ "spec": { "suspend": false } })).await;
    team.applied(&commit).await;
    assert_eq!(team.find("ConfigMap", "limits").await.unwrap()["data"]["value"], "two");
}

#[tokio::test]
async fn what_is_not_honoured_yet_is_said_and_not_ignored() {
    let limits = config_map("limits", "one");
    let spec = json!({ "decryption": { "provider": "sops" } });
    let team = Team::following("unsupported", &[("limits.yaml", Some(&limits))], spec).await;
    let stalled = team.condition("Stalled", "True").await;
    assert!(stalled.message.contains("spec.decryption"), "{stalled}");
    assert_eq!(team.find("ConfigMap", "limits").await, None);
}

/// Returns what the controller wrote in the team's namespace.
async fn writes_in(team: &Team<'_>) -> Vec<Request> {
    let mut writes = team.cluster.writes_by(&Controller::user()).await;
    writes.retain(|write| write.namespace == team.namespace);
    writes
}
