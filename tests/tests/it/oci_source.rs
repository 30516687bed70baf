//! An image in a registry becomes the state of the cluster.

use fairlead_tests::{
    Controller, Registry,
    image::{Content, FLUX_LAYER, archive},
    web,
};
use serde_json::{Value, json};

use crate::scene::{LIMIT, Team, config_map};

const REPOSITORY: &str = "team/app";

/// An `OCIRepository app` of `url`, whose spec has `spec` besides.
fn oci_repository(team: &Team<'_>, url: &str, spec: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "OCIRepository",
        "metadata": { "name": "app", "namespace": team.namespace },
        "spec": { "url": url, "insecure": true, "interval": "1h" },
    });
    let more = spec.as_object().expect("fields").clone();
    object["spec"].as_object_mut().expect("fields").extend(more);
    object
}

/// One image with a `ConfigMap` that has `value`, under the tag `latest`, and its digest.
fn image(value: &str) -> (Content, String) {
    let mut content = Content::default();
    let digest = content.push("latest", &[(FLUX_LAYER, archive(&[("limits.yaml", &config_map("limits", value))]))]);
    (content, digest)
}

/// Waits for a condition of `OCIRepository app`, and returns it without what differs from run to run.
async fn said(team: &Team<'_>, registry: &Registry, condition: &str, status: &str) -> String {
    let said = team.cluster.wait_for(&team.named("OCIRepository", "app"), condition, status, LIMIT).await;
    team.steady(&said.to_string()).replace(&registry.address(), "REGISTRY")
}

/// Waits until `OCIRepository app` has handled the request that it bears.
async fn handled(team: &Team<'_>) {
    let app = team.named("OCIRepository", "app");
    let is_handled = |found: Option<&Value>| {
        let request = &found?["metadata"]["annotations"]["reconcile.fluxcd.io/requestedAt"];
        (found?["status"]["lastHandledReconcileAt"] == *request).then_some(())
    };
    team.cluster.watch(&app, LIMIT, is_handled).await;
}

#[tokio::test]
async fn an_image_becomes_objects_and_the_next_one_changes_them() {
    let (team, registry) = (Team::new("oci").await, Registry::start().await);
    let (first, digest) = image("one");
    let url = registry.push(REPOSITORY, &first);
    team.cluster.apply(oci_repository(&team, &url, &json!({}))).await;
    team.kustomize("app", json!({ "sourceRef": { "kind": "OCIRepository", "name": "app" } })).await;
    assert_eq!(
        team.ready().await.to_string(),
        format!("True ReconciliationSucceeded: Applied revision: latest@{digest}")
    );
    assert_eq!(
        said(&team, &registry, "Ready", "True").await,
        format!("True Succeeded: stored artifact for digest 'latest@{digest}'")
    );
    assert_eq!(team.find("ConfigMap", "limits").await.unwrap()["data"]["value"], "one");

    let status = team.find("OCIRepository", "app").await.unwrap()["status"].clone();
    assert_eq!(status["artifact"]["metadata"], json!({ "org.opencontainers.image.revision": "latest@sha1:4f2a" }));
    for served in [&status["artifact"]["url"], &status["url"]] {
        assert_eq!(web::status(served.as_str().unwrap()).await, 200, "{served}");
    }

    let app = team.find("Kustomization", "app").await.unwrap()["status"].clone();
    assert_eq!(app["lastAppliedOriginRevision"], "latest@sha1:4f2a");
    assert_eq!(app["history"][0]["metadata"]["originRevision"], "latest@sha1:4f2a");

    let (second, digest) = image("two");
    registry.push(REPOSITORY, &second);
    team.request("OCIRepository", "app").await;
    let limits = team.named("ConfigMap", "limits");
    let is_second = |found: Option<&Value>| (found?["data"]["value"] == "two").then_some(());
    team.cluster.watch(&limits, LIMIT, is_second).await;
    let status = team.find("OCIRepository", "app").await.unwrap()["status"].clone();
    assert_eq!(status["artifact"]["revision"], format!("latest@{digest}"));
}

#[tokio::test]
async fn an_unchanged_image_costs_no_write_but_the_answer_to_who_asked() {
    let (team, registry) = (Team::new("oci-unchanged").await, Registry::start().await);
    let url = registry.push(REPOSITORY, &image("one").0);
    team.cluster.apply(oci_repository(&team, &url, &json!({}))).await;
    said(&team, &registry, "Ready", "True").await;
    let writes = async || {
        let mut writes = team.cluster.writes_by(&Controller::user()).await;
        // Events are sent when there is time for it.
        writes.retain(|write| write.namespace == team.namespace && write.resource != "events");
        writes
    };
    let before = writes().await.len();
    team.request("OCIRepository", "app").await;
    handled(&team).await;
    let written = writes().await.split_off(before);
    let written: Vec<_> = written.iter().map(|write| (write.verb.as_str(), write.resource.as_str())).collect();
    assert_eq!(written, [("patch", "ocirepositories/status")]);
}

#[tokio::test]
async fn what_fails_is_told_in_flux_s_words_and_the_artifact_stays() {
    let (team, registry) = (Team::new("oci-faults").await, Registry::start().await);
    let (content, digest) = image("one");
    let url = registry.push(REPOSITORY, &content);
    team.cluster.apply(oci_repository(&team, &url, &json!({}))).await;
    said(&team, &registry, "Ready", "True").await;

    let account = json!({ "name": "puller", "namespace": team.namespace });
    let mut told = Vec::new();
    for spec in [
        json!({ "ref": { "tag": "v9" } }),
        json!({ "ref": { "semver": "9.x" } }),
        json!({ "layerSelector": { "mediaType": "application/none" } }),
        json!({ "secretRef": { "name": "git" } }),
        json!({ "serviceAccountName": "puller" }),
        json!({ "certSecretRef": { "name": "tls" } }),
    ] {
        team.cluster.apply(oci_repository(&team, &url, &spec)).await;
        told.push(said(&team, &registry, "FetchFailed", "True").await);
    }
    team.secret(json!({ "username": "someone" })).await;
    team.cluster
        .apply(json!({
            "apiVersion": "v1", "kind": "ServiceAccount", "metadata": account, "imagePullSecrets": [{ "name": "git" }],
        }))
        .await;
    team.cluster.apply(oci_repository(&team, &url, &json!({ "serviceAccountName": "puller", "timeout": "30s" }))).await;
    told.push(said(&team, &registry, "FetchFailed", "True").await);
    insta::assert_snapshot!(told.join("\n"), @r#"
    True OCIArtifactPullFailed: failed to determine artifact digest: `team/app/manifests/v9` not found: MANIFEST_UNKNOWN: manifest unknown
    True ReadOperationFailed: failed to determine the artifact tag for 'oci://REGISTRY/team/app': no match found for semver: 9.x
    True OCIArtifactLayerOperationFailed: failed to find layer with media type 'application/none' in artifact
    True AuthenticationFailed: failed to get secret 'NAMESPACE/git': secrets "git" not found
    True AuthenticationFailed: failed to get serviceaccount 'NAMESPACE/puller': serviceaccounts "puller" not found
    True AuthenticationFailed: failed to get secret 'NAMESPACE/tls': secrets "tls" not found
    True AuthenticationFailed: secret 'NAMESPACE/git': key '.dockerconfigjson' is missing
    "#);

    let status = team.find("OCIRepository", "app").await.unwrap()["status"].clone();
    assert_eq!(status["artifact"]["revision"], format!("latest@{digest}"));
}

#[tokio::test]
async fn what_only_an_edit_can_put_right_is_stalled_and_named() {
    let (team, registry) = (Team::new("oci-stalled").await, Registry::start().await);
    let url = registry.push(REPOSITORY, &image("one").0);
    let mut told = Vec::new();
    for (url, spec) in [
        (url.as_str(), json!({ "provider": "aws", "serviceAccountName": "puller" })),
        (format!("{url}:latest").as_str(), json!({})),
        (url.as_str(), json!({ "interval": "9999999h" })),
    ] {
        team.cluster.apply(oci_repository(&team, url, &spec)).await;
        told.push(said(&team, &registry, "Stalled", "True").await);
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    True UnsupportedField: spec.serviceAccountName with spec.provider is not supported yet: remove it
    True URLInvalid: URL validation failed for 'oci://REGISTRY/team/app:latest': URL must not contain a tag; remove ':latest'
    True InvalidField: spec.interval: `9999999h` is no duration: it is longer than 292 years
    ");
    assert_eq!(team.find("OCIRepository", "app").await.unwrap()["status"]["artifact"], Value::Null);
}

#[tokio::test]
async fn commands_work_on_it_as_on_any_source() {
    let (team, registry) = (Team::new("oci-commands").await, Registry::start().await);
    let (content, digest) = image("one");
    let url = registry.push(REPOSITORY, &content);
    team.cluster.apply(oci_repository(&team, &url, &json!({}))).await;
    team.kustomize("app", json!({ "sourceRef": { "kind": "OCIRepository", "name": "app" } })).await;
    team.ready().await;
    let mut lines = Vec::new();
    for arguments in [
        &["get", "sources", "oci"][..],
        &["reconcile", "source", "oci", "app"],
        &["reconcile", "kustomization", "app", "--with-source"],
        &["suspend", "source", "oci", "app"],
        &["resume", "source", "oci", "app"],
        &["build", "kustomization", "app"],
    ] {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["-n", &team.namespace]).collect();
        let output = team.cluster.fairlead(&arguments).await;
        lines.push(format!("$ fairlead {}\n{}{}", arguments.join(" "), output.stdout, output.stderr));
    }
    let shown = team.steady(&lines.concat()).replace(&digest[7..15], "DIGEST");
    insta::assert_snapshot!(shown, @r"
    $ fairlead get sources oci -n NAMESPACE
    NAME	REVISION              	SUSPENDED	READY	MESSAGE
    app 	latest@sha256:DIGEST	False    	True 	stored artifact for digest 'latest@sha256:DIGEST'
    $ fairlead reconcile source oci app -n NAMESPACE
    ► annotating OCIRepository app in NAMESPACE namespace
    ✔ OCIRepository annotated
    ◎ waiting for OCIRepository reconciliation
    ✔ fetched revision latest@sha256:DIGEST
    $ fairlead reconcile kustomization app --with-source -n NAMESPACE
    ► annotating OCIRepository app in NAMESPACE namespace
    ✔ OCIRepository annotated
    ◎ waiting for OCIRepository reconciliation
    ✔ fetched revision latest@sha256:DIGEST
    ► annotating Kustomization app in NAMESPACE namespace
    ✔ Kustomization annotated
    ◎ waiting for Kustomization reconciliation
    ✔ applied revision latest@sha256:DIGEST
    $ fairlead suspend source oci app -n NAMESPACE
    ► suspending source oci app in NAMESPACE namespace
    ✔ source oci suspended
    $ fairlead resume source oci app -n NAMESPACE
    ► resuming source oci app in NAMESPACE namespace
    ✔ source oci resumed
    ◎ waiting for OCIRepository reconciliation
    ✔ OCIRepository app reconciliation completed
    ✔ fetched revision latest@sha256:DIGEST
    $ fairlead build kustomization app -n NAMESPACE
    apiVersion: v1
    data:
      value: one
    kind: ConfigMap
    metadata:
      labels:
        kustomize.toolkit.fluxcd.io/name: app
        kustomize.toolkit.fluxcd.io/namespace: NAMESPACE
      name: limits
      namespace: NAMESPACE
    ---
    ");
}

#[tokio::test]
async fn what_is_deleted_takes_its_artifact_with_it() {
    let (team, registry) = (Team::new("oci-deleted").await, Registry::start().await);
    let url = registry.push(REPOSITORY, &image("one").0);
    team.cluster.apply(oci_repository(&team, &url, &json!({}))).await;
    said(&team, &registry, "Ready", "True").await;
    let found = team.find("OCIRepository", "app").await.unwrap();
    let artifact = found["status"]["artifact"]["url"].as_str().unwrap().to_owned();
    let app = team.named("OCIRepository", "app");
    team.cluster.delete(&app).await;
    team.cluster.wait_until_gone(&app, LIMIT).await;
    assert_eq!(web::status(&artifact).await, 404);
}

/// Writes the Secret `name` with a login for the registry.
async fn pull_secret(team: &Team<'_>, registry: &Registry, name: &str, password: &str) {
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": name, "namespace": team.namespace },
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": { ".dockerconfigjson": registry.pull_secret(password) },
    });
    team.cluster.apply(secret).await;
}

#[tokio::test]
async fn a_closed_registry_is_read_with_the_pull_secrets_of_the_object_or_its_service_account() {
    let (team, registry) = (Team::new("oci-closed").await, Registry::start().await);
    let (first, digest) = image("one");
    registry.push(REPOSITORY, &first);
    let registry = registry.close().await;
    let url = format!("oci://{}/{REPOSITORY}", registry.address());
    team.cluster.apply(oci_repository(&team, &url, &json!({}))).await;
    let mut told = vec![said(&team, &registry, "FetchFailed", "True").await];

    pull_secret(&team, &registry, "login", "wrong").await;
    let by_secret = json!({ "secretRef": { "name": "login" } });
    team.cluster.apply(oci_repository(&team, &url, &by_secret)).await;
    told.push(said(&team, &registry, "FetchFailed", "True").await);

    pull_secret(&team, &registry, "login", "hunter2").await;
    team.request("OCIRepository", "app").await;
    told.push(said(&team, &registry, "Ready", "True").await.replace(&digest, "DIGEST"));

    pull_secret(&team, &registry, "others", "hunter2").await;
    let account = json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": { "name": "puller", "namespace": team.namespace },
        "imagePullSecrets": [{ "name": "others" }],
    });
    let by_account = json!({ "serviceAccountName": "puller" });
    team.cluster.apply(oci_repository(&team, &url, &by_account)).await;
    told.push(said(&team, &registry, "FetchFailed", "True").await);
    team.cluster.apply(account).await;
    team.request("OCIRepository", "app").await;
    told.push(said(&team, &registry, "Ready", "True").await.replace(&digest, "DIGEST"));
    insta::assert_snapshot!(told.join("\n"), @r#"
    True OCIArtifactPullFailed: failed to determine artifact digest: authentication required: the registry wants user and password, and there are none for it
    True OCIArtifactPullFailed: failed to determine artifact digest: authorization failed: UNAUTHORIZED: authentication required
    True Succeeded: stored artifact for digest 'latest@DIGEST'
    True AuthenticationFailed: failed to get serviceaccount 'NAMESPACE/puller': serviceaccounts "puller" not found
    True Succeeded: stored artifact for digest 'latest@DIGEST'
    "#);
}
