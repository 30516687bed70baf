//! Commands about releases, beside those of Flux and Helm.

use serde_json::{Value, json};

use crate::{
    cli::Desk,
    flux_cli::flux,
    release_scene::{FILES, greeting, helm, known_to_helm, release, said, settled, team, team_with},
    scene::LIMIT,
};

#[tokio::test]
async fn releases_are_written_as_flux_writes_them() {
    let desk = Desk::offline();
    desk.write("one.yaml", "image:\n  tag: '6'\n  pull: Always\nports: [80, 81]\nlimit: null\n");
    desk.write("two.yaml", "image:\n  tag: 7.0\nports: [8080]\nlarge: 100000000\n");
    for line in [
        "web --source HelmRepository/charts --chart web",
        "web --source GitRepository/app.apps --chart ./charts/web --reconcile-strategy Revision --chart-interval 2m",
        "web --chart-ref OCIRepository/web --interval 10m --label team=shop",
        "web --chart-ref HelmChart/web.apps --values one.yaml,two.yaml",
        "web --source HelmRepository/charts --chart web --chart-version >=1.0.0 --values one.yaml --values two.yaml",
        "web --source Bucket/charts --chart web --values-from Secret/login --values-from configmap/limits",
        "web --chart-ref OCIRepository/web --target-namespace shop --create-target-namespace --crds CreateReplace",
        "web --chart-ref OCIRepository/web --target-namespace shop --storage-namespace kept --release-name front",
        "web --chart-ref OCIRepository/web --depends-on base,infra/db --service-account deployer",
        "web --chart-ref OCIRepository/web --kubeconfig-secret-ref remote --crds Skip",
    ] {
        let line = format!("create helmrelease {line} --export");
        let (ours, theirs) = (desk.output(&line).await, desk.output_of(&flux(), &line).await);
        assert_eq!(theirs.code, Some(0), "{line}: {}", theirs.stderr);
        assert_eq!(ours.stdout, theirs.stdout, "{line}: {}", ours.stderr);
        assert_eq!(ours.code, Some(0), "{line}");
    }
}

#[tokio::test]
async fn flags_of_releases_that_make_no_sense_are_told() {
    let desk = Desk::offline();
    for (line, told) in [
        ("web", "--chart"),
        ("web --chart web", "--source"),
        ("web --chart web --source HelmRepository/a --chart-ref OCIRepository/a", "cannot be used with"),
        ("web --chart-ref GitRepository/a", "`GitRepository` is none of OCIRepository, HelmChart"),
        ("web --chart-ref OCIRepository/a --values none.yaml --export", "cannot read `none.yaml`"),
    ] {
        let output = desk.output(&format!("create helmrelease {line}")).await;
        assert!(output.stderr.contains(told), "{line}: {}", output.stderr);
        assert_ne!(output.code, Some(0), "{line}");
    }
}

#[tokio::test]
async fn what_is_known_of_a_release_is_shown_as_flux_and_helm_show_it() {
    let team = team("release-shown").await;
    let config = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": "values", "namespace": team.namespace },
        "data": { "values.yaml": "greeting: salut\nport: 81\n" },
    });
    team.cluster.apply(config).await;
    let values_from = json!([{ "kind": "ConfigMap", "name": "values" }]);
    release(&team, json!({ "valuesFrom": values_from })).await;
    settled(&team, 1).await;
    release(&team, json!({ "valuesFrom": values_from, "values": { "greeting": "ahoy" } })).await;
    settled(&team, 2).await;

    let desk = Desk::new(team.cluster, &team.namespace);
    for line in ["--show-status", "--show-values", "--show-history"].map(|flag| format!("debug helmrelease web {flag}"))
    {
        let (ours, theirs) = (desk.output(&line).await, desk.output_of(&flux(), &line).await);
        // Flux's own type writes a time that is not there.
        assert_eq!((ours.stdout, ours.code), (theirs.stdout.replace("  deleted: null\n", ""), theirs.code), "{line}");
    }
    assert_eq!(desk.output("debug hr web --show-values").await.stdout, "greeting: ahoy\nport: 81\n");

    let json = |text: &str| serde_json::from_str::<Value>(text).expect("it is JSON");
    let ours = desk.output("history helmrelease web -o json").await;
    assert_eq!(json(&ours.stdout), json(&helm(&team, "history web -o json").await));
    let text = desk.output("history hr web").await.stdout;
    let columns =
        |line: &str| line.split('\t').map(str::trim).filter(|cell| !cell.contains('Z')).collect::<Vec<_>>().join("|");
    insta::assert_snapshot!(text.lines().map(columns).collect::<Vec<_>>().join("\n"), @r"
    REVISION|UPDATED|STATUS|CHART|APP VERSION|DESCRIPTION
    1|superseded|shop-1.0.0|3|Install complete
    2|deployed|shop-1.0.0|3|Upgrade complete
    ");
    assert_eq!(desk.output("history hr web --max 1 -o name").await.stdout, "2\n");
}

#[tokio::test]
async fn an_upgrade_is_forced_where_nothing_has_changed() {
    let team = team("release-forced").await;
    release(&team, json!({})).await;
    settled(&team, 1).await;
    let desk = Desk::new(team.cluster, &team.namespace);
    let output = desk.output("reconcile helmrelease web --with-source").await;
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(desk.output("history hr web -o name").await.stdout, "1\n");
    let output = desk.output("reconcile hr web --force --reset").await;
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.stderr.ends_with("✔ applied revision 1.0.0\n"), "{}", output.stderr);
    assert_eq!(desk.output("history hr web -o name").await.stdout, "1\n2\n");
    assert!(team.find("HelmRelease", "web").await.unwrap()["status"]["lastHandledForceAt"].is_string());
}

#[tokio::test]
async fn a_release_is_kept_at_an_earlier_revision_until_it_is_let_go() {
    let team = team("release-pinned").await;
    release(&team, json!({})).await;
    settled(&team, 1).await;
    release(&team, json!({ "values": { "greeting": "ahoy" } })).await;
    settled(&team, 2).await;

    let desk = Desk::new(team.cluster, &team.namespace);
    insta::assert_snapshot!(desk.shown("rollback helmrelease web --to 1").await, @r"
    | ► pinning HelmRelease web in NAMESPACE namespace to revision 1
    | ✔ HelmRelease pinned to revision 1
    | ► annotating HelmRelease web in NAMESPACE namespace
    | ✔ HelmRelease annotated
    | ◎ waiting for HelmRelease reconciliation
    | ✔ applied revision 1.0.0
    exit 0
    ");
    assert_eq!(greeting(&team).await, "hello");
    let status = settled(&team, 3).await;
    insta::assert_snapshot!(said(&team, &status, "Ready"), @"True RollbackSucceeded: Helm release NAMESPACE/web.v3 with chart shop@1.0.0 is kept at revision 1");

    // Neither other values, nor a chart that is not there, nor what someone installs by hand.
    let source = json!({ "kind": "GitRepository", "name": "app" });
    let missing = json!({ "spec": { "chart": "nowhere", "sourceRef": source } });
    release(&team, json!({ "values": { "greeting": "moin" }, "chart": missing })).await;
    settled(&team, 3).await;
    assert_eq!(greeting(&team).await, "hello");
    release(&team, json!({ "suspend": true })).await;
    helm(&team, "upgrade web shop --set greeting=by-hand --force-conflicts").await;
    release(&team, json!({ "suspend": false })).await;
    assert_eq!(desk.output("reconcile helmrelease web").await.code, Some(0));
    assert_eq!(greeting(&team).await, "hello");
    insta::assert_snapshot!(known_to_helm(&team).await, @r"
    1 superseded shop-1.0.0: Install complete
    2 superseded shop-1.0.0: Upgrade complete
    3 superseded shop-1.0.0: Rollback to 1
    4 superseded shop-1.0.0: Upgrade complete
    5 deployed shop-1.0.0: Rollback to 1
    ");

    insta::assert_snapshot!(desk.shown("rollback hr web --to 7").await, @r"
    | error: revision 7 is not recorded
    | hint: recorded are 1, 2, 3, 4, 5: see `fairlead history helmrelease`
    exit 1
    ");
    release(&team, json!({ "values": { "greeting": "moin" } })).await;
    assert_eq!(desk.output("rollback hr web --unpin").await.code, Some(0));
    let status = settled(&team, 6).await;
    assert_eq!(greeting(&team).await, "moin");
    assert!(said(&team, &status, "Ready").starts_with("True UpgradeSucceeded: "));
}

#[tokio::test]
async fn a_release_that_waits_in_vain_is_rolled_back_at_once() {
    let team = team("release-hangs").await;
    release(&team, json!({})).await;
    settled(&team, 1).await;
    let never = json!([{
        "apiVersion": "v1", "kind": "ConfigMap", "inProgress": "data.greeting == 'never'", "current": "true",
    }]);
    release(&team, json!({ "values": { "greeting": "never" }, "healthCheckExprs": never })).await;
    let named = team.named("ConfigMap", "web-greeting");
    team.cluster.watch(&named, LIMIT, |found| (found?["data"]["greeting"] == "never").then_some(())).await;
    let desk = Desk::new(team.cluster, &team.namespace);
    let output = desk.output("rollback helmrelease web --to 1").await;
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(greeting(&team).await, "hello");
}

#[tokio::test]
async fn what_an_upgrade_would_change_is_shown_before_and_is_what_it_changes() {
    let team = team("release-diff").await;
    release(&team, json!({})).await;
    settled(&team, 1).await;
    let desk = Desk::new(team.cluster, &team.namespace);
    let output = desk.output("diff helmrelease web").await;
    assert_eq!(
        (output.code, output.stdout.as_str()),
        (Some(0), "Plan: nothing to do, 2 to keep.\n"),
        "{}",
        output.stderr
    );

    team.cluster.merge(&team.named("ConfigMap", "web-greeting"), json!({ "data": { "greeting": "by hand" } })).await;
    let drifted = desk.output("diff hr web").await;
    assert_eq!(drifted.code, Some(1), "{}", drifted.stderr);
    assert!(drifted.stdout.contains("-by hand\n"), "{}", drifted.stdout);
    assert!(!drifted.stdout.contains("revision"), "the revision that is installed is compared: {}", drifted.stdout);

    desk.write("shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.1.0\n");
    desk.write("shop/values.yaml", "greeting: hej\n");
    desk.write(
        "shop/templates/greeting.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web-greeting\ndata:\n  greeting: {{ .Values.greeting }}\n  \
         drawn: {{ randAlpha 9 }}\n",
    );
    let output = desk.output("diff helmrelease web --path shop").await;
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    for told in
        ["+hej\n", "► Service/NAMESPACE/web deleted", "(not known before apply)", "Plan: 1 to update, 1 to delete."]
    {
        assert!(output.stdout.contains(told), "{told} is missing in: {}", output.stdout);
    }
    let built = desk.output("build helmrelease web --path shop").await;
    assert!(built.stdout.starts_with("---\n# Source: shop/templates/greeting.yaml\n"), "{}", built.stderr);
    let installed = desk.output("build helmrelease web").await;
    assert_eq!(installed.code, Some(0), "{}", installed.stderr);
    assert!(installed.stdout.contains("# Source: shop/templates/check.yaml\n"), "hooks are printed too");
    assert!(installed.stdout.contains("revision: \"2\""), "{}", installed.stdout);
}

#[tokio::test]
async fn a_recursive_diff_enters_releases_with_the_chart_as_it_is_in_the_checkout() {
    let web = "\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web}
spec:
  interval: 1h
  chart: {spec: {chart: shop, sourceRef: {kind: GitRepository, name: app}}}
";
    let team = team_with("release-nested", &[("deploy/web.yaml", web)]).await;
    team.kustomize("app", json!({ "path": "./deploy" })).await;
    team.ready().await;
    settled(&team, 1).await;
    let desk = Desk::new(team.cluster, &team.namespace);
    insta::assert_snapshot!(desk.shown("diff kustomization app --recursive").await, @r"
    📁 Kustomization/NAMESPACE/app
    Plan: nothing to do, 1 to keep.

    📁 HelmRelease/NAMESPACE/web
    Plan: nothing to do, 2 to keep.

    exit 0
    ");
    for (path, text) in FILES {
        desk.write(path, &text.replace("hello", "hej"));
    }
    desk.write("deploy/web.yaml", web);
    let output = desk.output("diff kustomization app --recursive --path deploy").await;
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    assert!(
        output.stdout.contains("📁 HelmRelease/NAMESPACE/web\n► ConfigMap/NAMESPACE/web-greeting drifted\n"),
        "{}",
        output.stdout
    );
    assert!(output.stdout.contains("-hello\n"), "{}", output.stdout);
}
