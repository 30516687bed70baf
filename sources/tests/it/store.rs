//! What is published stays, what nobody needs goes, and what is damaged is noticed.

use std::fs;

use fairlead_object::{Digest, Tree, TreePath};
use fairlead_sources::store::{Mode, Release, SourceKey, SourceKind, Store, StoreError, StoreSettings, TreeWriter};

use crate::scene::{Scene, artifact_tree, at, chain, contents, files_below, key, path, tree};

const FIRST: [(&str, &str); 3] = [("a.yaml", "a: 1"), ("apps/web/b.yaml", "b: 1"), ("apps/run.sh", "echo")];
const SECOND: [(&str, &str); 3] = [("a.yaml", "a: 2"), ("apps/web/b.yaml", "b: 1"), ("apps/run.sh", "echo")];

#[test]
fn an_artifact_reads_as_flux_reports_it() {
    let scene = Scene::new();
    let artifact = scene.publish("shop", "main@sha1:4f2a", &FIRST, 0);
    let json = serde_json::to_string_pretty(&artifact).expect("JSON");
    insta::assert_snapshot!(json, @r#"
    {
      "revision": "main@sha1:4f2a",
      "digest": "sha256:89867a5887b61746a570beea83be6f936292906843200f54654d62a1375fef51",
      "sizeBytes": 186,
      "path": "gitrepository/flux-system/shop/4f2a.tar.gz",
      "lastUpdateTime": "2026-01-02T03:04:05Z",
      "tree": "sha256:bfc629d262bfdfe06efccc54feebdded6a66e66f8c5390ab590815623ae14e44",
      "form": "Packed"
    }
    "#);
    assert_eq!(scene.store.artifact(&key("shop")), Some(artifact));
}

#[test]
fn a_tree_is_read_as_it_was_written() {
    let scene = Scene::new();
    let tree = tree(&scene.store, &FIRST);
    insta::assert_snapshot!(contents(&tree).expect("whole"), @r"
    a.yaml: a: 1
    apps/run.sh: echo
    apps/web/b.yaml: b: 1
    ");
    let digest = tree.digest(&path("a.yaml")).expect("a file");
    assert_eq!(digest, Digest::of(b"a: 1"));
    let errors = [
        tree.read(&path("apps")).expect_err("a directory"),
        tree.read(&path("apps/web/b.yaml/c")).expect_err("below a file"),
        tree.list(&path("a.yaml")).expect_err("a file"),
        tree.list(&path("nothing")).expect_err("not there"),
    ];
    insta::assert_snapshot!(errors.map(|error| error.to_string()).join("\n"), @r"
    `apps` is a directory
    `apps/web/b.yaml/c` does not exist
    `a.yaml` is not a directory
    `nothing` does not exist
    ");
    assert_eq!(tree.entry(&path("nothing")).expect("read"), None);
    assert!(tree.entry(&TreePath::root()).expect("read").is_some());
}

#[test]
fn equal_files_and_folders_are_stored_once() {
    let scene = Scene::new();
    scene.publish("shop", "main@sha1:1", &FIRST, 0);
    assert_eq!(scene.census(), "4 blobs, 3 trees, 1 sources");
    // One new file, the root that lists it, and the packed form.
    scene.publish("shop", "main@sha1:2", &SECOND, 1);
    assert_eq!(scene.census(), "6 blobs, 4 trees, 1 sources");
    for source in 0..10 {
        scene.publish(&format!("copy-{source}"), "main@sha1:2", &SECOND, 2);
    }
    assert_eq!(scene.census(), "6 blobs, 4 trees, 11 sources");
}

#[test]
fn publishing_what_is_current_changes_nothing() {
    let scene = Scene::new();
    let first = scene.publish("shop", "main@sha1:1", &FIRST, 0);
    assert_eq!(scene.publish("shop", "main@sha1:1", &FIRST, 60), first);
    let other_content = scene.publish("shop", "main@sha1:1", &SECOND, 60);
    assert_eq!(other_content.path, first.path);
    assert_ne!(other_content.digest, first.digest);
    assert_ne!(other_content.last_update_time, first.last_update_time);
}

#[test]
fn after_a_restart_everything_is_there() {
    let scene = Scene::new();
    let published = scene.publish("shop", "main@sha1:1", &FIRST, 0);
    scene.publish("gone", "main@sha1:1", &SECOND, 0);
    scene.store.withdraw(&key("gone")).expect("withdrawn");
    let scene = scene.restarted();
    assert_eq!(scene.store.keys(), [key("shop")]);
    assert_eq!(scene.store.artifact(&key("shop")), Some(published.clone()));
    assert_eq!(scene.publish("shop", "main@sha1:1", &FIRST, 60), published);
    let read = contents(&artifact_tree(&scene.store, "shop").expect("kept"));
    assert_eq!(read.expect("whole").lines().count(), 3);
}

#[test]
fn a_second_process_is_kept_out() {
    let scene = Scene::new();
    let Err(error) = Store::open(scene.root(), StoreSettings::default()) else { panic!("opened twice") };
    assert!(matches!(error, StoreError::InUse(_)), "{error}");
}

#[test]
fn collection_keeps_what_retention_covers_and_removes_the_rest() {
    let scene = Scene::new();
    scene.publish("shop", "main@sha1:1", &[("a", "1")], 0);
    scene.publish("shop", "main@sha1:2", &[("a", "2")], 10);
    scene.publish("shop", "main@sha1:3", &[("a", "3")], 20);
    let mut history = Vec::new();
    for second in [20, 70, 71, 1000] {
        let collected = scene.store.collect(at(second)).expect("collected");
        history.push(format!("{second} s: {} revisions gone, {}", collected.revisions, scene.census()));
    }
    scene.store.withdraw(&key("shop")).expect("withdrawn");
    scene.store.collect(at(1000)).expect("collected");
    history.push(format!("withdrawn: {}", scene.census()));
    insta::assert_snapshot!(history.join("\n"), @r"
    20 s: 1 revisions gone, 4 blobs, 2 trees, 1 sources
    70 s: 0 revisions gone, 4 blobs, 2 trees, 1 sources
    71 s: 1 revisions gone, 2 blobs, 1 trees, 1 sources
    1000 s: 0 revisions gone, 2 blobs, 1 trees, 1 sources
    withdrawn: 0 blobs, 0 trees, 0 sources
    ");
}

#[test]
fn what_is_read_or_not_yet_published_is_never_removed() {
    let scene = Scene::new();
    let reader = tree(&scene.store, &FIRST);
    let mut writer = scene.store.writer();
    let digest = writer.put(b"unfinished").expect("put");
    scene.store.collect(at(0)).expect("collected");

    assert_eq!(contents(&reader).expect("whole").lines().count(), 3);
    writer.add(&path("late.yaml"), Mode::Regular, digest).expect("still there");
    let finished = writer.finish().expect("finished");
    scene.store.collect(at(0)).expect("collected");
    assert_eq!(contents(&finished).expect("whole"), "late.yaml: unfinished\n");

    drop((reader, finished));
    scene.store.collect(at(0)).expect("collected");
    assert_eq!(scene.census(), "0 blobs, 0 trees, 0 sources");
}

#[test]
fn a_content_that_was_collected_must_be_put_again() {
    let scene = Scene::new();
    let digest = scene.store.writer().put(b"a: 1").expect("put");
    scene.store.collect(at(0)).expect("collected");
    let mut writer = scene.store.writer();
    let error = writer.add(&path("a.yaml"), Mode::Regular, digest).expect_err("collected");
    assert!(matches!(error, StoreError::Missing { .. }), "{error}");
    let digest = writer.put(b"a: 1").expect("put");
    writer.add(&path("a.yaml"), Mode::Regular, digest).expect("added");
}

#[test]
fn damage_is_reported_counts_as_missing_and_is_healed_by_publishing_again() {
    for (kind, damaged) in [("blobs", "a: 1"), ("blobs", "b: 1"), ("trees", "")] {
        let scene = Scene::new();
        let artifact = scene.publish("shop", "main@sha1:1", &FIRST, 0);
        let digest = if kind == "trees" { artifact.tree } else { Digest::of(damaged.as_bytes()) };
        let file = scene.file_of(kind, &digest);
        let mut content = fs::read(&file).expect("stored");
        content[0] ^= 1;
        fs::write(&file, content).expect("damaged");

        let scene = scene.restarted();
        let error = contents(&artifact_tree(&scene.store, "shop").expect("named")).expect_err("damaged");
        assert!(error.contains(&format!("{digest} is damaged: `{}`", file.display())), "{error}");
        assert_eq!(scene.store.artifact(&key("shop")), None);

        let healed = scene.publish("shop", "main@sha1:1", &FIRST, 60);
        assert_eq!(healed, artifact);
        assert_eq!(contents(&artifact_tree(&scene.store, "shop").expect("named")).expect("whole").lines().count(), 3);
    }
}

#[test]
fn what_is_put_again_is_right_whatever_was_there() {
    let scene = Scene::new();
    let artifact = scene.publish("shop", "main@sha1:1", &FIRST, 0);
    for digest in FIRST.map(|(_, content)| Digest::of(content.as_bytes())) {
        fs::write(scene.file_of("blobs", &digest), "").expect("cut short");
    }
    assert_eq!(scene.publish("shop", "main@sha1:1", &FIRST, 60), artifact);
    assert_eq!(contents(&artifact_tree(&scene.store, "shop").expect("named")).expect("whole").lines().count(), 3);
}

#[test]
fn a_lost_content_counts_as_missing_too() {
    let scene = Scene::new();
    let artifact = scene.publish("shop", "main@sha1:1", &FIRST, 0);
    fs::remove_dir_all(scene.root().join("blobs")).expect("removed");
    let error = contents(&artifact_tree(&scene.store, "shop").expect("named")).expect_err("gone");
    assert!(error.contains("is not in the store"), "{error}");
    assert_eq!(scene.store.artifact(&key("shop")), None);
    assert_eq!(scene.publish("shop", "main@sha1:1", &FIRST, 60), artifact);
}

#[test]
fn a_damaged_index_entry_is_dropped_and_the_others_stay() {
    let scene = Scene::new();
    scene.publish("shop", "main@sha1:1", &FIRST, 0);
    let damaged = files_below(&scene.root().join("index")).remove(0);
    scene.publish("other", "main@sha1:1", &FIRST, 0);
    let content = fs::read_to_string(&damaged).expect("stored").replace("sha1:1", "sha1:2");
    fs::write(&damaged, content).expect("damaged");
    assert_eq!(scene.restarted().store.keys(), [key("other")]);
}

#[test]
fn trees_that_cannot_be_are_refused_by_name() {
    let scene = Scene::new();
    let mut writer = scene.store.writer();
    let digest = writer.put(b"").expect("put");
    writer.add(&path("a"), Mode::Regular, digest).expect("added");
    writer.add(&path("b/c"), Mode::Regular, digest).expect("added");
    let deep = ["d"; TreeWriter::DEPTH_LIMIT + 1].join("/");
    let errors = ["a", "a/b", "b", ".", &deep].map(|refused| {
        let error = writer.add(&path(refused), Mode::Regular, digest).expect_err(refused);
        error.to_string().replace(&deep, "d/…/d")
    });
    insta::assert_snapshot!(errors.join("\n"), @r"
    `a` is in the source twice, or is both a file and a directory
    `a/b` is in the source twice, or is both a file and a directory
    `b` is in the source twice, or is both a file and a directory
    `.` is in the source twice, or is both a file and a directory
    `d/…/d` exceeds the limit of 64 parts in one path
    ");
}

#[test]
fn only_safe_names_and_revisions_become_paths() {
    let scene = Scene::new();
    let tree = tree(&scene.store, &[]);
    let key = |kind, namespace: &str, name: &str| SourceKey { kind, namespace: namespace.into(), name: name.into() };
    let git = SourceKind::GitRepository;
    let rows = [
        (key(git, "team-a", "web"), "main@sha1:4f2a"),
        (key(git, "team-a", "web"), "sha1:4f2a"),
        (key(git, "team-a", "web"), "refs/pull/7/head@sha1:4f2a"),
        (key(SourceKind::OciRepository, "team-a", "web"), "6.0.3@sha256:77ab"),
        (key(SourceKind::OciRepository, "team-a", "web"), "sha256:77ab"),
        (key(SourceKind::Bucket, "team-a", "web"), "sha256:77ab"),
        (key(git, "..", "web"), "sha1:4f2a"),
        (key(git, "team-a", "a/../../b"), "sha1:4f2a"),
        (key(git, "team-a", ""), "sha1:4f2a"),
        (key(git, "team-a", "web"), "main@sha1:../../../x"),
        (key(git, "team-a", "web"), "main@sha1:"),
    ];
    let told = rows.map(|(key, revision)| match scene.store.publish(&key, &Release::new(revision, &tree), at(0)) {
        Ok(artifact) => artifact.path,
        Err(error) => chain(&error),
    });
    insta::assert_snapshot!(told.join("\n"), @r"
    gitrepository/team-a/web/4f2a.tar.gz
    gitrepository/team-a/web/4f2a.tar.gz
    gitrepository/team-a/web/4f2a.tar.gz
    ocirepository/team-a/web/sha256:77ab.tar.gz
    ocirepository/team-a/web/sha256:77ab.tar.gz
    bucket/team-a/web/77ab.tar.gz
    GitRepository ../web: `..` cannot stand in the path of an artifact
    GitRepository team-a/a/../../b: `a/../../b` cannot stand in the path of an artifact
    GitRepository team-a/: `` cannot stand in the path of an artifact
    GitRepository team-a/web: `../../../x.tar.gz` cannot stand in the path of an artifact
    GitRepository team-a/web: `.tar.gz` cannot stand in the path of an artifact
    ");
}
