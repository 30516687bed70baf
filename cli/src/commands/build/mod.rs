//! `fairlead build`: prints what would be applied.

mod destination;
mod flags;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args as Flags, Subcommand};

use super::kustomizations::{Selection, children};
use crate::{
    connection::Connection,
    output::{CommandError, print},
    planning::{Source, build_kustomization, read},
};
use destination::Destination;
use flags::KustomizeFlags;

/// What to build.
#[derive(Flags)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    of_cluster: Option<OfCluster>,
    /// The directory to build, with or without a kustomization file.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// `json` or `yaml`, or where to write: a file, or a directory for one file of each object.
    #[arg(short, long, value_name = "FORMAT|FILE|DIRECTORY")]
    output: Option<PathBuf>,
    #[command(flatten)]
    kustomize: KustomizeFlags,
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
    match &args.of_cluster {
        Some(OfCluster::Kustomization(args)) => of_cluster(&args.selection, connection).await?,
        None => of_directory(&args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn of_directory(args: &Args) -> Result<(), CommandError> {
    let request = args.kustomize.request()?;
    let built = Source::local(&args.path, None)?.build(request)?;
    Destination::of(args.output.as_deref()).write(&built)
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
