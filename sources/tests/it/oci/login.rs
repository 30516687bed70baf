//! Who may read: tokens, logins, and where they are sent.

use fairlead_sources::{
    oci::{OciRequest, resolve},
    transport::{Encryption, Proxy, Transport, Trust},
};
use fairlead_tests::image::Content;
use serde_json::json;

use super::{
    pull, refusal, request,
    stub::{Access, Behaviour, Stub},
    tag, told, with_login,
};
use crate::{
    git::secret,
    proxy::TestProxy,
    scene::{Scene, contents},
    tls::Authority,
};

/// `Basic` for `user` and `hunter2`.
const BASIC: &str = "Basic dXNlcjpodW50ZXIy";

const FILES: [(&str, &str); 1] = [("a.yaml", "a: 1")];

async fn stub(access: Access) -> Stub {
    Stub::start(Content::of_files("v1", &FILES), Behaviour { access, ..Behaviour::default() }).await
}

fn user(request: OciRequest) -> OciRequest {
    with_login(request, &json!({ "username": "user", "password": "hunter2" }))
}

#[tokio::test]
async fn an_unchanged_tag_costs_one_request_whatever_the_login() {
    let token = "GET /token?scope=repository%3Ateam%2Fapp%3Apull&service=a%20stub";
    let rows = [
        (Access::Everyone, "HEAD manifests/v1".to_owned()),
        (Access::Login(BASIC), "HEAD manifests/v1, HEAD manifests/v1".to_owned()),
        (Access::Token(Some(BASIC)), format!("HEAD manifests/v1, {token}, HEAD manifests/v1")),
    ];
    for (access, first) in rows {
        let stub = stub(access).await;
        let request = user(request(&stub.url(), tag("v1")));
        let resolved = resolve(&request).await.expect("resolved");
        assert_eq!(stub.seen_in_short(), first);
        assert_eq!(resolve(&request).await.expect("resolved"), resolved);
        assert_eq!(stub.seen_in_short(), "HEAD manifests/v1");
    }
}

#[tokio::test]
async fn a_revision_is_fetched_by_a_manifest_and_a_layer() {
    let stub = stub(Access::Everyone).await;
    let (resolved, _) = pull(&Scene::new(), &request(&stub.url(), tag("v1")), None).await.expect("pulled");
    let seen = stub.seen();
    let what: Vec<&str> = seen.iter().map(|seen| seen.what.as_str()).collect();
    assert_eq!(what[..2], ["HEAD manifests/v1".to_owned(), format!("GET manifests/{}", resolved.digest)]);
    assert!(what[2].starts_with("GET blobs/sha256:") && what.len() == 3, "{what:?}");
}

#[tokio::test]
async fn everyone_gets_a_token_from_a_registry_that_wants_one_of_everyone() {
    let stub = stub(Access::Token(None)).await;
    let scene = Scene::new();
    let (_, fetched) = pull(&scene, &request(&stub.url(), tag("v1")), None).await.expect("pulled");
    assert_eq!(contents(&fetched.tree).as_deref(), Ok("a.yaml: a: 1\n"));
    assert!(stub.seen().iter().all(|seen| seen.authorization.as_deref() != Some(BASIC)));
}

#[tokio::test]
async fn a_login_is_shown_to_the_token_server_and_not_to_the_registry() {
    let stub = stub(Access::Token(Some(BASIC))).await;
    resolve(&user(request(&stub.url(), tag("v1")))).await.expect("resolved");
    for seen in stub.seen() {
        let is_shown = seen.authorization.as_deref() == Some(BASIC);
        assert_eq!(is_shown, seen.what.starts_with("GET /token"), "{seen:?}");
    }
}

#[tokio::test]
async fn an_identity_token_is_exchanged_in_the_body_of_a_request() {
    let stub = stub(Access::Token(Some("nobody"))).await;
    let request = with_login(request(&stub.url(), tag("v1")), &json!({ "identitytoken": "hunter2/x" }));
    resolve(&request).await.expect("resolved");
    let seen = stub.seen();
    let exchange = seen.iter().find(|seen| seen.what.starts_with("POST")).expect("an exchange");
    assert_eq!(exchange.what, "POST /token");
    assert_eq!(
        exchange.body,
        "grant_type=refresh_token&client_id=fairlead&scope=repository%3Ateam%2Fapp%3Apull&service=a%20stub\
         &refresh_token=hunter2%2Fx"
    );
}

#[tokio::test]
async fn a_login_that_is_missing_or_wrong_is_said_without_showing_it() {
    let (login, token) = (stub(Access::Login(BASIC)).await, stub(Access::Token(Some(BASIC))).await);
    let mut lines = Vec::new();
    for stub in [&login, &token] {
        let anonymous = request(&stub.url(), tag("v1"));
        let wrong = with_login(anonymous.clone(), &json!({ "username": "user", "password": "canary" }));
        for request in [anonymous, wrong] {
            lines.push(told(&refusal(resolve(&request).await), stub.port()));
        }
    }
    let lines = lines.join("\n\n");
    assert!(!lines.contains("canary"), "{lines}");
    insta::assert_snapshot!(lines, @r"
    OCIArtifactPullFailed: failed to determine artifact digest: authentication required: the registry wants user and password, and there are none for it
    hint: name a pull Secret with an entry for this registry in `spec.secretRef`

    OCIArtifactPullFailed: failed to determine artifact digest: authorization failed: UNAUTHORIZED: log in
    hint: check that the entry for this registry in the pull Secret is valid, not expired and may read the repository

    OCIArtifactPullFailed: failed to determine artifact digest: authentication required: the registry wants credentials, and there are none for it
    hint: name a pull Secret with an entry for this registry in `spec.secretRef`

    OCIArtifactPullFailed: failed to determine artifact digest: authorization failed: DENIED: who are you?
    hint: check that the entry for this registry in the pull Secret is valid, not expired and may read the repository
    ");
}

#[tokio::test]
async fn a_login_that_was_changed_counts_at_once() {
    let stub = stub(Access::Login(BASIC)).await;
    let right = user(request(&stub.url(), tag("v1")));
    resolve(&right).await.expect("resolved");
    let wrong = with_login(right.clone(), &json!({ "username": "user", "password": "rotated" }));
    refusal(resolve(&wrong).await);
    resolve(&right).await.expect("resolved");
}

#[tokio::test]
async fn a_layer_elsewhere_is_fetched_without_the_login() {
    let content = Content::of_files("v1", &FILES);
    let elsewhere = Stub::start(content.clone(), Behaviour::default()).await;
    let behaviour =
        Behaviour { access: Access::Login(BASIC), blobs_at: Some(elsewhere.base()), ..Behaviour::default() };
    let stub = Stub::start(content, behaviour).await;
    let scene = Scene::new();
    let (_, fetched) = pull(&scene, &user(request(&stub.url(), tag("v1"))), None).await.expect("pulled");
    assert_eq!(contents(&fetched.tree).as_deref(), Ok("a.yaml: a: 1\n"));
    let arrived = elsewhere.seen();
    assert!(!arrived.is_empty() && arrived.iter().all(|seen| seen.authorization.is_none()), "{arrived:?}");
}

#[tokio::test]
async fn a_client_certificate_opens_a_registry_that_asks_for_one() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let content = Content::of_files("v1", &FILES);
    let tls = authority.server_for(Some(&clients));
    let stub = Stub::start_tls(content, Behaviour::default(), tls).await;
    let identity = clients.issue("me");
    let data = secret([
        ("ca.crt", authority.pem().as_str()),
        ("tls.crt", identity.certificate.as_str()),
        ("tls.key", identity.key.as_str()),
    ]);
    let trust = Trust::from_secret(&data).expect("a certificate");
    let request = OciRequest {
        encryption: Encryption::Tls,
        transport: Transport { trust, ..Transport::default() },
        ..request(&stub.url_at("localhost"), tag("v1"))
    };
    resolve(&request).await.expect("resolved");
    let unknown = Trust::from_secret(&secret([("ca.crt", authority.pem().as_str())])).expect("a CA");
    let request = OciRequest { transport: Transport { trust: unknown, ..Transport::default() }, ..request };
    let text = told(&refusal(resolve(&request).await), stub.port());
    assert!(text.contains("tls: received fatal alert"), "{text}");
}

#[tokio::test]
async fn a_token_server_without_tls_gets_nothing_from_a_registry_with_tls() {
    let authority = Authority::new();
    let behaviour = Behaviour { access: Access::Token(Some(BASIC)), ..Behaviour::default() };
    let stub = Stub::start_tls(Content::of_files("v1", &FILES), behaviour, authority.server()).await;
    let trust = Trust::from_secret(&secret([("ca.crt", authority.pem().as_str())])).expect("a CA");
    let request = OciRequest {
        encryption: Encryption::Tls,
        transport: Transport { trust, ..Transport::default() },
        ..user(request(&stub.url_at("localhost"), tag("v1")))
    };
    let text = told(&refusal(resolve(&request).await), stub.port());
    assert!(text.contains("which is not encrypted"), "{text}");
}

#[tokio::test]
async fn requests_go_through_the_proxy_of_a_secret() {
    let stub = stub(Access::Everyone).await;
    let proxy = TestProxy::start().await;
    let settings = Proxy::from_secret(&secret([("address", proxy.url().as_str())])).expect("a proxy");
    let transport = Transport { proxy: settings, ..Transport::default() };
    let request = OciRequest { transport, ..request(&stub.url(), tag("v1")) };
    resolve(&request).await.expect("resolved");
    assert_eq!(proxy.seen(), [format!("CONNECT 127.0.0.1:{} HTTP/1.1", stub.port())]);
}
