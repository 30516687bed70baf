//! Kinds that a cluster does not serve yet.

use fairlead_tests::TestCluster;
use serde_json::{Value, json};

use crate::scene::{LIMIT, Team, config_map};

/// Returns the definition of the kind `Widget` of `group`.
pub(crate) fn definition(group: &str) -> Value {
    let schema = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("widgets.{group}") },
        "spec": {
            "group": group,
            "names": { "kind": "Widget", "plural": "widgets" },
            "scope": "Namespaced",
            "versions": [
                { "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": schema } },
            ],
        },
    })
}

pub(crate) fn widget(group: &str) -> String {
    format!("apiVersion: {group}/v1\nkind: Widget\nmetadata:\n  name: web\n")
}

async fn is_there(team: &Team<'_>, group: &str) {
    let widget = format!("{group}/v1/Widget {}/web", team.namespace);
    team.cluster.watch(&widget, LIMIT, |found| found.map(|_| ())).await;
}

/// Waits until the definition that is `named` is served.
pub(crate) async fn established(cluster: &TestCluster, named: &str) {
    let is_established = |found: &Value| {
        let conditions = found["status"]["conditions"].as_array();
        conditions.is_some_and(|all| all.iter().any(|one| one["type"] == "Established" && one["status"] == "True"))
    };
    cluster.watch(named, LIMIT, |found| found.filter(|found| is_established(found)).map(|_| ())).await;
}

/// Waits until `Kustomization app` says that a kind is not served.
pub(crate) async fn misses_its_kind(team: &Team<'_>) {
    team.cluster
        .watch(&team.named("Kustomization", "app"), LIMIT, |found| {
            let conditions = found?["status"]["conditions"].as_array()?.clone();
            let ready = conditions.into_iter().find(|one| one["type"] == "Ready")?;
            ready["message"].as_str()?.contains("the cluster serves no").then_some(())
        })
        .await;
}

#[tokio::test]
async fn an_object_whose_kind_is_not_served_comes_by_itself_when_it_is() {
    let team = Team::new("later").await;
    let group = format!("{}.example.com", team.namespace);
    let limits = config_map("limits", "x");
    let files = [("web.yaml", Some(widget(&group))), ("limits.yaml", Some(limits))];
    team.repository.commit(files, "first");
    team.fetch().await;
    team.kustomize("app", json!({})).await;
    let failed = team.failed().await;
    insta::assert_snapshot!(team.steady(&failed.to_string()), @r"
    False ReconciliationFailed: web.yaml:1: the cluster serves no NAMESPACE.example.com/v1 Widget, and no CustomResourceDefinition here defines it
    apply the definition of the kind, here or elsewhere; this goes on by itself then
    ");
    assert_eq!(team.find("ConfigMap", "limits").await, None, "a source is applied whole or not at all");

    team.cluster.apply(definition(&group)).await;
    team.ready().await;
    is_there(&team, &group).await;
    assert!(team.find("ConfigMap", "limits").await.is_some());
}

#[tokio::test]
async fn a_definition_and_its_objects_may_stand_side_by_side() {
    let team = Team::new("beside").await;
    let group = format!("{}.example.com", team.namespace);
    let files = [("a.yaml", widget(&group)), ("z.yaml", definition(&group).to_string())];
    team.repository.commit(files.map(|(path, text)| (path, Some(text))), "first");
    team.fetch().await;
    team.kustomize("app", json!({ "wait": true })).await;
    team.ready().await;
    is_there(&team, &group).await;

    // Its definition is protected: taking both away needs an approval, and the object alone does not.
    let commit = team.push(&[("a.yaml", None)]).await;
    team.applied(&commit).await;
    assert_eq!(team.cluster.find(&format!("{group}/v1/Widget {}/web", team.namespace)).await, None);
}

#[tokio::test]
async fn a_definition_that_was_deleted_comes_back_with_its_objects() {
    let team = Team::new("lost").await;
    let group = format!("{}.example.com", team.namespace);
    let files = [("a.yaml", widget(&group)), ("z.yaml", definition(&group).to_string())];
    team.repository.commit(files.map(|(path, text)| (path, Some(text))), "first");
    team.fetch().await;
    team.kustomize("app", json!({})).await;
    team.ready().await;
    is_there(&team, &group).await;

    let named = format!("CustomResourceDefinition widgets.{group}");
    let before = team.cluster.find(&named).await.unwrap()["metadata"]["uid"].clone();
    team.cluster.delete(&named).await;
    team.cluster.watch(&named, LIMIT, |found| (found?["metadata"]["uid"] != before).then_some(())).await;
    is_there(&team, &group).await;
    team.ready().await;
}

#[tokio::test]
async fn an_object_whose_definition_someone_took_away_comes_back_with_it() {
    let team = Team::new("taken").await;
    let group = format!("{}.example.com", team.namespace);
    team.cluster.apply(definition(&group)).await;
    let named = format!("CustomResourceDefinition widgets.{group}");
    established(team.cluster, &named).await;
    team.repository.commit([("web.yaml", Some(widget(&group)))], "first");
    team.fetch().await;
    team.kustomize("app", json!({})).await;
    team.ready().await;

    team.cluster.delete(&named).await;
    misses_its_kind(&team).await;
    team.cluster.apply(definition(&group)).await;
    team.ready().await;
    is_there(&team, &group).await;
}
