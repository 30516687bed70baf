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
