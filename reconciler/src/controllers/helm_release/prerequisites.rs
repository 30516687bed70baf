//! What must be there before a chart's objects: their namespace, and the definitions that the chart brings along.

use fairlead_api::helm::Crds;

use super::{
    action::Underway,
    steps::{Pace, StepError},
    work::Work,
};
use crate::cluster::{ApiError, ApplyOptions, Resource};

impl Work<'_> {
    /// Creates the namespace of the release where it is missing.
    pub(super) async fn create_namespace(&self, underway: &Underway) -> Result<Pace, StepError> {
        let name = &underway.record.namespace;
        let resource = Resource { is_namespaced: false, ..Resource::namespaced("", "v1", "Namespace", "namespaces") };
        let found = self.cluster.get(&resource, "", name).await;
        if found.map_err(|error| StepError::of(&error, &format!("Namespace {name} cannot be read")))?.is_none() {
            let body = serde_json::json!({
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": { "name": name, "labels": { "name": name } },
            });
            let body = body.as_object().expect("a namespace is an object");
            let created = self.cluster.apply(&resource, body, ApplyOptions::default()).await;
            created.map_err(|error| StepError::of(&error, &format!("Namespace {name} cannot be created")))?;
        }
        Ok(Pace::Done)
    }

    /// Applies the definitions of the chart, as far as it is asked for.
    pub(super) async fn apply_definitions(&self, underway: &mut Underway) -> Result<Pace, StepError> {
        underway.awaited.clear();
        for definition in &underway.definitions {
            let id = definition.id();
            let told = |error: ApiError| StepError::of(&error, &format!("{} cannot be applied", id.subject()));
            let resource = self.cluster.resolve(&definition.gvk()).await.map_err(told)?;
            let Some(resource) = resource else {
                return Err(StepError::Failed("no definitions are served".to_owned()));
            };
            let found = self.cluster.get(&resource, "", &id.name).await.map_err(told)?;
            let tracker = &self.subject.world.release_tracker;
            let body = match (found, underway.policy.crds) {
                (Some(found), Crds::Create | Crds::Skip) => found,
                (None, Crds::Create | Crds::Skip) | (_, Crds::CreateReplace) => {
                    tracker.writing(self.subject.key, id, &resource, &underway.rules);
                    let options = ApplyOptions { force: true, ..ApplyOptions::default() };
                    self.cluster.apply(&resource, definition.body(), options).await.map_err(told)?
                }
            };
            tracker.written(self.subject.key, id, &resource, &body, &underway.rules);
            underway.awaited.push(id.clone());
        }
        self.cluster.expect_new_kinds();
        Ok(Pace::Done)
    }
}
