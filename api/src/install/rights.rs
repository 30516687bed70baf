//! What the controller may do, and what a tenant may.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Applier, InstallOptions, NAME, TENANT_ROLE, component_labels, metadata};

const RBAC: &str = "rbac.authorization.k8s.io";

/// The kinds of sources.
const SOURCES: [&str; 5] = ["buckets", "gitrepositories", "helmcharts", "helmrepositories", "ocirepositories"];

/// The account, roles and bindings.
pub(crate) fn manifests(options: &InstallOptions) -> Vec<Value> {
    let controller = format!("{NAME}-controller-{}", options.namespace);
    let mut all = vec![
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(options, NAME)}),
        cluster_role(options, &controller, &controller_rules(options)),
        cluster_role(options, TENANT_ROLE, &tenant_rules()),
        cluster_role_binding(options, &controller, &controller),
        election_role(options),
        election_role_binding(options),
    ];
    match options.applier {
        Applier::Controller => {
            let name = format!("cluster-reconciler-{}", options.namespace);
            all.push(cluster_role_binding(options, &name, "cluster-admin"));
        }
        Applier::ServiceAccount(_) => {}
    }
    all
}

/// What the controller needs for its own work. What a `Kustomization` applies is not among it: that is done as an
/// account, or under the binding to `cluster-admin`.
fn controller_rules(options: &InstallOptions) -> Value {
    let grantable = match options.applier {
        Applier::Controller => json!(["admin", "cluster-admin", TENANT_ROLE]),
        Applier::ServiceAccount(_) => json!(["admin", TENANT_ROLE]),
    };
    json!([
        // Drift and health are seen by one watch for each kind that anyone applied, whatever it is.
        rule(&["*"], &["*"], &["get", "list", "watch"]),
        rule(&["fairlead.dev"], &["fluxconfigurations", "fluxconfigurations/status"], &["patch"]),
        rule(&["source.toolkit.fluxcd.io"], &SOURCES.map(|plural| format!("{plural}/status")), &["patch"]),
        rule(&["kustomize.toolkit.fluxcd.io"], &["kustomizations/status"], &["patch"]),
        rule(&["helm.toolkit.fluxcd.io"], &["helmreleases", "helmreleases/status"], &["patch"]),
        rule(&["notification.toolkit.fluxcd.io"], &["receivers", "receivers/status"], &["patch"]),
        rule(&[""], &["events"], &["create", "patch"]),
        rule(&[""], &["serviceaccounts"], &["impersonate"]),
        // What a webhook wakes that others reconcile.
        rule(&["source.toolkit.fluxcd.io"], &["externalartifacts", "helmcharts"], &["patch"]),
        rule(&["source.extensions.fluxcd.io"], &["artifactgenerators"], &["patch"]),
        rule(
            &["image.toolkit.fluxcd.io"],
            &["imagepolicies", "imagerepositories", "imageupdateautomations"],
            &["patch"],
        ),
        // What a configuration consists of.
        rule(&["source.toolkit.fluxcd.io"], &SOURCES, &["create", "patch", "delete"]),
        rule(&["kustomize.toolkit.fluxcd.io"], &["kustomizations"], &["create", "patch", "delete"]),
        rule(&[""], &["secrets", "serviceaccounts"], &["create", "patch", "delete"]),
        rule(&[RBAC], &["rolebindings", "clusterrolebindings"], &["create", "patch", "delete"]),
        {"apiGroups": [RBAC], "resources": ["clusterroles"], "resourceNames": grantable, "verbs": ["bind"]},
        // Without it, some servers do not let these objects name their configuration as an owner that waits for them.
        rule(&["fairlead.dev"], &["fluxconfigurations/finalizers"], &["update"]),
    ])
}

/// What a tenant may do with the served kinds in its namespace. A `FluxConfiguration` is not among them: it can be given
/// rights over the whole cluster.
fn tenant_rules() -> Value {
    let verbs = &["get", "list", "watch", "create", "patch", "update", "delete"];
    json!([
        rule(&["source.toolkit.fluxcd.io"], &SOURCES, verbs),
        rule(&["source.toolkit.fluxcd.io"], &["externalartifacts"], verbs),
        rule(&["kustomize.toolkit.fluxcd.io"], &["kustomizations"], verbs),
        rule(&["helm.toolkit.fluxcd.io"], &["helmreleases"], verbs),
        rule(&["notification.toolkit.fluxcd.io"], &["receivers"], verbs),
    ])
}

fn rule(groups: &[&str], resources: &[impl Serialize], verbs: &[&str]) -> Value {
    json!({"apiGroups": groups, "resources": resources, "verbs": verbs})
}

fn cluster_role(options: &InstallOptions, name: &str, rules: &Value) -> Value {
    json!({
        "apiVersion": format!("{RBAC}/v1"),
        "kind": "ClusterRole",
        "metadata": {"name": name, "labels": component_labels(options)},
        "rules": rules,
    })
}

fn cluster_role_binding(options: &InstallOptions, name: &str, role: &str) -> Value {
    json!({
        "apiVersion": format!("{RBAC}/v1"),
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name, "labels": component_labels(options)},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [account(options)],
    })
}

/// The lease by which one of several controllers leads lies in the controller's namespace.
fn election_role(options: &InstallOptions) -> Value {
    json!({
        "apiVersion": format!("{RBAC}/v1"),
        "kind": "Role",
        "metadata": metadata(options, NAME),
        "rules": [rule(&["coordination.k8s.io"], &["leases"], &["get", "create", "update"])],
    })
}

fn election_role_binding(options: &InstallOptions) -> Value {
    json!({
        "apiVersion": format!("{RBAC}/v1"),
        "kind": "RoleBinding",
        "metadata": metadata(options, NAME),
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": NAME},
        "subjects": [account(options)],
    })
}

fn account(options: &InstallOptions) -> Value {
    json!({"kind": "ServiceAccount", "name": NAME, "namespace": options.namespace})
}
