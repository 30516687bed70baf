//! How an application comes to its cluster: by a Kustomization or by a HelmRelease.
//!
//! Both make the same four objects of one application.

use kube::api::GroupVersionKind;
use serde_json::{Value, json};

use crate::applications::Application;

/// The value that the applications are made with.
const COLOUR: &str = "#34577c";

/// What the sources and charts that applications share are called.
const SHARED: &str = "web";

/// The kind of object that asks for an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Each with a `GitRepository` of its own, and a variable for its name.
    Kustomization,
    /// Of one `HelmChart` in each namespace.
    HelmRelease,
}

impl Delivery {
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::Kustomization => "Kustomization",
            Self::HelmRelease => "HelmRelease",
        }
    }

    pub(crate) fn group_version_kind(self) -> GroupVersionKind {
        match self {
            Self::Kustomization => GroupVersionKind::gvk("kustomize.toolkit.fluxcd.io", "v1", self.kind()),
            Self::HelmRelease => GroupVersionKind::gvk("helm.toolkit.fluxcd.io", "v2", self.kind()),
        }
    }

    /// The files of the one path that every application is made from.
    pub(crate) const fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Kustomization => &KUSTOMIZATION,
            Self::HelmRelease => &CHART,
        }
    }

    /// What all applications of `namespace` use.
    pub(crate) fn shared(self, namespace: &str, url: &str) -> Vec<Value> {
        match self {
            Self::Kustomization => Vec::new(),
            Self::HelmRelease => vec![source(namespace, SHARED, url), chart(namespace)],
        }
    }

    /// What changes one value of an application by an edit of the object that asks for it.
    pub(crate) fn change(self) -> Option<Value> {
        match self {
            Self::Kustomization => None,
            Self::HelmRelease => Some(json!({ "spec": { "values": { "colour": "#ff8800" } } })),
        }
    }

    /// What asks for one application.
    pub(crate) fn objects(self, application: &Application, url: &str) -> Vec<Value> {
        let Application { namespace, name } = application;
        match self {
            Self::Kustomization => vec![source(namespace, name, url), kustomization(application)],
            Self::HelmRelease => vec![release(application)],
        }
    }
}

/// What [`Delivery::Kustomization`] builds.
pub(crate) const KUSTOMIZATION: [(&str, &str); 5] = [
    ("app/kustomization.yaml", include_str!("application/kustomize/kustomization.yaml")),
    ("app/serviceaccount.yaml", include_str!("application/kustomize/serviceaccount.yaml")),
    ("app/deployment.yaml", include_str!("application/kustomize/deployment.yaml")),
    ("app/service.yaml", include_str!("application/kustomize/service.yaml")),
    ("app/ingress.yaml", include_str!("application/kustomize/ingress.yaml")),
];

/// What [`Delivery::HelmRelease`] renders: the same objects, and a test that nobody runs.
const CHART: [(&str, &str); 7] = [
    ("app/Chart.yaml", include_str!("application/chart/Chart.yaml")),
    ("app/values.yaml", include_str!("application/chart/values.yaml")),
    ("app/templates/serviceaccount.yaml", include_str!("application/chart/templates/serviceaccount.yaml")),
    ("app/templates/deployment.yaml", include_str!("application/chart/templates/deployment.yaml")),
    ("app/templates/service.yaml", include_str!("application/chart/templates/service.yaml")),
    ("app/templates/ingress.yaml", include_str!("application/chart/templates/ingress.yaml")),
    ("app/templates/tests/answers.yaml", include_str!("application/chart/templates/tests/answers.yaml")),
];

fn source(namespace: &str, name: &str, url: &str) -> Value {
    json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": { "name": name, "namespace": namespace },
        "spec": { "url": url, "ref": { "branch": "main" }, "interval": "1h" },
    })
}

fn chart(namespace: &str) -> Value {
    json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "HelmChart",
        "metadata": { "name": SHARED, "namespace": namespace },
        "spec": { "chart": "./app", "sourceRef": { "kind": "GitRepository", "name": SHARED }, "interval": "1h" },
    })
}

fn kustomization(Application { namespace, name }: &Application) -> Value {
    json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": { "name": name, "namespace": namespace },
        "spec": {
            "sourceRef": { "kind": "GitRepository", "name": name },
            "path": "./app",
            "interval": "1h",
            "timeout": "5m",
            "prune": true,
            "wait": true,
            "targetNamespace": namespace,
            "postBuild": { "substitute": { "app": name } },
        },
    })
}

fn release(Application { namespace, name }: &Application) -> Value {
    json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": { "name": name, "namespace": namespace },
        "spec": {
            "chartRef": { "kind": "HelmChart", "name": SHARED },
            "interval": "1h",
            "timeout": "5m",
            "values": { "colour": COLOUR },
        },
    })
}
