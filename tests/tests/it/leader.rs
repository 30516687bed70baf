//! Of two controllers one leads, and no other writes.

use fairlead_tests::{Controller, Fault, FaultProxy, Request, TestCluster, proxy};
use serde_json::{Value, json};

use crate::scene::{LIMIT, Team, config_map};

const LEASE: &str = "Lease flux-system/fairlead-leader-election";

/// A lease that changes hands within seconds.
const FLAGS: [&str; 4] = [
    "--enable-leader-election",
    "--leader-election-lease-duration=3s",
    "--leader-election-renew-deadline=2s",
    "--leader-election-retry-period=200ms",
];

/// Waits until another than `before` holds the lease, and returns its name.
async fn new_leader(cluster: &TestCluster, before: &str) -> String {
    let holder = |lease: Option<&Value>| lease?["spec"]["holderIdentity"].as_str().map(str::to_owned);
    let is_new = |name: &String| !name.is_empty() && name != before;
    cluster.watch(LEASE, LIMIT, |lease| holder(lease).filter(is_new)).await
}

/// Commits `ConfigMap limits` with `value` and waits until it is applied.
async fn apply(team: &Team<'_>, value: &str) {
    let commit = team.push(&[("limits.yaml", Some(&config_map("limits", value)))]).await;
    team.applied(&commit).await;
}

/// Returns the objects that were written after the first `seen` requests by the controller behind the proxy (`true`) or
/// by the other one; the lease is none.
async fn writes(cluster: &TestCluster, seen: usize, is_behind_proxy: bool) -> Vec<Request> {
    let mut writes = cluster.requests().await.split_off(seen);
    writes.retain(|request| {
        let is_meant = request.agent.ends_with(proxy::AGENT) == is_behind_proxy;
        is_meant && request.sender == Controller::user() && request.is_write() && request.resource != "leases"
    });
    writes
}

#[tokio::test]
async fn a_leader_that_loses_its_lease_ends_and_another_goes_on_alone() {
    let cluster = TestCluster::start().await;
    cluster.install().await;
    let proxy = FaultProxy::start(&cluster).await;
    let one = Controller::start_with(&cluster, proxy.kubeconfig(), &FLAGS).await;
    let first = new_leader(&cluster, "").await;
    let two = Controller::start(&cluster, &FLAGS).await;
    let team = Team::on(&cluster, "leader").await.with(&[("limits.yaml", Some("{}"))], json!({})).await;
    apply(&team, "by one").await;
    assert_eq!(writes(&cluster, 0, false).await, [], "the second waits");

    // It cannot renew, although it could still write everything else.
    proxy.give(Fault::new(503, &["/leases/"]));
    assert_eq!(one.ended(LIMIT).await, Some(1), "{}", one.log());
    assert!(one.log().contains("the lease could not be renewed in time"), "{}", one.log());
    let seen = cluster.requests().await.len();
    let second = new_leader(&cluster, &first).await;
    apply(&team, "by two").await;
    assert_eq!(writes(&cluster, seen, true).await, []);

    proxy.heal();
    one.restart().await;
    let stolen = json!({ "spec": { "holderIdentity": "someone-else", "renewTime": "2026-01-01T00:00:00.000000Z" } });
    cluster.merge(LEASE, stolen).await;
    assert_eq!(two.ended(LIMIT).await, Some(1), "{}", two.log());
    assert!(two.log().contains("the lease was taken"), "{}", two.log());
    let seen = cluster.requests().await.len();
    assert_ne!(new_leader(&cluster, "someone-else").await, second);
    apply(&team, "by one again").await;
    assert_eq!(writes(&cluster, seen, false).await, []);
}

#[tokio::test]
async fn a_leader_that_is_asked_to_end_finishes_first_and_then_gives_the_lease_back() {
    let cluster = TestCluster::start().await;
    cluster.install().await;
    let controller = Controller::start(&cluster, &FLAGS).await;
    let team = Team::on(&cluster, "release").await.with(&[("limits.yaml", Some("{}"))], json!({})).await;
    apply(&team, "one").await;

    assert_eq!(controller.stop(), Some(0), "{}", controller.log());
    assert_eq!(cluster.find(LEASE).await.unwrap()["spec"]["holderIdentity"], "");
    let requests = cluster.requests().await;
    let last = requests.iter().rfind(|request| request.sender == Controller::user() && request.is_write()).unwrap();
    assert_eq!(last.resource, "leases", "nothing is written after the lease is given back");
}
