//! One upstream request for all objects that name the same repository with the same credentials.
//!
//! The key of a request is everything that decides its answer, credentials included: what one tenant's credentials
//! fetched is never handed to another's.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use fairlead_object::Digest;
use fairlead_sources::{
    git::{self, Fetched, GitError, GitRequest, Resolved},
    store::Store,
};
use tokio::time::Instant;

/// How old another object's answer may be to stand for one's own.
const SHARED_FOR: Duration = Duration::from_secs(2);

type Answer<T> = Result<Arc<T>, Arc<GitError>>;
type Slot<T> = Arc<tokio::sync::Mutex<Option<(Instant, Answer<T>)>>>;

/// Answers of Git servers that several objects share for a moment.
#[derive(Default)]
pub(crate) struct Polls {
    resolved: Mutex<HashMap<Digest, Slot<Resolved>>>,
    fetched: Mutex<HashMap<Digest, Slot<Fetched>>>,
}

impl Polls {
    /// What `request` refers to now: as of `not_before`, or a moment ago.
    pub(crate) async fn resolve(&self, request: &GitRequest, not_before: Instant) -> Answer<Resolved> {
        let slot = slot(&self.resolved, request.fingerprint());
        shared(&slot, not_before, git::resolve(request)).await
    }

    /// The tree of `resolved`, without what `ignore` names, in `store`.
    pub(crate) async fn fetch(
        &self,
        request: &GitRequest,
        resolved: &Resolved,
        store: &Store,
        ignore: Option<&str>,
    ) -> Answer<Fetched> {
        let what = request.fingerprint().to_string();
        let ignored = ignore.map_or_else(|| "-".to_owned(), |patterns| format!("+{patterns}"));
        let key = Digest::of_parts([what.as_bytes(), resolved.commit.as_bytes(), ignored.as_bytes()]);
        let slot = slot(&self.fetched, key);
        let not_before = Instant::now().checked_sub(SHARED_FOR).unwrap_or_else(Instant::now);
        shared(&slot, not_before, git::fetch(request, resolved, store, ignore)).await
    }
}

/// The slot of `key`. Slots that nobody uses and whose answer is old are dropped on the way.
fn slot<T>(slots: &Mutex<HashMap<Digest, Slot<T>>>, key: Digest) -> Slot<T> {
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

async fn shared<T>(slot: &Slot<T>, not_before: Instant, ask: impl Future<Output = Result<T, GitError>>) -> Answer<T> {
    let mut answered = slot.lock().await;
    if let Some((at, answer)) = &*answered
        && *at >= not_before
    {
        return answer.clone();
    }
    let asked_at = Instant::now();
    let answer = ask.await.map(Arc::new).map_err(Arc::new);
    *answered = Some((asked_at, answer.clone()));
    answer
}

/// The oldest answer that will do: fresh where someone asked for a reconciliation, a moment old otherwise.
pub(crate) fn not_before(is_requested: bool, run_began: Instant) -> Instant {
    if is_requested { run_began } else { run_began.checked_sub(SHARED_FOR).unwrap_or(run_began) }
}
