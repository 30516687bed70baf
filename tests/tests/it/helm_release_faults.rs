//! What goes wrong with releases, what is said of it, and that it can be mended.

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, ResourceExt, api::ListParams};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    release_scene::{greeting, known_to_helm, release, said, settled, team, team_with},
    scene::{LIMIT, Team},
};

const JOB: &str = "\
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-migrate
  annotations: {helm.sh/hook: EVENT}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: migrate, image: migrate}]
";

/// What a condition of `HelmRelease web` says as soon as `is_meant` holds for it.
async fn told(team: &Team<'_>, condition: &str, is_meant: impl Fn(&str) -> bool) -> String {
    let seen = |found: Option<&Value>| {
        let told = said(team, &found?["status"], condition);
        is_meant(&told).then_some(told)
    };
    team.cluster.watch(&team.named("HelmRelease", "web"), LIMIT, seen).await
}

/// Ends the only pod of a Job as the kubelet would whose container says `words` and fails.
async fn fail_job(team: &Team<'_>, name: &str, words: &str) {
    let job = team.named("batch/v1/Job", name);
    team.cluster.watch(&job, LIMIT, |found| (found?["status"]["active"] == 1).then_some(())).await;
    let pods: Api<Pod> = Api::namespaced(team.cluster.client(), &team.namespace);
    let of_job = ListParams::default().labels(&format!("job-name={name}"));
    let found = pods.list(&of_job).await.expect("pods are listed");
    let pod = team.named("Pod", &found.items[0].name_any());
    let ended = json!({ "terminated": { "exitCode": 3, "message": words } });
    let container = json!({
        "name": "migrate", "image": "migrate", "imageID": "", "ready": false, "restartCount": 0, "state": ended,
    });
    team.cluster.merge_status(&pod, json!({ "phase": "Failed", "containerStatuses": [container] })).await;
}

/// `text` without the end of the name of a pod, which is drawn.
fn without_pods(text: &str) -> String {
    let Some((before, after)) = text.split_once("web-migrate-") else { return text.to_owned() };
    let rest = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
    format!("{before}web-migrate-POD{rest}")
}

#[tokio::test]
async fn a_hook_that_fails_is_named_with_its_exit_code_and_its_last_words() {
    let job = JOB.replace("EVENT", "pre-upgrade");
    let team = team_with("release-hook", &[("shop/templates/migrate.yaml", &job)]).await;
    release(&team, json!({})).await;
    settled(&team, 1).await;
    release(&team, json!({ "values": { "greeting": "ahoy" } })).await;
    fail_job(&team, "web-migrate", "no such table: orders").await;
    let status = settled(&team, 2).await;
    insta::assert_snapshot!(without_pods(&said(&team, &status, "Released")), @"False UpgradeFailed: Helm upgrade failed for release NAMESPACE/web with chart shop@1.0.0: failed pre-upgrade: Job/NAMESPACE/web-migrate failed: Job has reached the specified backoff limit (container migrate of pod web-migrate-POD exited with 3: no such table: orders)");
    insta::assert_snapshot!(said(&team, &status, "Stalled"), @"True RetriesExceeded: Failed to upgrade after 1 attempt(s)");
    assert_eq!(greeting(&team).await, "hello", "the hook runs before");
    assert!(team.find("batch/v1/Job", "web-migrate").await.is_some(), "it stays to be looked at");
}

#[tokio::test]
async fn a_rollback_that_fails_is_told_and_what_is_asked_for_next_is_tried() {
    let job = JOB.replace("EVENT", "pre-rollback");
    let team = team_with("release-unrolled", &[("shop/templates/migrate.yaml", &job)]).await;
    let remediation = json!({ "remediation": { "retries": 1 } });
    release(&team, json!({ "upgrade": remediation })).await;
    settled(&team, 1).await;
    release(&team, json!({ "upgrade": remediation, "values": { "port": 70000 } })).await;
    fail_job(&team, "web-migrate", "cannot go back").await;
    let remediated = told(&team, "Remediated", |told| told.starts_with("False ")).await;
    insta::assert_snapshot!(without_pods(&remediated), @"False RollbackFailed: Helm rollback to previous release NAMESPACE/web.v1 with chart shop@1.0.0 failed: failed pre-rollback: Job/NAMESPACE/web-migrate failed: Job has reached the specified backoff limit (container migrate of pod web-migrate-POD exited with 3: cannot go back)");

    release(&team, json!({ "upgrade": remediation, "values": { "port": 81 } })).await;
    team.cluster.wait_for(&team.named("HelmRelease", "web"), "Ready", "True", LIMIT).await;
    assert_eq!(team.find("Service", "web").await.unwrap()["spec"]["ports"][0]["port"], 81);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_named_and_the_release_goes_on_without_it() {
    let team = team("release-corrupt").await;
    release(&team, json!({})).await;
    settled(&team, 1).await;
    let secret = team.named("Secret", "sh.helm.release.v1.web.v1");
    team.cluster.merge(&secret, json!({ "data": { "release": "bm8gcmVjb3Jk" } })).await;
    release(&team, json!({ "values": { "greeting": "ahoy" } })).await;
    let ready = told(&team, "Ready", |told| told.starts_with("False StateError")).await;
    insta::assert_snapshot!(ready, @"False StateError: Secret sh.helm.release.v1.web.v1 holds no record of a release (Invalid symbol 32, offset 2.): restore it, or delete it to go on without that revision");
    team.cluster.delete(&secret).await;
    team.request("HelmRelease", "web").await;
    let ready = told(&team, "Ready", |told| told.starts_with("True ")).await;
    insta::assert_snapshot!(ready, @"True InstallSucceeded: Helm install succeeded for release NAMESPACE/web.v1 with chart shop@1.0.0");
    assert_eq!(greeting(&team).await, "ahoy");
}

#[tokio::test]
async fn a_chart_that_no_secret_can_record_is_refused_before_anything_is_written() {
    // What cannot be compressed.
    let drawn: String = (0..40_000_u32).map(|at| hex::encode(Sha256::digest(at.to_be_bytes()))).collect();
    let team = team_with("release-large", &[("shop/large.txt", &drawn)]).await;
    release(&team, json!({})).await;
    let released = told(&team, "Released", |told| told.starts_with("False ")).await;
    assert!(released.contains("leave files that no template needs out of the chart, by its .helmignore"), "{released}");
    assert_eq!(team.find("ConfigMap", "web-greeting").await, None);

    team.push(&[
        ("shop/.helmignore", Some("large.txt\n")),
        ("shop/Chart.yaml", Some("apiVersion: v2\nname: shop\nversion: 1.1.0\n")),
    ])
    .await;
    team.cluster.wait_for(&team.named("HelmRelease", "web"), "Ready", "True", LIMIT).await;
}

#[tokio::test]
async fn a_chart_that_renders_nothing_is_a_release_and_what_it_had_goes() {
    let nothing = ["greeting", "service", "check"]
        .map(|name| (format!("shop/templates/{name}.yaml"), "{{ if .Values.on }}x: 1{{ end }}\n"));
    let team = team("release-empty").await;
    release(&team, json!({})).await;
    settled(&team, 1).await;
    let mut files: Vec<(&str, Option<&str>)> =
        nothing.iter().map(|(path, text)| (path.as_str(), Some(*text))).collect();
    files.push(("shop/Chart.yaml", Some("apiVersion: v2\nname: shop\nversion: 1.1.0\n")));
    team.push(&files).await;
    let status = settled(&team, 2).await;
    insta::assert_snapshot!(said(&team, &status, "Ready"), @"True UpgradeSucceeded: Helm upgrade succeeded for release NAMESPACE/web.v2 with chart shop@1.1.0");
    assert_eq!(team.find("Service", "web").await, None);
    team.cluster.delete(&team.named("HelmRelease", "web")).await;
    team.cluster.wait_until_gone(&team.named("HelmRelease", "web"), LIMIT).await;
}

#[tokio::test]
async fn an_object_of_another_release_is_left_alone_where_that_is_asked_for() {
    let team = team("release-foreign").await;
    let foreign = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": "web", "namespace": team.namespace,
            "labels": { "app.kubernetes.io/managed-by": "Helm" },
            "annotations": { "meta.helm.sh/release-name": "other", "meta.helm.sh/release-namespace": team.namespace },
        },
        "spec": { "ports": [{ "name": "theirs", "port": 80 }] },
    });
    team.cluster.apply(foreign).await;
    release(&team, json!({ "install": { "disableTakeOwnership": true } })).await;
    let released = told(&team, "Released", |told| told.starts_with("False ")).await;
    insta::assert_snapshot!(released, @"False InstallFailed: Helm install failed for release NAMESPACE/web with chart shop@1.0.0: Service/NAMESPACE/web exists and cannot be imported into the current release: it belongs to no release");
    let service = team.find("Service", "web").await.unwrap();
    assert_eq!(service["metadata"]["annotations"]["meta.helm.sh/release-name"], "other");

    release(&team, json!({ "install": { "disableTakeOwnership": false } })).await;
    team.cluster.wait_for(&team.named("HelmRelease", "web"), "Ready", "True", LIMIT).await;
    let service = team.find("Service", "web").await.unwrap();
    assert_eq!(service["metadata"]["annotations"]["meta.helm.sh/release-name"], "web");
}

#[tokio::test]
async fn objects_that_a_chart_makes_twice_are_named_and_none_is_written() {
    const TWICE: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 82}]}\n";
    let team = team_with("release-twice", &[("shop/templates/twice.yaml", TWICE)]).await;
    release(&team, json!({})).await;
    let released = told(&team, "Released", |told| told.starts_with("False ")).await;
    insta::assert_snapshot!(released, @"False InstallFailed: Helm install failed for release NAMESPACE/web with chart shop@1.0.0: shop/templates/twice.yaml:1: Service NAMESPACE/web is already defined at shop/templates/service.yaml:1");
    assert_eq!(team.find("ConfigMap", "web-greeting").await, None);
}

#[tokio::test]
async fn failures_are_forgotten_when_that_is_asked_for() {
    let team = team("release-reset").await;
    release(&team, json!({})).await;
    settled(&team, 1).await;
    release(&team, json!({ "values": { "port": 70000 } })).await;
    let stalled = team.cluster.wait_for(&team.named("HelmRelease", "web"), "Stalled", "True", LIMIT).await;
    insta::assert_snapshot!(stalled.to_string(), @"True RetriesExceeded: Failed to upgrade after 1 attempt(s)");
    team.request("HelmRelease", "web").await;
    let named = team.named("HelmRelease", "web");
    let is_handled = |found: Option<&Value>| {
        let request = &found?["metadata"]["annotations"]["reconcile.fluxcd.io/requestedAt"];
        (found?["status"]["lastHandledReconcileAt"] == *request).then_some(())
    };
    team.cluster.watch(&named, LIMIT, is_handled).await;
    assert_eq!(known_to_helm(&team).await.lines().count(), 2, "nothing more is tried");

    let again = json!({ "reconcile.fluxcd.io/requestedAt": "again", "reconcile.fluxcd.io/resetAt": "again" });
    team.cluster.merge(&named, json!({ "metadata": { "annotations": again } })).await;
    settled(&team, 3).await;
    assert_eq!(team.find("HelmRelease", "web").await.unwrap()["status"]["lastHandledResetAt"], "again");
}
