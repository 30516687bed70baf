//! Writing what was created: to the cluster, or to stdout.

use std::collections::BTreeMap;

use fairlead_reconciler::cluster::{Cluster, Part, Resource};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::Common;
use crate::{
    commands::reconcile::until_settled,
    connection::Connection,
    output::{CommandError, action, generated, print_objects, success, waiting},
    served::{HELM_CHART, HELM_RELEASE, HELM_REPOSITORY, KUSTOMIZATION, Kind, RECEIVER, is_name_only, short_hashes},
};

/// An object that waits to be written, and the words that tell of it.
pub(super) struct NewObject<'a> {
    pub(super) kind: Kind,
    pub(super) name: &'a str,
    pub(super) spec: Value,
    /// What is generated, applied and awaited.
    subject: String,
    /// What is created or updated.
    written: String,
    /// What is said when it is ready, and of its revision.
    ready: String,
    revision: &'static str,
    /// Where that is.
    revision_at: &'static str,
}

impl<'a> NewObject<'a> {
    /// A source. Helm's are called by no kind when they are written, as in Flux.
    pub(super) fn source(kind: Kind, name: &'a str, spec: Value) -> Self {
        let subject = format!("{} source", kind.name);
        let is_helm = [HELM_REPOSITORY, HELM_CHART].contains(&kind);
        let written = if is_helm { "source".to_owned() } else { subject.clone() };
        let ready = format!("{subject} reconciliation completed");
        Self { kind, name, spec, subject, written, ready, revision: "fetched revision:", revision_at: kind.revision }
    }

    /// A Kustomization.
    pub(super) fn kustomization(name: &'a str, spec: Value) -> Self {
        Self::named(KUSTOMIZATION, name, spec, ("applied revision", KUSTOMIZATION.revision))
    }

    /// A `HelmRelease`.
    pub(super) fn helm_release(name: &'a str, spec: Value) -> Self {
        Self::named(HELM_RELEASE, name, spec, ("applied revision", HELM_RELEASE.revision))
    }

    /// A Receiver, of which the path is told that webhooks are sent to.
    pub(super) fn receiver(name: &'a str, spec: Value) -> Self {
        Self::named(RECEIVER, name, spec, ("generated webhook URL", "/status/webhookPath"))
    }

    /// An object that is called by its kind. What is told of it when it is ready is told as, and found at, `revision`.
    fn named(kind: Kind, name: &'a str, spec: Value, (revision, revision_at): (&'static str, &'static str)) -> Self {
        let subject = kind.name.to_owned();
        let ready = format!("{subject} {name} is ready");
        Self { kind, name, spec, written: subject.clone(), subject, ready, revision, revision_at }
    }
}

/// The values of a Secret, by their keys.
pub(super) type Values = BTreeMap<String, String>;

/// Those of some values that are given.
pub(super) fn values<const N: usize>(fields: [(&str, Option<&String>); N]) -> Values {
    fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.clone()))).collect()
}

/// Those of some fields that are given.
pub(super) fn given<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let fields = fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(fields.collect::<Map<_, _>>())
}

/// A text, if it is there.
pub(super) fn text(text: Option<&String>) -> Option<Value> {
    text.map(|text| text.as_str().into())
}

/// A reference to an object by its name, if it is there.
pub(super) fn reference(name: Option<&String>) -> Option<Value> {
    name.map(|name| json!({ "name": name }))
}

/// Reads `[namespace/]name`.
pub(super) fn dependency(written: &str) -> Value {
    match written.split_once('/') {
        Some((namespace, name)) => json!({ "name": name, "namespace": namespace }),
        None => json!({ "name": written }),
    }
}

/// `true`, if it is.
pub(super) fn switch(is_on: bool) -> Option<Value> {
    is_on.then_some(Value::Bool(true))
}

/// Texts, if there are any.
pub(super) fn texts(texts: &[String]) -> Option<Value> {
    (!texts.is_empty()).then(|| texts.into())
}

/// Lines, if there are any.
pub(super) fn lines(lines: &[String]) -> Option<Value> {
    (!lines.is_empty()).then(|| lines.join("\n").into())
}

impl NewObject<'_> {
    fn body(&self, common: &Common, connection: &Connection) -> Value {
        json!({
            "apiVersion": format!("{}/{}", self.kind.group, self.kind.version),
            "kind": self.kind.name,
            "metadata": common.metadata(self.name, connection),
            "spec": self.spec,
        })
    }

    /// Prints the object.
    pub(super) fn print(&self, common: &Common, connection: &Connection) -> Result<(), CommandError> {
        print_objects(&[self.body(common, connection)])
    }

    /// Says that the object is made.
    pub(super) fn announce(&self) {
        generated(format!("generating {}", self.subject));
    }

    /// Writes the object to the cluster, and waits until it is ready.
    pub(super) async fn write(
        &self,
        cluster: &Cluster,
        common: &Common,
        connection: &Connection,
    ) -> Result<(), CommandError> {
        let Self { kind, subject, written, ready, revision, revision_at, .. } = self;
        action(format!("applying {subject}"));
        let verb = put(cluster, *kind, self.body(common, connection)).await?;
        success(format!("{written} {verb}"));
        waiting(format!("waiting for {subject} reconciliation"));
        let deadline = Instant::now() + connection.timeout;
        let key = (connection.namespace.as_str(), self.name);
        let object = until_settled(cluster, *kind, key, deadline, |_| true).await?;
        success(ready);
        if !is_name_only(&object) {
            let found = object.pointer(revision_at).and_then(Value::as_str).unwrap_or_default();
            success(format!("{revision} {}", short_hashes(found)));
        }
        Ok(())
    }
}

/// Creates the object, or replaces its labels and its spec. Annotations stay.
async fn put(cluster: &Cluster, kind: Kind, body: Value) -> Result<&'static str, CommandError> {
    let (resource, metadata) = (kind.resource(), &body["metadata"]);
    let text = |key: &str| metadata[key].as_str().unwrap_or_default();
    let (namespace, name) = (text("namespace"), text("name"));
    let Some(mut live) = cluster.get(&resource, namespace, name).await? else {
        cluster.create(&resource, namespace, &body).await?;
        return Ok("created");
    };
    live["metadata"]["labels"] = metadata["labels"].clone();
    live["spec"] = body["spec"].clone();
    cluster.replace(&resource, namespace, &live).await?;
    Ok("updated")
}

/// Creates the Secret `body`, or adds its values, labels and annotations to the one that is there.
pub(super) async fn put_secret(cluster: &Cluster, body: &Value) -> Result<(), CommandError> {
    let resource = Resource::namespaced("", "v1", "Secret", "secrets");
    let text = |key: &str| body["metadata"][key].as_str().unwrap_or_default();
    let (namespace, name) = (text("namespace"), text("name"));
    if cluster.get(&resource, namespace, name).await?.is_none() {
        cluster.create(&resource, namespace, body).await?;
        return Ok(());
    }
    let metadata = given(["labels", "annotations"].map(|key| (key, body["metadata"].get(key).cloned())));
    let patch = json!({ "metadata": metadata, "stringData": body["stringData"] });
    cluster.merge(&resource, (namespace, name), &patch, Part::Whole, "fairlead").await?;
    Ok(())
}
