//! `fairlead trace`: from an object to the Kustomization that applied it, and on to its source.
//!
//! # Follows Flux
//! The lines, and that an object which nothing manages is told on stderr and is no error.

use std::{fmt::Write, process::ExitCode, sync::Arc};

use clap::Args as Flags;
use fairlead_object::Gvk;
use fairlead_reconciler::cluster::{Cluster, Resource};
use fairlead_sources::oci::{ORIGIN_REVISION, ORIGIN_SOURCE};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    connection::Connection,
    output::{CommandError, failure, print},
    served::{KUSTOMIZATION, SOURCES},
};

/// Flags of `trace`.
#[derive(Flags)]
pub(crate) struct Args {
    /// `<resource> <name>…` or `<resource>/<name>…`, as `deployment web`; with --kind names alone.
    #[arg(required = true, value_name = "OBJECT")]
    objects: Vec<String>,
    /// The kind, as `Deployment`.
    #[arg(long, requires = "api_version")]
    kind: Option<String>,
    /// The group and version of the kind, as `apps/v1`.
    #[arg(long, requires = "kind", value_name = "VERSION")]
    api_version: Option<String>,
}

/// Which labels name the Kustomization that applied an object.
const LABELS: [&str; 2] = ["kustomize.toolkit.fluxcd.io/namespace", "kustomize.toolkit.fluxcd.io/name"];
/// Most owners between an object and one that was applied.
const OWNERS_LIMIT: usize = 10;
/// Where values begin.
const COLUMN: usize = 17;
/// Names that people have for resources besides their own.
const SHORT_NAMES: [(&str, &str); 18] = [
    ("cm", "configmaps"),
    ("crd", "customresourcedefinitions"),
    ("cj", "cronjobs"),
    ("deploy", "deployments"),
    ("ds", "daemonsets"),
    ("gitrepo", "gitrepositories"),
    ("helmrepo", "helmrepositories"),
    ("hpa", "horizontalpodautoscalers"),
    ("ing", "ingresses"),
    ("ks", "kustomizations"),
    ("netpol", "networkpolicies"),
    ("ns", "namespaces"),
    ("ocirepo", "ocirepositories"),
    ("po", "pods"),
    ("pvc", "persistentvolumeclaims"),
    ("rs", "replicasets"),
    ("sts", "statefulsets"),
    ("svc", "services"),
];

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    let cluster = connection.cluster().await?;
    let mut reports = Vec::new();
    for (resource, name) in args.targets(&cluster).await? {
        match report(&cluster, &resource, &connection.namespace, &name).await {
            Ok(report) => reports.push(report),
            Err(error) => {
                let place = if resource.is_namespaced {
                    format!(" in {} namespace", connection.namespace)
                } else {
                    String::new()
                };
                failure(format!("failed to trace {}/{name}{place}: {error}", resource.kind));
            }
        }
    }
    print(&reports.join("---\n"))?;
    Ok(ExitCode::SUCCESS)
}

impl Args {
    /// Which objects are meant.
    async fn targets(&self, cluster: &Cluster) -> Result<Vec<(Arc<Resource>, String)>, CommandError> {
        if let Some((kind, version)) = self.kind.as_ref().zip(self.api_version.as_ref()) {
            let gvk = Gvk::from_api_version(version, kind);
            let resource = cluster.resolve(&gvk).await?.ok_or_else(|| format!("the cluster serves no {gvk}"))?;
            return Ok(self.objects.iter().map(|name| (Arc::clone(&resource), name.clone())).collect());
        }
        let served = cluster.served().await?;
        if let [resource, names @ ..] = self.objects.as_slice()
            && !resource.contains('/')
        {
            let resource = find(&served, resource)?;
            if names.is_empty() {
                return Err("name an object to trace".into());
            }
            return Ok(names.iter().map(|name| (Arc::clone(&resource), name.clone())).collect());
        }
        let target = |written: &String| {
            let (resource, name) =
                written.split_once('/').ok_or_else(|| format!("`{written}` is not RESOURCE/NAME"))?;
            Ok((find(&served, resource)?, name.to_owned()))
        };
        self.objects.iter().map(target).collect()
    }
}

/// The resource that `written` names: by its plural, its kind or a short name, and its group where that is written.
fn find(served: &[Arc<Resource>], written: &str) -> Result<Arc<Resource>, CommandError> {
    let (name, group) = written.split_once('.').map_or((written, None), |(name, group)| (name, Some(group)));
    let name = name.to_lowercase();
    let long = SHORT_NAMES.iter().find(|(short, _)| *short == name).map_or(name.as_str(), |(_, long)| long);
    let is_meant = |resource: &&Arc<Resource>| {
        let is_named = resource.plural == long || resource.kind.eq_ignore_ascii_case(long);
        is_named && group.is_none_or(|group| resource.group == group)
    };
    let found = served.iter().find(is_meant).cloned();
    found.ok_or_else(|| format!("the cluster serves no resource `{written}`").into())
}

/// What there is to say of one object.
async fn report(cluster: &Cluster, resource: &Resource, namespace: &str, name: &str) -> Result<String, CommandError> {
    let namespace = if resource.is_namespaced { namespace } else { "" };
    let object = cluster.get(resource, namespace, name).await?.ok_or("not found")?;
    let (owner_namespace, owner) = owner(cluster, object).await?.ok_or("object not managed by Flux")?;
    let kustomization = KUSTOMIZATION.get(cluster, &owner_namespace, &owner).await?;
    let mut report = String::from("\n");
    line(&mut report, "Object", &format!("{}/{name}", resource.kind));
    optional(&mut report, "Namespace", namespace);
    line(&mut report, "Status", "Managed by Flux");
    report.push_str("---\n");
    of_kustomization(&mut report, &kustomization);
    if let Some((kind, source)) = source(cluster, &kustomization, &owner_namespace).await? {
        report.push_str("---\n");
        of_source(&mut report, kind, &source);
    }
    Ok(report)
}

/// The namespace and name of the Kustomization that applied `object`, or that which owns it.
async fn owner(cluster: &Cluster, mut object: Value) -> Result<Option<(String, String)>, CommandError> {
    for _ in 0..OWNERS_LIMIT {
        let label = |key: &str| object["metadata"]["labels"][key].as_str().map(str::to_owned);
        if let [Some(namespace), Some(name)] = LABELS.map(label) {
            return Ok(Some((namespace, name)));
        }
        let above = object["metadata"]["ownerReferences"][0].clone();
        let gvk = Gvk::from_api_version(text(&above, "/apiVersion"), text(&above, "/kind"));
        let Some(resource) = cluster.resolve(&gvk).await? else { return Ok(None) };
        let namespace = if resource.is_namespaced { text(&object, "/metadata/namespace") } else { "" };
        let Some(next) = cluster.get(&resource, namespace, text(&above, "/name")).await? else { return Ok(None) };
        object = next;
    }
    Ok(None)
}

/// The source of a Kustomization, with its kind. One that is gone or of an unknown kind is left out.
async fn source(
    cluster: &Cluster,
    kustomization: &Value,
    namespace: &str,
) -> Result<Option<(&'static str, Value)>, CommandError> {
    let reference = &kustomization["spec"]["sourceRef"];
    let Some(kind) = SOURCES.into_iter().find(|kind| reference["kind"] == kind.name) else { return Ok(None) };
    let namespace = reference["namespace"].as_str().unwrap_or(namespace);
    let found = cluster.get(&kind.resource(), namespace, text(reference, "/name")).await?;
    Ok(found.map(|source| (kind.name, source)))
}

fn of_kustomization(report: &mut String, object: &Value) {
    named(report, KUSTOMIZATION.name, object);
    optional(report, "Target", text(object, "/spec/targetNamespace"));
    line(report, "Path", text(object, "/spec/path"));
    line(report, "Revision", text(object, KUSTOMIZATION.revision));
    if let Some((_, time, message)) = ready(object) {
        line(report, "Status", &format!("Last reconciled at {time}"));
        line(report, "Message", &message);
    } else {
        line(report, "Status", "Unknown");
    }
}

fn of_source(report: &mut String, kind: &str, object: &Value) {
    named(report, kind, object);
    optional(report, "URL", text(object, "/spec/url"));
    optional(report, "Bucket", text(object, "/spec/bucketName"));
    let references = [("Tag", "tag"), ("Tag", "semver"), ("Branch", "branch"), ("Digest", "digest")];
    let reference = references.into_iter().find_map(|(label, key)| Some((label, object["spec"]["ref"][key].as_str()?)));
    if let Some((label, value)) = reference {
        line(report, label, value);
    }
    optional(report, "Revision", text(object, "/status/artifact/revision"));
    for (label, annotation) in [("Origin Revision", ORIGIN_REVISION), ("Origin Source", ORIGIN_SOURCE)] {
        optional(report, label, object["status"]["artifact"]["metadata"][annotation].as_str().unwrap_or_default());
    }
    match ready(object) {
        Some((true, time, message)) => {
            line(report, "Status", &format!("Last reconciled at {time}"));
            line(report, "Message", &message);
        }
        Some((false, time, message)) => {
            line(report, "Status", &format!("Last reconciliation failed at {time}"));
            line(report, "Message", &message);
        }
        None => line(report, "Status", "Unknown"),
    }
}

fn named(report: &mut String, kind: &str, object: &Value) {
    line(report, kind, text(object, "/metadata/name"));
    line(report, "Namespace", text(object, "/metadata/namespace"));
}

/// Whether an object is ready or still coming to be, since when, and what it says.
fn ready(object: &Value) -> Option<(bool, String, String)> {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array)?;
    let ready = conditions.iter().find(|condition| condition["type"] == "Ready")?;
    let since: Timestamp = text(ready, "/lastTransitionTime").parse().ok()?;
    let since = since.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string();
    Some((ready["status"] != "False", since, text(ready, "/message").to_owned()))
}

fn optional(report: &mut String, label: &str, value: &str) {
    if !value.is_empty() {
        line(report, label, value);
    }
}

fn line(report: &mut String, label: &str, value: &str) {
    writeln!(report, "{:COLUMN$}{value}", format!("{label}:")).expect("a String takes any text");
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
