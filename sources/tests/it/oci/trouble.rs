//! What goes wrong on the way.

use std::time::Duration;

use fairlead_sources::{
    fetch::SourceError,
    oci::{LayerOperation, LayerSelector, OciRequest, resolve},
};
use fairlead_tests::image::{Content, FLUX_LAYER, MANIFEST, archive};

use super::{
    PATIENCE, pull, refusal, request, semver,
    stub::{Behaviour, Head, Stub},
    tag, told,
};
use crate::{
    git::http_server::Trouble,
    scene::{Scene, contents},
    site::Site,
};

const FILES: [(&str, &str); 1] = [("a.yaml", "a: 1")];

async fn outcome(content: Content, behaviour: Behaviour, layer: LayerSelector) -> String {
    let stub = Stub::start(content, behaviour).await;
    let scene = Scene::new();
    match pull(&scene, &OciRequest { layer, ..request(&stub.url(), tag("v1")) }, None).await {
        Ok((_, fetched)) => contents(&fetched.tree).expect("whole"),
        Err(error) => told(&error, stub.port()),
    }
}

#[tokio::test]
async fn a_registry_that_does_not_answer_head_is_asked_again() {
    for (head, expected) in [
        (Head::NoDigest, "HEAD manifests/v1, GET manifests/v1"),
        (Head::NotAllowed, "HEAD manifests/v1, GET manifests/v1"),
    ] {
        let mut content = Content::default();
        let pushed = content.push("v1", &[(FLUX_LAYER, archive(&FILES))]);
        let stub = Stub::start(content, Behaviour { head, ..Behaviour::default() }).await;
        let resolved = resolve(&request(&stub.url(), tag("v1"))).await.expect("resolved");
        assert_eq!(resolved.revision, format!("v1@{pushed}"));
        assert_eq!(stub.seen_in_short(), expected);
    }
}

#[tokio::test]
async fn tags_are_read_page_by_page() {
    let mut content = Content::default();
    for minor in 0..25 {
        content.push(&format!("1.{minor}.0"), &[]);
    }
    let stub = Stub::start(content, Behaviour { page: Some(10), ..Behaviour::default() }).await;
    let resolved = resolve(&request(&stub.url(), semver("1.x"))).await.expect("resolved");
    assert_eq!(resolved.tag.as_deref(), Some("1.24.0"));
    assert_eq!(
        stub.seen_in_short(),
        "GET tags/list?n=1000, GET tags/list?n=10&last=1.9.0, GET tags/list?n=10&last=1.19.0, HEAD manifests/1.24.0"
    );
}

#[tokio::test]
async fn a_registry_that_wants_to_be_left_alone_is_asked_once_and_says_for_how_long() {
    for (status, wait, expected) in [(429, "7", Some(7)), (503, "120", Some(120)), (429, "soon", None)] {
        let behaviour = Behaviour { busy: Some((status, wait)), ..Behaviour::default() };
        let stub = Stub::start(Content::default(), behaviour).await;
        let error = refusal(resolve(&request(&stub.url(), tag("v1"))).await);
        assert_eq!(error.retry_after(), expected.map(Duration::from_secs), "{error}");
        assert_eq!(stub.seen_in_short(), "HEAD manifests/v1");
    }
}

#[tokio::test]
async fn what_is_not_what_its_digest_says_is_not_taken() {
    let whole = Content::of_files("v1", &FILES);
    let mut layer = whole.clone();
    for blob in layer.blobs.values_mut().filter(|blob| blob.len() > 2) {
        *blob = archive(&[("a.yaml", "a: 2")]);
    }
    let mut manifest = whole.clone();
    for (reference, (_, document)) in &mut manifest.manifests {
        if reference.starts_with("sha256:") {
            document.push(b' ');
        }
    }
    let cut = Behaviour { trouble: Trouble::CutAfter(40), ..Behaviour::default() };
    let mut short = whole.clone();
    for blob in short.blobs.values_mut().filter(|blob| blob.len() > 2) {
        blob.truncate(40);
    }
    let mut long = whole.clone();
    for blob in long.blobs.values_mut().filter(|blob| blob.len() > 2) {
        blob.extend(b"more");
    }
    let rows = [
        (layer, Behaviour::default(), "the layer has digest sha256:"),
        (manifest, Behaviour::default(), "the manifest has digest sha256:"),
        (whole, cut, "OCIArtifactPullFailed: failed to pull artifact from 'oci://127.0.0.1:PORT/team/app': "),
        (short, Behaviour::default(), "the answer ended after 40 of "),
        (long, Behaviour::default(), "malformed answer: the layer is longer than "),
    ];
    for operation in [LayerOperation::Extract, LayerOperation::Copy] {
        for (content, behaviour, expected) in &rows {
            let layer = LayerSelector { media_type: None, operation };
            let text = outcome(content.clone(), behaviour.clone(), layer).await;
            assert!(text.starts_with("OCIArtifactPullFailed: ") && text.contains(expected), "{operation:?} {text}");
        }
    }
}

#[tokio::test]
async fn a_registry_that_drips_is_left_when_the_time_is_over() {
    let content = Content::of_files("v1", &FILES);
    let stub = Stub::start(content, Behaviour { trouble: Trouble::Drip, ..Behaviour::default() }).await;
    let request = OciRequest { timeout: Duration::from_secs(1), ..request(&stub.url(), tag("v1")) };
    let scene = Scene::new();
    let left = tokio::time::timeout(PATIENCE, pull(&scene, &request, None)).await.expect("it is left");
    let text = told(&refusal(left), stub.port());
    assert!(text.contains("context deadline exceeded: not done after 1s"), "{text}");
}

#[tokio::test]
async fn a_redirect_without_an_end_is_left() {
    let content = Content::of_files("v1", &FILES);
    let first = Stub::start(content.clone(), Behaviour::default()).await;
    let nowhere =
        Behaviour { blobs_at: Some(format!("{}/v2/team/app/blobs/x?", first.base())), ..Behaviour::default() };
    let text = outcome(content.clone(), nowhere, LayerSelector::default()).await;
    assert!(text.contains("not found: MANIFEST_UNKNOWN: manifest unknown"), "{text}");
    let ssh = Behaviour { blobs_at: Some("ssh://127.0.0.1".to_owned()), ..Behaviour::default() };
    let text = outcome(content, ssh, LayerSelector::default()).await;
    assert!(text.contains("which is not HTTP") && !text.contains("canary"), "{text}");
}

#[tokio::test]
async fn a_layer_that_is_not_there_or_no_archive_is_said_to_be_so() {
    let selector = |media_type: &str| LayerSelector { media_type: Some(media_type.to_owned()), ..Default::default() };
    let mut none = Content::default();
    none.push("v1", &[]);
    let mut text = Content::default();
    text.push("v1", &[(FLUX_LAYER, b"plain text".to_vec())]);
    let mut climbing = Content::default();
    climbing.push("v1", &[(FLUX_LAYER, archive(&[("a\\..\\b", "x")]))]);
    let mut ambiguous = Content::of_files("v1", &FILES);
    let document = br#"{"schemaVersion":2,"layers":[],"manifests":[]}"#.to_vec();
    let digest = fairlead_object::Digest::of(&document).to_string();
    ambiguous.manifests = [("v1".to_owned(), (MANIFEST, document.clone())), (digest, (MANIFEST, document))].into();
    let told = [
        outcome(none, Behaviour::default(), LayerSelector::default()).await,
        outcome(Content::of_files("v1", &FILES), Behaviour::default(), selector("text/plain")).await,
        outcome(text, Behaviour::default(), LayerSelector::default()).await,
        outcome(climbing, Behaviour::default(), LayerSelector::default()).await,
        outcome(ambiguous, Behaviour::default(), LayerSelector::default()).await,
    ];
    insta::assert_snapshot!(told.join("\n\n"), @r"
    OCIArtifactLayerOperationFailed: no layers found in artifact
    hint: check `spec.layerSelector.mediaType` and what was pushed

    OCIArtifactLayerOperationFailed: failed to find layer with media type 'text/plain' in artifact
    hint: check `spec.layerSelector.mediaType` and what was pushed

    OCIArtifactLayerOperationFailed: failed to extract layer contents from artifact: the archive cannot be read beyond its start: invalid gzip header
    hint: push a `.tar.gz`, or set `spec.layerSelector.operation` to `copy`

    OCIArtifactLayerOperationFailed: failed to extract layer contents from artifact: entry `a\..\b` of the archive is not a relative path with `/` between its parts

    OCIArtifactPullFailed: failed to pull artifact from 'oci://127.0.0.1:PORT/team/app': malformed answer: the manifest lists layers and manifests at once
    ");
}

#[tokio::test]
async fn cve_2024_29893_argo_a_list_of_tags_that_never_ends_is_left() {
    let site = Site::start(|_| {
        let next = "</v2/team/web/tags/list?last=1.0.0>; rel=\"next\"".to_owned();
        (200, Some(("link", next)), br#"{"name":"team/web","tags":["1.0.0"]}"#.to_vec())
    })
    .await;
    let url = format!("oci://127.0.0.1:{}/team/web", site.port());
    let error = refusal(resolve(&request(&url, semver("1.x"))).await);
    insta::assert_snapshot!(
        told(&error, site.port()),
        @"ReadOperationFailed: failed to determine the artifact tag for 'oci://127.0.0.1:PORT/team/web': the list of tags exceeds the limit of 1000 pages"
    );
}
