//! What the process tells Prometheus, under Flux's names where Flux has them.

use std::{sync::Arc, time::Duration};

use http::Method;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// Counters, histograms and gauges of one process. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Families>);

struct Families {
    registry: Registry,
    duration: Family<ObjectLabels, Histogram, fn() -> Histogram>,
    runs: Family<RunLabels, Counter>,
    active: Family<ControllerLabels, Gauge>,
    requests: Family<RequestLabels, Counter>,
    events_dropped: Counter,
    drift: Family<ControllerLabels, Counter>,
    webhook_duration: Family<WebhookLabels, Histogram, fn() -> Histogram>,
    webhook_answer_bytes: Family<WebhookLabels, Histogram, fn() -> Histogram>,
    webhooks_in_flight: Family<HandlerLabels, Gauge>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ObjectLabels {
    kind: String,
    name: String,
    namespace: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RunLabels {
    controller: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ControllerLabels {
    controller: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    code: u16,
    method: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct WebhookLabels {
    service: &'static str,
    handler: &'static str,
    method: &'static str,
    code: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct HandlerLabels {
    service: &'static str,
    handler: &'static str,
}

/// What Flux calls the paths of all Receivers together.
const HOOK_HANDLER: HandlerLabels = HandlerLabels { service: "", handler: "/hook/" };

/// Prometheus' own buckets for how long a request takes, in seconds.
fn request_histogram() -> Histogram {
    Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
}

/// Flux's buckets for how large an answer is, in bytes.
fn size_histogram() -> Histogram {
    Histogram::new((0..8).map(|bucket| 100.0 * 10.0_f64.powi(bucket)))
}

/// Flux's buckets: ten, exponential from 10 ms to 30 min.
fn duration_histogram() -> Histogram {
    let factor = (1800.0_f64 / 0.01).powf(1.0 / 9.0);
    Histogram::new((0..10).map(|bucket| 0.01 * factor.powi(bucket)))
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::default();
        let families = Families {
            duration: Family::new_with_constructor(duration_histogram as fn() -> Histogram),
            runs: Family::default(),
            active: Family::default(),
            requests: Family::default(),
            events_dropped: Counter::default(),
            drift: Family::default(),
            webhook_duration: Family::new_with_constructor(request_histogram as fn() -> Histogram),
            webhook_answer_bytes: Family::new_with_constructor(size_histogram as fn() -> Histogram),
            webhooks_in_flight: Family::default(),
            registry: Registry::default(),
        };
        registry.register(
            "gotk_reconcile_duration_seconds",
            "The duration in seconds of a reconciliation",
            families.duration.clone(),
        );
        registry.register(
            "controller_runtime_reconcile",
            "Reconciliations by controller and result",
            families.runs.clone(),
        );
        registry.register(
            "controller_runtime_active_workers",
            "Reconciliations that run now, by controller",
            families.active.clone(),
        );
        registry.register(
            "rest_client_requests",
            "Requests to the API server, by status code and method; code 0 where no answer came",
            families.requests.clone(),
        );
        registry.register(
            "fairlead_events_dropped",
            "Events that were not sent because the API server did not keep up",
            families.events_dropped.clone(),
        );
        registry.register(
            "fairlead_drift_seen",
            "Changes to owned objects that were made by others and put right",
            families.drift.clone(),
        );
        registry.register(
            "gotk_receiver_http_request_duration_seconds",
            "The latency of the HTTP requests",
            families.webhook_duration.clone(),
        );
        registry.register(
            "gotk_receiver_http_response_size_bytes",
            "The size of the HTTP responses",
            families.webhook_answer_bytes.clone(),
        );
        registry.register(
            "gotk_receiver_http_requests_inflight",
            "The number of inflight requests being handled at the same time",
            families.webhooks_in_flight.clone(),
        );
        Self(Arc::new(Families { registry, ..families }))
    }
}

impl Metrics {
    /// All of it, in `OpenMetrics` text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.0.registry).expect("writing to a text does not fail");
        text
    }

    pub(crate) fn count_request(&self, method: &Method, code: u16) {
        self.0.requests.get_or_create(&RequestLabels { code, method: method.to_string() }).inc();
    }

    pub(crate) fn count_dropped_event(&self) {
        self.0.events_dropped.inc();
    }

    pub(crate) fn count_drift(&self, controller: &'static str) {
        self.0.drift.get_or_create(&ControllerLabels { controller }).inc();
    }

    /// Counts a run that is going on until the returned guard is dropped.
    pub(crate) fn active(&self, controller: &'static str) -> Active {
        let gauge = self.0.active.get_or_create(&ControllerLabels { controller }).clone();
        gauge.inc();
        Active(gauge)
    }

    pub(crate) fn observe_run(
        &self,
        object: (&str, &str, &str),
        controller: &'static str,
        result: &'static str,
        took: Duration,
    ) {
        let (kind, namespace, name) = object;
        let labels = ObjectLabels { kind: kind.to_owned(), name: name.to_owned(), namespace: namespace.to_owned() };
        self.0.duration.get_or_create(&labels).observe(took.as_secs_f64());
        self.0.runs.get_or_create(&RunLabels { controller, result }).inc();
    }

    /// Counts a webhook that is being answered until the returned guard is dropped.
    pub(crate) fn webhook_in_flight(&self) -> Active {
        let gauge = self.0.webhooks_in_flight.get_or_create(&HOOK_HANDLER).clone();
        gauge.inc();
        Active(gauge)
    }

    /// Counts a webhook that was answered with `code` and nothing else.
    pub(crate) fn observe_webhook(&self, method: &Method, code: u16, took: Duration) {
        let HandlerLabels { service, handler } = HOOK_HANDLER;
        let labels = WebhookLabels { service, handler, method: known_method(method), code };
        self.0.webhook_duration.get_or_create(&labels).observe(took.as_secs_f64());
        self.0.webhook_answer_bytes.get_or_create(&labels).observe(0.0);
    }

    /// Drops the series of an object that is gone.
    pub(crate) fn forget(&self, (kind, namespace, name): (&str, &str, &str)) {
        let labels = ObjectLabels { kind: kind.to_owned(), name: name.to_owned(), namespace: namespace.to_owned() };
        self.0.duration.remove(&labels);
    }
}

/// A method as a label: strangers can make up as many others as they like.
fn known_method(method: &Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];
    known.into_iter().find(|known| method.as_str() == *known).unwrap_or("OTHER")
}

/// Something in progress, for its gauge.
pub(crate) struct Active(Gauge);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.dec();
    }
}
