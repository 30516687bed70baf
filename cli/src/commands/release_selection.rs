//! What `build helmrelease` and `diff helmrelease` share: which release, and of which chart.

use std::path::PathBuf;

use clap::Args;
use fairlead_api::{helm::HelmRelease, names::annotations::PINNED_REVISION};
use fairlead_reconciler::cluster::Cluster;

use crate::{
    connection::Connection,
    installation::default_account,
    output::{CommandError, warning},
    planning::read,
    releases::{ChartPlace, KnownRelease},
    served::HELM_RELEASE,
};

/// Which release, and of which chart.
#[derive(Args)]
pub(crate) struct ReleaseSelection {
    /// Its name.
    name: String,
    /// A local chart instead of the one that it asks for: a directory, or a `.tgz`.
    #[arg(long, value_name = "CHART")]
    path: Option<PathBuf>,
    /// Account of HelmReleases that name none; otherwise the one that the controller's Deployment names.
    #[arg(long, value_name = "NAME")]
    default_service_account: Option<String>,
}

impl ReleaseSelection {
    /// Where its chart is taken from.
    pub(crate) fn place(&self) -> ChartPlace<'_> {
        self.path.as_deref().map_or(ChartPlace::Asked, ChartPlace::Local)
    }

    /// The release, and what is known of it.
    pub(crate) async fn open(&self, cluster: &Cluster, connection: &Connection) -> Result<KnownRelease, CommandError> {
        let release: HelmRelease = read(HELM_RELEASE.get(cluster, &connection.namespace, &self.name).await?)?;
        if let Some(revision) = release.metadata.annotations.as_ref().and_then(|all| all.get(PINNED_REVISION)) {
            warning(format!("it is kept at revision {revision}: this is what follows once it is unpinned"));
        }
        let default = match &self.default_service_account {
            Some(named) => Some(named.clone()).filter(|name| !name.is_empty()),
            None => default_account(cluster).await?,
        };
        KnownRelease::of(release, cluster, default.as_ref()).await
    }
}
