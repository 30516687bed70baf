//! `fairlead apply`: brings the cluster to what a local directory says, as `diff` showed it.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args as Flags;
use fairlead_api::helm::DeletionPropagation;
use fairlead_object::{Manifest, ObjectId};
use fairlead_plan::{APPROVE_ANNOTATION, Action, DocumentError, Held, Plan, PlanDocument, Stage, render};
use fairlead_reconciler::{
    apply::{Applier, ApplyError, Witness},
    cluster::Cluster,
    prepare::Prepared,
};
use serde_json::Value;
use tokio::time::Instant;

use super::local_inventory::{DEFAULT_NAME, LocalInventory};
use crate::{
    charts::ReleaseFlags,
    connection::{Connection, dns_label},
    local,
    output::{CommandError, Hinted, action, print, success, waiting, with_hint},
    planning::{LOCAL_REVISION, LocalBuild, Planned, plan_for},
    wait::until_current,
};

/// Flags of `apply`.
#[derive(Flags)]
pub(crate) struct Args {
    /// The directory to apply, with or without a kustomization file, or a chart.
    path: PathBuf,
    /// The name of the release that a chart is rendered for [default: release-name].
    #[arg(value_name = "NAME")]
    release_name: Option<String>,
    /// The name under which the inventory is kept, so that a later apply prunes [default: the name of the release, or
    /// default].
    #[arg(long, value_name = "NAME", value_parser = dns_label)]
    name: Option<String>,
    /// A plan that `diff -o json` wrote: apply only if it still says the same.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Wait until everything is healthy.
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    release: ReleaseFlags,
}

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    let deadline = Instant::now() + connection.timeout;
    let build = LocalBuild::of(&args.path, &args.release, args.release_name.as_deref(), connection).await?;
    let LocalBuild { manifests, shown, cluster } = build;
    let name = args.name.as_deref().or(args.release_name.as_deref()).unwrap_or(DEFAULT_NAME);
    let inventory = LocalInventory::open(&cluster, &connection.namespace, name).await?;
    let planned = plan_for(&cluster, manifests, LOCAL_REVISION, &inventory.wanted()).await;
    let Planned { plan, prepared } = planned.map_err(|error| shown.in_error(error))?;
    if let Some(file) = &args.plan {
        verify(file, &plan)?;
    }
    if let Some(held) = &plan.held {
        return Err(unapproved(held, &inventory).into());
    }
    if !plan.is_empty() {
        action(format!("applying {} under the name {name}", args.path.display()));
        carry_out(&plan, &prepared, &cluster, &inventory, deadline).await?;
    }
    print(&changes(&plan))?;
    if args.wait {
        waiting("waiting for everything to be healthy");
        let applied = plan.steps.iter().filter(|step| step.stage != Stage::Prune);
        for step in applied.filter(|step| !matches!(step.action, Action::Delete)) {
            until_current(&cluster, &step.object, deadline).await?;
        }
    }
    success(if plan.is_empty() { "nothing to do" } else { "applied" });
    Ok(ExitCode::SUCCESS)
}

/// Carries out `plan`, between two records of what is held.
async fn carry_out(
    plan: &Plan,
    prepared: &Prepared,
    cluster: &Cluster,
    inventory: &LocalInventory<'_>,
    deadline: Instant,
) -> Result<(), CommandError> {
    inventory.record(&plan.inventory_during()).await?;
    let applier = Applier {
        cluster,
        resources: &prepared.resources,
        is_guarded: false,
        propagation: DeletionPropagation::Background,
        witness: &Unwatched,
    };
    let steps: Vec<_> = plan.steps.iter().collect();
    for stage in [Stage::Definitions, Stage::Classes, Stage::Custom, Stage::Rest, Stage::Prune] {
        applier.apply_stage(&steps, stage).await.map_err(with_hint(ApplyError::hint))?;
        if matches!(stage, Stage::Definitions | Stage::Classes) {
            for step in plan.stage(stage).filter(|step| step.action.manifest().is_some()) {
                until_current(cluster, &step.object, deadline).await?;
                cluster.expect_new_kinds();
            }
        }
    }
    Ok(inventory.record(&plan.inventory_after()).await?)
}

/// Checks that `plan` is what the file says.
fn verify(file: &Path, plan: &Plan) -> Result<(), CommandError> {
    let document = PlanDocument::from_json(&local::read(file)?);
    let document = document.map_err(|source| UnusablePlan { path: file.to_owned(), source })?;
    let moved = |error| Hinted::new(error, "look at what would happen now with `fairlead diff`");
    Ok(document.verify(plan).map_err(moved)?)
}

#[derive(Debug, thiserror::Error)]
#[error("cannot use `{}`", path.display())]
struct UnusablePlan {
    path: PathBuf,
    source: DocumentError,
}

/// What to do about a plan that deletes more than goes without saying.
fn unapproved(held: &Held, inventory: &LocalInventory<'_>) -> Hinted {
    let reasons: Vec<String> = held.reasons.iter().map(ToString::to_string).collect();
    let hint = format!(
        "look at it with `fairlead diff`, then approve it with `kubectl annotate --overwrite -n {} configmap {} {}={}`",
        inventory.namespace,
        inventory.object_name(),
        APPROVE_ANNOTATION,
        held.approve
    );
    Hinted::new(format!("held: {}", reasons.join(", ")), hint)
}

/// A line for each object that was changed.
fn changes(plan: &Plan) -> String {
    plan.work().flat_map(|step| [render::change_log_line(step), "\n".to_owned()]).collect()
}

/// Nobody needs to be told: the plan says it all.
struct Unwatched;

impl Witness for Unwatched {
    fn writing(&self, _: &Manifest) {}

    fn written(&self, _: &Manifest, _: &Value) {}

    fn deleting(&self, _: &ObjectId) {}

    fn deleted(&self, _: &ObjectId) {}
}
