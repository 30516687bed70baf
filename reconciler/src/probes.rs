//! The process's own HTTP endpoints: `/metrics`, `/healthz`, `/readyz`.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{Router, http::StatusCode, response::IntoResponse, routing::get};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// Whether something is ready to work: set once its caches are filled. A process that waits for the lease is ready.
#[derive(Clone, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Says that the process is ready.
    pub fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it is.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// `/metrics`.
pub fn metrics_router(metrics: Metrics) -> Router {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let answer = move || async move { ([("content-type", OPEN_METRICS)], metrics.text()) };
    Router::new().route("/metrics", get(answer))
}

/// `/healthz` and `/readyz`.
pub fn health_router(readiness: Readiness) -> Router {
    let ready = move || async move {
        if readiness.is_set() {
            "ok".into_response()
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "starting").into_response()
        }
    };
    Router::new().route("/healthz", get(async || "ok")).route("/readyz", get(ready))
}

/// An address that the process was told to listen on and cannot.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} (from {flag})")]
pub struct ListenError {
    address: String,
    flag: &'static str,
    source: std::io::Error,
}

/// Listens on `address`, which came from `flag`; `:8080` means all addresses of the machine.
pub async fn listen(address: &str, flag: &'static str) -> Result<TcpListener, ListenError> {
    let full = if address.starts_with(':') { format!("0.0.0.0{address}") } else { address.to_owned() };
    TcpListener::bind(&full).await.map_err(|source| ListenError { address: address.to_owned(), flag, source })
}

/// Serves `router` until `stop`.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = served.await {
        tracing::error!(%error, "a listener failed");
    }
}

/// The address that a listener really has.
pub fn address(listener: &TcpListener) -> Option<SocketAddr> {
    listener.local_addr().ok()
}
