//! `fairlead reconcile`: asks for a reconciliation now, and waits for it.

use std::{collections::BTreeMap, process::ExitCode};

use clap::{Args as Flags, Subcommand};
use fairlead_api::names::annotations::{FORCE_AT, REQUESTED_AT, RESET_AT};
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
    served::{
        FLUX_CONFIGURATION, HELM_CHART, HELM_RELEASE, KUSTOMIZATION, Kind, RECEIVER, SOURCES, is_name_only,
        short_hashes,
    },
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
    Helmrelease(Release),
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

/// Flags of `reconcile helmrelease`.
#[derive(Flags)]
pub(crate) struct Release {
    /// Its name.
    name: String,
    /// Fetch its chart before.
    #[arg(long)]
    with_source: bool,
    /// Upgrade it even if nothing has changed, and even if it is not tried any more.
    #[arg(long)]
    force: bool,
    /// Forget how often it has failed.
    #[arg(long)]
    reset: bool,
}

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    let cluster = connection.cluster().await?;
    let deadline = Instant::now() + connection.timeout;
    let namespace = connection.namespace.as_str();
    match args {
        Args::Source(source) => {
            let (kind, named) = source.into_parts();
            request(&cluster, kind, (namespace, &named.name), &[], deadline).await?;
        }
        Args::Configuration(named) => {
            request(&cluster, FLUX_CONFIGURATION, (namespace, &named.name), &[], deadline).await?;
        }
        Args::Helmrelease(args) => release(&cluster, namespace, &args, deadline).await?,
        Args::Receiver(named) => request(&cluster, RECEIVER, (namespace, &named.name), &[], deadline).await?,
        Args::Kustomization(args) => {
            if args.with_source {
                let object = KUSTOMIZATION.get(&cluster, namespace, &args.name).await?;
                source(&cluster, &object["spec"]["sourceRef"], namespace, deadline).await?;
            }
            request(&cluster, KUSTOMIZATION, (namespace, &args.name), &[], deadline).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn release(cluster: &Cluster, namespace: &str, args: &Release, deadline: Instant) -> Result<(), CommandError> {
    if args.with_source {
        let object = HELM_RELEASE.get(cluster, namespace, &args.name).await?;
        let spec = &object["spec"];
        if let Some(reference) = spec.get("chartRef") {
            source(cluster, reference, namespace, deadline).await?;
        } else {
            let reference = &spec["chart"]["spec"]["sourceRef"];
            source(cluster, reference, namespace, deadline).await?;
            let of = reference["namespace"].as_str().unwrap_or(namespace);
            let chart = format!("{namespace}-{}", args.name);
            request(cluster, HELM_CHART, (of, &chart), &[], deadline).await?;
        }
    }
    let more: Vec<&str> = [(FORCE_AT, args.force), (RESET_AT, args.reset)]
        .into_iter()
        .filter_map(|(key, is_set)| is_set.then_some(key))
        .collect();
    request(cluster, HELM_RELEASE, (namespace, &args.name), &more, deadline).await
}

/// Fetches the source that `reference` of an object in `namespace` names.
async fn source(cluster: &Cluster, reference: &Value, namespace: &str, deadline: Instant) -> Result<(), CommandError> {
    let Some(kind) = SOURCES.into_iter().find(|kind| reference["kind"] == kind.name) else {
        let kind = reference["kind"].as_str().unwrap_or_default();
        return Err(format!("cannot reconcile source of kind {kind}").into());
    };
    let of = reference["namespace"].as_str().unwrap_or(namespace);
    request(cluster, kind, (of, reference["name"].as_str().unwrap_or_default()), &[], deadline).await
}

/// Asks for a reconciliation of one object, by the annotations `more` besides the usual one, and waits until it is handled
/// and over.
pub(super) async fn request(
    cluster: &Cluster,
    kind: Kind,
    (namespace, name): (&str, &str),
    more: &[&str],
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
    let now = Clock::system().now().to_string();
    let annotations: BTreeMap<&str, &str> =
        more.iter().chain([&REQUESTED_AT]).map(|key| (*key, now.as_str())).collect();
    let patch = json!({ "metadata": { "annotations": annotations } });
    cluster.merge(&kind.resource(), (namespace, name), &patch, Part::Whole, "fairlead").await?;
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
