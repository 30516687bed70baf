//! Helm repositories that answer as a test says.

use std::{fmt::Write, time::Duration};

use fairlead_object::Digest;
use fairlead_sources::{
    fetch::SourceError,
    helm::{
        ChartVersion, FetchedChart, HelmAuth, HelmError, HelmRequest, INDEX_LIMIT_BYTES, PassCredentials, fetch_chart,
        fetch_index, find,
    },
    secret::SecretData,
    store::{SourceKey, SourceKind},
    transport::Transport,
    url::Url,
};
use fairlead_tests::image::archive;

use crate::{
    git::{http_server::Trouble, secret},
    scene::{Scene, at, chain, contents},
    site::{Answer, Answering, Site},
};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// `Basic` for `user` and `hunter2`.
const BASIC: &str = "Basic dXNlcjpodW50ZXIy";

const INDEX: &str = "apiVersion: v1\nentries:\n  shop:\n  - version: 1.0.0\n    urls: [charts/shop-1.0.0.tgz]\n";

fn request(url: &str, auth: HelmAuth) -> HelmRequest {
    let url = Url::parse_http(url).expect("a URL");
    HelmRequest { url, auth, transport: Transport::default(), limit_bytes: INDEX_LIMIT_BYTES, timeout: PATIENCE }
}

fn login(pass: PassCredentials) -> HelmAuth {
    let data: SecretData = secret([("username", "user"), ("password", "hunter2")]);
    HelmAuth::from_secret(&data, pass).expect("a login")
}

fn key(kind: SourceKind) -> SourceKey {
    SourceKey { kind, namespace: "flux-system".into(), name: "shop".into() }
}

fn found(body: impl Into<Vec<u8>>) -> Answer {
    (200, None, body.into())
}

fn told(error: &HelmError, port: u16) -> String {
    let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    format!("{}: {}{hint}", error.reason(), chain(error)).replace(&port.to_string(), "PORT")
}

fn refusal<T>(outcome: Result<T, HelmError>) -> HelmError {
    match outcome {
        Ok(_) => panic!("this must fail"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn an_index_leads_to_a_chart_and_both_are_kept_as_they_came() {
    let chart = archive(&[("shop/Chart.yaml", "name: shop"), ("shop/values.yaml", "a: 1")]);
    let served = chart.clone();
    let site = Site::start(move |target| match target {
        "/stable/index.yaml?v=1" => found(INDEX),
        "/stable/charts/shop-1.0.0.tgz" => found(served.clone()),
        _ => (404, None, Vec::new()),
    })
    .await;
    let scene = Scene::new();
    let request = request(&format!("http://127.0.0.1:{}/stable/?v=1", site.port()), login(PassCredentials::Home));
    let index = fetch_index(&request, &scene.store).await.unwrap_or_else(|e| panic!("{}", told(&e, site.port())));
    assert_eq!(index.revision, Digest::of(INDEX.as_bytes()).to_string());
    let artifact = index.publish(&scene.store, &key(SourceKind::HelmRepository), at(0)).expect("published");
    let hex = Digest::of(INDEX.as_bytes()).hex();
    assert_eq!(artifact.path, format!("helmrepository/flux-system/shop/index-{hex}.yaml"));
    assert_eq!((artifact.digest.to_string(), artifact.size_bytes), (index.revision.clone(), INDEX.len() as u64));

    let version = find(&index.tree, "shop", "1.x").expect("listed");
    let fetched = fetch_chart(&request, &version, &scene.store).await.unwrap_or_else(|e| panic!("{}", told(&e, 0)));
    let content = fetched.into_content("shop", "1.0.0+3");
    let artifact = content.publish(&scene.store, &key(SourceKind::HelmChart), at(0)).expect("published");
    assert_eq!(artifact.path, "helmchart/flux-system/shop/shop-1.0.0+3.tgz");
    assert_eq!(artifact.digest, Digest::of(&chart));
    assert_eq!(contents(&content.tree).as_deref(), Ok("shop/Chart.yaml: name: shop\nshop/values.yaml: a: 1\n"));
    assert!(site.seen().iter().all(|(_, header)| header.as_deref() == Some(BASIC)));
}

#[tokio::test]
async fn another_host_gets_the_login_only_if_it_is_meant_to() {
    let chart = archive(&[("shop/Chart.yaml", "name: shop")]);
    let elsewhere = Site::start(move |_| found(chart.clone())).await;
    let version = ChartVersion {
        version: "1.0.0".into(),
        urls: vec![format!("http://127.0.0.1:{}/shop.tgz", elsewhere.port())],
        ..ChartVersion::default()
    };
    for (pass, expected) in [(PassCredentials::Home, None), (PassCredentials::Everywhere, Some(BASIC))] {
        let request = request("http://127.0.0.1:1/", login(pass));
        let fetched: Result<FetchedChart, _> = fetch_chart(&request, &version, &Scene::new().store).await;
        assert!(fetched.is_ok(), "{pass:?}");
        let shown: Vec<_> = elsewhere.seen().into_iter().map(|(_, header)| header).collect();
        assert_eq!(shown, [expected.map(str::to_owned)], "{pass:?}");
    }
}

#[tokio::test]
async fn what_goes_wrong_with_an_index_is_said_with_its_cause_and_without_secrets() {
    let large = |_: &str| found(vec![b'#'; 5000]);
    let answers: [(Trouble, Answering); 6] = [
        (Trouble::None, |_| (404, None, Vec::new())),
        (Trouble::None, |_| (401, None, Vec::new())),
        (Trouble::None, |_| found("<html>Log in</html>")),
        (Trouble::None, |_| found("apiVersion: v1\nentries: [\n")),
        (Trouble::CutAfter(20), |_| found(INDEX)),
        (Trouble::None, large),
    ];
    let mut lines = Vec::new();
    for (trouble, answer) in answers {
        let site = Site::start_with(trouble, answer).await;
        let data = secret([("username", "user"), ("password", "canary")]);
        let auth = HelmAuth::from_secret(&data, PassCredentials::Home).expect("a login");
        let request = HelmRequest { limit_bytes: 4096, ..request(&format!("http://127.0.0.1:{}", site.port()), auth) };
        let error = refusal(fetch_index(&request, &Scene::new().store).await);
        lines.push(told(&error, site.port()));
    }
    let lines = lines.join("\n\n");
    assert!(!lines.contains("canary"), "{lines}");
    insta::assert_snapshot!(lines, @r"
    Failed: failed to fetch Helm repository index: unexpected response: HTTP status 404
    hint: check `spec.url`

    Failed: failed to fetch Helm repository index: authorization failed: the server does not accept the credentials
    hint: check that the credentials in `spec.secretRef` are valid and not expired

    IndexationFailed: failed to load Helm repository index: empty index.yaml file
    hint: check that `spec.url` is the folder that holds `index.yaml`

    IndexationFailed: failed to load Helm repository index: line 2: unclosed bracket '['
    hint: check that `spec.url` is the folder that holds `index.yaml`

    Failed: failed to fetch Helm repository index: cannot talk to 127.0.0.1:PORT: Peer disconnected

    Failed: failed to fetch Helm repository index: index exceeds the maximum index file size of 4096 bytes
    hint: remove old versions from the repository, or use charts in an OCI registry
    ");
}

#[tokio::test]
async fn a_chart_that_is_not_what_the_index_says_is_not_taken() {
    let site = Site::start(|target| match target {
        "/shop.tgz" => found(archive(&[("shop/Chart.yaml", "name: shop")])),
        "/text.tgz" => found("text"),
        _ => (404, None, Vec::new()),
    })
    .await;
    let chart = |url: &str, digest: Option<&str>| ChartVersion {
        version: "1.0.0".into(),
        urls: vec![url.to_owned()],
        digest: digest.map(str::to_owned),
        ..ChartVersion::default()
    };
    let rows = [
        (chart("shop.tgz", Some("00")), "and is listed with 00"),
        (chart("text.tgz", None), "it cannot be unpacked: the archive cannot be read beyond its start"),
        (chart("none.tgz", None), "unexpected response: HTTP status 404"),
        (chart("ssh://127.0.0.1/shop.tgz", None), "which is not HTTP"),
        (ChartVersion { urls: Vec::new(), ..chart("", None) }, "the index names no URL for it"),
    ];
    let request = request(&format!("http://127.0.0.1:{}", site.port()), HelmAuth::default());
    for (chart, expected) in rows {
        let text = told(&refusal(fetch_chart(&request, &chart, &Scene::new().store).await), site.port());
        assert!(text.starts_with("ChartPullError: ") && text.contains(expected), "{text}");
    }
}

#[test]
fn a_login_is_whole_or_not_there() {
    let rows = [
        (secret([("username", "a"), ("password", "b")]), None),
        (secret([]), None),
        (secret([("username", "a")]), Some("malformed basic auth: both 'username' and 'password' are required")),
        (secret([("password", "a")]), Some("malformed basic auth: both 'username' and 'password' are required")),
    ];
    for (data, expected) in rows {
        let error = HelmAuth::from_secret(&data, PassCredentials::Home).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), expected);
    }
}

#[tokio::test]
async fn a_repository_that_drips_is_left_when_the_time_is_over() {
    let site = Site::start_with(Trouble::Drip, |_| found(vec![b'#'; 5000])).await;
    let url = format!("http://127.0.0.1:{}", site.port());
    let request = HelmRequest { timeout: Duration::from_secs(1), ..request(&url, HelmAuth::default()) };
    let listed = ChartVersion { urls: vec!["shop.tgz".to_owned()], ..ChartVersion::default() };
    let index = told(&refusal(fetch_index(&request, &Scene::new().store).await), site.port());
    let chart = told(&refusal(fetch_chart(&request, &listed, &Scene::new().store).await), site.port());
    insta::assert_snapshot!([index, chart].join("\n"), @r"
    Failed: failed to fetch Helm repository index: context deadline exceeded: not done after 1s
    ChartPullError: chart pull error: failed to download chart for remote reference, version '': context deadline exceeded: not done after 1s
    ");
}

/// What comes of an index that is asked for `shop`.
async fn shop_in(index: String) -> String {
    let site = Site::start(move |_| found(index.clone())).await;
    let request = request(&format!("http://127.0.0.1:{}", site.port()), HelmAuth::default());
    let scene = Scene::new();
    match fetch_index(&HelmRequest { limit_bytes: 1 << 20, ..request }, &scene.store).await {
        Ok(content) => match find(&content.tree, "shop", "*") {
            Ok(listed) => format!("{} {}", listed.version, listed.urls.join(" ")),
            Err(error) => chain(&error),
        },
        Err(error) => chain(&error),
    }
}

#[tokio::test]
async fn cve_2022_23525_helm_an_index_whose_entries_are_something_else_is_read_or_refused() {
    let rows = [
        "apiVersion: v1\nentries:\n",
        "apiVersion: v1\nentries: []\n",
        "apiVersion: v1\nentries: text\n",
        "apiVersion: v1\nentries:\n  shop:\n",
        "apiVersion: v1\nentries:\n  shop: {}\n",
        "apiVersion: v1\nentries:\n  shop:\n  - null\n  -\n  - text\n  - [a]\n",
        "apiVersion: v1\nentries:\n  shop:\n  - version: {a: b}\n    urls: text\n",
        "apiVersion: v1\nentries:\n  shop:\n  - version: 1.0.0\n    urls:\n    - {a: b}\n    - a.tgz\n",
        "apiVersion: [v1]\nentries: {}\n",
        "- apiVersion: v1\n",
    ];
    let mut told_of = Vec::new();
    for index in rows {
        told_of.push(shop_in(index.to_owned()).await);
    }
    insta::assert_snapshot!(told_of.join("\n"), @r"
    no chart name found
    no chart name found
    no chart name found
    no chart name found
    no 'shop' chart with version matching '*' found
    no 'shop' chart with version matching '*' found
    no 'shop' chart with version matching '*' found
    1.0.0 a.tgz
    failed to load Helm repository index: no API version specified
    failed to load Helm repository index: no API version specified
    ");
}

#[tokio::test]
async fn cve_2022_23526_helm_an_index_that_would_exhaust_its_reader_is_refused() {
    let mut laughs = "apiVersion: v1\na0: &a0 [x]\n".to_owned();
    let mut nested = "apiVersion: v1\n".to_owned();
    for level in 1..1000 {
        if level < 20 {
            let _ = writeln!(laughs, "a{level}: &a{level} [{}]", format!("*a{}, ", level - 1).repeat(9));
        }
        let _ = writeln!(nested, "{}a:", " ".repeat(level - 1));
    }
    laughs.push_str("entries: {shop: *a19}\n");
    let rows = [
        ("aliases of aliases", laughs),
        ("nested in lists", format!("apiVersion: v1\nx: {}", "[".repeat(100_000))),
        ("nested in mappings", nested),
        ("a text without an end", format!("apiVersion: v1\nx: \"{}", "x".repeat(500_000))),
        ("a key without an end", format!("apiVersion: v1\n{}: x", "x".repeat(500_000))),
        ("more than is taken", format!("apiVersion: v1\n{}", "#\n".repeat(1 << 20))),
    ];
    let mut told_of = Vec::new();
    for (what, index) in rows {
        told_of.push(format!("{what}: {}", shop_in(index).await));
    }
    insta::assert_snapshot!(told_of.join("\n"), @r"
    aliases of aliases: line 22: an alias stands for a value
    nested in lists: failed to load Helm repository index: line 2: recursion limit exceeded
    nested in mappings: failed to load Helm repository index: line 66: recursion limit exceeded
    a text without an end: failed to load Helm repository index: line 2: unclosed quote
    a key without an end: failed to load Helm repository index: line 2: simple key expected ':'
    more than is taken: failed to fetch Helm repository index: index exceeds the maximum index file size of 1048576 bytes
    ");
}
