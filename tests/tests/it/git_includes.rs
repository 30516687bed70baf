//! Repositories that include the artifacts of others.

use serde_json::{Value, json};

use crate::scene::{LIMIT, Team, config_map};

/// A `GitRepository` called `name` of `url`, whose spec has `spec` besides.
fn repository(team: &Team<'_>, name: &str, url: &str, spec: &Value) -> Value {
    let mut object = team.git_repository(url);
    object["metadata"]["name"] = name.into();
    object["spec"].as_object_mut().expect("fields").extend(spec.as_object().expect("fields").clone());
    object
}

#[tokio::test]
async fn an_included_artifact_is_part_of_the_source_and_its_changes_too() {
    let team = Team::new("include").await;
    let base = team.git.repository("base");
    base.commit([("deploy/limits.yaml", Some(config_map("limits", "one")))], "first");
    team.repository.commit([("own.yaml", Some(config_map("own", "one")))], "first");
    let include =
        json!({ "include": [{ "repository": { "name": "base" }, "fromPath": "deploy", "toPath": "vendor/base" }] });
    team.cluster.apply(repository(&team, "app", team.repository.url(), &include)).await;
    let app = team.named("GitRepository", "app");
    let waiting = team.cluster.wait_for(&app, "IncludeUnavailable", "True", LIMIT).await;
    insta::assert_snapshot!(
        team.steady(&waiting.to_string()),
        @"True NotFound: could not get resource for include 'base': GitRepository 'NAMESPACE/base' not found"
    );
    team.cluster.apply(repository(&team, "base", base.url(), &json!({}))).await;
    team.kustomize("app", json!({})).await;
    team.ready().await;
    assert_eq!(team.find("ConfigMap", "limits").await.unwrap()["data"]["value"], "one");
    let status = team.find("GitRepository", "app").await.unwrap()["status"].clone();
    assert_eq!(status["observedInclude"], include["include"]);
    let included = team.find("GitRepository", "base").await.unwrap()["status"]["artifact"].clone();
    assert_eq!(status["includedArtifacts"], json!([included]));

    base.commit([("deploy/limits.yaml", Some(config_map("limits", "two")))], "second");
    team.request("GitRepository", "base").await;
    let is_second = |found: Option<&Value>| (found?["data"]["value"] == "two").then_some(());
    team.cluster.watch(&team.named("ConfigMap", "limits"), LIMIT, is_second).await;
}

#[tokio::test]
async fn what_cannot_be_included_is_told_in_flux_s_words() {
    let team = Team::new("include-faults").await;
    team.repository.commit([("apps/own.yaml", Some("a: 1"))], "first");
    team.cluster.apply(repository(&team, "base", team.repository.url(), &json!({}))).await;
    team.cluster.wait_for(&team.named("GitRepository", "base"), "Ready", "True", LIMIT).await;
    let mut told = Vec::new();
    for include in [
        json!({ "repository": { "name": "base" }, "fromPath": "../../etc" }),
        json!({ "repository": { "name": "base" }, "fromPath": "none" }),
        json!({ "repository": { "name": "base" }, "toPath": "apps" }),
    ] {
        team.cluster.apply(repository(&team, "app", team.repository.url(), &json!({ "include": [include] }))).await;
        let app = team.named("GitRepository", "app");
        let said = team.cluster.wait_for(&app, "StorageOperationFailed", "True", LIMIT).await;
        told.push(team.steady(&said.to_string()));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    True IllegalPath: path calculation for include 'base' failed: `../../etc` leaves the source
    True CopyFailure: failed to copy 'base' include from none to base: no such file or directory
    True CopyFailure: failed to copy 'base' include from . to apps: `apps/own.yaml` is there already
    ");
}
