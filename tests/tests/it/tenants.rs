//! A Kustomization that names an account has that account's rights and no others.

use fairlead_tests::Controller;
use serde_json::json;

use crate::scene::{Team, config_map};

#[tokio::test]
async fn every_write_is_made_as_the_account_that_is_named() {
    let limits = config_map("limits", "one");
    let team = Team::new("tenant").await;
    team.grant("deployer", &["configmaps"]).await;
    team.repository.commit([("limits.yaml", Some(&limits))], "first");
    team.fetch().await;
    team.kustomize("app", json!({ "serviceAccountName": "deployer" })).await;
    team.ready().await;

    let deployer = format!("system:serviceaccount:{}:deployer", team.namespace);
    let written = team.cluster.writes_by(&deployer).await;
    assert!(written.iter().all(|write| write.sender == Controller::user()));
    assert!(written.iter().any(|write| write.resource == "configmaps" && write.name == "limits"));
    let own = team.cluster.writes_by(&Controller::user()).await;
    let own: Vec<_> =
        own.iter().filter(|write| write.namespace == team.namespace && write.resource == "configmaps").collect();
    assert!(own.is_empty(), "{own:#?}");
}

#[tokio::test]
async fn a_right_that_the_account_lacks_is_named_and_nothing_is_applied() {
    let limits = config_map("limits", "one");
    let role = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: all
rules:
  - apiGroups: ['*']
    resources: ['*']
    verbs: ['*']
";
    let team = Team::new("lacking").await;
    team.grant("deployer", &["configmaps"]).await;
    team.repository.commit([("limits.yaml", Some(limits.as_str())), ("role.yaml", Some(role))], "first");
    team.fetch().await;
    team.kustomize("app", json!({ "serviceAccountName": "deployer" })).await;
    let failed = team.failed().await;
    insta::assert_snapshot!(team.steady(&failed.to_string()), @r#"
    False ReconciliationFailed: role.yaml:1: Role/NAMESPACE/all cannot be read (Forbidden): roles.rbac.authorization.k8s.io "all" is forbidden: User "system:serviceaccount:NAMESPACE:deployer" cannot get resource "roles" in API group "rbac.authorization.k8s.io" in the namespace "NAMESPACE"
    bind a role that allows this to the user
    "#);
    assert_eq!(team.find("ConfigMap", "limits").await, None);
}
