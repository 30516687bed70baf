//! The controller or its API server goes away and comes back.

use std::time::Duration;

use fairlead_sources::store::{Mode, Release, SourceKey, SourceKind, Store, StoreSettings};
use fairlead_tests::{Controller, Request, TestCluster, image::archive, web};
use serde_json::json;

use crate::{
    scene::{LIMIT, Team, config_map},
    site::Site,
};

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

const INDEX: &str = "apiVersion: v1\nentries:\n  shop:\n  - version: 1.0.0\n    urls: [shop-1.0.0.tgz]\n";

/// Keeps the index of `HelmRepository shop` in `namespace` as an older version did: as it came, without its pages.
fn keep_as_before(controller: &Controller, namespace: &str) {
    let store = Store::open(&controller.store(), StoreSettings::default()).expect("nobody has it");
    let key = SourceKey { kind: SourceKind::HelmRepository, namespace: namespace.into(), name: "shop".into() };
    let kept = store.artifact(&key).expect("it was fetched");
    let file = store.file(&mut INDEX.as_bytes(), u64::MAX).expect("stored");
    let mut writer = store.writer();
    writer.add(&"index.yaml".parse().expect("a path"), Mode::Regular, file.digest()).expect("added");
    let tree = writer.finish().expect("stored");
    let name = kept.path.rsplit('/').next().expect("a name");
    let release = Release::new(&kept.revision, &tree);
    store.publish_file(&key, &release, (name, &file), kept.last_update_time).expect("published");
}

#[tokio::test]
async fn an_index_that_an_older_version_kept_in_another_form_is_read_again_by_itself() {
    let (cluster, site) = (TestCluster::start().await, Site::start().await);
    cluster.install().await;
    let controller = Controller::start(&cluster, &[]).await;
    let team = Team::on(&cluster, "repage").await;
    site.put("/index.yaml", INDEX);
    site.put("/shop-1.0.0.tgz", archive(&[("shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n")]));
    let source = |kind: &str, spec: serde_json::Value| {
        let metadata = json!({ "name": "shop", "namespace": team.namespace });
        json!({ "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": kind, "metadata": metadata, "spec": spec })
    };
    cluster.apply(source("HelmRepository", json!({ "url": site.url(""), "interval": "1h" }))).await;
    cluster.wait_for(&team.named("HelmRepository", "shop"), "Ready", "True", LIMIT).await;

    assert_eq!(controller.stop(), Some(0), "{}", controller.log());
    keep_as_before(&controller, &team.namespace);
    controller.restart().await;
    let reference = json!({ "kind": "HelmRepository", "name": "shop" });
    cluster.apply(source("HelmChart", json!({ "chart": "shop", "sourceRef": reference, "interval": "1h" }))).await;
    let ready = cluster.wait_for(&team.named("HelmChart", "shop"), "Ready", "True", LIMIT).await;
    assert_eq!(ready.to_string(), "True ChartPullSucceeded: pulled 'shop' chart with version '1.0.0'");
}
