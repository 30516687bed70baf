//! A registry in this process that logs every request, and does what a real one does only on a bad day.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, Method, Response, StatusCode, header},
    serve::Listener,
};
use fairlead_tests::{git::TlsListener, image::Content};
use rustls::ServerConfig;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::git::http_server::{Trouble, troubled};

/// How the registry behaves.
#[derive(Clone, Default)]
pub(crate) struct Behaviour {
    pub(crate) access: Access,
    pub(crate) head: Head,
    /// Where blobs are.
    pub(crate) blobs_at: Option<String>,
    /// How many tags a page has.
    pub(crate) page: Option<usize>,
    /// The status and `Retry-After` of every answer.
    pub(crate) busy: Option<(u16, &'static str)>,
    /// What goes wrong with blobs.
    pub(crate) trouble: Trouble,
}

/// Who may read.
#[derive(Clone, Default)]
pub(crate) enum Access {
    #[default]
    Everyone,
    /// Those who send this header.
    Login(&'static str),
    /// Those who send a token, which this registry gives to who sends this header, or to everyone.
    Token(Option<&'static str>),
}

/// What `HEAD` of a manifest answers.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Head {
    #[default]
    Digest,
    NoDigest,
    NotAllowed,
}

/// The token that is given.
const TOKEN: &str = "Bearer granted";

/// One request that was answered.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Method and path below the repository, or the name of the token server with the query.
    pub(crate) what: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: String,
}

/// A registry on a port of its own. It ends when this is dropped.
pub(crate) struct Stub {
    address: SocketAddr,
    site: Arc<Site>,
    task: JoinHandle<()>,
}

struct Site {
    content: Content,
    behaviour: Behaviour,
    address: SocketAddr,
    seen: Mutex<Vec<Seen>>,
}

impl Stub {
    pub(crate) async fn start(content: Content, behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        Self::serve(content, behaviour, listener)
    }

    pub(crate) async fn start_tls(content: Content, behaviour: Behaviour, tls: ServerConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        Self::serve(content, behaviour, TlsListener::new(listener, Arc::new(tls)))
    }

    fn serve<L: Listener<Addr = SocketAddr>>(content: Content, behaviour: Behaviour, listener: L) -> Self {
        let address = listener.local_addr().expect("bound");
        let site = Arc::new(Site { content, behaviour, address, seen: Mutex::default() });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&site));
        let task = tokio::spawn(async move { axum::serve(listener, app).await.expect("it serves") });
        Self { address, site, task }
    }

    /// The repository's URL.
    pub(crate) fn url(&self) -> String {
        self.url_at("127.0.0.1")
    }

    /// The repository's URL, by another name of this machine.
    pub(crate) fn url_at(&self, host: &str) -> String {
        format!("oci://{host}:{}/{REPOSITORY}", self.port())
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
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

impl Drop for Stub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

const REPOSITORY: &str = "team/app";
const TOKEN_PATH: &str = "/token";

async fn answer(State(site): State<Arc<Site>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("the request's body");
    let authorization = parts.headers.get(header::AUTHORIZATION).map(|value| value.to_str().expect("text").to_owned());
    let target = parts.uri.to_string();
    let below = target.strip_prefix(&format!("/v2/{REPOSITORY}/")).unwrap_or(&target);
    let seen = Seen {
        what: format!("{} {below}", parts.method),
        authorization: authorization.clone(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    site.seen.lock().expect("nobody panicked").push(seen);
    if let Some((status, wait)) = site.behaviour.busy {
        let error = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}"#;
        return response(status, [(header::RETRY_AFTER, wait.to_owned())], error);
    }
    if target.starts_with(TOKEN_PATH) {
        return token(&site, authorization.as_deref(), &body);
    }
    if let Some(refusal) = refused(&site, authorization.as_deref()) {
        return refusal;
    }
    below.split_once('/').map_or_else(missing, |(kind, rest)| match kind {
        "manifests" => manifest(&site, &parts.method, rest),
        "blobs" => blob(&site, rest),
        "tags" => tags(&site, rest),
        _ => missing(),
    })
}

fn response<const N: usize>(status: u16, headers: [(HeaderName, String); N], body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    let headers = headers.map(|(name, value)| (name, value.parse().expect("a header")));
    *response.headers_mut() = HeaderMap::from_iter(headers);
    response
}

fn missing() -> Response<Body> {
    response(404, [], r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#)
}

fn refused(site: &Site, authorization: Option<&str>) -> Option<Response<Body>> {
    let (wanted, challenge) = match &site.behaviour.access {
        Access::Everyone => return None,
        Access::Login(login) => (*login, r#"Basic realm="test""#.to_owned()),
        Access::Token(_) => (TOKEN, format!(r#"Bearer realm="http://{}{TOKEN_PATH}",service="a stub""#, site.address)),
    };
    let error = r#"{"errors":[{"code":"UNAUTHORIZED","message":"log in"}]}"#;
    (authorization != Some(wanted)).then(|| response(401, [(header::WWW_AUTHENTICATE, challenge)], error))
}

fn token(site: &Site, authorization: Option<&str>, form: &Bytes) -> Response<Body> {
    let Access::Token(login) = &site.behaviour.access else { return missing() };
    let is_exchange = String::from_utf8_lossy(form).contains("refresh_token=hunter2%2Fx");
    if login.is_none_or(|login| authorization == Some(login)) || is_exchange {
        return response(200, [], r#"{"token":"granted","expires_in":300}"#);
    }
    response(401, [], r#"{"errors":[{"code":"DENIED","message":"who are you?"}]}"#)
}

fn manifest(site: &Site, method: &Method, reference: &str) -> Response<Body> {
    let Some((media_type, document)) = site.content.manifests.get(reference) else { return missing() };
    let digest = fairlead_object::Digest::of(document).to_string();
    let typed = (header::CONTENT_TYPE, (*media_type).to_owned());
    match (method, site.behaviour.head) {
        (&Method::HEAD, Head::NotAllowed) => response(405, [], ""),
        (&Method::HEAD, Head::NoDigest) => response(200, [typed], ""),
        _ => {
            let named = (HeaderName::from_static("docker-content-digest"), digest);
            response(200, [typed, named], document.clone())
        }
    }
}

fn blob(site: &Site, digest: &str) -> Response<Body> {
    if let Some(elsewhere) = &site.behaviour.blobs_at {
        let location = format!("{elsewhere}/v2/{REPOSITORY}/blobs/{digest}?signature=canary");
        return response(307, [(header::LOCATION, location)], "");
    }
    let digest = digest.split('?').next().unwrap_or_default();
    let Some(blob) = site.content.blobs.get(digest) else { return missing() };
    let body = Bytes::from(blob.clone());
    response(200, [], troubled(&site.behaviour.trouble, body))
}

fn tags(site: &Site, query: &str) -> Response<Body> {
    let last = query.split_once("last=").map(|(_, last)| last);
    let tags = &site.content.tags;
    let start = last.and_then(|last| tags.iter().position(|tag| tag == last)).map_or(0, |at| at + 1);
    let page = site.behaviour.page.unwrap_or(tags.len());
    let end = tags.len().min(start + page);
    let body = serde_json::json!({ "name": REPOSITORY, "tags": tags[start..end] }).to_string();
    if end == tags.len() {
        return response(200, [], body);
    }
    let next = format!("</v2/{REPOSITORY}/tags/list?n={page}&last={}>; rel=\"next\"", tags[end - 1]);
    response(200, [(header::LINK, next)], body)
}
