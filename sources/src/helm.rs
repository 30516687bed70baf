//! Helm repositories over HTTP: their index, and the archives of charts that it lists.
//!
//! [`fetch_index`] gets the index, which is a file of up to tens of megabytes, and reads it once, without ever holding it in
//! memory; [`find`] finds one chart's versions in what is kept of it; [`fetch_chart`] gets the archive of one of them.
//!
//! # Follows Flux
//! The revision is the digest of the index. User and password go to scheme, host and port of the repository only, unless
//! `spec.passCredentials` says otherwise.
//! # Differs from Flux
//! The index is kept and served as it came, and not as JSON. A chart whose listed digest is wrong is refused.

use std::{io::Read, panic::resume_unwind, sync::Arc, time::Duration};

use fairlead_object::Digest;
use secrecy::{ExposeSecret, SecretString};
use tokio::task::spawn_blocking;
use ureq::{
    Body,
    http::{Method, Response, StatusCode},
};

mod catalogue;
mod characters;
mod error;
mod index;
mod layout;

pub use catalogue::{FindError, find, is_kept_index};
pub use error::{HelmAuthError, HelmError, RepositoryError};
pub use index::{ChartVersion, IndexError};

pub(crate) use layout::read_in_both_ways;

use crate::{
    archive::{ArchiveRules, unpack},
    deadline::Deadline,
    fetch::{Content, Fetch, Given, Means, SourceFailure},
    oci::{self, LayerError, OciError, OciRequest},
    secret::{SecretData, basic, keyed_digest, line},
    store::{Store, StoreError, StoredFile, StoredTree},
    transport::{Client, Transport, may_lead, retry_after},
    url::{Endpoint, Url},
    verify::Verified,
};

/// What is asked of a repository.
#[derive(Clone)]
pub struct HelmRequest {
    /// The repository.
    pub url: Url,
    /// Who asks.
    pub auth: HelmAuth,
    /// Whom we trust, and the way there.
    pub transport: Transport,
    /// The largest index or chart that is taken, in bytes.
    pub limit_bytes: u64,
    /// How long one call may take.
    pub timeout: Duration,
}

/// User and password for a repository. They cannot be printed.
#[derive(Clone, Default)]
pub struct HelmAuth {
    authorization: Option<SecretString>,
    /// To whom they are shown.
    pub pass_credentials: PassCredentials,
}

/// Which servers get a repository's user and password: `spec.passCredentials`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PassCredentials {
    /// The repository's own.
    #[default]
    Home,
    /// All that its index names.
    Everywhere,
}

/// The archive of a chart, in the store.
pub struct FetchedChart {
    /// The archive.
    pub file: StoredFile,
    /// What it unpacks to: a folder with the chart's name.
    pub tree: StoredTree,
    /// That it is signed, where that was demanded.
    pub verified: Option<Verified>,
}

/// The name of an index in its repository.
const INDEX: &str = "index.yaml";
const AGENT: &str = concat!("fairlead/", env!("CARGO_PKG_VERSION"));
const ANYTHING: &str = "*/*";

/// The largest index that Flux takes, unless it is told otherwise (`--helm-index-max-size`).
pub const INDEX_LIMIT_BYTES: u64 = 50 << 20;
/// The largest chart that Flux takes, unless it is told otherwise (`--helm-chart-max-size`).
pub const CHART_LIMIT_BYTES: u64 = 10 << 20;

/// How much is taken of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HelmLimits {
    /// The largest index, in bytes.
    pub index_bytes: u64,
    /// The largest chart, in bytes.
    pub chart_bytes: u64,
}

impl Default for HelmLimits {
    /// Flux's.
    fn default() -> Self {
        Self { index_bytes: INDEX_LIMIT_BYTES, chart_bytes: CHART_LIMIT_BYTES }
    }
}

impl HelmAuth {
    /// Reads the Secret that `spec.secretRef` names: `username` and `password`, both or neither.
    pub fn from_secret(data: &SecretData, pass_credentials: PassCredentials) -> Result<Self, HelmAuthError> {
        Ok(Self { authorization: login(data)?, pass_credentials })
    }
}

/// The value of `Authorization` that the `username` and `password` in a Secret make: both, or neither.
pub(crate) fn login(data: &SecretData) -> Result<Option<SecretString>, HelmAuthError> {
    let filled = |key| Ok::<_, HelmAuthError>(line(data, key)?.filter(|text| !text.expose_secret().is_empty()));
    match (filled("username")?, filled("password")?) {
        (Some(username), Some(password)) => Ok(Some(basic(&username, Some(&password)))),
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => Err(HelmAuthError::HalfLogin),
    }
}

/// The index of a repository as it came, in the store, and not read yet.
pub struct FetchedIndex {
    file: StoredFile,
    revision: String,
}

impl Fetch for HelmRequest {
    type Resolved = FetchedIndex;

    fn fingerprint(&self) -> Digest {
        let url = self.url.parts();
        let login = self.auth.authorization.as_ref().map_or("", ExposeSecret::expose_secret);
        let rest = [self.transport.fingerprint().hex(), format!("{:?}", self.auth.pass_credentials)];
        let url = url.iter().map(|part| part.expose_secret().as_bytes());
        keyed_digest(url.chain([login.as_bytes()]).chain(rest.iter().map(String::as_bytes)))
    }

    /// A repository cannot be asked for anything less than its index.
    async fn resolve(&self, means: &Means<'_>) -> Result<FetchedIndex, SourceFailure> {
        let store = means.store.clone();
        Ok(run(self, move |asking| asking.index(&store)).await?)
    }

    fn revision(index: &FetchedIndex) -> &str {
        &index.revision
    }

    async fn fetch(&self, index: &FetchedIndex, means: &Means<'_>) -> Result<Arc<Content>, SourceFailure> {
        let (file, store) = (index.file.clone(), means.store.clone());
        Ok(Arc::new(run(self, move |asking| asking.read(file, &store)).await?))
    }
}

impl FetchedChart {
    /// What is in `package`, which may have `limit_bytes`, and what that unpacks to, in the store.
    pub fn keep(mut package: &[u8], limit_bytes: u64, store: &Store) -> Result<Self, RepositoryError> {
        let file = store.file(&mut package, limit_bytes).map_err(RepositoryError::Store)?;
        Self::of(file, store)
    }

    /// A package, and what it unpacks to.
    fn of(file: StoredFile, store: &Store) -> Result<Self, RepositoryError> {
        let mut writer = store.writer();
        let unpacked = unpack(file.open().map_err(RepositoryError::Store)?, &ArchiveRules::default(), &mut writer);
        unpacked.map_err(|error| RepositoryError::Archive(error.into()))?;
        Ok(Self { tree: writer.finish().map_err(RepositoryError::Store)?, file, verified: None })
    }

    /// The package.
    pub fn read(&self) -> Result<Vec<u8>, StoreError> {
        read(&self.file)
    }

    /// The content of a source: the chart `name` in a version, which may have gained build metadata.
    pub fn into_content(self, name: &str, version: &str) -> Content {
        // In a registry, a name may have folders.
        let name = name.rsplit('/').next().unwrap_or(name);
        let file = Given { file: self.file, name: Some(format!("{name}-{version}.tgz")) };
        let told = |_| format!("verified signature of version {version}");
        let verified = self.verified.map(|verified| Verified { message: verified.message.map(told), ..verified });
        Content { file: Some(file), verified, ..Content::packed(version.to_owned(), self.tree, String::new()) }
    }
}

/// Fetches the index of a repository, reads it, and stores it and what it lists.
pub async fn fetch_index(request: &HelmRequest, store: &Store) -> Result<Content, HelmError> {
    let store = store.clone();
    run(request, move |asking| asking.read(asking.index(&store)?.file, &store)).await
}

/// Fetches the archive of a chart that the index lists, and stores it and what it unpacks to.
pub async fn fetch_chart(
    request: &HelmRequest,
    chart: &ChartVersion,
    store: &Store,
) -> Result<FetchedChart, HelmError> {
    let (chart, store) = (chart.clone(), store.clone());
    run(request, move |asking| asking.chart(&chart, &store)).await
}

/// Fetches the package of a chart in a registry, which is a layer that is copied, and stores it and what it unpacks to.
pub async fn pull_chart(request: &OciRequest, means: &Means<'_>) -> Result<FetchedChart, OciError> {
    let resolved = oci::resolve(request).await?;
    let Content { file, tree, verified, .. } =
        oci::fetch(request, &resolved, &Means { ignore: None, ..*means }).await?;
    let Given { file, .. } = file.ok_or(LayerError::Unpacked)?;
    Ok(FetchedChart { file, tree, verified })
}

/// Runs `work` where it may block. It ends soon after the answer is no longer waited for.
async fn run<T: Send + 'static>(
    request: &HelmRequest,
    work: impl FnOnce(&Asking) -> Result<T, HelmError> + Send + 'static,
) -> Result<T, HelmError> {
    let (deadline, _guard) = Deadline::after(request.timeout);
    let asking = Asking { request: request.clone(), deadline };
    let done = spawn_blocking(move || work(&asking)).await;
    done.unwrap_or_else(|stopped| resume_unwind(stopped.into_panic()))
}

/// A request that is being answered.
struct Asking {
    request: HelmRequest,
    deadline: Deadline,
}

impl Asking {
    fn index(&self, store: &Store) -> Result<FetchedIndex, HelmError> {
        let request = &self.request;
        let url = below(&request.url, INDEX);
        let file = self.get(&url, &request.url.endpoint(), store).map_err(|source| match source {
            RepositoryError::TooLarge { limit_bytes } => HelmError::IndexTooLarge { limit_bytes },
            source => HelmError::Index(source),
        })?;
        Ok(FetchedIndex { revision: file.digest().to_string(), file })
    }

    /// Reads the index in `file`, and stores what it lists.
    fn read(&self, file: StoredFile, store: &Store) -> Result<Content, HelmError> {
        let mut writer = store.writer();
        catalogue::write(&file, &mut writer)?;
        let size = decimal_size(file.size_bytes());
        let news = format!("stored fetched index of size {size} from '{}'", self.request.url);
        let content = Content::packed(file.digest().to_string(), writer.finish()?, news);
        let name = format!("index-{}.yaml", file.digest().hex());
        Ok(Content { file: Some(Given { name: Some(name), file }), ..content })
    }

    fn chart(&self, chart: &ChartVersion, store: &Store) -> Result<FetchedChart, HelmError> {
        let failed = |source| HelmError::Chart { version: chart.version.clone(), source };
        let written = chart.urls.first().ok_or_else(|| failed(RepositoryError::NoUrl))?;
        let repository = &self.request.url;
        let url = below(repository, "").join(written).map_err(|_| failed(RepositoryError::NoUrl))?;
        may_lead(repository, &url).map_err(|error| failed(error.into()))?;
        let home = match self.request.auth.pass_credentials {
            PassCredentials::Home => repository.endpoint(),
            PassCredentials::Everywhere => url.endpoint(),
        };
        let file = self.get(&url, &home, store).map_err(failed)?;
        let wanted = chart.digest.as_deref().map(|digest| digest.strip_prefix("sha256:").unwrap_or(digest));
        if let Some(wanted) = wanted.filter(|wanted| !wanted.eq_ignore_ascii_case(&file.digest().hex())) {
            return Err(failed(RepositoryError::WrongDigest { wanted: wanted.to_owned(), got: file.digest() }));
        }
        FetchedChart::of(file, store).map_err(failed)
    }

    /// Gets `url` into the store. User and password are for `home`.
    fn get(&self, url: &Url, home: &Endpoint, store: &Store) -> Result<StoredFile, RepositoryError> {
        let HelmRequest { auth, transport, limit_bytes, .. } = &self.request;
        let client = Client::new(home.clone(), transport, AGENT, &self.deadline);
        let (at, response) = client.follow(&Method::GET, url, ANYTHING, auth.authorization.as_ref())?;
        let response = self.answer(response)?;
        let mut body = client.body(&at, response).take(limit_bytes + 1);
        let file = store.file(&mut body, limit_bytes + 1).map_err(RepositoryError::of_store)?;
        if file.size_bytes() > *limit_bytes {
            return Err(RepositoryError::TooLarge { limit_bytes: *limit_bytes });
        }
        Ok(file)
    }

    fn answer(&self, response: Response<Body>) -> Result<Response<Body>, RepositoryError> {
        match response.status() {
            StatusCode::OK => Ok(response),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if self.request.auth.authorization.is_none() => {
                Err(RepositoryError::Unauthenticated)
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(RepositoryError::Unauthorized),
            status => {
                let retry_after = retry_after(response.headers());
                Err(RepositoryError::Status { status: status.as_u16(), retry_after })
            }
        }
    }
}

/// What stands at `name` in the repository at `url`; a query of the repository's own URL stays.
fn below(url: &Url, name: &str) -> Url {
    let query = url.query().map(ExposeSecret::expose_secret);
    url.with(&format!("{}/{name}", url.path().trim_end_matches('/')), query)
}

/// A size as people read it, in decimal units and four digits: `30.88kB`.
fn decimal_size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["B", "kB", "MB", "GB"];
    #[expect(clippy::cast_precision_loss, reason = "four digits are shown")]
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1000.0 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    let decimals = if size >= 100.0 {
        1
    } else if size >= 10.0 {
        2
    } else {
        3
    };
    let shown = format!("{size:.decimals$}");
    format!("{}{}", shown.trim_end_matches('0').trim_end_matches('.'), UNITS[unit])
}

fn read(file: &StoredFile) -> Result<Vec<u8>, StoreError> {
    let mut content = Vec::new();
    file.open()?.read_to_end(&mut content).map_err(StoreError::Input)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_four_digits_at_most() {
        let rows = [
            (0, "0B"),
            (999, "999B"),
            (1000, "1kB"),
            (30_880, "30.88kB"),
            (123_456, "123.5kB"),
            (52_428_800, "52.43MB"),
        ];
        for (bytes, shown) in rows {
            assert_eq!(decimal_size(bytes), shown);
        }
    }
}
