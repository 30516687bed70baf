//! Buckets: which objects are in one now, and their contents.
//!
//! [`resolve`] lists the objects below a prefix, a thousand to a request, and digests their names and etags; [`fetch`] gets
//! them, several at a time. S3, Azure Blob Storage and Google Cloud Storage are three rows of one idea, which the
//! module-private trait `Service` holds.
//!
//! # Why no library does the talking
//! What there is (`object_store`) brings a second HTTP client (`reqwest`) that knows no client certificates, has rules of
//! its own for proxies and redirects, and writes URLs, in which signatures stand, into its errors. A listing and a download
//! are two requests; signing them takes a page for each service. `quick-xml` reads the listings.
//!
//! # Follows Flux
//! The revision is the digest of the lines `<key> <etag>`. `.sourceignore` is read from the root of the bucket whatever the
//! prefix, is part of the artifact and not of the revision; nothing is ignored by default. Objects that vanish between the
//! listing and the download are left out, and the etags of what was downloaded make the final revision.
//! # Differs from Flux
//! - Azure's etags are written in one form in both steps, so that an unchanged container is not fetched again each time.
//! - A key that is no relative path is an error that names it.

use std::{
    io::Read,
    panic::resume_unwind,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use fairlead_object::{Digest, EntryKind, TreePath};
use jiff::Timestamp;
use tokio::task::spawn_blocking;

mod azure;
mod error;
mod gcs;
mod s3;
mod service;
mod sign;
pub(crate) mod xml;

pub use azure::AzureAccount;
pub use error::{BucketError, BucketSettingsError, ServiceError};
pub use gcs::GcsAccount;
pub use s3::{S3Account, S3Keys};

use service::{Object, Opened, Service};
pub(crate) use sign::{Signer, Unsigned};

use crate::{
    deadline::Deadline,
    fetch::{Content, Fetch, Means, SourceFailure},
    ignore::Ignore,
    secret::keyed_digest,
    store::{Mode, Store, StoredTree, TreeWriter},
    transport::Transport,
};

/// What is asked of a service.
#[derive(Clone)]
pub struct BucketRequest {
    /// The bucket, or the container.
    pub bucket: String,
    /// How the keys of the wanted objects begin.
    pub prefix: String,
    /// The service, and who asks.
    pub account: BucketAccount,
    /// Whom we trust, and the way there.
    pub transport: Transport,
    /// How long one call may take.
    pub timeout: Duration,
}

/// A service that holds buckets, and who asks it.
#[derive(Clone)]
pub enum BucketAccount {
    /// Amazon S3, or something that speaks like it.
    S3(S3Account),
    /// Azure Blob Storage.
    Azure(AzureAccount),
    /// Google Cloud Storage.
    Gcs(GcsAccount),
}

/// The objects of a bucket at one moment.
pub struct Listing {
    /// Flux's revision: `sha256:<hex>`.
    pub revision: String,
    objects: Vec<(Object, TreePath)>,
    /// The `.sourceignore` of the bucket.
    ignore: Option<Vec<u8>>,
}

/// The contents of a bucket, in the store.
pub struct Fetched {
    /// The files. They stay in the store as long as this lives.
    pub tree: StoredTree,
    /// The revision of what was fetched, which may have changed since it was listed.
    pub revision: String,
    /// How many objects were fetched.
    pub objects: usize,
}

/// How many objects are fetched at a time.
const PARALLEL: usize = 16;

impl BucketRequest {
    fn service(&self, clock: Clock, deadline: &Deadline) -> Box<dyn Service> {
        match &self.account {
            BucketAccount::S3(account) => Box::new(account.service(self, clock, deadline)),
            BucketAccount::Azure(account) => Box::new(account.service(self, clock, deadline)),
            BucketAccount::Gcs(account) => Box::new(account.service(self, clock, deadline)),
        }
    }
}

impl Fetch for BucketRequest {
    type Resolved = Listing;

    fn fingerprint(&self) -> Digest {
        let account = match &self.account {
            BucketAccount::S3(account) => account.fingerprint(),
            BucketAccount::Azure(account) => account.fingerprint(),
            BucketAccount::Gcs(account) => account.fingerprint(),
        };
        let parts = [self.bucket.as_bytes(), self.prefix.as_bytes()];
        let digests = [account.hex(), self.transport.fingerprint().hex()];
        keyed_digest(parts.into_iter().chain(digests.iter().map(String::as_bytes)))
    }

    async fn resolve(&self, means: &Means<'_>) -> Result<Listing, SourceFailure> {
        Ok(resolve(self, means.ignore, means.now).await?)
    }

    fn revision(listing: &Listing) -> &str {
        &listing.revision
    }

    async fn fetch(&self, listing: &Listing, means: &Means<'_>) -> Result<Arc<Content>, SourceFailure> {
        let Fetched { tree, revision, objects } = fetch(self, listing, means.store, means.now).await?;
        let news = format!("stored artifact with {objects} fetched files from '{}' bucket", self.bucket);
        Ok(Arc::new(Content::packed(revision, tree, news)))
    }
}

/// The time, for signatures: what it was when the call began, and what has passed since.
#[derive(Clone, Copy)]
struct Clock {
    start: Timestamp,
    since: Instant,
}

impl Clock {
    fn now(&self) -> Timestamp {
        self.start + self.since.elapsed()
    }
}

/// Asks which objects the bucket has at `now`, less those that its `.sourceignore` or `ignore` (`spec.ignore`) exclude.
pub async fn resolve(request: &BucketRequest, ignore: Option<&str>, now: Timestamp) -> Result<Listing, BucketError> {
    let ignore = ignore.map(str::to_owned);
    run(request, now, move |asking| asking.list(ignore.as_deref())).await
}

/// Fetches what was listed and stores it.
pub async fn fetch(
    request: &BucketRequest,
    listing: &Listing,
    store: &Store,
    now: Timestamp,
) -> Result<Fetched, BucketError> {
    let (objects, ignore, store) = (listing.objects.clone(), listing.ignore.clone(), store.clone());
    run(request, now, move |asking| asking.fetch(&objects, ignore.as_deref(), &store)).await
}

/// Runs `work` where it may block. It ends soon after the answer is no longer waited for.
async fn run<T: Send + 'static>(
    request: &BucketRequest,
    now: Timestamp,
    work: impl FnOnce(&Asking) -> Result<T, BucketError> + Send + 'static,
) -> Result<T, BucketError> {
    let (deadline, _guard) = Deadline::after(request.timeout);
    let clock = Clock { start: now, since: Instant::now() };
    let service = request.service(clock, &deadline);
    let asking = Asking { bucket: request.bucket.clone(), prefix: request.prefix.clone(), service };
    let done = spawn_blocking(move || work(&asking)).await;
    done.unwrap_or_else(|stopped| resume_unwind(stopped.into_panic()))
}

/// A request that is being answered.
struct Asking {
    bucket: String,
    prefix: String,
    service: Box<dyn Service>,
}

impl Asking {
    fn list(&self, spec: Option<&str>) -> Result<Listing, BucketError> {
        let listed = self.objects().map_err(|source| self.not_listed(source))?;
        let is_ignore = |object: &Object| object.key == Ignore::FILE_NAME;
        // A listing of everything would show it.
        let may_have_ignore = !self.prefix.is_empty() || listed.iter().any(is_ignore);
        let ignore = if may_have_ignore { self.ignore_file()? } else { None };
        let rules = rules(ignore.as_deref(), spec);
        let mut objects = Vec::with_capacity(listed.len());
        for object in listed.into_iter().filter(|object| !is_ignore(object) && !object.key.ends_with('/')) {
            let path = self.path(&object.key)?;
            if !rules.excludes(&path, EntryKind::File) {
                objects.push((object, path));
            }
        }
        objects.sort_by(|(a, _), (b, _)| a.key.cmp(&b.key));
        Ok(Listing { revision: revision(objects.iter().map(|(object, _)| object)), objects, ignore })
    }

    /// All objects below the prefix.
    fn objects(&self) -> Result<Vec<Object>, ServiceError> {
        let mut objects = Vec::new();
        let mut next = None;
        loop {
            let page = self.service.page(next.as_deref())?;
            objects.extend(page.objects);
            if objects.len() > TreeWriter::FILES_LIMIT {
                let limit = format!("{} objects", TreeWriter::FILES_LIMIT);
                return Err(ServiceError::Limit { what: "the bucket", limit });
            }
            if page.next.is_none() {
                return Ok(objects);
            }
            if page.next == next {
                return Err(ServiceError::Malformed("a page of the listing leads back to itself".to_owned()));
            }
            next = page.next;
        }
    }

    fn ignore_file(&self) -> Result<Option<Vec<u8>>, BucketError> {
        let failed = |source| self.not_got(Ignore::FILE_NAME, source);
        let Some(opened) = self.service.open(Ignore::FILE_NAME, None).map_err(failed)? else { return Ok(None) };
        let mut content = Vec::new();
        let read = opened.content.take(Ignore::FILE_LIMIT_BYTES + 1).read_to_end(&mut content);
        read.map_err(|error| failed(ServiceError::of_body(error)))?;
        if content.len() as u64 > Ignore::FILE_LIMIT_BYTES {
            let limit = format!("{} bytes", Ignore::FILE_LIMIT_BYTES);
            return Err(failed(ServiceError::Limit { what: "the file", limit }));
        }
        Ok(Some(content))
    }

    fn path(&self, key: &str) -> Result<TreePath, BucketError> {
        let refused = || BucketError::Name { bucket: self.bucket.clone(), key: key.escape_debug().to_string() };
        key.parse().map_err(|_| refused())
    }

    fn fetch(
        &self,
        objects: &[(Object, TreePath)],
        ignore: Option<&[u8]>,
        store: &Store,
    ) -> Result<Fetched, BucketError> {
        let mut writer = store.writer();
        let mut fetched = self.fetch_all(objects, &writer)?;
        fetched.sort_by_key(|(index, ..)| *index);
        for (index, _, digest) in &fetched {
            writer.add(&objects[*index].1, Mode::Regular, *digest)?;
        }
        if let Some(ignore) = ignore {
            let path = Ignore::FILE_NAME.parse().expect("a relative path");
            let digest = writer.put(ignore)?;
            writer.add(&path, Mode::Regular, digest)?;
        }
        let now = fetched.into_iter().map(|(index, etag, _)| Object { etag, ..objects[index].0.clone() });
        let now: Vec<Object> = now.collect();
        Ok(Fetched { tree: writer.finish()?, revision: revision(now.iter()), objects: now.len() })
    }

    /// Fetches objects, several at a time, and returns the index, etag and digest of each that is still there. The first
    /// failure ends it.
    fn fetch_all(
        &self,
        objects: &[(Object, TreePath)],
        writer: &TreeWriter,
    ) -> Result<Vec<(usize, String, Digest)>, BucketError> {
        let next = AtomicUsize::new(0);
        let is_over = AtomicBool::new(false);
        let fetched = Mutex::new(Vec::with_capacity(objects.len()));
        let work = || -> Result<(), BucketError> {
            while !is_over.load(Ordering::Relaxed) {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some((object, _)) = objects.get(index) else { break };
                let got = self.fetch_one(object, writer).inspect_err(|_| is_over.store(true, Ordering::Relaxed))?;
                if let Some((etag, digest)) = got {
                    fetched.lock().unwrap_or_else(PoisonError::into_inner).push((index, etag, digest));
                }
            }
            Ok(())
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..PARALLEL.min(objects.len())).map(|_| scope.spawn(work)).collect();
            let ended = workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)));
            ended.fold(Ok(()), Result::and)
        })?;
        Ok(fetched.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn fetch_one(&self, object: &Object, writer: &TreeWriter) -> Result<Option<(String, Digest)>, BucketError> {
        let opened = self.service.open(&object.key, Some(object));
        let Some(Opened { etag, mut content }) = opened.map_err(|source| self.not_got(&object.key, source))? else {
            return Ok(None);
        };
        match writer.blob(&mut content) {
            Ok(digest) => Ok(Some((etag, digest))),
            Err(crate::store::StoreError::Input(error)) => Err(self.not_got(&object.key, ServiceError::of_body(error))),
            Err(error) => Err(error.into()),
        }
    }

    fn not_listed(&self, source: ServiceError) -> BucketError {
        let bucket = self.bucket.clone();
        match source {
            ServiceError::BucketMissing => BucketError::Missing { bucket },
            source => BucketError::Index { bucket, source },
        }
    }

    fn not_got(&self, key: &str, source: ServiceError) -> BucketError {
        BucketError::Object { bucket: self.bucket.clone(), key: key.escape_debug().to_string(), source }
    }
}

/// What the two texts exclude, and nothing else.
fn rules(file: Option<&[u8]>, spec: Option<&str>) -> Ignore {
    let file = file.map(|content| String::from_utf8_lossy(content).into_owned());
    Ignore::of_bucket(file.as_deref(), spec)
}

/// The digest of the objects, which are in order of their keys.
fn revision<'a>(objects: impl IntoIterator<Item = &'a Object>) -> String {
    let lines: Vec<String> = objects.into_iter().map(|Object { key, etag }| format!("{key} {etag}\n")).collect();
    Digest::of(lines.concat().as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_revision_is_the_digest_of_a_line_for_each_object() {
        let object = |key: &str, etag: &str| Object { key: key.to_owned(), etag: etag.to_owned() };
        let objects = [object("a.yaml", "1"), object("b/c.yaml", "2")];
        assert_eq!(revision(&objects), Digest::of(b"a.yaml 1\nb/c.yaml 2\n").to_string());
        assert_eq!(revision(&[]), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
