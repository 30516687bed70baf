//! What is remembered of configurations between runs: that their parts were looked at, and what was last known of the
//! objects that they stand for.
//!
//! It is lost with the process; then everything is looked at once more, and nothing is written that is as it should be.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use fairlead_object::Digest;
use tokio::time::Instant;

use super::facts::Facts;
use crate::controllers::ObjectKey;

/// The memories of all configurations. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Memories(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    checked: HashMap<ObjectKey, (Checked, Instant)>,
    known: HashMap<(&'static str, ObjectKey), Digest>,
}

/// For what a configuration's account, bindings and Secret were found to be as they should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checked {
    pub(super) uid: String,
    pub(super) generation: Option<i64>,
    pub(super) requested_at: Option<String>,
}

/// The run at the interval may come this much early, and must not find that it need not look.
const EARLY: f64 = 0.9;

impl Memories {
    /// Whether `checked` was found less than about `interval` ago.
    pub(super) fn is_checked(&self, key: &ObjectKey, checked: &Checked, interval: Duration) -> bool {
        let state = self.state();
        let found = state.checked.get(key).filter(|(known, _)| known == checked);
        found.is_some_and(|(_, at)| at.elapsed() < interval.mul_f64(EARLY))
    }

    pub(super) fn put(&self, key: &ObjectKey, checked: Checked) {
        self.state().checked.insert(key.clone(), (checked, Instant::now()));
    }

    /// Makes the next run look at everything.
    pub(crate) fn forget(&self, key: &ObjectKey) {
        self.state().checked.remove(key);
    }

    /// Takes what is known of an object now, nothing if it is gone, and says whether that is new.
    pub(super) fn is_news(&self, kind: &'static str, key: &ObjectKey, facts: Option<&Facts>) -> bool {
        let entry = (kind, key.clone());
        match facts {
            Some(facts) => {
                let digest = facts.digest();
                self.state().known.insert(entry, digest) != Some(digest)
            }
            None => self.state().known.remove(&entry).is_some(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
