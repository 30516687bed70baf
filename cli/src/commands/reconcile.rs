//! `fairlead reconcile`: asks for a reconciliation now, and waits for it.

use std::process::ExitCode;

use clap::{Args as Flags, Subcommand};
use fairlead_api::names::annotations::REQUESTED_AT;
use fairlead_reconciler::{
    clock::Clock,
    cluster::{Cluster, Part},
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::sources::Source;
use crate::{
    connection::Connection,
    output::{CommandError, action, success, waiting},
    served::{FLUX_CONFIGURATION, HELM_RELEASE, KUSTOMIZATION, Kind, RECEIVER, SOURCES, is_name_only, short_hashes},
    wait::POLL,
};

/// What to reconcile.
#[derive(Subcommand)]
pub(crate) enum Args {
    /// Reconcile a Kustomization.
    #[command(alias = "ks")]
    Kustomization(Kustomization),
    /// Reconcile a HelmRelease.
    #[command(alias = "hr")]
    Helmrelease(Named),
    /// Fetch a source.
    #[command(subcommand)]
    Source(Source<Named>),
    /// Reconcile a FluxConfiguration.
    #[command(alias = "fluxconfig")]
    Configuration(Named),
    /// Reconcile a Receiver.
    Receiver(Named),
}

/// The name of an object.
#[derive(Flags)]
pub(crate) struct Named {
    /// Its name.
    name: String,
}

/// Flags of `reconcile kustomization`.
#[derive(Flags)]
pub(crate) struct Kustomization {
    /// Its name.
    name: String,
    /// Fetch its source before.
    #[arg(long)]
    with_source: bool,
}

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    let cluster = connection.cluster().await?;
    let deadline = Instant::now() + connection.timeout;
    let namespace = connection.namespace.as_str();
    match args {
        Args::Source(source) => {
            let (kind, named) = source.into_parts();
            request(&cluster, kind, (namespace, &named.name), deadline).await?;
        }
        Args::Configuration(named) => request(&cluster, FLUX_CONFIGURATION, (namespace, &named.name), deadline).await?,
        Args::Helmrelease(named) => request(&cluster, HELM_RELEASE, (namespace, &named.name), deadline).await?,
        Args::Receiver(named) => request(&cluster, RECEIVER, (namespace, &named.name), deadline).await?,
        Args::Kustomization(args) => {
            if args.with_source {
                let object = KUSTOMIZATION.get(&cluster, namespace, &args.name).await?;
                let source = &object["spec"]["sourceRef"];
                let Some(kind) = SOURCES.into_iter().find(|kind| source["kind"] == kind.name) else {
                    let kind = source["kind"].as_str().unwrap_or_default();
                    return Err(format!("cannot reconcile source of kind {kind}").into());
                };
                let of = source["namespace"].as_str().unwrap_or(namespace);
                let name = source["name"].as_str().unwrap_or_default();
                request(&cluster, kind, (of, name), deadline).await?;
            }
            request(&cluster, KUSTOMIZATION, (namespace, &args.name), deadline).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks for a reconciliation of one object, and waits until it is handled and over.
async fn request(
    cluster: &Cluster,
    kind: Kind,
    (namespace, name): (&str, &str),
    deadline: Instant,
) -> Result<(), CommandError> {
    let before = kind.get(cluster, namespace, name).await?;
    if before["spec"]["suspend"] == true {
        return Err("resource is suspended".into());
    }
    if is_name_only(&before) {
        success("reconciliation not supported by the object");
        return Ok(());
    }
    action(format!("annotating {} {name} in {namespace} namespace", kind.name));
    let annotation = json!({"metadata": {"annotations": {REQUESTED_AT: Clock::system().now().to_string()}}});
    cluster.merge(&kind.resource(), (namespace, name), &annotation, Part::Whole, "fairlead").await?;
    success(format!("{} annotated", kind.name));
    waiting(format!("waiting for {} reconciliation", kind.name));
    let handled = before["status"]["lastHandledReconcileAt"].clone();
    let object = until_settled(cluster, kind, (namespace, name), deadline, |object| {
        object["status"]["lastHandledReconcileAt"] != handled
    });
    success(done(kind, &object.await?));
    Ok(())
}

/// What is said of an object that was reconciled.
pub(crate) fn done(kind: Kind, object: &Value) -> String {
    if kind == RECEIVER {
        return format!("{} reconciliation completed", kind.name);
    }
    let revision = object.pointer(kind.revision).and_then(Value::as_str).unwrap_or_default();
    format!("{} {}", kind.handled, short_hashes(revision))
}

/// Waits until `is_handled` and the object says that it is as it should be, or that it cannot be.
pub(crate) async fn until_settled(
    cluster: &Cluster,
    kind: Kind,
    (namespace, name): (&str, &str),
    deadline: Instant,
    is_handled: impl Fn(&Value) -> bool,
) -> Result<Value, CommandError> {
    let resource = kind.resource();
    let mut last = String::new();
    while Instant::now() < deadline {
        let object = cluster.get(&resource, namespace, name).await?;
        let object = object.ok_or_else(|| format!("{} '{name}' was deleted", kind.name))?;
        if is_handled(&object) {
            match state(&object) {
                State::Ready => return Ok(object),
                State::Stalled(message) => {
                    return Err(format!("{} reconciliation failed: '{message}'", kind.name).into());
                }
                State::Progressing(message) => last = message,
            }
        }
        sleep(POLL).await;
    }
    let last = if last.is_empty() { String::new() } else { format!(": {last}") };
    Err(format!("context deadline exceeded{last}").into())
}

enum State {
    Ready,
    /// It goes on, or tries again; what it says meanwhile.
    Progressing(String),
    Stalled(String),
}

fn state(object: &Value) -> State {
    if is_name_only(object) {
        return State::Ready;
    }
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    let find = |type_: &str| conditions.clone().into_iter().find(|condition| condition["type"] == type_);
    let message = |condition: &Value| condition["message"].as_str().unwrap_or_default().to_owned();
    if let Some(stalled) = find("Stalled").filter(|condition| condition["status"] == "True") {
        return State::Stalled(message(stalled));
    }
    let is_observed = object["metadata"]["generation"] == object["status"]["observedGeneration"];
    match find("Ready") {
        Some(ready) if ready["status"] == "True" && is_observed => State::Ready,
        Some(ready) => State::Progressing(message(ready)),
        None => State::Progressing(String::new()),
    }
}
