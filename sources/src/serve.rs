//! Serving artifacts over HTTP, where Flux's consumers look for them.
//!
//! A request's path is looked up in the store's index; it never becomes a path on disk. `GET /` answers 200, which is what
//! a readiness probe asks. Nothing else is there: no listings and no files that no source names.
//!
//! # Differs from Flux
//! Flux serves its whole storage folder, with listings, locks and temporary files.

use std::{
    ffi::OsStr,
    io::{self, SeekFrom},
    path::Path,
};

use axum::{
    Router,
    body::Body,
    extract::{self, State},
    http::{HeaderMap, Response, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use crate::store::{Artifact, Store, StoreError};

mod range;

use range::Requested;

/// Answers requests for the artifacts of `store`.
pub fn router(store: Store) -> Router {
    Router::new().route("/", get(|| async { StatusCode::OK })).route("/{*path}", get(artifact)).with_state(store)
}

async fn artifact(
    State(store): State<Store>,
    extract::Path(path): extract::Path<String>,
    request: HeaderMap,
) -> Result<Response<Body>, Unserved> {
    let opened = tokio::task::spawn_blocking(move || open(&store, &path)).await.map_err(io::Error::other)?;
    let (artifact, file) = opened?;
    let etag = format!("\"{}\"", artifact.digest);
    let response = Response::builder().header(header::ETAG, &etag).header(header::ACCEPT_RANGES, "bytes");
    if names(&request, header::IF_NONE_MATCH, &etag) {
        return Ok(response.status(StatusCode::NOT_MODIFIED).body(Body::empty())?);
    }
    let size_bytes = artifact.size_bytes;
    let (status, start, length) = match Requested::of(&request, &etag, size_bytes) {
        Requested::Whole => (StatusCode::OK, 0, size_bytes),
        Requested::Part { start, length } => (StatusCode::PARTIAL_CONTENT, start, length),
        Requested::Nothing => {
            let all = format!("bytes */{size_bytes}");
            let response = response.status(StatusCode::RANGE_NOT_SATISFIABLE).header(header::CONTENT_RANGE, all);
            return Ok(response.body(Body::empty())?);
        }
    };
    let mut response = response
        .status(status)
        .header(header::CONTENT_TYPE, content_type(&artifact.path))
        .header(header::CONTENT_LENGTH, length);
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {start}-{}/{size_bytes}", start + length - 1);
        response = response.header(header::CONTENT_RANGE, range);
    }
    let mut file = tokio::fs::File::from_std(file);
    file.seek(SeekFrom::Start(start)).await?;
    Ok(response.body(Body::from_stream(ReaderStream::new(file.take(length))))?)
}

fn open(store: &Store, path: &str) -> Result<(Artifact, std::fs::File), Unserved> {
    let artifact = store.artifact_at(path).ok_or(Unserved::NotFound)?;
    let file = store.open_served(&artifact)?;
    Ok((artifact, file))
}

/// What the file at `path` is: an index of charts, or an archive.
fn content_type(path: &str) -> &'static str {
    match Path::new(path).extension().and_then(OsStr::to_str) {
        Some("yaml") => "application/yaml",
        Some(_) | None => "application/gzip",
    }
}

/// Whether the header lists `etag`, or stands for every one.
fn names(request: &HeaderMap, header: header::HeaderName, etag: &str) -> bool {
    let listed =
        request.get_all(header).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    listed.map(str::trim).any(|listed| listed == "*" || listed.strip_prefix("W/").unwrap_or(listed) == etag)
}

/// Why there is no artifact in an answer.
#[derive(Debug, thiserror::Error)]
enum Unserved {
    #[error("no source names this path")]
    NotFound,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Http(#[from] axum::http::Error),
}

impl IntoResponse for Unserved {
    fn into_response(self) -> Response<Body> {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            // Consumers wait and ask again, until the source has been fetched again.
            Self::Store(error @ (StoreError::Missing { .. } | StoreError::Damaged { .. })) => {
                tracing::warn!(%error, "artifact not served");
                StatusCode::NOT_FOUND
            }
            error @ (Self::Store(_) | Self::Io(_) | Self::Http(_)) => {
                tracing::error!(%error, "artifact not served");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
        .into_response()
    }
}
