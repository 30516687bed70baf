//! What a piece of work on every application took a contender.

use std::{collections::BTreeMap, time::Instant};

use fairlead_tests::Request;
use tokio::time::{Duration, sleep};

use crate::{Outcome, applications::Scene, contender::Contender, usage::Processes};

/// How long events and last statuses may come after the last application is ready.
const SETTLE: Duration = Duration::from_secs(5);

/// What one contender took, from the first of the applications being asked for to the last being ready.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measurement {
    pub(crate) seconds: f64,
    /// The most memory that its processes had, summed.
    pub(crate) peak_mib: f64,
    /// Processor time of its own processes.
    pub(crate) cpu_seconds: f64,
    /// Processor time of the API server.
    pub(crate) server_cpu_seconds: f64,
    /// Its own requests to the API server for one application, by what they are for.
    pub(crate) requests: BTreeMap<&'static str, f64>,
    /// Its requests to the Git server for one application.
    pub(crate) git_requests: f64,
}

impl Measurement {
    /// Does `work`, which ends when the contender has made all applications ready.
    pub(crate) async fn take(
        scene: &Scene,
        contender: &Contender,
        work: impl AsyncFnOnce() -> Outcome<()>,
    ) -> Outcome<Self> {
        let (controllers, server) = (contender.processes()?, Processes::running(&["kube-apiserver"])?);
        let (logged, git_before) = (scene.cluster.requests().await.len(), scene.git.requests().len());
        let (cpu_before, server_before) = (controllers.cpu_seconds()?, server.cpu_seconds()?);
        let began = Instant::now();
        work().await?;
        let seconds = began.elapsed().as_secs_f64();
        let (cpu_after, server_after) = (controllers.cpu_seconds()?, server.cpu_seconds()?);
        sleep(SETTLE).await;
        let requests = scene.cluster.requests().await;
        let own = requests[logged..].iter().filter(|request| contender.is_user(&request.sender));
        let applications = scene.applications.len();
        Ok(Self {
            seconds,
            peak_mib: controllers.peak_mib()?,
            cpu_seconds: cpu_after - cpu_before,
            server_cpu_seconds: server_after - server_before,
            requests: by_purpose(own, applications),
            git_requests: average(scene.git.requests().len() - git_before, applications),
        })
    }

    /// Returns how many requests to the API server it made for one application.
    pub(crate) fn all_requests(&self) -> f64 {
        self.requests.values().sum()
    }
}

/// Returns how often something happened to each of `applications`.
#[expect(clippy::cast_precision_loss, reason = "neither count comes near the limit")]
pub(crate) fn average(count: usize, applications: usize) -> f64 {
    count as f64 / applications as f64
}

fn by_purpose<'a>(requests: impl Iterator<Item = &'a Request>, applications: usize) -> BTreeMap<&'static str, f64> {
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for request in requests {
        *counts.entry(purpose(request)).or_default() += 1;
    }
    counts.into_iter().map(|(purpose, count)| (purpose, average(count, applications))).collect()
}

fn purpose(request: &Request) -> &'static str {
    if request.resource.is_empty() {
        return "discovery";
    }
    if request.uri.contains("dryRun=All") {
        return "dry run";
    }
    match request.verb.as_str() {
        "get" => "get",
        "list" => "list",
        "watch" => "watch",
        _ if request.resource.ends_with("/status") => "write status",
        _ if request.resource == "events" => "write event",
        _ if request.group.ends_with(".toolkit.fluxcd.io") => "write finalizer",
        _ => "write object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(verb: &str, group: &str, resource: &str, uri: &str) -> Request {
        let text = str::to_owned;
        Request {
            user: text("fairlead"),
            sender: text("fairlead"),
            agent: String::new(),
            verb: text(verb),
            group: text(group),
            resource: text(resource),
            namespace: text("team-1"),
            name: text("app-1"),
            uri: text(uri),
            status: 200,
        }
    }

    #[test]
    fn requests_are_counted_by_what_they_are_for() {
        let kustomize = "kustomize.toolkit.fluxcd.io";
        let requests = [
            request("get", "", "", "/apis/apps/v1"),
            request("patch", "apps", "deployments", "/d?fieldManager=x&dryRun=All"),
            request("patch", "apps", "deployments", "/d?fieldManager=x"),
            request("create", "", "events", "/e"),
            request("patch", kustomize, "kustomizations", "/k"),
            request("patch", kustomize, "kustomizations/status", "/k/status"),
            request("patch", kustomize, "kustomizations/status", "/k/status"),
        ];
        let counted: Vec<_> = by_purpose(requests.iter(), 2).into_iter().collect();
        assert_eq!(
            counted,
            [
                ("discovery", 0.5),
                ("dry run", 0.5),
                ("write event", 0.5),
                ("write finalizer", 0.5),
                ("write object", 0.5),
                ("write status", 1.0),
            ]
        );
    }
}
