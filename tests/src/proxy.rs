//! A proxy before the API server that breaks what passes through it, as a test says.
//!
//! It has the controller's own rights and passes every request on; answers stream through. In the audit log the agent of
//! what went through it ends with [`AGENT`], so that two controllers of one cluster can be told apart.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header},
};
use futures::{Stream, StreamExt, stream};
use kube::Client;
use serde_json::json;
use tokio::{net::TcpListener, sync::oneshot, task::JoinSet};

use crate::{
    binary::{ACCOUNT, NAMESPACE},
    cluster::TestCluster,
};

/// How the agent of a request ends that went through a proxy.
pub const AGENT: &str = "fault-proxy";

/// The largest request that is passed on.
const BODY_LIMIT_BYTES: usize = 64 << 20;

/// What the API server sends before it ends a watch whose beginning it no longer has.
const EXPIRED: &str = concat!(
    r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","#,
    r#""message":"too old resource version","code":410}}"#,
    "\n"
);

/// An answer that some requests get in place of the API server's.
#[derive(Clone, Debug)]
pub struct Fault {
    method: Option<Method>,
    parts: Vec<String>,
    status: StatusCode,
    retry_after_seconds: Option<u32>,
    /// How many requests it still meets; all if there is none.
    left: Option<u32>,
}

/// How a watch ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchEnd {
    /// The connection breaks.
    Cut,
    /// The API server says that it no longer has what came since the watch began.
    Expired,
}

/// A proxy before the API server of one cluster. Dropping it ends it and all that passes through it.
pub struct FaultProxy {
    shared: Arc<Shared>,
    kubeconfig: PathBuf,
    /// Aborted when dropped.
    _tasks: JoinSet<()>,
}

struct Shared {
    client: Client,
    state: Mutex<Faults>,
}

#[derive(Default)]
struct Faults {
    known: Vec<Fault>,
    given: usize,
    watches: Vec<OpenWatch>,
}

struct OpenWatch {
    uri: String,
    end: oneshot::Sender<WatchEnd>,
}

impl Fault {
    /// Answers requests whose path and query hold each of `parts` with `status`, until the proxy is healed.
    ///
    /// # Panics
    /// If it is no HTTP status.
    pub fn new(status: u16, parts: &[&str]) -> Self {
        let status = StatusCode::from_u16(status).expect("a test names a valid status");
        let parts = parts.iter().map(ToString::to_string).collect();
        Self { method: None, parts, status, retry_after_seconds: None, left: None }
    }

    /// Only requests with this method.
    #[must_use]
    pub fn method(self, method: Method) -> Self {
        Self { method: Some(method), ..self }
    }

    /// Only the next `count` of them.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self { left: Some(count), ..self }
    }

    /// The answer asks to come back after `seconds`.
    #[must_use]
    pub fn retry_after(self, seconds: u32) -> Self {
        Self { retry_after_seconds: Some(seconds), ..self }
    }

    fn meets(&self, method: &Method, uri: &str) -> bool {
        let is_meant = self.method.as_ref().is_none_or(|meant| meant == method);
        is_meant && self.left != Some(0) && self.parts.iter().all(|part| uri.contains(part))
    }

    fn answer(&self) -> Response<Body> {
        let reason = self.status.canonical_reason().unwrap_or_default();
        let status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "reason": reason.replace(' ', ""),
            "message": format!("a test answers {}", self.status.as_u16()),
            "code": self.status.as_u16(),
        });
        let mut response = Response::new(Body::from(status.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl FaultProxy {
    /// Starts a proxy that has the rights of the controller that [`TestCluster::install`] has made.
    ///
    /// # Panics
    /// If loopback cannot be listened on.
    pub async fn start(cluster: &TestCluster) -> Self {
        let mut config = cluster.config_for_service_account(NAMESPACE, ACCOUNT).await;
        config.default_retry = false;
        let client = Client::try_from(config).expect("a configuration with a token is complete");
        let shared = Arc::new(Shared { client, state: Mutex::default() });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback can be listened on");
        let address = listener.local_addr().expect("a listener has an address");
        let mut tasks = JoinSet::new();
        // It serves until its task is aborted and has no error to report.
        tasks.spawn(async move { drop(axum::serve(listener, router).await) });
        Self { shared, kubeconfig: write_kubeconfig(cluster.folder(), address), _tasks: tasks }
    }

    /// Returns the kubeconfig that leads through it.
    pub fn kubeconfig(&self) -> PathBuf {
        self.kubeconfig.clone()
    }

    /// Gives `fault` from now on. Of several that meet a request the first is given.
    pub fn give(&self, fault: Fault) {
        self.shared.state().known.push(fault);
    }

    /// Gives no fault any more.
    pub fn heal(&self) {
        self.shared.state().known.clear();
    }

    /// Returns how many faults were given so far.
    pub fn given(&self) -> usize {
        self.shared.state().given
    }

    /// Ends the open watches whose path and query hold `part`, and returns how many they were.
    pub fn end_watches(&self, part: &str, end: WatchEnd) -> usize {
        let mut state = self.shared.state();
        let (ended, kept): (Vec<_>, Vec<_>) = state.watches.drain(..).partition(|watch| watch.uri.contains(part));
        state.watches = kept;
        ended.into_iter().filter_map(|watch| watch.end.send(end).ok()).count()
    }
}

fn write_kubeconfig(folder: &Path, address: SocketAddr) -> PathBuf {
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "proxy", "cluster": { "server": format!("http://{address}") } }],
        "contexts": [{ "name": "proxy", "context": { "cluster": "proxy", "user": "" } }],
        "current-context": "proxy",
    });
    let path = folder.join(format!("proxy-{}.kubeconfig", address.port()));
    fs::write(&path, kubeconfig.to_string()).expect("the cluster's folder is writable");
    path
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, Faults> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the answer to give in place of the API server's.
    fn fault(&self, method: &Method, uri: &str) -> Option<Response<Body>> {
        let mut state = self.state();
        let fault = state.known.iter_mut().find(|fault| fault.meets(method, uri))?;
        fault.left = fault.left.map(|left| left - 1);
        let answer = fault.answer();
        state.given += 1;
        Some(answer)
    }

    async fn forward(&self, request: Request) -> Result<Response<Body>, kube::Error> {
        let (mut head, body) = request.into_parts();
        let uri = head.uri.to_string();
        let body = to_bytes(body, BODY_LIMIT_BYTES).await.unwrap_or_default();
        prepare(&mut head.headers);
        let request = http::Request::from_parts(head, kube::client::Body::from(body));
        let (head, body) = self.client.send(request).await?.into_parts();
        let body = Body::new(body);
        let mut response = Response::new(if uri.contains("watch=true") { self.watched(uri, body) } else { body });
        *response.status_mut() = head.status;
        *response.headers_mut() = head.headers;
        for of_the_connection in [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH] {
            response.headers_mut().remove(of_the_connection);
        }
        Ok(response)
    }

    /// Returns `body`, which a test may end.
    fn watched(&self, uri: String, body: Body) -> Body {
        let (end, ended) = oneshot::channel();
        let mut state = self.state();
        state.watches.retain(|watch| !watch.end.is_closed());
        state.watches.push(OpenWatch { uri, end });
        Body::from_stream(until(body, ended))
    }
}

/// Makes the headers of a request those of one that the proxy sends itself.
fn prepare(headers: &mut HeaderMap) {
    for of_the_connection in [header::HOST, header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH] {
        headers.remove(of_the_connection);
    }
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let agent = format!("{agent} {AGENT}");
    headers.insert(header::USER_AGENT, agent.trim().parse().expect("an agent and a word are a header's value"));
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    if let Some(fault) = shared.fault(request.method(), &request.uri().to_string()) {
        return fault;
    }
    shared.forward(request).await.unwrap_or_else(|_| {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response
    })
}

/// Returns what `body` holds, until `ended` tells how it ends before its time.
fn until(body: Body, ended: oneshot::Receiver<WatchEnd>) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold(Some((body.into_data_stream(), ended)), async |open| {
        let (mut body, mut ended) = open?;
        tokio::select! {
            chunk = body.next() => Some((chunk?.map_err(io::Error::other), Some((body, ended)))),
            end = &mut ended => match end {
                Ok(WatchEnd::Expired) => Some((Ok(Bytes::from_static(EXPIRED.as_bytes())), None)),
                Ok(WatchEnd::Cut) | Err(_) => Some((Err(io::ErrorKind::ConnectionReset.into()), None)),
            },
        }
    })
}
