//! How far manifests may reach.
//!
//! What is refused here is refused before the first write, whole, and with the file and line that reach out. The API
//! server would stop most of it too, by the rights of the account that the manifests run as, but not all, and later: a Flux
//! object that names another account or another namespace is within those rights and still leaves the scope, for it is
//! carried out by a controller that has more.

use std::fmt;

use fairlead_object::{Gvk, Manifest, ObjectId, Origin};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where manifests may reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Scope {
    /// Wherever the rights of their account reach.
    Cluster,
    /// One namespace, as one account.
    #[serde(rename_all = "camelCase")]
    Namespace {
        /// The namespace.
        namespace: String,
        /// The only account that Flux objects among them may name.
        service_account: String,
    },
}

/// A manifest that reaches outside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {} {why}", .object.subject())]
pub struct Escape {
    /// Where it was written.
    pub origin: Origin,
    /// The object.
    pub object: ObjectId,
    /// How it reaches outside.
    pub why: Why,
}

/// How a manifest reaches outside its scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The object lies in another namespace.
    Outside {
        /// The namespace of the scope.
        namespace: String,
    },
    /// The object lies in no namespace.
    ClusterWide {
        /// The namespace of the scope.
        namespace: String,
    },
    /// Nobody knows where the object lies, for its kind is not served.
    Unserved {
        /// The namespace of the scope.
        namespace: String,
    },
    /// A field refers to another namespace.
    Refers {
        /// The field, as `spec.sourceRef.namespace`.
        field: String,
        /// The namespace that it names.
        to: String,
    },
    /// What it applies would be applied as another account; without a name as the controller that serves it.
    RunsAs {
        /// The account that it names.
        account: Option<String>,
        /// The account of the scope.
        expected: String,
    },
    /// What it applies would be applied with credentials of its own.
    OtherCredentials,
    /// It is carried out with rights that are granted to it anew.
    GrantsItself,
}

/// The `manifests` that reach outside `scope`, all of them, in their order.
///
/// `is_namespaced` tells of a kind whether its objects lie in namespaces, or nothing if the kind is not served. Namespaces
/// must be filled in: an object of a namespaced kind without one is taken to lie outside.
pub fn escapes(manifests: &[Manifest], scope: &Scope, is_namespaced: impl Fn(&Gvk) -> Option<bool>) -> Vec<Escape> {
    let Scope::Namespace { namespace, service_account } = scope else { return Vec::new() };
    let bounds = Bounds { namespace, service_account };
    manifests.iter().flat_map(|manifest| bounds.escapes_of(manifest, is_namespaced(&manifest.gvk()))).collect()
}

struct Bounds<'a> {
    namespace: &'a str,
    service_account: &'a str,
}

impl Bounds<'_> {
    fn escapes_of(&self, manifest: &Manifest, is_namespaced: Option<bool>) -> Vec<Escape> {
        let namespace = self.namespace.to_owned();
        let outside = match is_namespaced {
            Some(true) if manifest.id().namespace.as_deref() == Some(self.namespace) => None,
            Some(true) => Some(Why::Outside { namespace }),
            Some(false) => Some(Why::ClusterWide { namespace }),
            None => Some(Why::Unserved { namespace }),
        };
        let escape = |why| Escape { origin: manifest.origin().clone(), object: manifest.id().clone(), why };
        outside.into_iter().chain(self.reaches(manifest)).map(escape).collect()
    }

    /// How a manifest reaches out through what a controller does for it.
    fn reaches(&self, manifest: &Manifest) -> Vec<Why> {
        let spec = manifest.body().get("spec").unwrap_or(&Value::Null);
        match (manifest.id().group.as_str(), manifest.id().kind.as_str()) {
            ("fairlead.dev", _) => vec![Why::GrantsItself],
            ("kustomize.toolkit.fluxcd.io", "Kustomization") => self.of_applier(spec, Unnamed::RunsInScope),
            ("helm.toolkit.fluxcd.io", "HelmRelease") => self.of_applier(spec, Unnamed::RunsAsController),
            (group, _) if group.ends_with(".toolkit.fluxcd.io") => self.references(spec),
            _ => Vec::new(),
        }
    }

    fn of_applier(&self, spec: &Value, unnamed: Unnamed) -> Vec<Why> {
        let account = spec.get("serviceAccountName").and_then(Value::as_str).filter(|name| !name.is_empty());
        let is_expected = match (account, unnamed) {
            (Some(account), _) => account == self.service_account,
            (None, Unnamed::RunsInScope) => true,
            (None, Unnamed::RunsAsController) => false,
        };
        let account = account.map(str::to_owned);
        let runs_as = (!is_expected).then(|| Why::RunsAs { account, expected: self.service_account.to_owned() });
        let has_credentials = spec.get("kubeConfig").is_some_and(|config| !config.is_null());
        let credentials = has_credentials.then_some(Why::OtherCredentials);
        self.references(spec).into_iter().chain(runs_as).chain(credentials).collect()
    }

    fn references(&self, spec: &Value) -> Vec<Why> {
        let single = REFERENCES.iter().map(|path| (format!("spec.{}", path.join(".")), at(spec, path)));
        let listed = REFERENCE_LISTS.iter().flat_map(|list| {
            let items = spec.get(list).and_then(Value::as_array).into_iter().flatten().enumerate();
            items.map(move |(index, item)| (format!("spec.{list}[{index}].namespace"), item.get("namespace")))
        });
        let elsewhere = |(field, value): (String, Option<&Value>)| {
            let to = value.and_then(Value::as_str).filter(|to| !to.is_empty() && *to != self.namespace)?;
            Some(Why::Refers { field, to: to.to_owned() })
        };
        single.chain(listed).filter_map(elsewhere).collect()
    }
}

/// What becomes of an applying object that names no account.
#[derive(Clone, Copy)]
enum Unnamed {
    /// It runs as the account of the scope, for Fairlead serves it.
    RunsInScope,
    /// It runs with the rights of the controller that serves it.
    RunsAsController,
}

/// Fields below `spec` of Flux's kinds that name a namespace.
const REFERENCES: [&[&str]; 5] = [
    &["sourceRef", "namespace"],
    &["chartRef", "namespace"],
    &["chart", "spec", "sourceRef", "namespace"],
    &["targetNamespace"],
    &["storageNamespace"],
];

/// Lists below `spec` of Flux's kinds whose items name a namespace.
const REFERENCE_LISTS: [&str; 4] = ["dependsOn", "healthChecks", "eventSources", "resources"];

fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, name| value.get(name))
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outside { namespace } => write!(f, "is outside namespace {namespace}"),
            Self::ClusterWide { namespace } => write!(f, "is cluster-wide, outside namespace {namespace}"),
            Self::Unserved { namespace } => {
                write!(f, "is of a kind that the cluster does not serve, so it may lie outside namespace {namespace}")
            }
            Self::Refers { field, to } => write!(f, "refers to namespace {to} in {field}"),
            Self::RunsAs { account: Some(account), expected } => {
                write!(f, "names service account {account} in spec.serviceAccountName, not {expected}")
            }
            Self::RunsAs { account: None, expected } => {
                write!(f, "must name service account {expected} in spec.serviceAccountName")
            }
            Self::OtherCredentials => f.write_str("applies with credentials of its own, named in spec.kubeConfig"),
            Self::GrantsItself => f.write_str("would grant rights of its own"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{manifest, manifest_of};

    fn refused(manifests: &[Manifest]) -> String {
        let scope = Scope::Namespace { namespace: "team-a".to_owned(), service_account: "deployer".to_owned() };
        let is_namespaced = |gvk: &Gvk| match gvk.kind.as_str() {
            "Widget" => None,
            kind => Some(!matches!(kind, "ClusterRole" | "Namespace" | "CustomResourceDefinition")),
        };
        let found = escapes(manifests, &scope, is_namespaced);
        found.iter().map(Escape::to_string).collect::<Vec<_>>().join("\n")
    }

    fn flux(group: &str, kind: &str, spec: &Value) -> Manifest {
        manifest_of(json!({
            "apiVersion": format!("{group}/v1"), "kind": kind,
            "metadata": {"name": "x", "namespace": "team-a"}, "spec": spec,
        }))
    }

    #[test]
    fn what_lies_outside_the_namespace_is_named_with_its_file_and_line() {
        let manifests =
            ["ClusterRole admin", "Deployment team-a/web", "Deployment team-b/web", "ConfigMap env", "Widget team-a/w"];
        insta::assert_snapshot!(refused(&manifests.map(manifest)), @r"
        clusterrole-admin.yaml:1: ClusterRole/admin is cluster-wide, outside namespace team-a
        deployment-web.yaml:1: Deployment/team-b/web is outside namespace team-a
        configmap-env.yaml:1: ConfigMap/env is outside namespace team-a
        widget-w.yaml:1: Widget/team-a/w is of a kind that the cluster does not serve, so it may lie outside namespace team-a
        ");
    }

    #[test]
    fn references_of_flux_objects_stay_inside() {
        let found = refused(&[
            flux(
                "kustomize.toolkit.fluxcd.io",
                "Kustomization",
                &json!({
                    "sourceRef": {"kind": "GitRepository", "name": "fleet", "namespace": "flux-system"},
                    "dependsOn": [{"name": "a"}, {"name": "b", "namespace": "team-b"}, {"name": "c", "namespace": "team-a"}],
                    "healthChecks": [{"kind": "Deployment", "name": "c", "namespace": "kube-system"}],
                    "targetNamespace": "team-c",
                }),
            ),
            flux(
                "helm.toolkit.fluxcd.io",
                "HelmRelease",
                &json!({
                    "serviceAccountName": "deployer",
                    "chart": {"spec": {"sourceRef": {"namespace": "charts"}}}, "chartRef": {"namespace": "charts"},
                    "storageNamespace": "default",
                    "values": {"ingress": {"namespace": "is the chart's own matter"}},
                }),
            ),
            flux("notification.toolkit.fluxcd.io", "Alert", &json!({"eventSources": [{"namespace": "flux-system"}]})),
            flux("source.toolkit.fluxcd.io", "GitRepository", &json!({"url": "https://example.com/x"})),
        ]);
        insta::assert_snapshot!(found, @r"
        kustomization-x.yaml:1: Kustomization/team-a/x refers to namespace flux-system in spec.sourceRef.namespace
        kustomization-x.yaml:1: Kustomization/team-a/x refers to namespace team-c in spec.targetNamespace
        kustomization-x.yaml:1: Kustomization/team-a/x refers to namespace team-b in spec.dependsOn[1].namespace
        kustomization-x.yaml:1: Kustomization/team-a/x refers to namespace kube-system in spec.healthChecks[0].namespace
        helmrelease-x.yaml:1: HelmRelease/team-a/x refers to namespace charts in spec.chartRef.namespace
        helmrelease-x.yaml:1: HelmRelease/team-a/x refers to namespace charts in spec.chart.spec.sourceRef.namespace
        helmrelease-x.yaml:1: HelmRelease/team-a/x refers to namespace default in spec.storageNamespace
        alert-x.yaml:1: Alert/team-a/x refers to namespace flux-system in spec.eventSources[0].namespace
        ");
    }

    #[test]
    fn what_a_source_applies_in_turn_runs_as_the_same_account_in_the_same_cluster() {
        let kustomization = |spec: &Value| flux("kustomize.toolkit.fluxcd.io", "Kustomization", spec);
        let found = refused(&[
            kustomization(&json!({})),
            kustomization(&json!({"serviceAccountName": "deployer"})),
            kustomization(&json!({"serviceAccountName": "admin"})),
            kustomization(&json!({"kubeConfig": {"secretRef": {"name": "s"}}})),
            flux("helm.toolkit.fluxcd.io", "HelmRelease", &json!({})),
            flux("fairlead.dev", "FluxConfiguration", &json!({"scope": "namespace"})),
        ]);
        insta::assert_snapshot!(found, @r"
        kustomization-x.yaml:1: Kustomization/team-a/x names service account admin in spec.serviceAccountName, not deployer
        kustomization-x.yaml:1: Kustomization/team-a/x applies with credentials of its own, named in spec.kubeConfig
        helmrelease-x.yaml:1: HelmRelease/team-a/x must name service account deployer in spec.serviceAccountName
        fluxconfiguration-x.yaml:1: FluxConfiguration/team-a/x would grant rights of its own
        ");
    }

    #[test]
    fn a_cluster_scope_has_no_outside() {
        assert_eq!(escapes(&[manifest("ClusterRole admin")], &Scope::Cluster, |_| None), []);
    }
}
