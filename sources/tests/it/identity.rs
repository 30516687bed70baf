//! The identity of a process at clouds, against stand-ins for their services on this machine.

use std::{collections::HashMap, fs, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use fairlead_sources::{
    bucket::{self, AzureAccount, BucketAccount, BucketRequest, GcsAccount, S3Account},
    fetch::SourceError,
    git::{self, Checkout, GitAuth, GitReference, GitRequest, GitUrl, ReferenceFields},
    identity::{Cloud, CloudIdentity, Environment},
    oci::{self, LayerSelector, OciAuth, OciReference, OciReferenceFields, OciRequest, OciUrl},
    transport::{Encryption, Proxy, Transport},
};
use jiff::Timestamp;
use tempfile::TempDir;

use crate::{
    git::{
        program::{program, run_well},
        secret,
    },
    scene::chain,
    site::Site,
};

const PATIENCE: Duration = Duration::from_mins(1);

/// The time of all tests here: what is granted until 2100 holds.
fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().expect("a time")
}

/// The identity that `variables` lead to, where this machine counts as the cloud's own.
fn identity(cloud: Cloud, variables: &[(&str, String)]) -> CloudIdentity {
    let variables: HashMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let environment = Environment::new(move |name| variables.get(name).cloned());
    CloudIdentity::new(cloud, environment.trusting(["127.0.0.1".to_owned()]), now())
}

fn json(text: &str) -> (u16, Option<(&'static str, String)>, Vec<u8>) {
    (200, None, text.as_bytes().to_vec())
}

fn missing() -> (u16, Option<(&'static str, String)>, Vec<u8>) {
    (404, None, Vec::new())
}

async fn list(account: BucketAccount) -> Result<bucket::Listing, bucket::BucketError> {
    let (bucket, prefix, transport) = ("shop".to_owned(), String::new(), Transport::default());
    bucket::resolve(&BucketRequest { bucket, prefix, account, transport, timeout: PATIENCE }, None, now()).await
}

/// A file in a folder of its own.
fn file(content: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    fs::write(&path, content).expect("written");
    let path = path.to_str().expect("a path").to_owned();
    (folder, path)
}

const KEYS: &str = r#"{"AccessKeyId":"ASIA1","SecretAccessKey":"s","Token":"t","Expiration":"2100-01-01T00:00:00Z"}"#;

#[tokio::test]
async fn amazon_s_keys_come_from_a_web_identity_a_container_s_agent_or_the_machine() {
    let site = Site::start(|target| match target {
        "/latest/api/token" => json("session"),
        "/latest/meta-data/iam/security-credentials/" => json("node\n"),
        "/latest/meta-data/iam/security-credentials/node" | "/agent" => json(KEYS),
        "/" => json(
            "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
             <AccessKeyId>ASIA2</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
             <Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>\
             </AssumeRoleWithWebIdentityResponse>",
        ),
        "/shop?list-type=2&max-keys=1000&prefix=" => {
            json("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
        }
        _ => missing(),
    })
    .await;
    let base = format!("http://127.0.0.1:{}", site.port());
    let (_folder, token) = file("a web identity\n");
    let ways = [
        (
            "web identity",
            vec![
                ("AWS_WEB_IDENTITY_TOKEN_FILE", token.clone()),
                ("AWS_ROLE_ARN", format!("arn:aws:iam::1:role/{}", site.port())),
                ("AWS_ENDPOINT_URL_STS", base.clone()),
            ],
            "ASIA2",
        ),
        (
            "agent",
            vec![
                ("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{base}/agent")),
                ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token),
            ],
            "ASIA1",
        ),
        ("machine", vec![("AWS_EC2_METADATA_SERVICE_ENDPOINT", base.clone())], "ASIA1"),
    ];
    for (way, variables, key) in ways {
        let account = S3Account::anonymous(&format!("127.0.0.1:{}", site.port()), None, Encryption::Off);
        let identity = identity(Cloud::Aws, &variables);
        let account = account.expect("a host").with_identity(identity).expect("this machine is trusted");
        for _ in 0..2 {
            list(BucketAccount::S3(account.clone())).await.unwrap_or_else(|error| panic!("{way}: {}", chain(&error)));
        }
        let seen = site.seen();
        let (listed, asked): (Vec<_>, Vec<_>) = seen.into_iter().partition(|(target, _)| target.starts_with("/shop"));
        let signed = format!("AWS4-HMAC-SHA256 Credential={key}/20260102/us-east-1/s3/aws4_request");
        assert_eq!(listed.len(), 2, "{way}");
        assert!(listed.iter().all(|(_, header)| header.as_ref().is_some_and(|header| header.starts_with(&signed))));
        let expected = match way {
            "web identity" => vec![("/".to_owned(), None)],
            "agent" => vec![("/agent".to_owned(), Some("a web identity".to_owned()))],
            _ => [
                "/latest/api/token",
                "/latest/meta-data/iam/security-credentials/",
                "/latest/meta-data/iam/security-credentials/node",
            ]
            .map(|target| (target.to_owned(), None))
            .to_vec(),
        };
        assert_eq!(asked, expected, "{way}: the keys are kept");
    }
}

#[tokio::test]
async fn google_s_tokens_come_from_the_machine_or_from_federation() {
    let site = Site::start(|target| match target {
        "/computeMetadata/v1/instance/service-accounts/default/token" => {
            json(r#"{"access_token":"of-the-machine","expires_in":3599}"#)
        }
        "/sts" => json(r#"{"access_token":"federated","expires_in":3599}"#),
        "/impersonate" => json(r#"{"accessToken":"impersonated","expireTime":"2100-01-01T00:00:00Z"}"#),
        "/storage/v1/b/shop/o?fields=kind,items(name,etag),nextPageToken&maxResults=1000&prefix=" => {
            json(r#"{"kind":"storage#objects"}"#)
        }
        _ => missing(),
    })
    .await;
    let host = format!("127.0.0.1:{}", site.port());
    let (_subject_folder, subject) = file(r#"{"token":"mine"}"#);
    let source = serde_json::json!({
        "file": subject, "format": { "type": "json", "subject_token_field_name": "token" },
    });
    let federation = serde_json::json!({
        "type": "external_account", "audience": "//iam.googleapis.com/x", "subject_token_type": "urn:jwt",
        "token_url": format!("http://{host}/sts"), "credential_source": source,
        "service_account_impersonation_url": format!("http://{host}/impersonate"),
    });
    let (_folder, credentials) = file(&federation.to_string());
    let rows = [
        (vec![("GCE_METADATA_HOST", host.clone())], "Bearer of-the-machine"),
        (vec![("GOOGLE_APPLICATION_CREDENTIALS", credentials)], "Bearer impersonated"),
    ];
    for (variables, expected) in rows {
        let account = GcsAccount::new(&host, Encryption::Off, None).expect("a host");
        let account = account.with_identity(identity(Cloud::Gcp, &variables)).expect("this machine is trusted");
        list(BucketAccount::Gcs(account)).await.unwrap_or_else(|error| panic!("{expected}: {}", chain(&error)));
        let (target, header) = site.seen().pop().expect("it was listed");
        assert!(target.starts_with("/storage/"), "{target}");
        assert_eq!(header.as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn azure_s_tokens_come_from_a_workload_or_a_managed_identity() {
    let site = Site::start(|target| match target {
        "/tenant/oauth2/v2.0/token" => json(r#"{"access_token":"of-the-workload","expires_in":3599}"#),
        target if target.starts_with("/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https") => {
            json(r#"{"access_token":"of-the-machine","expires_in":"86399"}"#)
        }
        target if target.contains("comp=list") => json("<EnumerationResults><NextMarker/></EnumerationResults>"),
        _ => missing(),
    })
    .await;
    let base = format!("http://127.0.0.1:{}", site.port());
    let (_folder, token) = file("federated");
    let workload = vec![
        ("AZURE_FEDERATED_TOKEN_FILE", token),
        ("AZURE_TENANT_ID", "tenant".to_owned()),
        ("AZURE_CLIENT_ID", "client".to_owned()),
        ("AZURE_AUTHORITY_HOST", base.clone()),
    ];
    let machine =
        vec![("AZURE_POD_IDENTITY_AUTHORITY_HOST", base.clone()), ("AZURE_CLIENT_ID", site.port().to_string())];
    for (variables, expected) in [(workload, "Bearer of-the-workload"), (machine, "Bearer of-the-machine")] {
        let account = AzureAccount::new(&base, None).expect("a URL");
        let account = account.with_identity(identity(Cloud::Azure, &variables)).expect("this machine is trusted");
        list(BucketAccount::Azure(account)).await.unwrap_or_else(|error| panic!("{expected}: {}", chain(&error)));
        let (_, header) = site.seen().pop().expect("it was listed");
        assert_eq!(header.as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn azure_s_registries_give_a_token_for_ours() {
    let site = Site::start(|target| match target {
        "/tenant/oauth2/v2.0/token" => json(r#"{"access_token":"ours","expires_in":3599}"#),
        "/oauth2/exchange" => json(r#"{"refresh_token":"theirs"}"#),
        "/oauth2/token" => json(r#"{"access_token":"pull","expires_in":300}"#),
        _ => (
            401,
            Some(("www-authenticate", "Bearer realm=\"http://REALM/oauth2/token\",service=\"r\"".to_owned())),
            Vec::new(),
        ),
    })
    .await;
    let base = format!("127.0.0.1:{}", site.port());
    let (_folder, token) = file("federated");
    let variables = [
        ("AZURE_FEDERATED_TOKEN_FILE", token),
        ("AZURE_TENANT_ID", "tenant".to_owned()),
        ("AZURE_CLIENT_ID", "client".to_owned()),
        ("AZURE_AUTHORITY_HOST", format!("http://{base}")),
    ];
    let request = OciRequest {
        url: OciUrl::parse(&format!("oci://{base}/app")).expect("a URL"),
        reference: OciReference::new(OciReferenceFields { tag: Some("v1"), ..OciReferenceFields::default() }),
        layer: LayerSelector::default(),
        auth: OciAuth::of_cloud(identity(Cloud::Azure, &variables)),
        transport: Transport::default(),
        limit_bytes: oci::LAYER_LIMIT_BYTES,
        encryption: Encryption::Off,
        timeout: PATIENCE,
        verification: None,
    };
    assert!(oci::resolve(&request).await.is_err(), "the stand-in has no image");
    let seen: Vec<String> = site.seen().into_iter().map(|(target, _)| target).collect();
    assert_eq!(seen[..3], ["/tenant/oauth2/v2.0/token", "/oauth2/exchange", "/v2/app/manifests/v1"]);
}

/// A request of a repository that the site does not have, and what it was asked with.
async fn asked_with(site: &Site, auth: GitAuth) -> Vec<(String, Option<String>)> {
    let url = GitUrl::parse(&format!("http://127.0.0.1:{}/acme/app", site.port())).expect("a URL");
    let reference = GitReference::new(ReferenceFields { branch: Some("main"), ..ReferenceFields::default() });
    let request =
        GitRequest { url, reference, auth, timeout: PATIENCE, checkout: Checkout::default(), verification: None };
    for _ in 0..2 {
        let error = git::resolve(&request).await.expect_err("there is no repository");
        assert!(chain(&error).ends_with("repository not found"), "{}", chain(&error));
    }
    site.seen()
}

#[tokio::test]
async fn a_github_app_gets_a_token_for_its_installation_and_keeps_it() {
    let site = Site::start(|target| match target {
        "/api/v3/users/acme/installation" => json(r#"{"id":7}"#),
        "/api/v3/app/installations/7/access_tokens" => {
            (201, None, br#"{"token":"ghs_1","expires_at":"2100-01-01T00:00:00Z"}"#.to_vec())
        }
        _ => missing(),
    })
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key");
    let keygen = ["-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f"];
    run_well(program("ssh-keygen").args(keygen).arg(&path), b"");
    let key = fs::read_to_string(&path).expect("a key");
    let base = format!("http://127.0.0.1:{}/api/v3/", site.port());
    let data = secret([
        ("githubAppID", "42"),
        ("githubAppPrivateKey", &key),
        ("githubAppInstallationOwner", "acme"),
        ("githubAppBaseURL", &base),
    ]);
    let auth = GitAuth::app(&data, &Proxy::default(), now()).expect("an app");
    let seen = asked_with(&site, auth).await;
    let targets: Vec<&str> = seen.iter().map(|(target, _)| target.as_str()).collect();
    let greeting = "/acme/app/info/refs?service=git-upload-pack";
    assert_eq!(
        targets,
        [
            "/api/v3/orgs/acme/installation",
            "/api/v3/users/acme/installation",
            "/api/v3/app/installations/7/access_tokens",
            greeting,
            greeting,
        ]
    );
    assert!(seen[..3].iter().all(|(_, header)| header.as_ref().is_some_and(|header| header.starts_with("Bearer ey"))));
    let expected = format!("Basic {}", BASE64_STANDARD.encode("x-access-token:ghs_1"));
    assert!(seen[3..].iter().all(|(_, header)| header.as_deref() == Some(&expected)), "{seen:?}");
}

#[tokio::test]
async fn a_github_app_that_is_refused_is_told_without_its_key() {
    let site = Site::start(|_| (401, None, br#"{"message":"A JSON web token could not be decoded"}"#.to_vec())).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key");
    let keygen = ["-q", "-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", "", "-f"];
    run_well(program("ssh-keygen").args(keygen).arg(&path), b"");
    let key = fs::read_to_string(&path).expect("a key");
    let base = format!("http://127.0.0.1:{}", site.port());
    let with = |entries: [(&str, &str); 4]| GitAuth::app(&secret(entries), &Proxy::default(), now());
    let id = ("githubAppInstallationID", "7");
    let auth = with([("githubAppID", "42"), ("githubAppPrivateKey", &key), id, ("githubAppBaseURL", &base)]);
    let url = GitUrl::parse(&format!("{base}/r")).expect("a URL");
    let reference = GitReference::new(ReferenceFields { branch: Some("main"), ..ReferenceFields::default() });
    let request = GitRequest {
        url,
        reference,
        auth: auth.expect("an app"),
        timeout: PATIENCE,
        checkout: Checkout::default(),
        verification: None,
    };
    let error = git::resolve(&request).await.expect_err("refused");
    assert_eq!(error.reason(), "AuthenticationFailed");
    insta::assert_snapshot!(chain(&error).replace(&base, "URL"), @r#"failed to checkout and determine revision: unable to clone 'URL/r': GitHub gives its app no token: HTTP status 401: {"message":"A JSON web token could not be decoded"}"#);
    let told = |entries| with(entries).err().map(|error| error.to_string()).unwrap_or_default();
    let app = ("githubAppID", "42");
    assert_eq!(
        told([app, ("githubAppPrivateKey", "x"), id, ("y", "")]),
        "'githubAppPrivateKey' holds no RSA key in PEM"
    );
    assert_eq!(told([("x", ""), ("githubAppPrivateKey", &key), id, ("y", "")]), "key 'githubAppID' is missing");
    assert_eq!(
        told([app, ("githubAppPrivateKey", &key), ("x", ""), ("y", "")]),
        "key 'githubAppInstallationID' is missing"
    );
}

#[tokio::test]
async fn azure_s_repositories_are_read_with_a_token_of_the_identity() {
    let site = Site::start(|target| match target {
        "/tenant/oauth2/v2.0/token" => json(r#"{"access_token":"devops","expires_in":3599}"#),
        _ => missing(),
    })
    .await;
    let base = format!("http://127.0.0.1:{}", site.port());
    let (_folder, token) = file("federated");
    let variables = [
        ("AZURE_FEDERATED_TOKEN_FILE", token),
        ("AZURE_TENANT_ID", "tenant".to_owned()),
        ("AZURE_CLIENT_ID", "client".to_owned()),
        ("AZURE_AUTHORITY_HOST", base.clone()),
    ];
    let url = GitUrl::parse(&format!("{base}/acme/app")).expect("a URL");
    let auth = GitAuth::cloud(&url, identity(Cloud::Azure, &variables)).expect("this machine is trusted");
    let seen = asked_with(&site, auth).await;
    let asked: Vec<_> = seen.iter().filter(|(target, _)| target.starts_with("/tenant")).collect();
    assert_eq!(asked.len(), 1, "the token is kept");
    assert_eq!(seen.last().and_then(|(_, header)| header.as_deref()), Some("Bearer devops"));
}

#[test]
fn nobody_but_the_cloud_is_shown_a_token() {
    let check = |cloud, host: &str, is_encrypted| {
        let environment = Environment::new(|_| None);
        CloudIdentity::new(cloud, environment, now()).check_host(host, is_encrypted).is_ok()
    };
    let rows = [
        (Cloud::Aws, "s3.eu-west-1.amazonaws.com", true),
        (Cloud::Aws, "public.ecr.aws", true),
        (Cloud::Aws, "amazonaws.com.example.org", false),
        (Cloud::Gcp, "storage.googleapis.com", true),
        (Cloud::Gcp, "eu.gcr.io", true),
        (Cloud::Gcp, "gcr.io", true),
        (Cloud::Gcp, "notgcr.io", false),
        (Cloud::Gcp, "europe-docker.pkg.dev", true),
        (Cloud::Gcp, "docker.pkg.dev", false),
        (Cloud::Azure, "shop.blob.core.windows.net", true),
        (Cloud::Azure, "blob.core.windows.net.example.org", false),
        (Cloud::Azure, "shop.azurecr.io", true),
        (Cloud::Azure, "dev.azure.com", true),
        (Cloud::Azure, "127.0.0.1", false),
    ];
    for (cloud, host, expected) in rows {
        assert_eq!(check(cloud, host, true), expected, "{host}");
        assert!(!check(cloud, host, false), "{host} without TLS");
    }
}
