//! `fairlead diff`: what would change, before it does.
//!
//! The plan that is printed is made by the controller's own steps. Ends with 0 if there is nothing to do, with 1 if there
//! are changes, with 2 for an error.

mod artifact;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args as Flags, Subcommand, ValueEnum};
use fairlead_api::{helm::HelmRelease, kustomize::Kustomization};
use fairlead_object::TreePath;
use fairlead_plan::{Plan, render};
use fairlead_reconciler::{
    cluster::Cluster,
    controllers::{ObjectKey, SourceName},
};

use super::{
    kustomizations::{Selection, children, key, releases},
    local_inventory::{DEFAULT_NAME, LocalInventory},
    release_selection::ReleaseSelection,
};
use crate::{
    charts::ReleaseFlags,
    connection::{Connection, dns_label},
    installation::default_account,
    output::{CommandError, print, warning},
    planning::{LOCAL_REVISION, LocalBuild, Source, Wanted, account, build_kustomization, plan_for, read},
    releases::{ChartPlace, KnownRelease},
    served::{HELM_RELEASE, KUSTOMIZATION},
};

/// What to compare with the cluster.
#[derive(Flags)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    other: Option<Other>,
    /// The directory to compare, with or without a kustomization file, or a chart.
    #[arg(required = true)]
    path: Option<PathBuf>,
    /// The name of the release that a chart is rendered for [default: release-name].
    #[arg(value_name = "NAME")]
    release_name: Option<String>,
    /// The name under which `apply` keeps its inventory; what it holds and the directory does not is shown as deleted
    /// [default: the name of the release, or default].
    #[arg(long, value_name = "NAME", value_parser = dns_label)]
    name: Option<String>,
    /// How to write it.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
    #[command(flatten)]
    release: ReleaseFlags,
}

/// What else there is to compare.
#[derive(Subcommand)]
pub(crate) enum Other {
    /// Show what a Kustomization would change.
    #[command(alias = "ks")]
    Kustomization(OfKustomization),
    /// Show what a HelmRelease would change.
    #[command(alias = "hr")]
    Helmrelease(OfRelease),
    /// Compare files with an artifact in a registry.
    Artifact(artifact::Artifact),
}

/// Flags of `diff kustomization`.
#[derive(Flags)]
pub(crate) struct OfKustomization {
    #[command(flatten)]
    selection: Selection,
    /// Account of Kustomizations that name none; otherwise the one that the controller's Deployment names.
    #[arg(long, value_name = "NAME")]
    default_service_account: Option<String>,
    /// How to write it.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// Flags of `diff helmrelease`.
#[derive(Flags)]
pub(crate) struct OfRelease {
    #[command(flatten)]
    selection: ReleaseSelection,
    /// How to write it.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// How a plan is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// The plan, with its schema version.
    Json,
    /// A unified diff.
    Diff,
    /// A comment for a pull request.
    Markdown,
}

/// Nothing to do.
const IN_SYNC: u8 = 0;
/// There are changes.
const CHANGES: u8 = 1;

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    let (plans, text) = match (&args.other, &args.path) {
        (Some(Other::Artifact(args)), _) => {
            let differs = artifact::differs(args, connection).await?;
            return Ok(ExitCode::from(if differs { CHANGES } else { IN_SYNC }));
        }
        (Some(Other::Kustomization(args)), _) => {
            let plans = Box::pin(of_kustomization(args, connection)).await?;
            let text = rendered(&plans, args.output)?;
            (plans, text)
        }
        (Some(Other::Helmrelease(args)), _) => {
            let cluster = connection.cluster().await?;
            let known = args.selection.open(&cluster, connection).await?;
            let plan = Box::pin(known.plan(&cluster, args.selection.place())).await?.plan;
            let plans = vec![plan];
            let text = rendered(&plans, args.output)?;
            (plans, text)
        }
        (None, Some(path)) => {
            let build = LocalBuild::of(path, &args.release, args.release_name.as_deref(), connection).await?;
            let shown = build.shown.clone();
            let name = args.name.as_deref().or(args.release_name.as_deref());
            let plans = vec![of_local(build, name, connection).await?];
            let text = rendered(&plans, args.output)?;
            let text = if args.output == Format::Json { text } else { shown.in_text(&text) };
            (plans, text)
        }
        (None, None) => return Err("name a directory to compare".into()),
    };
    print(&text)?;
    if plans.iter().all(Plan::is_empty) {
        return Ok(ExitCode::from(IN_SYNC));
    }
    warning("identified at least one change, exiting with non-zero exit code");
    Ok(ExitCode::from(CHANGES))
}

fn rendered(plans: &[Plan], format: Format) -> Result<String, CommandError> {
    let parts: Vec<String> = match (format, plans) {
        (Format::Json, [plan]) => vec![plan.to_json()],
        (Format::Json, plans) => {
            let documents: Vec<_> = plans.iter().map(Plan::document).collect();
            vec![serde_json::to_string_pretty(&documents)? + "\n"]
        }
        (Format::Diff, plans) => plans.iter().map(render::diff).collect(),
        (Format::Markdown, plans) => plans.iter().map(render::markdown).collect(),
        (Format::Text, [plan]) => vec![render::text(plan)],
        (Format::Text, plans) => {
            plans.iter().map(|plan| format!("📁 {}/{}\n{}\n", kind(plan), plan.owner, render::text(plan))).collect()
        }
    };
    Ok(parts.concat())
}

/// The kind of what `plan` is of.
fn kind(plan: &Plan) -> &'static str {
    if plan.owner.release.is_some() { HELM_RELEASE.name } else { KUSTOMIZATION.name }
}

async fn of_local(build: LocalBuild, name: Option<&str>, connection: &Connection) -> Result<Plan, CommandError> {
    let LocalBuild { manifests, shown, cluster } = build;
    let inventory = LocalInventory::open(&cluster, &connection.namespace, name.unwrap_or(DEFAULT_NAME)).await?;
    let planned = plan_for(&cluster, manifests, LOCAL_REVISION, &inventory.wanted()).await;
    Ok(planned.map_err(|error| shown.in_error(error))?.plan)
}

async fn of_kustomization(args: &OfKustomization, connection: &Connection) -> Result<Vec<Plan>, CommandError> {
    let selection = &args.selection;
    let cluster = connection.cluster().await?;
    let default = match &args.default_service_account {
        Some(named) => Some(named.clone()).filter(|name| !name.is_empty()),
        None => default_account(&cluster).await?,
    };
    let (kustomization, source) = selection.open(&cluster, &connection.namespace).await?;
    let mut plans = Vec::new();
    let mut waiting = vec![(kustomization, source)];
    while let Some((kustomization, source)) = waiting.pop() {
        let built = build_kustomization(&cluster, &kustomization, &source, selection.strict_substitute).await?;
        let (below, releases) = if selection.recursive {
            (children(&kustomization, &built.manifests), releases(&built.manifests))
        } else {
            (Vec::new(), Vec::new())
        };
        let wanted = Wanted::by_kustomization(&kustomization)?;
        let own = key(&kustomization);
        let named = kustomization.spec.service_account_name.as_ref().or(default.as_ref());
        let account = account(&cluster, &own.namespace, named)?;
        let planned = plan_for(&account, built.manifests, &source.revision, &wanted).await;
        plans.push(planned.map_err(|error| source.shown.in_error(error))?.plan);
        for release in releases {
            plans.extend(of_child(&cluster, read(release)?, (&kustomization, &source), default.as_ref()).await?);
        }
        for child in below {
            let mut child: Kustomization = read(child)?;
            let own = key(&child);
            // What is not there yet has nothing to be compared with; its own line says that it is created.
            let live = cluster.get(&KUSTOMIZATION.resource(), &own.namespace, &own.name).await?;
            let Some(live) = live else { continue };
            child.status = read::<Kustomization>(live)?.status;
            let below = selection.source_of_child(&kustomization, &child, &source)?;
            waiting.push((child, below));
        }
    }
    Ok(plans)
}

/// The plan of `release`, which `parent` applies from `source`; none if it is not in the cluster yet.
async fn of_child(
    cluster: &Cluster,
    mut release: HelmRelease,
    (parent, source): (&Kustomization, &Source),
    default: Option<&String>,
) -> Result<Option<Plan>, CommandError> {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    let (namespace, name) = (text(&release.metadata.namespace), text(&release.metadata.name));
    let Some(live) = cluster.get(&HELM_RELEASE.resource(), &namespace, &name).await? else { return Ok(None) };
    let live: HelmRelease = read(live)?;
    if live.spec == release.spec {
        release.metadata.generation = live.metadata.generation;
    }
    release.status = live.status;
    // What was pushed is fetched as the controller does.
    let local = Some(source).filter(|source| source.revision == LOCAL_REVISION);
    let beside = local.and_then(|source| source.beside(&chart_path(parent, &release)?));
    let known = KnownRelease::of(release, cluster, default).await?;
    let place = match &beside {
        Some(chart) => ChartPlace::Beside(&*chart.tree, &chart.path),
        None => ChartPlace::Asked,
    };
    Ok(Some(known.plan(cluster, place).await?.plan))
}

/// The path of the chart of `release`, if it is in the same source as `parent`.
fn chart_path(parent: &Kustomization, release: &HelmRelease) -> Option<TreePath> {
    let chart = &release.spec.chart.as_ref()?.spec;
    let of_parent = SourceName::of(&parent.spec, &key(parent).namespace);
    let namespace = chart.source_ref.namespace.as_ref().or(release.metadata.namespace.as_ref())?;
    let is_same = chart.source_ref.kind.name() == of_parent.kind.name()
        && of_parent.key == ObjectKey::new(namespace, &chart.source_ref.name);
    chart.chart.parse().ok().filter(|_| is_same && chart.values_files.is_empty())
}
