//! Sources: the wanted revision of something upstream, kept as an artifact.
//!
//! Every kind is asked what it stands for now; that is compared with what is kept, and only what is new is fetched. What
//! kinds differ in is a file of their own: what they ask, and the words that Flux has for them.
//!
//! # Differs from Flux
//! A run that finds nothing new writes nothing, not even an event. Progress is written when a fetch takes longer than
//! two seconds, not before each. Objects that name the same origin and credentials share one request.

mod bucket;
mod clouds;
mod external_artifact;
mod git_repository;
mod helm_chart;
mod helm_repository;
mod oci_repository;
mod outcome;
mod plane;
mod polls;
mod secrets;
mod verification;

use std::{fmt, sync::Arc, time::Duration};

use fairlead_api::{duration::DurationError, names::events, reasons, source::SourceStatus};
use fairlead_object::Digest;
use fairlead_sources::{
    fetch::{Content, Fetch, Means, SourceFailure},
    store::{Artifact, SourceKey, SourceKind, StoredTree},
};
use k8s_openapi::NamespaceResourceScope;
use kube::core::object::HasStatus;
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::Instant;
use tracing::warn;

use super::{ObjectKey, Reconciled, Subject, Unusable, World};
use crate::{
    backoff::Backoff,
    cluster::ApiError,
    queue::{NextRun, Queue},
    watch::{Object, Served},
};
pub use bucket::bucket_request;
pub use clouds::{Clouds, Sharing};
pub(crate) use external_artifact::{external_artifact, forget_external_artifact, has_other_artifact};
pub use git_repository::git_request;
pub use helm_chart::UnpackedChart;
pub use oci_repository::oci_request;
use outcome::{Failure, Outcome, Situation, Stored};
pub(crate) use plane::{Known, Plane, Sources};
pub use secrets::RequestError;

/// How long a fetch may take before the object's status says that it is going on.
const PROGRESS_AFTER: Duration = Duration::from_secs(2);

/// The status of a kind of source.
pub(crate) trait State:
    AsRef<SourceStatus> + AsMut<SourceStatus> + Serialize + Clone + Default + PartialEq + Send + Sync
{
}

impl<S> State for S where
    S: AsRef<SourceStatus> + AsMut<SourceStatus> + Serialize + Clone + Default + PartialEq + Send + Sync
{
}

/// A kind whose objects name something upstream that is kept as an artifact.
pub(crate) trait Source:
    kube::Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + HasStatus<Status: State>
    + DeserializeOwned
    + Serialize
    + Clone
    + fmt::Debug
    + Send
    + Sync
    + 'static
{
    /// What is asked of its servers.
    type Request: Fetch + 'static;

    /// The store's name of the kind.
    const KIND: SourceKind;

    /// Its objects, and who works on them.
    fn plane(sources: &Sources) -> &Plane<Self>;

    /// What its spec says that every source's says.
    fn asked(&self) -> Asked<'_>;

    /// Whether the object is only a name that others refer to, so that there is nothing to fetch.
    fn is_name_only(&self) -> bool {
        false
    }

    /// What its spec asks of a server, credentials included.
    fn request(
        &self,
        world: &World,
        namespace: &str,
    ) -> impl Future<Output = Result<Self::Request, SourceFailure>> + Send;

    /// Notes what is asked for, whatever comes of it.
    fn note_request(_request: &Self::Request, _status: &mut <Self as HasStatus>::Status) {}

    /// Notes what decides the artifact besides its revision: where that differs from what was noted before, the same
    /// revision is fetched again.
    fn note(
        &self,
        world: &World,
        request: &Self::Request,
        resolved: &Resolved<Self>,
        status: &mut <Self as HasStatus>::Status,
    );

    /// Notes what is only known of an artifact once it is there.
    fn note_content(&self, _content: &Content, _status: &mut <Self as HasStatus>::Status) {}

    /// Notes where the newest artifact is served, if its status tells that.
    fn note_url(status: &mut <Self as HasStatus>::Status, url: String);

    /// Whether what was fetched for `status` will do for the object as it is now, if nothing else has changed.
    fn is_settled(&self, _status: &<Self as HasStatus>::Status) -> bool {
        true
    }

    /// Whether the tree of a kept artifact is one that is read here; an older version may have kept it in another form.
    fn is_readable(_kept: &StoredTree) -> bool {
        true
    }

    /// What the conditions say of an artifact that is stored and noted in `status`.
    fn told(&self, resolved: &Resolved<Self>, revision: &str, status: &<Self as HasStatus>::Status) -> Told;

    /// What the event says of an artifact that is new.
    fn news(content: &Content, _told: &Told) -> Told {
        Told { reason: reasons::source::NEW_ARTIFACT, message: content.news.clone() }
    }

    /// What another event says of the signature that an artifact was just verified by.
    fn signature_news(_verified: &str) -> Option<Told> {
        None
    }
}

/// What a request of a kind stands for at one moment.
type Resolved<K> = <<K as Source>::Request as Fetch>::Resolved;

/// A reason and a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

impl Told {
    /// That all is well, as most kinds say it.
    fn success(message: String) -> Self {
        Self { reason: reasons::SUCCEEDED, message }
    }
}

/// What the spec of every source says.
pub(crate) struct Asked<'a> {
    pub(crate) is_suspended: bool,
    /// The fields that are set and not honoured.
    pub(crate) unsupported: Vec<&'static str>,
    pub(crate) interval: Result<Duration, DurationError>,
    /// What is left out of the artifact.
    pub(crate) ignore: Option<&'a str>,
}

impl World {
    /// The clouds, for a source that is asked for now.
    fn clouds(&self) -> Clouds {
        let has_tenants = self.settings.default_service_account.is_some();
        Clouds::of_process(self.clock.now(), if has_tenants { Sharing::None } else { Sharing::All })
    }
}

/// The generation of a source that its controller has seen last.
pub(crate) fn observed_generation<K: Source>(object: Option<&Object<K>>) -> Option<i64> {
    HasStatus::status(object?.parsed.as_ref().ok()?)?.as_ref().observed_generation
}

/// The store's name of the artifact of the `kind` called `key`.
pub(crate) fn source_key(kind: SourceKind, key: &ObjectKey) -> SourceKey {
    SourceKey { kind, namespace: key.namespace.clone(), name: key.name.clone() }
}

impl<K: Source> Reconciled for K {
    type Status = <K as HasStatus>::Status;

    const CONTROLLER: &'static str = "source-controller";
    const METRICS: &'static str = K::KIND.folder();
    const MANAGER: &'static str = "source-controller";

    fn served(world: &World) -> &Served<Self> {
        &K::plane(&world.sources).served
    }

    fn queue(world: &World) -> &Arc<Queue<ObjectKey>> {
        &K::plane(&world.sources).queue
    }

    fn backoff(world: &World) -> &Backoff<ObjectKey> {
        &K::plane(&world.sources).backoff
    }

    fn status(&self) -> Option<&<K as HasStatus>::Status> {
        HasStatus::status(self)
    }

    fn forget(world: &World, key: &ObjectKey) {
        if let Err(error) = world.store.withdraw(&source_key(K::KIND, key)) {
            warn!(kind = %K::KIND, namespace = key.namespace, name = key.name, %error, "artifact not withdrawn");
        }
    }

    fn is_name_only(&self) -> bool {
        Source::is_name_only(self)
    }

    async fn reconcile(subject: &Subject<'_, Self>) -> Result<NextRun, ApiError> {
        Attempt::new(subject).reconcile().await
    }

    async fn finalize(subject: &Subject<'_, Self>) -> Result<NextRun, ApiError> {
        subject.let_go().await
    }
}

/// An attempt to fetch what an object asks for.
struct Attempt<'a, K: Source> {
    subject: &'a Subject<'a, K>,
    before: <K as HasStatus>::Status,
    artifact: Option<Artifact>,
    /// When a webhook asked for this run.
    asked_at: Option<Instant>,
}

impl<'a, K: Source> Attempt<'a, K> {
    fn new(subject: &'a Subject<'a, K>) -> Self {
        let artifact = subject.world.store.artifact(&source_key(K::KIND, subject.key));
        let asked_at = K::plane(&subject.world.sources).take_request(subject.key);
        Self { subject, before: subject.before(), artifact, asked_at }
    }

    async fn reconcile(&self) -> Result<NextRun, ApiError> {
        let subject = self.subject;
        let mut noted = self.before.clone();
        let outcome = self.outcome_with_progress(&mut noted).await;
        let report = outcome::report(&self.situation(&noted), &outcome);
        subject.write(&self.before, &report.status).await?;
        // A release takes no chart that was made for an older spec.
        if self.before.as_ref().observed_generation != report.status.as_ref().observed_generation {
            subject.world.wake_releases(K::KIND, subject.key);
        }
        for said in &report.events {
            subject.publish(said, "", self.event_metadata(&outcome));
        }
        Ok(subject.next_run(report.next))
    }

    /// Flux's metadata for the event.
    fn event_metadata(&self, outcome: &Result<Outcome, Failure>) -> Vec<(String, String)> {
        let mut metadata = self.subject.event_annotations();
        if let Ok(Outcome::Stored(Stored { artifact, .. })) = outcome {
            metadata.push((events::SOURCE_REVISION.to_owned(), artifact.revision.clone()));
            metadata.push((events::SOURCE_DIGEST.to_owned(), artifact.digest.to_string()));
        }
        metadata
    }

    fn situation<'s>(&'s self, noted: &'s <K as HasStatus>::Status) -> Situation<'s, K> {
        Situation {
            noted,
            key: source_key(K::KIND, self.subject.key),
            generation: self.subject.metadata().generation,
            requested_at: self.subject.requested_at(),
            address: &self.subject.world.settings.artifact_address,
            stored: self.artifact.as_ref(),
            now: self.subject.world.clock.now(),
        }
    }

    fn is_requested(&self) -> bool {
        self.subject.requested_at() != self.before.as_ref().last_handled_reconcile_at.as_deref()
    }

    /// Fetches; says so in the status if it takes long.
    async fn outcome_with_progress(&self, noted: &mut <K as HasStatus>::Status) -> Result<Outcome, Failure> {
        let outcome = self.outcome(noted);
        tokio::pin!(outcome);
        if let Ok(outcome) = tokio::time::timeout(PROGRESS_AFTER, &mut outcome).await {
            return outcome;
        }
        let progress = outcome::progress(&self.situation(&self.before));
        if let Err(error) = self.subject.write(&self.before, &progress).await {
            let key = self.subject.key;
            warn!(kind = %K::KIND, namespace = key.namespace, name = key.name, %error, "progress not written");
        }
        outcome.await
    }

    /// Fetches, and notes in `noted` what the status tells besides.
    async fn outcome(&self, noted: &mut <K as HasStatus>::Status) -> Result<Outcome, Failure> {
        let (world, key) = (self.subject.world, self.subject.key);
        let object = self.subject.readable()?;
        let Asked { is_suspended, unsupported, interval, ignore } = object.asked();
        if is_suspended {
            return Ok(Outcome::Suspended);
        }
        Unusable::refuse(unsupported)?;
        let interval = interval?;
        let request = object.request(world, &key.namespace).await?;
        K::note_request(&request, noted);
        let (polls, means) = (&K::plane(&world.sources).polls, self.means(ignore));
        let resolved = polls.resolve(&request, &means, self.not_before()).await?;
        let mut wanted = noted.clone();
        object.note(world, &request, &resolved, &mut wanted);
        let is_settled = wanted == *noted && object.is_settled(noted);
        let stored =
            self.stored_already(K::Request::revision(&resolved), request.verification()).filter(|_| is_settled);
        if let Some(artifact) = stored.cloned()
            && self.is_readable(artifact.tree).await?
        {
            let told = object.told(&resolved, &artifact.revision, noted);
            return Ok(Outcome::Unchanged { artifact, told, interval });
        }
        let content = polls.fetch(&request, &resolved, &means, self.not_before()).await?;
        let artifact = self.publish(Arc::clone(&content)).await?;
        object.note_content(&content, &mut wanted);
        *noted = wanted;
        world.wake_consumers(K::KIND, key);
        let told = object.told(&resolved, &artifact.revision, noted);
        let news = K::news(&content, &told);
        Ok(Outcome::Stored(Stored { artifact, told, news, interval }))
    }

    fn means<'m>(&'m self, ignore: Option<&'m str>) -> Means<'m> {
        let world = self.subject.world;
        Means { store: &world.store, ignore, now: world.clock.now() }
    }

    /// The oldest answer that will do: fresh where someone asked for a reconciliation, a moment old otherwise.
    fn not_before(&self) -> Instant {
        let began = self.subject.began;
        match self.asked_at {
            Some(asked_at) => asked_at.max(began),
            None if self.is_requested() => began,
            None => began.checked_sub(polls::SHARED_FOR).unwrap_or(began),
        }
    }

    /// What is kept, if it is of the wanted revision and signed as is demanded now.
    fn stored_already(&self, revision: &str, verification: Option<Digest>) -> Option<&Artifact> {
        // What was kept and never told is still news.
        let told = self.before.as_ref().artifact.as_ref();
        let is_told = told.is_some_and(|told| told.revision == revision);
        let is_verified = |artifact: &Artifact| artifact.verified.as_ref().map(|by| by.against) == verification;
        self.artifact.as_ref().filter(|artifact| artifact.revision == revision && is_told && is_verified(artifact))
    }

    async fn is_readable(&self, tree: Digest) -> Result<bool, Failure> {
        let store = self.subject.world.store.clone();
        let is_readable =
            tokio::task::spawn_blocking(move || store.tree(&tree).is_ok_and(|kept| K::is_readable(&kept)));
        is_readable.await.map_err(|error| Failure::Interrupted(error.to_string()))
    }

    async fn publish(&self, content: Arc<Content>) -> Result<Artifact, Failure> {
        let world = self.subject.world;
        let (store, key, now) = (world.store.clone(), source_key(K::KIND, self.subject.key), world.clock.now());
        let published = tokio::task::spawn_blocking(move || content.publish(&store, &key, now));
        Ok(published.await.map_err(|error| Failure::Interrupted(error.to_string()))??)
    }
}
