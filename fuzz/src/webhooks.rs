//! What must hold for webhooks: whatever comes, it is taken or refused, and who cannot sign is not taken.

use fairlead_api::notification::{ReceiverSpec, ReceiverType};
use fairlead_reconciler::webhook::{
    GoogleKeys,
    verdict::{HookSecret, Webhook, accept},
};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use ring::hmac;
use serde_json::json;

use crate::Choices;

const TOKEN: &[u8] = b"hush";

/// Every type, with the header that authenticates a webhook where one does.
const TYPES: [(&str, Option<(&str, Proof)>); 13] = [
    ("generic", None),
    ("dockerhub", None),
    ("quay", None),
    ("acr", None),
    ("cdevents", None),
    ("generic-hmac", Some(("x-signature", Proof::Sha256))),
    ("github", Some(("x-hub-signature-256", Proof::Sha256))),
    ("bitbucket", Some(("x-hub-signature", Proof::Sha256))),
    ("gitlab", Some(("x-gitlab-token", Proof::Token))),
    ("harbor", Some(("authorization", Proof::Token))),
    ("nexus", Some(("x-nexus-webhook-signature", Proof::Sha1))),
    ("gcr", Some(("authorization", Proof::Google))),
    ("generic-oidc", Some(("authorization", Proof::Google))),
];

/// By what a sender is known.
#[derive(Clone, Copy)]
enum Proof {
    Token,
    Sha1,
    Sha256,
    /// A token that cannot be made here.
    Google,
}

/// Headers that some type looks at.
const HEADERS: [&str; 9] = [
    "x-github-event",
    "x-gitlab-event",
    "x-event-key",
    "ce-type",
    "x-signature",
    "x-hub-signature",
    "x-gitlab-token",
    "authorization",
    "x-nexus-webhook-signature",
];

const MEDIA_TYPES: [&str; 4] = ["application/json", "application/x-www-form-urlencoded", "text/plain", ""];

/// Any webhook is taken or refused, and none that is not signed where it must be. The first bytes say what is sent.
pub(crate) fn webhook(bytes: &[u8]) {
    let (head, body) = bytes.split_at(bytes.len().min(16));
    if body.starts_with(TOKEN) {
        // What is put into headers is taken from the body, and nobody knows the token by chance.
        return;
    }
    let mut choices = Choices::given(head);
    let (type_, proof) = choices.pick(&TYPES);
    let spec: ReceiverSpec = serde_json::from_value(json!({
        "type": type_,
        "events": choices.pick(&[&[][..], &["push"][..]]),
        "resources": [{ "kind": "GitRepository", "name": "app" }],
        "secretRef": { "name": "token" },
    }))
    .expect("a spec");
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static(choices.pick(&MEDIA_TYPES)));
    for name in choices.some(&HEADERS, 0, 3) {
        let value: Vec<u8> = body.iter().copied().take(choices.below(64)).collect();
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    let signs = choices.chance(50);
    if let (Some((name, proof)), true) = (proof, signs) {
        headers.insert(HeaderName::from_static(name), value_of(proof, body));
    }
    let secret =
        HookSecret { token: TOKEN.to_vec().into(), email: "a@example.com".into(), audience: "https://a".into() };
    let webhook = Webhook { headers: &headers, body, at: Timestamp::UNIX_EPOCH, google: &GoogleKeys::default() };
    let outcome = accept(&spec, &secret, &webhook);
    let may_be_taken = proof.is_none() || (signs && spec.type_ != ReceiverType::Gcr);
    assert!(may_be_taken || outcome.is_err(), "{type_} is taken from a stranger: {outcome:?}");
    drop(outcome.map_err(|refusal| refusal.to_string()));
}

/// What someone sends who knows the token.
fn value_of(proof: Proof, body: &[u8]) -> HeaderValue {
    let tag = |algorithm| hex::encode(hmac::sign(&hmac::Key::new(algorithm, TOKEN), body));
    let text = match proof {
        Proof::Token => return HeaderValue::from_bytes(TOKEN).expect("a value"),
        Proof::Sha1 => tag(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
        Proof::Sha256 => format!("sha256={}", tag(hmac::HMAC_SHA256)),
        Proof::Google => "Bearer e30.e30.e30".to_owned(),
    };
    HeaderValue::try_from(text).expect("a value")
}
