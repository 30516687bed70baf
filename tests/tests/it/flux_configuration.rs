//! A `FluxConfiguration`: one object for a source, what is built from it, and the rights it is applied with.

mod scopes;
mod sources;

use fairlead_tests::{Condition, Controller, Request, git::Access};
use serde_json::{Value, json};

use crate::scene::{LIMIT, Team};

/// A configuration of the team's repository, for its namespace only, whose spec has `spec` besides.
fn configuration(team: &Team<'_>, name: &str, spec: Value) -> Value {
    let mut configuration = json!({
        "apiVersion": "fairlead.dev/v1alpha1",
        "kind": "FluxConfiguration",
        "metadata": { "name": name, "namespace": team.namespace },
        "spec": {
            "scope": "namespace",
            "gitRepository": { "url": team.repository.url(), "repositoryRef": { "branch": "main" } },
            "kustomizations": { "app": { "path": "./app", "prune": true } },
        },
    });
    if let (Some(into), Value::Object(more)) = (configuration["spec"].as_object_mut(), spec) {
        into.extend(more);
    }
    configuration
}

/// Applies the configuration `shop` whose spec has `spec` besides.
async fn configure(team: &Team<'_>, spec: Value) {
    team.cluster.apply(configuration(team, "shop", spec)).await;
}

async fn condition(team: &Team<'_>, name: &str, kind: &str, status: &str) -> Condition {
    team.cluster.wait_for(&team.named("FluxConfiguration", name), kind, status, LIMIT).await
}

/// Waits until the configuration `shop` is compliant, and returns it.
async fn compliant(team: &Team<'_>) -> Value {
    condition(team, "shop", "Ready", "True").await;
    team.find("FluxConfiguration", "shop").await.expect("it was just seen")
}

/// A ConfigMap of the team's namespace as YAML.
fn config_map(team: &Team<'_>, name: &str) -> String {
    let namespace = &team.namespace;
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: {namespace}\ndata:\n  value: one\n"
    )
}

/// Returns what was written with the rights of any account of the team's namespace.
async fn writes_of_tenant(team: &Team<'_>) -> Vec<Request> {
    let accounts = format!("system:serviceaccount:{}:", team.namespace);
    let mut writes = team.cluster.requests().await;
    writes.retain(|request| request.user.starts_with(&accounts) && request.is_write());
    writes
}

#[tokio::test]
async fn a_configuration_becomes_a_source_kustomizations_and_an_account_and_takes_them_along() {
    let team = Team::new("whole").await;
    team.repository.commit(
        [("infra/infra.yaml", Some(config_map(&team, "infra"))), ("app/app.yaml", Some(config_map(&team, "app")))],
        "first",
    );
    let head = team.repository.head("main").expect("there is a commit");
    let kustomizations = json!({
        "infra": { "path": "./infra", "prune": false },
        "app": { "path": "./app", "prune": true, "dependsOn": ["infra"] },
    });
    configure(&team, json!({ "kustomizations": kustomizations })).await;

    let shop = compliant(&team).await;
    assert_eq!(shop["status"]["complianceState"], "Compliant");
    assert_eq!(shop["status"]["provisioningState"], "Succeeded");
    assert_eq!(shop["status"]["sourceSyncedCommitId"], format!("main/{head}"));
    let listed: Vec<_> = shop["status"]["statuses"].as_array().into_iter().flatten().collect();
    let named: Vec<_> = listed.iter().map(|object| format!("{} {}", object["kind"], object["name"])).collect();
    insta::assert_snapshot!(named.join("\n"), @r#"
    "GitRepository" "shop"
    "Kustomization" "shop-app"
    "Kustomization" "shop-infra"
    "#);
    let app = team.find("Kustomization", "shop-app").await.expect("it is made of the configuration");
    assert_eq!(app["spec"]["serviceAccountName"], "shop-applier");
    assert_eq!(app["spec"]["dependsOn"], json!([{ "name": "shop-infra" }]));
    let written = writes_of_tenant(&team).await;
    assert!(written.iter().any(|write| write.resource == "configmaps" && write.name == "app"), "{written:#?}");
    assert!(written.iter().all(|write| write.namespace == team.namespace), "{written:#?}");

    let shop = team.named("FluxConfiguration", "shop");
    team.cluster.delete(&shop).await;
    team.cluster.wait_until_gone(&shop, LIMIT).await;
    assert_eq!(team.find("ConfigMap", "app").await, None, "it is pruned");
    assert!(team.find("ConfigMap", "infra").await.is_some(), "prune is false");
    for (kind, name) in [
        ("Kustomization", "shop-app"),
        ("Kustomization", "shop-infra"),
        ("GitRepository", "shop"),
        ("ServiceAccount", "shop-applier"),
        ("RoleBinding", "flux-applier-shop"),
        ("RoleBinding", "flux-applier-shop:tenant"),
    ] {
        assert_eq!(team.find(kind, name).await, None, "{kind} {name}");
    }
}

#[tokio::test]
async fn what_waits_for_a_kustomization_that_failed_makes_the_configuration_non_compliant() {
    let team = Team::new("broken").await;
    team.repository.commit(
        [("infra/infra.yaml", Some("kind: [".to_owned())), ("app/app.yaml", Some(config_map(&team, "app")))],
        "first",
    );
    let kustomizations = json!({ "infra": { "path": "./infra" }, "app": { "path": "./app", "dependsOn": ["infra"] } });
    configure(&team, json!({ "kustomizations": kustomizations })).await;

    let failed = condition(&team, "shop", "Ready", "False").await;
    assert_eq!(failed.reason, "NonCompliant", "{failed}");
    assert!(failed.message.contains("infra.yaml"), "{failed}");
    let shop = team.find("FluxConfiguration", "shop").await.expect("it is there");
    assert_eq!(shop["status"]["provisioningState"], "Succeeded", "its objects are there");
    assert_eq!(team.find("ConfigMap", "app").await, None);
}

#[tokio::test]
async fn what_someone_changed_or_deleted_is_put_right_and_what_is_no_longer_named_goes() {
    let team = Team::new("put-right").await;
    team.repository.commit(
        [("app/app.yaml", Some(config_map(&team, "app"))), ("more/more.yaml", Some(config_map(&team, "more")))],
        "first",
    );
    let both = json!({ "app": { "path": "./app", "prune": true }, "more": { "path": "./more", "prune": true } });
    configure(&team, json!({ "kustomizations": both })).await;
    compliant(&team).await;

    let app = team.named("Kustomization", "shop-app");
    team.cluster.merge(&app, json!({ "spec": { "serviceAccountName": "default" } })).await;
    let is_ours = |found: &Value| (found["spec"]["serviceAccountName"] == "shop-applier").then_some(());
    team.cluster.watch(&app, LIMIT, |found| found.and_then(is_ours)).await;

    team.cluster.delete(&team.named("GitRepository", "shop")).await;
    let is_fetched = |found: &Value| found["status"]["artifact"].is_object().then_some(());
    let is_new = |found: &Value| found["metadata"]["deletionTimestamp"].is_null().then_some(());
    let source = team.named("GitRepository", "shop");
    team.cluster.watch(&source, LIMIT, |found| found.and_then(|found| is_new(found).and(is_fetched(found)))).await;

    configure(&team, json!({})).await;
    team.cluster.wait_until_gone(&team.named("Kustomization", "shop-more"), LIMIT).await;
    assert_eq!(team.find("ConfigMap", "more").await, None, "it is pruned");
    assert!(team.find("ConfigMap", "app").await.is_some());
}

#[tokio::test]
async fn an_account_its_rights_and_its_credentials_come_back_when_someone_takes_or_changes_them() {
    let team = Team::new("identity").await;
    team.git.set_access(Access::Basic { username: "deploy".to_owned(), password: "first".to_owned() });
    team.repository.commit([("app/app.yaml", Some(config_map(&team, "app")))], "first");
    team.secret(json!({ "httpsKey": "first" })).await;
    let mut git = configuration(&team, "shop", json!({}))["spec"]["gitRepository"].clone();
    git["httpsUser"] = "deploy".into();
    let reference = json!({ "secretRef": { "name": "git" } });
    configure(&team, json!({ "gitRepository": git, "configurationProtectedSettings": reference })).await;
    compliant(&team).await;

    for (kind, name) in [
        ("ServiceAccount", "shop-applier"),
        ("RoleBinding", "flux-applier-shop"),
        ("RoleBinding", "flux-applier-shop:tenant"),
        ("Secret", "shop-auth"),
    ] {
        let before = team.find(kind, name).await.expect("it is made of the configuration");
        let is_new = |found: &Value| (found["metadata"]["uid"] != before["metadata"]["uid"]).then_some(());
        team.cluster.delete(&team.named(kind, name)).await;
        team.cluster.watch(&team.named(kind, name), LIMIT, |found| found.and_then(is_new)).await;
    }

    let binding = team.named("RoleBinding", "flux-applier-shop");
    team.cluster.merge(&binding, json!({ "subjects": [] })).await;
    let is_bound = |found: &Value| (found["subjects"][0]["name"] == "shop-applier").then_some(());
    team.cluster.watch(&binding, LIMIT, |found| found.and_then(is_bound)).await;

    let secret = team.named("Secret", "shop-auth");
    team.cluster.merge(&secret, json!({ "data": { "password": "c2Vjb25k" } })).await;
    let is_first = |found: &Value| (found["data"]["password"] == "Zmlyc3Q=").then_some(());
    team.cluster.watch(&secret, LIMIT, |found| found.and_then(is_first)).await;
}

#[tokio::test]
async fn nothing_is_written_while_nothing_changes() {
    let team = Team::new("idle").await;
    team.repository.commit([("app/app.yaml", Some(config_map(&team, "app")))], "first");
    configure(&team, json!({})).await;
    compliant(&team).await;
    let written = async || {
        let written = team.cluster.writes_by(&Controller::user()).await;
        written.iter().filter(|write| write.namespace == team.namespace && write.resource != "events").count()
    };
    let before = written().await;
    for (kind, name) in [("FluxConfiguration", "shop"), ("GitRepository", "shop")] {
        team.request(kind, name).await;
    }
    let handled = |found: &Value| found["status"]["lastHandledReconcileAt"].is_string().then_some(());
    for kind in ["FluxConfiguration", "GitRepository"] {
        team.cluster.watch(&team.named(kind, "shop"), LIMIT, |found| found.and_then(handled)).await;
    }
    assert_eq!(written().await - before, 2, "each says that it handled the request, and no more");
}

#[tokio::test]
async fn protected_settings_become_credentials_and_are_followed() {
    let team = Team::new("settings").await;
    let access = |password: &str| Access::Basic { username: "deploy".to_owned(), password: password.to_owned() };
    team.git.set_access(access("first"));
    team.repository.commit([("app/app.yaml", Some(config_map(&team, "app")))], "first");
    let mut git = configuration(&team, "shop", json!({}))["spec"]["gitRepository"].clone();
    git["httpsUser"] = "deploy".into();
    let reference = json!({ "secretRef": { "name": "git" } });
    configure(&team, json!({ "gitRepository": git, "configurationProtectedSettings": reference })).await;
    let stalled = condition(&team, "shop", "Stalled", "True").await;
    insta::assert_snapshot!(stalled, @"True InvalidProtectedSettings: Secret git of spec.configurationProtectedSettings.secretRef not found");

    team.secret(json!({ "httpsKey": "first" })).await;
    compliant(&team).await;
    let made = team.find("Secret", "shop-auth").await.expect("it is made of the settings");
    assert_eq!(made["data"], json!({ "username": "ZGVwbG95", "password": "Zmlyc3Q=" }));

    team.git.set_access(access("second"));
    team.request("GitRepository", "shop").await;
    condition(&team, "shop", "Ready", "False").await;
    team.secret(json!({ "httpsKey": "second" })).await;
    compliant(&team).await;
}

#[tokio::test]
async fn an_ssh_url_without_a_key_gets_one_and_shows_its_public_half() {
    let team = Team::new("ssh").await;
    let git = json!({ "url": "ssh://git@127.0.0.1:1/repo", "repositoryRef": { "branch": "main" } });
    configure(&team, json!({ "gitRepository": git })).await;
    let public = |found: &Value| found["status"]["repositoryPublicKey"].as_str().map(str::to_owned);
    let shop = team.named("FluxConfiguration", "shop");
    let first = team.cluster.watch(&shop, LIMIT, |found| found.and_then(public)).await;
    assert!(first.starts_with("ssh-ed25519 "), "{first}");

    team.request("FluxConfiguration", "shop").await;
    let handled = |found: &Value| found["status"]["lastHandledReconcileAt"].is_string().then(|| public(found));
    let again = team.cluster.watch(&shop, LIMIT, |found| found.and_then(handled)).await;
    assert_eq!(again, Some(first), "the key stays");
}

#[tokio::test]
async fn what_cannot_be_used_is_named_by_its_field() {
    let team = Team::new("fields").await;
    for (spec, reason, message) in [
        (
            json!({ "waitForReconciliation": true }),
            "UnsupportedField",
            "spec.waitForReconciliation is not supported yet: remove it",
        ),
        (
            json!({ "kustomizations": { "a": { "dependsOn": ["b"] }, "b": { "dependsOn": ["a"] } } }),
            "InvalidConfiguration",
            "spec.kustomizations: dependsOn goes round in a circle: a → b → a",
        ),
    ] {
        configure(&team, spec).await;
        let stalled = |found: &Value| {
            let conditions = found["status"]["conditions"].as_array()?;
            let found = conditions.iter().find(|condition| condition["type"] == "Stalled")?;
            Some(found["message"].clone()).filter(|_| found["reason"] == reason)
        };
        let shop = team.named("FluxConfiguration", "shop");
        assert_eq!(team.cluster.watch(&shop, LIMIT, |found| found.and_then(stalled)).await, message);
    }
    assert_eq!(team.find("GitRepository", "shop").await, None);
}

#[tokio::test]
async fn what_belongs_to_someone_else_is_not_taken_over() {
    let team = Team::new("foreign").await;
    let mut own = team.git_repository(team.repository.url());
    own["metadata"]["name"] = "shop".into();
    team.cluster.apply(own).await;
    configure(&team, json!({})).await;
    let failed = condition(&team, "shop", "Ready", "False").await;
    insta::assert_snapshot!(team.steady(&failed.to_string()), @"False ProvisioningFailed: GitRepository NAMESPACE/shop exists and does not belong to this configuration");

    let shop = team.named("FluxConfiguration", "shop");
    team.cluster.delete(&shop).await;
    team.cluster.wait_until_gone(&shop, LIMIT).await;
    assert!(team.find("GitRepository", "shop").await.is_some());
}
