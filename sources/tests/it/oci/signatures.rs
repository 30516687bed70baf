//! Only what is signed by someone who is trusted is fetched.

use fairlead_sources::{
    fetch::{Fetch, SourceError},
    oci::OciRequest,
    secret::SecretData,
    verify::{Identity, OciVerification},
};
use fairlead_tests::{
    Registry,
    image::Content,
    notation::{NotationFlaw, NotationSigner},
    sigstore::{Flaw, ImageSigner, Sigstore},
};

use super::{pull, request, tag};
use crate::{
    git::secret,
    scene::{Scene, chain},
};

const ADA: (&str, &str) = ("https://accounts.example.org", "ada@example.org");
const BUILD: (&str, &str) = ("https://ci.example.org", "https://ci.example.org/shop/.github/workflows/release.yaml");

/// What fetching `content`, the tag `v1`, from a registry says, if `verification` is demanded.
async fn verdict(content: &Content, verification: OciVerification) -> String {
    let registry = Registry::start().await;
    let url = registry.push("team/app", content);
    let request = OciRequest { verification: Some(verification), ..request(&url, tag("v1")) };
    let said = match pull(&Scene::new(), &request, None).await {
        Ok((_, content)) => content.verified.expect("it was demanded").message.unwrap_or_else(|| "ignored".to_owned()),
        Err(error) => format!("{} {}: {}", error.condition(), error.reason(), chain(&error)),
    };
    let image = &content.manifests["v1"].1;
    said.replace(&registry.address(), "REGISTRY").replace(&fairlead_object::Digest::of(image).to_string(), "IMAGE")
}

fn image() -> (Content, String) {
    let content = Content::of_files("v1", &[("deploy.yaml", "one")]);
    let digest = fairlead_object::Digest::of(&content.manifests["v1"].1).to_string();
    (content, digest)
}

fn keys(signers: &[&ImageSigner]) -> OciVerification {
    let named = signers.iter().enumerate().map(|(at, signer)| (format!("{at}.pub"), signer.public_key()));
    let data: SecretData = named.map(|(name, key)| (name, key.into_bytes().into())).collect();
    OciVerification::cosign_with_keys(&data).expect("keys")
}

fn keyless(instance: &Sigstore, identities: &[(&str, &str)]) -> OciVerification {
    let data = secret([("trusted_root.json", &instance.trusted_root())]);
    let identities = identities.iter().map(|(issuer, subject)| Identity::new(issuer, subject).expect("patterns"));
    OciVerification::cosign_keyless(&data, identities.collect()).expect("a root")
}

#[tokio::test]
async fn an_image_counts_that_one_of_the_keys_signed() {
    let (ada, ben, eve) = (ImageSigner::new(), ImageSigner::ed25519(), ImageSigner::new());
    let mut told = Vec::new();
    for (row, sign) in [
        ("unsigned", (|_, _, _| {}) as fn(&mut Content, &str, [&ImageSigner; 3])),
        ("claim of Ada", |content, image, [ada, ..]| ada.sign_with_claim(content, image)),
        ("claim of Ben", |content, image, [_, ben, _]| ben.sign_with_claim(content, image)),
        ("claim of Eve", |content, image, [.., eve]| eve.sign_with_claim(content, image)),
        ("claims of Eve and Ada", |content, image, [ada, _, eve]| {
            ada.sign_with_claim(content, image);
            eve.sign_with_claim(content, image);
        }),
        ("claim of Ada about another", |content, image, [ada, ..]| {
            ada.sign_claim_about(content, image, &format!("sha256:{}", "0".repeat(64)));
        }),
        ("bundle of Ada", |content, image, [ada, ..]| ada.sign_with_bundle(content, image)),
        ("bundle of Ben", |content, image, [_, ben, _]| ben.sign_with_bundle(content, image)),
        ("bundle of Eve", |content, image, [.., eve]| eve.sign_with_bundle(content, image)),
        ("bundle of Eve, claim of Ada", |content, image, [ada, _, eve]| {
            eve.sign_with_bundle(content, image);
            ada.sign_with_claim(content, image);
        }),
    ] {
        let (mut content, digest) = image();
        sign(&mut content, &digest, [&ada, &ben, &eve]);
        told.push(format!("{row}: {}", verdict(&content, keys(&[&ben, &ada])).await));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    unsigned: SourceVerified VerificationError: failed to verify the signature using provider 'cosign': no matching signatures were found for 'REGISTRY/team/app@IMAGE'
    claim of Ada: verified signature of revision v1@IMAGE
    claim of Ben: verified signature of revision v1@IMAGE
    claim of Eve: SourceVerified VerificationError: failed to verify the signature using provider 'cosign': no matching signatures were found for 'REGISTRY/team/app@IMAGE': invalid signature when validating ASN.1 encoded signature
    claims of Eve and Ada: verified signature of revision v1@IMAGE
    claim of Ada about another: SourceVerified VerificationError: failed to verify the signature using provider 'cosign': no matching signatures were found for 'REGISTRY/team/app@IMAGE': invalid or missing digest in claim
    bundle of Ada: verified signature of revision v1@IMAGE
    bundle of Ben: verified signature of revision v1@IMAGE
    bundle of Eve: SourceVerified VerificationError: failed to verify the signature using provider 'cosign': no matching signatures were found for 'REGISTRY/team/app@IMAGE': invalid signature when validating ASN.1 encoded signature
    bundle of Eve, claim of Ada: verified signature of revision v1@IMAGE
    ");
}

#[tokio::test]
async fn without_keys_an_image_counts_that_someone_who_is_named_signed_in_time() {
    let instance = Sigstore::new();
    let mut told = Vec::new();
    for (row, flaw) in [
        ("whole", Flaw::None),
        ("forged promise", Flaw::ForgedPromise),
        ("no promise", Flaw::NoPromise),
        ("forged proof", Flaw::ForgedProof),
        ("other entry", Flaw::OtherEntry),
        ("late", Flaw::Late),
        ("unlogged", Flaw::Unlogged),
        ("other purpose", Flaw::OtherPurpose),
        ("other image", Flaw::OtherImage),
        ("other key", Flaw::OtherKey),
    ] {
        let (mut content, digest) = image();
        instance.sign_with_bundle(&mut content, &digest, BUILD, flaw);
        let verification = keyless(&instance, &[("^https://ci[.]example[.]org$", "/release[.]yaml$")]);
        told.push(format!("{row}: {}", verdict(&content, verification).await));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    whole: verified signature of revision v1@IMAGE
    forged promise: SourceVerified VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@IMAGE': the log's entry is not signed by the log
    no promise: SourceVerified VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@IMAGE': the log's entry has no signed time
    forged proof: SourceVerified VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@IMAGE': the proof that the entry is in the log does not hold
    other entry: SourceVerified VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@IMAGE': the log's entry is about another signature
    late: SourceVerified VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@IMAGE': failed to verify certificate: it was not valid any more at that time
    unlogged: SourceVerified VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@IMAGE': no certificate transparency log that is trusted has entered the certificate
    other purpose: SourceVerified VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@IMAGE': failed to verify certificate: it is not for signing code
    other image: SourceVerified VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@IMAGE': invalid or missing digest in claim
    other key: SourceVerified VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@IMAGE': the signature is not by the key of its certificate
    ");
}

#[tokio::test]
async fn claims_without_keys_count_as_bundles_do() {
    let instance = Sigstore::new();
    let mut told = Vec::new();
    for flaw in [Flaw::None, Flaw::ForgedPromise, Flaw::OtherEntry, Flaw::Late, Flaw::OtherImage, Flaw::OtherKey] {
        let (mut content, digest) = image();
        instance.sign_with_claim(&mut content, &digest, ADA, flaw);
        told.push(format!("{flaw:?}: {}", verdict(&content, keyless(&instance, &[ADA])).await));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    None: verified signature of revision v1@IMAGE
    ForgedPromise: SourceVerified VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@IMAGE': the log's entry is not signed by the log
    OtherEntry: SourceVerified VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@IMAGE': the log's entry is about another signature
    Late: SourceVerified VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@IMAGE': failed to verify certificate: it was not valid any more at that time
    OtherImage: SourceVerified VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@IMAGE': invalid or missing digest in claim
    OtherKey: SourceVerified VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@IMAGE': the signature is not by the key of its certificate
    ");
}

#[tokio::test]
async fn only_who_is_named_counts_and_only_with_the_instance_that_is_trusted() {
    let (instance, other) = (Sigstore::new(), Sigstore::new());
    let (mut content, digest) = image();
    instance.sign_with_bundle(&mut content, &digest, ADA, Flaw::None);
    let mut told = Vec::new();
    for (row, verification) in [
        ("Ada", keyless(&instance, &[ADA])),
        ("Ben or Ada", keyless(&instance, &[(".*", "^ben@"), (".*", "^ada@")])),
        ("Ben", keyless(&instance, &[(".*", "^ben@")])),
        ("Ada of elsewhere", keyless(&instance, &[("^https://elsewhere[.]example[.]org$", ".*")])),
        ("nobody", keyless(&instance, &[])),
        ("another instance", keyless(&other, &[ADA])),
        ("a key", keys(&[&ImageSigner::new()])),
    ] {
        told.push(format!("{row}: {}", verdict(&content, verification).await));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    Ada: verified signature of revision v1@IMAGE
    Ben or Ada: verified signature of revision v1@IMAGE
    Ben: SourceVerified VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@IMAGE': none of the expected identities matched what was in the certificate, got subjects [ada@example.org] with issuer https://accounts.example.org
    Ada of elsewhere: SourceVerified VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@IMAGE': none of the expected identities matched what was in the certificate, got subjects [ada@example.org] with issuer https://accounts.example.org
    nobody: SourceVerified VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@IMAGE': none of the expected identities matched what was in the certificate, got subjects [ada@example.org] with issuer https://accounts.example.org
    another instance: SourceVerified VerificationError: failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'REGISTRY/team/app@IMAGE': the transparency log is not one that is trusted, or not at that time
    a key: SourceVerified VerificationError: failed to verify the signature using provider 'cosign': no matching signatures were found for 'REGISTRY/team/app@IMAGE': invalid signature when validating ASN.1 encoded signature
    ");
}

#[test]
fn keys_and_roots_that_cannot_be_used_are_refused() {
    let key = ImageSigner::new().public_key();
    let mut told = Vec::new();
    for data in [
        secret([]),
        secret([("cosign.key", key.as_str())]),
        secret([("a.pub", "no key")]),
        secret([("a.pub", &key), ("b.pub", "no key")]),
    ] {
        told.push(chain(&OciVerification::cosign_with_keys(&data).map(drop).expect_err("nothing can be used")));
    }
    for data in [secret([]), secret([("trusted_root.json", "{}")])] {
        told.push(chain(&OciVerification::cosign_keyless(&data, Vec::new()).map(drop).expect_err("no root")));
    }
    told.push(chain(&Identity::new("(", ".*").expect_err("no pattern")));
    insta::assert_snapshot!(told.join("\n"), @r"
    it has no key that ends in '.pub'
    it has no key that ends in '.pub'
    'a.pub': PEM decoding failed
    'b.pub': PEM decoding failed
    key 'trusted_root.json' is missing
    'trusted_root.json' names no certificate authority
    malformed issuer of an identity to match: `(`
    ");
}

#[test]
fn a_request_is_another_one_with_other_keys_or_identities() {
    let instance = Sigstore::new();
    let (one, other) = (ImageSigner::new(), ImageSigner::new());
    let request = |verification| OciRequest {
        verification: Some(verification),
        ..request("oci://registry.example.org/team/app", tag("v1"))
    };
    let all = [
        request(keys(&[&one])),
        request(keys(&[&other])),
        request(keyless(&instance, &[ADA])),
        request(keyless(&instance, &[BUILD])),
    ];
    assert_eq!(all[0].verification(), request(keys(&[&one])).verification());
    for (at, first) in all.iter().enumerate() {
        for second in &all[at + 1..] {
            assert_ne!(first.verification(), second.verification());
            assert_ne!(first.fingerprint(), second.fingerprint());
        }
    }
}

/// A trust policy for all repositories whose one statement has this `verification` and these `identities`.
fn notation(verification: &serde_json::Value, identity: &str, authority: &NotationSigner) -> OciVerification {
    let statement = serde_json::json!({
        "name": "all", "registryScopes": ["*"], "signatureVerification": verification,
        "trustStores": ["ca:shop"], "trustedIdentities": [identity],
    });
    let policy = serde_json::json!({ "version": "1.0", "trustPolicies": [statement] }).to_string();
    let data = secret([("trustpolicy.json", policy.as_str()), ("ca.crt", authority.certificate())]);
    OciVerification::notation(&data).expect("a policy")
}

#[tokio::test]
async fn notation_s_signatures_count_as_the_trust_policy_says() {
    let (shop, other) = (NotationSigner::new(), NotationSigner::new());
    let level = |level: &str| serde_json::json!({ "level": level });
    let unasked = serde_json::json!({ "level": "strict", "override": { "revocation": "skip" } });
    let release = "x509.subject: C=US, ST=WA, O=Shop";
    let mut told = Vec::new();
    for (row, signer, flaw, verification, identity) in [
        ("signed", &shop, NotationFlaw::None, level("strict"), "*"),
        ("signed by who is named", &shop, NotationFlaw::None, level("strict"), release),
        ("signed by another", &shop, NotationFlaw::None, level("strict"), "x509.subject: C=US, ST=WA, O=Others"),
        ("another authority", &other, NotationFlaw::None, level("strict"), "*"),
        ("another authority, permissive", &other, NotationFlaw::None, level("permissive"), "*"),
        ("another authority, audit", &other, NotationFlaw::None, level("audit"), "*"),
        ("another image, audit", &shop, NotationFlaw::OtherImage, level("audit"), "*"),
        ("another key, audit", &shop, NotationFlaw::OtherKey, level("audit"), "*"),
        ("expired", &shop, NotationFlaw::Expired, level("strict"), "*"),
        ("expired, permissive", &shop, NotationFlaw::Expired, level("permissive"), "*"),
        ("old certificate", &shop, NotationFlaw::OldCertificate, level("strict"), "*"),
        ("old certificate, permissive", &shop, NotationFlaw::OldCertificate, level("permissive"), "*"),
        ("revocable", &shop, NotationFlaw::Revocable, level("strict"), "*"),
        ("revocable, not asked", &shop, NotationFlaw::Revocable, unasked, "*"),
        ("unknown demand", &shop, NotationFlaw::Demanding, level("audit"), "*"),
    ] {
        let (mut content, digest) = image();
        signer.sign(&mut content, &digest, flaw);
        told.push(format!("{row}: {}", verdict(&content, notation(&verification, identity, &shop)).await));
    }
    let (content, _) = image();
    for demanded in ["audit", "skip"] {
        told.push(format!("unsigned, {demanded}: {}", verdict(&content, notation(&level(demanded), "*", &shop)).await));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    signed: verified signature of revision v1@IMAGE
    signed by who is named: verified signature of revision v1@IMAGE
    signed by another: SourceVerified VerificationError: failed to verify the signature using provider 'notation': authenticity: the signer is not one of the trusted identities
    another authority: SourceVerified VerificationError: failed to verify the signature using provider 'notation': authenticity: the certificate does not count: no authority that is trusted issued it
    another authority, permissive: SourceVerified VerificationError: failed to verify the signature using provider 'notation': authenticity: the certificate does not count: no authority that is trusted issued it
    another authority, audit: ignored
    another image, audit: SourceVerified VerificationError: failed to verify the signature using provider 'notation': integrity: the signature is of another image
    another key, audit: SourceVerified VerificationError: failed to verify the signature using provider 'notation': integrity: the signature is not by the key of its certificate
    expired: SourceVerified VerificationError: failed to verify the signature using provider 'notation': expiry: the signature has expired
    expired, permissive: verified signature of revision v1@IMAGE
    old certificate: SourceVerified VerificationError: failed to verify the signature using provider 'notation': authenticTimestamp: the certificate does not count now: it was not valid any more at that time
    old certificate, permissive: verified signature of revision v1@IMAGE
    revocable: SourceVerified VerificationError: failed to verify the signature using provider 'notation': revocation: whether a certificate was revoked is not known, as nobody is asked
    revocable, not asked: verified signature of revision v1@IMAGE
    unknown demand: SourceVerified VerificationError: failed to verify the signature using provider 'notation': the signature is malformed: it demands `org.example.unknown`, which is not known
    unsigned, audit: SourceVerified VerificationError: failed to verify the signature using provider 'notation': no signature is associated with 'REGISTRY/team/app@IMAGE', make sure the artifact was signed successfully
    unsigned, skip: ignored
    ");
}

#[test]
fn a_trust_policy_that_cannot_be_used_is_refused() {
    let told = [
        secret([]),
        secret([("trustpolicy.json", "{}")]),
        secret([("trustpolicy.json", r#"{"version":"1.0","trustPolicies":[]}"#), ("ca.pem", "none")]),
    ]
    .map(|data| chain(&OciVerification::notation(&data).map(drop).expect_err("nothing can be used")));
    insta::assert_snapshot!(told.join("\n"), @r"
    key 'trustpolicy.json' is missing
    'trustpolicy.json': it cannot be read: missing field `version` at line 1 column 2
    'ca.pem' holds no certificate in PEM
    ");
}
