//! The end of a configuration: its Kustomizations go first, for they clean up with the rights of its account.

use std::time::Duration;

use serde_json::Value;

use super::{Subject, live::value_belongs, outcome, parts};
use crate::{
    cluster::{ApiError, Resource},
    controllers::{ObjectKey, source::Sources},
    queue::NextRun,
};

/// How often is looked whether the Kustomizations are gone, should no watch tell it.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

impl Subject<'_> {
    /// Removes what the configuration consists of, and lets the object go. No worker waits for the Kustomizations: that
    /// one of them is gone wakes the configuration.
    pub(super) async fn finalize(&self) -> Result<NextRun, ApiError> {
        let before = self.before();
        match self.remove_all().await {
            Ok(leaving) if leaving.is_empty() => {}
            Ok(leaving) => {
                let status = outcome::leaving(&self.situation(&before), &leaving);
                self.write(&before, &status).await?;
                return Ok(NextRun::After(LOOK_AGAIN));
            }
            Err(error) => {
                let report = outcome::stuck(&self.situation(&before), error);
                self.write(&before, &report.status).await?;
                for said in &report.events {
                    self.publish(said, "", Vec::new());
                }
                return Ok(self.after_failure());
            }
        }
        self.let_go().await
    }

    /// Removes everything in its order. Returns the Kustomizations that must be gone before the rest can go.
    async fn remove_all(&self) -> Result<Vec<ObjectKey>, ApiError> {
        let leaving = self.delete_all(&parts::kustomizations()).await?;
        if !leaving.is_empty() {
            return Ok(leaving);
        }
        for known in Sources::KINDS.into_iter().filter_map(|kind| self.world.sources.of(kind)) {
            self.delete_all(&known.resource()).await?;
        }
        for name in [parts::secret_name(&self.key.name), parts::signers_name(&self.key.name)] {
            self.delete(&parts::secrets(), &name).await?;
        }
        self.revoke().await?;
        Ok(Vec::new())
    }

    /// Deletes the configuration's objects of one kind. Asks the server, not a watch, which may not know them all.
    async fn delete_all(&self, resource: &Resource) -> Result<Vec<ObjectKey>, ApiError> {
        let cluster = &self.world.cluster;
        let found = cluster.list(resource, &self.key.namespace, "").await?;
        let mut leaving = Vec::new();
        for object in found.iter().filter(|object| value_belongs(object, self.key, self.uid())) {
            let text = |field: &str| object["metadata"][field].as_str();
            let child = ObjectKey::new(&self.key.namespace, text("name").unwrap_or_default());
            if object["metadata"]["deletionTimestamp"] == Value::Null {
                cluster.delete(resource, (&child.namespace, &child.name), text("uid")).await?;
            }
            leaving.push(child);
        }
        Ok(leaving)
    }
}
