//! The objects of a bucket become the state of the cluster.

use fairlead_tests::S3;
use serde_json::{Value, json};

use crate::scene::{LIMIT, Team, config_map};

/// A `Bucket app` of what is served at `endpoint`, whose spec has `spec` besides.
fn bucket(team: &Team<'_>, endpoint: &str, spec: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "Bucket",
        "metadata": { "name": "app", "namespace": team.namespace },
        "spec": { "endpoint": endpoint, "bucketName": "shop", "insecure": true, "interval": "1h" },
    });
    let more = spec.as_object().expect("fields").clone();
    object["spec"].as_object_mut().expect("fields").extend(more);
    object
}

/// Waits for a condition of `Bucket app`, and returns it without what differs from run to run.
async fn said(team: &Team<'_>, endpoint: &str, condition: &str, status: &str) -> String {
    let said = team.cluster.wait_for(&team.named("Bucket", "app"), condition, status, LIMIT).await;
    team.steady(&said.to_string()).replace(endpoint, "ENDPOINT")
}

#[tokio::test]
async fn objects_of_a_bucket_become_objects_and_change_with_them() {
    let Some(s3) = S3::start().await else { return };
    s3.put("shop", "");
    s3.put("shop/deploy/limits.yaml", &config_map("limits", "one"));
    s3.put("shop/other/broken.yaml", "{");
    let team = Team::new("bucket").await;
    let endpoint = s3.endpoint();
    team.secret(json!({ "accesskey": "someone", "secretkey": "hunter2" })).await;
    let spec = json!({ "prefix": "deploy/", "secretRef": { "name": "git" } });
    team.cluster.apply(bucket(&team, &endpoint, &spec)).await;
    team.kustomize("app", json!({ "sourceRef": { "kind": "Bucket", "name": "app" } })).await;
    team.ready().await;
    assert_eq!(team.find("ConfigMap", "limits").await.unwrap()["data"]["value"], "one");
    let artifact = team.find("Bucket", "app").await.unwrap()["status"]["artifact"].clone();
    let told = said(&team, &endpoint, "Ready", "True").await;
    assert_eq!(told, format!("True Succeeded: stored artifact: revision '{}'", artifact["revision"].as_str().unwrap()));

    s3.put("shop/deploy/limits.yaml", &config_map("limits", "two"));
    team.request("Bucket", "app").await;
    let is_second = |found: Option<&Value>| (found?["data"]["value"] == "two").then_some(());
    team.cluster.watch(&team.named("ConfigMap", "limits"), LIMIT, is_second).await;
}

#[tokio::test]
async fn what_is_wrong_with_a_bucket_is_told_in_flux_s_words() {
    let Some(s3) = S3::start().await else { return };
    let (team, endpoint) = (Team::new("bucket-faults").await, s3.endpoint());
    team.secret(json!({ "username": "someone" })).await;
    let mut told = Vec::new();
    for (condition, spec) in [
        ("FetchFailed", json!({ "bucketName": "none" })),
        ("FetchFailed", json!({ "endpoint": "http://example.org" })),
        ("FetchFailed", json!({ "secretRef": { "name": "git" } })),
        ("FetchFailed", json!({ "provider": "gcp", "secretRef": { "name": "git" } })),
        ("FetchFailed", json!({ "provider": "gcp" })),
        ("Stalled", json!({ "sts": { "provider": "ldap", "endpoint": "https://sts.example.org" } })),
    ] {
        team.cluster.apply(bucket(&team, &endpoint, &spec)).await;
        told.push(said(&team, &endpoint, condition, "True").await);
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    True BucketOperationFailed: bucket 'none' not found
    True AuthenticationFailed: invalid endpoint: it must be a host with or without a port, and nothing else
    True AuthenticationFailed: secret 'NAMESPACE/git': key 'accesskey' is missing
    True AuthenticationFailed: secret 'NAMESPACE/git': key 'serviceaccount' is missing
    True AuthenticationFailed: 127.0.0.1 is not a host of Google that is spoken to over TLS, and is shown no token of this process
    True UnsupportedField: spec.sts is not supported yet: remove it
    ");
}
