//! `fairlead build`: prints what would be applied.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args as Flags, Subcommand};
use fairlead_manifests::{BuildRequest, Order};
use fairlead_object::Manifest;

use super::kustomizations::{Selection, children};
use crate::{
    connection::Connection,
    local,
    output::{CommandError, print},
    planning::{Source, build_kustomization, read},
};

/// What to build.
#[derive(Flags)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    of_cluster: Option<OfCluster>,
    /// The directory to build, with or without a kustomization file.
    #[arg(required = true)]
    path: Option<PathBuf>,
    /// Write to this file, or into this directory one file for each object.
    #[arg(short, long, value_name = "FILE|DIRECTORY")]
    output: Option<PathBuf>,
}

/// What of a cluster to build.
#[derive(Subcommand)]
pub(crate) enum OfCluster {
    /// Print what a Kustomization applies.
    #[command(alias = "ks")]
    Kustomization(Kustomization),
}

/// Flags of `build kustomization`.
#[derive(Flags)]
pub(crate) struct Kustomization {
    #[command(flatten)]
    selection: Selection,
}

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    match (args.of_cluster, args.path) {
        (Some(OfCluster::Kustomization(args)), _) => of_cluster(&args.selection, connection).await?,
        (None, Some(path)) => of_directory(&path, args.output.as_deref())?,
        (None, None) => return Err("name a directory to build".into()),
    }
    Ok(ExitCode::SUCCESS)
}

fn of_directory(path: &Path, output: Option<&Path>) -> Result<(), CommandError> {
    let source = Source::local(path, None)?;
    let built = source.build(BuildRequest { order: Order::ByKind, ..BuildRequest::default() })?;
    match output {
        None => print(&built.text()),
        Some(folder) if folder.is_dir() => write_files(folder, &built.manifests),
        Some(file) => Ok(local::write(file, &built.text())?),
    }
}

/// Writes a file for each object, under kustomize's names.
fn write_files(folder: &Path, manifests: &[Manifest]) -> Result<(), CommandError> {
    let namespaces: BTreeSet<_> = manifests.iter().filter_map(|manifest| manifest.id().namespace.as_ref()).collect();
    for manifest in manifests {
        let namespace = manifest.id().namespace.as_deref().filter(|_| namespaces.len() > 1);
        let file = folder.join(file_name(manifest, namespace));
        local::write(&file, &fairlead_yaml::emit_json(&manifest.to_value()))?;
    }
    Ok(())
}

/// The name of an object's file, which begins with `namespace` where there is more than one.
fn file_name(manifest: &Manifest, namespace: Option<&str>) -> String {
    let (gvk, name) = (manifest.gvk(), &manifest.id().name);
    let group = Some(gvk.group.as_str()).filter(|group| !group.is_empty());
    let parts = namespace.into_iter().chain(group).chain([gvk.version.as_str(), gvk.kind.as_str(), name.as_str()]);
    format!("{}.yaml", parts.collect::<Vec<_>>().join("_")).to_lowercase()
}

async fn of_cluster(selection: &Selection, connection: &Connection) -> Result<(), CommandError> {
    let cluster = connection.cluster().await?;
    let (kustomization, source) = selection.open(&cluster, &connection.namespace).await?;
    let mut waiting = vec![(kustomization, source)];
    let mut text = String::new();
    while let Some((kustomization, source)) = waiting.pop() {
        let mut built = build_kustomization(&cluster, &kustomization, &source, selection.strict_substitute).await?;
        if selection.recursive {
            for child in children(&kustomization, &built.manifests) {
                let child: fairlead_api::kustomize::Kustomization = read(child)?;
                let below = selection.source_of_child(&kustomization, &child, &source)?;
                waiting.push((child, below));
            }
        }
        let metadata = &kustomization.metadata;
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        let owner = fairlead_plan::Owner::kustomization(&part(&metadata.namespace), &part(&metadata.name));
        for manifest in &mut built.manifests {
            owner.mark(manifest);
            text.push_str(&fairlead_yaml::emit_json(&manifest.to_value()));
            text.push_str("---\n");
        }
    }
    print(&text)
}
