//! The controller or its API server goes away and comes back.

use std::time::Duration;

use fairlead_tests::{Controller, Request, TestCluster, web};
use serde_json::json;

use crate::scene::{Team, config_map};

/// How long nothing may happen in a cluster where nothing changes.
const QUIET: Duration = Duration::from_secs(5);

/// Returns what the controller asked the API server for after the first `seen` requests: watches and its lease aside.
async fn asked_since(cluster: &TestCluster, seen: usize) -> Vec<Request> {
    let requests = cluster.requests().await;
    let asked = requests.into_iter().skip(seen).filter(|request| request.sender == Controller::user());
    asked.filter(|request| request.verb != "watch" && request.resource != "leases").collect()
}

#[tokio::test]
async fn a_restart_fetches_nothing_and_changes_nothing_and_then_there_is_quiet() {
    let cluster = TestCluster::start().await;
    cluster.install().await;
    let controller = Controller::start(&cluster, &[]).await;
    let limits = config_map("limits", "one");
    let team = Team::on(&cluster, "restart").await.with(&[("limits.yaml", Some(&limits))], json!({})).await;
    team.ready().await;
    let before = team.find("ConfigMap", "limits").await.unwrap();
    let fetches = fetches(&team);

    assert_eq!(controller.stop(), Some(0), "{}", controller.log());
    // Its last events are sent only now.
    let seen = cluster.requests().await.len();
    controller.restart().await;
    let source = team.find("GitRepository", "app").await.unwrap();
    assert_eq!(web::status(source["status"]["artifact"]["url"].as_str().unwrap()).await, 200);

    // Only time shows that nothing happens.
    tokio::time::sleep(QUIET).await;
    let after = team.find("ConfigMap", "limits").await.unwrap();
    assert_eq!(after["metadata"]["resourceVersion"], before["metadata"]["resourceVersion"]);
    assert_eq!(self::fetches(&team), fetches);
    let mut writes = asked_since(&cluster, seen).await;
    writes.retain(Request::is_write);
    assert!(writes.is_empty(), "it looks once, and there is nothing to change and nothing to say: {writes:#?}");

    let seen = cluster.requests().await.len();
    tokio::time::sleep(QUIET).await;
    let asked = asked_since(&cluster, seen).await;
    assert!(asked.is_empty(), "an idle cluster is not asked: {asked:#?}");
}

/// Returns how often files were fetched, not only asked about.
fn fetches(team: &Team<'_>) -> usize {
    team.git.requests().iter().filter(|request| request.is_fetch).count()
}

#[tokio::test]
async fn an_api_server_that_restarts_is_followed_again_without_help() {
    let cluster = TestCluster::start().await;
    cluster.install().await;
    let controller = Controller::start(&cluster, &[]).await;
    let (one, two) = (config_map("limits", "one"), config_map("limits", "two"));
    let team = Team::on(&cluster, "outage").await.with(&[("limits.yaml", Some(&one))], json!({})).await;
    team.ready().await;

    cluster.stop_api_server();
    tokio::time::sleep(Duration::from_secs(2)).await;
    cluster.start_api_server().await;

    let commit = team.push(&[("limits.yaml", Some(&two))]).await;
    team.applied(&commit).await;
    assert_eq!(controller.stop(), Some(0), "{}", controller.log());
}
