//! Webhooks: what comes to the paths of Receivers, and whom it wakes.
//!
//! [`verdict`] decides whether a webhook is what it says it is, without a server; here it is read, and carried out. Every
//! replica takes webhooks, for they reach any of them; one that only stands by asks by annotation.
//!
//! # Follows Flux
//! The paths, the limits and the answers: 404 for a path that nobody has, 413 for a body of more than 3 MiB, 503 for a
//! Receiver that is suspended or not ready, 400 for what is not authenticated or cannot be read, 500 where an object
//! could not be woken (the others are), and 200.
//! # Differs from Flux
//! A path is the Receiver's only while its Secret still says so.

mod certificates;
mod google;
mod secret;
mod signature;
pub mod verdict;
mod wake;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode},
};
use fairlead_api::{
    conditions::READY,
    notification::{Receiver, ReceiverType},
};
use fairlead_health::{Expression, ExpressionError};
use serde_json::Value;
use tokio::time::{Instant, timeout};
use tracing::{info, warn};

use crate::{
    clock::Clock,
    cluster::Cluster,
    controllers::{ObjectKey, World, in_one_line, receiver::Receivers},
    probes::Readiness,
};
use certificates::{Certificates, KeysError};
pub use google::{GoogleKeys, TokenError};
pub use secret::HookSecretError;
pub(crate) use secret::{hook_secret, secrets, webhook_path};
use verdict::{HookSecret, Refusal, Webhook, accept};
use wake::{Filter, WakeError, Waker};

/// Largest body that is read.
const BODY_LIMIT_BYTES: usize = 3 << 20;
/// How long a request may take to arrive.
const READ_LIMIT: Duration = Duration::from_secs(30);

/// All that webhooks need.
pub(crate) struct Hooks {
    receivers: Receivers,
    cluster: Cluster,
    clock: Clock,
    /// `--no-cross-namespace-refs`.
    only_own_namespace: bool,
    certificates: Certificates,
    /// Set once all Receivers are known.
    pub(crate) is_filled: Readiness,
    /// Set once this process leads.
    world: OnceLock<Arc<World>>,
}

/// Why a webhook is not answered with 200.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the Receiver is suspended")]
    Suspended,
    #[error("the Receiver is not ready")]
    NotReady,
    #[error("the Secret makes another path of it")]
    Moved,
    #[error(transparent)]
    Secret(#[from] HookSecretError),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the webhook could not be read: {0}")]
    Interrupted(String),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Filter(#[from] ExpressionError),
    #[error("{0}")]
    NotWoken(String),
}

impl Failure {
    fn status(&self) -> StatusCode {
        match self {
            Self::Suspended | Self::NotReady => StatusCode::SERVICE_UNAVAILABLE,
            Self::Moved => StatusCode::NOT_FOUND,
            Self::Secret(_) | Self::Refused(_) | Self::Interrupted(_) => StatusCode::BAD_REQUEST,
            Self::Keys(_) | Self::Filter(_) | Self::NotWoken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Takes webhooks at every path.
pub(crate) fn router(hooks: Arc<Hooks>) -> Router {
    Router::new().fallback(move |request: Request| {
        let hooks = Arc::clone(&hooks);
        async move { hooks.answer(request).await }
    })
}

impl Hooks {
    pub(crate) fn new(receivers: Receivers, cluster: Cluster, clock: Clock, only_own_namespace: bool) -> Arc<Self> {
        Arc::new(Self {
            receivers,
            cluster,
            clock,
            only_own_namespace,
            certificates: Certificates::default(),
            is_filled: Readiness::default(),
            world: OnceLock::new(),
        })
    }

    /// Wakes what `world` reconciles from now on.
    pub(crate) fn lead(&self, world: &Arc<World>) {
        self.world.get_or_init(|| Arc::clone(world));
    }

    /// Answers a request, and counts it if it came to where Receivers are.
    async fn answer(&self, request: Request) -> StatusCode {
        if !request.uri().path().starts_with("/hook/") {
            return StatusCode::NOT_FOUND;
        }
        let (began, method) = (Instant::now(), request.method().clone());
        let metrics = self.cluster.metrics();
        let _in_flight = metrics.webhook_in_flight();
        let status = self.take(request).await;
        metrics.observe_webhook(&method, status.as_u16(), began.elapsed());
        status
    }

    async fn take(&self, request: Request) -> StatusCode {
        let (head, body) = request.into_parts();
        let body = match timeout(READ_LIMIT, to_bytes(body, BODY_LIMIT_BYTES)).await {
            Ok(Ok(body)) => body,
            Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE,
            Err(_) => return StatusCode::REQUEST_TIMEOUT,
        };
        if !self.is_filled.is_set() {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        let path = head.uri.path_and_query().map_or("", |path| path.as_str());
        for (key, receiver) in self.receivers.at(path) {
            match self.deliver((&key, &receiver), path, &head.headers, &body).await {
                Ok(woken) => {
                    info!(namespace = key.namespace, name = key.name, woken, "a webhook was taken");
                    return StatusCode::OK;
                }
                Err(Failure::Moved) => self.receivers.queue.wake(key),
                Err(failure) => {
                    let error = in_one_line(&failure);
                    warn!(namespace = key.namespace, name = key.name, error, "a webhook was not taken");
                    return failure.status();
                }
            }
        }
        Failure::Moved.status()
    }

    /// Takes a webhook that came to `path`, and returns how many objects it wakes.
    async fn deliver(
        &self,
        (key, receiver): (&ObjectKey, &Receiver),
        path: &str,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<usize, Failure> {
        if receiver.spec.suspend {
            return Err(Failure::Suspended);
        }
        let status = receiver.status.as_ref();
        if !status.is_some_and(|status| status.conditions.is_true(READY)) {
            return Err(Failure::NotReady);
        }
        let secret = hook_secret(&self.cluster, &key.namespace, &receiver.spec).await?;
        if webhook_path(&secret, key) != path {
            return Err(Failure::Moved);
        }
        let said = self.said(receiver, secret, headers, body).await?;
        self.wake(key, receiver, said).await
    }

    /// What an authentic webhook says. A sender that makes the reading panic gets an error and nobody else does.
    async fn said(
        &self,
        receiver: &Receiver,
        secret: HookSecret,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<Value, Failure> {
        let google = if receiver.spec.type_ == ReceiverType::Gcr {
            let authorization = headers.get("authorization").map(HeaderValue::as_bytes);
            self.certificates.keys(authorization).await?
        } else {
            Arc::default()
        };
        let (spec, headers, body, at) = (receiver.spec.clone(), headers.clone(), body.clone(), self.clock.now());
        let read = tokio::task::spawn_blocking(move || {
            accept(&spec, &secret, &Webhook { headers: &headers, body: &body, at, google: &google })
        });
        Ok(read.await.map_err(|error| Failure::Interrupted(error.to_string()))??)
    }

    async fn wake(&self, key: &ObjectKey, receiver: &Receiver, said: Value) -> Result<usize, Failure> {
        let expression = filter(receiver)?;
        let filter = Filter { expression, said };
        let waker = Waker { cluster: &self.cluster, world: self.world.get(), now: self.clock.now() };
        let (mut woken, mut failed) = (0, Vec::new());
        for resource in &receiver.spec.resources {
            let is_elsewhere = resource.namespace.as_ref().is_some_and(|namespace| *namespace != key.namespace);
            let outcome = if is_elsewhere && self.only_own_namespace {
                Err(WakeError::CrossNamespace)
            } else {
                waker.wake(resource, &key.namespace, &filter).await
            };
            match outcome {
                Ok(count) => woken += count,
                Err(error) => failed.push(in_one_line(&error)),
            }
        }
        if failed.is_empty() { Ok(woken) } else { Err(Failure::NotWoken(failed.join("; "))) }
    }
}

/// The compiled `spec.resourceFilter`, if there is one.
pub(crate) fn filter(receiver: &Receiver) -> Result<Option<Expression>, ExpressionError> {
    let written = receiver.spec.resource_filter.as_deref().filter(|text| !text.is_empty());
    written.map(|text| Expression::compile("spec.resourceFilter", text)).transpose()
}
