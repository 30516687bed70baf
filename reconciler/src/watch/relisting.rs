//! A watch of many objects that begins anew with a list when it could not be resumed.
//!
//! A resumed watch is silent until something happens, so that nobody could tell it from one that still does not work.
//! The list says that it works again, and holds what came in between.

use std::{fmt::Debug, time::Duration};

use futures::{Stream, StreamExt, stream, stream::BoxStream};
use kube::{
    Api, Resource,
    runtime::watcher::{self, Error, Event, watcher},
};
use serde::de::DeserializeOwned;
use tokio::time::sleep;

use crate::backoff::{Backoff, jittered};

/// The pause after a first failure.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The pause after many failures in a row.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How much pauses vary, so that not all watches come back at once.
const JITTER_PERCENT: u8 = 50;

/// What happens to the objects of `api` that `config` selects, and what goes wrong with watching them. It never ends.
pub(crate) fn relisting<K>(api: Api<K>, config: watcher::Config) -> impl Stream<Item = watcher::Result<Event<K>>> + Send
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let watch = Watch { api, config, events: None, backoff: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE), pause: None };
    stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await;
        Some((event, watch))
    })
}

struct Watch<K> {
    api: Api<K>,
    config: watcher::Config,
    /// None before its beginning, and after a failure that ended it.
    events: Option<BoxStream<'static, watcher::Result<Event<K>>>>,
    backoff: Backoff<()>,
    /// How long to wait before the next attempt.
    pause: Option<Duration>,
}

impl<K> Watch<K>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    async fn next(&mut self) -> watcher::Result<Event<K>> {
        loop {
            if let Some(pause) = self.pause.take() {
                sleep(pause).await;
            }
            let (api, config) = (&self.api, &self.config);
            let events = self.events.get_or_insert_with(|| watcher(api.clone(), config.clone()).boxed());
            let Some(event) = events.next().await else {
                self.events = None;
                continue;
            };
            match &event {
                Ok(Event::Init | Event::InitApply(_)) => {}
                Ok(Event::InitDone | Event::Apply(_) | Event::Delete(_)) => self.backoff.reset(&()),
                Err(error) => {
                    self.pause = Some(jittered(self.backoff.after_failure(()), JITTER_PERCENT, fastrand::f64()));
                    if !is_resumable(error) {
                        self.events = None;
                    }
                }
            }
            return event;
        }
    }
}

/// Whether the watch itself goes on after `error`, and tells whatever comes next.
fn is_resumable(error: &Error) -> bool {
    match error {
        Error::WatchStartFailed(_) => false,
        Error::InitialListFailed(_) | Error::WatchError(_) | Error::WatchFailed(_) | Error::NoResourceVersion => true,
    }
}
