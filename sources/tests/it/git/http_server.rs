//! An HTTP server in this process that answers with the real `git http-backend`.

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Response, StatusCode, header},
    serve::Listener,
};
use fairlead_tests::git::{TlsListener, http_backend};
use futures::stream;
use rustls::ServerConfig;
use tokio::{net::TcpListener, task::JoinHandle, time::sleep};

use super::repository::Repository;

/// How the server behaves.
#[derive(Clone, Default)]
pub(crate) struct Behaviour {
    /// The `Authorization` header without which it answers 401.
    pub(crate) authorization: Option<String>,
    pub(crate) redirect: Option<Redirect>,
    /// Which version of the protocol it speaks when it is asked for version 2.
    pub(crate) speaks: Speaks,
    /// What goes wrong with the pack.
    pub(crate) trouble: Trouble,
}

/// Sends requests below `from` to `to`, where the rest of their path and query is added.
#[derive(Clone)]
pub(crate) struct Redirect {
    pub(crate) from: &'static str,
    pub(crate) to: String,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Speaks {
    #[default]
    Version2,
    Version0,
}

#[derive(Clone, Default)]
pub(crate) enum Trouble {
    #[default]
    None,
    /// The connection ends after this many bytes of the pack.
    CutAfter(usize),
    /// The answer comes byte by byte.
    Drip,
    /// Every answer is this page.
    Page(&'static str),
}

/// One request that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Method and last part of the path.
    pub(crate) what: String,
    pub(crate) authorization: Option<String>,
    /// The bytes of the answer's body.
    pub(crate) answer_bytes: usize,
}

/// A server on a port of its own. It ends when this is dropped.
pub(crate) struct GitServer {
    address: SocketAddr,
    scheme: &'static str,
    site: Arc<Site>,
    task: JoinHandle<()>,
}

struct Site {
    root: PathBuf,
    behaviour: Behaviour,
    seen: Mutex<Vec<Seen>>,
}

impl GitServer {
    pub(crate) async fn start(repository: &Repository, behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        Self::serve(repository, behaviour, listener, "http")
    }

    pub(crate) async fn start_tls(repository: &Repository, behaviour: Behaviour, tls: ServerConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        Self::serve(repository, behaviour, TlsListener::new(listener, Arc::new(tls)), "https")
    }

    fn serve<L>(repository: &Repository, behaviour: Behaviour, listener: L, scheme: &'static str) -> Self
    where
        L: Listener<Addr = SocketAddr>,
    {
        let address = listener.local_addr().expect("bound");
        let site = Arc::new(Site { root: repository.root().to_owned(), behaviour, seen: Mutex::default() });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&site));
        let task = tokio::spawn(async move { axum::serve(listener, app).await.expect("it serves") });
        Self { address, scheme, site, task }
    }

    /// The repository's URL, by the server's address.
    pub(crate) fn url(&self) -> String {
        self.url_at("127.0.0.1")
    }

    /// The repository's URL, by another name of this machine.
    pub(crate) fn url_at(&self, host: &str) -> String {
        format!("{}/{}", self.base_at(host), Repository::NAME)
    }

    pub(crate) fn base_at(&self, host: &str) -> String {
        format!("{}://{host}:{}", self.scheme, self.address.port())
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The requests since this was last asked.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.site.seen.lock().expect("nobody panicked"))
    }

    /// The requests since this was last asked, in short.
    pub(crate) fn seen_in_short(&self) -> String {
        self.seen().iter().map(|seen| seen.what.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(site): State<Arc<Site>>, request: Request) -> Response<Body> {
    let what = format!("{} {}", request.method(), request.uri().path().rsplit('/').next().unwrap_or_default());
    let authorization =
        request.headers().get(header::AUTHORIZATION).map(|value| value.to_str().expect("text").to_owned());
    let is_pack = what.ends_with("git-upload-pack");
    let (status, headers, body) = respond(&site, request).await;
    let seen = Seen { what, authorization, answer_bytes: body.len() };
    site.seen.lock().expect("nobody panicked").push(seen);
    let mut response = Response::new(if is_pack { troubled(&site.behaviour.trouble, body) } else { Body::from(body) });
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

async fn respond(site: &Site, request: Request) -> (StatusCode, HeaderMap, Bytes) {
    let mut headers = HeaderMap::new();
    if let Some(wanted) = &site.behaviour.authorization
        && request.headers().get(header::AUTHORIZATION).is_none_or(|given| given != wanted.as_str())
    {
        return (StatusCode::UNAUTHORIZED, headers, Bytes::new());
    }
    if let Some(redirect) = &site.behaviour.redirect
        && let Some(rest) = request.uri().to_string().strip_prefix(redirect.from)
    {
        let location = format!("{}{rest}", redirect.to);
        headers.insert(header::LOCATION, location.parse().expect("a header"));
        return (StatusCode::FOUND, headers, Bytes::new());
    }
    if let Trouble::Page(page) = site.behaviour.trouble {
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/html"));
        return (StatusCode::OK, headers, Bytes::from_static(page.as_bytes()));
    }
    backend(site, request).await
}

async fn backend(site: &Site, request: Request) -> (StatusCode, HeaderMap, Bytes) {
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("the request's body");
    match site.behaviour.speaks {
        Speaks::Version2 => {}
        Speaks::Version0 => drop(parts.headers.remove("git-protocol")),
    }
    let answer = http_backend(&site.root, None, &parts, &body).await.expect("git answers");
    let (head, body) = answer.into_parts();
    (head.status, head.headers, to_bytes(body, usize::MAX).await.expect("the answer's body"))
}

pub(crate) fn troubled(trouble: &Trouble, body: Bytes) -> Body {
    match trouble {
        Trouble::None | Trouble::Page(_) => Body::from(body),
        Trouble::CutAfter(bytes) => {
            let cut = io::Error::other("cut");
            Body::from_stream(stream::iter([Ok(body.slice(..body.len().min(*bytes))), Err(cut)]))
        }
        Trouble::Drip => Body::from_stream(stream::unfold(body, |mut left| async move {
            sleep(Duration::from_millis(20)).await;
            (!left.is_empty()).then(|| (Ok::<_, io::Error>(left.split_to(1)), left))
        })),
    }
}
