//! A configuration of one namespace stays inside of it, one of the cluster has the rights it was granted, and the two do not
//! meet in one namespace.

use futures::future::join_all;
use serde_json::{Value, json};

use super::{compliant, condition, config_map, configuration, configure, writes_of_tenant};
use crate::scene::{LIMIT, Team};

/// Returns what is said of a configuration whose repository holds `file` beside an object that may be there; `NAMESPACE` in
/// it is the team's.
async fn refusal(name: &str, file: &str) -> String {
    let team = Team::new("way-out").await;
    let (within, out) = (config_map(&team, "within"), file.replace("NAMESPACE", &team.namespace));
    team.repository.commit([("app/within.yaml", Some(within)), ("app/out.yaml", Some(out))], "a way out");
    configure(&team, json!({})).await;
    let refused = |found: &Value| {
        let conditions = found["status"]["conditions"].as_array()?;
        let mut failed =
            conditions.iter().filter(|condition| condition["type"] == "Ready" && condition["status"] == "False");
        let message = failed.next()?["message"].as_str().filter(|message| message.contains("out.yaml"))?;
        Some(team.steady(message))
    };
    let message =
        team.cluster.watch(&team.named("Kustomization", "shop-app"), LIMIT, |found| found.and_then(refused)).await;
    assert_eq!(condition(&team, "shop", "Ready", "False").await.reason, "NonCompliant", "{name}");
    let written = writes_of_tenant(&team).await;
    assert!(written.is_empty(), "{name}: {written:#?}");
    format!("{name}\n  {}", message.replace('\n', "\n  "))
}

/// A Kustomization of the team's namespace whose spec has `spec` besides.
fn kustomization(spec: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: out\n  namespace: NAMESPACE\n\
         spec:\n  interval: 1h\n  prune: true\n  {spec}\n"
    )
}

#[tokio::test]
async fn a_namespace_scope_refuses_each_way_out_by_file_line_and_object_before_anything_is_written() {
    const RBAC: &str = "apiVersion: rbac.authorization.k8s.io/v1";
    let own = "sourceRef: { kind: GitRepository, name: shop }";
    let object = |kind: &str, namespace: &str| {
        format!("apiVersion: v1\nkind: {kind}\nmetadata:\n  name: out\n  namespace: {namespace}\n")
    };
    let configuration = json!({
        "apiVersion": "fairlead.dev/v1alpha1",
        "kind": "FluxConfiguration",
        "metadata": { "name": "out", "namespace": "NAMESPACE" },
        "spec": { "scope": "cluster" },
    });
    let rows = [
        ("a cluster-scoped kind", format!("{RBAC}\nkind: ClusterRole\nmetadata:\n  name: out\nrules: []\n")),
        ("an object in another namespace", object("ConfigMap", "default")),
        ("a Secret in another namespace", object("Secret", "kube-system")),
        (
            "rights in another namespace",
            format!(
                "{RBAC}\nkind: RoleBinding\nmetadata:\n  name: out\n  namespace: kube-system\n\
                 roleRef: {{ apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin }}\n\
                 subjects: [{{ kind: ServiceAccount, name: shop-applier, namespace: NAMESPACE }}]\n"
            ),
        ),
        (
            "rights that the account does not have",
            format!(
                "{RBAC}\nkind: Role\nmetadata:\n  name: out\n  namespace: NAMESPACE\n\
                 rules: [{{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }}]\n"
            ),
        ),
        (
            "a source in another namespace",
            kustomization("sourceRef: { kind: GitRepository, name: other, namespace: flux-system }"),
        ),
        ("another account", kustomization(&format!("{own}\n  serviceAccountName: default"))),
        (
            "health of another namespace",
            kustomization(&format!("{own}\n  healthChecks: [{{ kind: Secret, name: key, namespace: kube-system }}]")),
        ),
        (
            "credentials of its own",
            kustomization(&format!("{own}\n  kubeConfig: {{ secretRef: {{ name: elsewhere }} }}")),
        ),
        ("another target namespace", kustomization(&format!("{own}\n  targetNamespace: kube-system"))),
        ("a configuration with more rights", configuration.to_string()),
    ];
    let refusals = join_all(rows.iter().map(|(name, file)| refusal(name, file))).await.join("\n");
    insta::assert_snapshot!(refusals, @r#"
    a cluster-scoped kind
      app/out.yaml:1: ClusterRole/out is cluster-wide, outside namespace NAMESPACE
    an object in another namespace
      app/out.yaml:1: ConfigMap/default/out is outside namespace NAMESPACE
    a Secret in another namespace
      app/out.yaml:1: Secret/kube-system/out is outside namespace NAMESPACE
    rights in another namespace
      app/out.yaml:1: RoleBinding/kube-system/out is outside namespace NAMESPACE
    rights that the account does not have
      app/out.yaml:1: Role/NAMESPACE/out dry-run failed (Forbidden): roles.rbac.authorization.k8s.io "out" is forbidden: user "system:serviceaccount:NAMESPACE:shop-applier" (groups=["system:serviceaccounts" "system:serviceaccounts:NAMESPACE" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:
      {APIGroups:["*"], Resources:["*"], Verbs:["*"]}
    a source in another namespace
      app/out.yaml:1: Kustomization/NAMESPACE/out refers to namespace flux-system in spec.sourceRef.namespace
    another account
      app/out.yaml:1: Kustomization/NAMESPACE/out names service account default in spec.serviceAccountName, not shop-applier
    health of another namespace
      app/out.yaml:1: Kustomization/NAMESPACE/out refers to namespace kube-system in spec.healthChecks[0].namespace
    credentials of its own
      app/out.yaml:1: Kustomization/NAMESPACE/out applies with credentials of its own, named in spec.kubeConfig
    another target namespace
      app/out.yaml:1: Kustomization/NAMESPACE/out refers to namespace kube-system in spec.targetNamespace
    a configuration with more rights
      app/out.yaml:1: FluxConfiguration/NAMESPACE/out would grant rights of its own
    "#);
}

#[tokio::test]
async fn a_cluster_scope_applies_what_a_namespace_scope_may_not_and_gets_its_rights_back() {
    let team = Team::new("cluster-scope").await;
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: made-by-configuration\n";
    team.repository.commit([("app/namespace.yaml", Some(namespace))], "first");
    configure(&team, json!({ "scope": "cluster" })).await;
    compliant(&team).await;
    assert!(team.cluster.find("Namespace made-by-configuration").await.is_some());

    let binding = format!("ClusterRoleBinding flux-applier-{}-shop", team.namespace);
    let before = team.cluster.find(&binding).await.expect("it is made of the configuration");
    let is_new = |found: &Value| (found["metadata"]["uid"] != before["metadata"]["uid"]).then_some(());
    team.cluster.delete(&binding).await;
    team.cluster.watch(&binding, LIMIT, |found| found.and_then(is_new)).await;
}

#[tokio::test]
async fn the_later_of_two_scopes_in_a_namespace_is_refused_until_the_other_is_gone() {
    let team = Team::new("scopes").await;
    team.repository.commit([("app/app.yaml", Some(config_map(&team, "app")))], "first");
    configure(&team, json!({})).await;
    compliant(&team).await;
    team.cluster.apply(configuration(&team, "strong", json!({ "scope": "cluster" }))).await;

    let refused = condition(&team, "strong", "Stalled", "True").await;
    insta::assert_snapshot!(team.steady(&refused.to_string()), @"True AccessDenied: spec.scope is `cluster`, but FluxConfiguration NAMESPACE/shop of this namespace has another: whoever may create pods here could use the stronger account; move one of them to another namespace");
    assert_eq!(team.find("ServiceAccount", "strong-applier").await, None);

    let shop = team.named("FluxConfiguration", "shop");
    team.cluster.delete(&shop).await;
    team.cluster.wait_until_gone(&shop, LIMIT).await;
    condition(&team, "strong", "Ready", "True").await;
    team.cluster.delete(&team.named("FluxConfiguration", "strong")).await;
    team.cluster.wait_until_gone(&team.named("FluxConfiguration", "strong"), LIMIT).await;
    let binding = format!("ClusterRoleBinding flux-applier-{}-strong", team.namespace);
    assert_eq!(team.cluster.find(&binding).await, None);
}
