//! What the services have in common.

use std::io::Read;

use ureq::{
    Body,
    http::{HeaderMap, Response, StatusCode, header},
};

use super::error::ServiceError;
use crate::transport::{Refusal, remote_text, retry_after};

/// A service that holds one bucket, for whoever asks.
pub(super) trait Service: Send + Sync {
    /// A page of the objects below the prefix: the first, or the one that `next` of the page before names.
    fn page(&self, next: Option<&str>) -> Result<Page, ServiceError>;

    /// The object `key` as it is now, which was `listed` before; `None` if there is none.
    fn open(&self, key: &str, listed: Option<&Object>) -> Result<Option<Opened>, ServiceError>;
}

/// Some of a bucket's objects.
pub(super) struct Page {
    pub(super) objects: Vec<Object>,
    pub(super) next: Option<String>,
}

/// One object, and what changes with its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) key: String,
    pub(super) etag: String,
}

/// The content of an object that is being read.
pub(super) struct Opened {
    pub(super) etag: String,
    pub(super) content: Box<dyn Read>,
}

/// How we call ourselves.
pub(super) const AGENT: &str = concat!("fairlead/", env!("CARGO_PKG_VERSION"));

/// Largest page of a listing, and longest complaint, that is read.
const BODY_LIMIT_BYTES: u64 = 16 << 20;

/// Reads an answer that is not an object.
pub(super) fn read_body(body: impl Read) -> Result<Vec<u8>, ServiceError> {
    let mut content = Vec::new();
    body.take(BODY_LIMIT_BYTES + 1).read_to_end(&mut content).map_err(ServiceError::of_body)?;
    if content.len() as u64 > BODY_LIMIT_BYTES {
        return Err(ServiceError::Limit { what: "the answer", limit: format!("{BODY_LIMIT_BYTES} bytes") });
    }
    Ok(content)
}

/// What the answer to a request for one object means. `complaint` tells an object that is not there from a bucket that is
/// not there; only the latter is an error.
pub(super) fn opened(
    response: Response<Body>,
    etag: fn(&str) -> String,
    content: impl FnOnce(Response<Body>) -> Box<dyn Read>,
    complaint: impl FnOnce(Response<Body>) -> ServiceError,
) -> Result<Option<Opened>, ServiceError> {
    let status = response.status();
    if status == StatusCode::OK {
        let named = response.headers().get(header::ETAG).and_then(|value| value.to_str().ok());
        let etag = etag(named.unwrap_or_default());
        return Ok(Some(Opened { etag, content: content(response) }));
    }
    match complaint(response) {
        ServiceError::Refused(Refusal::Status { .. }) if status == StatusCode::NOT_FOUND => Ok(None),
        error => Err(error),
    }
}

/// What an answer means that is not the one that was hoped for, in the service's own words.
pub(super) fn refusal(status: StatusCode, headers: &HeaderMap, code: &str, message: &str) -> Refusal {
    // What follows the first line is different each time: the number of the request, and the time.
    let message = message.lines().next().unwrap_or_default();
    let said = match code {
        "" => status.canonical_reason().unwrap_or("no reason").to_owned(),
        code => remote_text(format!("{code}: {message}").as_bytes()),
    };
    Refusal::new(status, said, retry_after(headers))
}
