//! Commands about what a cluster reconciles.

use serde_json::{Value, json};

use crate::{
    cli::Desk,
    scene::{Team, config_map},
};

/// A team that follows one `ConfigMap`, and a desk in its namespace.
async fn team(prefix: &str) -> (Team<'static>, Desk) {
    let limits = config_map("limits", "one");
    let team = Team::following(prefix, &[("deploy/limits.yaml", Some(&limits))], json!({ "path": "./deploy" })).await;
    team.ready().await;
    let desk = Desk::new(team.cluster, &team.namespace);
    (team, desk)
}

/// Runs a command and shows what it does, without the commit that differs from run to run.
async fn shown(team: &Team<'_>, desk: &Desk, line: &str) -> String {
    let head = team.repository.head("main").unwrap();
    desk.shown(line).await.replace(&head, "COMMIT").replace(&head[..8], "COMMIT")
}

#[tokio::test]
async fn objects_are_listed_as_flux_lists_them() {
    let (team, desk) = team("listed").await;
    insta::assert_snapshot!(shown(&team, &desk, "get kustomizations").await, @"");
    insta::assert_snapshot!(shown(&team, &desk, "get ks app --no-header").await, @"");
    insta::assert_snapshot!(shown(&team, &desk, "get sources git").await, @"");
    insta::assert_snapshot!(shown(&team, &desk, "get all").await, @"");
    insta::assert_snapshot!(shown(&team, &desk, "get ks -o name").await, @"");
    insta::assert_snapshot!(shown(&team, &desk, "get ks --show-source").await, @"");
    insta::assert_snapshot!(shown(&team, &desk, "get ks --status-selector ready=false").await, @"");
    insta::assert_snapshot!(shown(&team, &desk, "get ks --status-selector ready").await, @"");
    insta::assert_snapshot!(shown(&team, &desk, "get ks lost").await, @"");
    insta::assert_snapshot!(shown(&team, &desk, "get ks -l app=lost").await, @"");
    insta::assert_snapshot!(shown(&team, &desk, "get all --watch").await, @"");
    insta::assert_snapshot!(shown(&team, &desk, "get configurations").await, @"");

    let listed: Value = serde_json::from_str(&desk.output("get ks -o json").await.stdout).unwrap();
    assert_eq!(listed["items"][0]["kind"], "Kustomization");
}

#[tokio::test]
async fn a_tree_shows_what_was_applied_and_events_what_happened() {
    let (team, desk) = team("tree").await;
    insta::assert_snapshot!(shown(&team, &desk, "tree kustomization app").await, @"");
    insta::assert_snapshot!(shown(&team, &desk, "tree ks app -o yaml").await, @"");
    insta::assert_snapshot!(shown(&team, &desk, "tree ks lost").await, @"");
    insta::assert_snapshot!(shown(&team, &desk, "events --for Deployment/web").await, @"");
    insta::assert_snapshot!(shown(&team, &desk, "events --types Strange").await, @"");

    let events = shown(&team, &desk, "events --for Kustomization/app").await;
    let applied = ["Progressing", "Kustomization/app", "ConfigMap/NAMESPACE/limits created"];
    let is_told = |line: &str| applied.iter().all(|word| line.contains(word));
    assert!(events.lines().any(is_told), "no event of the application:\n{events}");
    assert!(events.contains("GitRepository/app"), "no event of the source:\n{events}");
}

#[tokio::test]
async fn a_reconciliation_is_asked_for_suspended_and_resumed() {
    let (team, desk) = team("asked").await;
    insta::assert_snapshot!(shown(&team, &desk, "reconcile kustomization app --with-source").await, @"");
    insta::assert_snapshot!(shown(&team, &desk, "suspend ks app lost").await, @"");
    insta::assert_snapshot!(shown(&team, &desk, "reconcile ks app").await, @"");
    insta::assert_snapshot!(shown(&team, &desk, "resume kustomization app").await, @"");
    insta::assert_snapshot!(shown(&team, &desk, "reconcile source git lost").await, @"");
    insta::assert_snapshot!(shown(&team, &desk, "suspend configuration --all").await, @"");
}

#[tokio::test]
async fn a_change_is_compared_before_it_is_pushed() {
    let (team, desk) = team("compared").await;
    insta::assert_snapshot!(shown(&team, &desk, "build kustomization app").await, @"");
    insta::assert_snapshot!(shown(&team, &desk, "diff kustomization app").await, @"");

    desk.write("deploy/limits.yaml", &config_map("limits", "two"));
    insta::assert_snapshot!(shown(&team, &desk, "diff ks app --path deploy").await, @"");
    insta::assert_snapshot!(shown(&team, &desk, "diff ks app --path lost").await, @"");
    insta::assert_snapshot!(shown(&team, &desk, "diff ks lost --path deploy").await, @"");
    let plan: Value = serde_json::from_str(&desk.output("diff ks app --path deploy -o json").await.stdout).unwrap();
    assert_eq!((&plan["schemaVersion"], &plan["summary"]["update"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn a_recursive_diff_enters_what_is_applied_from_the_same_source() {
    let (team, desk) = team("nested").await;
    let child = json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": { "name": "below" },
        "spec": {
            "sourceRef": { "kind": "GitRepository", "name": "app" },
            "path": "./below",
            "interval": "1h",
            "prune": true,
            "targetNamespace": team.namespace,
        },
    });
    let below = config_map("below", "one");
    let commit =
        team.push(&[("deploy/below.yaml", Some(&child.to_string())), ("below/below.yaml", Some(&below))]).await;
    team.applied(&commit).await;
    team.cluster.wait_for(&team.named("Kustomization", "below"), "Ready", "True", crate::scene::LIMIT).await;
    insta::assert_snapshot!(shown(&team, &desk, "diff ks app --recursive").await, @"");

    desk.write("deploy/limits.yaml", &config_map("limits", "one"));
    desk.write("deploy/below.yaml", &child.to_string());
    desk.write("below/below.yaml", &config_map("below", "two"));
    insta::assert_snapshot!(shown(&team, &desk, "diff ks app --recursive --path deploy").await, @"");
}
