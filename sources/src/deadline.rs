//! The end of a source's patience.

use std::time::{Duration, Instant};

use tokio::time::timeout_at;
use tokio_util::sync::{CancellationToken, DropGuard};

/// When `spec.timeout` has passed, or nobody waits for the answer any more.
#[derive(Clone, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    after: Duration,
    abandoned: CancellationToken,
}

/// It took longer than `spec.timeout`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("context deadline exceeded: not done after {0:?}")]
pub struct DeadlinePassed(pub(crate) Duration);

impl Deadline {
    /// A deadline that has passed too when the guard is dropped.
    pub(crate) fn after(after: Duration) -> (Self, DropGuard) {
        let abandoned = CancellationToken::new();
        let guard = abandoned.clone().drop_guard();
        (Self { at: Instant::now() + after, after, abandoned }, guard)
    }

    /// The whole time that there was.
    pub(crate) fn patience(&self) -> Duration {
        self.after
    }

    /// The time that is left; an error if there is none.
    pub(crate) fn left(&self) -> Result<Duration, DeadlinePassed> {
        let left = self.at.saturating_duration_since(Instant::now());
        if left.is_zero() || self.abandoned.is_cancelled() { Err(self.passed()) } else { Ok(left) }
    }

    /// Waits for `work` as long as there is time.
    pub(crate) async fn wait<T>(&self, work: impl Future<Output = T>) -> Result<T, DeadlinePassed> {
        let done = self.abandoned.run_until_cancelled(timeout_at(self.at.into(), work)).await;
        done.and_then(Result::ok).ok_or_else(|| self.passed())
    }

    pub(crate) fn passed(&self) -> DeadlinePassed {
        DeadlinePassed(self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_has_passed_when_its_guard_is_gone() {
        let (deadline, guard) = Deadline::after(Duration::from_hours(1));
        assert!(deadline.left().is_ok());
        drop(guard);
        assert!(deadline.left().is_err());
    }

    #[tokio::test]
    async fn a_wait_ends_with_its_work_or_its_time() {
        let (deadline, _guard) = Deadline::after(Duration::from_millis(20));
        assert_eq!(deadline.wait(async { 1 }).await.ok(), Some(1));
        assert!(deadline.wait(std::future::pending::<()>()).await.is_err());
    }
}
