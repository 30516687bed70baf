//! Webhooks: who may send them, and whom they wake.

use fairlead_tests::{Installation, eventually, web};
use serde_json::{Value, json};

use crate::scene::{LIMIT, Team, config_map};

const JSON: (&str, &str) = ("content-type", "application/json");

/// A team whose repository is fetched once an hour, or when a webhook of its Receiver says so.
async fn hooked(prefix: &str, spec: Value) -> Team<'static> {
    let limits = config_map("limits", "one");
    let team = Team::following(prefix, &[("limits.yaml", Some(&limits))], json!({})).await;
    team.ready().await;
    give_token(&team, "one").await;
    let mut receiver = json!({
        "apiVersion": "notification.toolkit.fluxcd.io/v1",
        "kind": "Receiver",
        "metadata": { "name": "hook", "namespace": team.namespace },
        "spec": {
            "type": "gitlab",
            "events": ["Push Hook"],
            "secretRef": { "name": "token" },
            "resources": [{ "kind": "GitRepository", "name": "app" }],
        },
    });
    receiver["spec"].as_object_mut().expect("a mapping").extend(spec.as_object().expect("a mapping").clone());
    team.cluster.apply(receiver).await;
    team.cluster.wait_for(&team.named("Receiver", "hook"), "Ready", "True", LIMIT).await;
    team
}

async fn give_token(team: &Team<'_>, token: &str) {
    let metadata = json!({ "name": "token", "namespace": team.namespace });
    let data = json!({ "token": token });
    team.cluster.apply(json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data })).await;
}

async fn path(team: &Team<'_>) -> String {
    let receiver = team.find("Receiver", "hook").await.expect("it is there");
    receiver["status"]["webhookPath"].as_str().unwrap_or_default().to_owned()
}

/// The answer to a webhook.
async fn send(path: &str, token: &str, event: &str, body: &[u8]) -> u16 {
    let url = format!("{}{path}", Installation::shared().await.controller.webhook_url());
    web::post(&url, &[("x-gitlab-token", token), ("x-gitlab-event", event), JSON], body).await
}

#[tokio::test]
async fn a_webhook_has_what_was_pushed_fetched_and_applied_and_writes_nothing_for_that() {
    let team = hooked("hook", json!({})).await;
    let path = path(&team).await;
    let two = config_map("limits", "two");
    let commit = team.repository.commit([("limits.yaml", Some(two.as_str()))], "second");
    let answers = [
        ("another token", send(&path, "two", "Push Hook", b"{}").await),
        ("another event", send(&path, "one", "Tag Push Hook", b"{}").await),
        ("a broken body", send(&path, "one", "Push Hook", b"{").await),
        ("a query", send(&format!("{path}?x=1"), "one", "Push Hook", b"{}").await),
        ("nobody's path", send(&format!("/hook/{}", "0".repeat(64)), "one", "Push Hook", b"{}").await),
        ("3 MiB and a byte", send(&path, "one", "Push Hook", &vec![b' '; (3 << 20) + 1]).await),
        ("as it should be", send(&path, "one", "push hook", b"{}").await),
    ];
    let shown: Vec<_> = answers.iter().map(|(what, status)| format!("{status} {what}")).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    400 another token
    400 another event
    400 a broken body
    404 a query
    404 nobody's path
    413 3 MiB and a byte
    200 as it should be
    ");
    team.applied(&commit).await;
    let source = team.find("GitRepository", "app").await.unwrap();
    assert!(source["metadata"]["annotations"].is_null(), "{}", source["metadata"]);

    let metrics = Installation::shared().await.controller.metrics().await;
    for code in [200, 400, 404, 413] {
        for what in ["request_duration_seconds", "response_size_bytes"] {
            let labels = format!("service=\"\",handler=\"/hook/\",method=\"POST\",code=\"{code}\"");
            let series = format!("gotk_receiver_http_{what}_count{{{labels}}} ");
            assert!(metrics.contains(&series), "{series} in\n{metrics}");
        }
    }
    assert!(metrics.contains("gotk_receiver_http_requests_inflight{service=\"\",handler=\"/hook/\"} "), "{metrics}");
}

#[tokio::test]
async fn a_filter_and_labels_say_who_is_meant_and_a_kustomization_is_asked_as_flux_does() {
    let labels = json!({ "tier": "app" });
    let resources = json!([
        { "kind": "GitRepository", "name": "*", "matchLabels": labels },
        { "kind": "Kustomization", "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "name": "app" },
    ]);
    let filter = "req.project == 'shop' && res.metadata.name == 'app'";
    let team = hooked("filtered", json!({ "resources": resources, "resourceFilter": filter })).await;
    let app = team.named("GitRepository", "app");
    team.cluster.merge(&app, json!({ "metadata": { "labels": labels } })).await;
    let path = path(&team).await;
    let two = config_map("limits", "two");
    let commit = team.repository.commit([("limits.yaml", Some(two.as_str()))], "second");
    assert_eq!(send(&path, "one", "Push Hook", br#"{"project":"other"}"#).await, 200);
    let untouched = team.find("Kustomization", "app").await.unwrap();
    assert!(untouched["metadata"]["annotations"].is_null(), "the filter does not mean it");
    assert_eq!(send(&path, "one", "Push Hook", br#"{"project":"shop"}"#).await, 200);
    team.applied(&commit).await;
    let asked = team.find("Kustomization", "app").await.unwrap();
    assert!(asked["metadata"]["annotations"]["reconcile.fluxcd.io/requestedAt"].is_string(), "{}", asked["metadata"]);

    let missing = json!([{ "kind": "GitRepository", "name": "gone" }, { "kind": "HelmRelease", "name": "app" }]);
    let receiver = team.named("Receiver", "hook");
    team.cluster.merge(&receiver, json!({ "spec": { "resources": missing, "resourceFilter": null } })).await;
    assert_eq!(send(&path, "one", "Push Hook", b"{}").await, 500);
}

#[tokio::test]
async fn a_new_token_makes_a_new_path_and_a_suspended_receiver_takes_nothing() {
    let team = hooked("rotated", json!({})).await;
    let (receiver, old) = (team.named("Receiver", "hook"), path(&team).await);
    give_token(&team, "two").await;
    let moved = team.cluster.watch(&receiver, LIMIT, |found| {
        let path = found?["status"]["webhookPath"].as_str()?;
        (path != old).then(|| path.to_owned())
    });
    let new = moved.await;
    assert_eq!(send(&old, "one", "Push Hook", b"{}").await, 404);
    assert_eq!(send(&new, "one", "Push Hook", b"{}").await, 400);
    assert_eq!(send(&new, "two", "Push Hook", b"{}").await, 200);

    team.cluster.merge(&receiver, json!({ "spec": { "suspend": true } })).await;
    let refused = eventually(LIMIT, async || (send(&new, "two", "Push Hook", b"{}").await == 503).then_some(()));
    assert!(refused.await.is_some(), "a suspended Receiver takes webhooks");
    team.cluster.merge(&receiver, json!({ "spec": { "suspend": false, "resourceFilter": "req." } })).await;
    let stalled = team.cluster.wait_for(&receiver, "Stalled", "True", LIMIT).await;
    insta::assert_snapshot!(stalled.to_string(), @"True InvalidCELExpression: Reconciliation failed terminally due to configuration error: spec.resourceFilter: not a CEL expression: expected identifier after '.' at 1:5");
}
