//! `fairlead check`: whether a cluster can run Fairlead, and whether it does.

use std::process::ExitCode;

use clap::Args as Flags;
use fairlead_api::{crds::crds, install::NAME};
use fairlead_health::{HealthRules, Surroundings, assess};
use fairlead_object::ObjectId;
use fairlead_reconciler::{clock::Clock, cluster::Cluster};
use kube::ResourceExt;

use crate::{
    connection::Connection,
    output::{CommandError, action, failure, success},
};

/// The oldest minor version of Kubernetes 1 that is supported.
const OLDEST_MINOR: u32 = 33;

/// Flags of `check`.
#[derive(Flags)]
pub(crate) struct Args {
    /// Check only what must be there before an installation.
    #[arg(long)]
    pre: bool,
}

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    action("checking prerequisites");
    let cluster = connection.cluster().await?;
    let mut is_well = check_version(&cluster).await?;
    if args.pre {
        return end(is_well, "prerequisites checks passed");
    }
    action("checking controllers");
    let deployment = ObjectId::new("apps", "Deployment", &connection.namespace, NAME);
    is_well &= check_deployment(&cluster, &deployment).await?;
    action("checking crds");
    for definition in crds() {
        is_well &= check_definition(&cluster, &definition.name_any()).await?;
    }
    end(is_well, "all checks passed")
}

fn end(is_well: bool, passed: &str) -> Result<ExitCode, CommandError> {
    if is_well {
        success(passed);
        return Ok(ExitCode::SUCCESS);
    }
    Err("check failed".into())
}

async fn check_version(cluster: &Cluster) -> Result<bool, CommandError> {
    let version = cluster.client().apiserver_version().await?;
    let minor: String = version.minor.chars().take_while(char::is_ascii_digit).collect();
    let is_supported = version.major != "1" || minor.parse::<u32>().is_ok_and(|minor| minor >= OLDEST_MINOR);
    let found = version.git_version.trim_start_matches('v');
    if is_supported {
        success(format!("Kubernetes {found} >=1.{OLDEST_MINOR}.0-0"));
    } else {
        failure(format!("Kubernetes version v{found} does not match >=1.{OLDEST_MINOR}.0-0"));
    }
    Ok(is_supported)
}

async fn check_deployment(cluster: &Cluster, id: &ObjectId) -> Result<bool, CommandError> {
    let Some(object) = cluster.get_by_id(id).await? else {
        failure(format!("{}: deployment not found", id.name));
        return Ok(false);
    };
    let surroundings = Surroundings { pods: &[], now: Clock::system().now() };
    let health = assess(&object, &HealthRules::none(), &surroundings);
    if health.is_current() {
        success(format!("{}: deployment ready", id.name));
    } else {
        failure(format!("{}: deployment not ready: {health}", id.name));
    }
    let containers = object["spec"]["template"]["spec"]["containers"].as_array().into_iter().flatten();
    for image in containers.filter_map(|container| container["image"].as_str()) {
        action(image);
    }
    Ok(health.is_current())
}

async fn check_definition(cluster: &Cluster, name: &str) -> Result<bool, CommandError> {
    let id = ObjectId::new("apiextensions.k8s.io", "CustomResourceDefinition", "", name);
    let Some(object) = cluster.get_by_id(&id).await? else {
        failure(format!("{name}: not found"));
        return Ok(false);
    };
    let stored = object["status"]["storedVersions"].as_array().and_then(|versions| versions.last());
    let version = stored.and_then(|version| version.as_str()).unwrap_or_default();
    success(format!("{name}/{version}"));
    Ok(true)
}
