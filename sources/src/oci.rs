//! OCI sources: what a tag stands for now, and one layer of that image.
//!
//! [`resolve`] asks the registry which digest a tag has, by one `HEAD`; [`fetch`] reads the manifest at that digest and one
//! layer. A layer is either unpacked ([`LayerOperation::Extract`]) or kept byte for byte ([`LayerOperation::Copy`]). All of
//! it is spoken here over [`ureq`], as Git is: the distribution protocol is four requests, and this way it has deadlines,
//! limits, client certificates, and credentials that are bound to their host.
//!
//! The other way round, [`push`] makes an image of files of this machine, as Flux's own command does, and [`tag`] gives an
//! image more names.
//!
//! # Follows Flux
//! What each reference means, the revisions, which layer is taken, and the beginnings of the error texts.
//! # Differs from Flux
//! - `spec.timeout` bounds everything that a call does.
//! - Plain HTTP is spoken only where `spec.insecure` says so, and then nothing else: a registry on this machine or in a
//!   private network is no exception.
//! - What a copied layer holds can be read too: the tree of a copied archive is what it unpacks to, and that of another
//!   file is the file.

use std::{cell::RefCell, collections::BTreeMap, panic::resume_unwind, sync::Arc, time::Duration};

use fairlead_object::Digest;
use tokio::task::spawn_blocking;

mod attached;
mod auth;
mod challenge;
mod error;
mod manifest;
mod publish;
mod reference;
mod registry;
mod signatures;
mod url;

pub use auth::OciAuth;
pub use error::{LayerError, OciError, RegistryError};
pub use publish::{NewArtifact, PublishError, TagFilter, annotations, push, tag, tags};
pub use reference::{CHART_MEDIA_TYPE, OciReference, OciReferenceFields, Resolved};
pub use registry::LAYER_LIMIT_BYTES;
pub use url::{OciUrl, OciUrlError};

pub(crate) use challenge::challenges;
pub(crate) use manifest::Document;

use manifest::{Image, Layer};
use reference::{check_tag, highest};
use registry::Registry;

use crate::{
    archive::{ArchiveError, ArchiveRules, Links, Taken, is_archive, unpack},
    deadline::Deadline,
    fetch::{Content, Fetch, Given, Means, SourceFailure},
    identity::IdentityError,
    secret::keyed_digest,
    store::{Mode, Store, StoredFile, StoredTree},
    transport::{Encryption, Transport},
    verify::OciVerification,
};

/// What is asked of a registry.
#[derive(Clone)]
pub struct OciRequest {
    /// The repository.
    pub url: OciUrl,
    /// What of it is followed.
    pub reference: OciReference,
    /// Which layer is taken, and how.
    pub layer: LayerSelector,
    /// Who asks.
    pub auth: OciAuth,
    /// Whom we trust, and the way there.
    pub transport: Transport,
    /// Whether the registry is spoken to over TLS.
    pub encryption: Encryption,
    /// The largest layer that is taken, in bytes.
    pub limit_bytes: u64,
    /// How long one call may take.
    pub timeout: Duration,
    /// Which signatures the image must carry, and whose; none where this is absent.
    pub verification: Option<OciVerification>,
}

/// Which layer of an image is taken, and how: `spec.layerSelector`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LayerSelector {
    /// The layer's kind; the first layer is taken without it.
    pub media_type: Option<String>,
    /// What is done with it.
    pub operation: LayerOperation,
}

/// What is done with a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LayerOperation {
    /// It is unpacked, and what is not ignored is packed again.
    #[default]
    Extract,
    /// It is served as it is.
    Copy,
}

impl Fetch for OciRequest {
    type Resolved = Resolved;

    fn fingerprint(&self) -> Digest {
        let Self { url, reference, layer, auth, transport, encryption, limit_bytes: _, timeout: _, verification: _ } =
            self;
        let parts = [
            format!("{url} {reference:?} {layer:?} {encryption:?} {:?}", self.verification()),
            auth.fingerprint().hex(),
            transport.fingerprint().hex(),
        ];
        keyed_digest(parts.iter().map(String::as_bytes))
    }

    fn verification(&self) -> Option<Digest> {
        self.verification.as_ref().map(OciVerification::digest)
    }

    async fn resolve(&self, _: &Means<'_>) -> Result<Resolved, SourceFailure> {
        Ok(resolve(self).await?)
    }

    fn revision(resolved: &Resolved) -> &str {
        &resolved.revision
    }

    async fn fetch(&self, resolved: &Resolved, means: &Means<'_>) -> Result<Arc<Content>, SourceFailure> {
        Ok(Arc::new(fetch(self, resolved, means).await?))
    }
}

/// Asks the registry what the request's reference stands for now.
///
/// A digest is not asked for.
pub async fn resolve(request: &OciRequest) -> Result<Resolved, OciError> {
    run(request, |request, deadline| resolve_blocking(&request, &deadline)).await
}

/// Fetches what was resolved and stores the selected layer; an extracted one without what `.sourceignore` files,
/// `spec.ignore` or Flux's default list exclude. Nothing is fetched of an image that is not signed as the request demands.
pub async fn fetch(request: &OciRequest, resolved: &Resolved, means: &Means<'_>) -> Result<Content, OciError> {
    fetch_extent(request, resolved, means, Extent::Unignored).await
}

/// Fetches what was resolved and stores the selected layer with all of its files.
pub async fn pull(request: &OciRequest, resolved: &Resolved, means: &Means<'_>) -> Result<Content, OciError> {
    fetch_extent(request, resolved, means, Extent::All).await
}

/// Which files of an extracted layer are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    Unignored,
    All,
}

async fn fetch_extent(
    request: &OciRequest,
    resolved: &Resolved,
    means: &Means<'_>,
    extent: Extent,
) -> Result<Content, OciError> {
    let (resolved, store, now) = (resolved.clone(), means.store.clone(), means.now);
    let ignore = means.ignore.map(str::to_owned);
    run(request, move |request, deadline| {
        let means = Means { store: &store, ignore: ignore.as_deref(), now };
        fetch_blocking(&request, &deadline, &resolved, &means, extent)
    })
    .await
}

/// Runs `work` where it may block. It ends soon after the answer is no longer waited for.
async fn run<T: Send + 'static, E: From<IdentityError> + Send + 'static>(
    request: &OciRequest,
    work: impl FnOnce(OciRequest, Deadline) -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    let (deadline, _guard) = Deadline::after(request.timeout);
    let request = request.clone();
    let done = spawn_blocking(move || {
        let auth = request.auth.logged_in(&request.url, request.encryption, &deadline)?;
        work(OciRequest { auth, ..request }, deadline)
    })
    .await;
    done.unwrap_or_else(|stopped| resume_unwind(stopped.into_panic()))
}

fn resolve_blocking(request: &OciRequest, deadline: &Deadline) -> Result<Resolved, OciError> {
    let registry = Registry::new(request, deadline);
    let tag = match &request.reference {
        OciReference::Digest(digest) => return Resolved::pinned(digest).map_err(OciError::Digest),
        OciReference::Tag(tag) => tag.clone(),
        OciReference::Semver { range, filter } => registry
            .tags()
            .and_then(|tags| highest(&tags, range, filter.as_deref(), request.layer.media_type.as_deref()))
            .map_err(|source| OciError::Tag { url: request.url.clone(), source })?,
    };
    let digest = check_tag(&tag).and_then(|()| registry.digest(&tag)).map_err(OciError::Digest)?;
    Ok(Resolved::tagged(&tag, digest))
}

fn fetch_blocking(
    request: &OciRequest,
    deadline: &Deadline,
    resolved: &Resolved,
    means: &Means<'_>,
    extent: Extent,
) -> Result<Content, OciError> {
    let not_pulled = |source| OciError::Pull { url: request.url.clone(), source };
    let Means { store, ignore, now } = *means;
    let registry = Registry::new(request, deadline);
    let demanded = request.verification.as_ref();
    let verified =
        demanded.map(|demanded| signatures::verify(request, &registry, resolved, demanded, now)).transpose()?;
    let image = registry.image(resolved.digest).map_err(not_pulled)?;
    let layer = select(&image, request.layer.media_type.as_deref())?;
    let failure = RefCell::new(None);
    let mut content = registry.blob(layer, &failure).map_err(not_pulled)?;
    let taken = match extent {
        Extent::Unignored => Taken::Unignored(ignore),
        Extent::All => Taken::All,
    };
    let kept = match request.layer.operation {
        LayerOperation::Extract => extract(&mut content, store, taken).map(|tree| (tree, None)),
        LayerOperation::Copy => copy(&mut content, store, request.limit_bytes).map(|(tree, file)| (tree, Some(file))),
    };
    // What the layer lacks is what the registry did not send, if it failed to.
    if let Some(failure) = failure.take() {
        return Err(not_pulled(failure));
    }
    let (tree, file) = kept?;
    content.finish().map_err(not_pulled)?;
    let news = news(request, resolved, &image.annotations);
    let file = file.map(|file| Given { file, name: None });
    let metadata = image.annotations;
    Ok(Content { file, metadata, verified, ..Content::packed(resolved.revision.clone(), tree, news) })
}

/// What is told of a new revision, with its origin where the image names it.
fn news(request: &OciRequest, resolved: &Resolved, annotations: &BTreeMap<String, String>) -> String {
    let news = format!("stored artifact with revision '{}' from '{}'", resolved.revision, request.url);
    match annotations.get(ORIGIN_SOURCE).zip(annotations.get(ORIGIN_REVISION)) {
        Some((source, revision)) => format!("{news}, origin source '{source}', origin revision '{revision}'"),
        None => news,
    }
}

/// The annotation that says where the content of an image comes from.
pub const ORIGIN_SOURCE: &str = "org.opencontainers.image.source";
/// The annotation that says which revision of it that is.
pub const ORIGIN_REVISION: &str = "org.opencontainers.image.revision";

/// The first layer, or the first of a kind.
fn select<'a>(image: &'a Image, media_type: Option<&str>) -> Result<&'a Layer, LayerError> {
    let first = image.layers.first().ok_or(LayerError::None)?;
    let Some(media_type) = media_type.filter(|media_type| !media_type.is_empty()) else { return Ok(first) };
    let found = image.layers.iter().find(|layer| layer.media_type == media_type);
    found.ok_or_else(|| LayerError::MediaType(media_type.to_owned()))
}

fn extract(content: &mut impl std::io::Read, store: &Store, taken: Taken<'_>) -> Result<StoredTree, LayerError> {
    let mut writer = store.writer();
    let rules = ArchiveRules { links: Links::Skip, taken, ..ArchiveRules::default() };
    unpack(content, &rules, &mut writer).map_err(extracted)?;
    Ok(writer.finish()?)
}

fn copy(
    content: &mut impl std::io::Read,
    store: &Store,
    limit_bytes: u64,
) -> Result<(StoredTree, StoredFile), LayerError> {
    let file = store.file(content, limit_bytes)?;
    let mut writer = store.writer();
    if is_archive(file.open()?) {
        let rules = ArchiveRules { links: Links::Skip, ..ArchiveRules::default() };
        unpack(file.open()?, &rules, &mut writer).map_err(extracted)?;
    } else {
        writer.add(&COPIED_FILE.parse().expect("a relative path"), Mode::Regular, file.digest())?;
    }
    Ok((writer.finish()?, file))
}

/// The name of a copied layer that is no archive, in the tree that holds it.
const COPIED_FILE: &str = "layer";

fn extracted(error: ArchiveError) -> LayerError {
    match error {
        ArchiveError::Store { source, .. } => LayerError::Store(source),
        error => LayerError::Extract(error),
    }
}
