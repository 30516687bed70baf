//! The end of a source's patience.

use std::time::{Duration, Instant};

use super::error::CloneError;

/// When `spec.timeout` has passed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    at: Instant,
    after: Duration,
}

impl Deadline {
    pub(super) fn after(after: Duration) -> Self {
        Self { at: Instant::now() + after, after }
    }

    pub(super) fn at(&self) -> Instant {
        self.at
    }

    /// The whole time that there was.
    pub(super) fn patience(&self) -> Duration {
        self.after
    }

    /// The time that is left; an error if there is none.
    pub(super) fn left(&self) -> Result<Duration, CloneError> {
        let left = self.at.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(self.passed()) } else { Ok(left) }
    }

    pub(super) fn passed(&self) -> CloneError {
        CloneError::Timeout(self.after)
    }
}
