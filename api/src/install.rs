//! What an installation consists of: the objects that `fairlead install` applies.
//!
//! # Follows Flux
//! The namespace, the labels by which Flux's tools find their parts, and the binding that lets a `Kustomization` apply
//! anything unless it names an account.
//! # Differs from Flux
//! One Deployment holds all controllers.

pub(crate) mod rights;
pub(crate) mod workload;

use serde_json::{Map, Value, json};

use crate::crds::{VERSION, crds};
use crate::names::labels;

/// The name of the Deployment, its account, its Service and its component label.
pub const NAME: &str = "fairlead";

/// The `ClusterRole` with the rights over the served kinds that a tenant has in a namespace of its own.
pub const TENANT_ROLE: &str = "fairlead-tenant";

/// What can be chosen about an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallOptions {
    /// The namespace it lives in.
    pub namespace: String,
    /// The image it runs, with its tag.
    pub image: String,
    /// Who applies a `Kustomization` that names no account.
    pub applier: Applier,
    /// The domain of the cluster's services.
    pub cluster_domain: String,
    /// How much it logs: `trace`, `debug`, `info` or `error`.
    pub log_level: String,
}

impl Default for InstallOptions {
    fn default() -> Self {
        Self {
            namespace: "flux-system".to_owned(),
            image: format!("localhost/fairlead:{VERSION}"),
            applier: Applier::Controller,
            cluster_domain: "cluster.local".to_owned(),
            log_level: "info".to_owned(),
        }
    }
}

/// Who applies a `Kustomization` that names no account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applier {
    /// The controller, which is therefore bound to `cluster-admin`.
    Controller,
    /// The account of this name in the namespace of the `Kustomization`. The controller is bound to nothing but what it
    /// needs itself, no reference leads into another namespace, and no configuration can have `scope: cluster`.
    ServiceAccount(String),
}

/// The objects of an installation, in the order in which they are to be applied.
pub fn manifests(options: &InstallOptions) -> Vec<Value> {
    let mut all = vec![namespace(options)];
    all.extend(definitions(options));
    all.extend(rights::manifests(options));
    all.extend(workload::manifests(options));
    all
}

/// The namespace, which lets only restricted pods in.
pub(crate) fn namespace(options: &InstallOptions) -> Value {
    let mut namespace = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": options.namespace, "labels": labels(options)},
    });
    for mode in ["enforce", "warn"] {
        namespace["metadata"]["labels"][format!("pod-security.kubernetes.io/{mode}")] = "restricted".into();
    }
    namespace
}

/// The definitions of the served kinds.
pub(crate) fn definitions(options: &InstallOptions) -> Vec<Value> {
    crds()
        .into_iter()
        .map(|mut crd| {
            crd.metadata.labels.get_or_insert_default().insert(labels::INSTANCE.to_owned(), options.namespace.clone());
            serde_json::to_value(crd).expect("a definition has a JSON form")
        })
        .collect()
}

/// The labels of everything in an installation.
fn labels(options: &InstallOptions) -> Map<String, Value> {
    [(labels::PART_OF, "flux"), (labels::INSTANCE, options.namespace.as_str()), (labels::VERSION, VERSION)]
        .map(|(key, value)| (key.to_owned(), value.into()))
        .into_iter()
        .collect()
}

/// The labels of the controller.
fn component_labels(options: &InstallOptions) -> Map<String, Value> {
    let mut labels = labels(options);
    labels.insert(labels::COMPONENT.to_owned(), NAME.into());
    labels
}

/// The metadata of an object of the controller in its namespace.
fn metadata(options: &InstallOptions, name: &str) -> Value {
    json!({"name": name, "namespace": options.namespace, "labels": component_labels(options)})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked_down() -> InstallOptions {
        InstallOptions {
            namespace: "gitops".to_owned(),
            applier: Applier::ServiceAccount("applier".to_owned()),
            ..InstallOptions::default()
        }
    }

    /// Each object on a line, and what a binding binds.
    fn show(options: &InstallOptions) -> String {
        let lines = manifests(options).into_iter().map(|object| {
            let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
            let place = [text("/metadata/namespace"), text("/metadata/name")].join("/");
            let role = text("/roleRef/name");
            let bound = if role.is_empty() { role } else { format!(" to {role}") };
            format!("{} {}{bound}", text("/kind"), place.trim_start_matches('/'))
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn find(options: &InstallOptions, kind: &str, name: &str) -> Value {
        let is_it = |object: &Value| object["kind"] == kind && object["metadata"]["name"] == name;
        manifests(options).into_iter().find(is_it).expect("it is part of an installation")
    }

    #[test]
    fn an_installation_stands_in_the_order_in_which_it_is_applied() {
        insta::assert_snapshot!(show(&InstallOptions::default()), @r"
        Namespace flux-system
        CustomResourceDefinition buckets.source.toolkit.fluxcd.io
        CustomResourceDefinition externalartifacts.source.toolkit.fluxcd.io
        CustomResourceDefinition fluxconfigurations.fairlead.dev
        CustomResourceDefinition gitrepositories.source.toolkit.fluxcd.io
        CustomResourceDefinition helmcharts.source.toolkit.fluxcd.io
        CustomResourceDefinition helmreleases.helm.toolkit.fluxcd.io
        CustomResourceDefinition helmrepositories.source.toolkit.fluxcd.io
        CustomResourceDefinition kustomizations.kustomize.toolkit.fluxcd.io
        CustomResourceDefinition ocirepositories.source.toolkit.fluxcd.io
        CustomResourceDefinition receivers.notification.toolkit.fluxcd.io
        ServiceAccount flux-system/fairlead
        ClusterRole fairlead-controller-flux-system
        ClusterRole fairlead-tenant
        ClusterRoleBinding fairlead-controller-flux-system to fairlead-controller-flux-system
        Role flux-system/fairlead
        RoleBinding flux-system/fairlead to fairlead
        ClusterRoleBinding cluster-reconciler-flux-system to cluster-admin
        Service flux-system/fairlead
        Service flux-system/webhook-receiver
        NetworkPolicy flux-system/fairlead
        Deployment flux-system/fairlead
        ");
    }

    #[test]
    fn a_locked_down_controller_is_bound_to_nothing_but_its_own_role() {
        let options = locked_down();
        insta::assert_snapshot!(show(&options), @r"
        Namespace gitops
        CustomResourceDefinition buckets.source.toolkit.fluxcd.io
        CustomResourceDefinition externalartifacts.source.toolkit.fluxcd.io
        CustomResourceDefinition fluxconfigurations.fairlead.dev
        CustomResourceDefinition gitrepositories.source.toolkit.fluxcd.io
        CustomResourceDefinition helmcharts.source.toolkit.fluxcd.io
        CustomResourceDefinition helmreleases.helm.toolkit.fluxcd.io
        CustomResourceDefinition helmrepositories.source.toolkit.fluxcd.io
        CustomResourceDefinition kustomizations.kustomize.toolkit.fluxcd.io
        CustomResourceDefinition ocirepositories.source.toolkit.fluxcd.io
        CustomResourceDefinition receivers.notification.toolkit.fluxcd.io
        ServiceAccount gitops/fairlead
        ClusterRole fairlead-controller-gitops
        ClusterRole fairlead-tenant
        ClusterRoleBinding fairlead-controller-gitops to fairlead-controller-gitops
        Role gitops/fairlead
        RoleBinding gitops/fairlead to fairlead
        Service gitops/fairlead
        Service gitops/webhook-receiver
        NetworkPolicy gitops/fairlead
        Deployment gitops/fairlead
        ");
        let all = serde_json::to_string(&manifests(&options)).expect("JSON");
        assert!(!all.contains("cluster-admin"));
        let role = find(&options, "ClusterRole", "fairlead-controller-gitops");
        let may_bind = role["rules"].as_array().expect("rules").iter().find(|rule| rule["verbs"] == json!(["bind"]));
        assert_eq!(may_bind.expect("it grants scopes")["resourceNames"], json!(["admin", "fairlead-tenant"]));
    }

    #[test]
    fn no_rule_lets_the_controller_write_whatever_it_likes() {
        for options in [InstallOptions::default(), locked_down()] {
            let name = format!("fairlead-controller-{}", options.namespace);
            let role = find(&options, "ClusterRole", &name);
            for rule in role["rules"].as_array().expect("rules") {
                let verbs: Vec<_> = rule["verbs"].as_array().expect("verbs").iter().filter_map(Value::as_str).collect();
                let reads = verbs.iter().all(|verb| ["get", "list", "watch"].contains(verb));
                assert!(reads || !rule.to_string().contains('*'), "{rule}");
            }
        }
    }

    #[test]
    fn the_options_reach_the_program() {
        let arguments = |options: &InstallOptions| {
            let deployment = find(options, "Deployment", NAME);
            let arguments = &deployment["spec"]["template"]["spec"]["containers"][0]["args"];
            let arguments = arguments.as_array().expect("arguments").iter().filter_map(Value::as_str);
            arguments.map(str::to_owned).collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(arguments(&InstallOptions::default()), @r"
        controller
        --watch-all-namespaces=true
        --log-level=info
        --log-encoding=json
        --enable-leader-election=true
        --storage-path=/data
        --storage-adv-addr=fairlead.$(RUNTIME_NAMESPACE).svc.cluster.local.
        ");
        let verbose = InstallOptions { log_level: "debug".to_owned(), ..locked_down() };
        insta::assert_snapshot!(arguments(&verbose), @r"
        controller
        --watch-all-namespaces=true
        --log-level=debug
        --log-encoding=json
        --enable-leader-election=true
        --storage-path=/data
        --storage-adv-addr=fairlead.$(RUNTIME_NAMESPACE).svc.cluster.local.
        --no-cross-namespace-refs
        --default-service-account=applier
        ");
    }

    #[test]
    fn everything_can_be_found_by_the_labels_of_flux() {
        for object in manifests(&locked_down()) {
            let labels = &object["metadata"]["labels"];
            assert_eq!(labels[labels::PART_OF], "flux", "{object}");
            assert_eq!(labels[labels::INSTANCE], "gitops", "{object}");
            assert_eq!(labels[labels::VERSION], VERSION, "{object}");
        }
    }

    #[test]
    fn the_pod_is_one_that_its_own_namespace_lets_in() {
        let deployment = find(&InstallOptions::default(), "Deployment", NAME);
        let pod = &deployment["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        assert_eq!(pod["containers"].as_array().map(Vec::len), Some(1));
        assert_eq!(container["name"], "manager");
        let profile = json!({"type": "RuntimeDefault"});
        let restricted = json!({
            "allowPrivilegeEscalation": false,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": true,
            "runAsNonRoot": true,
            "seccompProfile": profile,
        });
        assert_eq!(container["securityContext"], restricted);
        let user = 65532;
        let unprivileged = json!({
            "fsGroup": user, "runAsGroup": user, "runAsNonRoot": true, "runAsUser": user, "seccompProfile": profile,
        });
        assert_eq!(pod["securityContext"], unprivileged);
        let volumes = pod["volumes"].as_array().expect("volumes");
        assert!(volumes.iter().all(|volume| volume["emptyDir"].is_object()), "nothing of the node is mounted");
    }
}
