//! The one place that asks for the time.

use std::sync::Arc;

use jiff::Timestamp;

/// Tells the time; a test's clock is a closure.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one place that asks for the time")]
        Self(Arc::new(Timestamp::now))
    }

    /// A clock that answers as `now` does.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}
