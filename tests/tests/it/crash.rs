//! A controller that is killed at any instant loses track of nothing.

use std::{collections::BTreeSet, time::Duration};

use fairlead_tests::{Controller, TestCluster};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, ResourceExt, api::ListParams};
use serde_json::json;

use crate::scene::{Team, config_map};

/// How often it is killed.
const CRASHES: u32 = 200;

/// How many objects each commit has, of which it takes two away and adds two.
const OBJECTS: u32 = 5;

/// How many names there are in all: too few for the budget that stops a run which deletes much.
const NAMES: u32 = 9;

/// The longest that a run is let go on before it is killed.
const LONGEST_MILLIS: u64 = 250;

#[tokio::test]
async fn after_two_hundred_crashes_the_inventory_has_lost_nothing_and_nothing_foreign_is_gone() {
    let cluster = TestCluster::start().await;
    cluster.install().await;
    let controller = Controller::start(&cluster, &[]).await;
    let team =
        Team::on(&cluster, "crash").await.with(&[("map-0.yaml", Some(&config_map("map-0", "x")))], json!({})).await;
    team.ready().await;
    let by_hand = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": "by-hand", "namespace": team.namespace },
    });
    cluster.apply(by_hand).await;

    let mut commit = String::new();
    for crash in 0..CRASHES {
        commit = push(&team, crash).await;
        tokio::time::sleep(instant(crash)).await;
        controller.kill();
        check(&team, crash).await;
        controller.restart().await;
    }

    team.applied(&commit).await;
    let expected: BTreeSet<String> = names(CRASHES - 1).collect();
    assert_eq!(owned(&team).await, expected);
    assert!(team.find("ConfigMap", "by-hand").await.is_some());
}

/// Commits the objects of one round: a window that moves by two, around and around.
async fn push(team: &Team<'_>, round: u32) -> String {
    let wanted: BTreeSet<String> = names(round).collect();
    let before: BTreeSet<String> = if round == 0 { ["map-0".to_owned()].into() } else { names(round - 1).collect() };
    let texts: Vec<_> = wanted.iter().map(|name| (format!("{name}.yaml"), Some(config_map(name, "x")))).collect();
    let gone = before.difference(&wanted).map(|name| (format!("{name}.yaml"), None));
    let commit = team.repository.commit(texts.into_iter().chain(gone), "next");
    team.request("GitRepository", "app").await;
    commit
}

fn names(round: u32) -> impl Iterator<Item = String> {
    (0..OBJECTS).map(move |index| format!("map-{}", (2 * round + index) % NAMES))
}

/// Returns how long a run is let go on: spread evenly and different each time, but the same in every test.
fn instant(crash: u32) -> Duration {
    Duration::from_millis(u64::from(crash) * 37 % LONGEST_MILLIS)
}

/// Asserts that the inventory names every object that the controller has made.
async fn check(team: &Team<'_>, crash: u32) {
    let inventory = team.inventory().await;
    for name in owned(team).await {
        let id = format!("NAMESPACE_{name}__ConfigMap");
        assert!(inventory.contains(&id), "crash {crash}: {name} is in no inventory: {inventory:?}");
    }
}

/// Returns the names of the objects that carry the owner's label.
async fn owned(team: &Team<'_>) -> BTreeSet<String> {
    let maps: Api<ConfigMap> = Api::namespaced(team.cluster.client(), &team.namespace);
    let labelled = ListParams::default().labels("kustomize.toolkit.fluxcd.io/name=app");
    let found = maps.list(&labelled).await.expect("the admin may list");
    found.items.iter().map(ResourceExt::name_any).collect()
}
