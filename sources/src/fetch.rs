//! What all kinds of sources do alike: they are asked what they stand for now, and fetched when that is new.

use std::{collections::BTreeMap, error::Error, fmt, sync::Arc, time::Duration};

use fairlead_api::conditions::FETCH_FAILED;
use fairlead_object::Digest;
use jiff::Timestamp;

use crate::{
    store::{Artifact, Release, SourceKey, Store, StoreError, StoredFile, StoredTree},
    verify::Verified,
};

/// What is asked of a server, of whatever kind it is.
pub trait Fetch: Send + Sync {
    /// What the request stands for at one moment.
    type Resolved: Send + Sync;

    /// A digest that is equal for requests that one answer serves, which means equal in everything that decides it,
    /// credentials included. It tells nothing about any of them, and changes with each start of the process.
    fn fingerprint(&self) -> Digest;

    /// A digest of the signatures that are demanded and of whom, if any are. An artifact that was verified against
    /// another one is verified anew.
    fn verification(&self) -> Option<Digest> {
        None
    }

    /// Asks what the request stands for now.
    fn resolve(&self, means: &Means<'_>) -> impl Future<Output = Result<Self::Resolved, SourceFailure>> + Send;

    /// The revision that was resolved.
    fn revision(resolved: &Self::Resolved) -> &str;

    /// Fetches what was resolved.
    fn fetch(
        &self,
        resolved: &Self::Resolved,
        means: &Means<'_>,
    ) -> impl Future<Output = Result<Arc<Content>, SourceFailure>> + Send;
}

/// With what a source is fetched.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// Where it is put.
    pub store: &'a Store,
    /// `spec.ignore`: what is left out.
    pub ignore: Option<&'a str>,
    /// The time.
    pub now: Timestamp,
}

/// The content of one revision, in the store, and nobody's until it is published. It stays there as long as this lives.
pub struct Content {
    /// The revision, which may be a newer one than was resolved.
    pub revision: String,
    /// The files that builds read.
    pub tree: StoredTree,
    /// The file as it came, where it is to be served so.
    pub file: Option<Given>,
    /// What the origin says of it: `status.artifact.metadata`.
    pub metadata: BTreeMap<String, String>,
    /// That it is signed, where that was demanded.
    pub verified: Option<Verified>,
    /// What Flux's event says of it, unless its kind says what its conditions say.
    pub news: String,
    /// The files whose values were put into a chart.
    pub values_files: Vec<String>,
}

/// A file that is served as it came.
pub struct Given {
    /// The file.
    pub file: StoredFile,
    /// The name it is served under; that of an archive of its revision where there is none.
    pub name: Option<String>,
}

impl Content {
    /// The files of `tree`, which are packed here, as a revision. `news` is what is told of it.
    pub fn packed(revision: String, tree: StoredTree, news: String) -> Self {
        Self { revision, tree, file: None, metadata: BTreeMap::new(), verified: None, news, values_files: Vec::new() }
    }

    /// Makes this the current revision of the source `key`.
    pub fn publish(&self, store: &Store, key: &SourceKey, now: Timestamp) -> Result<Artifact, StoreError> {
        let Self { revision, tree, metadata, verified, .. } = self;
        let release = Release { revision, tree, metadata: metadata.clone(), verified: verified.clone() };
        let Some(Given { file, name }) = &self.file else { return store.publish(key, &release, now) };
        let name = name.clone().unwrap_or_else(|| key.archive_name(revision));
        store.publish_file(key, &release, (&name, file), now)
    }
}

/// An error that knows what it means to the owner of a source.
pub trait SourceError: Error + Send + Sync + 'static {
    /// The condition that says what failed.
    fn condition(&self) -> &'static str {
        FETCH_FAILED
    }

    /// Flux's reason for that condition.
    fn reason(&self) -> &'static str;

    /// A condition that holds besides, and its reason, which is the event's.
    fn besides(&self) -> Option<(&'static str, &'static str)> {
        None
    }

    /// Whether trying again cannot help until the object is edited.
    fn is_terminal(&self) -> bool;

    /// Whether it is only too early: something that others bring about is not there yet.
    fn is_waiting(&self) -> bool {
        false
    }

    /// How long the server wants to be left alone, where it says so.
    fn retry_after(&self) -> Option<Duration> {
        None
    }

    /// What the reader can try, where the failure suggests it.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// Why a source could not be read, whatever its kind. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SourceFailure(Arc<dyn SourceError>);

impl SourceFailure {
    /// The condition that says what failed.
    pub fn condition(&self) -> &'static str {
        self.0.condition()
    }

    /// Flux's reason for that condition.
    pub fn reason(&self) -> &'static str {
        self.0.reason()
    }

    /// A condition that holds besides, and its reason, which is the event's.
    pub fn besides(&self) -> Option<(&'static str, &'static str)> {
        self.0.besides()
    }

    /// Whether trying again cannot help until the object is edited.
    pub fn is_terminal(&self) -> bool {
        self.0.is_terminal()
    }

    /// Whether it is only too early: something that others bring about is not there yet.
    pub fn is_waiting(&self) -> bool {
        self.0.is_waiting()
    }

    /// How long the server wants to be left alone, where it says so.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after()
    }

    /// What the reader can try, where the failure suggests it.
    pub fn hint(&self) -> Option<String> {
        self.0.hint()
    }
}

impl<E: SourceError> From<E> for SourceFailure {
    fn from(error: E) -> Self {
        Self(Arc::new(error))
    }
}

impl fmt::Display for SourceFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for SourceFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
