//! A controller that is killed in the middle of an install or an upgrade leaves no release that is locked.

use std::time::Duration;

use fairlead_tests::{Controller, TestCluster};
use serde_json::{Value, json};

use crate::{
    release_scene::{commit, known_to_helm, release},
    scene::{LIMIT, Team},
};

/// How often it is killed.
const CRASHES: u32 = 60;

/// The longest that a run is let go on before it is killed.
const LONGEST_MILLIS: u64 = 250;

const JOB: &str = "\
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-migrate
  annotations: {helm.sh/hook: pre-upgrade}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: migrate, image: migrate}]
";

/// A cluster of its own, its controller, and a team that follows the chart with the files `more`.
async fn team<'a>(cluster: &'a TestCluster, more: &[(&str, &str)]) -> (Controller, Team<'a>) {
    cluster.install().await;
    let controller = Controller::start(cluster, &[]).await;
    let team = Team::on(cluster, "crash").await;
    commit(&team, more).await;
    (controller, team)
}

/// Waits until the release is what was asked for last, and has the value `greeting`.
async fn ready(team: &Team<'_>, greeting: &str) {
    let named = team.named("HelmRelease", "web");
    let is_ready = |found: Option<&Value>| {
        let (status, generation) = (&found?["status"], &found?["metadata"]["generation"]);
        let ready = status["conditions"].as_array()?.iter().find(|condition| condition["type"] == "Ready")?;
        (status["observedGeneration"] == *generation && ready["status"] == "True").then_some(())
    };
    team.cluster.watch(&named, LIMIT, is_ready).await;
    let found = team.find("ConfigMap", "web-greeting").await.unwrap_or_default();
    assert_eq!(found["data"]["greeting"], greeting);
}

#[tokio::test]
async fn an_upgrade_that_was_cut_off_is_found_and_made_again() {
    let cluster = TestCluster::start().await;
    let (controller, team) = team(&cluster, &[("shop/templates/migrate.yaml", JOB)]).await;
    release(&team, json!({})).await;
    ready(&team, "hello").await;
    release(&team, json!({ "values": { "greeting": "ahoy" } })).await;
    let job = team.named("batch/v1/Job", "web-migrate");
    let uid = |found: Option<&Value>| found?["metadata"]["uid"].as_str().map(str::to_owned);
    let first = cluster.watch(&job, LIMIT, uid).await;
    controller.kill();
    insta::assert_snapshot!(known_to_helm(&team).await, @r"
    1 deployed shop-1.0.0: Install complete
    2 pending-upgrade shop-1.0.0: Preparing upgrade
    ");

    controller.restart().await;
    cluster.watch(&job, LIMIT, |found| uid(found).filter(|uid| *uid != first)).await;
    let times = "2026-01-05T10:00:00Z";
    let condition = |kind: &str| json!({ "type": kind, "status": "True", "lastTransitionTime": times });
    let status = json!({
        "startTime": times, "completionTime": times, "succeeded": 1,
        "conditions": [condition("SuccessCriteriaMet"), condition("Complete")],
    });
    cluster.merge_status(&job, status).await;
    ready(&team, "ahoy").await;
    insta::assert_snapshot!(known_to_helm(&team).await, @r"
    1 superseded shop-1.0.0: Install complete
    2 failed shop-1.0.0: Release unlocked from stale 'pending-upgrade' state
    3 deployed shop-1.0.0: Upgrade complete
    ");
}

#[tokio::test]
async fn after_many_crashes_no_release_is_pending_and_nothing_is_left_over() {
    let cluster = TestCluster::start().await;
    let (controller, team) = team(&cluster, &[]).await;
    for crash in 0..CRASHES {
        if crash % 10 == 9 {
            cluster.delete(&team.named("HelmRelease", "web")).await;
        } else {
            release(&team, json!({ "values": { "greeting": format!("number {crash}") } })).await;
        }
        tokio::time::sleep(Duration::from_millis(u64::from(crash) * 37 % LONGEST_MILLIS)).await;
        controller.kill();
        controller.restart().await;
        if crash % 10 == 9 {
            cluster.wait_until_gone(&team.named("HelmRelease", "web"), LIMIT).await;
            assert_eq!(team.find("ConfigMap", "web-greeting").await, None);
            assert_eq!(team.find("Service", "web").await, None);
        }
    }
    release(&team, json!({ "values": { "greeting": "the last" } })).await;
    ready(&team, "the last").await;
    let known = known_to_helm(&team).await;
    assert!(known.ends_with("deployed shop-1.0.0: Upgrade complete") || known.ends_with("Install complete"), "{known}");
    assert!(!known.contains("pending"), "{known}");
    assert_eq!(known.matches(" deployed ").count(), 1, "{known}");
}
