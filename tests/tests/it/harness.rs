//! The harness keeps its own promises.

use std::time::{Duration, Instant};

use fairlead_tests::{TestCluster, wait_until};
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Namespace, ServiceAccount},
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, ObjectMeta, PostParams},
};
use serde_json::json;

fn config_map(name: &str) -> ConfigMap {
    ConfigMap { metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() }, ..ConfigMap::default() }
}

#[tokio::test]
async fn controllers_roll_out_deployments_and_remove_namespaces() {
    let cluster = TestCluster::shared().await;
    let namespace = cluster.namespace("rollout").await;
    let deployments: Api<Deployment> = Api::namespaced(cluster.client(), &namespace);
    let deployment = json!({
        "metadata": { "name": "web" },
        "spec": {
            "replicas": 0,
            "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{ "name": "web", "image": "web" }] },
            },
        },
    });
    deployments.create(&PostParams::default(), &serde_json::from_value(deployment).unwrap()).await.unwrap();

    wait_until("Deployment web is observed", Duration::from_secs(30), async || {
        let web = deployments.get("web").await.unwrap();
        web.status?.observed_generation.filter(|seen| *seen == 1)
    })
    .await;

    let namespaces: Api<Namespace> = Api::all(cluster.client());
    namespaces.delete(&namespace, &DeleteParams::default()).await.unwrap();
    wait_until("the namespace is gone", Duration::from_mins(1), async || {
        namespaces.get_opt(&namespace).await.unwrap().is_none().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_service_account_has_only_its_own_rights_and_its_writes_are_on_record() {
    let cluster = TestCluster::shared().await;
    let namespace = cluster.namespace("account").await;
    let accounts: Api<ServiceAccount> = Api::namespaced(cluster.client(), &namespace);
    let account = serde_json::from_value(json!({ "metadata": { "name": "team" } })).unwrap();
    accounts.create(&PostParams::default(), &account).await.unwrap();

    let client = cluster.client_for_service_account(&namespace, "team").await;
    let maps: Api<ConfigMap> = Api::namespaced(client, &namespace);
    let refused = maps.create(&PostParams::default(), &config_map("mine")).await.unwrap_err();
    assert!(refused.to_string().contains("forbidden"), "{refused}");

    let writes = cluster.writes_by(&format!("system:serviceaccount:{namespace}:team")).await;
    let writes: Vec<_> =
        writes.iter().map(|write| (write.verb.as_str(), write.resource.as_str(), write.status)).collect();
    assert_eq!(writes, [("create", "configmaps", 403)]);
}

#[tokio::test]
async fn an_api_server_that_crashed_comes_back_with_its_data() {
    let started = Instant::now();
    let cluster = TestCluster::start().await;
    println!("started in {:?}", started.elapsed());
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client(), "default");
    maps.create(&PostParams::default(), &config_map("kept")).await.unwrap();

    cluster.stop_api_server();
    assert!(maps.get("kept").await.is_err());
    cluster.start_api_server().await;

    let found = maps.list(&ListParams::default()).await.unwrap();
    assert!(found.items.iter().any(|map| map.name_any() == "kept"));
}

#[tokio::test]
async fn kubectl_reads_the_cluster_that_it_is_pointed_at() {
    let cluster = TestCluster::shared().await;
    let namespace = cluster.namespace("kubectl").await;
    let output = cluster.kubectl(&["get", "namespace", &namespace, "-o", "name"]).await;
    assert_eq!(output.stdout, format!("namespace/{namespace}\n"), "{}", output.stderr);
}

#[tokio::test]
async fn a_watch_sees_an_object_come_change_and_go() {
    let cluster = TestCluster::shared().await;
    let namespace = cluster.namespace("watch").await;
    let limits = format!("ConfigMap {namespace}/limits");
    let map = |cpu: &str| {
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": "limits", "namespace": namespace },
            "data": { "cpu": cpu },
        })
    };
    cluster.apply(map("1")).await;
    let (_, seen) = tokio::join!(
        cluster.apply(map("2")),
        cluster.watch(&limits, Duration::from_secs(10), |found| {
            found.filter(|found| found["data"]["cpu"] == "2").map(|found| found["data"].clone())
        })
    );
    assert_eq!(seen, json!({ "cpu": "2" }));

    cluster.merge(&limits, json!({ "data": { "memory": "1Gi" } })).await;
    assert_eq!(cluster.find(&limits).await.unwrap()["data"], json!({ "cpu": "2", "memory": "1Gi" }));

    cluster.delete(&limits).await;
    cluster.wait_until_gone(&limits, Duration::from_secs(10)).await;
}
