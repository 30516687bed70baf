//! When an object is looked at again: what an outcome says of it, and what that means now.

use std::time::Duration;

use super::{Reconciled, Subject};
use crate::queue::NextRun;

/// The next run, as an outcome asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// After the interval, give or take.
    Interval(Duration),
    /// After exactly this long.
    After(Duration),
    /// Soon, and later with each failure in a row.
    Retry {
        /// Not before this long.
        soonest: Duration,
        /// Not after this long, if it is said.
        latest: Option<Duration>,
    },
    /// When something changes that it depends on.
    OnChange,
}

impl Next {
    /// Soon, and later with each failure in a row.
    pub(crate) const RETRY: Self = Self::Retry { soonest: Duration::ZERO, latest: None };
}

impl<K: Reconciled> Subject<'_, K> {
    /// When the object is looked at again. Whatever is no failure ends a row of failures.
    pub(crate) fn next_run(&self, next: Next) -> NextRun {
        let backoff = K::backoff(self.world);
        if !matches!(next, Next::Retry { .. }) {
            backoff.reset(self.key);
        }
        match next {
            Next::Interval(interval) => self.world.after_success(interval),
            Next::After(delay) => NextRun::After(delay),
            Next::Retry { soonest, latest } => {
                let delay = backoff.after_failure(self.key.clone());
                NextRun::After(delay.min(latest.unwrap_or(delay)).max(soonest))
            }
            Next::OnChange => NextRun::OnChange,
        }
    }
}
