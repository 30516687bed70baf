//! A `FluxConfiguration` of one namespace stays inside of it, and one of the cluster has the rights it was granted.

use fairlead_tests::{Request, TestCluster};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::scene::{Files, LIMIT, Team, config_map};

const CLUSTER_ROLE: &str = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: outside
rules: []
";

/// A `ConfigMap` of the team's namespace as YAML.
fn own_map(name: &str) -> String {
    config_map(name, "x").replace("metadata:\n", "metadata:\n  namespace: NAMESPACE\n")
}

/// A team whose repository is followed by `FluxConfiguration app`; `NAMESPACE` in a file is the team's.
async fn configured(prefix: &str, files: Files<'_>, scope: &str, more: Value) -> Team<'static> {
    let team = Team::new(prefix).await;
    let written = files.iter().map(|(path, text)| (*path, text.map(|text| text.replace("NAMESPACE", &team.namespace))));
    team.repository.commit(written, "first");
    let mut configuration = json!({
        "apiVersion": "fairlead.dev/v1alpha1",
        "kind": "FluxConfiguration",
        "metadata": { "name": "app", "namespace": team.namespace },
        "spec": {
            "scope": scope,
            "sourceKind": "GitRepository",
            "gitRepository": { "url": team.repository.url(), "repositoryRef": { "branch": "main" } },
            "kustomizations": { "main": { "path": "./", "prune": true } },
        },
    });
    if let (Some(spec), Value::Object(more)) = (configuration["spec"].as_object_mut(), more) {
        spec.extend(more);
    }
    team.cluster.apply(configuration).await;
    team
}

/// Waits until the configuration has the compliance `state`, and returns it.
async fn compliance(team: &Team<'_>, state: &str) -> Value {
    team.cluster
        .watch(&team.named("FluxConfiguration", "app"), LIMIT, |found| {
            found.filter(|found| found["status"]["complianceState"] == state).cloned()
        })
        .await
}

/// Returns what was written with the rights of any account of the team's namespace.
async fn writes_of_tenant(cluster: &TestCluster, namespace: &str) -> Vec<Request> {
    let accounts = format!("system:serviceaccount:{namespace}:");
    let mut writes = cluster.requests().await;
    writes.retain(|request| request.user.starts_with(&accounts) && request.is_write());
    writes
}

#[tokio::test]
async fn a_namespace_scope_applies_as_an_account_of_its_own_and_takes_everything_away_with_it() {
    let limits = own_map("limits");
    let team = configured("tenant", &[("limits.yaml", Some(&limits))], "namespace", json!({})).await;
    let compliant = compliance(&team, "Compliant").await;
    assert_eq!(compliant["status"]["provisioningState"], "Succeeded");
    let writes = writes_of_tenant(team.cluster, &team.namespace).await;
    assert!(writes.iter().any(|write| write.resource == "configmaps" && write.name == "limits"), "{writes:#?}");
    assert!(writes.iter().all(|write| write.namespace == team.namespace), "{writes:#?}");

    let named = team.named("FluxConfiguration", "app");
    team.cluster.delete(&named).await;
    team.cluster.wait_until_gone(&named, LIMIT).await;
    for (kind, name) in [("ConfigMap", "limits"), ("Kustomization", "app-main"), ("GitRepository", "app")] {
        assert_eq!(team.find(kind, name).await, None, "{kind} {name} is gone");
    }
}

/// Returns what the Kustomization of a configuration says that reaches out with `file`.
async fn refusal(name: &str, file: &str) -> String {
    let right = own_map("right");
    let files = [("right.yaml", Some(right.as_str())), ("out.yaml", Some(file))];
    let team = configured("escape", &files, "namespace", json!({})).await;
    let kustomization = team.named("Kustomization", "app-main");
    let failed = team
        .cluster
        .watch(&kustomization, LIMIT, |found| {
            let conditions = found?["status"]["conditions"].as_array()?.clone();
            conditions
                .into_iter()
                .find(|one| one["type"] == "Ready" && one["status"] == "False" && one["reason"] != "ArtifactFailed")
        })
        .await;
    let writes = writes_of_tenant(team.cluster, &team.namespace).await;
    assert!(writes.is_empty(), "{name}: {writes:#?}");
    format!("{name}\n  {}", team.steady(failed["message"].as_str().unwrap_or_default()).replace('\n', "\n  "))
}

#[tokio::test]
async fn a_namespace_scope_refuses_each_way_out_by_file_line_and_object_before_anything_is_written() {
    let elsewhere = config_map("limits", "x").replace("metadata:\n", "metadata:\n  namespace: default\n");
    let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  namespace: kube-system\n";
    let escalating = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: all
  namespace: kube-system
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin }
subjects: [{ kind: ServiceAccount, name: app, namespace: default }]
";
    let source = "\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: nested
  namespace: NAMESPACE
spec:
  interval: 1h
  prune: true
  sourceRef: { kind: GitRepository, name: other, namespace: flux-system }
";
    let account = "\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: nested
  namespace: NAMESPACE
spec:
  interval: 1h
  prune: true
  serviceAccountName: default
  sourceRef: { kind: GitRepository, name: app }
";
    let rows = [
        ("cluster-scoped kind", CLUSTER_ROLE),
        ("object in another namespace", elsewhere.as_str()),
        ("Secret in another namespace", secret),
        ("rights in another namespace", escalating),
        ("source in another namespace", source),
        ("another account", account),
    ];
    let refusals = join_all(rows.iter().map(|(name, file)| refusal(name, file))).await.join("\n");
    insta::assert_snapshot!(refusals, @"
    cluster-scoped kind
      out.yaml:1: ClusterRole/outside is cluster-wide, outside namespace NAMESPACE
    object in another namespace
      out.yaml:1: ConfigMap/default/limits is outside namespace NAMESPACE
    Secret in another namespace
      out.yaml:1: Secret/kube-system/s is outside namespace NAMESPACE
    rights in another namespace
      out.yaml:1: RoleBinding/kube-system/all is outside namespace NAMESPACE
    source in another namespace
      out.yaml:1: Kustomization/NAMESPACE/nested refers to namespace flux-system in spec.sourceRef.namespace
    another account
      out.yaml:1: Kustomization/NAMESPACE/nested names service account default in spec.serviceAccountName, not app-applier
    ");
}

#[tokio::test]
async fn a_role_that_grants_more_than_the_account_has_is_refused_by_the_api_server() {
    let role = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: escalates
  namespace: NAMESPACE
rules:
  - apiGroups: ['']
    resources: [nodes]
    verbs: ['*']
";
    let team = configured("escalate", &[("role.yaml", Some(role))], "namespace", json!({})).await;
    compliance(&team, "NonCompliant").await;
    assert_eq!(team.find("Role", "escalates").await, None);
}

#[tokio::test]
async fn a_cluster_scope_applies_what_a_namespace_scope_may_not() {
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: made-by-configuration\n";
    let team = configured("cluster", &[("namespace.yaml", Some(namespace))], "cluster", json!({})).await;
    compliance(&team, "Compliant").await;
    assert!(team.cluster.find("Namespace made-by-configuration").await.is_some());
}

#[tokio::test]
async fn a_kustomization_of_a_configuration_waits_for_another_one() {
    let (first, second) = (own_map("first"), own_map("second"));
    let files = [("a/first.yaml", Some(first.as_str())), ("b/second.yaml", Some(second.as_str()))];
    let kustomizations = json!({
        "kustomizations": {
            "a": { "path": "./a", "prune": true },
            "b": { "path": "./b", "prune": true, "dependsOn": ["a"] },
        },
    });
    let team = configured("order", &files, "namespace", kustomizations).await;
    compliance(&team, "Compliant").await;
    let b = team.find("Kustomization", "app-b").await.unwrap();
    assert_eq!(b["spec"]["dependsOn"][0]["name"], "app-a");
    assert!(team.find("ConfigMap", "second").await.is_some());
}
