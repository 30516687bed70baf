//! `fairlead apply`: brings the cluster to what a local directory says, as `diff` showed it.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args as Flags;
use fairlead_manifests::BuildRequest;
use fairlead_object::{Manifest, ObjectId};
use fairlead_plan::{APPROVE_ANNOTATION, Action, DocumentError, Held, Plan, PlanDocument, Stage, render};
use fairlead_reconciler::{
    apply::{Applier, ApplyError, Witness},
    cluster::Cluster,
    prepare::Prepared,
};
use serde_json::Value;
use tokio::time::Instant;

use super::local_inventory::LocalInventory;
use crate::{
    connection::{Connection, dns_label},
    local,
    output::{CommandError, Hinted, action, print, success, waiting, with_hint},
    planning::{Planned, Source, plan_for},
    wait::until_current,
};

/// Flags of `apply`.
#[derive(Flags)]
pub(crate) struct Args {
    /// The directory to apply, with or without a kustomization file.
    path: PathBuf,
    /// The name under which the inventory is kept, so that a later apply prunes.
    #[arg(long, default_value = "default", value_parser = dns_label)]
    name: String,
    /// A plan that `diff -o json` wrote: apply only if it still says the same.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Wait until everything is healthy.
    #[arg(long)]
    wait: bool,
}

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    let deadline = Instant::now() + connection.timeout;
    let source = Source::local(&args.path, None)?;
    let built = source.build(BuildRequest::default())?;
    let cluster = connection.cluster().await?;
    let inventory = LocalInventory::open(&cluster, &connection.namespace, &args.name).await?;
    let planned = plan_for(&cluster, built, &source.revision, &inventory.wanted()).await;
    let Planned { plan, prepared } = planned.map_err(|error| source.shown.in_error(error))?;
    if let Some(file) = &args.plan {
        verify(file, &plan)?;
    }
    if let Some(held) = &plan.held {
        return Err(unapproved(held, &inventory).into());
    }
    if !plan.is_empty() {
        action(format!("applying {} under the name {}", args.path.display(), args.name));
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
    let applier = Applier { cluster, resources: &prepared.resources, is_guarded: false, witness: &Unwatched };
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
