//! What a stop at any instant leaves, and what many hands at once do.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use fairlead_object::Tree;

use super::*;

const ONLY_CURRENT: StoreSettings = StoreSettings { retention_ttl: Duration::ZERO, retention_records: 1 };
const FIRST: [(&str, &str); 3] = [("a.yaml", "a: 1"), ("apps/b.yaml", "b: 1"), ("apps/web/c.yaml", "c: 1")];
const SECOND: [(&str, &str); 2] = [("a.yaml", "a: 2"), ("apps/b.yaml", "b: 1")];

#[test]
fn a_stop_before_any_change_of_the_disk_leaves_nothing_named_but_missing() {
    let mut finished = false;
    for changes in 0.. {
        let folder = tempfile::tempdir().expect("a temporary folder");
        finished = live(folder.path(), stop_after(changes)).is_ok();

        let store = Store::open(folder.path(), ONLY_CURRENT).expect("a store that was stopped opens");
        for key in store.keys() {
            read_all(&store, &key).unwrap_or_else(|error| panic!("stopped after {changes} changes: {key}: {error:?}"));
        }
        store.collect(time(100)).expect("collected");
        assert_eq!(stored(folder.path()), reachable(&store), "leftovers after {changes} changes");

        drop(store);
        live(folder.path(), Box::new(|| Ok(()))).expect("a store that was stopped goes on");
        if finished {
            break;
        }
    }
    assert!(finished);
}

#[test]
fn many_hands_publish_equal_and_different_trees_while_collection_runs() {
    const HANDS: usize = 6;
    const ROUNDS: usize = 24;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(folder.path(), ONLY_CURRENT).expect("opened");
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let collector = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                store.collect(time(1_000_000)).expect("collected");
            }
        });
        let hands: Vec<_> = (0..HANDS)
            .map(|hand| {
                let store = &store;
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let shared = format!("round: {}", round / 4);
                        let own = format!("hand: {}", hand % 2 * round);
                        let files = [("shared.yaml", shared.as_str()), ("own/own.yaml", own.as_str())];
                        let key = key(&format!("source-{}", hand % 4));
                        let now = time(i64::try_from(round).expect("a small number"));
                        publish(store, &key, &format!("sha1:{hand}{round}"), &files, now).expect("published");
                        read_own(store, &files);
                    }
                })
            })
            .collect();
        for hand in hands {
            hand.join().expect("no hand fails");
        }
        is_over.store(true, Ordering::Relaxed);
        collector.join().expect("collection does not fail");
    });
    for key in store.keys() {
        read_all(&store, &key).expect("whole");
    }
    store.collect(time(1_000_000)).expect("collected");
    assert_eq!(stored(folder.path()), reachable(&store));
}

/// One short life of a store: sources come, change and go.
fn live(root: &Path, permit: Permit) -> Result<(), StoreError> {
    let store = Store::open_with(root, ONLY_CURRENT, permit)?;
    publish(&store, &key("a"), "main@sha1:1", &FIRST, time(0))?;
    publish(&store, &key("b"), "main@sha1:1", &FIRST, time(0))?;
    publish(&store, &key("a"), "main@sha1:2", &SECOND, time(1))?;
    publish_file(&store, "1", time(1))?;
    publish_file(&store, "2", time(2))?;
    store.collect(time(10))?;
    store.withdraw(&key("b"))?;
    store.collect(time(20))?;
    Ok(())
}

/// Permits `changes` changes of the disk, and then none: the process has ended.
fn stop_after(changes: usize) -> Permit {
    let seen = AtomicUsize::new(0);
    Box::new(
        move || {
            if seen.fetch_add(1, Ordering::Relaxed) < changes { Ok(()) } else { Err(io::Error::other("stopped")) }
        },
    )
}

fn publish(
    store: &Store,
    key: &SourceKey,
    revision: &str,
    files: &[(&str, &str)],
    now: Timestamp,
) -> Result<Artifact, StoreError> {
    store.publish(key, &Release::new(revision, &write(store, files)?), now)
}

/// Publishes a file, beside the tree that it stands for.
fn publish_file(store: &Store, content: &str, now: Timestamp) -> Result<Artifact, StoreError> {
    let file = store.file(&mut content.as_bytes(), 100)?;
    let tree = write(store, &[("index.yaml", content)])?;
    let name = format!("index-{content}.yaml");
    store.publish_file(&key("c"), &Release::new(content, &tree), (&name, &file), now)
}

fn write(store: &Store, files: &[(&str, &str)]) -> Result<StoredTree, StoreError> {
    let mut writer = store.writer();
    for (path, content) in files {
        let digest = writer.put(content.as_bytes())?;
        writer.add(&path.parse().expect("relative"), Mode::Regular, digest)?;
    }
    writer.finish()
}

/// Writes a tree that nobody publishes, and reads it as long as it is held.
fn read_own(store: &Store, files: &[(&str, &str)]) {
    let tree = write(store, files).expect("written");
    for (path, content) in files {
        let read = tree.read(&path.parse().expect("relative")).expect("held");
        assert_eq!(&*read, content.as_bytes());
    }
}

/// Reads everything that the current artifact of `key` stands for.
fn read_all(store: &Store, key: &SourceKey) -> Result<(), StoreError> {
    let artifact = store.artifact(key).expect("a key has an artifact");
    store.tree(&artifact.tree)?.walk(&mut |_, node| match node {
        Node::File { digest, .. } => store.objects().copy(digest, |_| Ok(())),
        Node::Directory { .. } => Ok(()),
    })?;
    let mut packed = Vec::new();
    store.objects().open(ObjectKind::Blob, &artifact.digest)?.read_to_end(&mut packed).map_err(StoreError::Input)?;
    assert_eq!((Digest::of(&packed), packed.len() as u64), (artifact.digest, artifact.size_bytes));
    Ok(())
}

/// The files that a store with these sources has, and no other.
fn reachable(store: &Store) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    for artifact in store.index().artifacts() {
        files.insert(store.objects().path(ObjectKind::Blob, &artifact.digest));
    }
    let roots: Vec<Digest> = store.index().artifacts().map(|artifact| artifact.tree).collect();
    for root in roots {
        let visited = store.tree(&root).expect("kept").walk(&mut |_, node| {
            files.insert(match node {
                Node::File { digest, .. } => store.objects().path(ObjectKind::Blob, digest),
                Node::Directory { digest } => store.objects().path(ObjectKind::Tree, digest),
            });
            Ok(())
        });
        visited.expect("whole");
    }
    files
}

/// The files that are on disk, without the index and the lock.
fn stored(root: &Path) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    let mut folders = ["blobs", "trees", "tmp"].map(|folder| root.join(folder)).to_vec();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for entry in entries {
            let path = entry.expect("listed").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path);
            }
        }
    }
    files
}

fn key(name: &str) -> SourceKey {
    SourceKey { kind: SourceKind::GitRepository, namespace: "flux-system".into(), name: name.into() }
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).expect("a time")
}
