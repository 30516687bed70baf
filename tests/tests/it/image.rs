//! The image that `fairlead install` runs is one that a registry takes.

use std::fs;

use fairlead_api::install::InstallOptions;
use fairlead_tests::Registry;
use ureq::{Agent, http::StatusCode};
use xtask::image::{self, Blob, Image};

/// A repository in a registry, to which anyone may push.
struct Repository {
    url: String,
    agent: Agent,
}

impl Repository {
    /// Uploads `blob` as the protocol asks for: first a place, then the content.
    fn push(&self, blob: &Blob) {
        let place =
            self.agent.post(format!("{}/blobs/uploads/", self.url)).send_empty().expect("the registry takes uploads");
        let place = place.headers()["location"].to_str().expect("a place is text");
        let separator = if place.contains('?') { '&' } else { '?' };
        let url = format!("{place}{separator}digest={}", blob.digest);
        let answer = self
            .agent
            .put(url)
            .header("content-type", "application/octet-stream")
            .send(&blob.bytes)
            .expect("the registry takes blobs");
        assert_eq!(answer.status(), StatusCode::CREATED);
    }

    fn tag(&self, tag: &str, manifest: &Blob) {
        let url = format!("{}/manifests/{tag}", self.url);
        let answer = self
            .agent
            .put(url)
            .header("content-type", manifest.media_type)
            .send(&manifest.bytes)
            .expect("the registry takes manifests");
        assert_eq!(answer.status(), StatusCode::CREATED);
    }

    fn pull(&self, path: &str, media_type: &str) -> Vec<u8> {
        let mut answer = self
            .agent
            .get(format!("{}/{path}", self.url))
            .header("accept", media_type)
            .call()
            .expect("the registry has it");
        answer.body_mut().read_to_vec().expect("the registry gives it")
    }
}

fn packed() -> Image {
    let folder = tempfile::tempdir().expect("a temporary folder is writable");
    let binary = folder.path().join("fairlead");
    fs::write(&binary, b"\x7fELF, for what this test is about").expect("a temporary folder is writable");
    image::pack(&binary).expect("this machine has certificate authorities")
}

#[tokio::test]
async fn a_registry_takes_the_image_and_gives_it_back() {
    let registry = Registry::start().await;
    let url = format!("{}/v2/fairlead", registry.url());
    let image = packed();
    tokio::task::spawn_blocking(move || {
        let repository = Repository { url, agent: Agent::new_with_defaults() };
        repository.push(&image.layer);
        repository.push(&image.config);
        repository.tag("v1", &image.manifest);
        assert_eq!(repository.pull("manifests/v1", image.manifest.media_type), image.manifest.bytes);
        for blob in [&image.layer, &image.config] {
            assert_eq!(repository.pull(&format!("blobs/{}", blob.digest), blob.media_type), blob.bytes);
        }
    })
    .await
    .unwrap();
}

#[test]
fn the_image_has_the_name_that_install_asks_for() {
    assert_eq!(image::REFERENCE, InstallOptions::default().image);
}

#[test]
fn a_binary_that_needs_libraries_is_not_packed() {
    let this = std::env::current_exe().unwrap();
    let error = image::pack(&this).unwrap_err().to_string();
    assert_eq!(error, format!("`{}` needs a dynamic loader, and the image has none", this.display()));
}
