//! Artifacts over HTTP.

use std::fs;

use axum::{
    body::{Body, to_bytes},
    http::{Request, Response, StatusCode, header},
};
use fairlead_object::Digest;
use fairlead_sources::serve;
use tower::ServiceExt;

use crate::scene::{Scene, key};

const FILES: [(&str, &str); 1] = [("a.yaml", "a: 1")];

async fn ask(scene: &Scene, request: Request<Body>) -> Response<Body> {
    serve::router(scene.store.clone()).oneshot(request).await.expect("an answer")
}

async fn get(scene: &Scene, path: &str) -> Response<Body> {
    ask(scene, Request::get(path).body(Body::empty()).expect("a request")).await
}

async fn body(response: Response<Body>) -> Vec<u8> {
    to_bytes(response.into_body(), usize::MAX).await.expect("a body").into()
}

#[tokio::test]
async fn an_artifact_is_served_with_the_digest_and_size_that_its_status_tells() {
    let scene = Scene::new();
    let artifact = scene.publish("shop", "main@sha1:4f2a", &FILES, 0);
    let response = get(&scene, "/gitrepository/flux-system/shop/4f2a.tar.gz").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_LENGTH], artifact.size_bytes.to_string());
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/gzip");
    assert_eq!(response.headers()[header::ETAG], format!("\"{}\"", artifact.digest));
    assert_eq!(Digest::of(&body(response).await), artifact.digest);
}

#[tokio::test]
async fn head_answers_with_the_same_headers_and_no_body() {
    let scene = Scene::new();
    let artifact = scene.publish("shop", "main@sha1:4f2a", &FILES, 0);
    let request = Request::head(format!("/{}", artifact.path)).body(Body::empty()).expect("a request");
    let response = ask(&scene, request).await;
    assert_eq!(response.headers()[header::CONTENT_LENGTH], artifact.size_bytes.to_string());
    assert_eq!(body(response).await, b"");
}

#[tokio::test]
async fn whoever_has_the_content_is_told_so() {
    let scene = Scene::new();
    let artifact = scene.publish("shop", "main@sha1:4f2a", &FILES, 0);
    let rows = [
        (format!("\"{}\"", artifact.digest), StatusCode::NOT_MODIFIED),
        (format!("\"x\", W/\"{}\"", artifact.digest), StatusCode::NOT_MODIFIED),
        ("*".to_owned(), StatusCode::NOT_MODIFIED),
        ("\"x\"".to_owned(), StatusCode::OK),
    ];
    for (condition, expected) in rows {
        let request = Request::get(format!("/{}", artifact.path)).header(header::IF_NONE_MATCH, &condition);
        let response = ask(&scene, request.body(Body::empty()).expect("a request")).await;
        assert_eq!(response.status(), expected, "{condition}");
    }
}

#[tokio::test]
async fn a_download_can_be_continued() {
    let scene = Scene::new();
    let artifact = scene.publish("shop", "main@sha1:4f2a", &FILES, 0);
    let path = format!("/{}", artifact.path);
    let ranged = |range: &str| Request::get(&path).header(header::RANGE, range).body(Body::empty()).expect("a request");
    let whole = body(get(&scene, &path).await).await;

    let response = ask(&scene, ranged("bytes=10-")).await;
    assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
    let size = artifact.size_bytes;
    assert_eq!(response.headers()[header::CONTENT_RANGE], format!("bytes 10-{}/{size}", size - 1));
    assert_eq!(body(response).await, whole[10..]);

    let response = ask(&scene, ranged("bytes=100000-")).await;
    assert_eq!(response.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(response.headers()[header::CONTENT_RANGE], format!("bytes */{size}"));
}

#[tokio::test]
async fn only_what_a_source_names_is_there() {
    let scene = Scene::new();
    let artifact = scene.publish("shop", "main@sha1:4f2a", &FILES, 0);
    assert_eq!(get(&scene, "/").await.status(), StatusCode::OK);
    let blob = format!("/blobs/{}/{}", &artifact.digest.hex()[..2], artifact.digest.hex());
    let paths = [
        "/lock",
        "/index",
        "/gitrepository/flux-system/shop",
        "/gitrepository/flux-system/shop/",
        "/gitrepository/flux-system/shop/ffff.tar.gz",
        "/gitrepository/flux-system/shop/../shop/4f2a.tar.gz",
        "/gitrepository/flux-system/shop/%2e%2e/%2e%2e/%2e%2e/lock",
        "//gitrepository/flux-system/shop/4f2a.tar.gz",
        "/bucket/flux-system/shop/4f2a.tar.gz",
        &blob,
    ];
    for path in paths {
        assert_eq!(get(&scene, path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let request = Request::post(format!("/{}", artifact.path)).body(Body::empty()).expect("a request");
    assert_eq!(ask(&scene, request).await.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_former_revision_is_served_as_long_as_it_is_kept() {
    let scene = Scene::new();
    scene.publish("shop", "main@sha1:1", &FILES, 0);
    scene.publish("shop", "main@sha1:2", &[("a.yaml", "a: 2")], 10);
    assert_eq!(get(&scene, "/gitrepository/flux-system/shop/1.tar.gz").await.status(), StatusCode::OK);
    scene.store.collect(crate::scene::at(100)).expect("collected");
    assert_eq!(get(&scene, "/gitrepository/flux-system/shop/1.tar.gz").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(get(&scene, "/gitrepository/flux-system/shop/2.tar.gz").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_packed_form_that_was_lost_or_damaged_is_made_again() {
    let scene = Scene::new();
    let artifact = scene.publish("shop", "main@sha1:4f2a", &FILES, 0);
    let path = format!("/{}", artifact.path);
    let file = scene.file_of("blobs", &artifact.digest);
    fs::write(&file, "damaged").expect("written");
    let scene = scene.restarted();
    assert_eq!(Digest::of(&body(get(&scene, &path).await).await), artifact.digest);

    fs::remove_file(&file).expect("removed");
    let scene = scene.restarted();
    assert_eq!(Digest::of(&body(get(&scene, &path).await).await), artifact.digest);
    assert_eq!(scene.store.artifact(&key("shop")), Some(artifact));
}

#[tokio::test]
async fn an_artifact_whose_files_are_lost_is_not_there_until_it_is_fetched_again() {
    let scene = Scene::new();
    let artifact = scene.publish("shop", "main@sha1:4f2a", &FILES, 0);
    let scene = scene.restarted();
    fs::remove_dir_all(scene.root().join("blobs")).expect("removed");
    assert_eq!(get(&scene, &format!("/{}", artifact.path)).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(scene.store.artifact(&key("shop")), None);
    scene.publish("shop", "main@sha1:4f2a", &FILES, 60);
    assert_eq!(get(&scene, &format!("/{}", artifact.path)).await.status(), StatusCode::OK);
}
