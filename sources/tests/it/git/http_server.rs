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
use futures::stream;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::sleep,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, server::TlsStream};

use super::{
    program::{program, run},
    repository::Repository,
};

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
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        Self::serve(repository, behaviour, TlsListener { listener, acceptor }, "https")
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

/// Accepts TLS connections. One whose handshake fails is dropped.
struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.listener.accept().await else { continue };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
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
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("the request's body");
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut command = program("git");
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", &site.root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("PATH_INFO", parts.uri.path())
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string());
    if site.behaviour.speaks == Speaks::Version2 {
        command.env("GIT_PROTOCOL", header("git-protocol"));
    }
    let output = tokio::task::spawn_blocking(move || run(&mut command, &body)).await.expect("it ran");
    parse_cgi(&output.stdout)
}

fn parse_cgi(output: &[u8]) -> (StatusCode, HeaderMap, Bytes) {
    let end = output.windows(4).position(|window| window == b"\r\n\r\n").expect("a header");
    let (mut status, mut headers) = (StatusCode::OK, HeaderMap::new());
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        let (name, value) = line.split_once(": ").expect("a header");
        if name == "Status" {
            status = value[..3].parse().expect("a status");
        } else {
            let name: header::HeaderName = name.parse().expect("a name");
            headers.insert(name, value.parse().expect("a value"));
        }
    }
    (status, headers, Bytes::copy_from_slice(&output[end + 4..]))
}

fn troubled(trouble: &Trouble, body: Bytes) -> Body {
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
