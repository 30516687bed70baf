//! Only what is signed by someone who is trusted becomes the state of the cluster.

use base64::{Engine, engine::general_purpose::STANDARD};
use fairlead_tests::{
    Registry,
    image::{Content, FLUX_LAYER, archive},
    notation::{NotationFlaw, NotationSigner},
    signing::PgpSigner,
    sigstore::{Flaw, ImageSigner, Sigstore},
    wait_until,
};
use serde_json::{Map, Value, json};

use crate::{
    scene::{LIMIT, Team, config_map},
    site::Site,
};

const CHART_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/// A source `app` that demands signatures, and what was said of it after each look.
struct Guarded {
    team: Team<'static>,
    kind: &'static str,
    /// What differs from run to run, and what is shown for it.
    names: Vec<(String, String)>,
    told: Vec<String>,
}

impl Guarded {
    async fn new(prefix: &str, kind: &'static str) -> Self {
        Self { team: Team::new(prefix).await, kind, names: Vec::new(), told: Vec::new() }
    }

    /// Writes the Secret `signers` with exactly these entries.
    async fn trust(&self, entries: &[(&str, &str)]) {
        let data: Map<String, Value> =
            entries.iter().map(|(name, value)| ((*name).to_owned(), json!(STANDARD.encode(value)))).collect();
        let metadata = json!({ "name": "signers", "namespace": self.team.namespace });
        let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data });
        self.team.cluster.apply(secret).await;
    }

    async fn trust_nobody(&self) {
        self.team.cluster.delete(&self.team.named("Secret", "signers")).await;
    }

    /// Applies the source with this `spec`.
    async fn follow(&self, spec: Value) {
        self.apply(self.kind, "app", spec).await;
    }

    async fn apply(&self, kind: &str, name: &str, spec: Value) {
        let metadata = json!({ "name": name, "namespace": self.team.namespace });
        let version = "source.toolkit.fluxcd.io/v1";
        let source = json!({ "apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec });
        self.team.cluster.apply(source).await;
    }

    /// Asks for a reconciliation, waits for its end, and notes what is said then.
    async fn look(&mut self, case: &str) {
        self.team.request(self.kind, "app").await;
        let status = |found: Option<&Value>| {
            let found = found?;
            let request = &found["metadata"]["annotations"]["reconcile.fluxcd.io/requestedAt"];
            let is_handled = found["status"]["lastHandledReconcileAt"] == *request;
            is_handled.then(|| found["status"].clone())
        };
        let status = self.team.cluster.watch(&self.team.named(self.kind, "app"), LIMIT, status).await;
        let mut lines =
            vec![format!("{case}: {} is kept", status["artifact"]["revision"].as_str().unwrap_or("nothing"))];
        for condition in status["conditions"].as_array().into_iter().flatten() {
            let text = |field: &str| condition[field].as_str().unwrap_or_default();
            if matches!(text("type"), "Ready" | "SourceVerified" | "BuildFailed") {
                lines.push(format!("  {}={} {}: {}", text("type"), text("status"), text("reason"), text("message")));
            }
        }
        self.told.push(lines.join("\n"));
    }

    /// Shows `name` for `text`.
    fn name(&mut self, text: &str, name: &str) {
        self.names.push((text.to_owned(), name.to_owned()));
    }

    /// What was said of all looks, without what differs from run to run.
    fn told(&self) -> String {
        let steady = self.team.steady(&self.told.join("\n"));
        self.names.iter().fold(steady, |text, (id, name)| text.replace(id, name))
    }
}

fn files(value: &str) -> [(&'static str, Option<String>); 1] {
    [("limits.yaml", Some(config_map("limits", value)))]
}

#[tokio::test]
async fn a_commit_that_nobody_trusted_signed_leaves_the_last_one_in_use() {
    let mut guarded = Guarded::new("git-signed", "GitRepository").await;
    let (ada, eve, old) = (PgpSigner::new(), PgpSigner::with_subkey(), PgpSigner::new().expiring_after(86_400));
    guarded.trust(&[("ada.asc", &ada.public_key()), ("old.asc", &old.public_key())]).await;
    let first = guarded.team.repository.signed_commit(files("one"), "first", &ada);
    let mut source = guarded.team.git_repository(guarded.team.repository.url());
    source["spec"]["verify"] = json!({ "mode": "HEAD", "secretRef": { "name": "signers" } });
    guarded.team.cluster.apply(source).await;
    guarded.team.kustomize("app", json!({})).await;
    guarded.team.applied(&first).await;
    guarded.look("trusted").await;
    let told = format!("verified signature of\n\t- commit '{first}' with key '{}'", ada.id());
    wait_until("the event of the signature is there", LIMIT, async || {
        let events =
            guarded.team.cluster.kubectl(&["get", "events", "-n", &guarded.team.namespace, "-o", "json"]).await;
        let events: Value = serde_json::from_str(&events.stdout).expect("a list");
        let is_told = |event: &Value| event["message"] == told.as_str() && event["reason"] == "Succeeded";
        events["items"].as_array()?.iter().any(is_told).then_some(())
    })
    .await;

    let second = guarded.team.repository.signed_commit(files("two"), "second", &eve);
    guarded.look("unknown").await;
    let unsigned = guarded.team.repository.commit(files("three"), "third");
    guarded.look("absent").await;
    let expired = guarded.team.repository.signed_commit(files("four"), "fourth", &old);
    guarded.look("expired").await;
    guarded.team.request("Kustomization", "app").await;
    guarded.team.applied(&first).await;
    assert_eq!(guarded.team.find("ConfigMap", "limits").await.unwrap()["data"]["value"], "one");

    guarded.team.repository.force("main", &second);
    guarded.trust(&[("eve", &eve.public_key())]).await;
    guarded.look("trusted now").await;
    guarded.team.applied(&second).await;
    guarded.trust(&[("ada.asc", &ada.public_key())]).await;
    guarded.look("no longer trusted").await;
    guarded.trust_nobody().await;
    guarded.look("no keys").await;
    assert_eq!(guarded.team.find("ConfigMap", "limits").await.unwrap()["data"]["value"], "two");

    for (commit, name) in [(first, "FIRST"), (second, "SECOND"), (unsigned, "THIRD"), (expired, "FOURTH")] {
        guarded.name(&commit, name);
    }
    for (signer, name) in [(ada, "ADA"), (eve, "EVE"), (old, "OLD")] {
        guarded.name(&signer.id(), name);
    }
    insta::assert_snapshot!(guarded.told(), @r#"
    trusted: main@sha1:FIRST is kept
      Ready=True Succeeded: stored artifact for revision 'main@sha1:FIRST'
      SourceVerified=True Succeeded: verified signature of
    	- commit 'FIRST' with key 'ADA'
    unknown: main@sha1:FIRST is kept
      Ready=False InvalidCommitSignature: signature verification of commit 'SECOND' failed: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key
      SourceVerified=False InvalidCommitSignature: signature verification of commit 'SECOND' failed: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key
    absent: main@sha1:FIRST is kept
      Ready=False InvalidCommitSignature: signature verification of commit 'THIRD' failed: unsupported signature type: empty
      SourceVerified=False InvalidCommitSignature: signature verification of commit 'THIRD' failed: unsupported signature type: empty
    expired: main@sha1:FIRST is kept
      Ready=False InvalidCommitSignature: signature verification of commit 'FOURTH' failed: unable to verify Git commit: unable to verify payload with any of the given key rings: key 'OLD' has expired
      SourceVerified=False InvalidCommitSignature: signature verification of commit 'FOURTH' failed: unable to verify Git commit: unable to verify payload with any of the given key rings: key 'OLD' has expired
    trusted now: main@sha1:SECOND is kept
      Ready=True Succeeded: stored artifact for revision 'main@sha1:SECOND'
      SourceVerified=True Succeeded: verified signature of
    	- commit 'SECOND' with key 'EVE'
    no longer trusted: main@sha1:SECOND is kept
      Ready=False InvalidCommitSignature: signature verification of commit 'SECOND' failed: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key
      SourceVerified=False InvalidCommitSignature: signature verification of commit 'SECOND' failed: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key
    no keys: main@sha1:SECOND is kept
      Ready=False VerificationError: PGP public keys secret error: failed to get secret 'NAMESPACE/signers': secrets "signers" not found
      SourceVerified=False VerificationError: PGP public keys secret error: failed to get secret 'NAMESPACE/signers': secrets "signers" not found
    "#);
}

/// An `OCIRepository app` of a registry's image `latest`, which demands signatures.
struct GuardedImage {
    guarded: Guarded,
    registry: Registry,
}

impl GuardedImage {
    async fn new(prefix: &str) -> Self {
        let (mut guarded, registry) = (Guarded::new(prefix, "OCIRepository").await, Registry::start().await);
        guarded.name(&registry.address(), "REGISTRY");
        Self { guarded, registry }
    }

    /// Pushes an image that says `value`, signed as `sign` does it.
    fn push(&mut self, value: &str, sign: impl FnOnce(&mut Content, &str)) {
        let mut content = Content::default();
        let layer = archive(&[("limits.yaml", &config_map("limits", value))]);
        let digest = content.push("latest", &[(FLUX_LAYER, layer)]);
        sign(&mut content, &digest);
        self.registry.push("team/app", &content);
        self.guarded.name(&digest, &value.to_uppercase());
    }

    /// Follows the image, which is signed as `verify` demands.
    async fn follow(&self, verify: &Value) {
        let url = format!("oci://{}/team/app", self.registry.address());
        self.guarded.follow(json!({ "url": url, "insecure": true, "interval": "1h", "verify": verify })).await;
    }

    /// Pushes an image, and notes what is said of it.
    async fn look_at(&mut self, value: &str, sign: impl FnOnce(&mut Content, &str)) {
        self.push(value, sign);
        self.guarded.look(value).await;
    }
}

#[tokio::test]
async fn an_image_that_nobody_trusted_signed_leaves_the_last_one_in_use() {
    let mut image = GuardedImage::new("oci-signed").await;
    let (ada, eve) = (ImageSigner::new(), ImageSigner::ed25519());
    image.guarded.trust(&[("ada.pub", &ada.public_key())]).await;
    image.push("trusted", |content, digest| ada.sign_with_claim(content, digest));
    image.follow(&json!({ "provider": "cosign", "secretRef": { "name": "signers" } })).await;
    let spec = json!({ "sourceRef": { "kind": "OCIRepository", "name": "app" } });
    image.guarded.team.kustomize("app", spec).await;
    image.guarded.team.ready().await;
    image.guarded.look("trusted").await;

    let other = format!("sha256:{}", "0".repeat(64));
    image.look_at("absent", |_, _| ()).await;
    image.look_at("mismatched", |content, digest| ada.sign_claim_about(content, digest, &other)).await;
    image.look_at("unknown", |content, digest| eve.sign_with_bundle(content, digest)).await;
    let limits = image.guarded.team.find("ConfigMap", "limits").await.unwrap();
    assert_eq!(limits["data"]["value"], "trusted");

    image.guarded.trust(&[("eve.pub", &eve.public_key())]).await;
    image.guarded.look("trusted now").await;
    let limits = image.guarded.team.named("ConfigMap", "limits");
    let is_next = |found: Option<&Value>| (found?["data"]["value"] == "unknown").then_some(());
    image.guarded.team.cluster.watch(&limits, LIMIT, is_next).await;
    image.guarded.trust(&[("ada.pub", &ada.public_key())]).await;
    image.guarded.look("no longer trusted").await;
    image.guarded.trust_nobody().await;
    image.guarded.look("no keys").await;
    insta::assert_snapshot!(image.guarded.told(), @r#"
    trusted: latest@TRUSTED is kept
      Ready=True Succeeded: stored artifact for digest 'latest@TRUSTED'
      SourceVerified=True Succeeded: verified signature of revision latest@TRUSTED
    absent: latest@TRUSTED is kept
      Ready=False VerificationError: failed to verify the signature using provider 'cosign': no matching signatures were found for 'REGISTRY/team/app@ABSENT'
      SourceVerified=False VerificationError: failed to verify the signature using provider 'cosign': no matching signatures were found for 'REGISTRY/team/app@ABSENT'
    mismatched: latest@TRUSTED is kept
      Ready=False VerificationError: failed to verify the signature using provider 'cosign': no matching signatures were found for 'REGISTRY/team/app@MISMATCHED': invalid or missing digest in claim
      SourceVerified=False VerificationError: failed to verify the signature using provider 'cosign': no matching signatures were found for 'REGISTRY/team/app@MISMATCHED': invalid or missing digest in claim
    unknown: latest@TRUSTED is kept
      Ready=False VerificationError: failed to verify the signature using provider 'cosign': no matching signatures were found for 'REGISTRY/team/app@UNKNOWN': invalid signature when validating ASN.1 encoded signature
      SourceVerified=False VerificationError: failed to verify the signature using provider 'cosign': no matching signatures were found for 'REGISTRY/team/app@UNKNOWN': invalid signature when validating ASN.1 encoded signature
    trusted now: latest@UNKNOWN is kept
      Ready=True Succeeded: stored artifact for digest 'latest@UNKNOWN'
      SourceVerified=True Succeeded: verified signature of revision latest@UNKNOWN
    no longer trusted: latest@UNKNOWN is kept
      Ready=False VerificationError: failed to verify the signature using provider 'cosign': no matching signatures were found for 'REGISTRY/team/app@UNKNOWN': invalid signature when validating ASN.1 encoded signature
      SourceVerified=False VerificationError: failed to verify the signature using provider 'cosign': no matching signatures were found for 'REGISTRY/team/app@UNKNOWN': invalid signature when validating ASN.1 encoded signature
    no keys: latest@UNKNOWN is kept
      Ready=False VerificationError: failed to verify the signature using provider 'cosign': failed to get secret 'NAMESPACE/signers': secrets "signers" not found
      SourceVerified=False VerificationError: failed to verify the signature using provider 'cosign': failed to get secret 'NAMESPACE/signers': secrets "signers" not found
    "#);
}

#[tokio::test]
async fn an_image_may_be_signed_without_a_key_by_someone_who_is_named() {
    let mut image = GuardedImage::new("oci-keyless").await;
    let (instance, elsewhere) = (Sigstore::new(), Sigstore::new());
    let build = ("https://ci.example.org", "https://ci.example.org/shop/release.yaml");
    image.guarded.trust(&[("trusted_root.json", &instance.trusted_root())]).await;
    image.push("signed", |content, digest| instance.sign_with_bundle(content, digest, build, Flaw::None));
    let root = json!({ "name": "signers" });
    let named = json!([{ "issuer": "^https://ci[.]example[.]org$", "subject": "/shop/release[.]yaml$" }]);
    let others = json!([{ "issuer": ".*", "subject": "@example[.]org$" }]);
    for (case, verify) in [
        ("nobody is named", json!({ "provider": "cosign" })),
        ("no root is named", json!({ "provider": "cosign", "matchOIDCIdentity": named })),
        ("nobody is named with a root", json!({ "provider": "cosign", "trustedRootSecretRef": root })),
        (
            "someone else is named",
            json!({ "provider": "cosign", "trustedRootSecretRef": root, "matchOIDCIdentity": others }),
        ),
        (
            "the root in the place of keys",
            json!({ "provider": "cosign", "secretRef": root, "matchOIDCIdentity": named }),
        ),
        (
            "who signed is named",
            json!({ "provider": "cosign", "trustedRootSecretRef": root, "matchOIDCIdentity": named }),
        ),
    ] {
        image.follow(&verify).await;
        image.guarded.look(case).await;
    }
    image.look_at("expired", |content, digest| instance.sign_with_bundle(content, digest, build, Flaw::Late)).await;
    image.look_at("unknown", |content, digest| elsewhere.sign_with_bundle(content, digest, build, Flaw::None)).await;
    insta::assert_snapshot!(image.guarded.told(), @r"
    nobody is named: nothing is kept
      Ready=False VerificationError: failed to verify the signature using provider 'cosign keyless': spec.verify.matchOIDCIdentity names nobody: name those who may sign, or a Secret with keys in secretRef
      SourceVerified=False VerificationError: failed to verify the signature using provider 'cosign keyless': spec.verify.matchOIDCIdentity names nobody: name those who may sign, or a Secret with keys in secretRef
    no root is named: nothing is kept
      Ready=False VerificationError: failed to verify the signature using provider 'cosign keyless': spec.verify names no trusted root: without keys, name a Secret with a 'trusted_root.json'
      SourceVerified=False VerificationError: failed to verify the signature using provider 'cosign keyless': spec.verify names no trusted root: without keys, name a Secret with a 'trusted_root.json'
    nobody is named with a root: nothing is kept
      Ready=False VerificationError: failed to verify the signature using provider 'cosign keyless': spec.verify.matchOIDCIdentity names nobody: name those who may sign, or a Secret with keys in secretRef
      SourceVerified=False VerificationError: failed to verify the signature using provider 'cosign keyless': spec.verify.matchOIDCIdentity names nobody: name those who may sign, or a Secret with keys in secretRef
    someone else is named: nothing is kept
      Ready=False VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@SIGNED': none of the expected identities matched what was in the certificate, got subjects [https://ci.example.org/shop/release.yaml] with issuer https://ci.example.org
      SourceVerified=False VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@SIGNED': none of the expected identities matched what was in the certificate, got subjects [https://ci.example.org/shop/release.yaml] with issuer https://ci.example.org
    the root in the place of keys: latest@SIGNED is kept
      Ready=True Succeeded: stored artifact for digest 'latest@SIGNED'
      SourceVerified=True Succeeded: verified signature of revision latest@SIGNED
    who signed is named: latest@SIGNED is kept
      Ready=True Succeeded: stored artifact for digest 'latest@SIGNED'
      SourceVerified=True Succeeded: verified signature of revision latest@SIGNED
    expired: latest@SIGNED is kept
      Ready=False VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@EXPIRED': failed to verify certificate: it was not valid any more at that time
      SourceVerified=False VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@EXPIRED': failed to verify certificate: it was not valid any more at that time
    unknown: latest@SIGNED is kept
      Ready=False VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@UNKNOWN': the transparency log is not one that is trusted, or not at that time
      SourceVerified=False VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@UNKNOWN': the transparency log is not one that is trusted, or not at that time
    ");
}

#[tokio::test]
async fn an_image_may_be_signed_as_a_trust_policy_says() {
    let mut image = GuardedImage::new("oci-notation").await;
    let (shop, other) = (NotationSigner::new(), NotationSigner::new());
    let policy = |level: &str| {
        let statement = json!({
            "name": "all", "registryScopes": ["*"], "signatureVerification": { "level": level },
            "trustStores": ["ca:shop"], "trustedIdentities": ["x509.subject: C=US, ST=WA, O=Shop"],
        });
        json!({ "version": "1.0", "trustPolicies": [statement] }).to_string()
    };
    image.guarded.trust(&[("trustpolicy.json", &policy("strict")), ("ca.crt", shop.certificate())]).await;
    image.push("trusted", |content, digest| shop.sign(content, digest, NotationFlaw::None));
    image.follow(&json!({ "provider": "notation", "secretRef": { "name": "signers" } })).await;
    image.guarded.look("trusted").await;
    image.look_at("absent", |_, _| ()).await;
    image.look_at("expired", |content, digest| shop.sign(content, digest, NotationFlaw::Expired)).await;
    image.look_at("mismatched", |content, digest| shop.sign(content, digest, NotationFlaw::OtherImage)).await;
    image.look_at("unknown", |content, digest| other.sign(content, digest, NotationFlaw::None)).await;
    image.guarded.trust(&[("trustpolicy.json", &policy("audit")), ("ca.crt", shop.certificate())]).await;
    image.guarded.look("unknown, only to be logged").await;
    insta::assert_snapshot!(image.guarded.told(), @r"
    trusted: latest@TRUSTED is kept
      Ready=True Succeeded: stored artifact for digest 'latest@TRUSTED'
      SourceVerified=True Succeeded: verified signature of revision latest@TRUSTED
    absent: latest@TRUSTED is kept
      Ready=False VerificationError: failed to verify the signature using provider 'notation': no signature is associated with 'REGISTRY/team/app@ABSENT', make sure the artifact was signed successfully
      SourceVerified=False VerificationError: failed to verify the signature using provider 'notation': no signature is associated with 'REGISTRY/team/app@ABSENT', make sure the artifact was signed successfully
    expired: latest@TRUSTED is kept
      Ready=False VerificationError: failed to verify the signature using provider 'notation': expiry: the signature has expired
      SourceVerified=False VerificationError: failed to verify the signature using provider 'notation': expiry: the signature has expired
    mismatched: latest@TRUSTED is kept
      Ready=False VerificationError: failed to verify the signature using provider 'notation': integrity: the signature is of another image
      SourceVerified=False VerificationError: failed to verify the signature using provider 'notation': integrity: the signature is of another image
    unknown: latest@TRUSTED is kept
      Ready=False VerificationError: failed to verify the signature using provider 'notation': authenticity: the certificate does not count: no authority that is trusted issued it
      SourceVerified=False VerificationError: failed to verify the signature using provider 'notation': authenticity: the certificate does not count: no authority that is trusted issued it
    unknown, only to be logged: latest@UNKNOWN is kept
      Ready=True Succeeded: stored artifact for digest 'latest@UNKNOWN'
    ");
}

/// The chart `shop` in these versions, of which the newest is signed as `sign` does it.
fn charts(versions: &[&str], sign: impl FnOnce(&mut Content, &str)) -> (Content, String) {
    let mut content = Content::default();
    let mut newest = String::new();
    for version in versions {
        let about = format!("apiVersion: v2\nname: shop\nversion: {version}\n");
        newest = content.push(version, &[(CHART_LAYER, archive(&[("shop/Chart.yaml", &about)]))]);
    }
    sign(&mut content, &newest);
    (content, newest)
}

#[tokio::test]
async fn a_chart_that_nobody_trusted_signed_leaves_the_last_one_in_use() {
    let (mut guarded, registry) = (Guarded::new("chart-signed", "HelmChart").await, Registry::start().await);
    let (site, instance) = (Site::start().await, Sigstore::new());
    let (ada, eve) = (ImageSigner::new(), ImageSigner::ed25519());
    guarded.name(&registry.address(), "REGISTRY");
    guarded.trust(&[("ada.pub", &ada.public_key())]).await;
    let url = format!("oci://{}/charts", registry.address());
    let in_registry = json!({ "type": "oci", "url": url, "insecure": true });
    guarded.apply("HelmRepository", "charts", in_registry).await;
    let demanding = |repository: &str, verify: Value| {
        let reference = json!({ "kind": "HelmRepository", "name": repository });
        json!({ "chart": "shop", "version": "1.x", "sourceRef": reference, "interval": "1h", "verify": verify })
    };
    let by_secret = json!({ "provider": "cosign", "secretRef": { "name": "signers" } });

    registry.push("charts/shop", &charts(&["1.0.0"], |content, digest| ada.sign_with_claim(content, digest)).0);
    guarded.follow(demanding("charts", by_secret.clone())).await;
    guarded.look("trusted").await;
    let (content, newest) = charts(&["1.0.0", "1.1.0"], |_, _| ());
    registry.push("charts/shop", &content);
    guarded.look("absent").await;
    let (content, _) = charts(&["1.0.0", "1.1.0"], |content, digest| eve.sign_with_bundle(content, digest));
    registry.push("charts/shop", &content);
    guarded.look("unknown").await;
    guarded.trust(&[("eve.pub", &eve.public_key())]).await;
    guarded.look("trusted now").await;
    guarded.trust(&[("ada.pub", &ada.public_key())]).await;
    guarded.look("no longer trusted").await;
    guarded.trust_nobody().await;
    guarded.look("no keys").await;

    let build = ("https://ci.example.org", "https://ci.example.org/shop/release.yaml");
    let keyless = |content: &mut Content, digest: &str| instance.sign_with_bundle(content, digest, build, Flaw::None);
    registry.push("charts/shop", &charts(&["1.2.0"], keyless).0);
    guarded.trust(&[("trusted_root.json", &instance.trusted_root())]).await;
    let mut by_identity = by_secret.clone();
    by_identity["matchOIDCIdentity"] = json!([{ "issuer": "^https://ci[.]", "subject": "/release[.]yaml$" }]);
    guarded.follow(demanding("charts", by_identity)).await;
    guarded.look("without a key").await;

    site.put("/charts/index.yaml", "apiVersion: v1\nentries:\n  shop:\n  - version: 1.3.0\n    urls: [shop.tgz]\n");
    guarded.apply("HelmRepository", "index", json!({ "url": site.url("/charts"), "interval": "1h" })).await;
    guarded.team.cluster.wait_for(&guarded.team.named("HelmRepository", "index"), "Ready", "True", LIMIT).await;
    guarded.follow(demanding("index", by_secret)).await;
    guarded.look("a repository that cannot be signed").await;
    guarded.name(&newest, "NEWEST");
    insta::assert_snapshot!(guarded.told(), @r#"
    trusted: 1.0.0 is kept
      Ready=True ChartPullSucceeded: pulled 'shop' chart with version '1.0.0'
      SourceVerified=True Succeeded: verified signature of version 1.0.0
    absent: 1.0.0 is kept
      Ready=False VerificationError: chart verification error: failed to verify the signature using provider 'cosign': no matching signatures were found for 'REGISTRY/charts/shop@NEWEST'
      BuildFailed=True ChartVerificationError: chart verification error: failed to verify the signature using provider 'cosign': no matching signatures were found for 'REGISTRY/charts/shop@NEWEST'
      SourceVerified=False VerificationError: chart verification error: failed to verify the signature using provider 'cosign': no matching signatures were found for 'REGISTRY/charts/shop@NEWEST'
    unknown: 1.0.0 is kept
      Ready=False VerificationError: chart verification error: failed to verify the signature using provider 'cosign': no matching signatures were found for 'REGISTRY/charts/shop@NEWEST': invalid signature when validating ASN.1 encoded signature
      BuildFailed=True ChartVerificationError: chart verification error: failed to verify the signature using provider 'cosign': no matching signatures were found for 'REGISTRY/charts/shop@NEWEST': invalid signature when validating ASN.1 encoded signature
      SourceVerified=False VerificationError: chart verification error: failed to verify the signature using provider 'cosign': no matching signatures were found for 'REGISTRY/charts/shop@NEWEST': invalid signature when validating ASN.1 encoded signature
    trusted now: 1.1.0 is kept
      Ready=True ChartPullSucceeded: pulled 'shop' chart with version '1.1.0'
      SourceVerified=True Succeeded: verified signature of version 1.1.0
    no longer trusted: 1.1.0 is kept
      Ready=False VerificationError: chart verification error: failed to verify the signature using provider 'cosign': no matching signatures were found for 'REGISTRY/charts/shop@NEWEST': invalid signature when validating ASN.1 encoded signature
      BuildFailed=True ChartVerificationError: chart verification error: failed to verify the signature using provider 'cosign': no matching signatures were found for 'REGISTRY/charts/shop@NEWEST': invalid signature when validating ASN.1 encoded signature
      SourceVerified=False VerificationError: chart verification error: failed to verify the signature using provider 'cosign': no matching signatures were found for 'REGISTRY/charts/shop@NEWEST': invalid signature when validating ASN.1 encoded signature
    no keys: 1.1.0 is kept
      Ready=False VerificationError: failed to verify the signature using provider 'cosign': failed to get secret 'NAMESPACE/signers': secrets "signers" not found
      SourceVerified=False VerificationError: failed to verify the signature using provider 'cosign': failed to get secret 'NAMESPACE/signers': secrets "signers" not found
    without a key: 1.2.0 is kept
      Ready=True ChartPullSucceeded: pulled 'shop' chart with version '1.2.0'
      SourceVerified=True Succeeded: verified signature of version 1.2.0
    a repository that cannot be signed: 1.2.0 is kept
      Ready=False VerificationError: chart verification error: not implemented: only charts in a registry can be signed
      BuildFailed=True ChartVerificationError: chart verification error: not implemented: only charts in a registry can be signed
      SourceVerified=False VerificationError: chart verification error: not implemented: only charts in a registry can be signed
    "#);
}
