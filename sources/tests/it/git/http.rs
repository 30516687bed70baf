//! HTTP: what is asked, who may ask, and what goes wrong on the way.

use std::time::{Duration, Instant};

use fairlead_sources::{
    fetch::SourceError,
    git::{GitRequest, fetch, resolve},
    transport::Proxy,
};
use tokio::net::TcpListener;

use super::{
    PATIENCE, TestStore, anonymous, branch,
    http_server::{Behaviour, GitServer, Redirect, Speaks, Trouble},
    means, refusal,
    repository::Repository,
    secret, shown, told, with_secret,
};
use crate::proxy::TestProxy;

/// `Basic` for `user` and `hunter2`.
const BASIC: &str = "Basic dXNlcjpodW50ZXIy";

#[tokio::test]
async fn an_unchanged_remote_costs_one_list_of_refs() {
    let repository = Repository::with_a_file();
    let rows = [(Speaks::Version2, "GET refs, POST git-upload-pack"), (Speaks::Version0, "GET refs")];
    for (speaks, expected) in rows {
        let server = GitServer::start(&repository, Behaviour { speaks, ..Behaviour::default() }).await;
        resolve(&anonymous(&server.url(), branch("main"))).await.expect("resolved");
        assert_eq!(server.seen_in_short(), expected);
    }
}

#[tokio::test]
async fn a_poll_does_not_grow_with_the_number_of_branches() {
    let repository = Repository::with_a_file();
    let main = repository.git(&["rev-parse", "main"]);
    let resets: Vec<String> = (0..1000).map(|n| format!("reset refs/heads/topic-{n}\nfrom {main}\n\n")).collect();
    repository.import(&resets.concat());
    let server = GitServer::start(&repository, Behaviour::default()).await;
    resolve(&anonymous(&server.url(), branch("main"))).await.expect("resolved");
    let answer_bytes: usize = server.seen().iter().map(|seen| seen.answer_bytes).sum();
    assert!(answer_bytes < 1000, "{answer_bytes} bytes");
}

#[tokio::test]
async fn credentials_are_sent_from_the_secret_or_the_url() {
    let repository = Repository::with_a_file();
    let behaviour =
        |authorization: &str| Behaviour { authorization: Some(authorization.to_owned()), ..Behaviour::default() };
    let basic = GitServer::start(&repository, behaviour(BASIC)).await;
    let bearer = GitServer::start(&repository, behaviour("Bearer hunter2")).await;
    let with_user = basic.url().replace("http://", "http://user:hunter2@");
    let requests = [
        with_secret(&basic.url(), branch("main"), &secret([("username", "user"), ("password", "hunter2")])),
        anonymous(&with_user, branch("main")),
        with_secret(&bearer.url(), branch("main"), &secret([("bearerToken", "hunter2")])),
    ];
    let store = TestStore::new();
    for request in requests {
        let (_, fetched) = store.fetch(&request).await.unwrap_or_else(|error| panic!("{}", told(&error)));
        assert_eq!(shown(&fetched.tree), "deploy.yaml: one");
    }
}

#[tokio::test]
async fn missing_and_expired_credentials_are_told_apart_without_showing_them() {
    let repository = Repository::with_a_file();
    let server =
        GitServer::start(&repository, Behaviour { authorization: Some(BASIC.to_owned()), ..Behaviour::default() })
            .await;
    let expired = secret([("username", "user"), ("password", "expired-canary")]);
    let in_url = server.url().replace("http://", "http://user:expired-canary@");
    let requests = [
        anonymous(&server.url(), branch("main")),
        with_secret(&server.url(), branch("main"), &expired),
        anonymous(&in_url, branch("main")),
    ];
    let mut told_all = Vec::new();
    for request in requests {
        told_all.push(told(&refusal(resolve(&request).await)).replace(&server.port().to_string(), "PORT"));
    }
    let told_all = told_all.join("\n\n");
    assert!(!told_all.contains("canary"), "{told_all}");
    insta::assert_snapshot!(told_all, @r"
    failed to checkout and determine revision: unable to clone 'http://127.0.0.1:PORT/repository.git'
      caused by: authentication required: the server wants credentials, and there are none
    hint: name a Secret with credentials in `spec.secretRef`

    failed to checkout and determine revision: unable to clone 'http://127.0.0.1:PORT/repository.git'
      caused by: authorization failed: the server does not accept the credentials
    hint: check that the credentials in `spec.secretRef` are valid and not expired

    failed to checkout and determine revision: unable to clone 'http://***@127.0.0.1:PORT/repository.git'
      caused by: authorization failed: the server does not accept the credentials
    hint: check that the credentials in `spec.secretRef` are valid and not expired
    ");
}

#[tokio::test]
async fn a_redirect_to_another_host_is_followed_without_credentials() {
    let repository = Repository::with_a_file();
    let open = GitServer::start(&repository, Behaviour::default()).await;
    let closed =
        GitServer::start(&repository, Behaviour { authorization: Some(BASIC.to_owned()), ..Behaviour::default() })
            .await;
    let credentials = secret([("username", "user"), ("password", "hunter2")]);
    for (target, succeeds) in [(&open, true), (&closed, false)] {
        let redirect = Some(Redirect { from: "", to: target.base_at("127.0.0.1") });
        let server = GitServer::start(&repository, Behaviour { redirect, ..Behaviour::default() }).await;
        let outcome = TestStore::new().fetch(&with_secret(&server.url(), branch("main"), &credentials)).await;
        assert_eq!(outcome.is_ok(), succeeds);
        assert!(server.seen().iter().all(|seen| seen.authorization.as_deref() == Some(BASIC)));
        let arrived = target.seen();
        assert!(!arrived.is_empty() && arrived.iter().all(|seen| seen.authorization.is_none()), "{arrived:?}");
    }
}

#[tokio::test]
async fn a_redirect_within_the_host_keeps_the_credentials() {
    let repository = Repository::with_a_file();
    let authorization = Some(BASIC.to_owned());
    let redirect = Some(Redirect { from: "/old", to: String::new() });
    let server = GitServer::start(&repository, Behaviour { authorization, redirect, ..Behaviour::default() }).await;
    let url = server.url().replace(Repository::NAME, &format!("old/{}", Repository::NAME));
    let credentials = secret([("username", "user"), ("password", "hunter2")]);
    let store = TestStore::new();
    let outcome = store.fetch(&with_secret(&url, branch("main"), &credentials)).await;
    assert_eq!(
        outcome.map(|(_, fetched)| shown(&fetched.tree)).map_err(|error| told(&error)).as_deref(),
        Ok("deploy.yaml: one")
    );
    assert_eq!(
        server.seen_in_short(),
        "GET refs, GET refs, POST git-upload-pack, GET refs, GET refs, POST git-upload-pack"
    );
}

#[tokio::test]
async fn requests_go_through_the_proxy_of_a_secret() {
    let repository = Repository::with_a_file();
    let server = GitServer::start(&repository, Behaviour::default()).await;
    let proxy = TestProxy::start().await;
    let data = secret([("address", proxy.url().as_str()), ("username", "user"), ("password", "hunter2")]);
    let settings = Proxy::from_secret(&data).expect("a proxy");
    let request = anonymous(&server.url(), branch("main"));
    let auth = request.auth.clone().through(&request.url, &settings).expect("credentials");
    let store = TestStore::new();
    let outcome = store.fetch(&GitRequest { auth, ..request }).await;
    let (_, fetched) = outcome.unwrap_or_else(|error| panic!("{}", told(&error)));
    assert_eq!(shown(&fetched.tree), "deploy.yaml: one");
    let tunnel = format!("CONNECT 127.0.0.1:{} HTTP/1.1 {BASIC}", server.port());
    let seen = proxy.seen();
    assert!(!seen.is_empty() && seen.iter().all(|line| *line == tunnel), "{seen:?}");
}

#[tokio::test]
async fn redirects_that_lead_nowhere_are_refused() {
    let repository = Repository::with_a_file();
    let redirect = |target: &str| Behaviour {
        redirect: Some(Redirect { from: "", to: target.to_owned() }),
        ..Behaviour::default()
    };
    let rows = [
        ("ssh://127.0.0.1", "redirected to ssh://127.0.0.1/repository.git/info/refs?***, which is not HTTP"),
        ("file:///etc", "redirected to another place, which is no URL of a server"),
        (
            "http://127.0.0.1/login?next=",
            "redirected to http://127.0.0.1/login?***, which does not answer for a repository",
        ),
    ];
    for (target, expected) in rows {
        let server = GitServer::start(&repository, redirect(target)).await;
        let text = told(&refusal(resolve(&anonymous(&server.url(), branch("main"))).await));
        assert!(text.contains(expected), "{text}");
    }
}

#[tokio::test]
async fn a_server_that_drips_is_left_when_the_time_is_over() {
    let repository = Repository::with_a_file();
    let behaviour = Behaviour { trouble: Trouble::Drip, ..Behaviour::default() };
    let server = GitServer::start(&repository, behaviour).await;
    let request = GitRequest { timeout: Duration::from_millis(800), ..anonymous(&server.url(), branch("main")) };
    let left = tokio::time::timeout(PATIENCE, resolve(&request)).await.expect("it is left");
    let text = told(&refusal(left));
    assert!(text.contains("context deadline exceeded: not done after 800ms"), "{text}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_left_when_the_time_is_over() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/app.git", silent.local_addr().expect("bound"));
    let request = GitRequest { timeout: Duration::from_millis(300), ..anonymous(&url, branch("main")) };
    let text = told(&refusal(resolve(&request).await));
    assert!(text.contains("context deadline exceeded: not done after 300ms"), "{text}");
}

#[tokio::test]
async fn a_fetch_that_nobody_waits_for_ends_early() {
    let repository = Repository::empty();
    let long = (0_u32..4000).map(|n| format!("{:x}", n.wrapping_mul(2_654_435_761))).collect::<Vec<_>>().concat();
    repository.push("refs/heads/main", "long", &long);
    let behaviour = Behaviour { trouble: Trouble::Drip, speaks: Speaks::Version0, ..Behaviour::default() };
    let server = GitServer::start(&repository, behaviour).await;
    let request = anonymous(&server.url(), branch("main"));
    let store = TestStore::new();
    let resolved = resolve(&request).await.expect("resolved");
    let abandoned =
        tokio::time::timeout(Duration::from_millis(300), fetch(&request, &resolved, &means(&store.store, None))).await;
    assert!(abandoned.is_err(), "it drips for minutes");
    let deadline = Instant::now() + PATIENCE;
    while store.leftovers() > 0 {
        assert!(Instant::now() < deadline, "the fetch goes on");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_server_that_dies_during_the_pack_leaves_nothing_behind() {
    let repository = Repository::with_a_file();
    for bytes in [0, 1, 40, 120, 200] {
        let speaks = Speaks::Version0;
        let behaviour = Behaviour { trouble: Trouble::CutAfter(bytes), speaks, ..Behaviour::default() };
        let server = GitServer::start(&repository, behaviour).await;
        let store = TestStore::new();
        let error = refusal(store.fetch(&anonymous(&server.url(), branch("main"))).await);
        assert_eq!(error.reason(), "GitOperationFailed", "{bytes}: {}", told(&error));
        assert_eq!(store.leftovers(), 0, "after {bytes} bytes");
    }
}

#[tokio::test]
async fn what_is_no_git_server_is_said_to_be_none() {
    let repository = Repository::with_a_file();
    let behaviour = Behaviour { trouble: Trouble::Page("<html>Log in</html>"), ..Behaviour::default() };
    let page = GitServer::start(&repository, behaviour).await;
    let plain = GitServer::start(&repository, Behaviour::default()).await;
    let gone = plain.url().replace(Repository::NAME, "none.git");
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        format!("http://{}/r.git", listener.local_addr().expect("bound"))
    };
    let rows = [
        (page.url(), "the server answers with `text/html`, which is not Git's smart protocol"),
        (gone, "repository not found"),
        (closed, "Connection refused"),
        ("http://fairlead.invalid/r.git".to_owned(), "cannot talk to fairlead.invalid:80: "),
    ];
    for (url, expected) in rows {
        let text = told(&refusal(resolve(&anonymous(&url, branch("main"))).await));
        assert!(text.contains(expected), "{text}");
    }
}
