//! What a `HelmRelease` may say, field by field.

use fairlead_tests::{
    Controller, Registry,
    image::{Content, FLUX_LAYER, archive},
};
use serde_json::{Value, json};

use crate::{
    release_scene::{
        CRD, CUSTOM, FILES, HOOK, greeting, helm, history, known_to_helm, release, said, settled, team, team_with,
    },
    scene::{LIMIT, Team},
};

/// A patch of each `ConfigMap`.
fn post_renderers() -> Value {
    let patch = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: any, annotations: {patched: 'yes'}}\n";
    json!([{ "kustomize": { "patches": [{ "patch": patch, "target": { "kind": "ConfigMap" } }] } }])
}

async fn annotation(team: &Team<'_>, name: &str) -> Value {
    let found = team.find("ConfigMap", name).await.unwrap_or_default();
    found["metadata"]["annotations"]["patched"].clone()
}

#[tokio::test]
async fn post_renderers_change_objects_and_a_change_of_them_upgrades() {
    let team = team_with("release-patched", &[("shop/templates/before.yaml", HOOK)]).await;
    release(&team, json!({})).await;
    settled(&team, 1).await;
    assert_eq!(annotation(&team, "web-greeting").await, Value::Null);

    let labels = json!({ "labels": { "team": "shop" } });
    release(&team, json!({ "postRenderers": post_renderers(), "commonMetadata": labels })).await;
    settled(&team, 2).await;
    assert_eq!(annotation(&team, "web-greeting").await, "yes");
    assert_eq!(team.find("Service", "web").await.unwrap()["metadata"]["labels"]["team"], "shop");
    assert!(helm(&team, "get hooks web").await.contains("patched: \"yes\""));

    let left_out = json!({ "postRenderers": post_renderers(), "postRenderStrategy": "nohooks" });
    release(&team, left_out).await;
    settled(&team, 3).await;
    assert!(!helm(&team, "get hooks web").await.contains("patched"));
    let apart =
        json!({ "postRenderers": post_renderers(), "postRenderStrategy": "separate", "values": { "port": 81 } });
    release(&team, apart).await;
    settled(&team, 4).await;
    assert!(helm(&team, "get hooks web").await.contains("patched: \"yes\""));
    assert_eq!(annotation(&team, "web-greeting").await, "yes");
}

#[tokio::test]
async fn definitions_are_created_replaced_and_never_deleted() {
    let name = "CustomResourceDefinition things.release.example.org";
    let team =
        team_with("release-crds", &[("shop/crds/things.yaml", CRD), ("shop/templates/thing.yaml", CUSTOM)]).await;
    release(&team, json!({})).await;
    settled(&team, 1).await;
    let columns = async || {
        let found = team.cluster.find(name).await.unwrap_or_default();
        found["spec"]["versions"][0]["additionalPrinterColumns"].clone()
    };
    assert_eq!(columns().await, Value::Null);
    assert!(team.find("release.example.org/v1/Thing", "web").await.is_some());

    let column = "additionalPrinterColumns: [{name: Size, type: string, jsonPath: .spec.size}]";
    let more = CRD.replace("served: true", &format!("{column}\n    served: true"));
    team.push(&[
        ("shop/crds/things.yaml", Some(&more)),
        ("shop/Chart.yaml", Some("apiVersion: v2\nname: shop\nversion: 1.1.0\n")),
    ])
    .await;
    settled(&team, 2).await;
    assert_eq!(columns().await, Value::Null, "an upgrade leaves what is there");
    release(&team, json!({ "upgrade": { "crds": "CreateReplace" }, "values": { "port": 81 } })).await;
    settled(&team, 3).await;
    assert_eq!(columns().await[0]["name"], "Size");

    team.cluster.delete(&team.named("HelmRelease", "web")).await;
    team.cluster.wait_until_gone(&team.named("HelmRelease", "web"), LIMIT).await;
    assert_eq!(columns().await[0]["name"], "Size");
}

#[tokio::test]
async fn a_tenants_release_runs_as_the_tenant_in_everything() {
    let team = team("release-tenant").await;
    team.grant("deployer", &["configmaps", "services"]).await;
    release(&team, json!({ "serviceAccountName": "deployer" })).await;
    let lacks_rights = |found: Option<&Value>| {
        let ready = said(&team, &found?["status"], "Ready");
        ready.contains("cannot list resource \"secrets\"").then_some(())
    };
    team.cluster.watch(&team.named("HelmRelease", "web"), LIMIT, lacks_rights).await;
    assert_eq!(team.find("ConfigMap", "web-greeting").await, None);

    team.grant("deployer", &["configmaps", "services", "secrets", "pods"]).await;
    team.request("HelmRelease", "web").await;
    settled(&team, 1).await;
    assert_eq!(greeting(&team).await, "hello");
    let own = team.cluster.writes_by(&Controller::user()).await;
    let own = own.iter().filter(|write| write.namespace == team.namespace);
    let own: Vec<_> =
        own.filter(|write| ["configmaps", "services", "secrets"].contains(&write.resource.as_str())).collect();
    assert!(own.is_empty(), "{own:#?}");
}

#[tokio::test]
async fn a_release_goes_to_its_target_and_moves_when_that_changes() {
    let team = team("release-moves").await;
    let [first, second] = ["one", "two"].map(|name| format!("{}-{name}", team.namespace));
    let to = |namespace: &str| json!({ "targetNamespace": namespace, "releaseName": "web", "install": { "createNamespace": true } });
    release(&team, to(&first)).await;
    let status = settled(&team, 1).await;
    assert!(said(&team, &status, "Ready").starts_with("True InstallSucceeded: "));
    assert!(team.cluster.find(&format!("Service {first}/web")).await.is_some());
    assert_eq!(team.find("Service", "web").await, None);

    release(&team, to(&second)).await;
    let service = format!("Service {second}/web");
    team.cluster.watch(&service, LIMIT, |found| found.map(|_| ())).await;
    let status = settled(&team, 1).await;
    assert_eq!(history(&status), "v1 deployed by install");
    assert_eq!(team.cluster.find(&format!("Service {first}/web")).await, None);

    // The records move too.
    let mut elsewhere = to(&second);
    elsewhere["storageNamespace"] = json!(first);
    release(&team, elsewhere).await;
    let named = team.named("HelmRelease", "web");
    let is_moved = |found: Option<&Value>| {
        let (status, generation) = (&found?["status"], &found?["metadata"]["generation"]);
        (status["storageNamespace"] == first && status["observedGeneration"] == *generation).then_some(())
    };
    team.cluster.watch(&named, LIMIT, is_moved).await;
    assert!(team.cluster.find(&format!("Secret {first}/sh.helm.release.v1.web.v1")).await.is_some());
    assert_eq!(team.find("Secret", "sh.helm.release.v1.web.v1").await, None);
    assert!(team.cluster.find(&service).await.is_some());
}

#[tokio::test]
async fn a_release_waits_for_the_one_that_it_depends_on() {
    let team = team("release-depends").await;
    release(&team, json!({ "dependsOn": [{ "name": "base" }] })).await;
    let waits = team.cluster.wait_for(&team.named("HelmRelease", "web"), "Ready", "False", LIMIT).await;
    insta::assert_snapshot!(team.steady(&waits.to_string()), @"False DependencyNotReady: dependency 'NAMESPACE/base' not found");
    let base = json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": { "name": "base", "namespace": team.namespace },
        "spec": {
            "chart": { "spec": { "chart": "shop", "sourceRef": { "kind": "GitRepository", "name": "app" } } },
            "interval": "1h",
        },
    });
    team.cluster.apply(base).await;
    let status = settled(&team, 1).await;
    assert!(said(&team, &status, "Ready").starts_with("True InstallSucceeded: "));
}

#[tokio::test]
async fn a_chart_comes_from_a_registry_and_a_tag_that_moves_upgrades() {
    let (team, registry) = (team("release-oci").await, Registry::start().await);
    let image = |greeting: &str| {
        let files: Vec<_> = FILES.iter().map(|(path, text)| (*path, text.replace("hello", greeting))).collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        let mut content = Content::default();
        let digest = content.push("1.0.0", &[(FLUX_LAYER, archive(&files))]);
        (content, digest)
    };
    let (content, digest) = image("hello");
    let url = registry.push("charts/shop", &content);
    let source = json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "OCIRepository",
        "metadata": { "name": "shop", "namespace": team.namespace },
        "spec": { "url": url, "insecure": true, "interval": "1h", "ref": { "tag": "1.0.0" } },
    });
    team.cluster.apply(source).await;
    release(&team, json!({ "chartRef": { "kind": "OCIRepository", "name": "shop" } })).await;
    let status = settled(&team, 1).await;
    let version = |digest: &str| format!("1.0.0+{}", &digest["sha256:".len()..][..12]);
    assert_eq!(status["history"][0]["chartVersion"], version(&digest));
    assert_eq!(status["history"][0]["ociDigest"], digest.as_str());

    let (content, moved) = image("ahoy");
    registry.push("charts/shop", &content);
    team.request("OCIRepository", "shop").await;
    let status = settled(&team, 2).await;
    assert_eq!(status["history"][0]["chartVersion"], version(&moved));
    assert_eq!(greeting(&team).await, "ahoy");
}

#[tokio::test]
async fn a_chart_that_is_there_already_is_installed() {
    let team = team("release-chart").await;
    let chart = json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "HelmChart",
        "metadata": { "name": "shop", "namespace": team.namespace },
        "spec": { "chart": "shop", "interval": "1h", "sourceRef": { "kind": "GitRepository", "name": "app" } },
    });
    team.cluster.apply(chart).await;
    release(&team, json!({ "chartRef": { "kind": "HelmChart", "name": "shop" } })).await;
    settled(&team, 1).await;
    assert_eq!(team.find("HelmChart", &format!("{}-web", team.namespace)).await, None);
    team.cluster.delete(&team.named("HelmRelease", "web")).await;
    team.cluster.wait_until_gone(&team.named("HelmRelease", "web"), LIMIT).await;
    assert!(team.find("HelmChart", "shop").await.is_some());
}

#[tokio::test]
async fn what_a_failed_upgrade_has_created_goes_again_where_that_is_asked_for() {
    const EXTRA: &str =
        "{{ if .Values.extra }}apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web-extra}\n{{ end }}\n";
    let team = team_with("release-cleanup", &[("shop/templates/extra.yaml", EXTRA)]).await;
    release(&team, json!({})).await;
    settled(&team, 1).await;
    let fails = json!({ "greeting": "bad", "extra": true });
    let judged = json!([{
        "apiVersion": "v1", "kind": "ConfigMap",
        "failed": "has(data.greeting) && data.greeting == 'bad'", "current": "true",
    }]);
    release(&team, json!({ "values": fails, "healthCheckExprs": judged, "upgrade": { "cleanupOnFail": true } })).await;
    let status = settled(&team, 2).await;
    assert!(said(&team, &status, "Released").starts_with("False UpgradeFailed: "), "{status}");
    assert_eq!(team.find("ConfigMap", "web-extra").await, None);
    assert_eq!(greeting(&team).await, "bad", "what was there before stays");
    release(&team, json!({ "values": fails, "healthCheckExprs": judged })).await;
    let status = settled(&team, 3).await;
    assert!(said(&team, &status, "Released").starts_with("False UpgradeFailed: "), "{status}");
    assert!(team.find("ConfigMap", "web-extra").await.is_some());
}

#[tokio::test]
async fn what_deleted_objects_own_stays_where_that_is_asked_for() {
    let team = team("release-orphans").await;
    release(&team, json!({ "uninstall": { "deletionPropagation": "orphan" } })).await;
    settled(&team, 1).await;
    let service = team.named("Service", "web");
    // What the garbage collector is asked for stands there until it is done.
    let orphans = |found: Option<&Value>| found?["metadata"].get("finalizers").cloned();
    let named = team.named("HelmRelease", "web");
    let (finalizers, ()) = tokio::join!(team.cluster.watch(&service, LIMIT, orphans), team.cluster.delete(&named));
    assert_eq!(finalizers, json!(["orphan"]));
    team.cluster.wait_until_gone(&team.named("HelmRelease", "web"), LIMIT).await;
}

#[tokio::test]
async fn a_failure_is_tried_again_after_a_while_where_nothing_is_to_be_remedied() {
    let team = team("release-retries").await;
    let strategy = json!({ "strategy": { "name": "RetryOnFailure", "retryInterval": "1s" } });
    release(&team, json!({ "install": strategy, "upgrade": strategy })).await;
    settled(&team, 1).await;
    release(&team, json!({ "install": strategy, "upgrade": strategy, "values": { "port": 70000 } })).await;
    let named = team.named("HelmRelease", "web");
    let has_failed_twice = |found: Option<&Value>| (found?["status"]["upgradeFailures"].as_i64()? >= 2).then_some(());
    team.cluster.watch(&named, LIMIT, has_failed_twice).await;
    let waits = team.cluster.wait_for(&named, "Reconciling", "True", LIMIT).await;
    assert!(["ProgressingWithRetry", "Progressing"].contains(&waits.reason.as_str()), "{waits}");
    assert_eq!(team.find("Service", "web").await.unwrap()["spec"]["ports"][0]["port"], 80);

    release(&team, json!({ "install": strategy, "upgrade": strategy, "values": { "port": 81 } })).await;
    team.cluster.wait_for(&named, "Ready", "True", LIMIT).await;
    let status = team.find("HelmRelease", "web").await.unwrap()["status"].clone();
    assert_eq!((&status["upgradeFailures"], &status["failures"]), (&Value::Null, &Value::Null));
    assert!(known_to_helm(&team).await.ends_with("deployed shop-1.0.0: Upgrade complete"));
}
