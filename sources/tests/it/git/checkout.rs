//! What of a commit is taken, and the submodules that come along.

use fairlead_sources::git::{Checkout, GitError, GitRequest, Submodules};

use super::{
    TestStore, anonymous, branch,
    http_server::{Behaviour, GitServer},
    refusal,
    repository::{Commit, Repository},
    secret, shown, told, with_secret,
};

const BASIC: &str = "Basic dXNlcjpodW50ZXIy";

fn commit(repository: &Repository, files: &[(&str, &str, &str)]) -> String {
    repository.commit(&Commit { name: "refs/heads/main", message: "all", at: 1_700_000_000, files })
}

/// Puts a copy of `other` beside `repository`, where the same server serves it.
fn put_beside(repository: &Repository, other: &Repository, name: &str) {
    let (from, to) = (other.path(), repository.root().join(name));
    repository.git(&["clone", "--quiet", "--bare", &from.display().to_string(), &to.display().to_string()]);
}

fn gitmodules(path: &str, url: &str) -> String {
    format!("[submodule \"one\"]\n\tpath = {path}\n\turl = {url}\n")
}

fn with_submodules(request: GitRequest) -> GitRequest {
    GitRequest { checkout: Checkout { submodules: Submodules::Fetch, ..Checkout::default() }, ..request }
}

/// The error of a repository whose submodule at `module` has this URL.
async fn refusal_of(url: &str) -> GitError {
    let repository = Repository::empty();
    let text = gitmodules("module", url);
    commit(&repository, &[("100644", ".gitmodules", &text), ("160000", "module", &"1".repeat(40))]);
    let server = GitServer::start(&repository, Behaviour::default()).await;
    let request = with_submodules(anonymous(&server.url(), branch("main")));
    refusal(TestStore::new().fetch(&request).await)
}

#[tokio::test]
async fn submodules_are_fetched_at_the_commits_that_the_trees_name() {
    let deep = Repository::empty();
    let deep_commit = commit(&deep, &[("100644", "deep.yaml", "deep")]);
    let base = Repository::empty();
    let text = gitmodules("inner/deep", "../deep.git");
    let base_commit = commit(
        &base,
        &[("100644", ".gitmodules", &text), ("100644", "base.yaml", "first"), ("160000", "inner/deep", &deep_commit)],
    );
    commit(&base, &[("100644", "base.yaml", "second")]);
    let repository = Repository::empty();
    let text = gitmodules("vendor/base", "../base.git");
    commit(
        &repository,
        &[("100644", ".gitmodules", &text), ("100644", "a.yaml", "own"), ("160000", "vendor/base", &base_commit)],
    );
    put_beside(&repository, &base, "base.git");
    put_beside(&repository, &deep, "deep.git");
    let server = GitServer::start(&repository, Behaviour::default()).await;
    let store = TestStore::new();
    let request = anonymous(&server.url(), branch("main"));
    let (_, fetched) =
        store.fetch(&with_submodules(request.clone())).await.unwrap_or_else(|error| panic!("{}", told(&error)));
    insta::assert_snapshot!(shown(&fetched.tree), @r"
    a.yaml: own
    vendor/base/base.yaml: first
    vendor/base/inner/deep/deep.yaml: deep
    ");
    assert_eq!(store.leftovers(), 0);
    let (_, fetched) = store.fetch(&request).await.expect("fetched");
    assert_eq!(shown(&fetched.tree), "a.yaml: own");
}

#[tokio::test]
async fn credentials_go_to_no_other_server() {
    let base = Repository::empty();
    let base_commit = commit(&base, &[("100644", "base.yaml", "base")]);
    let elsewhere = GitServer::start(&base, Behaviour::default()).await;
    let repository = Repository::empty();
    let text = gitmodules("base", &elsewhere.url());
    commit(&repository, &[("100644", ".gitmodules", &text), ("160000", "base", &base_commit)]);
    let closed = Behaviour { authorization: Some(BASIC.to_owned()), ..Behaviour::default() };
    let server = GitServer::start(&repository, closed).await;
    let data = secret([("username", "user"), ("password", "hunter2")]);
    let request = with_submodules(with_secret(&server.url(), branch("main"), &data));
    let store = TestStore::new();
    let (_, fetched) = store.fetch(&request).await.unwrap_or_else(|error| panic!("{}", told(&error)));
    assert_eq!(shown(&fetched.tree), "base/base.yaml: base");
    assert!(server.seen().iter().any(|seen| seen.authorization.as_deref() == Some(BASIC)));
    assert!(elsewhere.seen().iter().all(|seen| seen.authorization.is_none()));
}

#[tokio::test]
async fn urls_of_submodules_that_are_not_asked_are_refused() {
    for (url, problem) in [
        ("file:///etc", "the URL that `.gitmodules` names is not one of `http`, `https` or `ssh`"),
        ("/etc", "the URL that `.gitmodules` names is not one of `http`, `https` or `ssh`"),
        ("ext::sh -c true", "the URL that `.gitmodules` names is not one of `http`, `https` or `ssh`"),
        ("git@example.org:base.git", "the URL that `.gitmodules` names is not one of `http`, `https` or `ssh`"),
        ("../../../base.git", "the URL that `.gitmodules` names leads out of its server"),
    ] {
        let told = told(&refusal_of(url).await);
        assert!(told.contains("submodule `module`") && told.contains(problem), "{url}: {told}");
    }
}

#[tokio::test]
async fn a_repository_that_is_its_own_submodule_is_not_fetched_without_end() {
    let repository = Repository::empty();
    let text = gitmodules("again", &format!("./../{}", Repository::NAME));
    let first = commit(&repository, &[("100644", "a.yaml", "a")]);
    commit(&repository, &[("100644", ".gitmodules", &text), ("160000", "again", &first)]);
    let mut last = repository.git(&["rev-parse", "main"]);
    for _ in 0..11 {
        last = commit(&repository, &[("100644", ".gitmodules", &text), ("160000", "again", &last)]);
    }
    let server = GitServer::start(&repository, Behaviour::default()).await;
    let error = refusal(TestStore::new().fetch(&with_submodules(anonymous(&server.url(), branch("main")))).await);
    assert!(told(&error).contains("exceeds the limit of 10 submodules in one another"), "{}", told(&error));
}

#[tokio::test]
async fn of_a_sparse_checkout_only_what_begins_so_is_kept() {
    let repository = Repository::empty();
    commit(
        &repository,
        &[
            ("100644", ".sourceignore", "*.md\n"),
            ("100644", "apps/web.yaml", "web"),
            ("100644", "apps-old/web.yaml", "old"),
            ("100644", "base/one/a.yaml", "one"),
            ("100644", "base/two/a.yaml", "two"),
        ],
    );
    let server = GitServer::start(&repository, Behaviour::default()).await;
    let sparse = |paths: &[&str]| {
        let sparse = paths.iter().map(|path| (*path).to_owned()).collect();
        let request = anonymous(&server.url(), branch("main"));
        GitRequest { checkout: Checkout { sparse, ..Checkout::default() }, ..request }
    };
    let store = TestStore::new();
    let (_, fetched) = store.fetch(&sparse(&["./apps", "base/two"])).await.expect("fetched");
    insta::assert_snapshot!(shown(&fetched.tree), @r"
    apps/web.yaml: web
    apps-old/web.yaml: old
    base/two/a.yaml: two
    ");
    let error = refusal(store.fetch(&sparse(&["apps", "none"])).await);
    assert!(told(&error).contains("failed to sparse checkout directories : sparse checkout dir 'none' does not exist"));
}

#[tokio::test]
async fn cve_2026_47680_flux_a_sparse_checkout_does_not_lead_out_of_the_repository() {
    let repository = Repository::with_a_file();
    let server = GitServer::start(&repository, Behaviour::default()).await;
    for path in ["../deploy.yaml", "/etc", "a/../../b", "..", ".git"] {
        let checkout = Checkout { sparse: vec![path.to_owned()], ..Checkout::default() };
        let request = GitRequest { checkout, ..anonymous(&server.url(), branch("main")) };
        let error = told(&refusal(TestStore::new().fetch(&request).await));
        assert!(error.contains("failed to sparse checkout directories"), "{path}: {error}");
    }
}
