//! `HelmChart`: a chart of a Helm repository as it comes, or one that is packed here.
//!
//! # Follows Flux
//! Which version is taken, what its build metadata says of how it was made, which charts are packed along, and all words.
//! # Differs from Flux
//! A package is the same, byte for byte, whenever it is made. A chart whose listed digest is wrong is refused. A chart that
//! failed is built again when its source has another revision, even under the version that is kept.

mod dependencies;
mod error;
mod package;
mod request;
mod unpacked;

use fairlead_api::{
    conditions::READY,
    reasons::source as reason,
    source::{HelmChart, HelmChartStatus},
};
use fairlead_sources::{
    fetch::{Content, SourceFailure},
    store::SourceKind,
};

use super::{Asked, Plane, Resolved, Source, Sources, Told, World};
use request::ChartRequest;
pub use unpacked::UnpackedChart;

impl Source for HelmChart {
    type Request = ChartRequest;

    const KIND: SourceKind = SourceKind::HelmChart;

    fn plane(sources: &Sources) -> &Plane<Self> {
        &sources.helm_charts
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            is_suspended: self.spec.suspend,
            unsupported: Vec::new(),
            interval: self.spec.interval.read("spec.interval"),
            ignore: None,
        }
    }

    async fn request(&self, world: &World, namespace: &str) -> Result<ChartRequest, SourceFailure> {
        request::chart_request(world, namespace, self).await
    }

    fn note_request(request: &ChartRequest, status: &mut HelmChartStatus) {
        if let Some(revision) = request.source_revision() {
            status.observed_source_artifact_revision = Some(revision.to_owned());
        }
    }

    fn note(&self, _: &World, _: &ChartRequest, resolved: &Resolved<Self>, status: &mut HelmChartStatus) {
        status.observed_chart_name = Some(resolved.name.clone());
    }

    fn note_content(&self, content: &Content, status: &mut HelmChartStatus) {
        status.observed_values_files =
            if self.spec.ignore_missing_values_files { content.values_files.clone() } else { Vec::new() };
    }

    fn note_url(status: &mut HelmChartStatus, url: String) {
        status.url = Some(url);
    }

    /// Another spec may make another package of the same version.
    fn is_settled(&self, status: &HelmChartStatus) -> bool {
        self.metadata.generation == status.source.observed_generation && status.source.conditions.is_true(READY)
    }

    fn told(&self, resolved: &Resolved<Self>, revision: &str, status: &HelmChartStatus) -> Told {
        let (action, reason) = if resolved.is_packed {
            ("packaged", reason::CHART_PACKAGE_SUCCEEDED)
        } else {
            ("pulled", reason::CHART_PULL_SUCCEEDED)
        };
        let mut message = format!("{action} '{}' chart with version '{revision}'", resolved.name);
        let is_observed = self.spec.ignore_missing_values_files;
        let merged = if is_observed { &status.observed_values_files } else { self.spec.values_files() };
        if !merged.is_empty() {
            message = format!("{message} and merged values files [{}]", merged.join(" "));
        }
        Told { reason, message }
    }

    fn news(_: &Content, told: &Told) -> Told {
        told.clone()
    }
}
