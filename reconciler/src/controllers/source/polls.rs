//! One upstream request for all objects that name the same origin with the same credentials.
//!
//! The key of a request is everything that decides its answer, credentials included: what one tenant's credentials
//! fetched is never handed to another's.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use fairlead_object::Digest;
use fairlead_sources::fetch::{Content, Fetch, Means, SourceFailure};
use tokio::time::Instant;

/// How old another object's answer may be to stand for one's own.
pub(super) const SHARED_FOR: Duration = Duration::from_secs(2);

type Answer<T> = Result<Arc<T>, SourceFailure>;
type Slot<T> = Arc<tokio::sync::Mutex<Option<(Instant, Answer<T>)>>>;
type Slots<T> = Mutex<HashMap<Digest, Slot<T>>>;

/// Answers of servers that several objects share for a moment.
pub(crate) struct Polls<R: Fetch> {
    resolved: Slots<R::Resolved>,
    fetched: Slots<Content>,
}

impl<R: Fetch> Default for Polls<R> {
    fn default() -> Self {
        Self { resolved: Mutex::default(), fetched: Mutex::default() }
    }
}

impl<R: Fetch> Polls<R> {
    /// What `request` stands for now: as of `not_before`, or a moment ago.
    pub(super) async fn resolve(&self, request: &R, means: &Means<'_>, not_before: Instant) -> Answer<R::Resolved> {
        let slot = slot(&self.resolved, key(request, "", means));
        shared(&slot, |at, _| at >= not_before, async { request.resolve(means).await.map(Arc::new) }).await
    }

    /// The content of `resolved`, without what is ignored, in the store. It never changes, so a recent one will do; that
    /// there was none as of `not_before` does too.
    pub(super) async fn fetch(
        &self,
        request: &R,
        resolved: &R::Resolved,
        means: &Means<'_>,
        not_before: Instant,
    ) -> Answer<Content> {
        let slot = slot(&self.fetched, key(request, R::revision(resolved), means));
        let recent = Instant::now().checked_sub(SHARED_FOR).unwrap_or_else(Instant::now);
        let will_do = |at, answer: &Answer<Content>| at >= if answer.is_ok() { recent } else { not_before };
        shared(&slot, will_do, request.fetch(resolved, means)).await
    }
}

/// Everything that decides an answer.
fn key(request: &impl Fetch, revision: &str, means: &Means<'_>) -> Digest {
    let what = request.fingerprint().to_string();
    let ignored = means.ignore.map_or_else(|| "-".to_owned(), |patterns| format!("+{patterns}"));
    Digest::of_parts([what.as_bytes(), revision.as_bytes(), ignored.as_bytes()])
}

/// The slot of `key`. Slots that nobody uses and whose answer is old are dropped on the way.
fn slot<T>(slots: &Slots<T>, key: Digest) -> Slot<T> {
    let mut slots = slots.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(slot) = slots.get(&key) {
        return Arc::clone(slot);
    }
    slots.retain(|_, slot| {
        let is_fresh = |answered: &Option<(Instant, Answer<T>)>| {
            answered.as_ref().is_some_and(|(at, _)| at.elapsed() < SHARED_FOR)
        };
        Arc::strong_count(slot) > 1 || slot.try_lock().is_ok_and(|answered| is_fresh(&answered))
    });
    Arc::clone(slots.entry(key).or_default())
}

async fn shared<T>(
    slot: &Slot<T>,
    will_do: impl FnOnce(Instant, &Answer<T>) -> bool,
    ask: impl Future<Output = Answer<T>>,
) -> Answer<T> {
    let mut answered = slot.lock().await;
    if let Some((at, answer)) = &*answered
        && will_do(*at, answer)
    {
        return answer.clone();
    }
    let asked_at = Instant::now();
    let answer = ask.await;
    *answered = Some((asked_at, answer.clone()));
    answer
}
