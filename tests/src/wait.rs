//! Waiting for what no watch can see, with a deadline.

use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(50);

/// Returns what `condition` finds, or nothing if it has found nothing when `limit` is over.
pub async fn eventually<T>(limit: Duration, mut condition: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = condition().await {
            return Some(found);
        }
        if Instant::now() >= deadline {
            return None;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Returns what `condition` finds.
///
/// # Panics
/// If it has found nothing when `limit` is over; the message says that `what` did not happen.
pub async fn wait_until<T>(what: &str, limit: Duration, condition: impl AsyncFnMut() -> Option<T>) -> T {
    match eventually(limit, condition).await {
        Some(found) => found,
        None => panic!("after {limit:?} still not: {what}"),
    }
}
