//! Services that answer as a test says.

use fairlead_object::Digest;
use fairlead_sources::{
    bucket::{AzureAccount, BucketAccount, BucketRequest, GcsAccount, fetch, resolve},
    fetch::SourceError,
    transport::Encryption,
};

use super::{now, pull, refusal, request, s3, told};
use crate::{
    git::{
        http_server::Trouble,
        program::{program, run_well},
        secret,
    },
    scene::{Scene, contents},
    site::{Answer, Answering, Site},
};

fn s3_listing(objects: &[(&str, &str)], next: Option<&str>) -> Answer {
    let contents = objects.iter().map(|(key, etag)| {
        format!("<Contents><Key>{key}</Key><ETag>&quot;{etag}&quot;</ETag><Size>1</Size></Contents>")
    });
    let next = next.map_or_else(String::new, |next| {
        format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{next}</NextContinuationToken>")
    });
    let xml = format!("<ListBucketResult>{}{next}</ListBucketResult>", contents.collect::<String>());
    (200, None, xml.into_bytes())
}

fn object(etag: &str, content: &str) -> Answer {
    (200, Some(("etag", format!("\"{etag}\""))), content.into())
}

fn s3_error(status: u16, code: &str) -> Answer {
    let xml = format!("<Error><Code>{code}</Code><Message>it says so</Message><RequestId>7</RequestId></Error>");
    (status, None, xml.into_bytes())
}

#[tokio::test]
async fn a_listing_goes_on_page_by_page_and_names_keep_their_characters() {
    let stub = Site::start(|target| match target {
        "/shop?list-type=2&max-keys=1000&prefix=a%2F" => s3_listing(&[("a/1.yaml", "1"), ("a/", "0")], Some("x=+/")),
        "/shop?continuation-token=x%3D%2B%2F&list-type=2&max-keys=1000&prefix=a%2F" => {
            s3_listing(&[("a/b &amp; c#.yaml", "2")], None)
        }
        "/shop/.sourceignore" => s3_error(404, "NoSuchKey"),
        "/shop/a/1.yaml" => object("1", "one"),
        "/shop/a/b%20%26%20c%23.yaml" => object("2", "two"),
        _ => s3_error(400, "Unexpected"),
    })
    .await;
    let scene = Scene::new();
    let request = request(s3(stub.port(), "key", "secret"), "a/");
    let (listing, fetched) = pull(&scene, &request, None).await.unwrap_or_else(|e| panic!("{}", told(&e, stub.port())));
    assert_eq!(contents(&fetched.tree).as_deref(), Ok("a/1.yaml: one\na/b & c#.yaml: two\n"));
    assert_eq!(listing.revision, Digest::of(b"a/1.yaml 1\na/b & c#.yaml 2\n").to_string());
    assert_eq!(listing.revision, fetched.revision);
}

#[tokio::test]
async fn an_unchanged_bucket_costs_one_listing() {
    let stub = Site::start(|_| s3_listing(&[("a.yaml", "1")], None)).await;
    let request = request(s3(stub.port(), "key", "secret"), "");
    let first = resolve(&request, None, now()).await.expect("listed");
    assert_eq!(stub.seen().len(), 1);
    assert_eq!(resolve(&request, None, now()).await.expect("listed").revision, first.revision);
    assert_eq!(stub.seen().len(), 1);
}

#[tokio::test]
async fn a_listing_that_is_not_whole_is_never_taken_for_one() {
    let answers: [Answering; 4] = [
        |_| (200, None, b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>".to_vec()),
        |_| s3_listing(&[("a.yaml", "1")], Some("again")),
        |_| (200, None, b"<ListBucketResult><Contents><Key>a.yaml</Key></Contents>".to_vec()),
        |_| (200, None, Vec::new()),
    ];
    for answer in answers {
        let stub = Site::start(answer).await;
        let error = refusal(resolve(&request(s3(stub.port(), "key", "secret"), ""), None, now()).await);
        assert!(told(&error, stub.port()).contains("malformed answer: "), "{}", told(&error, stub.port()));
    }
}

#[tokio::test]
async fn an_empty_bucket_is_a_revision_like_any_other() {
    let stub = Site::start(|_| s3_listing(&[], None)).await;
    let scene = Scene::new();
    let (listing, fetched) = pull(&scene, &request(s3(stub.port(), "a", "b"), ""), None).await.expect("pulled");
    assert_eq!(listing.revision, Digest::of(b"").to_string());
    assert_eq!(contents(&fetched.tree).as_deref(), Ok(""));
}

#[tokio::test]
async fn what_vanished_or_changed_since_the_listing_makes_the_revision() {
    let stub = Site::start(|target| match target {
        "/shop/gone.yaml" => s3_error(404, "NoSuchKey"),
        "/shop/new.yaml" => object("2", "new"),
        _ => s3_listing(&[("gone.yaml", "1"), ("new.yaml", "1")], None),
    })
    .await;
    let request = request(s3(stub.port(), "key", "secret"), "");
    let scene = Scene::new();
    let (listing, fetched) = pull(&scene, &request, None).await.expect("pulled");
    assert_eq!(listing.revision, Digest::of(b"gone.yaml 1\nnew.yaml 1\n").to_string());
    assert_eq!(fetched.revision, Digest::of(b"new.yaml 2\n").to_string());
    assert_eq!(contents(&fetched.tree).as_deref(), Ok("new.yaml: new\n"));
}

#[tokio::test]
async fn the_region_that_a_service_names_is_signed_for() {
    let stub = Site::start(|_| (400, Some(("x-amz-bucket-region", "eu-west-1".to_owned())), Vec::new())).await;
    refusal(resolve(&request(s3(stub.port(), "key", "secret"), ""), None, now()).await);
    let regions: Vec<bool> =
        stub.seen().iter().map(|(_, header)| header.as_ref().expect("signed").contains("/eu-west-1/s3/")).collect();
    assert_eq!(regions, [false, true]);
}

#[tokio::test]
async fn what_goes_wrong_is_said_with_its_cause_and_without_secrets() {
    let no_object: Answering = |target| {
        if target.contains('?') { s3_listing(&[("a.yaml", "1")], None) } else { s3_error(403, "AccessDenied") }
    };
    let one_object: Answering = |target| {
        if target.contains('?') { s3_listing(&[("a.yaml", "1")], None) } else { object("1", "a: 1") }
    };
    let answers: [(Trouble, Answering); 8] = [
        (Trouble::None, |_| s3_error(404, "NoSuchBucket")),
        (Trouble::None, |_| s3_error(403, "AccessDenied")),
        (Trouble::None, |_| (503, Some(("retry-after", "9".to_owned())), Vec::new())),
        (Trouble::None, |_| s3_listing(&[("../a.yaml", "1")], None)),
        (Trouble::None, |_| (200, None, b"<html>".to_vec())),
        (Trouble::None, |_| s3_listing(&[("a", "1"), ("a/b", "1")], None)),
        (Trouble::None, no_object),
        (Trouble::CutAfter(2), one_object),
    ];
    let mut lines = Vec::new();
    for (trouble, answer) in answers {
        let stub = Site::start_with(trouble, answer).await;
        let request = request(s3(stub.port(), "access-canary", "secret-canary"), "");
        let error = refusal(pull(&Scene::new(), &request, None).await);
        let wait = error.retry_after().map(|wait| format!("\nwait: {wait:?}")).unwrap_or_default();
        lines.push(format!("{}{wait}", told(&error, stub.port())));
    }
    let lines = lines.join("\n\n");
    assert!(!lines.contains("canary"), "{lines}");
    insta::assert_snapshot!(lines, @r"
    BucketOperationFailed: bucket 'shop' not found
    hint: check `spec.bucketName`, `spec.endpoint` and that the credentials may list it

    BucketOperationFailed: indexation of objects from bucket 'shop' failed: authorization failed: AccessDenied: it says so
    hint: check that the credentials in `spec.secretRef` are valid and may list and read the bucket

    BucketOperationFailed: indexation of objects from bucket 'shop' failed: HTTP status 503: Service Unavailable
    hint: raise `spec.interval`
    wait: 9s

    BucketOperationFailed: indexation of objects from bucket 'shop' failed: the key `../a.yaml` is not a relative path
    hint: rename the object, or leave it out with `spec.prefix`

    BucketOperationFailed: indexation of objects from bucket 'shop' failed: malformed answer: the XML cannot be read: it is no ListBucketResult

    BucketOperationFailed: cannot store the fetched objects: `a/b` is in the source twice, or is both a file and a directory

    BucketOperationFailed: fetch from bucket 'shop' failed: failed to get 'a.yaml' object: authorization failed: AccessDenied: it says so
    hint: check that the credentials in `spec.secretRef` are valid and may list and read the bucket

    BucketOperationFailed: fetch from bucket 'shop' failed: failed to get 'a.yaml' object: cannot talk to 127.0.0.1:PORT: Peer disconnected
    ");
}

#[tokio::test]
async fn a_container_is_read_by_a_signature_that_is_not_shown() {
    let stub = Site::start(|target| {
        let blob = |name: &str, etag: &str| {
            format!("<Blob><Name>{name}</Name><Properties><Etag>{etag}</Etag></Properties></Blob>")
        };
        let xml = |blobs: &str, next: &str| {
            format!("<EnumerationResults><Blobs>{blobs}</Blobs><NextMarker>{next}</NextMarker></EnumerationResults>")
        };
        match target {
            "/account/shop?comp=list&prefix=&restype=container&sv=1&sig=canary%2F" => {
                (200, None, xml(&blob("a.yaml", "0x1"), "next/2").into())
            }
            "/account/shop?comp=list&marker=next%2F2&prefix=&restype=container&sv=1&sig=canary%2F" => {
                (200, None, xml(&blob("b.yaml", "0x2"), "").into())
            }
            "/account/shop/a.yaml?sv=1&sig=canary%2F" => object("0x1", "one"),
            "/account/shop/b.yaml?sv=1&sig=canary%2F" => object("0x2", "two"),
            _ => s3_error(403, "AuthenticationFailed"),
        }
    })
    .await;
    let account = |sas: &str| {
        let endpoint = format!("http://127.0.0.1:{}/account?sig=old", stub.port());
        let data = secret([("sasKey", sas)]);
        BucketAccount::Azure(AzureAccount::new(&endpoint, Some(&data)).expect("an account"))
    };
    let scene = Scene::new();
    let (listing, fetched) = pull(&scene, &request(account("?sv=1&sig=canary%2F"), ""), None).await.expect("pulled");
    assert_eq!(listing.revision, fetched.revision);
    assert_eq!(contents(&fetched.tree).as_deref(), Ok("a.yaml: one\nb.yaml: two\n"));
    let error = refusal(resolve(&request(account("sig=other-canary"), ""), None, now()).await);
    insta::assert_snapshot!(told(&error, stub.port()), @r"
    BucketOperationFailed: indexation of objects from bucket 'shop' failed: authorization failed: AuthenticationFailed: it says so
    hint: check that the credentials in `spec.secretRef` are valid and may list and read the bucket
    ");
}

/// A new RSA key in PEM.
fn rsa_key() -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key");
    let keygen = ["-q", "-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", "", "-f"];
    run_well(program("ssh-keygen").args(keygen).arg(&path), b"");
    std::fs::read_to_string(path).expect("a key")
}

#[tokio::test]
async fn google_s_objects_are_read_with_a_token_that_is_asked_for_once() {
    let stub = Site::start(|target| match target {
        "/token" => (200, None, br#"{"access_token":"granted","expires_in":3599}"#.to_vec()),
        "/storage/v1/b/shop/o?fields=kind,items(name,etag),nextPageToken&maxResults=1000&prefix=" => {
            (200, None, br#"{"kind":"storage#objects","items":[{"name":"a/b.yaml","etag":"CJ="}]}"#.to_vec())
        }
        "/download/storage/v1/b/shop/o/a%2Fb.yaml?alt=media" => object("CJ=", "b"),
        _ => (404, None, Vec::new()),
    })
    .await;
    let json = serde_json::json!({
        "client_email": "me@example.iam.gserviceaccount.com",
        "private_key": rsa_key(),
        "token_uri": format!("http://127.0.0.1:{}/token", stub.port()),
    });
    let data = secret([("serviceaccount", json.to_string().as_str())]);
    let account = GcsAccount::new(&format!("127.0.0.1:{}", stub.port()), Encryption::Off, Some(&data));
    let request: BucketRequest = request(BucketAccount::Gcs(account.expect("an account")), "");
    let listing = resolve(&request, None, now()).await.unwrap_or_else(|e| panic!("{}", told(&e, stub.port())));
    let fetched = fetch(&request, &listing, &Scene::new().store, now()).await.expect("fetched");
    assert_eq!(listing.revision, fetched.revision);
    let seen = stub.seen();
    assert_eq!(seen.iter().filter(|(what, _)| what == "/token").count(), 1);
    assert!(seen[1..].iter().all(|(_, header)| header.as_deref() == Some("Bearer granted")), "{seen:?}");
}

#[tokio::test]
async fn cve_2026_47680_flux_the_key_of_an_object_does_not_lead_out_of_the_artifact() {
    for key in ["../sibling.yaml", "a/../../b.yaml", "/etc/passwd", "a//../../b", "..\\sibling.yaml"] {
        let stub = Site::start(move |target| match target {
            target if target.contains("list-type") => s3_listing(&[(key, "1")], None),
            _ => object("1", "x"),
        })
        .await;
        let scene = Scene::new();
        let beside = scene.root().parent().expect("a folder").join("sibling.yaml");
        let error = refusal(pull(&scene, &request(s3(stub.port(), "key", "secret"), ""), None).await);
        assert!(told(&error, stub.port()).contains("is not a relative path"), "{}", told(&error, stub.port()));
        assert!(!beside.exists() && scene.census().ends_with("0 trees, 0 sources"), "{key}: {}", scene.census());
    }
}
