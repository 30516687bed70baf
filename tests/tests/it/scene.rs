//! A team with a namespace and a repository of its own, and what it does.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use fairlead_tests::{Condition, GitServer, Installation, Repository, TestCluster};
use serde_json::{Value, json};

/// How long a step may take while the machine is busy with other scenarios.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// The content of a file to commit, or none for one that goes.
pub(crate) type Files<'a> = &'a [(&'a str, Option<&'a str>)];

/// A namespace, and a repository that a `GitRepository` called `app` follows.
pub(crate) struct Team<'a> {
    pub(crate) cluster: &'a TestCluster,
    pub(crate) namespace: String,
    pub(crate) git: GitServer,
    pub(crate) repository: Repository,
}

impl Team<'static> {
    /// Makes a team in the installation that all scenarios share.
    pub(crate) async fn new(prefix: &str) -> Self {
        Self::on(Installation::shared().await.cluster, prefix).await
    }

    /// Commits `files` and follows them by `GitRepository app` and `Kustomization app`, whose spec has `spec` besides.
    pub(crate) async fn following(prefix: &str, files: Files<'_>, spec: Value) -> Self {
        Self::new(prefix).await.with(files, spec).await
    }
}

impl<'a> Team<'a> {
    /// Makes a namespace that starts with `prefix`, and an empty repository that nothing follows yet.
    pub(crate) async fn on(cluster: &'a TestCluster, prefix: &str) -> Self {
        let namespace = cluster.namespace(prefix).await;
        let git = GitServer::start().await;
        let repository = git.repository("app");
        Self { cluster, namespace, git, repository }
    }

    /// Commits `files` and follows them by `GitRepository app` and `Kustomization app`, whose spec has `spec` besides.
    pub(crate) async fn with(self, files: Files<'_>, spec: Value) -> Self {
        self.repository.commit(files.iter().copied(), "first");
        self.fetch().await;
        self.kustomize("app", spec).await;
        self
    }

    /// Follows the repository by `GitRepository app`.
    pub(crate) async fn follow(&self) {
        self.cluster.apply(self.git_repository(self.repository.url())).await;
    }

    /// Follows the repository by `GitRepository app` and waits until it is fetched.
    pub(crate) async fn fetch(&self) {
        self.follow().await;
        self.cluster.wait_for(&self.named("GitRepository", "app"), "Ready", "True", LIMIT).await;
    }

    /// Returns a `GitRepository app` of `url` that is asked for changes once an hour.
    pub(crate) fn git_repository(&self, url: &str) -> Value {
        json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "GitRepository",
            "metadata": { "name": "app", "namespace": self.namespace },
            "spec": { "url": url, "ref": { "branch": "main" }, "interval": "1h" },
        })
    }

    /// Applies a `Kustomization` of `GitRepository app` whose spec has `spec` besides; a null takes a
    /// field away.
    pub(crate) async fn kustomize(&self, name: &str, spec: Value) {
        let mut kustomization = json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": { "name": name, "namespace": self.namespace },
            "spec": {
                "sourceRef": { "kind": "GitRepository", "name": "app" },
                "interval": "1h",
                "prune": true,
                "targetNamespace": self.namespace,
            },
        });
        merge(&mut kustomization["spec"], spec);
        self.cluster.apply(kustomization).await;
    }

    /// Writes the Secret `git`, by which the repository is read.
    pub(crate) async fn secret(&self, data: Value) {
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": "git", "namespace": self.namespace },
            "stringData": data,
        });
        self.cluster.apply(secret).await;
    }

    /// Makes a service account that may do everything with `resources` of the core group, and nothing else.
    pub(crate) async fn grant(&self, account: &str, resources: &[&str]) {
        let metadata = json!({ "name": account, "namespace": self.namespace });
        let rbac = "rbac.authorization.k8s.io";
        let rules = json!([{ "apiGroups": [""], "resources": resources, "verbs": ["*"] }]);
        let role_ref = json!({ "apiGroup": rbac, "kind": "Role", "name": account });
        let subjects = json!([{ "kind": "ServiceAccount", "name": account, "namespace": self.namespace }]);
        let version = format!("{rbac}/v1");
        for object in [
            json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata }),
            json!({ "apiVersion": version, "kind": "Role", "metadata": metadata, "rules": rules }),
            json!({
                "apiVersion": version,
                "kind": "RoleBinding",
                "metadata": metadata,
                "roleRef": role_ref,
                "subjects": subjects,
            }),
        ] {
            self.cluster.apply(object).await;
        }
    }

    /// Commits `files` and asks for them.
    pub(crate) async fn push(&self, files: Files<'_>) -> String {
        let commit = self.repository.commit(files.iter().copied(), "next");
        self.request("GitRepository", "app").await;
        commit
    }

    /// Asks for a reconciliation, as `flux reconcile` does.
    pub(crate) async fn request(&self, kind: &str, name: &str) {
        static REQUESTS: AtomicU32 = AtomicU32::new(0);
        let request = format!("request {}", REQUESTS.fetch_add(1, Ordering::Relaxed));
        let annotations = json!({ "reconcile.fluxcd.io/requestedAt": request });
        self.cluster.merge(&self.named(kind, name), json!({ "metadata": { "annotations": annotations } })).await;
    }

    /// Waits until `Kustomization app` is ready with `commit`.
    pub(crate) async fn applied(&self, commit: &str) -> Condition {
        let revision = format!("main@sha1:{commit}");
        let app = self.named("Kustomization", "app");
        self.cluster
            .watch(&app, LIMIT, |found| {
                found.filter(|found| found["status"]["lastAppliedRevision"] == revision.as_str()).map(|_| ())
            })
            .await;
        self.cluster.wait_for(&app, "Ready", "True", LIMIT).await
    }

    /// Waits until `Kustomization app` is ready.
    pub(crate) async fn ready(&self) -> Condition {
        self.condition("Ready", "True").await
    }

    /// Waits until `Kustomization app` is not ready.
    pub(crate) async fn failed(&self) -> Condition {
        self.condition("Ready", "False").await
    }

    /// Waits for a condition of `Kustomization app`.
    pub(crate) async fn condition(&self, kind: &str, status: &str) -> Condition {
        self.cluster.wait_for(&self.named("Kustomization", "app"), kind, status, LIMIT).await
    }

    /// Returns an object of the team's namespace, if it exists.
    pub(crate) async fn find(&self, kind: &str, name: &str) -> Option<Value> {
        self.cluster.find(&self.named(kind, name)).await
    }

    /// Returns the ids in the inventory of `Kustomization app`.
    pub(crate) async fn inventory(&self) -> Vec<String> {
        let app = self.find("Kustomization", "app").await.unwrap_or_default();
        let entries = app["status"]["inventory"]["entries"].as_array().cloned().unwrap_or_default();
        let hidden = |id: &str| id.replace(&self.namespace, "NAMESPACE");
        entries.iter().map(|entry| hidden(entry["id"].as_str().unwrap_or_default())).collect()
    }

    /// Returns how an object of the team's namespace is written.
    pub(crate) fn named(&self, kind: &str, name: &str) -> String {
        format!("{kind} {}/{name}", self.namespace)
    }

    /// Returns `text` without what differs from run to run.
    pub(crate) fn steady(&self, text: &str) -> String {
        text.replace(&self.namespace, "NAMESPACE").replace(self.repository.url(), "URL")
    }
}

/// Returns a `ConfigMap` as YAML.
pub(crate) fn config_map(name: &str, value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  value: {value}\n")
}

fn merge(into: &mut Value, more: Value) {
    if let (Some(into), Value::Object(more)) = (into.as_object_mut(), more) {
        into.extend(more);
        into.retain(|_, value| !value.is_null());
    }
}
