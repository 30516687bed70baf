//! Sources: what it takes to fetch them for the first time, and to see that nothing has changed.
//!
//! Both controllers get the same objects of the same servers, each in a fresh cluster of its own. What passes between them
//! and a server is counted on the way. Beside them stand the programs that people use by hand.

mod bucket;
mod charts;
mod meter;
mod site;

use std::{
    net::SocketAddr,
    path::Path,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use fairlead_tests::{
    Controllers, GitServer, Registry, Repository, TestCluster,
    image::{Content, FLUX_LAYER, archive},
};
use fairlead_tools::{Tool as Program, command};
use futures::{StreamExt, TryStreamExt, stream};
use kube::{
    Api, Client,
    api::{DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams},
    runtime::{WatchStreamExt, watcher::watch_object},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use crate::{
    Extent, Outcome,
    applications::{CONCURRENT, all_are, api, is_ready},
    contender::{Contender, Tool},
    delivery::Delivery,
    flux,
    measurement::average,
    processes::Cost,
    report::{Report, median},
    say,
};
use meter::Meter;
use site::Site;

const NAMESPACE: &str = "sources";
const GIT_CLONE: &str = "git clone --depth 1";
const HELM_UPDATE: &str = "helm repo update";

/// How long the slowest poll may take.
const POLL_LIMIT: Duration = Duration::from_mins(2);

/// How many charts of one index are asked for at once.
const CHARTS: usize = 20;

const BYTES_PER_KB: u64 = 1000;

/// How much there is to fetch.
struct Sizes {
    files: usize,
    commits: usize,
    images: usize,
    index_bytes: usize,
    objects: usize,
    polls: usize,
    rounds: usize,
}

const QUICK: Sizes =
    Sizes { files: 500, commits: 2, images: 50, index_bytes: 5 << 20, objects: 1000, polls: 3, rounds: 1 };
const FULL: Sizes =
    Sizes { files: 5000, commits: 10, images: 1000, index_bytes: 49 << 20, objects: 10_000, polls: 15, rounds: 5 };

/// What a file of the repository has, so that so many commits make 200 MB.
const FILE_BYTES: usize = 4 << 10;

/// The servers, which both tools read one after the other.
struct Origins {
    sizes: &'static Sizes,
    git: Meter,
    repository: Repository,
    registry: Meter,
    charts: Meter,
    bucket: Meter,
    _servers: (GitServer, Registry, Site, Site),
}

/// What a tool took for one case.
#[derive(Clone, Copy, Debug)]
struct Taken {
    milliseconds: f64,
    kilobytes: f64,
    cpu_seconds: f64,
    peak_mib: f64,
}

pub(crate) async fn run(extent: Extent) -> Outcome<Report> {
    fairlead_tools::provide(&[Program::Helm], say)?;
    let origins = Origins::start(match extent {
        Extent::Quick => &QUICK,
        Extent::Full => &FULL,
    });
    let origins = origins.await?;
    let ours = measure(Tool::Fairlead, &origins).await?;
    let theirs = measure(Tool::Flux, &origins).await?;
    let mut report = Report::new("sources");
    for ((case, ours), (_, theirs)) in ours.iter().zip(&theirs) {
        add(&mut report, case, ours, theirs);
    }
    let (clone, update) = (origins.clone_repository().await?, origins.update_index().await?);
    for (case, name, by_hand) in [(FIRST_GIT, GIT_CLONE, clone), (FIRST_INDEX, HELM_UPDATE, update)] {
        let taken = ours.iter().find(|(measured, _)| *measured == case).ok_or("it was measured")?.1;
        report.compare(format!("{case}: time"), "ms", taken.milliseconds, (name, by_hand.milliseconds));
        report.compare(format!("{case}: peak memory"), "MiB", taken.peak_mib, (name, by_hand.peak_mib));
    }
    Ok(report)
}

const FIRST_GIT: &str = "a Git repository, first";
const FIRST_INDEX: &str = "a Helm index, first";

fn add(report: &mut Report, case: &str, ours: &Taken, theirs: &Taken) {
    let mut compare = |what: &str, unit, quantity: fn(&Taken) -> f64| {
        report.compare(format!("{case}: {what}"), unit, quantity(ours), (flux::NAME, quantity(theirs)));
    };
    compare("time", "ms", |taken| taken.milliseconds);
    compare("on the wire", "kB", |taken| taken.kilobytes);
    compare("processor time", "s", |taken| taken.cpu_seconds);
    compare("peak memory", "MiB", |taken| taken.peak_mib);
}

impl Origins {
    async fn start(sizes: &'static Sizes) -> Outcome<Self> {
        say("filling a repository, a registry, an index and a bucket");
        let git = GitServer::start().await;
        let repository = git.repository("shop");
        for commit in 0..sizes.commits {
            let files =
                (0..sizes.files).map(|file| (format!("app-{:02}/file-{file}.bin", file % 100), noise(commit, file)));
            repository.commit(files.map(|(path, content)| (path, Some(content))), "one more");
        }
        let registry = Registry::start().await;
        for image in 0..sizes.images {
            registry.push(&image_name(image), &artifact(image));
        }
        let (charts, bucket) = (charts::serve(sizes.index_bytes).await?, bucket::serve(sizes.objects).await?);
        Ok(Self {
            sizes,
            git: Meter::before(address_of(repository.url())?).await?,
            repository,
            registry: Meter::before(registry.address().parse()?).await?,
            charts: Meter::before(charts.address()).await?,
            bucket: Meter::before(bucket.address()).await?,
            _servers: (git, registry, charts, bucket),
        })
    }

    /// The URL of the repository, by way of the meter.
    fn git_url(&self) -> Outcome<String> {
        let server = address_of(self.repository.url())?.to_string();
        Ok(self.repository.url().replace(&server, &self.git.address().to_string()))
    }

    fn charts_url(&self) -> String {
        format!("http://{}", self.charts.address())
    }

    async fn clone_repository(&self) -> Outcome<Cost> {
        let (folder, round) = (tempfile::tempdir()?, AtomicUsize::new(0));
        let clone = || {
            let to = folder.path().join(round.fetch_add(1, Ordering::Relaxed).to_string());
            let mut git = command("git");
            git.args(["clone", "--quiet", "--depth", "1", self.repository.url()]).arg(to);
            git
        };
        Cost::of(GIT_CLONE, clone, self.sizes.rounds).await
    }

    async fn update_index(&self) -> Outcome<Cost> {
        let folder = tempfile::tempdir()?;
        let added = helm(folder.path()).args(["repo", "add", "shop", &self.charts_url()]).output()?;
        if !added.status.success() {
            return Err(format!("`helm repo add` failed: {}", String::from_utf8_lossy(&added.stderr)).into());
        }
        let update = || {
            let mut helm = helm(folder.path());
            helm.args(["repo", "update"]);
            helm
        };
        Cost::of(HELM_UPDATE, update, self.sizes.rounds).await
    }
}

/// Helm with settings of its own.
fn helm(folder: &Path) -> Command {
    let mut helm = command(Program::Helm.path());
    helm.env("HELM_REPOSITORY_CONFIG", folder.join("repositories.yaml"));
    helm.env("HELM_REPOSITORY_CACHE", folder.join("cache"));
    helm
}

/// Bytes that cannot be made smaller.
fn noise(commit: usize, file: usize) -> Vec<u8> {
    let digests = (0..FILE_BYTES / 32).map(|part| Sha256::digest(format!("{commit} {file} {part}")));
    digests.flatten().collect()
}

fn image_name(image: usize) -> String {
    format!("team/app-{image}")
}

/// An artifact of about four kilobytes that is like no other.
fn artifact(image: usize) -> Content {
    let text = hex::encode(&noise(0, image)[..1800]);
    let map = format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app-{image}\ndata:\n  text: {text}\n");
    let mut content = Content::default();
    content.push("latest", &[(FLUX_LAYER, archive(&[("map.yaml", &map)]))]);
    content
}

fn address_of(url: &str) -> Outcome<SocketAddr> {
    let host = url.split('/').nth(2).ok_or("a URL has a host")?;
    Ok(host.parse()?)
}

/// Measures `tool` in a cluster of its own.
async fn measure(tool: Tool, origins: &Origins) -> Outcome<Vec<(&'static str, Taken)>> {
    say(&format!("sources by {}", tool.name()));
    let cluster = TestCluster::launch(Controllers::Absent).await?;
    let contender = tool.start(&cluster, Delivery::Kustomization).await?;
    for object in [
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } }),
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": "login", "namespace": NAMESPACE },
            "stringData": { "accesskey": "someone", "secretkey": "hunter2" },
        }),
    ] {
        cluster.apply(object).await;
    }
    let client = cluster.client();
    let bench = Bench { client, contender: &contender, sizes: origins.sizes };
    let (git, charts, bucket) = (origins.git_url()?, origins.charts_url(), origins.bucket.address());
    let reference = json!({ "branch": "main" });
    let git = [source("GitRepository", "shop", json!({ "url": git, "ref": reference, "timeout": "5m" }))];
    let bucket = json!({
        "endpoint": bucket, "bucketName": bucket::NAME, "insecure": true, "timeout": "5m", "secretRef": { "name": "login" },
    });
    let bucket = [source("Bucket", "shop", bucket)];
    let index = [source("HelmRepository", "shop", json!({ "url": charts, "timeout": "5m" }))];
    let wanted: Vec<Value> = (0..CHARTS).map(chart).collect();
    let image = |image: usize| {
        let url = format!("oci://{}/{}", origins.registry.address(), image_name(image));
        source("OCIRepository", &format!("app-{image}"), json!({ "url": url, "insecure": true }))
    };
    let images: Vec<Value> = (0..origins.sizes.images).map(image).collect();
    Ok(vec![
        (FIRST_GIT, bench.first(&origins.git, &git).await?),
        ("a Git repository, unchanged", bench.unchanged(&origins.git, "GitRepository").await?),
        ("many small images, first", bench.first(&origins.registry, &images).await?),
        (FIRST_INDEX, bench.first(&origins.charts, &index).await?),
        ("charts of that index", bench.first(&origins.charts, &wanted).await?),
        ("a Helm index, unchanged", bench.unchanged(&origins.charts, "HelmRepository").await?),
        ("a bucket, first", bench.first(&origins.bucket, &bucket).await?),
        ("a bucket, unchanged", bench.unchanged(&origins.bucket, "Bucket").await?),
    ])
}

fn source(kind: &str, name: &str, mut spec: Value) -> Value {
    spec["interval"] = json!("1h");
    let metadata = json!({ "name": name, "namespace": NAMESPACE });
    json!({ "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": kind, "metadata": metadata, "spec": spec })
}

fn chart(chart: usize) -> Value {
    let reference = json!({ "kind": "HelmRepository", "name": "shop" });
    let spec = json!({ "chart": charts::name(chart), "version": "1.x", "sourceRef": reference });
    source("HelmChart", &charts::name(chart), spec)
}

/// What one tool is measured by.
struct Bench<'a> {
    client: Client,
    contender: &'a Contender,
    sizes: &'static Sizes,
}

impl Bench<'_> {
    /// Creates `objects`, all of one kind, and waits until all are ready.
    async fn first(&self, meter: &Meter, objects: &[Value]) -> Outcome<Taken> {
        let kind = group_kind(objects[0]["kind"].as_str().unwrap_or_default());
        self.taken(meter, async || {
            let create = stream::iter(objects).map(|object| self.create(object)).buffer_unordered(CONCURRENT);
            let ready = all_are(&self.client, &kind, objects.len(), is_ready);
            tokio::try_join!(create.try_collect::<()>(), ready)?;
            Ok(())
        })
        .await
    }

    async fn create(&self, object: &Value) -> Outcome<()> {
        let object: DynamicObject = serde_json::from_value(object.clone())?;
        api(&self.client, &object)?.create(&PostParams::default(), &object).await?;
        Ok(())
    }

    /// Asks several times whether the `kind` called `shop` has changed; what it took is of one of them.
    async fn unchanged(&self, meter: &Meter, kind: &str) -> Outcome<Taken> {
        let mut times = Vec::new();
        let all = self.taken(meter, async || {
            for poll in 0..self.sizes.polls {
                times.push(self.poll(kind, &format!("poll {poll}")).await?.as_secs_f64() * 1e3);
            }
            Ok(())
        });
        let all = all.await?;
        let each = average(1, self.sizes.polls);
        Ok(Taken {
            milliseconds: median(&times),
            kilobytes: all.kilobytes * each,
            cpu_seconds: all.cpu_seconds * each,
            peak_mib: all.peak_mib,
        })
    }

    /// Asks for a reconciliation and waits until it is done.
    async fn poll(&self, kind: &str, request: &str) -> Outcome<Duration> {
        let kind = kube::api::ApiResource::from_gvk(&group_kind(kind));
        let objects: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), NAMESPACE, &kind);
        let annotations = json!({ "reconcile.fluxcd.io/requestedAt": request });
        let began = Instant::now();
        let request_it = Patch::Merge(json!({ "metadata": { "annotations": annotations } }));
        objects.patch("shop", &PatchParams::default(), &request_it).await?;
        let states = watch_object(objects, "shop").default_backoff();
        let mut states = std::pin::pin!(states);
        let handled = async {
            loop {
                // A broken watch is begun again by the stream itself.
                if let Some(Ok(Some(object))) = states.next().await
                    && object.data["status"]["lastHandledReconcileAt"] == request
                {
                    return began.elapsed();
                }
            }
        };
        timeout(POLL_LIMIT, handled).await.map_err(|_| format!("{request} is not handled after {POLL_LIMIT:?}").into())
    }

    /// What the tool takes for `work`.
    async fn taken(&self, meter: &Meter, work: impl AsyncFnOnce() -> Outcome<()>) -> Outcome<Taken> {
        let processes = self.contender.source_processes()?;
        processes.forget_peaks()?;
        let (bytes, cpu) = (meter.bytes(), processes.cpu_seconds()?);
        let began = Instant::now();
        work().await?;
        let milliseconds = began.elapsed().as_secs_f64() * 1e3;
        let kilobytes = usize::try_from((meter.bytes() - bytes) / BYTES_PER_KB).unwrap_or(usize::MAX);
        let cpu_seconds = processes.cpu_seconds()? - cpu;
        let taken =
            Taken { milliseconds, kilobytes: average(kilobytes, 1), cpu_seconds, peak_mib: processes.peak_mib()? };
        say(&format!("{taken:?}"));
        Ok(taken)
    }
}

fn group_kind(kind: &str) -> GroupVersionKind {
    GroupVersionKind::gvk("source.toolkit.fluxcd.io", "v1", kind)
}
