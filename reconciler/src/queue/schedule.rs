//! The order of runs, as a value: told what happened and when, it says what runs next.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    fmt,
};

use tokio::time::Instant;

use super::Key;

/// Entries that wait, that run, and that are due later.
pub(super) struct Schedule<K> {
    entries: HashMap<K, State>,
    /// Waiting entries, by namespace, in the order in which they were woken.
    waiting: HashMap<String, VecDeque<K>>,
    /// Namespaces with waiting entries, in the order of their turns.
    turns: VecDeque<String>,
    due: BTreeSet<(Instant, K)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Due(Instant),
    Waiting,
    Running,
    /// It runs, and something has woken it since it began.
    RunningStale,
}

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<K> {
    Run(K),
    /// Nothing before this time.
    At(Instant),
    Never,
}

impl<K> Default for Schedule<K> {
    fn default() -> Self {
        Self { entries: HashMap::new(), waiting: HashMap::new(), turns: VecDeque::new(), due: BTreeSet::new() }
    }
}

impl<K: Key> Schedule<K> {
    pub(super) fn wake(&mut self, key: K) {
        match self.entries.get(&key) {
            Some(State::Waiting | State::RunningStale) => {}
            Some(State::Running) => {
                self.entries.insert(key, State::RunningStale);
            }
            Some(State::Due(at)) => {
                let at = *at;
                self.due.remove(&(at, key.clone()));
                self.enqueue(key);
            }
            None => self.enqueue(key),
        }
    }

    pub(super) fn forget(&mut self, key: &K) {
        if let Some(State::Due(at)) = self.entries.get(key).copied() {
            self.due.remove(&(at, key.clone()));
            self.entries.remove(key);
        }
    }

    pub(super) fn next(&mut self, now: Instant) -> Next<K> {
        while let Some((at, key)) = self.due.first().cloned() {
            if at > now {
                break;
            }
            self.due.pop_first();
            self.enqueue(key);
        }
        match self.take_turn() {
            Some(key) => {
                self.entries.insert(key.clone(), State::Running);
                Next::Run(key)
            }
            None => self.due.first().map_or(Next::Never, |(at, _)| Next::At(*at)),
        }
    }

    pub(super) fn finish(&mut self, key: &K, due: Option<Instant>) {
        match (self.entries.get(key), due) {
            (Some(State::RunningStale), _) => self.enqueue(key.clone()),
            (_, Some(at)) => {
                self.entries.insert(key.clone(), State::Due(at));
                self.due.insert((at, key.clone()));
            }
            (_, None) => drop(self.entries.remove(key)),
        }
    }

    pub(super) fn depth(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }

    fn enqueue(&mut self, key: K) {
        let namespace = key.namespace().to_owned();
        let queue = self.waiting.entry(namespace.clone()).or_default();
        if queue.is_empty() {
            self.turns.push_back(namespace);
        }
        queue.push_back(key.clone());
        self.entries.insert(key, State::Waiting);
    }

    /// Takes the first entry of the namespace whose turn it is; the namespace goes to the end of the line.
    fn take_turn(&mut self) -> Option<K> {
        let namespace = self.turns.pop_front()?;
        let queue = self.waiting.get_mut(&namespace)?;
        let key = queue.pop_front();
        if queue.is_empty() {
            self.waiting.remove(&namespace);
        } else {
            self.turns.push_back(namespace);
        }
        key
    }
}

impl<K> fmt::Debug for Schedule<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schedule")
            .field("entries", &self.entries.len())
            .field("due", &self.due.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn runs(schedule: &mut Schedule<(&'static str, u32)>, now: Instant) -> Vec<(&'static str, u32)> {
        std::iter::from_fn(|| match schedule.next(now) {
            Next::Run(key) => Some(key),
            Next::At(_) | Next::Never => None,
        })
        .collect()
    }

    #[test]
    fn namespaces_take_turns_however_many_entries_each_has() {
        let mut schedule = Schedule::default();
        for key in [("a", 1), ("a", 2), ("a", 3), ("b", 1), ("c", 1), ("b", 2)] {
            schedule.wake(key);
        }
        let order = runs(&mut schedule, Instant::now());
        assert_eq!(order, [("a", 1), ("b", 1), ("c", 1), ("a", 2), ("b", 2), ("a", 3)]);
    }

    #[test]
    fn an_entry_woken_many_times_runs_once() {
        let mut schedule = Schedule::default();
        for _ in 0..3 {
            schedule.wake(("a", 1));
        }
        assert_eq!(schedule.depth(), 1);
        assert_eq!(runs(&mut schedule, Instant::now()), [("a", 1)]);
    }

    #[test]
    fn a_timer_fires_when_due_and_a_wake_comes_before_it() {
        let (mut schedule, start) = (Schedule::default(), Instant::now());
        let later = start + Duration::from_secs(10);
        schedule.wake(("a", 1));
        assert_eq!(schedule.next(start), Next::Run(("a", 1)));
        schedule.finish(&("a", 1), Some(later));
        assert_eq!(schedule.next(start), Next::At(later));
        schedule.wake(("a", 1));
        assert_eq!(schedule.next(start), Next::Run(("a", 1)));
        schedule.finish(&("a", 1), Some(later));
        assert_eq!(schedule.next(later), Next::Run(("a", 1)));
        schedule.finish(&("a", 1), None);
        assert_eq!(schedule.next(later), Next::Never);
    }
}
