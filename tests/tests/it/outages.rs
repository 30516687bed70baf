//! The API server refuses, forgets, or does not know the controller for a while: what was begun is resumed, and nothing
//! is lost.

use std::fs;

use fairlead_tests::{Controller, Fault, FaultProxy, TestCluster, WatchEnd, binary, wait_until};
use http::Method;
use serde_json::{Value, json};

use crate::{
    definitions::{definition, established, misses_its_kind, widget},
    scene::{LIMIT, Team, config_map},
};

/// A cluster of its own whose controller goes through a proxy.
struct Outpost {
    cluster: TestCluster,
    proxy: FaultProxy,
    _controller: Controller,
}

impl Outpost {
    async fn new() -> Self {
        let cluster = TestCluster::start().await;
        cluster.install().await;
        let proxy = FaultProxy::start(&cluster).await;
        let controller = Controller::start_with(&cluster, proxy.kubeconfig(), &[]).await;
        Self { cluster, proxy, _controller: controller }
    }

    /// Ends the watch whose path and query hold `part`, and lets no list and no watch of it through.
    async fn blind(&self, part: &str, end: WatchEnd) {
        let is_ended = async || (self.proxy.end_watches(part, end) > 0).then_some(());
        wait_until("there is a watch to end", LIMIT, is_ended).await;
        self.proxy.give(Fault::new(503, &[part]));
    }

    /// Makes a team whose `ConfigMap limits` is applied.
    async fn team(&self, prefix: &str) -> Team<'_> {
        let limits = config_map("limits", "one");
        let team = Team::on(&self.cluster, prefix).await.with(&[("limits.yaml", Some(&limits))], json!({})).await;
        team.ready().await;
        team
    }
}

fn value_of(found: Option<&Value>) -> Option<&str> {
    found?["data"]["value"].as_str()
}

/// Returns the path of a `ConfigMap` of `team`, as a request to apply it begins.
fn path(team: &Team<'_>, name: &str) -> String {
    format!("/namespaces/{}/configmaps/{name}?", team.namespace)
}

#[tokio::test]
async fn a_run_that_the_api_server_breaks_off_says_so_and_is_resumed_and_no_other_is_disturbed() {
    let outpost = Outpost::new().await;
    let (team, other) = (outpost.team("busy").await, outpost.team("calm").await);
    let mut told = Vec::new();
    for status in [429, 500, 503] {
        let name = format!("map-{status}");
        let fault = Fault::new(status, &[&path(&team, &name)]).method(Method::PATCH);
        outpost.proxy.give(if status == 429 { fault.retry_after(1) } else { fault });
        let commit = team.push(&[(&format!("{name}.yaml"), Some(&config_map(&name, "x")))]).await;
        told.push(team.failed().await.to_string());
        assert!(team.inventory().await.contains(&format!("NAMESPACE_{name}__ConfigMap")), "nothing may be lost");
        let undisturbed = other.push(&[("more.yaml", Some(&config_map("more", &format!("at {status}"))))]).await;
        other.applied(&undisturbed).await;

        outpost.proxy.heal();
        team.applied(&commit).await;
        assert!(team.find("ConfigMap", &name).await.is_some());
    }
    insta::assert_snapshot!(team.steady(&told.join("\n")), @r"
    False ReconciliationFailed: map-429.yaml:1: ConfigMap/NAMESPACE/map-429 apply failed (TooManyRequests): a test answers 429
    False ReconciliationFailed: map-500.yaml:1: ConfigMap/NAMESPACE/map-500 apply failed (InternalServerError): a test answers 500
    False ReconciliationFailed: map-503.yaml:1: ConfigMap/NAMESPACE/map-503 apply failed (ServiceUnavailable): a test answers 503
    ");
}

#[tokio::test]
async fn a_request_that_the_api_server_puts_off_for_a_moment_is_sent_again_without_a_word() {
    let outpost = Outpost::new().await;
    let team = outpost.team("moment").await;
    outpost.proxy.give(Fault::new(429, &[&path(&team, "more")]).method(Method::PATCH).retry_after(1).times(2));

    let app = team.named("Kustomization", "app");
    let more = config_map("more", "x");
    let files = [("more.yaml", Some(more.as_str()))];
    let mut failures = Vec::new();
    let watch = team.cluster.watch(&app, LIMIT, |found| {
        let conditions = found?["status"]["conditions"].as_array()?.clone();
        let ready = conditions.into_iter().find(|one| one["type"] == "Ready")?;
        failures.extend((ready["status"] == "False").then(|| ready.clone()));
        let revision = format!("main@sha1:{}", team.repository.head("main")?);
        (found?["status"]["lastAppliedRevision"] == revision.as_str()).then_some(())
    });
    tokio::join!(team.push(&files), watch);
    assert_eq!(outpost.proxy.given(), 2);
    assert!(failures.is_empty(), "{failures:#?}");
}

#[tokio::test]
async fn what_happened_while_watches_were_broken_is_put_right_and_then_nothing_is_asked_any_more() {
    let outpost = Outpost::new().await;
    let team = outpost.team("blind").await;
    let limits = team.named("ConfigMap", "limits");
    for end in [WatchEnd::Cut, WatchEnd::Expired] {
        outpost.blind("/api/v1/configmaps?", end).await;
        team.cluster.merge(&limits, json!({ "data": { "value": "by hand" } })).await;
        assert_eq!(team.find("ConfigMap", "limits").await.unwrap()["data"]["value"], "by hand");
        outpost.proxy.heal();
        team.cluster.watch(&limits, LIMIT, |found| (value_of(found) == Some("one")).then_some(())).await;
    }
    for end in [WatchEnd::Cut, WatchEnd::Expired] {
        outpost.blind("/v1/kustomizations?", end).await;
        let prefix = format!("{}-", if end == WatchEnd::Cut { "cut" } else { "expired" });
        team.kustomize("app", json!({ "namePrefix": prefix })).await;
        outpost.proxy.heal();
        team.ready().await;
        assert!(team.find("ConfigMap", &format!("{prefix}limits")).await.is_some());
    }

    let seen = outpost.cluster.requests().await.len();
    let commit = team.push(&[("README.md", Some("nothing that is built"))]).await;
    team.applied(&commit).await;
    let mut asked = outpost.cluster.requests().await.split_off(seen);
    asked.retain(|request| request.resource == "configmaps" && request.sender == Controller::user());
    assert!(asked.is_empty(), "the watches work again, so there is nothing to ask: {asked:#?}");
}

#[tokio::test]
async fn a_kind_that_went_while_its_watch_was_broken_is_missed() {
    let outpost = Outpost::new().await;
    let team = outpost.team("gone").await;
    let named = "CustomResourceDefinition widgets.example.com";
    outpost.cluster.apply(definition("example.com")).await;
    established(&outpost.cluster, named).await;
    let commit = team.push(&[("web.yaml", Some(&widget("example.com")))]).await;
    team.applied(&commit).await;

    outpost.blind("/v1/widgets?", WatchEnd::Cut).await;
    outpost.cluster.delete(named).await;
    outpost.cluster.wait_until_gone(named, LIMIT).await;
    outpost.proxy.heal();
    misses_its_kind(&team).await;
}

#[tokio::test]
async fn an_edit_that_the_answer_to_a_write_tells_before_the_watch_does_is_not_lost() {
    let outpost = Outpost::new().await;
    let team = outpost.team("edited").await;
    outpost.blind("/v1/kustomizations?", WatchEnd::Cut).await;
    team.kustomize("app", json!({ "namePrefix": "new-" })).await;
    team.push(&[("more.yaml", Some(&config_map("more", "x")))]).await;
    team.cluster.watch(&team.named("ConfigMap", "new-more"), LIMIT, |found| found.map(|_| ())).await;

    outpost.proxy.heal();
    team.ready().await;
    assert_eq!(team.inventory().await, ["NAMESPACE_new-limits__ConfigMap", "NAMESPACE_new-more__ConfigMap"]);
}

#[tokio::test]
async fn credentials_that_expired_are_read_anew() {
    let cluster = TestCluster::start().await;
    cluster.install().await;
    let token = cluster.folder().join("controller.token");
    let issue = async || fs::write(&token, cluster.token(binary::NAMESPACE, binary::ACCOUNT).await).unwrap();
    issue().await;
    let controller = Controller::start_with(&cluster, cluster.kubeconfig_for_token_file(&token), &[]).await;
    let limits = config_map("limits", "one");
    let team = Team::on(&cluster, "expired").await.with(&[("limits.yaml", Some(&limits))], json!({})).await;
    team.ready().await;

    cluster.delete(&format!("ServiceAccount {}/{}", binary::NAMESPACE, binary::ACCOUNT)).await;
    cluster.install().await;
    wait_until("the old token is refused", LIMIT, async || {
        team.request("GitRepository", "app").await;
        controller.metrics().await.contains(r#"code="401""#).then_some(())
    })
    .await;
    let commit = team.push(&[("limits.yaml", Some(&config_map("limits", "two")))]).await;
    issue().await;
    // A client looks for a new token once a minute.
    let limits = team.named("ConfigMap", "limits");
    team.cluster.watch(&limits, 3 * LIMIT, |found| (value_of(found) == Some("two")).then_some(())).await;
    team.applied(&commit).await;
}
