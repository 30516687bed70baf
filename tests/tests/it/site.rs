//! A web site whose files a test puts there.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
};
use tokio::net::TcpListener;

/// A site on loopback. It ends with the test.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) address: String,
    files: Files,
}

/// What a path is answered with.
type Files = Arc<Mutex<BTreeMap<String, (StatusCode, Vec<u8>)>>>;

impl Site {
    /// Starts an empty site.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let address = listener.local_addr().expect("it is bound").to_string();
        let files = Files::default();
        let app = Router::new().fallback(answer).with_state(Arc::clone(&files));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, files }
    }

    /// Puts a file at `path`, which starts with a slash.
    pub(crate) fn put(&self, path: &str, content: impl Into<Vec<u8>>) {
        self.answer(path, StatusCode::OK, content);
    }

    /// Answers what is asked for at `path` with this.
    pub(crate) fn answer(&self, path: &str, status: StatusCode, content: impl Into<Vec<u8>>) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.insert(path.to_owned(), (status, content.into()));
    }

    /// Returns the URL of what stands at `path`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

async fn answer(State(files): State<Files>, request: Request) -> (StatusCode, Vec<u8>) {
    let files = files.lock().unwrap_or_else(PoisonError::into_inner);
    files.get(request.uri().path()).cloned().unwrap_or((StatusCode::NOT_FOUND, Vec::new()))
}
