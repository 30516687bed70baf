//! Commands about what a cluster reconciles.

use serde_json::{Value, json};

use crate::{
    cli::Desk,
    scene::{LIMIT, Team, config_map},
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
    let head = team.repository.head("main").expect("something was pushed");
    desk.shown(line).await.replace(&head, "COMMIT").replace(&head[..8], "COMMIT")
}

#[tokio::test]
async fn objects_are_listed_as_flux_lists_them() {
    let (team, desk) = team("listed").await;
    insta::assert_snapshot!(shown(&team, &desk, "get kustomizations").await, @r"
    NAME	REVISION          	SUSPENDED	READY	MESSAGE
    app 	main@sha1:COMMIT	False    	True 	Applied revision: main@sha1:COMMIT
    exit 0
    ");
    insta::assert_snapshot!(shown(&team, &desk, "get ks app --no-header").await, @r"
    app	main@sha1:COMMIT	False	True	Applied revision: main@sha1:COMMIT
    exit 0
    ");
    insta::assert_snapshot!(shown(&team, &desk, "get sources git").await, @r"
    NAME	REVISION          	SUSPENDED	READY	MESSAGE
    app 	main@sha1:COMMIT	False    	True 	stored artifact for revision 'main@sha1:COMMIT'
    exit 0
    ");
    insta::assert_snapshot!(shown(&team, &desk, "get all").await, @r"
    NAME             	REVISION          	SUSPENDED	READY	MESSAGE
    gitrepository/app	main@sha1:COMMIT	False    	True 	stored artifact for revision 'main@sha1:COMMIT'

    NAME             	REVISION          	SUSPENDED	READY	MESSAGE
    kustomization/app	main@sha1:COMMIT	False    	True 	Applied revision: main@sha1:COMMIT

    exit 0
    ");
    insta::assert_snapshot!(shown(&team, &desk, "get ks -o name").await, @r"
    kustomization.kustomize.toolkit.fluxcd.io/app
    exit 0
    ");
    insta::assert_snapshot!(shown(&team, &desk, "get ks --show-source --no-header").await, @r"
    app	GitRepository/NAMESPACE/app	main@sha1:COMMIT	False	True	Applied revision: main@sha1:COMMIT
    exit 0
    ");
    insta::assert_snapshot!(shown(&team, &desk, "get ks --status-selector ready=false").await, @r"
    NAME	REVISION	SUSPENDED	READY	MESSAGE
    exit 0
    ");
    insta::assert_snapshot!(shown(&team, &desk, "get ks --status-selector ready").await, @r"
    | error: expected status selector in type=status or type!=status format, but found: ready
    exit 1
    ");
    insta::assert_snapshot!(shown(&team, &desk, "get ks lost").await, @r#"
    | error: Kustomization object 'lost' not found in "NAMESPACE" namespace
    exit 1
    "#);
    insta::assert_snapshot!(shown(&team, &desk, "get ks -l app=lost").await, @r#"
    | error: no Kustomization objects found in "NAMESPACE" namespace
    exit 1
    "#);
    insta::assert_snapshot!(shown(&team, &desk, "get all --watch").await, @r"
    | error: expected a single resource type, but found all
    exit 1
    ");
    insta::assert_snapshot!(shown(&team, &desk, "get configurations").await, @r#"
    | error: no FluxConfiguration objects found in "NAMESPACE" namespace
    exit 1
    "#);

    let listed: Value = serde_json::from_str(&desk.output("get ks -o json").await.stdout).unwrap();
    assert_eq!(listed["items"][0]["kind"], "Kustomization");
}

#[tokio::test]
async fn a_tree_shows_what_was_applied_and_events_what_happened() {
    let (team, desk) = team("tree").await;
    insta::assert_snapshot!(shown(&team, &desk, "tree kustomization app").await, @r"
    Kustomization/NAMESPACE/app
    └── ConfigMap/NAMESPACE/limits

    exit 0
    ");
    insta::assert_snapshot!(shown(&team, &desk, "tree ks app -o yaml").await, @r#"
    resource:
      GroupKind:
        Group: kustomize.toolkit.fluxcd.io
        Kind: Kustomization
      Name: app
      Namespace: NAMESPACE
    resources:
    - resource:
        GroupKind:
          Group: ""
          Kind: ConfigMap
        Name: limits
        Namespace: NAMESPACE
    exit 0
    "#);
    insta::assert_snapshot!(shown(&team, &desk, "tree ks lost").await, @r#"
    | error: Kustomization object 'lost' not found in "NAMESPACE" namespace
    exit 1
    "#);
    insta::assert_snapshot!(shown(&team, &desk, "events --for Deployment/web").await, @r"
    | error: unknown kind `Deployment`
    | hint: there are OCIRepository, Bucket, GitRepository, HelmRepository, HelmChart, HelmRelease, Kustomization, Receiver, FluxConfiguration
    exit 1
    ");
    insta::assert_snapshot!(shown(&team, &desk, "events --types Strange").await, @r"
    | ✗ No events found in NAMESPACE namespace.
    exit 0
    ");

    let events = shown(&team, &desk, "events --for Kustomization/app").await;
    let applied = ["Progressing", "Kustomization/app", "ConfigMap/NAMESPACE/limits created"];
    let is_told = |line: &str| applied.iter().all(|word| line.contains(word));
    assert!(events.lines().any(is_told), "no event of the application:\n{events}");
    assert!(events.contains("GitRepository/app"), "no event of the source:\n{events}");
}

#[tokio::test]
async fn a_reconciliation_is_asked_for_suspended_and_resumed() {
    let (team, desk) = team("asked").await;
    insta::assert_snapshot!(shown(&team, &desk, "reconcile kustomization app --with-source").await, @r"
    | ► annotating GitRepository app in NAMESPACE namespace
    | ✔ GitRepository annotated
    | ◎ waiting for GitRepository reconciliation
    | ✔ fetched revision main@sha1:COMMIT
    | ► annotating Kustomization app in NAMESPACE namespace
    | ✔ Kustomization annotated
    | ◎ waiting for Kustomization reconciliation
    | ✔ applied revision main@sha1:COMMIT
    exit 0
    ");
    insta::assert_snapshot!(shown(&team, &desk, "suspend ks app lost").await, @r"
    | ► suspending kustomization app in NAMESPACE namespace
    | ✔ kustomization suspended
    | ► suspending kustomization lost in NAMESPACE namespace
    | ✗ Kustomization lost not found in NAMESPACE namespace
    exit 0
    ");
    insta::assert_snapshot!(shown(&team, &desk, "reconcile ks app").await, @r"
    | error: resource is suspended
    exit 1
    ");
    insta::assert_snapshot!(shown(&team, &desk, "resume kustomization app").await, @r"
    | ► resuming kustomization app in NAMESPACE namespace
    | ✔ kustomization resumed
    | ◎ waiting for Kustomization reconciliation
    | ✔ Kustomization app reconciliation completed
    | ✔ applied revision main@sha1:COMMIT
    exit 0
    ");
    insta::assert_snapshot!(shown(&team, &desk, "reconcile source git lost").await, @r#"
    | error: GitRepository object 'lost' not found in "NAMESPACE" namespace
    exit 1
    "#);
    insta::assert_snapshot!(shown(&team, &desk, "suspend configuration --all").await, @r"
    | error: no objects found
    exit 1
    ");
}

#[tokio::test]
async fn a_change_is_compared_before_it_is_pushed() {
    let (team, desk) = team("compared").await;
    insta::assert_snapshot!(shown(&team, &desk, "build kustomization app").await, @r"
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
    exit 0
    ");
    insta::assert_snapshot!(shown(&team, &desk, "diff kustomization app").await, @r"
    Plan: nothing to do, 1 to keep.
    exit 0
    ");

    desk.write("deploy/limits.yaml", &config_map("limits", "two"));
    insta::assert_snapshot!(shown(&team, &desk, "diff ks app --path deploy").await, @r"
    ► ConfigMap/NAMESPACE/limits drifted
      deploy/limits.yaml:1
      @@ data.value @@ kustomize-controller, set at deploy/limits.yaml:6
      -one
      +two
    Plan: 1 to update.
    | ⚠️ identified at least one change, exiting with non-zero exit code
    exit 1
    ");
    insta::assert_snapshot!(shown(&team, &desk, "diff ks app --path lost").await, @r"
    | error: cannot read `lost`
    |   caused by: No such file or directory (os error 2)
    exit 2
    ");
    insta::assert_snapshot!(shown(&team, &desk, "diff ks lost --path deploy").await, @r#"
    | error: Kustomization object 'lost' not found in "NAMESPACE" namespace
    exit 2
    "#);
    let refused = desk.output("diff ks app --path deploy --default-service-account nobody").await;
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("system:serviceaccount:NAMESPACE:nobody"), "{}", refused.stderr);
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
    team.cluster.wait_for(&team.named("Kustomization", "below"), "Ready", "True", LIMIT).await;
    insta::assert_snapshot!(shown(&team, &desk, "diff ks app --recursive").await, @r"
    📁 Kustomization/NAMESPACE/app
    Plan: nothing to do, 2 to keep.

    📁 Kustomization/NAMESPACE/below
    Plan: nothing to do, 1 to keep.

    exit 0
    ");

    desk.write("deploy/limits.yaml", &config_map("limits", "one"));
    desk.write("deploy/below.yaml", &child.to_string());
    desk.write("below/below.yaml", &config_map("below", "two"));
    insta::assert_snapshot!(shown(&team, &desk, "diff ks app --recursive --path deploy").await, @r"
    📁 Kustomization/NAMESPACE/app
    Plan: nothing to do, 2 to keep.

    📁 Kustomization/NAMESPACE/below
    ► ConfigMap/NAMESPACE/below drifted
      below/below.yaml:1
      @@ data.value @@ kustomize-controller, set at below/below.yaml:6
      -one
      +two
    Plan: 1 to update.

    | ⚠️ identified at least one change, exiting with non-zero exit code
    exit 1
    ");
}
