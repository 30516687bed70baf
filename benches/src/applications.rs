//! Applications of four objects each: what both sides of a comparison bring to a cluster.
//!
//! All are made from one path of one repository, and each is asked for by an object of its own, as teams would have it.
//! They are spread over a few namespaces.

use std::{collections::HashSet, time::Duration};

use fairlead_tests::{Controllers, GitServer, Repository, TestCluster};
use futures::{StreamExt, TryStreamExt, stream};
use kube::{
    Api, Client, ResourceExt,
    api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams},
    runtime::{WatchStreamExt, watcher},
};
use serde_json::Value;
use tokio::time::timeout;

use crate::{Outcome, delivery::Delivery};

/// How many namespaces the applications are spread over.
const NAMESPACES: usize = 10;

/// How many requests a user's own client makes at once.
pub(crate) const CONCURRENT: usize = 32;

/// How long the slowest contender may take.
const LIMIT: Duration = Duration::from_mins(15);

/// One application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Application {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// A fresh cluster with its controllers, a Git server, and the applications that are to come.
pub(crate) struct Scene {
    pub(crate) cluster: TestCluster,
    pub(crate) git: GitServer,
    pub(crate) applications: Vec<Application>,
    /// A client with every right.
    pub(crate) client: Client,
    /// How the applications come.
    pub(crate) delivery: Delivery,
    namespaces: Vec<String>,
    repository: Repository,
}

impl Scene {
    /// Starts the servers and commits what the applications are built from.
    pub(crate) async fn prepare(delivery: Delivery, count: usize) -> Outcome<Self> {
        let cluster = TestCluster::launch(Controllers::RollOut).await?;
        let git = GitServer::start().await;
        let repository = git.repository("applications");
        let files = delivery.files().iter().map(|(path, content)| (*path, Some(*content)));
        repository.commit(files, "one application");
        let mut namespaces = Vec::new();
        for _ in 0..NAMESPACES {
            namespaces.push(cluster.namespace("team").await);
        }
        let application = |index: usize| Application {
            namespace: namespaces[index % NAMESPACES].clone(),
            name: format!("app-{index}"),
        };
        let applications = (0..count).map(application).collect();
        let client = cluster.client();
        Ok(Self { cluster, git, applications, client, delivery, namespaces, repository })
    }

    /// Asks for every application, as its users do.
    pub(crate) async fn create_all(&self) -> Outcome<()> {
        for namespace in &self.namespaces {
            self.create_each(self.delivery.shared(namespace, self.repository.url())).await?;
        }
        let all = stream::iter(&self.applications).map(|application| self.create(application));
        all.buffer_unordered(CONCURRENT).try_collect::<()>().await
    }

    /// Asks for one application.
    pub(crate) async fn create(&self, application: &Application) -> Outcome<()> {
        self.create_each(self.delivery.objects(application, self.repository.url())).await
    }

    async fn create_each(&self, objects: Vec<Value>) -> Outcome<()> {
        for object in objects {
            let object: DynamicObject = serde_json::from_value(object)?;
            api(&self.client, &object)?.create(&PostParams::default(), &object).await?;
        }
        Ok(())
    }

    /// Changes what asks for the applications, each in the same way.
    pub(crate) async fn change_all(&self, change: &Value) -> Outcome<()> {
        let resource = ApiResource::from_gvk(&self.delivery.group_version_kind());
        let change_one = async |application: &Application| -> Outcome<()> {
            let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &application.namespace, &resource);
            api.patch(&application.name, &PatchParams::default(), &Patch::Merge(change)).await?;
            Ok(())
        };
        let all = stream::iter(&self.applications).map(change_one);
        all.buffer_unordered(CONCURRENT).try_collect::<()>().await
    }

    /// Returns when every application is ready.
    pub(crate) async fn all_ready(&self) -> Outcome<()> {
        all_are(&self.client, &self.delivery.group_version_kind(), self.applications.len(), is_ready).await
    }

    /// Returns when the controllers of the cluster have seen the Deployment of every application.
    pub(crate) async fn all_rolled_out(&self) -> Outcome<()> {
        let kind = GroupVersionKind::gvk("apps", "v1", "Deployment");
        all_are(&self.client, &kind, self.applications.len(), is_observed).await
    }
}

/// Watches one kind until `count` objects are as `wanted`.
pub(crate) async fn all_are(
    client: &Client,
    kind: &GroupVersionKind,
    count: usize,
    wanted: fn(&DynamicObject) -> bool,
) -> Outcome<()> {
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &ApiResource::from_gvk(kind));
    let states = watcher(api, watcher::Config::default()).default_backoff().applied_objects();
    let mut states = std::pin::pin!(states);
    let mut done = HashSet::new();
    let watch = async {
        while done.len() < count {
            // A broken watch is begun again by the stream itself.
            if let Some(Ok(object)) = states.next().await
                && wanted(&object)
            {
                done.insert((object.namespace(), object.name_any()));
            }
        }
    };
    let watched = timeout(LIMIT, watch).await;
    watched.map_err(|_| format!("{count} objects of {} are not done after {LIMIT:?}", kind.kind).into())
}

/// Returns where `object` is written.
pub(crate) fn api(client: &Client, object: &DynamicObject) -> Outcome<Api<DynamicObject>> {
    let types = object.types.as_ref().ok_or("an object has a kind")?;
    let resource = ApiResource::from_gvk(&GroupVersionKind::try_from(types)?);
    Ok(Api::namespaced_with(client.clone(), &object.namespace().unwrap_or_default(), &resource))
}

/// Returns whether a Flux object says of its current generation that it is ready.
pub(crate) fn is_ready(object: &DynamicObject) -> bool {
    let conditions = object.data["status"]["conditions"].as_array();
    let is_true = |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
    is_observed(object) && conditions.into_iter().flatten().any(is_true)
}

fn is_observed(object: &DynamicObject) -> bool {
    object.data["status"]["observedGeneration"].as_i64() == object.metadata.generation
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(status: &Value) -> DynamicObject {
        let metadata = json!({ "name": "app-1", "namespace": "team-1", "generation": 2 });
        serde_json::from_value(json!({ "metadata": metadata, "status": status })).unwrap()
    }

    #[test]
    fn an_object_is_ready_when_it_says_so_of_its_current_generation() {
        let ready = json!([{ "type": "Healthy", "status": "False" }, { "type": "Ready", "status": "True" }]);
        let rows = [
            (json!({ "observedGeneration": 2, "conditions": ready }), true),
            (json!({ "observedGeneration": 1, "conditions": ready }), false),
            (json!({ "observedGeneration": 2, "conditions": [{ "type": "Ready", "status": "False" }] }), false),
            (json!({}), false),
        ];
        for (status, expected) in rows {
            assert_eq!(is_ready(&object(&status)), expected, "{status}");
        }
    }
}
