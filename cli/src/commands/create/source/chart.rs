//! `fairlead create source chart`.

use clap::Args as Flags;
use serde_json::{Value, json};

use super::VerifyFlags;
use crate::{
    commands::create::{
        Common,
        object::{NewObject, given, text},
    },
    connection::dns_label,
    served::{BUCKET, GIT_REPOSITORY, HELM_CHART, HELM_REPOSITORY},
};

/// Flags of `create source chart`.
#[derive(Flags)]
pub(crate) struct Args {
    /// The name of the source.
    #[arg(value_parser = dns_label)]
    name: String,
    /// Where the chart comes from: a `HelmRepository`, `GitRepository` or `Bucket`.
    #[arg(long, value_name = "KIND/NAME", value_parser = source)]
    source: Value,
    /// The name of the chart, or its path in a repository or bucket.
    #[arg(long)]
    chart: String,
    /// The version of the chart, or a range of versions.
    #[arg(long, value_name = "RANGE")]
    chart_version: Option<String>,
    /// What makes a new artifact: another version of the chart, or another revision of its source.
    #[arg(long, value_name = "STRATEGY", default_value = "ChartVersion", value_parser = ["ChartVersion", "Revision"])]
    reconcile_strategy: String,
    #[command(flatten)]
    verify: VerifyFlags,
}

impl Args {
    pub(super) fn source(&self, common: &Common) -> NewObject<'_> {
        let spec = given([
            ("chart", text(Some(&self.chart))),
            ("version", text(self.chart_version.as_ref())),
            ("sourceRef", Some(self.source.clone())),
            ("interval", Some(common.interval())),
            ("reconcileStrategy", text(Some(&self.reconcile_strategy))),
            ("verify", self.verify.spec()),
        ]);
        NewObject::source(HELM_CHART, &self.name, spec)
    }
}

/// Reads `Kind/name`.
fn source(written: &str) -> Result<Value, String> {
    let (kind, name) = written.split_once('/').filter(|(_, name)| !name.is_empty()).ok_or("it is not KIND/NAME")?;
    let kinds = [HELM_REPOSITORY, GIT_REPOSITORY, BUCKET].map(|kind| kind.name);
    match kinds.into_iter().find(|known| known.eq_ignore_ascii_case(kind)) {
        Some(kind) => Ok(json!({ "kind": kind, "name": name })),
        None => Err(format!("`{kind}` is none of {}", kinds.join(", "))),
    }
}
