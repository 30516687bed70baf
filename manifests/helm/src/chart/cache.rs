//! Charts that were loaded before.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Chart, File};

/// Charts that are kept between the renderings of their releases, by what they were loaded from.
///
/// A chart parses its templates for the first release that needs them. Kept here, it is read and parsed once, and each
/// further release costs its evaluation alone. A release of a source goes by the digest of its artifact, which never
/// means another chart; what lies on this machine goes by its path, and is [reloaded](Self::reload).
///
/// All threads may share one. Whoever asks for a chart that another thread is loading waits for it, so none is loaded
/// twice; a failure is not kept. When the files of all charts have more bytes than the limit, those that were asked for
/// longest ago are let go, and whoever renders one of them keeps it until then. Once it is parsed, a chart takes about
/// twice as much memory again.
///
/// ```
/// use fairlead_helm::{Chart, ChartCache, ChartError, load_archive};
///
/// fn chart_of(cache: &ChartCache, digest: &str, archive: &[u8]) -> Result<std::sync::Arc<Chart>, ChartError> {
///     cache.get_or_load(digest, || load_archive(archive))
/// }
/// ```
#[derive(Debug)]
pub struct ChartCache {
    limit_bytes: usize,
    kept: Mutex<Kept>,
}

/// The place of one chart, which is locked while the chart is loaded.
type Place = Arc<Mutex<Option<Arc<Chart>>>>;

#[derive(Debug, Default)]
struct Kept {
    entries: HashMap<String, Entry>,
    /// How often something was asked for.
    asked: u64,
}

#[derive(Debug, Default)]
struct Entry {
    place: Place,
    /// Nothing until it is loaded.
    bytes: usize,
    last_asked: u64,
}

impl Default for ChartCache {
    /// A cache with a limit that suits a controller of some hundred releases.
    fn default() -> Self {
        Self::new(32 << 20)
    }
}

impl ChartCache {
    /// A cache of charts whose files have `limit_bytes` together; the last one is kept even if it is larger.
    pub fn new(limit_bytes: usize) -> Self {
        Self { limit_bytes, kept: Mutex::default() }
    }

    /// The chart that is kept as `digest`, or else the one that `load` gives, which is kept from then on.
    pub fn get_or_load<E>(&self, digest: &str, load: impl FnOnce() -> Result<Chart, E>) -> Result<Arc<Chart>, E> {
        let place = self.place(digest);
        let mut held = locked(&place);
        if let Some(chart) = &*held {
            return Ok(Arc::clone(chart));
        }
        let chart = Arc::new(load().inspect_err(|_| self.forget(digest))?);
        *held = Some(Arc::clone(&chart));
        drop(held);
        self.note_size(digest, chart.bytes());
        Ok(chart)
    }

    /// The chart that `load` gives, which is kept as `name`. Of the one that was kept as that before, it takes over what
    /// was parsed of files that have not changed.
    pub fn reload<E>(&self, name: &str, load: impl FnOnce() -> Result<Chart, E>) -> Result<Arc<Chart>, E> {
        let place = self.place(name);
        let mut held = locked(&place);
        let mut chart = load().inspect_err(|_| self.forget(name))?;
        if let Some(earlier) = &*held {
            chart.take_over(earlier);
        }
        let chart = Arc::new(chart);
        *held = Some(Arc::clone(&chart));
        drop(held);
        self.note_size(name, chart.bytes());
        Ok(chart)
    }

    fn place(&self, key: &str) -> Place {
        let mut kept = locked(&self.kept);
        kept.asked += 1;
        let last_asked = kept.asked;
        let entry = kept.entries.entry(key.to_owned()).or_default();
        entry.last_asked = last_asked;
        Arc::clone(&entry.place)
    }

    /// Takes out what was never loaded.
    fn forget(&self, key: &str) {
        let mut kept = locked(&self.kept);
        if kept.entries.get(key).is_some_and(|entry| entry.bytes == 0) {
            kept.entries.remove(key);
        }
    }

    fn note_size(&self, key: &str, bytes: usize) {
        let mut kept = locked(&self.kept);
        if let Some(entry) = kept.entries.get_mut(key) {
            entry.bytes = bytes;
        }
        kept.keep_within(self.limit_bytes);
    }
}

impl Kept {
    /// Lets go of what was asked for longest ago until the rest has no more than `limit_bytes`.
    fn keep_within(&mut self, limit_bytes: usize) {
        let mut bytes: usize = self.entries.values().map(|entry| entry.bytes).sum();
        while bytes > limit_bytes && self.entries.len() > 1 {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.last_asked).map(|(key, _)| key.clone());
            let gone = oldest.and_then(|key| self.entries.remove(&key));
            bytes -= gone.map_or(0, |entry| entry.bytes);
        }
    }
}

/// Nothing that is locked here is left half done by a panic.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Chart {
    /// How many bytes its files have, with those of the charts inside.
    fn bytes(&self) -> usize {
        let files = self.templates.iter().chain(&self.files).map(|file| file.content.len());
        let schema = self.schema.iter().map(|schema| schema.text().len());
        let inside = self.dependencies.iter().map(Self::bytes);
        files.chain(schema).chain(self.values_file.iter().map(|text| text.len())).chain(inside).sum()
    }

    /// Takes over what was parsed of the files that are the same in `earlier`.
    fn take_over(&mut self, earlier: &Self) {
        for file in &mut self.templates {
            let same = |other: &&File| other.path == file.path && other.content == file.content;
            if let Some(same) = earlier.templates.iter().find(same) {
                *file = same.clone();
            }
        }
        for inside in &mut self.dependencies {
            if let Some(earlier) = earlier.dependencies.iter().find(|earlier| earlier.folder == inside.folder) {
                inside.take_over(earlier);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// A chart whose only template has `bytes`.
    fn chart(bytes: usize) -> Chart {
        let file = File::new("templates/a.yaml".to_owned(), "a".repeat(bytes).into());
        Chart { templates: vec![file], ..Chart::default() }
    }

    /// Which of the charts `asked` are loaded, each of 40 bytes, where 100 are kept.
    fn loaded(asked: &str) -> String {
        let cache = ChartCache::new(100);
        let mut loaded = String::new();
        for key in asked.chars() {
            let load = || {
                loaded.push(key);
                Ok::<_, Infallible>(chart(40))
            };
            let Ok(_) = cache.get_or_load(&key.to_string(), load);
        }
        loaded
    }

    #[test]
    fn a_chart_is_loaded_once_as_long_as_it_is_asked_for() {
        assert_eq!(loaded("aaa"), "a");
        assert_eq!(loaded("abab"), "ab");
        assert_eq!(loaded("abaca"), "abc");
        assert_eq!(loaded("abacb"), "abcb");
    }

    #[test]
    fn a_chart_beyond_the_limit_is_kept_until_the_next_one() {
        let cache = ChartCache::new(1);
        let get = |key: &str, load: fn() -> Result<Chart, &'static str>| cache.get_or_load(key, load).map(drop);
        assert_eq!(get("a", || Ok(chart(40))), Ok(()));
        assert_eq!(get("a", || Err("loaded again")), Ok(()));
        assert_eq!(get("b", || Ok(chart(40))), Ok(()));
        assert_eq!(get("a", || Err("loaded again")), Err("loaded again"));
    }

    #[test]
    fn what_fails_is_tried_again() {
        let cache = ChartCache::default();
        assert_eq!(cache.get_or_load("a", || Err("no chart")).map(drop), Err("no chart"));
        assert_eq!(cache.get_or_load("a", || Ok::<_, Infallible>(chart(1))).map(drop), Ok(()));
    }

    #[test]
    fn files_that_are_the_same_stay_parsed() {
        let cache = ChartCache::default();
        let reload = |bytes: usize| {
            let Ok(chart) = cache.reload("web", || Ok::<_, Infallible>(chart(bytes)));
            let is_parsed = chart.templates[0].parsed.get().is_some();
            assert!(chart.templates[0].templates("web/templates/a.yaml").is_ok());
            is_parsed
        };
        assert_eq!([1, 1, 2, 2].map(reload), [false, true, false, true]);
    }
}
