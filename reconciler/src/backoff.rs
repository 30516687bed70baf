//! How long to wait before trying again.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Doubles the delay with each failure in a row, up to a limit.
pub(crate) struct Backoff<K> {
    first: Duration,
    limit: Duration,
    failures: Mutex<HashMap<K, u32>>,
}

impl<K: Eq + Hash> Backoff<K> {
    pub(crate) fn new(first: Duration, limit: Duration) -> Self {
        Self { first, limit, failures: Mutex::default() }
    }

    /// Counts a failure of `key` and says how long it waits.
    pub(crate) fn after_failure(&self, key: K) -> Duration {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(key).or_insert(0);
        let delay = self.first.saturating_mul(1_u32.checked_shl(*count).unwrap_or(u32::MAX)).min(self.limit);
        *count = count.saturating_add(1);
        delay
    }

    /// `key` did what it should.
    pub(crate) fn reset(&self, key: &K) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

/// `interval`, longer or shorter by up to `percent` of it, as `random` (0 to 1) says.
pub(crate) fn jittered(interval: Duration, percent: u8, random: f64) -> Duration {
    let spread = f64::from(percent) / 100.0;
    interval.mul_f64(1.0 + spread * (2.0 * random - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_to_their_limit_and_start_again_after_a_success() {
        let backoff = Backoff::new(Duration::from_millis(750), Duration::from_secs(3));
        let delays: Vec<_> = (0..4).map(|_| backoff.after_failure("a").as_millis()).collect();
        assert_eq!(delays, [750, 1500, 3000, 3000]);
        backoff.reset(&"a");
        assert_eq!(backoff.after_failure("a").as_millis(), 750);
    }

    #[test]
    fn jitter_stays_within_its_percentage() {
        let interval = Duration::from_secs(100);
        let rows = [(0.0, 95), (0.5, 100), (1.0, 105)];
        for (random, seconds) in rows {
            assert_eq!(jittered(interval, 5, random), Duration::from_secs(seconds), "{random}");
        }
        assert_eq!(jittered(interval, 0, 1.0), interval);
    }
}
