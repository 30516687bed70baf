//! The index of a Helm repository is kept, and a repository in a registry is only named.

use axum::{Router, routing::get};
use fairlead_tests::web;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::scene::{LIMIT, Team};

const INDEX: &str = "apiVersion: v1\nentries:\n  shop:\n  - version: 1.0.0\n    urls: [charts/shop-1.0.0.tgz]\n";

/// A site with an index below `/charts`, and its address. It ends with the test.
async fn site() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
    let address = listener.local_addr().expect("it is bound").to_string();
    let app = Router::new()
        .route("/charts/index.yaml", get(|| async { INDEX }))
        .route("/none/index.yaml", get(|| async { "no: index\n" }));
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// A `HelmRepository app` with `spec`.
fn repository(team: &Team<'_>, spec: &Value) -> Value {
    json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "HelmRepository",
        "metadata": { "name": "app", "namespace": team.namespace },
        "spec": spec,
    })
}

#[tokio::test]
async fn an_index_is_kept_and_served_as_it_came() {
    let (team, site) = (Team::new("helm-index").await, site().await);
    team.cluster.apply(repository(&team, &json!({ "url": format!("http://{site}/charts") }))).await;
    let ready = team.cluster.wait_for(&team.named("HelmRepository", "app"), "Ready", "True", LIMIT).await;
    let status = team.find("HelmRepository", "app").await.unwrap()["status"].clone();
    let artifact = &status["artifact"];
    assert_eq!(artifact["revision"], artifact["digest"]);
    let revision = artifact["revision"].as_str().unwrap();
    assert_eq!(ready.to_string(), format!("True Succeeded: stored artifact: revision '{revision}'"));
    for url in [&artifact["url"], &status["url"]] {
        assert_eq!(web::get(url.as_str().unwrap()).await, (200, INDEX.to_owned()));
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_repository_is_told_in_flux_s_words() {
    let (team, site) = (Team::new("helm-faults").await, site().await);
    team.secret(json!({ "username": "someone" })).await;
    let mut told = Vec::new();
    for (condition, spec) in [
        ("FetchFailed", json!({ "url": format!("http://{site}/gone") })),
        ("FetchFailed", json!({ "url": format!("http://{site}/none") })),
        ("FetchFailed", json!({ "url": format!("http://{site}/charts"), "secretRef": { "name": "git" } })),
        ("Stalled", json!({ "url": "oci://example.org/charts" })),
    ] {
        team.cluster.apply(repository(&team, &spec)).await;
        let said = team.cluster.wait_for(&team.named("HelmRepository", "app"), condition, "True", LIMIT).await;
        told.push(team.steady(&said.to_string()).replace(&site, "SITE"));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    True Failed: failed to fetch Helm repository index: unexpected response: HTTP status 404
    True IndexationFailed: failed to load Helm repository index: no API version specified
    True AuthenticationFailed: secret 'NAMESPACE/git': malformed basic auth: both 'username' and 'password' are required
    True URLInvalid: spec.url: it does not start with `http://` or `https://`
    ");
}

#[tokio::test]
async fn a_repository_in_a_registry_is_a_name_and_nothing_else() {
    let (team, site) = (Team::new("helm-oci").await, site().await);
    team.cluster.apply(repository(&team, &json!({ "url": format!("http://{site}/charts") }))).await;
    let app = team.named("HelmRepository", "app");
    team.cluster.wait_for(&app, "Ready", "True", LIMIT).await;

    team.cluster.apply(repository(&team, &json!({ "url": "oci://example.org/charts", "type": "oci" }))).await;
    let is_bare = |found: Option<&Value>| {
        let found = found?;
        let is_bare = found["status"] == json!({}) && found["metadata"]["finalizers"].is_null();
        is_bare.then_some(())
    };
    team.cluster.watch(&app, LIMIT, is_bare).await;
    let output = team.cluster.fairlead(&["get", "sources", "helm", "-n", &team.namespace]).await;
    insta::assert_snapshot!(output.stdout, @r"
    NAME	REVISION	SUSPENDED	READY	MESSAGE
    app 	        	False    	True 	Helm repository is Ready
    ");
    let output = team.cluster.fairlead(&["reconcile", "source", "helm", "app", "-n", &team.namespace]).await;
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), "✔ reconciliation not supported by the object\n"));
}
