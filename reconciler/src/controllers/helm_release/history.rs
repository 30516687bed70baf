//! The records of a release in a cluster.

use fairlead_api::helm::HelmRelease;
use fairlead_release::{
    Release, Status,
    secret::{self, Stamp, TooLarge, Unreadable},
    shortened,
};
use jiff::Timestamp;

use crate::cluster::{ApiError, Cluster, Resource};

/// Where the records of a release are.
#[derive(Clone)]
pub struct History {
    /// The cluster that holds them.
    pub cluster: Cluster,
    /// Their namespace.
    pub namespace: String,
    /// Name of the release.
    pub name: String,
}

/// Why a record could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The cluster refuses, or does not answer.
    #[error("the records of the release cannot be read or written")]
    Cluster(#[from] ApiError),
    /// A Secret holds something else.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// It does not fit into a Secret.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

impl History {
    /// Where the release of `release` is recorded: as its status says, or else its spec.
    pub fn of(cluster: Cluster, release: &HelmRelease) -> Self {
        let (metadata, spec, status) = (&release.metadata, &release.spec, release.status.as_ref());
        let own = metadata.namespace.as_deref().unwrap_or_default();
        let asked = || shortened(spec.full_release_name(metadata.name.as_deref().unwrap_or_default()));
        let recorded = status.and_then(|status| status.storage_namespace.clone());
        Self {
            cluster,
            namespace: recorded.unwrap_or_else(|| spec.storage_namespace(own).to_owned()),
            name: status.and_then(|status| status.history.first()).map_or_else(asked, |latest| latest.name.clone()),
        }
    }

    fn secrets() -> Resource {
        Resource::namespaced("", "v1", "Secret", "secrets")
    }

    /// All records, the newest first.
    ///
    /// # Errors
    /// If the cluster does not tell them, or if one of them cannot be read.
    pub async fn list(&self) -> Result<Vec<Release>, HistoryError> {
        let query = format!("labelSelector={}", secret::selector(&self.name).replace(',', "%2C").replace('=', "%3D"));
        let found = self.cluster.list(&Self::secrets(), &self.namespace, &query).await?;
        let mut records = found.iter().map(secret::read).collect::<Result<Vec<_>, _>>()?;
        records.sort_by_key(|record| std::cmp::Reverse(record.version));
        Ok(records)
    }

    /// Records a revision that is new; of `known` as many are kept as `limit` says, if it says any.
    pub(super) async fn create(
        &self,
        release: &Release,
        (known, limit): (&[Release], usize),
        now: Timestamp,
    ) -> Result<(), HistoryError> {
        let body = secret::write(release, &self.namespace, Stamp::Created, now)?;
        for old in surplus(known, limit) {
            self.delete(old).await?;
        }
        self.cluster.create(&Self::secrets(), &self.namespace, &body).await?;
        Ok(())
    }

    /// Records what became of a revision.
    pub(super) async fn update(&self, release: &Release, now: Timestamp) -> Result<(), HistoryError> {
        let body = secret::write(release, &self.namespace, Stamp::Modified, now)?;
        self.cluster.replace(&Self::secrets(), &self.namespace, &body).await?;
        Ok(())
    }

    /// Forgets a revision.
    pub(super) async fn delete(&self, release: &Release) -> Result<(), HistoryError> {
        let name = secret::name(&release.name, release.version);
        self.cluster.delete(&Self::secrets(), (&self.namespace, &name), None).await?;
        Ok(())
    }
}

/// The oldest of `known`, newest first, so that with a new one there are no more than `limit`; never the one that is
/// deployed. None if there is no limit.
fn surplus(known: &[Release], limit: usize) -> Vec<&Release> {
    let kept = match limit {
        0 => return Vec::new(),
        limit => limit - 1,
    };
    let deployed = known.iter().find(|record| record.info.status == Status::Deployed).map(|record| record.version);
    let is_free = |record: &&Release| Some(record.version) != deployed;
    let too_many = known.len().saturating_sub(kept);
    known.iter().rev().filter(is_free).take(too_many).collect()
}

#[cfg(test)]
mod tests {
    use fairlead_release::Info;

    use super::*;

    fn gone(statuses: &[Status], limit: usize) -> Vec<i64> {
        let count = i64::try_from(statuses.len()).expect("few");
        let records: Vec<Release> = (1..=count)
            .rev()
            .zip(statuses)
            .map(|(version, status)| Release {
                version,
                info: Info { status: *status, ..Info::default() },
                ..Release::default()
            })
            .collect();
        surplus(&records, limit).into_iter().map(|record| record.version).collect()
    }

    #[test]
    fn the_oldest_go_and_the_deployed_one_stays() {
        use Status::{Deployed, Failed, Superseded};
        assert_eq!(gone(&[Deployed, Superseded, Superseded], 2), [1, 2]);
        assert_eq!(gone(&[Failed, Failed, Deployed], 2), [2, 3]);
        assert_eq!(gone(&[Deployed, Superseded], 5), [0_i64; 0]);
        assert_eq!(gone(&[Deployed, Superseded, Superseded], 0), [0_i64; 0], "no limit");
    }
}
