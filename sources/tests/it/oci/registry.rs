//! A real registry: Debian's `docker-registry`, over HTTP and with TLS and logins.

use std::fs;

use fairlead_sources::{
    oci::{OciReference, OciReferenceFields, OciRequest, resolve},
    transport::{Encryption, Proxy, Transport, Trust},
};
use fairlead_tests::image::{Content, FLUX_LAYER, archive};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{digest, key, pull, refusal, request, semver, tag, told, with_login};
use crate::{
    git::{program::program, secret, ssh_server::free_port},
    scene::{Scene, at, contents},
    server::Server,
    tls::{Authority, Identity},
};

const PROGRAM: &str = "docker-registry";
const REPOSITORY: &str = "team/app";
/// `user` with the password `hunter2`, as `htpasswd -B` writes it.
const LOGIN: &str = "user:$2y$04$abcdefghijklmnopqrstuuV3duMsC0HpUex6N9qapiuOHHWkwRXVm\n";

/// A registry that ends when this is dropped.
pub(super) struct Registry(Server);

impl Registry {
    pub(super) async fn start() -> Self {
        Self::start_with(&json!({}), None).await
    }

    /// A registry called `localhost` that is read and written by those who log in.
    pub(super) async fn start_closed(identity: &Identity, folder: TempDir) -> Self {
        let path = |name: &str| folder.path().join(name);
        fs::write(path("htpasswd"), LOGIN).expect("written");
        fs::write(path("tls.crt"), &identity.certificate).expect("written");
        fs::write(path("tls.key"), &identity.key).expect("written");
        let settings = json!({
            "auth": { "htpasswd": { "realm": "test", "path": path("htpasswd") } },
            "tls": { "certificate": path("tls.crt"), "key": path("tls.key") },
        });
        Self::start_with(&settings, Some(folder)).await
    }

    async fn start_with(settings: &Value, folder: Option<TempDir>) -> Self {
        let folder = folder.unwrap_or_else(|| TempDir::new().expect("a folder"));
        let port = free_port();
        let config = json!({
            "version": 0.1,
            "log": { "level": "error", "accesslog": { "disabled": true } },
            "storage": { "filesystem": { "rootdirectory": folder.path().join("data") } },
            "http": { "addr": format!("127.0.0.1:{port}"), "tls": settings["tls"] },
            "auth": settings["auth"],
        });
        fs::write(folder.path().join("config.yml"), config.to_string()).expect("written");
        let mut command = program(PROGRAM);
        command.arg("serve").arg(folder.path().join("config.yml"));
        Self(Server::start(&command, port, folder).await)
    }

    pub(super) fn port(&self) -> u16 {
        self.0.port
    }

    pub(super) fn url(&self) -> String {
        format!("oci://127.0.0.1:{}/{REPOSITORY}", self.port())
    }

    fn push(&self, content: &Content) {
        content.push_to(&format!("http://127.0.0.1:{}/v2/{REPOSITORY}", self.port()));
    }
}

#[tokio::test]
async fn a_tag_is_followed_to_its_files_and_annotations() {
    let registry = Registry::start().await;
    let mut content = Content::default();
    let pushed = content.push("v1", &[(FLUX_LAYER, archive(&[("a.yaml", "a: 1"), ("b/c.yaml", "c: 1")]))]);
    registry.push(&content);
    let scene = Scene::new();
    let (resolved, fetched) = pull(&scene, &request(&registry.url(), tag("v1")), None).await.expect("pulled");
    assert_eq!(resolved.revision, format!("v1@{pushed}"));
    assert_eq!(contents(&fetched.tree).as_deref(), Ok("a.yaml: a: 1\nb/c.yaml: c: 1\n"));
    assert_eq!(fetched.metadata["org.opencontainers.image.revision"], "v1@sha1:4f2a");
    let artifact = fetched.publish(&scene.store, &key("app"), at(0)).expect("published");
    assert_eq!(artifact.path, format!("ocirepository/flux-system/app/{pushed}.tar.gz"));
}

#[tokio::test]
async fn a_digest_and_a_range_are_followed_too() {
    let registry = Registry::start().await;
    let mut content = Content::default();
    let mut digests = Vec::new();
    for version in ["1.0.0", "1.9.0", "1.10.0", "1.11.0-rc.1", "2.0.0", "latest"] {
        digests.push(content.push(version, &[(FLUX_LAYER, archive(&[("version", version)]))]));
    }
    registry.push(&content);
    let filtered = OciReferenceFields {
        semver: Some(">=1.0.0-0"),
        semver_filter: Some("-rc\\."),
        ..OciReferenceFields::default()
    };
    let rows = [
        (semver("1.x"), format!("1.10.0@{}", digests[2])),
        (semver(">=1.0.0"), format!("2.0.0@{}", digests[4])),
        (OciReference::new(filtered), format!("1.11.0-rc.1@{}", digests[3])),
        (OciReference::new(OciReferenceFields::default()), format!("latest@{}", digests[5])),
        (digest(&digests[0]), digests[0].clone()),
    ];
    for (reference, expected) in rows {
        let request = request(&registry.url(), reference);
        let (resolved, _) = pull(&Scene::new(), &request, None).await.expect("pulled");
        assert_eq!(resolved.revision, expected, "{:?}", request.reference);
    }
}

#[tokio::test]
async fn an_index_leads_to_the_image_for_our_platform() {
    let registry = Registry::start().await;
    let mut content = Content::default();
    let arm = content.push("arm", &[(FLUX_LAYER, archive(&[("platform", "arm64")]))]);
    let amd = content.push("amd", &[(FLUX_LAYER, archive(&[("platform", "amd64")]))]);
    let both = content.push_index("both", &[("arm64", &arm), ("amd64", &amd)]);
    content.push_index("arm-only", &[("arm64", &arm)]);
    registry.push(&content);
    let scene = Scene::new();
    let (resolved, fetched) = pull(&scene, &request(&registry.url(), tag("both")), None).await.expect("pulled");
    assert_eq!(resolved.revision, format!("both@{both}"));
    assert_eq!(contents(&fetched.tree).as_deref(), Ok("platform: amd64\n"));
    let error = refusal(pull(&scene, &request(&registry.url(), tag("arm-only")), None).await);
    assert!(told(&error, registry.port()).ends_with("no child with platform linux/amd64 in index"), "{error}");
}

#[tokio::test]
async fn what_is_not_there_is_said_in_flux_s_words() {
    let registry = Registry::start().await;
    registry.push(&Content::of_files("v1", &[]));
    let other = registry.url().replace("app", "other");
    let absent = format!("sha256:{}", "0".repeat(64));
    let rows = [
        request(&registry.url(), tag("v2")),
        request(&registry.url(), digest(&absent)),
        request(&registry.url(), digest("sha256:0")),
        request(&registry.url(), semver("2.x")),
        request(&other, semver("*")),
        request(&registry.url(), tag("../v1")),
    ];
    let mut lines = Vec::new();
    for request in rows {
        lines.push(told(&refusal(pull(&Scene::new(), &request, None).await), registry.port()));
    }
    insta::assert_snapshot!(lines.join("\n\n"), @r"
    OCIArtifactPullFailed: failed to determine artifact digest: `team/app/manifests/v2` not found: MANIFEST_UNKNOWN: manifest unknown
    hint: check the URL and `spec.ref`, and that the credentials may read the repository

    OCIArtifactPullFailed: failed to pull artifact from 'oci://127.0.0.1:PORT/team/app': `team/app/manifests/sha256:0000000000000000000000000000000000000000000000000000000000000000` not found: MANIFEST_UNKNOWN: manifest unknown
    hint: check the URL and `spec.ref`, and that the credentials may read the repository

    OCIArtifactPullFailed: failed to determine artifact digest: `sha256:0` is not a SHA-256 digest

    ReadOperationFailed: failed to determine the artifact tag for 'oci://127.0.0.1:PORT/team/app': no match found for semver: 2.x
    hint: a tag must be three numbers, with or without `v`; pre-releases need a range such as `>=1.0.0-0`

    ReadOperationFailed: failed to determine the artifact tag for 'oci://127.0.0.1:PORT/team/other': `team/other/tags/list` not found: NAME_UNKNOWN: repository name not known to registry
    hint: check the URL and `spec.ref`, and that the credentials may read the repository

    OCIArtifactPullFailed: failed to determine artifact digest: `../v1` is not a tag
    ");
}

#[tokio::test]
async fn a_closed_registry_is_read_with_its_ca_and_a_login() {
    let authority = Authority::new();
    let open = Registry::start().await;
    open.push(&Content::of_files("v1", &[("a.yaml", "a: 1")]));
    let registry = Registry::start_closed(&authority.issue("localhost"), open.0.into_folder()).await;
    let trust = |authority: &Authority| {
        let data = secret([("ca.crt", authority.pem().as_str())]);
        Transport { trust: Trust::from_secret(&data).expect("a CA"), proxy: Proxy::default() }
    };
    let request = OciRequest {
        transport: trust(&authority),
        encryption: Encryption::Tls,
        ..request(&format!("oci://localhost:{}/{REPOSITORY}", registry.port()), tag("v1"))
    };
    let login = |password: &str| with_login(request.clone(), &json!({ "username": "user", "password": password }));
    let scene = Scene::new();
    let (_, fetched) = pull(&scene, &login("hunter2"), None).await.expect("pulled");
    assert_eq!(contents(&fetched.tree).as_deref(), Ok("a.yaml: a: 1\n"));

    let other = OciRequest { transport: trust(&Authority::new()), ..login("hunter2") };
    let refused = [login("canary"), request.clone(), other];
    let mut lines = Vec::new();
    for request in refused {
        lines.push(told(&refusal(resolve(&request).await), registry.port()));
    }
    insta::assert_snapshot!(lines.join("\n\n"), @r"
    OCIArtifactPullFailed: failed to determine artifact digest: authorization failed: UNAUTHORIZED: authentication required
    hint: check that the entry for this registry in the pull Secret is valid, not expired and may read the repository

    OCIArtifactPullFailed: failed to determine artifact digest: authentication required: the registry wants user and password, and there are none for it
    hint: name a pull Secret with an entry for this registry in `spec.secretRef`

    OCIArtifactPullFailed: failed to determine artifact digest: tls: invalid peer certificate: BadSignature
    hint: name the registry's CA as `ca.crt` in the Secret of `spec.certSecretRef`; set `spec.insecure` only for a registry without TLS
    ");
}
