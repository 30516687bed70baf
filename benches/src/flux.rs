//! Flux's source-, kustomize- and helm-controller, built from their published Go modules and run as plain processes.

use std::{
    fs, io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use fairlead_tests::{TestCluster, eventually, process::ServerProcess, web};
use fairlead_tools::{command, repository, target_directory};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{Outcome, delivery::Delivery, say};

/// What results call it.
pub(crate) const NAME: &str = "Flux 2.9";

const GO_MOD: &str = include_str!("../flux/go.mod");
const GO_SUM: &str = include_str!("../flux/go.sum");

const NAMESPACE: &str = "flux-system";

/// The flag that Flux's own benchmarks set: both controllers work on four and two objects at once without it.
const CONCURRENT: &str = "--concurrent=20";

/// The index that it writes is larger than the one that it has read, and then above its limit.
const INDEX_LIMIT: &str = "--helm-index-max-size=104857600";

const READY_LIMIT: Duration = Duration::from_mins(1);

/// One of Flux's controllers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Source,
    Kustomize,
    Helm,
}

/// The controllers that one way of delivery needs. They end when dropped.
pub(crate) struct Flux {
    _source: ServerProcess,
    _applier: ServerProcess,
    applier: Part,
    metrics: String,
}

impl Flux {
    /// The name of the one that fetches sources.
    pub(crate) const SOURCE_PROGRAM: &str = Part::Source.name();

    /// The users that it writes as.
    pub(crate) const USERS: [&str; 3] = [Part::Source.name(), Part::Kustomize.name(), Part::Helm.name()];

    /// Builds the controllers if they are missing, applies their definitions, and waits until both that `delivery` needs
    /// are ready.
    pub(crate) async fn start(cluster: &TestCluster, delivery: Delivery) -> Outcome<Self> {
        provide()?;
        install(cluster).await?;
        let source_address = free_address()?;
        let source = [
            format!("--storage-path={}", folder_of(Part::Source, cluster)?.display()),
            format!("--storage-addr={source_address}"),
            format!("--storage-adv-addr={source_address}"),
            INDEX_LIMIT.to_owned(),
        ];
        let (source, _) = Part::Source.start(cluster, &source).await?;
        let applier = match delivery {
            Delivery::Kustomization => Part::Kustomize,
            Delivery::HelmRelease => Part::Helm,
        };
        let (process, metrics) = applier.start(cluster, &[]).await?;
        Ok(Self { _source: source, _applier: process, applier, metrics })
    }

    /// Returns the names of its programs.
    pub(crate) const fn programs(&self) -> [&'static str; 2] {
        [Self::SOURCE_PROGRAM, self.applier.name()]
    }

    /// Returns the metrics of the controller that applies.
    pub(crate) async fn metrics(&self) -> String {
        web::get(&self.metrics).await.1
    }
}

impl Part {
    const ALL: [Self; 3] = [Self::Source, Self::Kustomize, Self::Helm];

    const fn name(self) -> &'static str {
        match self {
            Self::Source => "source-controller",
            Self::Kustomize => "kustomize-controller",
            Self::Helm => "helm-controller",
        }
    }

    fn module(self) -> String {
        format!("github.com/fluxcd/{}", self.name())
    }

    fn path(self) -> PathBuf {
        let digest = Sha256::new().chain_update(GO_MOD).chain_update(GO_SUM).finalize();
        target_directory().join("tools").join(format!("flux-{}", hex::encode(&digest[..8]))).join(self.name())
    }

    /// Starts it, waits until it is ready, and returns it with the URL of its metrics.
    async fn start(self, cluster: &TestCluster, flags: &[String]) -> Outcome<(ServerProcess, String)> {
        let (health, metrics) = (free_address()?, free_address()?);
        let folder = folder_of(self, cluster)?;
        let mut program = command(self.path());
        program
            .args([CONCURRENT, "--watch-all-namespaces", "--log-level=info"])
            .arg(format!("--health-addr={health}"))
            .arg(format!("--metrics-addr={metrics}"))
            .args(flags)
            .env("KUBECONFIG", cluster.kubeconfig_for_user(self.name()))
            .env("RUNTIME_NAMESPACE", NAMESPACE)
            .env("TMPDIR", &folder);
        let mut process = ServerProcess::start(&program, &folder.join("log"), &folder)?;
        let url = format!("http://{health}/readyz");
        let ready = eventually(READY_LIMIT, async || {
            let has_ended = !matches!(process.ended(), Ok(None));
            let is_ready = web::try_get(&url).await.is_ok_and(|(status, _)| status == 200);
            (has_ended || is_ready).then_some(is_ready)
        });
        if ready.await == Some(true) {
            return Ok((process, format!("http://{metrics}/metrics")));
        }
        Err(format!("{} is not ready; its last words:\n{}", self.name(), process.last_words()).into())
    }
}

/// Builds what is missing.
fn provide() -> Outcome<()> {
    for part in Part::ALL {
        let path = part.path();
        if path.is_file() {
            continue;
        }
        say(&format!("building Flux's {}, to compare with, kept in {}", part.name(), path.display()));
        let partial = path.with_extension("partial");
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        let status = go("build")
            .args(["-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o"])
            .arg(&partial)
            .arg(part.module())
            .env("CGO_ENABLED", "0")
            .status()?;
        if !status.success() {
            return Err(format!("cannot build {}: `go build` failed, its message is above", part.name()).into());
        }
        fs::rename(&partial, &path)?;
    }
    Ok(())
}

/// Applies all definitions that Flux's modules ship, and gives its controllers every right.
async fn install(cluster: &TestCluster) -> Outcome<()> {
    for part in Part::ALL {
        let definitions = definitions(part)?;
        let definitions = definitions.to_str().ok_or("the module cache has a path that is no text")?;
        kubectl(cluster, &["apply", "--server-side", "--filename", definitions]).await?;
    }
    kubectl(cluster, &["wait", "--for=condition=Established", "customresourcedefinitions", "--all"]).await?;
    cluster.apply(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } })).await;
    let rbac = "rbac.authorization.k8s.io";
    let subject = |name| json!({ "apiGroup": rbac, "kind": "User", "name": name });
    let binding = json!({
        "apiVersion": format!("{rbac}/v1"),
        "kind": "ClusterRoleBinding",
        "metadata": { "name": "flux" },
        "roleRef": { "apiGroup": rbac, "kind": "ClusterRole", "name": "cluster-admin" },
        "subjects": Flux::USERS.map(subject),
    });
    cluster.apply(binding).await;
    Ok(())
}

async fn kubectl(cluster: &TestCluster, arguments: &[&str]) -> Outcome<()> {
    let output = cluster.kubectl(arguments).await;
    if output.code == Some(0) { Ok(()) } else { Err(format!("`kubectl` failed: {}", output.stderr).into()) }
}

/// Returns the folder with the definitions of the kinds that a controller serves.
fn definitions(part: Part) -> Outcome<PathBuf> {
    let listed = go("list").args(["-m", "-f", "{{.Dir}}"]).arg(part.module()).output()?;
    let folder = String::from_utf8(listed.stdout)?;
    Ok(Path::new(folder.trim()).join("config/crd/bases"))
}

/// Returns a Go command of the module that pins the controllers.
fn go(subcommand: &str) -> Command {
    let mut go = command("go");
    go.arg(subcommand).arg("-C").arg(repository().join("benches/flux")).arg("-mod=readonly");
    go
}

fn folder_of(part: Part, cluster: &TestCluster) -> io::Result<PathBuf> {
    let folder = cluster.folder().join(part.name());
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn free_address() -> io::Result<String> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.to_string())
}
