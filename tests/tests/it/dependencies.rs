//! What depends on something waits for it, and health is part of being ready.

use serde_json::json;

use crate::scene::{LIMIT, Team, config_map};

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 0
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: web }] }
";

#[tokio::test]
async fn a_dependent_waits_for_what_it_depends_on_and_starts_as_soon_as_that_is_ready() {
    let (limits, broken) = (config_map("limits", "one"), "kind: [\n");
    let files = [("app/limits.yaml", Some(limits.as_str())), ("base/base.yaml", Some(broken))];
    let team = Team::new("depends").await;
    team.repository.commit(files, "first");
    team.fetch().await;
    team.kustomize("base", json!({ "path": "./base" })).await;
    team.cluster.wait_for(&team.named("Kustomization", "base"), "Ready", "False", LIMIT).await;
    team.kustomize("app", json!({ "path": "./app", "dependsOn": [{ "name": "base" }] })).await;
    let waiting = team.failed().await;
    insta::assert_snapshot!(team.steady(&waiting.to_string()), @"False DependencyNotReady: dependency 'NAMESPACE/base' is not ready");
    assert_eq!(team.find("ConfigMap", "limits").await, None);

    let commit = team.push(&[("base/base.yaml", Some(&config_map("base", "x")))]).await;
    team.applied(&commit).await;
    assert!(team.find("ConfigMap", "limits").await.is_some());
}

#[tokio::test]
async fn ready_waits_until_what_was_applied_is_healthy() {
    let team = Team::following("healthy", &[("web.yaml", Some(DEPLOYMENT))], json!({ "wait": true })).await;
    team.ready().await;
    let healthy = team.condition("Healthy", "True").await;
    assert_eq!(healthy.reason, "Succeeded");
    assert_eq!(team.find("Deployment", "web").await.unwrap()["status"]["observedGeneration"], 1);
}

#[tokio::test]
async fn what_does_not_become_healthy_in_time_is_named_and_holds_nobody_up() {
    let sick = DEPLOYMENT.replace("replicas: 0", "replicas: 1");
    let limits = config_map("limits", "one");
    let spec = json!({ "wait": true, "timeout": "30s" });
    let team = Team::following("sick", &[("web.yaml", Some(&sick))], spec).await;
    let other = Team::following("well", &[("limits.yaml", Some(&limits))], json!({ "wait": true })).await;
    other.ready().await;

    let failed = team
        .cluster
        .watch(&team.named("Kustomization", "app"), 2 * LIMIT, |found| {
            let conditions = found?["status"]["conditions"].as_array()?.clone();
            conditions.into_iter().find(|one| one["type"] == "Ready" && one["reason"] == "HealthCheckFailed")
        })
        .await;
    let message = failed["message"].as_str().unwrap();
    assert!(message.contains(&format!("Deployment/{}/web", team.namespace)), "{message}");
}

#[tokio::test]
async fn the_health_of_an_object_of_someone_else_is_looked_at_and_not_taken_for_granted() {
    let limits = config_map("limits", "one");
    let team = Team::new("foreign").await;
    let container = json!({ "name": "web", "image": "web" });
    let deployment = |replicas: u32| {
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": { "name": "web", "namespace": team.namespace },
            "spec": {
                "replicas": replicas,
                "selector": { "matchLabels": { "app": "web" } },
                "template": { "metadata": { "labels": { "app": "web" } }, "spec": { "containers": [container] } },
            },
        })
    };
    team.cluster.apply(deployment(1)).await;
    let web = team.named("Deployment", "web");
    team.cluster.watch(&web, LIMIT, |found| (found?["status"]["unavailableReplicas"] == 1).then_some(())).await;
    team.repository.commit([("limits.yaml", Some(&limits))], "first");
    team.fetch().await;
    let check = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" });
    team.kustomize("app", json!({ "timeout": "30s", "healthChecks": [check] })).await;
    let failed = team
        .cluster
        .watch(&team.named("Kustomization", "app"), 2 * LIMIT, |found| {
            let conditions = found?["status"]["conditions"].as_array()?.clone();
            let ready = conditions.into_iter().find(|one| one["type"] == "Ready")?;
            assert_ne!(ready["status"], "True", "nothing of the Deployment runs: {ready}");
            (ready["reason"] == "HealthCheckFailed").then_some(ready)
        })
        .await;
    let message = failed["message"].as_str().unwrap();
    assert!(message.contains(&format!("Deployment/{}/web status: 'InProgress'", team.namespace)), "{message}");

    team.cluster.apply(deployment(0)).await;
    team.ready().await;
    assert_eq!(team.condition("Healthy", "True").await.reason, "Succeeded");
}
