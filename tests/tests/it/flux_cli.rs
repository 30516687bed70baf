//! Flux's own command line with our controller.

use std::path::PathBuf;

use fairlead_tests::CommandOutput;
use fairlead_tools::Tool;
use serde_json::{Value, json};

use crate::{
    cli::Desk,
    scene::{LIMIT, Team, config_map},
};

/// Builds `flux` unless it is there, and returns where it is.
pub(crate) fn flux() -> PathBuf {
    fairlead_tools::provide(&[Tool::Flux], |line| eprintln!("{line}")).expect("flux builds");
    Tool::Flux.path()
}

/// A team that follows one `ConfigMap`, and a desk in its namespace.
async fn team(prefix: &str) -> (Team<'static>, Desk) {
    let limits = config_map("limits", "one");
    let team = Team::following(prefix, &[("deploy/limits.yaml", Some(&limits))], json!({ "path": "./deploy" })).await;
    team.ready().await;
    let desk = Desk::new(team.cluster, &team.namespace);
    (team, desk)
}

/// Runs `flux` and returns what it said, which must be a success.
async fn succeed(desk: &Desk, line: &str) -> CommandOutput {
    let output = desk.output_of(&flux(), line).await;
    assert_eq!(output.code, Some(0), "flux {line}: {}{}", output.stdout, output.stderr);
    output
}

/// Returns the lines of `text` without what fills the last column of Flux's tables.
fn without_padding(text: &str) -> Vec<&str> {
    text.lines().map(str::trim_end).collect()
}

#[tokio::test]
async fn flux_and_fairlead_read_the_same() {
    let (_team, desk) = team("flux-reads").await;
    for line in [
        "get all",
        "get sources all",
        "get sources git",
        "get sources git app --no-header",
        "get kustomizations",
        "get ks --show-source",
        "get ks --status-selector ready=false",
        "tree kustomization app",
        "trace configmap limits",
    ] {
        let theirs = succeed(&desk, line).await;
        let ours = desk.output(line).await;
        assert_eq!(without_padding(&ours.stdout), without_padding(&theirs.stdout), "{line}");
        assert_eq!(ours.code, theirs.code, "{line}: {}", ours.stderr);
    }

    let line = "tree kustomization app -o json";
    let json = |output: CommandOutput| serde_json::from_str::<Value>(&output.stdout).expect("it is JSON");
    assert_eq!(json(desk.output(line).await), json(succeed(&desk, line).await));
}

#[tokio::test]
async fn flux_asks_for_what_was_pushed() {
    let (team, desk) = team("flux-asks").await;
    let commit = team.repository.commit([("deploy/limits.yaml", Some(config_map("limits", "two").as_str()))], "two");
    let said = succeed(&desk, "reconcile kustomization app --with-source").await.stderr;
    assert!(said.ends_with(&format!("✔ applied revision main@sha1:{commit}\n")), "{said}");
    assert_eq!(team.find("ConfigMap", "limits").await.expect("it is applied")["data"]["value"], "two");
}

#[tokio::test]
async fn flux_suspends_and_resumes() {
    let (team, desk) = team("flux-suspends").await;
    succeed(&desk, "suspend kustomization app").await;
    assert_eq!(team.find("Kustomization", "app").await.expect("it exists")["spec"]["suspend"], true);
    let said = succeed(&desk, "resume kustomization app").await.stderr;
    assert!(said.contains("✔ Kustomization app reconciliation completed"), "{said}");
    succeed(&desk, "suspend source git app").await;
    succeed(&desk, "resume source git app").await;
}

#[tokio::test]
async fn flux_shows_what_a_checkout_would_change() {
    let (_team, desk) = team("flux-diffs").await;
    desk.write("deploy/limits.yaml", &config_map("limits", "two"));
    let output = desk.output_of(&flux(), "diff kustomization app --path deploy --progress-bar=false").await;
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    assert!(output.stdout.contains("► ConfigMap/NAMESPACE/limits drifted"), "{}", output.stdout);
    assert!(output.stdout.contains("- one\n+ two"), "{}", output.stdout);
}

#[tokio::test]
async fn what_flux_creates_is_reconciled_and_what_it_deletes_goes() {
    let (team, desk) = team("flux-creates").await;
    let url = team.repository.url();
    succeed(&desk, &format!("create source git second --url {url} --branch main --interval 1h")).await;
    let namespace = desk.namespace();
    let said = succeed(
        &desk,
        &format!(
            "create kustomization second --source GitRepository/second --path ./deploy --prune --interval 1h \
             --target-namespace {namespace} --health-check-timeout 1m --wait"
        ),
    )
    .await
    .stderr;
    assert!(said.contains("✔ Kustomization second is ready"), "{said}");
    succeed(&desk, "delete kustomization second --silent").await;
    team.cluster.wait_until_gone(&team.named("Kustomization", "second"), LIMIT).await;
    succeed(&desk, "delete source git second --silent").await;
    team.cluster.wait_until_gone(&team.named("GitRepository", "second"), LIMIT).await;
}

#[tokio::test]
async fn a_receiver_of_flux_is_woken_by_flux() {
    let (team, desk) = team("flux-receives").await;
    team.secret(json!({ "token": "a token of a webhook" })).await;
    succeed(&desk, "create receiver hook --type generic --secret-ref git --resource GitRepository/app").await;
    let said = succeed(&desk, "reconcile receiver hook").await.stderr;
    assert!(said.contains("✔ Receiver reconciliation completed"), "{said}");
}

#[tokio::test]
async fn what_others_make_is_listed_as_flux_lists_it() {
    let (team, desk) = team("flux-external").await;
    let digest = "4f".repeat(32);
    for (name, reference) in [
        ("app", json!({ "kind": "ArtifactGenerator", "name": "apps" })),
        ("web", json!({ "kind": "ArtifactGenerator", "name": "apps", "namespace": "other" })),
    ] {
        team.cluster
            .apply(json!({
                "apiVersion": "source.toolkit.fluxcd.io/v1",
                "kind": "ExternalArtifact",
                "metadata": { "name": name, "namespace": team.namespace },
                "spec": { "sourceRef": reference },
            }))
            .await;
        let revision = format!("latest@sha256:{digest}");
        let message = format!("stored artifact for revision {revision}");
        let status = json!({
            "artifact": {
                "url": "http://127.0.0.1/app.tar.gz",
                "path": "app.tar.gz",
                "revision": revision,
                "digest": format!("sha256:{digest}"),
                "lastUpdateTime": "2026-01-01T00:00:00Z",
            },
            "conditions": [{
                "type": "Ready",
                "status": "True",
                "reason": "Succeeded",
                "message": message,
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }],
        });
        team.cluster.merge_status(&team.named("ExternalArtifact", name), status).await;
    }
    for line in ["get sources external", "get sources external web", "get sources all", "get all"] {
        let theirs = succeed(&desk, line).await;
        let ours = desk.output(line).await;
        assert_eq!(without_padding(&ours.stdout), without_padding(&theirs.stdout), "{line}");
    }
}
