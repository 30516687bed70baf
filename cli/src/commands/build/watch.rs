//! `--watch`: builds again whenever something that the build read is saved, and shows what that changes.
//!
//! `notify` tells of changes: it speaks to each system's own service, so that waiting costs nothing. Directories are
//! watched and not files, because many editors save by putting a new file in place of the old one. Whether anything has
//! really changed is then asked of the build's own record of what it read.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use fairlead_object::{LocalTree, Manifest, ReadSet};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use similar::TextDiff;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc::{self, Receiver},
    time::timeout,
};

use super::destination::Shown;
use crate::{
    local,
    output::{CommandError, action, print, show, waiting},
};

/// How long nothing may happen before a save counts as done: editors and Git write several files.
const QUIET: Duration = Duration::from_millis(50);

/// What one build made, and what it looked at.
pub(super) struct Attempt {
    pub(super) outcome: Result<Documents, CommandError>,
    pub(super) reads: ReadSet,
    pub(super) change: FindChange,
}

/// Finds what would make another build say something else, in words.
pub(super) type FindChange = Box<dyn Fn(&LocalTree) -> Option<String>>;

impl Attempt {
    /// A build that depends on what it looked at, and on nothing else.
    pub(super) fn new(outcome: Result<Documents, CommandError>, reads: ReadSet) -> Self {
        let looked_at = reads.clone();
        let change = move |tree: &LocalTree| looked_at.first_change_in(tree).map(ToString::to_string);
        Self { outcome, reads, change: Box::new(change) }
    }
}

/// Builds from `tree`, then again whenever something changes that was looked at, until Ctrl-C.
///
/// The objects are printed once, then what each save changes in them. What fails is told, and the next save is compared
/// with the last build that did not.
pub(super) async fn watch(tree: &LocalTree, build: impl Fn() -> Attempt) -> Result<(), CommandError> {
    let mut last: Option<Documents> = None;
    let mut changes = Changes::new()?;
    // One stream for all: it keeps what arrives during a build.
    let mut interrupts = signal(SignalKind::interrupt())?;
    loop {
        let Attempt { outcome, reads, change } = build();
        match outcome {
            Ok(documents) => {
                print(&last.as_ref().map_or_else(|| documents.text(), |last| documents.changes_since(last)))?;
                last = Some(documents);
            }
            Err(error) => show(&*error),
        }
        changes.follow(tree, &reads);
        waiting(format!("watching {} directories", changes.directories.len()));
        tokio::select! {
            found = changes.next(tree, &change) => action(format!("{found} has changed")),
            _ = interrupts.recv() => return Ok(()),
        }
    }
}

/// What was built, object by object.
pub(super) struct Documents(Vec<(String, String)>);

impl Documents {
    pub(super) fn of(manifests: &[Manifest], shown: Shown<'_>) -> Self {
        let name = |manifest: &Manifest| format!("{} ({})", manifest.id().subject(), manifest.gvk().api_version());
        Self(manifests.iter().map(|manifest| (name(manifest), shown.document(manifest))).collect())
    }

    fn text(&self) -> String {
        self.0.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("---\n")
    }

    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(own, _)| own == name).map_or("", |(_, text)| text)
    }

    /// A unified diff: a file for each object that has changed, come or gone.
    fn changes_since(&self, last: &Self) -> String {
        let gone = last.0.iter().filter(|(name, _)| self.get(name).is_empty());
        let names: Vec<&String> = self.0.iter().chain(gone).map(|(name, _)| name).collect();
        names.into_iter().map(|name| difference(name, last.get(name), self.get(name))).collect()
    }
}

fn difference(name: &str, before: &str, after: &str) -> String {
    let side = |side: &str, text: &str| if text.is_empty() { "/dev/null".to_owned() } else { format!("{side}/{name}") };
    let diff = TextDiff::from_lines(before, after);
    diff.unified_diff().header(&side("a", before), &side("b", after)).to_string()
}

/// What the system tells of the directories that a build has looked into.
struct Changes {
    watcher: RecommendedWatcher,
    directories: BTreeSet<PathBuf>,
    events: Receiver<()>,
}

impl Changes {
    fn new() -> Result<Self, CommandError> {
        let (sender, events) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // To look at a file is an event too, and the build itself does that.
            if !event.is_ok_and(|event| event.kind.is_access()) {
                // One event that waits is enough, so a full channel is as good.
                let _ = sender.try_send(());
            }
        })?;
        Ok(Self { watcher, directories: BTreeSet::new(), events })
    }

    /// Watches where `reads` were, and nothing else.
    fn follow(&mut self, tree: &LocalTree, reads: &ReadSet) {
        let written = reads.directories().into_iter().map(|directory| tree.full_path(&directory));
        let linked =
            reads.files().filter_map(|file| Some(tree.full_path(file).canonicalize().ok()?.parent()?.to_owned()));
        let wanted: BTreeSet<PathBuf> = written.chain(linked).filter_map(local::nearest_directory).collect();
        for gone in self.directories.difference(&wanted) {
            // A directory that is not there any more is not watched any more either.
            drop(self.watcher.unwatch(gone));
        }
        for new in wanted.difference(&self.directories) {
            drop(self.watcher.watch(new, RecursiveMode::NonRecursive));
        }
        self.directories = wanted;
    }

    /// Waits until something that matters is another, and says what.
    async fn next(&mut self, tree: &LocalTree, change: &FindChange) -> String {
        loop {
            match change(tree) {
                Some(found) => return found,
                None => self.settled().await,
            }
        }
    }

    /// Waits for an event and for the silence after it.
    async fn settled(&mut self) {
        if self.events.recv().await.is_some() {
            while timeout(QUIET, self.events.recv()).await.is_ok() {}
        }
    }
}
