//! `fairlead uninstall`: removes Fairlead and its custom resources. What they applied stays.

use std::process::ExitCode;

use clap::Args as Flags;
use fairlead_api::install::{InstallOptions, manifests};
use fairlead_object::{Manifest, ObjectId, Origin};
use fairlead_reconciler::cluster::{Cluster, Part};
use serde_json::json;

use crate::{
    connection::Connection,
    output::{CommandError, action, failure, is_confirmed, success},
    served::{FLUX_CONFIGURATION, HELM_RELEASE, KUSTOMIZATION, SOURCES},
};

/// Flags of `uninstall`.
#[derive(Flags)]
pub(crate) struct Args {
    /// Keep the namespace.
    #[arg(long)]
    keep_namespace: bool,
    /// Say what would be deleted, and delete nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask.
    #[arg(short, long)]
    silent: bool,
}

const QUESTION: &str = "Are you sure you want to delete Fairlead and its custom resource definitions";

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    if !args.dry_run && !args.silent && !is_confirmed(QUESTION)? {
        return Err("aborting".into());
    }
    let cluster = connection.cluster().await?;
    let options = InstallOptions { namespace: connection.namespace.clone(), ..InstallOptions::default() };
    let mut objects = Vec::new();
    for object in manifests(&options) {
        objects.push(Manifest::new(object, Origin::default())?.id().clone());
    }
    let is_definition = |id: &&ObjectId| id.kind == "CustomResourceDefinition";
    let is_namespace = |id: &&ObjectId| id.kind == "Namespace";

    action(format!("deleting components in {} namespace", connection.namespace));
    for id in objects.iter().rev().filter(|id| !is_definition(id) && !is_namespace(id)) {
        delete(&cluster, id, args.dry_run).await;
    }
    action("deleting toolkit.fluxcd.io finalizers in all namespaces");
    release(&cluster, args.dry_run).await?;
    action("deleting custom resource definitions");
    for id in objects.iter().filter(is_definition) {
        delete(&cluster, id, args.dry_run).await;
    }
    if !args.keep_namespace {
        for id in objects.iter().filter(is_namespace) {
            delete(&cluster, id, args.dry_run).await;
        }
    }
    success("uninstall finished");
    Ok(ExitCode::SUCCESS)
}

/// Takes the finalizers away, so that nothing is pruned: with the controller gone, nobody would.
async fn release(cluster: &Cluster, is_dry_run: bool) -> Result<(), CommandError> {
    for kind in [HELM_RELEASE, KUSTOMIZATION].into_iter().chain(SOURCES).chain([FLUX_CONFIGURATION]) {
        let resource = kind.resource();
        for object in kind.list(cluster, "", "").await?.unwrap_or_default() {
            let text = |key: &str| object["metadata"][key].as_str().unwrap_or_default();
            let (namespace, name) = (text("namespace"), text("name"));
            if !is_dry_run {
                let patch = json!({"metadata": {"finalizers": null}});
                cluster.merge(&resource, (namespace, name), &patch, Part::Whole, "fairlead").await?;
            }
            success(format!("{}/{namespace}/{name} finalizers deleted{}", kind.name, suffix(is_dry_run)));
        }
    }
    Ok(())
}

async fn delete(cluster: &Cluster, id: &ObjectId, is_dry_run: bool) {
    let deleted = async {
        let Some(resource) = cluster.resolve_any(&id.group, &id.kind).await? else { return Ok(false) };
        let name = (id.namespace_or_empty(), id.name.as_str());
        if is_dry_run {
            return Ok(cluster.get(&resource, name.0, name.1).await?.is_some());
        }
        cluster.delete(&resource, name, None).await
    };
    match deleted.await {
        Ok(true) => success(format!("{} deleted{}", id.subject(), suffix(is_dry_run))),
        Ok(false) => {}
        Err(error) => failure(format!("{} deletion failed: {error}", id.subject())),
    }
}

fn suffix(is_dry_run: bool) -> &'static str {
    if is_dry_run { " (dry run)" } else { "" }
}
