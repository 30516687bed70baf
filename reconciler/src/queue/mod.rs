//! Which entry runs next: work that is woken, never searched for.
//!
//! An entry is a key. Waking it makes it run once more; waking it ten times before it runs makes it run once. It is
//! never in two runs at the same time: what wakes it during a run makes it run again afterwards. Namespaces take
//! turns, so that a thousand entries of one tenant do not delay the single entry of another.
//!
//! `schedule` decides and knows no clock; [`Queue`] here feeds it the time and starts the runs.

mod schedule;

use std::{
    future::Future,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use schedule::{Next, Schedule};

/// What names an entry, and the namespace whose turn it takes.
pub trait Key: Clone + Eq + Hash + Ord + Send + Sync + 'static {
    /// The namespace that the entry counts for.
    fn namespace(&self) -> &str;
}

/// When an entry runs again if nothing wakes it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextRun {
    /// After this time at the latest.
    After(Duration),
    /// Only when something wakes it.
    OnChange,
}

/// Wakes entries and runs them, a bounded number at once.
pub struct Queue<K> {
    schedule: Mutex<Schedule<K>>,
    changed: Notify,
}

impl<K: Key> Queue<K> {
    /// A queue with nothing in it.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { schedule: Mutex::default(), changed: Notify::new() })
    }

    /// Makes `key` run soon: at once if a worker is free, after its present run if it is running.
    pub fn wake(&self, key: K) {
        self.schedule().wake(key);
        self.changed.notify_one();
    }

    /// Forgets the timer of an entry that is gone.
    pub fn forget(&self, key: &K) {
        self.schedule().forget(key);
    }

    /// How many entries wait for a worker.
    pub fn depth(&self) -> usize {
        self.schedule().depth()
    }

    /// Runs entries until `stop`, at most `concurrent` at once, then waits for those that run.
    ///
    /// A run that panics takes nothing with it; its entry runs again a minute later.
    pub async fn run<F>(
        self: Arc<Self>,
        concurrent: usize,
        stop: CancellationToken,
        work: impl Fn(K) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = NextRun> + Send + 'static,
    {
        let mut running: JoinSet<()> = JoinSet::new();
        loop {
            while running.try_join_next().is_some() {}
            let next = if running.len() < concurrent { self.schedule().next(Instant::now()) } else { Next::Never };
            match next {
                Next::Run(key) => {
                    let run = Run { queue: Arc::clone(&self), key: key.clone(), next: NextRun::After(AFTER_PANIC) };
                    let work = work(key);
                    running.spawn(run.finish(work));
                }
                Next::At(due) => tokio::select! {
                    () = tokio::time::sleep_until(due) => {}
                    () = self.changed.notified() => {}
                    () = stop.cancelled() => break,
                },
                Next::Never => tokio::select! {
                    () = self.changed.notified() => {}
                    Some(_) = running.join_next() => {}
                    () = stop.cancelled() => break,
                },
            }
        }
        while running.join_next().await.is_some() {}
    }

    fn schedule(&self) -> MutexGuard<'_, Schedule<K>> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long an entry rests whose run panicked.
const AFTER_PANIC: Duration = Duration::from_mins(1);

/// One run; whatever ends it, its entry is handed back when this is dropped.
struct Run<K: Key> {
    queue: Arc<Queue<K>>,
    key: K,
    next: NextRun,
}

impl<K: Key> Run<K> {
    async fn finish(mut self, work: impl Future<Output = NextRun>) {
        self.next = work.await;
    }
}

impl<K: Key> Drop for Run<K> {
    fn drop(&mut self) {
        let due = match self.next {
            NextRun::After(delay) => Some(Instant::now() + delay),
            NextRun::OnChange => None,
        };
        self.queue.schedule().finish(&self.key, due);
        self.queue.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    impl Key for (&'static str, u32) {
        fn namespace(&self) -> &str {
            self.0
        }
    }

    #[tokio::test]
    async fn an_entry_that_is_woken_while_it_runs_runs_once_more_and_never_twice_at_once() {
        let queue = Queue::new();
        let (stop, runs, at_once) =
            (CancellationToken::new(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        queue.wake(("shop", 1));
        let work = {
            let (queue, runs, at_once, stop) = (Arc::clone(&queue), Arc::clone(&runs), at_once, stop.clone());
            move |key| {
                let (queue, runs, at_once, stop) =
                    (Arc::clone(&queue), Arc::clone(&runs), Arc::clone(&at_once), stop.clone());
                async move {
                    assert_eq!(at_once.fetch_add(1, Ordering::SeqCst), 0, "one run at a time");
                    let run = runs.fetch_add(1, Ordering::SeqCst);
                    if run == 0 {
                        queue.wake(key);
                        queue.wake(key);
                    } else {
                        stop.cancel();
                    }
                    tokio::task::yield_now().await;
                    at_once.fetch_sub(1, Ordering::SeqCst);
                    NextRun::OnChange
                }
            }
        };
        Arc::clone(&queue).run(4, stop, work).await;
        assert_eq!(runs.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_run_that_panics_does_not_take_the_queue_with_it() {
        let queue = Queue::new();
        let stop = CancellationToken::new();
        queue.wake(("shop", 1));
        queue.wake(("shop", 2));
        let stopped = stop.clone();
        let work = move |key: (&'static str, u32)| {
            let stop = stopped.clone();
            async move {
                assert!(key.1 != 1, "the first entry fails");
                stop.cancel();
                NextRun::OnChange
            }
        };
        Arc::clone(&queue).run(1, stop, work).await;
    }
}
