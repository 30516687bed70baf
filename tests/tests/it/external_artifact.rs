//! What another controller makes and serves becomes the state of the cluster.

use fairlead_object::Digest;
use fairlead_tests::image::archive;
use serde_json::{Value, json};

use crate::{
    scene::{LIMIT, Team, config_map},
    site::Site,
};

/// Writes `ExternalArtifact app` whose artifact is `content` as the site serves it, and `told` besides.
async fn tell(team: &Team<'_>, site: &Site, revision: &str, content: &[u8], told: Value) {
    site.put("/app.tar.gz", content);
    let metadata = json!({ "name": "app", "namespace": team.namespace });
    let object = json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "ExternalArtifact",
        "metadata": metadata,
        "spec": { "sourceRef": { "kind": "ArtifactGenerator", "name": "apps" } },
    });
    team.cluster.apply(object).await;
    let mut artifact = json!({
        "url": site.url("/app.tar.gz"),
        "path": "app.tar.gz",
        "revision": revision,
        "digest": Digest::of(content).to_string(),
        "lastUpdateTime": "2026-01-01T00:00:00Z",
        "metadata": { "org.opencontainers.image.revision": "main@sha1:4f2a" },
    });
    artifact.as_object_mut().expect("fields").extend(told.as_object().expect("fields").clone());
    team.cluster.merge_status(&team.named("ExternalArtifact", "app"), json!({ "artifact": artifact })).await;
}

fn files(value: &str) -> Vec<u8> {
    archive(&[("limits.yaml", &config_map("limits", value))])
}

async fn wait_for_value(team: &Team<'_>, value: &str) {
    let is_there = |found: Option<&Value>| (found?["data"]["value"] == value).then_some(());
    team.cluster.watch(&team.named("ConfigMap", "limits"), LIMIT, is_there).await;
}

#[tokio::test]
async fn what_others_serve_is_applied_and_the_next_one_follows() {
    let (team, site) = (Team::new("external").await, Site::start().await);
    team.kustomize("app", json!({ "sourceRef": { "kind": "ExternalArtifact", "name": "app" } })).await;
    tell(&team, &site, "latest@sha256:1", &files("one"), json!({})).await;
    wait_for_value(&team, "one").await;
    let ready = team.ready().await;
    assert_eq!(ready.to_string(), "True ReconciliationSucceeded: Applied revision: latest@sha256:1");
    let status = team.find("Kustomization", "app").await.unwrap()["status"].clone();
    assert_eq!(status["lastAppliedOriginRevision"], "main@sha1:4f2a");
    tell(&team, &site, "latest@sha256:2", &files("two"), json!({})).await;
    wait_for_value(&team, "two").await;
    let object = team.find("ExternalArtifact", "app").await.unwrap();
    assert_eq!(object["metadata"]["finalizers"], Value::Null, "nothing is written to it");
}

#[tokio::test]
async fn what_is_wrong_with_what_others_serve_is_told() {
    let (team, site) = (Team::new("external-faults").await, Site::start().await);
    tell(&team, &site, "0", &files("one"), json!({})).await;
    team.kustomize("app", json!({ "sourceRef": { "kind": "ExternalArtifact", "name": "app" } })).await;
    team.ready().await;
    let mut told = Vec::new();
    let mut last = String::new();
    for artifact in [
        json!({ "url": site.url("/gone") }),
        json!({ "digest": format!("sha256:{}", "0".repeat(64)) }),
        json!({ "digest": "sha512:00" }),
        json!({ "url": "file:///etc/passwd" }),
    ] {
        tell(&team, &site, &format!("{}", told.len() + 1), &files("one"), artifact).await;
        let message = team
            .cluster
            .watch(&team.named("Kustomization", "app"), LIMIT, |found| {
                let conditions = found?["status"]["conditions"].as_array()?.clone();
                let ready = conditions.into_iter().find(|condition| condition["type"] == "Ready")?;
                let message = format!("{} {}", ready["reason"].as_str()?, ready["message"].as_str()?);
                (ready["status"] == "False" && message != last).then_some(message)
            })
            .await;
        last.clone_from(&message);
        told.push(message.replace(&site.address, "SITE").replace(&Digest::of(&files("one")).to_string(), "GOT"));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    ArtifactFailed failed to download archive from SITE: unexpected response: HTTP status 404
    ArtifactFailed failed to verify archive: it has digest GOT and should have sha256:0000000000000000000000000000000000000000000000000000000000000000
    ArtifactFailed failed to verify archive: `sha512:00` is not a SHA-256 digest
    ArtifactFailed failed to download archive: status.artifact.url: it does not start with `http://` or `https://`
    ");
}
