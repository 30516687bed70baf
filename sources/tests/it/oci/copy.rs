//! What becomes of a layer: unpacked and packed again, or kept as it is.

use std::io::Read;

use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use fairlead_object::Digest;
use fairlead_sources::{
    oci::{LayerOperation, LayerSelector, OciRequest, fetch},
    serve,
};
use fairlead_tests::image::{Content, FLUX_LAYER, archive};
use tower::ServiceExt;

use super::{
    key, means, pull, request,
    stub::{Behaviour, Stub},
    tag,
};
use crate::scene::{Scene, at, contents};

const COPY: LayerSelector = LayerSelector { media_type: None, operation: LayerOperation::Copy };

async fn served(scene: &Scene, path: &str) -> Vec<u8> {
    let request = Request::get(format!("/{path}")).body(Body::empty()).expect("a request");
    let response = serve::router(scene.store.clone()).oneshot(request).await.expect("an answer");
    to_bytes(response.into_body(), usize::MAX).await.expect("a body").into()
}

#[tokio::test]
async fn an_extracted_layer_leaves_out_what_is_ignored_and_every_link() {
    let files = [
        (".sourceignore", "*.md\n"),
        ("a.yaml", "a: 1"),
        ("README.md", "read"),
        ("link.yaml", "-> a.yaml"),
        ("docs/.sourceignore", "!*.md\n"),
        ("docs/b.md", "b"),
        ("secret.txt", "s"),
    ];
    let stub = Stub::start(Content::of_files("v1", &files), Behaviour::default()).await;
    let scene = Scene::new();
    let (_, fetched) = pull(&scene, &request(&stub.url(), tag("v1")), Some("*.txt\n")).await.expect("pulled");
    let kept = ".sourceignore: *.md\n\na.yaml: a: 1\ndocs/.sourceignore: !*.md\n\ndocs/b.md: b\n";
    assert_eq!(contents(&fetched.tree).as_deref(), Ok(kept));
    assert!(fetched.file.is_none());
}

#[tokio::test]
async fn a_copied_archive_is_served_byte_for_byte_and_read_as_its_files() {
    let layer = archive(&[("a.yaml", "a: 1"), ("logo.png", "left out of extracted layers")]);
    let mut content = Content::default();
    let pushed = content.push("v1", &[(FLUX_LAYER, layer.clone())]);
    let stub = Stub::start(content, Behaviour::default()).await;
    let scene = Scene::new();
    let request = OciRequest { layer: COPY, ..request(&stub.url(), tag("v1")) };
    let (_, fetched) = pull(&scene, &request, Some("a.yaml")).await.expect("pulled");
    let artifact = fetched.publish(&scene.store, &key("app"), at(0)).expect("published");
    drop(fetched);
    assert_eq!(artifact.path, format!("ocirepository/flux-system/app/{pushed}.tar.gz"));
    assert_eq!((artifact.digest, artifact.size_bytes), (Digest::of(&layer), layer.len() as u64));

    scene.store.collect(at(1000)).expect("collected");
    let scene = scene.restarted();
    scene.store.collect(at(2000)).expect("collected");
    assert_eq!(scene.store.artifact(&key("app")), Some(artifact.clone()));
    assert_eq!(served(&scene, &artifact.path).await, layer);
    let tree = scene.store.tree(&artifact.tree).expect("kept");
    assert_eq!(contents(&tree).as_deref(), Ok("a.yaml: a: 1\nlogo.png: left out of extracted layers\n"));
}

#[tokio::test]
async fn a_copied_file_that_is_no_archive_is_its_own_tree() {
    let mut content = Content::default();
    content.push("v1", &[("application/wasm", b"\0asm".to_vec())]);
    let stub = Stub::start(content, Behaviour::default()).await;
    let scene = Scene::new();
    let request = OciRequest { layer: COPY, ..request(&stub.url(), tag("v1")) };
    let (_, fetched) = pull(&scene, &request, None).await.expect("pulled");
    assert_eq!(contents(&fetched.tree).as_deref(), Ok("layer: \0asm\n"));
    let mut bytes = Vec::new();
    fetched.file.expect("copied").file.open().expect("kept").read_to_end(&mut bytes).expect("read");
    assert_eq!(bytes, b"\0asm");
}

#[tokio::test]
async fn a_copied_layer_that_the_disk_lost_counts_as_not_fetched_until_it_is_fetched_again() {
    let layer = archive(&[("a.yaml", "a: 1")]);
    let mut content = Content::default();
    content.push("v1", &[(FLUX_LAYER, layer.clone())]);
    let stub = Stub::start(content, Behaviour::default()).await;
    let request = OciRequest { layer: COPY, ..request(&stub.url(), tag("v1")) };
    let scene = Scene::new();
    let (resolved, fetched) = pull(&scene, &request, None).await.expect("pulled");
    let artifact = fetched.publish(&scene.store, &key("app"), at(0)).expect("published");
    drop(fetched);

    let scene = scene.restarted();
    std::fs::write(scene.file_of("blobs", &artifact.digest), "damaged").expect("damaged");
    assert_eq!(served(&scene, &artifact.path).await, b"");
    assert_eq!(scene.store.artifact(&key("app")), None);

    let again = fetch(&request, &resolved, &means(&scene, None)).await.expect("fetched");
    again.publish(&scene.store, &key("app"), at(1)).expect("published");
    assert_eq!(scene.store.artifact(&key("app")), Some(artifact.clone()));
    assert_eq!(served(&scene, &artifact.path).await, layer);
}
