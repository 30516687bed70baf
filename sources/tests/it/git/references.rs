//! What each kind of reference resolves to and brings, in both versions of the protocol.

use fairlead_sources::{
    fetch::SourceError,
    git::{GitReference, fetch, resolve},
};

use super::{
    TestStore, anonymous, branch,
    http_server::{Behaviour, GitServer, Speaks},
    means, refusal,
    repository::{Commit, Repository},
    shown, told,
};

const BOTH: [Speaks; 2] = [Speaks::Version2, Speaks::Version0];

fn speaking(speaks: Speaks) -> Behaviour {
    Behaviour { speaks, ..Behaviour::default() }
}

#[tokio::test]
async fn every_kind_of_reference_brings_its_commit() {
    let repository = Repository::empty();
    let main = repository.push("refs/heads/main", "main", "main");
    let nested = repository.push("refs/heads/feature/x", "nested", "nested");
    let pull = repository.push("refs/pull/1/head", "pull", "pull");
    let light = repository.push("refs/tags/v1.0.0", "light", "light");
    let annotated = repository.push("refs/heads/release", "annotated", "annotated");
    repository.annotate("v1.2.0", &annotated);
    repository.set("refs/tags/v2.0.0-rc.1", &main);
    let tag = |name: &str| GitReference::Tag(name.to_owned());
    let range = |range: &str| GitReference::Semver(range.to_owned());
    let name = |name: &str| GitReference::Name(name.to_owned());
    let rows = [
        (branch("main"), format!("main@sha1:{main}"), "main"),
        (branch("feature/x"), format!("feature/x@sha1:{nested}"), "nested"),
        (tag("v1.0.0"), format!("v1.0.0@sha1:{light}"), "light"),
        (tag("v1.2.0"), format!("v1.2.0@sha1:{annotated}"), "annotated"),
        (range("1.x"), format!("v1.2.0@sha1:{annotated}"), "annotated"),
        (range("<1.2.0"), format!("v1.0.0@sha1:{light}"), "light"),
        (range(">=1.0.0-0"), format!("v2.0.0-rc.1@sha1:{main}"), "main"),
        (name("refs/pull/1/head"), format!("refs/pull/1/head@sha1:{pull}"), "pull"),
        (name("refs/heads/main"), format!("refs/heads/main@sha1:{main}"), "main"),
        (name("refs/tags/v1.2.0^{}"), format!("refs/tags/v1.2.0^{{}}@sha1:{annotated}"), "annotated"),
        (GitReference::Commit { commit: nested.clone(), branch: None }, format!("sha1:{nested}"), "nested"),
        (
            GitReference::Commit { commit: main.clone(), branch: Some("main".to_owned()) },
            format!("main@sha1:{main}"),
            "main",
        ),
    ];
    for speaks in BOTH {
        let server = GitServer::start(&repository, speaking(speaks)).await;
        let store = TestStore::new();
        for (reference, revision, content) in rows.clone() {
            let request = anonymous(&server.url(), reference.clone());
            let (got, fetched) =
                store.fetch(&request).await.unwrap_or_else(|error| panic!("{reference:?}: {}", told(&error)));
            assert_eq!(got, revision, "{reference:?}");
            assert_eq!(shown(&fetched.tree), format!("deploy.yaml: {content}"), "{reference:?}");
            assert_eq!(fetched.subject, content, "{reference:?}");
        }
    }
}

#[tokio::test]
async fn a_commit_that_no_ref_names_is_found_in_the_history_of_branches() {
    let repository = Repository::empty();
    let first = repository.push("refs/heads/main", "first", "one");
    repository.import(&format!(
        "commit refs/heads/main\ncommitter T <t@example.com> 1700000001 +0000\ndata 6\nsecond\nfrom {first}\n\
         M 100644 inline deploy.yaml\ndata 3\ntwo\n"
    ));
    for speaks in BOTH {
        let server = GitServer::start(&repository, speaking(speaks)).await;
        let request = anonymous(&server.url(), GitReference::Commit { commit: first.clone(), branch: None });
        let store = TestStore::new();
        let (_, fetched) = store.fetch(&request).await.expect("fetched");
        assert_eq!(shown(&fetched.tree), "deploy.yaml: one");
    }
}

#[tokio::test]
async fn of_tags_that_differ_in_build_metadata_the_youngest_commit_counts() {
    let repository = Repository::empty();
    let tagged = |tag: &str, at: i64| {
        let files = &[("100644", "deploy.yaml", tag)];
        repository.commit(&Commit { name: &format!("refs/tags/{tag}"), message: tag, at, files })
    };
    tagged("1.0.0+z", 1_700_000_000);
    let youngest = tagged("1.0.0+m", 1_700_000_900);
    tagged("1.0.0+a", 1_700_000_100);
    for speaks in BOTH {
        let server = GitServer::start(&repository, speaking(speaks)).await;
        let request = anonymous(&server.url(), GitReference::Semver("1.0.x".to_owned()));
        let resolved = resolve(&request).await.expect("resolved");
        assert_eq!(resolved.revision, format!("1.0.0+m@sha1:{youngest}"));
    }
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let repository = Repository::with_a_file();
    let server = GitServer::start(&repository, Behaviour::default()).await;
    let masked = |text: String| text.replace(&server.port().to_string(), "PORT");
    let mut told_all = Vec::new();
    for reference in [
        branch("gone"),
        GitReference::Tag("v1".to_owned()),
        GitReference::Semver(">=1".to_owned()),
        GitReference::Semver("one".to_owned()),
        GitReference::Name("refs/pull/1/head".to_owned()),
        GitReference::Commit { commit: "abc".to_owned(), branch: None },
        GitReference::Commit { commit: "a".repeat(40), branch: None },
    ] {
        let error = refusal(TestStore::new().fetch(&anonymous(&server.url(), reference)).await);
        assert_eq!((error.reason(), error.is_terminal()), ("GitOperationFailed", false));
        told_all.push(masked(told(&error)));
    }
    insta::assert_snapshot!(told_all.join("\n\n"), @r#"
    failed to checkout and determine revision: unable to clone 'http://127.0.0.1:PORT/repository.git'
      caused by: couldn't find remote ref "refs/heads/gone"
    hint: check `spec.ref`, or whether the ref was deleted

    failed to checkout and determine revision: unable to clone 'http://127.0.0.1:PORT/repository.git'
      caused by: couldn't find remote ref "refs/tags/v1"
    hint: check `spec.ref`, or whether the ref was deleted

    failed to checkout and determine revision: unable to clone 'http://127.0.0.1:PORT/repository.git'
      caused by: no match found for semver: >=1
    hint: a tag must be three numbers, with or without `v`; pre-releases need a range such as `>=1.0.0-0`

    failed to checkout and determine revision: unable to clone 'http://127.0.0.1:PORT/repository.git'
      caused by: malformed semver range `one`
      caused by: `one` is not a version

    failed to checkout and determine revision: unable to clone 'http://127.0.0.1:PORT/repository.git'
      caused by: unable to resolve ref 'refs/pull/1/head' to a specific commit
    hint: check `spec.ref`, or whether the ref was deleted

    failed to checkout and determine revision: unable to clone 'http://127.0.0.1:PORT/repository.git'
      caused by: `abc` is not a commit id of 40 hex digits

    failed to checkout and determine revision: unable to clone 'http://127.0.0.1:PORT/repository.git'
      caused by: object not found: the server has no commit aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    hint: it may be gone after a forced push; name a branch, or a commit that a ref still reaches
    "#);
}

#[tokio::test]
async fn an_empty_repository_says_so() {
    let repository = Repository::empty();
    for speaks in BOTH {
        let server = GitServer::start(&repository, speaking(speaks)).await;
        let error = refusal(resolve(&anonymous(&server.url(), branch("main"))).await);
        assert_eq!(error.reason(), "EmptyGitRepository");
        assert!(error.to_string().starts_with("git repository is empty: 'http://127.0.0.1:"), "{error}");
    }
}

#[tokio::test]
async fn a_forced_push_is_followed_and_a_deleted_branch_is_missed() {
    let repository = Repository::with_a_file();
    let server = GitServer::start(&repository, Behaviour::default()).await;
    let request = anonymous(&server.url(), branch("main"));
    let store = TestStore::new();
    let before = resolve(&request).await.expect("resolved");

    repository.push("refs/heads/main", "rewritten", "two");
    repository.git(&["gc", "--quiet", "--prune=now"]);
    let gone = refusal(fetch(&request, &before, &means(&store.store, None)).await);
    assert!(told(&gone).contains("object not found: the server has no commit"), "{}", told(&gone));
    let (_, fetched) = store.fetch(&request).await.expect("fetched");
    assert_eq!(shown(&fetched.tree), "deploy.yaml: two");

    repository.push("refs/heads/other", "other", "three");
    repository.git(&["update-ref", "-d", "refs/heads/main"]);
    let deleted = refusal(resolve(&request).await);
    assert!(told(&deleted).contains("couldn't find remote ref \"refs/heads/main\""), "{}", told(&deleted));
}

#[tokio::test]
async fn a_repository_with_longer_ids_is_refused_by_name() {
    let repository = Repository::empty();
    std::fs::remove_dir_all(repository.path()).expect("removed");
    std::fs::create_dir(repository.path()).expect("created");
    repository.git(&["init", "--quiet", "--bare", "--object-format=sha256", "-b", "main"]);
    repository.push("refs/heads/main", "first", "one");
    let server = GitServer::start(&repository, Behaviour::default()).await;
    let error = refusal(resolve(&anonymous(&server.url(), branch("main"))).await);
    assert!(told(&error).contains("repositories in sha256 are not supported"), "{}", told(&error));
}
