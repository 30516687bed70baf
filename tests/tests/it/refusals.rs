//! What another manager, a namespace or an admission control of the cluster refuses is named, and comes when it may.

use fairlead_tests::{TestCluster, wait_until};
use serde_json::{Value, json};

use crate::scene::{LIMIT, Team, config_map};

/// The selector of one namespace, by the label that each has.
fn only(namespace: &str) -> Value {
    json!({ "matchLabels": { "kubernetes.io/metadata.name": namespace } })
}

/// Returns an object that does not go when it is deleted, and its namespace with it.
fn held(namespace: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": "held", "namespace": namespace, "finalizers": ["example.com/hold"] },
    })
}

/// Lets go what [`held`] holds up.
async fn release(cluster: &TestCluster, namespace: &str) {
    cluster.merge(&format!("ConfigMap {namespace}/held"), json!({ "metadata": { "finalizers": null } })).await;
}

/// Waits until the cluster refuses `ConfigMap probe` in the team's namespace: admission controls take a moment.
async fn refuses(team: &Team<'_>) {
    let probe = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": "probe", "namespace": team.namespace },
        "data": { "value": "forbidden" },
    });
    wait_until("the cluster refuses", LIMIT, async || team.cluster.try_apply(probe.clone()).await.err()).await;
}

#[tokio::test]
async fn a_field_that_another_applies_is_left_to_it_unless_the_object_lists_that_manager() {
    let limits = config_map("limits", "one");
    let team = Team::following("conflict", &[("limits.yaml", Some(&limits))], json!({})).await;
    team.ready().await;
    let applied_by_another = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": "limits", "namespace": team.namespace },
        "data": { "value": "theirs" },
    });
    team.cluster.apply(applied_by_another).await;
    let failed = team.failed().await;
    insta::assert_snapshot!(team.steady(&failed.to_string()), @r#"
    False ReconciliationFailed: limits.yaml:6: ConfigMap/NAMESPACE/limits dry-run failed (Conflict): Apply failed with 1 conflict: conflict with "test": .data.value
    leave the field out of the source, or take it over: annotate the object there with fairlead.dev/force-conflicts: test
    "#);
    assert_eq!(team.find("ConfigMap", "limits").await.unwrap()["data"]["value"], "theirs");

    let listed = limits.replace("metadata:\n", "metadata:\n  annotations:\n    fairlead.dev/force-conflicts: test\n");
    let commit = team.push(&[("limits.yaml", Some(&listed))]).await;
    team.applied(&commit).await;
    assert_eq!(team.find("ConfigMap", "limits").await.unwrap()["data"]["value"], "one");
}

#[tokio::test]
async fn a_conflict_over_a_secret_names_manager_and_field_and_no_value() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: door\nstringData:\n  key: hunter2\n";
    let team = Team::following("secret", &[("door.yaml", Some(secret))], json!({})).await;
    team.ready().await;
    let applied_by_another = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": "door", "namespace": team.namespace },
        "data": { "key": "dGhlaXJz" },
    });
    team.cluster.apply(applied_by_another).await;
    let failed = team.failed().await;
    insta::assert_snapshot!(team.steady(&failed.to_string()), @r#"
    False ReconciliationFailed: door.yaml:1: Secret/NAMESPACE/door dry-run failed (Conflict): Apply failed with 1 conflict: conflict with "test": .data.key
    leave the field out of the source, or take it over: annotate the object there with fairlead.dev/force-conflicts: test
    "#);
}

#[tokio::test]
async fn a_namespace_that_does_not_go_holds_up_what_is_in_it_and_nothing_else() {
    let team = Team::new("stuck").await;
    let stuck = team.cluster.namespace("stuck-target").await;
    team.cluster.apply(held(&stuck)).await;
    team.cluster.delete(&format!("Namespace {stuck}")).await;
    team.repository.commit([("limits.yaml", Some(config_map("limits", "one")))], "first");
    team.fetch().await;
    team.kustomize("app", json!({ "targetNamespace": stuck })).await;
    let failed = team.failed().await;
    insta::assert_snapshot!(failed.to_string().replace(&stuck, "STUCK"), @r#"
    False ReconciliationFailed: limits.yaml:1: ConfigMap/STUCK/limits apply failed (Forbidden): configmaps "limits" is forbidden: unable to create new content in namespace STUCK because it is being terminated
    Namespace STUCK goes when nothing is left in it: its status says what still is; this goes on by itself then
    "#);
    let other = Team::following("moving", &[("limits.yaml", Some(&config_map("limits", "one")))], json!({})).await;
    other.ready().await;

    release(team.cluster, &stuck).await;
    team.cluster.wait_until_gone(&format!("Namespace {stuck}"), LIMIT).await;
    let gone = team
        .cluster
        .watch(&team.named("Kustomization", "app"), LIMIT, |found| {
            let conditions = found?["status"]["conditions"].as_array()?.clone();
            let ready = conditions.into_iter().find(|one| one["type"] == "Ready")?;
            let message = ready["message"].as_str()?.replace(&stuck, "STUCK");
            message.contains("not found").then_some(message)
        })
        .await;
    insta::assert_snapshot!(gone, @r#"
    limits.yaml:1: ConfigMap/STUCK/limits apply failed (NotFound): namespaces "STUCK" not found
    create Namespace STUCK, or add it to the source; this goes on by itself then
    "#);

    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": stuck } });
    team.cluster.apply(namespace).await;
    team.ready().await;
    assert!(team.cluster.find(&format!("ConfigMap {stuck}/limits")).await.is_some());
}

#[tokio::test]
async fn a_namespace_of_the_source_that_was_deleted_comes_back_with_all_that_was_in_it() {
    let team = Team::new("own-namespace").await;
    let own = format!("{}-own", team.namespace);
    let namespace = format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {own}\n");
    let limits = config_map("limits", "one").replace("metadata:\n", &format!("metadata:\n  namespace: {own}\n"));
    team.repository.commit([("a.yaml", Some(namespace)), ("b.yaml", Some(limits))], "first");
    team.fetch().await;
    team.kustomize("app", json!({ "targetNamespace": null })).await;
    team.ready().await;

    let named = format!("Namespace {own}");
    let before = team.cluster.find(&named).await.unwrap()["metadata"]["uid"].clone();
    team.cluster.apply(held(&own)).await;
    team.cluster.delete(&named).await;
    let waiting = team
        .cluster
        .watch(&team.named("Kustomization", "app"), LIMIT, |found| {
            let conditions = found?["status"]["conditions"].as_array()?.clone();
            let reconciling = conditions.into_iter().find(|one| one["type"] == "Reconciling")?;
            let message = reconciling["message"].as_str()?.replace(&own, "OWN");
            message.starts_with("waiting").then_some(message)
        })
        .await;
    assert_eq!(waiting, "waiting for what the rest depends on: [Namespace/OWN status: 'Terminating']");

    release(team.cluster, &own).await;
    team.cluster.watch(&named, LIMIT, |found| (found?["metadata"]["uid"] != before).then_some(())).await;
    team.cluster.watch(&format!("ConfigMap {own}/limits"), LIMIT, |found| found.map(|_| ())).await;
    team.ready().await;
}

#[tokio::test]
async fn what_an_admission_policy_denies_is_named_with_its_file_and_the_policys_words() {
    let team = Team::new("denied").await;
    let name = &team.namespace;
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": { "name": name },
        "spec": {
            "matchConstraints": {
                "namespaceSelector": only(name),
                "resourceRules": [
                    { "apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"] },
                ],
            },
            "validations": [
                { "expression": "!has(object.data) || object.data.value != 'forbidden'", "message": "not this value" },
            ],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": { "name": name },
        "spec": { "policyName": name, "validationActions": ["Deny"] },
    });
    team.cluster.apply(policy).await;
    team.cluster.apply(binding).await;
    refuses(&team).await;
    let (right, wrong) = (config_map("right", "x"), config_map("wrong", "forbidden"));
    team.repository.commit([("right.yaml", Some(&right)), ("wrong.yaml", Some(&wrong))], "first");
    team.fetch().await;
    team.kustomize("app", json!({})).await;
    let failed = team.failed().await;
    insta::assert_snapshot!(team.steady(&failed.to_string()), @r#"False ReconciliationFailed: wrong.yaml:1: ConfigMap/NAMESPACE/wrong apply failed (Invalid): configmaps "wrong" is forbidden: ValidatingAdmissionPolicy 'NAMESPACE' with binding 'NAMESPACE' denied request: not this value"#);
    assert_eq!(team.find("ConfigMap", "wrong").await, None);

    let commit = team.push(&[("wrong.yaml", Some(&config_map("wrong", "allowed")))]).await;
    team.applied(&commit).await;
}

#[tokio::test]
async fn an_admission_webhook_that_does_not_answer_is_named_and_tried_again_until_it_is_gone() {
    let team = Team::new("webhook").await;
    let webhook = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": { "name": team.namespace },
        "webhooks": [{
            "name": "gate.example.com",
            "clientConfig": { "url": "https://127.0.0.1:1/" },
            "rules": [
                { "apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"] },
            ],
            "namespaceSelector": only(&team.namespace),
            "failurePolicy": "Fail",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "timeoutSeconds": 1,
        }],
    });
    team.cluster.apply(webhook).await;
    refuses(&team).await;
    team.repository.commit([("limits.yaml", Some(config_map("limits", "one")))], "first");
    team.fetch().await;
    team.kustomize("app", json!({})).await;
    let failed = team.failed().await;
    insta::assert_snapshot!(team.steady(&failed.to_string()), @r#"
    False ReconciliationFailed: limits.yaml:1: ConfigMap/NAMESPACE/limits apply failed (InternalError): Internal error occurred: failed calling webhook "gate.example.com": failed to call webhook: Post "https://127.0.0.1:1/?timeout=1s": dial tcp 127.0.0.1:1: connect: connection refused
    mend the webhook, or remove its configuration from the cluster; this goes on by itself then
    "#);

    team.cluster.delete(&format!("ValidatingWebhookConfiguration {}", team.namespace)).await;
    team.ready().await;
}
