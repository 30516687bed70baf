//! Charts as they are now, for whoever looks at them before they are kept: fetched, changed as is asked, and not packed.

use fairlead_api::source::{HelmChartSpec, HelmRepositorySpec, ReconcileStrategy};
use fairlead_helm::{Chart, load_archive};
use fairlead_object::TreePath;
use fairlead_sources::{
    fetch::{Means, SourceFailure},
    helm::{FetchedChart, HelmLimits, HelmRequest, fetch_chart, fetch_index, find, pull_chart},
    store::StoredTree,
};

use super::{
    error::ChartError,
    package::{self, Missing, Packing, values_inside},
    request::{REVISION_DIGITS, blocking, checked_name, pinned},
};
use crate::{
    cluster::Cluster,
    controllers::source::{
        Clouds,
        helm_repository::{chart_in_registry, helm_request},
        secrets::Secrets,
    },
};

/// A chart that a `HelmChart` asks for.
pub struct UnpackedChart<'a> {
    /// What it asks for.
    pub spec: &'a HelmChartSpec,
    /// The generation of the `HelmChart`, if it is there already.
    pub generation: Option<i64>,
}

impl UnpackedChart<'_> {
    /// The chart in the Helm repository that `repository` of `namespace` names.
    ///
    /// # Errors
    /// If it cannot be fetched, or not be changed as is asked.
    pub async fn of_repository(
        &self,
        (cluster, namespace): (&Cluster, &str),
        repository: &HelmRepositorySpec,
        clouds: &Clouds,
        means: &Means<'_>,
    ) -> Result<Chart, SourceFailure> {
        let secrets = Secrets { cluster, namespace };
        let name = checked_name(&self.spec.chart)?;
        let fetched = if repository.is_oci() {
            let request = chart_in_registry(&secrets, clouds, repository, (&name, &self.spec.version)).await?;
            let (_, request) = pinned(&request).await.map_err(ChartError::Tags)?;
            pull_chart(&request, means).await.map_err(ChartError::of_pull)?
        } else {
            self.listed(&secrets, repository, name, means).await?
        };
        let packing = self.packing(None);
        let chart = blocking(move || {
            let mut chart = load_archive(&fetched.read()?).map_err(ChartError::Load)?;
            packing.replace_values(&mut chart, values_inside)?;
            chart.metadata.version = packing.version(&chart.metadata.version)?;
            Ok(chart)
        });
        Ok(chart.await?)
    }

    async fn listed(
        &self,
        secrets: &Secrets<'_>,
        repository: &HelmRepositorySpec,
        name: String,
        means: &Means<'_>,
    ) -> Result<FetchedChart, SourceFailure> {
        let limits = HelmLimits::default();
        let request = helm_request(secrets, repository, limits.index_bytes).await?;
        let index = fetch_index(&request, means.store).await.map_err(SourceFailure::from)?;
        let range = self.spec.version.clone();
        let listed = blocking(move || Ok(find(&index.tree, &name, &range)?)).await?;
        let request = HelmRequest { limit_bytes: limits.chart_bytes, ..request };
        Ok(fetch_chart(&request, &listed, means.store).await.map_err(ChartError::of_download)?)
    }

    /// The chart in `tree`, which is another source in `revision`. It lacks the charts that it does not carry along.
    ///
    /// # Errors
    /// If there is none, or if it cannot be changed as is asked.
    pub fn of_source(&self, tree: &StoredTree, revision: &str) -> Result<Chart, SourceFailure> {
        let path: TreePath = self.spec.chart.parse().map_err(|error| ChartError::Reference(format!("{error}")))?;
        let packing = self.packing(Some(revision));
        let version = packing.version(&package::describe(tree, &path)?.version)?;
        Ok(package::draft(tree, &path, &packing, &version)?.chart)
    }

    fn packing(&self, revision: Option<&str>) -> Packing {
        let spec = self.spec;
        let hash = revision.filter(|_| spec.reconcile_strategy == ReconcileStrategy::Revision).map(|revision| {
            let hash = revision.rsplit(':').next().unwrap_or(revision);
            hash.chars().take(REVISION_DIGITS).collect()
        });
        let values_files = spec.values_files().to_vec();
        let generation = self.generation.filter(|_| !values_files.is_empty()).map(|generation| generation.to_string());
        Packing {
            values_files,
            missing: if spec.ignore_missing_values_files { Missing::PassBy } else { Missing::Refuse },
            version_metadata: hash.into_iter().chain(generation).collect::<Vec<String>>().join("."),
            limit_bytes: HelmLimits::default().chart_bytes,
        }
    }
}
