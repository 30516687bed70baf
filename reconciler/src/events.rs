//! Kubernetes Events, and the same as JSON to the address that `--events-addr` names.
//!
//! Sending never delays a run: events wait in bounded lines, and one that finds its line full is dropped and counted. All
//! events of one object wait in the same line, which keeps their order.

use std::{
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    sync::Arc,
    time::Duration,
};

use fairlead_api::time::Time;
use futures::future::join_all;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{
    clock::Clock,
    cluster::{Cluster, Resource},
    metrics::Metrics,
};

/// How many events are sent at a time: as many lines are emptied beside each other.
const LINES: usize = 4;

/// How many events may wait in each line.
const WAITING: usize = 1024;

/// Longest message that an Event carries, in bytes: the API server's own limit is 1024 for the message of a series.
const MESSAGE_LIMIT_BYTES: usize = 1023;

/// How much of an object's name is in the name of an Event about it, in bytes: the rest is for what makes it unique.
const NAME_LIMIT_BYTES: usize = 220;

/// How much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A detail of what went as it should, for who looks at the object alone: it is not sent to the events address.
    Trace,
    /// What went as it should.
    Info,
    /// What did not.
    Error,
}

/// Something that happened to an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The object, as Events refer to it.
    pub about: Reference,
    /// How much it matters.
    pub severity: Severity,
    /// One word, as `ReconciliationSucceeded`.
    pub reason: &'static str,
    /// What happened.
    pub message: String,
    /// Flux's metadata, as `kustomize.toolkit.fluxcd.io/revision`; also the annotations of the Event.
    pub metadata: Vec<(String, String)>,
    /// Flux's name of the controller that says it.
    pub controller: &'static str,
}

/// Names an object in an Event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reference {
    /// `group/version`.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// Version of the object that was seen.
    pub resource_version: String,
}

/// Where events are handed in. Cheap to clone.
#[derive(Clone)]
pub struct Recorder {
    lines: Arc<[mpsc::Sender<Event>]>,
    metrics: Metrics,
}

impl Recorder {
    /// A recorder, and the task that sends what is handed in until `stop`; what waits then is still sent.
    pub fn start(
        cluster: Cluster,
        metrics: Metrics,
        clock: Clock,
        address: Option<String>,
        stop: CancellationToken,
    ) -> (Self, impl Future<Output = ()>) {
        let address: Option<Arc<str>> = address.map(Arc::from);
        let (lines, ends): (Vec<_>, Vec<_>) = (0..LINES).map(|_| mpsc::channel(WAITING)).unzip();
        let senders = ends
            .into_iter()
            .map(move |events| send_all(events, cluster.clone(), clock.clone(), address.clone(), stop.clone()));
        let sending = join_all(senders.collect::<Vec<_>>());
        (Self { lines: lines.into(), metrics }, async { drop(sending.await) })
    }

    /// Hands in an event.
    pub fn record(&self, event: Event) {
        let hash = BuildHasherDefault::<DefaultHasher>::new().hash_one(&event.about.uid);
        let line = usize::try_from(hash % LINES as u64).unwrap_or_default();
        if self.lines[line].try_send(event).is_err() {
            self.metrics.count_dropped_event();
        }
    }
}

async fn send_all(
    mut events: mpsc::Receiver<Event>,
    cluster: Cluster,
    clock: Clock,
    address: Option<Arc<str>>,
    stop: CancellationToken,
) {
    let host = hostname();
    loop {
        let event = tokio::select! {
            biased;
            event = events.recv() => event,
            () = stop.cancelled() => break,
        };
        let Some(event) = event else { break };
        send(&cluster, &event, clock.now(), &host, address.as_deref()).await;
    }
    events.close();
    while let Some(event) = events.recv().await {
        send(&cluster, &event, clock.now(), &host, address.as_deref()).await;
    }
}

async fn send(cluster: &Cluster, event: &Event, now: Timestamp, host: &str, address: Option<&str>) {
    let namespace = &event.about.namespace;
    let body = kubernetes_event(event, now, host);
    if let Err(error) = cluster.create(&events_resource(), namespace, &body).await {
        let about = &event.about;
        warn!(kind = about.kind, namespace, name = about.name, %error, "an event was not recorded");
    }
    if let Some(address) = address.filter(|_| event.severity != Severity::Trace) {
        post(address.to_owned(), notification(event, now, host)).await;
    }
}

fn events_resource() -> Resource {
    Resource::namespaced("", "v1", "Event", "events")
}

fn kubernetes_event(event: &Event, now: Timestamp, host: &str) -> Value {
    let time = Time::from(now);
    let annotations: Map<String, Value> =
        event.metadata.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect();
    let unique = now.as_nanosecond();
    json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": format!("{}.{unique:x}", shortened(&event.about.name, NAME_LIMIT_BYTES)),
            "namespace": event.about.namespace,
            "annotations": annotations,
        },
        "involvedObject": event.about,
        "reason": event.reason,
        "message": shortened(&event.message, MESSAGE_LIMIT_BYTES),
        "type": match event.severity { Severity::Trace | Severity::Info => "Normal", Severity::Error => "Warning" },
        "firstTimestamp": time,
        "lastTimestamp": time,
        "count": 1,
        "source": {"component": event.controller, "host": host},
        "reportingComponent": event.controller,
        "reportingInstance": host,
    })
}

/// The body that Flux's notification-controller takes.
fn notification(event: &Event, now: Timestamp, host: &str) -> Value {
    let metadata: Map<String, Value> =
        event.metadata.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect();
    json!({
        "involvedObject": event.about,
        "severity": event.severity,
        "timestamp": Time::from(now),
        "message": event.message,
        "reason": event.reason,
        "metadata": metadata,
        "reportingController": event.controller,
        "reportingInstance": host,
    })
}

async fn post(address: String, body: Value) {
    let sent = tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(POST_TIMEOUT)).build().into();
        let body = serde_json::to_vec(&body).expect("JSON with text keys serialises");
        agent.post(&address).header("Content-Type", "application/json").send(&body[..]).map(drop)
    });
    match sent.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => warn!(%error, "the events address did not take an event"),
        Err(error) => warn!(%error, "an event could not be sent"),
    }
}

/// How long the events address may take for one event.
const POST_TIMEOUT: Duration = Duration::from_secs(5);

fn shortened(text: &str, limit_bytes: usize) -> &str {
    &text[..text.floor_char_boundary(limit_bytes)]
}

fn hostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "fairlead".to_owned(), |name| name.trim().to_owned())
}
