//! Artifacts that are made here, in a real registry.

use std::collections::BTreeMap;

use fairlead_sources::{
    archive::{SymbolicLinks, pack_files},
    fetch::Means,
    ignore::Ignore,
    oci::{
        NewArtifact, ORIGIN_REVISION, OciReference, OciRequest, PublishError, TagFilter, annotations, pull, push,
        resolve, tag as add_tags, tags,
    },
    transport::{Encryption, Proxy, Transport, Trust},
};
use serde_json::json;
use tempfile::TempDir;

use super::{digest, registry::Registry, request, semver, tag, with_login};
use crate::{
    git::secret,
    scene::{Scene, at, chain, contents},
    tls::Authority,
};

/// An artifact with one file, which has `content`.
fn artifact(content: &str) -> NewArtifact {
    let folder = TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("a.yaml"), content).expect("written");
    let layer = pack_files(folder.path(), &Ignore::of_patterns(&[]), SymbolicLinks::Skip).expect("packed");
    NewArtifact { layer, annotations: BTreeMap::from([(ORIGIN_REVISION.to_owned(), "main@sha1:4f2a".to_owned())]) }
}

fn refusal<T>(outcome: Result<T, PublishError>, port: u16) -> String {
    let Err(error) = outcome else { panic!("this must fail") };
    chain(&error).replace(&port.to_string(), "PORT")
}

#[tokio::test]
async fn what_was_pushed_is_pulled_by_tag_and_by_digest() {
    let registry = Registry::start().await;
    let request = request(&registry.url(), tag("v1"));
    let pushed = push(&request, artifact("a: 1")).await.expect("pushed");
    assert_eq!(push(&request, artifact("a: 1")).await.expect("pushed again"), pushed, "equal artifacts are one");

    let scene = Scene::new();
    for reference in [tag("v1"), digest(&pushed.to_string())] {
        let request = OciRequest { reference, ..request.clone() };
        let resolved = resolve(&request).await.expect("resolved");
        assert_eq!(resolved.digest, pushed);
        let means = Means { store: &scene.store, ignore: None, now: at(0) };
        let pulled = pull(&request, &resolved, &means).await.expect("pulled");
        assert_eq!(contents(&pulled.tree).as_deref(), Ok("a.yaml: a: 1\n"));
        assert_eq!(pulled.metadata[ORIGIN_REVISION], "main@sha1:4f2a");
    }
}

#[tokio::test]
async fn tags_are_added_and_listed_with_what_is_said_of_them() {
    let registry = Registry::start().await;
    let request = request(&registry.url(), tag("1.0.0"));
    push(&request, artifact("a: 1")).await.expect("pushed");
    let resolved = resolve(&request).await.expect("resolved");
    let names = ["latest", "1.1.0", "sha256-4f2a.sig"].map(str::to_owned);
    add_tags(&request, &resolved, &names).await.expect("tagged");

    let listed = async |semver, regex| {
        let filter = TagFilter::parse(semver, regex).expect("readable");
        tags(&request, filter).await.expect("listed")
    };
    assert_eq!(listed(None, None).await, ["latest", "1.1.0", "1.0.0"]);
    assert_eq!(listed(Some(">1.0.0"), None).await, ["1.1.0"]);
    assert_eq!(listed(None, Some("^1")).await, ["1.1.0", "1.0.0"]);
    let latest = OciRequest { reference: tag("latest"), ..request.clone() };
    let latest_resolved = resolve(&latest).await.expect("resolved");
    assert_eq!(latest_resolved.digest, resolved.digest);
    let said = annotations(&latest, &latest_resolved).await.expect("read");
    assert_eq!(said[ORIGIN_REVISION], "main@sha1:4f2a");
}

#[tokio::test]
async fn only_a_tag_can_be_pushed_to() {
    let registry = Registry::start().await;
    let refused = async |reference: OciReference| {
        refusal(push(&request(&registry.url(), reference), artifact("a: 1")).await, registry.port())
    };
    insta::assert_snapshot!(refused(digest("sha256:0")).await, @"failed to push artifact to 'oci://127.0.0.1:PORT/team/app': `sha256:0` is not a tag");
    insta::assert_snapshot!(refused(semver("1.x")).await, @"failed to push artifact to 'oci://127.0.0.1:PORT/team/app': `1.x` is not a tag");
    insta::assert_snapshot!(refused(tag("../v1")).await, @"failed to push artifact to 'oci://127.0.0.1:PORT/team/app': `../v1` is not a tag");
}

#[tokio::test]
async fn a_closed_registry_takes_what_comes_with_a_login() {
    let authority = Authority::new();
    let folder = TempDir::new().expect("a folder");
    let registry = Registry::start_closed(&authority.issue("localhost"), folder).await;
    let data = secret([("ca.crt", authority.pem().as_str())]);
    let request = OciRequest {
        transport: Transport { trust: Trust::from_secret(&data).expect("a CA"), proxy: Proxy::default() },
        encryption: Encryption::Tls,
        ..request(&format!("oci://localhost:{}/team/app", registry.port()), tag("v1"))
    };
    let login = |password: &str| with_login(request.clone(), &json!({ "username": "user", "password": password }));
    let pushed = push(&login("hunter2"), artifact("a: 1")).await.expect("pushed");
    assert_eq!(resolve(&login("hunter2")).await.expect("resolved").digest, pushed);
    insta::assert_snapshot!(refusal(push(&request, artifact("a: 1")).await, registry.port()), @"failed to push artifact to 'oci://localhost:PORT/team/app': authentication required: the registry wants user and password, and there are none for it");
    insta::assert_snapshot!(refusal(push(&login("canary"), artifact("a: 1")).await, registry.port()), @"failed to push artifact to 'oci://localhost:PORT/team/app': authorization failed: Unauthorized");
}
