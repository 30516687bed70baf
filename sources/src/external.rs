//! Artifacts that other controllers make and serve: fetched from the URL that they tell, and held to their digest.
//!
//! # Follows Flux
//! What is fetched is a `.tar.gz`, whose links are left out. A digest without an algorithm is of SHA-256.
//! # Differs from Flux
//! No other algorithm is known, and nothing is unlimited.

use std::{collections::BTreeMap, io::Read, panic::resume_unwind, sync::Arc, time::Duration};

use fairlead_api::reasons::kustomization as reason;
use fairlead_object::Digest;
use tokio::task::spawn_blocking;
use ureq::http::{Method, StatusCode};

use crate::{
    archive::{ArchiveError, ArchiveRules, Links, unpack},
    deadline::Deadline,
    fetch::{Content, Fetch, Given, Means, SourceError, SourceFailure},
    store::{Store, StoreError},
    transport::{Client, Transport, TransportError, retry_after},
    url::{Url, UrlError},
};

/// An artifact that its maker tells of: its `status.artifact`.
#[derive(Clone)]
pub struct ExternalRequest {
    /// Where it is.
    pub url: Url,
    /// What its maker calls it.
    pub revision: String,
    /// The digest of the file.
    pub digest: Digest,
    /// What its maker says of it.
    pub metadata: BTreeMap<String, String>,
    /// How long the fetch may take.
    pub timeout: Duration,
}

/// Why an artifact could not be had from its maker.
#[derive(Debug, thiserror::Error)]
pub enum ExternalError {
    /// The URL is none that can be asked.
    #[error("failed to download archive: status.artifact.url")]
    Url(#[from] UrlError),
    /// The digest is none that can be checked.
    #[error("failed to verify archive: `{0}` is not a SHA-256 digest")]
    Digest(String),
    /// It could not be fetched.
    #[error("failed to download archive from {host}")]
    Transport {
        /// The server.
        host: String,
        /// What failed.
        source: TransportError,
    },
    /// The server does not give it.
    #[error("failed to download archive from {host}: unexpected response: HTTP status {status}")]
    Status {
        /// The server.
        host: String,
        /// Its answer.
        status: u16,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// It is too large.
    #[error("failed to download archive: it exceeds the limit of {ARTIFACT_LIMIT_BYTES} bytes")]
    TooLarge,
    /// It is not what its maker tells of.
    #[error("failed to verify archive: it has digest {got} and should have {wanted}")]
    WrongDigest {
        /// The digest that its maker tells.
        wanted: Digest,
        /// The digest of what came.
        got: Digest,
    },
    /// It is no archive that is taken.
    #[error("failed to untar archive")]
    Archive(#[source] ArchiveError),
    /// It cannot be stored, or not be read to its end.
    #[error("cannot store what was fetched")]
    Store(#[from] StoreError),
}

/// The largest artifact that is taken.
pub const ARTIFACT_LIMIT_BYTES: u64 = 1 << 30;

const AGENT: &str = concat!("fairlead/", env!("CARGO_PKG_VERSION"));

impl ExternalRequest {
    /// Reads what a `status.artifact` says of its URL and digest.
    pub fn read(url: &str, digest: &str) -> Result<(Url, Digest), ExternalError> {
        let written = if digest.contains(':') { digest.to_owned() } else { format!("sha256:{digest}") };
        let digest = written.parse().map_err(|_| ExternalError::Digest(digest.to_owned()))?;
        Ok((Url::parse_http(url)?, digest))
    }

    fn get(&self, deadline: &Deadline, store: &Store) -> Result<Content, ExternalError> {
        let host = self.url.endpoint().host_port();
        let failed = |source| ExternalError::Transport { host: host.clone(), source };
        let client = Client::new(self.url.endpoint(), &Transport::default(), AGENT, deadline);
        let (at, response) = client.follow(&Method::GET, &self.url, "*/*", None).map_err(failed)?;
        if response.status() != StatusCode::OK {
            let (status, retry_after) = (response.status().as_u16(), retry_after(response.headers()));
            return Err(ExternalError::Status { host, status, retry_after });
        }
        let mut body = client.body(&at, response).take(ARTIFACT_LIMIT_BYTES + 1);
        let file = store.file(&mut body, ARTIFACT_LIMIT_BYTES + 1)?;
        if file.size_bytes() > ARTIFACT_LIMIT_BYTES {
            return Err(ExternalError::TooLarge);
        }
        if file.digest() != self.digest {
            return Err(ExternalError::WrongDigest { wanted: self.digest, got: file.digest() });
        }
        let mut writer = store.writer();
        let rules = ArchiveRules { links: Links::Skip, ..ArchiveRules::default() };
        unpack(file.open()?, &rules, &mut writer).map_err(ExternalError::Archive)?;
        let content = Content::packed(self.revision.clone(), writer.finish()?, String::new());
        let file = Given { name: Some(format!("{}.tar.gz", self.digest.hex())), file };
        Ok(Content { file: Some(file), metadata: self.metadata.clone(), ..content })
    }
}

impl Fetch for ExternalRequest {
    type Resolved = String;

    fn fingerprint(&self) -> Digest {
        Digest::of_parts([self.url.to_string().as_bytes(), self.revision.as_bytes(), self.digest.hex().as_bytes()])
    }

    /// Its maker has said already what it is.
    async fn resolve(&self, _: &Means<'_>) -> Result<String, SourceFailure> {
        Ok(self.revision.clone())
    }

    fn revision(resolved: &String) -> &str {
        resolved
    }

    async fn fetch(&self, _: &String, means: &Means<'_>) -> Result<Arc<Content>, SourceFailure> {
        let (deadline, _guard) = Deadline::after(self.timeout);
        let (request, store) = (self.clone(), means.store.clone());
        let done = spawn_blocking(move || request.get(&deadline, &store)).await;
        Ok(Arc::new(done.unwrap_or_else(|stopped| resume_unwind(stopped.into_panic()))?))
    }
}

impl SourceError for ExternalError {
    fn reason(&self) -> &'static str {
        reason::ARTIFACT_FAILED
    }

    fn is_terminal(&self) -> bool {
        false
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            Self::Url(_)
            | Self::Digest(_)
            | Self::Transport { .. }
            | Self::TooLarge
            | Self::WrongDigest { .. }
            | Self::Archive(_)
            | Self::Store(_) => None,
        }
    }
}
