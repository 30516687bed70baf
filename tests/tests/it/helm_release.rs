//! Releases: charts installed, upgraded, tested, restored and uninstalled, as Helm sees it too.

use serde_json::json;

use crate::{
    release_scene::{greeting, helm, history, known_to_helm, release, said, settled, team},
    scene::LIMIT,
};

#[tokio::test]
async fn a_release_is_installed_upgraded_and_uninstalled_and_helm_sees_it() {
    let team = team("release").await;
    release(&team, json!({})).await;
    let status = settled(&team, 1).await;
    insta::assert_snapshot!(said(&team, &status, "Ready"), @"True InstallSucceeded: Helm install succeeded for release NAMESPACE/web.v1 with chart shop@1.0.0");
    assert_eq!(said(&team, &status, "Released"), said(&team, &status, "Ready"));
    assert_eq!(history(&status), "v1 deployed by install");
    assert_eq!(greeting(&team).await, "hello");
    insta::assert_snapshot!(known_to_helm(&team).await, @"1 deployed shop-1.0.0: Install complete");

    release(&team, json!({ "values": { "greeting": "ahoy" } })).await;
    let status = settled(&team, 2).await;
    insta::assert_snapshot!(said(&team, &status, "Ready"), @"True UpgradeSucceeded: Helm upgrade succeeded for release NAMESPACE/web.v2 with chart shop@1.0.0");
    assert_eq!(history(&status), "v2 deployed by upgrade, v1 superseded by install");
    assert_eq!(greeting(&team).await, "ahoy");
    insta::assert_snapshot!(known_to_helm(&team).await, @r"
    1 superseded shop-1.0.0: Install complete
    2 deployed shop-1.0.0: Upgrade complete
    ");
    insta::assert_snapshot!(helm(&team, "get values web").await, @r"
    USER-SUPPLIED VALUES:
    greeting: ahoy
    ");
    assert!(helm(&team, "get manifest web").await.contains("greeting: ahoy"));

    team.cluster.delete(&team.named("HelmRelease", "web")).await;
    team.cluster.wait_until_gone(&team.named("HelmRelease", "web"), LIMIT).await;
    assert_eq!(team.find("ConfigMap", "web-greeting").await, None);
    assert_eq!(team.find("Service", "web").await, None);
    let chart = team.named("HelmChart", &format!("{}-web", team.namespace));
    team.cluster.wait_until_gone(&chart, LIMIT).await;
    assert_eq!(helm(&team, "list -q").await, "");
}

#[tokio::test]
async fn an_upgrade_that_fails_is_rolled_back_and_then_nothing_more_is_tried() {
    let team = team("release-fails").await;
    let remediation = json!({ "remediation": { "retries": 1 } });
    release(&team, json!({ "upgrade": remediation })).await;
    settled(&team, 1).await;
    release(&team, json!({ "upgrade": remediation, "values": { "port": 70000 } })).await;
    let stalled = team.cluster.wait_for(&team.named("HelmRelease", "web"), "Stalled", "True", LIMIT).await;
    insta::assert_snapshot!(stalled.to_string(), @"True RetriesExceeded: Failed to upgrade after 2 attempt(s)");
    let status = team.find("HelmRelease", "web").await.unwrap()["status"].clone();
    insta::assert_snapshot!(said(&team, &status, "Remediated"), @"True RollbackSucceeded: Helm rollback to previous release NAMESPACE/web.v3 with chart shop@1.0.0 succeeded");
    assert!(said(&team, &status, "Ready").starts_with("False RollbackSucceeded: "));
    assert_eq!(status["upgradeFailures"], 2);

    release(&team, json!({ "upgrade": remediation, "values": { "port": 81 } })).await;
    let ready = team.cluster.wait_for(&team.named("HelmRelease", "web"), "Ready", "True", LIMIT).await;
    assert_eq!(ready.reason, "UpgradeSucceeded");
    assert_eq!(team.find("Service", "web").await.unwrap()["spec"]["ports"][0]["port"], 81);
}

#[tokio::test]
async fn a_release_is_ready_when_its_tests_have_succeeded() {
    let team = team("release-test").await;
    release(&team, json!({ "test": { "enable": true } })).await;
    let pod = team.named("Pod", "web-check");
    team.cluster.watch(&pod, LIMIT, |found| found.map(|_| ())).await;
    team.cluster.merge_status(&pod, json!({ "phase": "Succeeded" })).await;
    let status = settled(&team, 1).await;
    insta::assert_snapshot!(said(&team, &status, "TestSuccess"), @"True TestSucceeded: Helm test succeeded for release NAMESPACE/web.v1 with chart shop@1.0.0: 1 test hook completed successfully");
    assert!(said(&team, &status, "Ready").starts_with("True TestSucceeded: "));
    assert_eq!(status["history"][0]["testHooks"]["web-check"]["phase"], "Succeeded");
}

#[tokio::test]
async fn what_others_change_is_put_right_without_a_new_revision() {
    let team = team("release-drift").await;
    release(&team, json!({ "driftDetection": { "mode": "enabled" } })).await;
    settled(&team, 1).await;
    let named = team.named("ConfigMap", "web-greeting");
    team.cluster.merge(&named, json!({ "data": { "greeting": "by hand" } })).await;
    team.cluster.watch(&named, LIMIT, |found| (found?["data"]["greeting"] == "hello").then_some(())).await;
    assert_eq!(known_to_helm(&team).await, "1 deployed shop-1.0.0: Install complete");
}

#[tokio::test]
async fn what_helm_installed_is_taken_over_and_what_was_made_here_helm_goes_on_with() {
    let team = team("release-helm").await;
    helm(&team, "install web shop").await;
    let before = team.find("Service", "web").await.unwrap();
    release(&team, json!({})).await;
    let status = settled(&team, 2).await;
    assert_eq!(history(&status), "v2 deployed by upgrade");
    let after = team.find("Service", "web").await.unwrap();
    assert_eq!((&before["spec"], &before["metadata"]["uid"]), (&after["spec"], &after["metadata"]["uid"]));

    let suspended = json!({ "suspend": true });
    release(&team, suspended).await;
    helm(&team, "upgrade web shop --set greeting=moin --force-conflicts").await;
    assert_eq!(greeting(&team).await, "moin");
    helm(&team, "rollback web 2 --force-conflicts").await;
    assert_eq!(greeting(&team).await, "hello");
    insta::assert_snapshot!(known_to_helm(&team).await, @r"
    1 superseded shop-1.0.0: Install complete
    2 superseded shop-1.0.0: Upgrade complete
    3 superseded shop-1.0.0: Upgrade complete
    4 deployed shop-1.0.0: Rollback to 2
    ");
    helm(&team, "uninstall web").await;
    assert_eq!(team.find("Service", "web").await, None);
}

#[tokio::test]
async fn values_come_from_elsewhere_and_a_change_of_them_upgrades() {
    let team = team("release-values").await;
    let values = |greeting: &str| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": "values", "namespace": team.namespace },
            "data": { "values.yaml": format!("greeting: {greeting}\n"), "port": "81" },
        })
    };
    team.cluster.apply(values("salut")).await;
    let reference = json!({ "kind": "ConfigMap", "name": "values" });
    let port = json!({ "kind": "ConfigMap", "name": "values", "valuesKey": "port", "targetPath": "port" });
    release(&team, json!({ "valuesFrom": [reference, port] })).await;
    settled(&team, 1).await;
    assert_eq!(greeting(&team).await, "salut");
    assert_eq!(team.find("Service", "web").await.unwrap()["spec"]["ports"][0]["port"], 81);
    team.cluster.apply(values("hej")).await;
    settled(&team, 2).await;
    assert_eq!(greeting(&team).await, "hej");
}

#[tokio::test]
async fn a_field_that_is_not_honoured_is_named() {
    let team = team("release-fields").await;
    release(&team, json!({ "kubeConfig": { "secretRef": { "name": "elsewhere" } } })).await;
    let stalled = team.cluster.wait_for(&team.named("HelmRelease", "web"), "Stalled", "True", LIMIT).await;
    insta::assert_snapshot!(stalled.to_string(), @"True UnsupportedField: spec.kubeConfig is not supported yet: remove it");
}
