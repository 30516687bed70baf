//! `azurite`, which stands in for Azure Blob Storage and checks signatures.

use base64::{Engine, prelude::BASE64_STANDARD};
use fairlead_sources::bucket::{AzureAccount, BucketAccount, BucketRequest};
use ring::hmac;
use tempfile::TempDir;

use super::{now, pull, refusal, request, told};
use crate::{
    git::{program::program, secret, ssh_server::free_port},
    scene::{Scene, contents},
    server::{Server, is_installed},
};

const PROGRAM: &str = "azurite-blob";
const ACCOUNT: &str = "devstoreaccount1";
/// The key that everybody knows.
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// The service.
struct Azurite(Server);

impl Azurite {
    /// Starts the service; `None` where it is not installed.
    async fn start() -> Option<Self> {
        if !is_installed(PROGRAM, "npm install --global azurite") {
            return None;
        }
        let port = free_port();
        let mut command = program(PROGRAM);
        command.args(["--skipApiVersionCheck", "--silent", "--inMemoryPersistence", "--blobPort", &port.to_string()]);
        Some(Self(Server::start(&command, port, TempDir::new().expect("a folder")).await))
    }

    fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/{ACCOUNT}", self.0.port)
    }

    /// Sends a signed `PUT`; the query is given as signatures have it.
    fn put(&self, path: &str, kind: &[(&str, &str)], content: &str, signed_query: &str) {
        let time = now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let length = if content.is_empty() { String::new() } else { content.len().to_string() };
        let kinds = kind.iter().map(|(name, value)| format!("{name}:{value}\n")).collect::<Vec<_>>().concat();
        let headers = format!("{kinds}x-ms-date:{time}\nx-ms-version:2021-08-06\n");
        let (path_only, _) = path.split_once('?').unwrap_or((path, ""));
        let resource = format!("/{ACCOUNT}/{ACCOUNT}{path_only}{signed_query}");
        let text = format!("PUT\n\n\n{length}\n\ntext/plain\n\n\n\n\n\n\n{headers}{resource}");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &BASE64_STANDARD.decode(KEY).expect("base64"));
        let signature = BASE64_STANDARD.encode(hmac::sign(&key, text.as_bytes()));
        let mut request = ureq::put(format!("{}{path}", self.endpoint()))
            .header("authorization", format!("SharedKey {ACCOUNT}:{signature}"))
            .header("content-type", "text/plain")
            .header("x-ms-date", &time)
            .header("x-ms-version", "2021-08-06");
        for (name, value) in kind {
            request = request.header(*name, *value);
        }
        request.send(content).expect("put");
    }

    fn blob(&self, path: &str, content: &str) {
        self.put(&format!("/shop/{path}"), &[("x-ms-blob-type", "BlockBlob")], content, "");
    }

    fn request(&self, key: &str, prefix: &str) -> BucketRequest {
        let data = secret([("accountKey", key)]);
        request(BucketAccount::Azure(AzureAccount::new(&self.endpoint(), Some(&data)).expect("an account")), prefix)
    }
}

#[tokio::test]
async fn a_container_is_listed_and_fetched_by_those_who_have_the_account_s_key() {
    let Some(azurite) = Azurite::start().await else { return };
    azurite.put("/shop?restype=container", &[], "", "\nrestype:container");
    azurite.blob("a.yaml", "a: 1");
    azurite.blob("b/c%20%2B%C3%A9.yaml", "c: 1");
    azurite.blob("notes.txt", "left out");
    let scene = Scene::new();
    let request = azurite.request(KEY, "");
    let (listing, fetched) = pull(&scene, &request, Some("*.txt\n"))
        .await
        .unwrap_or_else(|error| panic!("{}", told(&error, azurite.0.port)));
    assert_eq!(contents(&fetched.tree).as_deref(), Ok("a.yaml: a: 1\nb/c +é.yaml: c: 1\n"));
    assert_eq!(listing.revision, fetched.revision);
    let (below, fetched) = pull(&scene, &azurite.request(KEY, "b/"), None).await.expect("pulled");
    assert_eq!(contents(&fetched.tree).as_deref(), Ok("b/c +é.yaml: c: 1\n"));
    assert_ne!(below.revision, listing.revision);

    let other_key = BASE64_STANDARD.encode("canary");
    let missing = BucketRequest { bucket: "none".into(), ..azurite.request(KEY, "") };
    let mut lines = Vec::new();
    for request in [azurite.request(&other_key, ""), missing] {
        lines.push(told(&refusal(pull(&scene, &request, None).await), azurite.0.port));
    }
    insta::assert_snapshot!(lines.join("\n\n"), @r"
    BucketOperationFailed: indexation of objects from bucket 'shop' failed: authorization failed: AuthorizationFailure: Server failed to authenticate the request. Make sure the value of the Authorization header is formed correctly including the signature.
    hint: check that the credentials in `spec.secretRef` are valid and may list and read the bucket

    BucketOperationFailed: bucket 'none' not found
    hint: check `spec.bucketName`, `spec.endpoint` and that the credentials may list it
    ");
}
