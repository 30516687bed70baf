//! Applications of four objects each: what both sides of a comparison bring to a cluster.
//!
//! All are built from one path of one repository, with a variable for the name, and each has a `GitRepository` and a
//! `Kustomization` of its own, as teams would have. They are spread over a few namespaces.

use std::{collections::HashSet, time::Duration};

use fairlead_tests::{Controllers, GitServer, Repository, TestCluster};
use futures::{StreamExt, TryStreamExt, stream};
use kube::{
    Api, Client, ResourceExt,
    api::{ApiResource, DynamicObject, GroupVersionKind, PostParams},
    runtime::{WatchStreamExt, watcher},
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::Outcome;

/// The files of the one path that every application is built from.
pub(crate) const FILES: [(&str, &str); 5] = [
    ("app/kustomization.yaml", include_str!("application/kustomization.yaml")),
    ("app/serviceaccount.yaml", include_str!("application/serviceaccount.yaml")),
    ("app/deployment.yaml", include_str!("application/deployment.yaml")),
    ("app/service.yaml", include_str!("application/service.yaml")),
    ("app/ingress.yaml", include_str!("application/ingress.yaml")),
];

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
    repository: Repository,
}

impl Scene {
    /// Starts the servers and commits what the applications are built from.
    pub(crate) async fn prepare(count: usize) -> Outcome<Self> {
        let cluster = TestCluster::launch(Controllers::RollOut).await?;
        let git = GitServer::start().await;
        let repository = git.repository("applications");
        repository.commit(FILES.map(|(path, content)| (path, Some(content))), "one application");
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
        Ok(Self { cluster, git, applications, client, repository })
    }

    /// Creates source and Kustomization of every application, as a user does.
    pub(crate) async fn create_all(&self) -> Outcome<()> {
        let all = stream::iter(&self.applications).map(|application| self.create(application));
        all.buffer_unordered(CONCURRENT).try_collect::<()>().await
    }

    /// Creates source and Kustomization of one application.
    pub(crate) async fn create(&self, application: &Application) -> Outcome<()> {
        for object in [self.source(application), kustomization(application)] {
            let object: DynamicObject = serde_json::from_value(object)?;
            api(&self.client, &object)?.create(&PostParams::default(), &object).await?;
        }
        Ok(())
    }

    /// Returns when the Kustomization of every application is ready.
    pub(crate) async fn all_ready(&self) -> Outcome<()> {
        let kind = GroupVersionKind::gvk("kustomize.toolkit.fluxcd.io", "v1", "Kustomization");
        all_are(&self.client, &kind, self.applications.len(), is_ready).await
    }

    /// Returns when the controllers of the cluster have seen the Deployment of every application.
    pub(crate) async fn all_rolled_out(&self) -> Outcome<()> {
        let kind = GroupVersionKind::gvk("apps", "v1", "Deployment");
        all_are(&self.client, &kind, self.applications.len(), is_observed).await
    }

    fn source(&self, application: &Application) -> Value {
        json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "GitRepository",
            "metadata": { "name": application.name, "namespace": application.namespace },
            "spec": { "url": self.repository.url(), "ref": { "branch": "main" }, "interval": "1h" },
        })
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

fn kustomization(application: &Application) -> Value {
    json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": { "name": application.name, "namespace": application.namespace },
        "spec": {
            "sourceRef": { "kind": "GitRepository", "name": application.name },
            "path": "./app",
            "interval": "1h",
            "timeout": "5m",
            "prune": true,
            "wait": true,
            "targetNamespace": application.namespace,
            "postBuild": { "substitute": { "app": application.name } },
        },
    })
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
