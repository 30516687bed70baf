//! `fairlead build`: prints what would be applied.

mod artifact;
mod chart;
mod destination;
mod flags;
mod helm_flags;
mod origins;
mod release;
mod watch;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args as Flags, Subcommand};
use fairlead_manifests::{BuildRequest, attempt};

use super::{
    kustomizations::{Selection, children},
    release_selection::ReleaseSelection,
};
use crate::{
    charts::{LocalChart, PrintFlags, ReleaseFlags},
    connection::Connection,
    local::{self, LocalPlace},
    output::{CommandError, print, quote},
    planning::{Source, build_kustomization, explained, read},
    shown_paths::ShownPaths,
};
use destination::{Destination, Shown, separated};
use flags::KustomizeFlags;
use helm_flags::HelmFlags;
use watch::{Attempt, Documents};

/// What to build.
#[derive(Flags)]
#[command(args_conflicts_with_subcommands = true, disable_version_flag = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    other: Option<Other>,
    /// The directory to build, with or without a kustomization file, or a chart: a directory with a `Chart.yaml` and no
    /// kustomization file, or a `.tgz`.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// The name of the release that a chart is rendered for [default: release-name].
    name: Option<String>,
    /// `json` or `yaml`, or where to write: a file, or a directory for one file of each object.
    #[arg(short, long, value_name = "FORMAT|FILE|DIRECTORY")]
    output: Option<PathBuf>,
    /// Show where each field was written and what changed it since: beside each field, or with `-o json` as a list.
    #[arg(long)]
    origin: bool,
    /// Build again on every save and show what it changes, until Ctrl-C.
    #[arg(long, conflicts_with = "output")]
    watch: bool,
    #[command(flatten)]
    kustomize: KustomizeFlags,
    #[command(flatten)]
    release: ReleaseFlags,
    #[command(flatten)]
    print: PrintFlags,
    #[command(flatten)]
    helm: HelmFlags,
}

impl Args {
    fn shown<'a>(&self, paths: &'a ShownPaths) -> Shown<'a> {
        if self.origin { Shown::Origins(paths) } else { Shown::Objects }
    }
}

/// What else there is to build.
#[derive(Subcommand)]
pub(crate) enum Other {
    /// Print what a Kustomization applies.
    #[command(alias = "ks")]
    Kustomization(Kustomization),
    /// Print what a HelmRelease installs.
    #[command(alias = "hr")]
    Helmrelease(ReleaseSelection),
    /// Pack files as `push artifact` does.
    Artifact(artifact::Artifact),
}

/// Flags of `build kustomization`.
#[derive(Flags)]
pub(crate) struct Kustomization {
    #[command(flatten)]
    selection: Selection,
}

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    match &args.other {
        Some(Other::Kustomization(args)) => of_cluster(&args.selection, connection).await?,
        Some(Other::Helmrelease(selection)) => release::build(selection, connection).await?,
        Some(Other::Artifact(args)) => artifact::build(args)?,
        None => of_path(&args, connection).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn of_path(args: &Args, connection: &Connection) -> Result<(), CommandError> {
    let request = args.kustomize.request()?;
    let namespace = connection.given_namespace();
    let name = args.helm.name(args.name.as_deref(), &args.path)?;
    match LocalChart::find(&args.path, &args.release, name.as_deref(), namespace)? {
        Some(mut chart) => {
            chart.request.release.definitions = args.print.definitions();
            chart::build(&chart, args).await
        }
        None => of_directory(args, request).await,
    }
}

async fn of_directory(args: &Args, request: BuildRequest) -> Result<(), CommandError> {
    if args.watch {
        let directory = local::open_directory(&args.path)?;
        let request = BuildRequest { path: directory.path.clone(), ..request };
        return watch::watch(&directory.tree, || attempted(&directory, &request, args.shown(&directory.shown))).await;
    }
    let source = Source::local(&args.path, None)?;
    let shown = args.shown(&source.shown);
    match Destination::of(args.output.as_deref()) {
        Destination::Documents(place) => {
            let documents = source.render(request, |manifest| shown.document(&manifest))?;
            place.write(separated(documents.into_iter()))
        }
        destination => destination.write(&source.build(request)?.manifests, shown),
    }
}

/// One build of a directory that is watched.
fn attempted(directory: &LocalPlace, request: &BuildRequest, shown: Shown<'_>) -> Attempt {
    match attempt(&directory.tree, request) {
        Ok(built) => {
            built.warnings.iter().for_each(quote);
            let reads = built.inputs.reads().clone();
            Attempt::new(Ok(Documents::of(&built.manifests, shown)), reads)
        }
        Err(failed) => {
            let reads = failed.inputs.reads().clone();
            Attempt::new(Err(explained(failed.error, &directory.shown)), reads)
        }
    }
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
