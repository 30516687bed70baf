//! Configurations whose source is no Git repository.

use fairlead_tests::{
    Registry, S3,
    image::{Content, FLUX_LAYER, archive},
    sigstore::ImageSigner,
};
use serde_json::{Value, json};

use super::{compliant, condition, config_map, configuration};
use crate::scene::{LIMIT, Team};

/// Applies the configuration `shop` of the source that `spec` has.
async fn configure(team: &Team<'_>, spec: Value) {
    let mut object = configuration(team, "shop", spec);
    object["spec"].as_object_mut().expect("fields").remove("gitRepository");
    team.cluster.apply(object).await;
}

#[tokio::test]
async fn an_image_is_a_source_until_a_bucket_takes_its_place() {
    let Some(s3) = S3::start().await else { return };
    let (team, registry) = (Team::new("configured-image").await, Registry::start().await);
    let app = config_map(&team, "app");
    let url = registry.push("team/app", &Content::of_files("latest", &[("app/app.yaml", app.as_str())]));
    let image = json!({ "url": url, "insecure": true });
    configure(&team, json!({ "sourceKind": "OCIRepository", "ociRepository": image })).await;
    compliant(&team).await;
    let found = team.find("Kustomization", "shop-app").await.expect("it is made of the configuration");
    assert_eq!(found["spec"]["sourceRef"], json!({ "kind": "OCIRepository", "name": "shop" }));
    assert!(team.find("ConfigMap", "app").await.is_some());

    s3.put("shop", "");
    s3.put("shop/app/app.yaml", &config_map(&team, "app"));
    s3.put("shop/app/more.yaml", &config_map(&team, "more"));
    team.secret(json!({ "bucketSecretKey": "hunter2" })).await;
    let bucket = json!({ "url": format!("http://{}", s3.endpoint()), "bucketName": "shop", "accessKey": "someone" });
    let settings = json!({ "secretRef": { "name": "git" } });
    configure(&team, json!({ "sourceKind": "Bucket", "bucket": bucket, "configurationProtectedSettings": settings }))
        .await;
    let more = team.named("ConfigMap", "more");
    team.cluster.watch(&more, LIMIT, |found| found.map(|_| ())).await;
    team.cluster.wait_until_gone(&team.named("OCIRepository", "shop"), LIMIT).await;
    compliant(&team).await;
}

#[tokio::test]
async fn an_image_must_be_signed_by_who_is_trusted() {
    let (team, registry) = (Team::new("configured-signed").await, Registry::start().await);
    let (ada, eve) = (ImageSigner::new(), ImageSigner::ed25519());
    let mut content = Content::default();
    let layer = archive(&[("app/app.yaml", config_map(&team, "app").as_str())]);
    let digest = content.push("latest", &[(FLUX_LAYER, layer)]);
    ada.sign_with_bundle(&mut content, &digest);
    let url = registry.push("team/app", &content);
    let signed_by = |signer: &ImageSigner| {
        let verify = json!({ "provider": "cosign", "verificationConfig": { "release": signer.public_key() } });
        json!({
            "sourceKind": "OCIRepository", "ociRepository": { "url": url, "insecure": true, "verify": verify },
        })
    };
    configure(&team, signed_by(&eve)).await;
    let source = team.named("OCIRepository", "shop");
    let refused = team.cluster.wait_for(&source, "SourceVerified", "False", LIMIT).await;
    assert_eq!(refused.reason, "VerificationError");
    assert_eq!(condition(&team, "shop", "Ready", "False").await.reason, "NonCompliant");
    assert!(team.find("ConfigMap", "app").await.is_none());

    configure(&team, signed_by(&ada)).await;
    compliant(&team).await;
    let verified = team.cluster.wait_for(&source, "SourceVerified", "True", LIMIT).await;
    assert_eq!(verified.message, format!("verified signature of revision latest@{digest}"));
    let signers = team.find("Secret", "shop-signers").await.expect("it is made of the configuration");
    assert!(signers["data"]["release.pub"].is_string(), "{signers}");

    configure(&team, json!({ "sourceKind": "OCIRepository", "ociRepository": { "url": url, "insecure": true } })).await;
    team.cluster.wait_until_gone(&team.named("Secret", "shop-signers"), LIMIT).await;
}

#[tokio::test]
async fn what_a_source_lacks_or_cannot_have_is_named_by_its_field() {
    let team = Team::new("configured-faults").await;
    let key = json!({ "name": "none", "key": "account" });
    let azure = |field: &str, value: &Value| {
        let mut azure = json!({ "url": "https://shop.blob.core.windows.net", "containerName": "shop" });
        azure[field] = value.clone();
        json!({ "sourceKind": "AzureBlob", "azureBlob": azure })
    };
    let bucket = json!({ "url": "https://s3.example.org", "bucketName": "shop", "accessKey": "someone" });
    let settings = json!({ "secretRef": { "name": "git" } });
    team.secret(json!({ "httpsKey": "hunter2" })).await;
    let mut told = Vec::new();
    for spec in [
        azure("accountKey", &key),
        azure("managedIdentity", &json!({ "clientId": "someone" })),
        json!({ "sourceKind": "Bucket", "bucket": bucket, "configurationProtectedSettings": settings }),
    ] {
        configure(&team, spec).await;
        told.push(team.steady(&condition(&team, "shop", "Stalled", "True").await.to_string()));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    True InvalidProtectedSettings: spec.azureBlob.accountKey: Secret none has no key `account`, or no text under it
    True UnsupportedField: spec.azureBlob.managedIdentity is not supported yet: remove it
    True InvalidProtectedSettings: spec.bucket.accessKey needs the key `bucketSecretKey` in the protected settings
    ");
}
