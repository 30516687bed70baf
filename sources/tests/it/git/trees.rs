//! What of a commit becomes an artifact.

use super::{
    TestStore, anonymous, branch,
    http_server::{Behaviour, GitServer},
    refusal,
    repository::{Commit, Repository},
    shown, told,
};

fn commit(repository: &Repository, files: &[(&str, &str, &str)]) {
    repository.commit(&Commit { name: "refs/heads/main", message: "all", at: 1_700_000_000, files });
}

#[tokio::test]
async fn ignored_files_links_and_submodules_are_left_out() {
    let repository = Repository::empty();
    commit(
        &repository,
        &[
            ("100644", ".sourceignore", "*.md\n"),
            ("100644", "apps/.sourceignore", "secret.yaml\n!keep.md\n"),
            ("100644", "README.md", "read me"),
            ("100644", "apps/keep.md", "kept"),
            ("100644", "apps/secret.yaml", "left out"),
            ("100755", "apps/run.sh", "#!/bin/sh"),
            ("100644", "apps/web/deploy.yaml", "web"),
            ("120000", "link", "apps"),
            ("160000", "module", "1111111111111111111111111111111111111111"),
            ("100644", "secret.yaml", "not below apps"),
        ],
    );
    let server = GitServer::start(&repository, Behaviour::default()).await;
    let request = anonymous(&server.url(), branch("main"));
    let store = TestStore::new();
    let (_, fetched) = store.fetch(&request).await.expect("fetched");
    insta::assert_snapshot!(shown(&fetched.tree), @r"
    .sourceignore: *.md
    apps/.sourceignore: secret.yaml
    !keep.md
    apps/keep.md: kept
    apps/run.sh: #!/bin/sh
    apps/web/deploy.yaml: web
    secret.yaml: not below apps
    ");
    let (_, fetched) = store.fetch_without(&request, Some("/*\n!/apps/web\n")).await.expect("fetched");
    insta::assert_snapshot!(shown(&fetched.tree), @"apps/web/deploy.yaml: web");
}

#[tokio::test]
async fn equal_files_give_equal_trees_whatever_the_commit() {
    let repository = Repository::with_a_file();
    let server = GitServer::start(&repository, Behaviour::default()).await;
    let request = anonymous(&server.url(), branch("main"));
    let store = TestStore::new();
    let (first, one) = store.fetch(&request).await.expect("fetched");
    repository.push("refs/heads/main", "the same again", "one");
    let (second, two) = store.fetch(&request).await.expect("fetched");
    assert_ne!(first, second);
    assert_eq!(one.tree.root(), two.tree.root());
}

#[tokio::test]
async fn names_that_could_leave_the_tree_are_refused() {
    let repository = Repository::with_a_file();
    let blob = repository.git(&["rev-parse", "main:deploy.yaml"]);
    let server = GitServer::start(&repository, Behaviour::default()).await;
    let rows = [
        (".git", "the repository holds `apps/.git`, whose name stands for `.git` on some systems"),
        ("git~1", "the repository holds `apps/git~1`, whose name stands for `.git` on some systems"),
        ("..", "the repository holds `apps/..`, whose name is not a single part of a path"),
        ("a\\b", "the repository holds `apps/a\\\\b`, whose name is not a single part of a path"),
    ];
    for (name, expected) in rows {
        let apps = repository.tree(&format!("100644 blob {blob}\t{name}\0"));
        let root = repository.tree(&format!("040000 tree {apps}\tapps\0"));
        let user = ["-c", "user.name=T", "-c", "user.email=t@example.com"];
        let id = repository.git(&[user.as_slice(), &["commit-tree", "-m", "hostile", &root]].concat());
        repository.set("refs/heads/main", &id);
        let error = refusal(TestStore::new().fetch(&anonymous(&server.url(), branch("main"))).await);
        assert!(told(&error).contains(expected), "{}", told(&error));
    }
}

#[tokio::test]
async fn directories_that_go_too_deep_are_refused() {
    let repository = Repository::empty();
    let path = format!("{}deploy.yaml", "a/".repeat(100));
    commit(&repository, &[("100644", &path, "deep")]);
    let server = GitServer::start(&repository, Behaviour::default()).await;
    let error = refusal(TestStore::new().fetch(&anonymous(&server.url(), branch("main"))).await);
    assert!(told(&error).contains("exceeds the limit of 64 parts in one path"), "{}", told(&error));
}

#[tokio::test]
async fn a_tree_that_unfolds_without_end_is_refused() {
    let repository = Repository::with_a_file();
    let blob = repository.git(&["rev-parse", "main:deploy.yaml"]);
    let ten = |entry: &str| (0..10).map(|n| format!("{entry}\t{n}\0")).collect::<Vec<_>>().concat();
    let mut entries = ten(&format!("100644 blob {blob}"));
    for _ in 0..9 {
        let below = repository.tree(&entries);
        entries = ten(&format!("040000 tree {below}"));
    }
    let root = repository.tree(&entries);
    let user = ["-c", "user.name=T", "-c", "user.email=t@example.com"];
    let id = repository.git(&[user.as_slice(), &["commit-tree", "-m", "bomb", &root]].concat());
    repository.set("refs/heads/main", &id);
    let server = GitServer::start(&repository, Behaviour::default()).await;
    let error = refusal(TestStore::new().fetch(&anonymous(&server.url(), branch("main"))).await);
    assert!(told(&error).contains("exceeds the limit of 1000000 entries"), "{}", told(&error));
}
