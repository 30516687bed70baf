//! A web site in this process that answers as a test says, and logs every request.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{self, Request},
    http::{HeaderName, HeaderValue, Response, StatusCode},
};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::git::http_server::{Trouble, troubled};

/// What a request is answered with: a status, a header and a body.
pub(crate) type Answer = (u16, Option<(&'static str, String)>, Vec<u8>);

/// Answers by path and query.
pub(crate) type Answering = fn(&str) -> Answer;

/// A site on a port of its own. It ends when this is dropped.
pub(crate) struct Site {
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

struct State {
    answer: Box<dyn Fn(&str) -> Answer + Send + Sync>,
    trouble: Trouble,
    seen: Mutex<Vec<(String, Option<String>)>>,
}

impl Site {
    /// Starts a site that answers by path and query.
    pub(crate) async fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_with(Trouble::None, answer).await
    }

    /// The same, with bodies of objects that do not arrive as they should.
    pub(crate) async fn start_with(trouble: Trouble, answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let state = Arc::new(State { answer: Box::new(answer), trouble, seen: Mutex::default() });
        let app = Router::new().fallback(respond).with_state(Arc::clone(&state));
        let task = tokio::spawn(async move { axum::serve(listener, app).await.expect("it serves") });
        Self { address, state, task }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The requests since this was last asked: what was asked for, and the `Authorization` header.
    pub(crate) fn seen(&self) -> Vec<(String, Option<String>)> {
        std::mem::take(&mut self.state.seen.lock().expect("nobody panicked"))
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn respond(extract::State(site): extract::State<Arc<State>>, request: Request) -> Response<Body> {
    let target = request.uri().to_string();
    let authorization = request.headers().get("authorization").map(|value| value.to_str().expect("text").to_owned());
    site.seen.lock().expect("nobody panicked").push((target.clone(), authorization));
    let (status, header, body) = (site.answer)(&target);
    let is_listing = target.contains('?');
    let body = Bytes::from(body);
    let body = if is_listing { Body::from(body) } else { troubled(&site.trouble, body) };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    if let Some((name, value)) = header {
        let value = HeaderValue::from_str(&value).expect("a header");
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    response
}
