//! Whether a webhook is what it says it is, and what it says.
//!
//! It needs no server: what was sent, what the Secret holds, the time and Google's keys are given.
//!
//! # Follows Flux
//! Which header each kind of sender signs or shows its token in, and which one names the event.
//! # Differs from Flux
//! - A token is compared in constant time, and an empty one authenticates nobody.
//! - What says that it is JSON and cannot be read as that is refused, whoever sends it.

use base64::{Engine, prelude::BASE64_STANDARD};
use fairlead_api::notification::{ReceiverSpec, ReceiverType};
use http::{HeaderMap, header};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretSlice};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    google::{self, Expected, GoogleKeys, TokenError},
    signature::{is_equal, is_signed, is_signed_by_nexus},
};

/// A webhook as it came.
pub struct Webhook<'a> {
    /// The headers of the request.
    pub headers: &'a HeaderMap,
    /// The body.
    pub body: &'a [u8],
    /// When it came.
    pub at: Timestamp,
    /// The keys that Google signs with; only `gcr` asks for them.
    pub google: &'a GoogleKeys,
}

/// What a Secret holds that authenticates webhooks.
pub struct HookSecret {
    /// `token`.
    pub token: SecretSlice<u8>,
    /// `email`, of whom Google's tokens must be.
    pub email: String,
    /// `audience`, for whom Google's tokens must be.
    pub audience: String,
}

/// Why a webhook is not taken. No text repeats what authenticates.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing is signed.
    #[error("the header `{0}` with the signature is missing")]
    Unsigned(&'static str),
    /// The signature is not one of this body under the Secret's token.
    #[error("the signature in `{0}` is not one of this body under the Secret's token")]
    WrongSignature(&'static str),
    /// The token is not the Secret's.
    #[error("the token in `{0}` is missing or not the Secret's")]
    WrongToken(&'static str),
    /// The token is not one of Google for this Receiver.
    #[error("the token of the request does not authenticate it")]
    GoogleToken(#[from] TokenError),
    /// The event is not one that counts.
    #[error("the event `{event}` of `{header}` is not among `spec.events`")]
    Event {
        /// The header that names it.
        header: &'static str,
        /// The event.
        event: String,
    },
    /// The body is not what the type of the Receiver says.
    #[error("the body is {0}")]
    Body(&'static str),
    /// The type is not served.
    #[error("webhooks of this type are not taken")]
    Unserved,
}

const HUB_SIGNATURES: [&str; 2] = ["x-hub-signature-256", "x-hub-signature"];

/// Authenticates `webhook`, and returns what it says: what filters see as `req`.
pub fn accept(spec: &ReceiverSpec, secret: &HookSecret, webhook: &Webhook<'_>) -> Result<Value, Refusal> {
    let token = secret.token.expose_secret();
    match spec.type_ {
        ReceiverType::Generic => webhook.said(),
        ReceiverType::GenericHmac => {
            webhook.check_signature(&["x-signature"], token)?;
            webhook.said()
        }
        ReceiverType::GitHub => {
            webhook.check_signature(&HUB_SIGNATURES, token)?;
            webhook.check_event("x-github-event", &spec.events)?;
            webhook.said_by_github()
        }
        ReceiverType::Bitbucket => {
            webhook.check_signature(&HUB_SIGNATURES, token)?;
            webhook.check_event("x-event-key", &spec.events)?;
            webhook.said()
        }
        ReceiverType::GitLab => {
            webhook.check_token("x-gitlab-token", token)?;
            webhook.check_event("x-gitlab-event", &spec.events)?;
            webhook.said()
        }
        ReceiverType::Harbor => {
            webhook.check_token("authorization", token)?;
            webhook.said()
        }
        ReceiverType::DockerHub | ReceiverType::Quay | ReceiverType::Acr => webhook.object(),
        ReceiverType::Nexus => {
            let header = "x-nexus-webhook-signature";
            let signature = webhook.header(header).ok_or(Refusal::Unsigned(header))?;
            if !is_signed_by_nexus(signature, token, webhook.body) {
                return Err(Refusal::WrongSignature(header));
            }
            webhook.object()
        }
        ReceiverType::Gcr => {
            let expected = Expected { email: &secret.email, audience: &secret.audience };
            google::check(webhook.header("authorization"), &expected, webhook.google, webhook.at)?;
            webhook.said_by_pub_sub()
        }
        ReceiverType::CdEvents => {
            let event = webhook.object()?;
            if !is_cd_event(&event) {
                return Err(Refusal::Body("not a CDEvent"));
            }
            webhook.check_event("ce-type", &spec.events)?;
            Ok(event)
        }
        ReceiverType::GenericOidc => Err(Refusal::Unserved),
    }
}

impl<'a> Webhook<'a> {
    fn header(&self, name: &'static str) -> Option<&'a [u8]> {
        self.headers.get(name).map(http::HeaderValue::as_bytes)
    }

    fn check_signature(&self, headers: &[&'static str], token: &[u8]) -> Result<(), Refusal> {
        let first = headers.iter().find_map(|name| Some((*name, self.header(name)?)));
        let (name, signature) = first.ok_or(Refusal::Unsigned(headers[0]))?;
        if is_signed(signature, token, self.body) { Ok(()) } else { Err(Refusal::WrongSignature(name)) }
    }

    fn check_token(&self, name: &'static str, token: &[u8]) -> Result<(), Refusal> {
        let is_it = self.header(name).is_some_and(|given| is_equal(given, token));
        if is_it && !token.is_empty() { Ok(()) } else { Err(Refusal::WrongToken(name)) }
    }

    /// Checks that the event counts. Where none are listed, all do.
    fn check_event(&self, name: &'static str, counted: &[String]) -> Result<(), Refusal> {
        let event = self.header(name).map(String::from_utf8_lossy).unwrap_or_default();
        if counted.is_empty() || counted.iter().any(|counts| counts.eq_ignore_ascii_case(&event)) {
            return Ok(());
        }
        Err(Refusal::Event { header: name, event: event.chars().take(SHOWN_EVENT_CHARS).collect() })
    }

    /// What the body says, where it is JSON; nothing where it is something else or empty.
    fn said(&self) -> Result<Value, Refusal> {
        if self.is_of_type("application/json") && !self.body.is_empty() {
            return self.json();
        }
        Ok(json!({}))
    }

    /// GitHub sends JSON, as it is or in a form.
    fn said_by_github(&self) -> Result<Value, Refusal> {
        if !self.is_of_type("application/x-www-form-urlencoded") {
            return self.said();
        }
        let payload = form_value(self.body, "payload").ok_or(Refusal::Body("a form without `payload`"))?;
        serde_json::from_slice(&payload).map_err(|_| NOT_JSON)
    }

    /// Pub/Sub wraps what a registry says.
    fn said_by_pub_sub(&self) -> Result<Value, Refusal> {
        #[derive(Deserialize)]
        struct Pushed {
            message: Message,
        }
        #[derive(Deserialize)]
        struct Message {
            data: String,
        }
        const NOT_PUSHED: Refusal = Refusal::Body("not a message of Pub/Sub with JSON in base64");
        let pushed: Pushed = serde_json::from_slice(self.body).map_err(|_| NOT_PUSHED)?;
        let data = BASE64_STANDARD.decode(pushed.message.data).map_err(|_| NOT_PUSHED)?;
        let said: Map<String, Value> = serde_json::from_slice(&data).map_err(|_| NOT_PUSHED)?;
        let text = |key: &str| said.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(json!({ "action": text("action"), "digest": text("digest"), "tag": text("tag") }))
    }

    fn object(&self) -> Result<Value, Refusal> {
        self.json().and_then(|said| if said.is_object() { Ok(said) } else { Err(Refusal::Body("not a JSON object")) })
    }

    fn json(&self) -> Result<Value, Refusal> {
        serde_json::from_slice(self.body).map_err(|_| NOT_JSON)
    }

    fn is_of_type(&self, media_type: &str) -> bool {
        let parts = |value: &'a http::HeaderValue| value.to_str().unwrap_or_default().split([';', ',']);
        let mut all = self.headers.get_all(header::CONTENT_TYPE).iter().flat_map(parts);
        all.any(|part| part.trim().eq_ignore_ascii_case(media_type))
    }
}

const NOT_JSON: Refusal = Refusal::Body("not JSON");

/// How much of the name of an event is told.
const SHOWN_EVENT_CHARS: usize = 100;

/// The value of `key` in a form.
fn form_value(form: &[u8], key: &str) -> Option<Vec<u8>> {
    let fields = form.split(|byte| *byte == b'&');
    let mut values = fields.filter_map(|field| field.strip_prefix(key.as_bytes())?.strip_prefix(b"="));
    unescaped(values.next()?)
}

/// The bytes that `text` of a form stands for; `None` if it is none.
fn unescaped(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let (escape, after) = rest.split_at_checked(2)?;
                bytes.extend(hex::decode(escape).ok()?);
                rest = after;
            }
            byte => bytes.push(*byte),
        }
    }
    Some(bytes)
}

/// Whether `event` has what every `CDEvent` has: who it is of, what happened and when, and to what.
fn is_cd_event(event: &Value) -> bool {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let names = ["/context/version", "/context/id", "/context/source", "/subject/id"];
    let is_type = text("/context/type").strip_prefix("dev.cdevents.").is_some_and(|rest| rest.split('.').count() >= 3);
    names.iter().all(|name| !text(name).is_empty())
        && is_type
        && text("/context/timestamp").parse::<Timestamp>().is_ok()
        && event.pointer("/subject/content").is_some_and(Value::is_object)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use ring::hmac;

    use super::*;
    use crate::webhook::google::tests::{Signer, claims};

    const TOKEN: &str = "hush";

    /// Headers as a row of a table has them.
    type Written<'a> = &'a [(&'a str, &'a str)];

    fn spec(type_: &str, events: &[&str]) -> ReceiverSpec {
        let resources = json!([{ "kind": "GitRepository", "name": "app" }]);
        let spec = json!({ "type": type_, "events": events, "resources": resources, "secretRef": { "name": "token" } });
        serde_json::from_value(spec).expect("a spec")
    }

    fn headers<'a>(written: impl IntoIterator<Item = (&'a str, String)>) -> HeaderMap {
        let header = |(name, value): (&str, String)| {
            (HeaderName::try_from(name).expect("a name"), HeaderValue::try_from(value).expect("a value"))
        };
        written.into_iter().map(header).collect()
    }

    /// What comes of a webhook that bears `written`.
    fn outcome(spec: &ReceiverSpec, written: &[(&str, &str)], body: &str) -> String {
        let written = written.iter().map(|(name, value)| (*name, (*value).to_owned()));
        outcome_with(spec, &headers(written), body.as_bytes())
    }

    fn outcome_with(spec: &ReceiverSpec, headers: &HeaderMap, body: &[u8]) -> String {
        let secret = secret(TOKEN);
        let at = Timestamp::UNIX_EPOCH;
        match accept(spec, &secret, &Webhook { headers, body, at, google: &GoogleKeys::default() }) {
            Ok(said) => said.to_string(),
            Err(refusal) => refusal.to_string(),
        }
    }

    fn secret(token: &str) -> HookSecret {
        HookSecret {
            token: token.as_bytes().to_vec().into(),
            email: "pubsub@example.com".to_owned(),
            audience: "https://example.com/hook".to_owned(),
        }
    }

    fn signed(algorithm: hmac::Algorithm, body: &str) -> String {
        hex::encode(hmac::sign(&hmac::Key::new(algorithm, TOKEN.as_bytes()), body.as_bytes()))
    }

    fn sha256(body: &str) -> String {
        format!("sha256={}", signed(hmac::HMAC_SHA256, body))
    }

    #[test]
    fn each_type_takes_what_its_sender_sends() {
        const JSON: (&str, &str) = ("content-type", "application/json");
        let (ours, said) = (r#"{"ref":"main"}"#, sha256(r#"{"ref":"main"}"#));
        let sha1 = format!("sha1={}", signed(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, ours));
        let nexus = signed(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, ours);
        let form = "payload=%7B%22ref%22%3A+%22main%22%7D";
        let form_signed = sha256(form);
        let form_type = ("content-type", "application/x-www-form-urlencoded");
        let rows: [(&str, Written<'_>, &str, &str); 18] = [
            ("generic", &[], "anything", "{}"),
            ("generic", &[JSON], ours, ours),
            ("generic", &[("content-type", "application/json; charset=utf-8")], ours, ours),
            ("generic", &[JSON], "", "{}"),
            ("generic-hmac", &[("x-signature", &said)], ours, "{}"),
            ("generic-hmac", &[("x-signature", &sha1), JSON], ours, ours),
            ("github", &[("x-hub-signature-256", &said), ("x-github-event", "push"), JSON], ours, ours),
            ("github", &[("x-hub-signature", &sha1), ("x-github-event", "Push"), JSON], ours, ours),
            ("github", &[("x-hub-signature-256", &form_signed), ("x-github-event", "push"), form_type], form, ours),
            // Gitea and Forgejo send GitHub's headers beside their own.
            (
                "github",
                &[("x-hub-signature-256", &said), ("x-gitea-event", "push"), ("x-github-event", "push"), JSON],
                ours,
                ours,
            ),
            ("gitlab", &[("x-gitlab-token", TOKEN), ("x-gitlab-event", "push"), JSON], ours, ours),
            ("bitbucket", &[("x-hub-signature", &said), ("x-event-key", "push"), JSON], ours, ours),
            ("harbor", &[("authorization", TOKEN), JSON], ours, ours),
            ("dockerhub", &[], ours, ours),
            ("quay", &[JSON], ours, ours),
            ("acr", &[], ours, ours),
            ("nexus", &[("x-nexus-webhook-signature", &nexus)], ours, ours),
            ("generic-oidc", &[], ours, "webhooks of this type are not taken"),
        ];
        for (type_, headers, body, expected) in rows {
            assert_eq!(outcome(&spec(type_, &["push"]), headers, body), expected, "{type_} {headers:?}");
        }
    }

    #[test]
    fn what_is_not_authenticated_or_not_meant_is_refused() {
        let ours = r#"{"ref":"main"}"#;
        let (said, other) = (sha256(ours), sha256("other"));
        let nexus = signed(hmac::HMAC_SHA256, ours);
        let rows: [(&str, Written<'_>, &str); 17] = [
            ("generic-hmac", &[], "the header `x-signature` with the signature is missing"),
            (
                "generic-hmac",
                &[("x-signature", &other)],
                "the signature in `x-signature` is not one of this body under the Secret's token",
            ),
            (
                "generic-hmac",
                &[("x-hub-signature-256", &said)],
                "the header `x-signature` with the signature is missing",
            ),
            ("github", &[("x-github-event", "push")], "the header `x-hub-signature-256` with the signature is missing"),
            (
                "github",
                &[("x-hub-signature-256", &other), ("x-hub-signature", &said)],
                "the signature in `x-hub-signature-256` is not one of this body under the Secret's token",
            ),
            (
                "github",
                &[("x-hub-signature-256", &said), ("x-github-event", "ping")],
                "the event `ping` of `x-github-event` is not among `spec.events`",
            ),
            (
                "github",
                &[("x-hub-signature-256", &said)],
                "the event `` of `x-github-event` is not among `spec.events`",
            ),
            ("gitlab", &[], "the token in `x-gitlab-token` is missing or not the Secret's"),
            ("gitlab", &[("x-gitlab-token", "hus")], "the token in `x-gitlab-token` is missing or not the Secret's"),
            (
                "gitlab",
                &[("x-gitlab-token", TOKEN), ("x-gitlab-event", "Tag Push Hook")],
                "the event `Tag Push Hook` of `x-gitlab-event` is not among `spec.events`",
            ),
            ("bitbucket", &[("x-event-key", "push")], "the header `x-hub-signature-256` with the signature is missing"),
            (
                "bitbucket",
                &[("x-hub-signature", &said), ("x-event-key", "pull")],
                "the event `pull` of `x-event-key` is not among `spec.events`",
            ),
            (
                "harbor",
                &[("authorization", "Bearer hush")],
                "the token in `authorization` is missing or not the Secret's",
            ),
            ("nexus", &[], "the header `x-nexus-webhook-signature` with the signature is missing"),
            (
                "nexus",
                &[("x-nexus-webhook-signature", &nexus)],
                "the signature in `x-nexus-webhook-signature` is not one of this body under the Secret's token",
            ),
            ("gcr", &[], "the token of the request does not authenticate it"),
            ("cdevents", &[], "the body is not a CDEvent"),
        ];
        for (type_, headers, expected) in rows {
            assert_eq!(outcome(&spec(type_, &["push"]), headers, ours), expected, "{type_} {headers:?}");
        }
    }

    #[test]
    fn an_empty_token_authenticates_nobody() {
        let body = b"{}";
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b""), body);
        let signature = format!("sha256={}", hex::encode(tag));
        let headers = headers([
            ("x-signature", signature.clone()),
            ("x-hub-signature-256", signature),
            ("x-gitlab-token", String::new()),
            ("authorization", String::new()),
        ]);
        for type_ in ["generic-hmac", "github", "gitlab", "bitbucket", "harbor", "nexus"] {
            let webhook =
                Webhook { headers: &headers, body, at: Timestamp::UNIX_EPOCH, google: &GoogleKeys::default() };
            assert!(accept(&spec(type_, &[]), &secret(""), &webhook).is_err(), "{type_}");
        }
    }

    #[test]
    fn cve_2025_59537_argo_a_payload_that_lacks_what_it_should_have_is_refused_and_nothing_panics() {
        let bodies = [
            "",
            "{",
            "null",
            "[]",
            "\"\"",
            "1e999",
            "{\"push_data\":[]}",
            "{\"message\":null}",
            "{\"message\":{\"data\":1}}",
            "{\"message\":{\"data\":\"bnVsbA==\"}}",
            "{\"context\":{}}",
            "payload=",
            "payload=%",
            "payload=%zz",
            "\u{0}",
            "{\"context\":{\"type\":\"dev.cdevents.change.merged\",\"timestamp\":\"now\"},\"subject\":[]}",
        ];
        let deep = "[".repeat(100_000);
        for body in bodies.into_iter().chain([deep.as_str()]) {
            let bytes = body.as_bytes();
            let json = ("content-type", "application/json".to_owned());
            let form = ("content-type", "application/x-www-form-urlencoded".to_owned());
            for type_ in ["dockerhub", "quay", "acr", "cdevents"] {
                let outcome = outcome_with(&spec(type_, &[]), &headers([json.clone()]), bytes);
                let is_object = body.starts_with('{') && body.ends_with('}') && type_ != "cdevents";
                assert_eq!(outcome.starts_with("the body is "), !is_object, "{type_} {body:.40}: {outcome}");
            }
            let signed = ("x-hub-signature-256", sha256(body));
            let outcome = outcome_with(&spec("github", &[]), &headers([signed, form]), bytes);
            assert!(outcome.starts_with("the body is "), "{body:.40}: {outcome}");
        }
    }

    #[test]
    fn google_s_message_is_unwrapped() {
        let signer = Signer::new();
        let authorization = signer.bearer(&json!({ "alg": "RS256", "kid": "one" }), &claims());
        let keys = signer.keys("one");
        let data =
            BASE64_STANDARD.encode(r#"{"action":"INSERT","digest":"gcr.io/app@sha256:1","tag":"gcr.io/app:v1","x":1}"#);
        let body = json!({ "message": { "data": data, "messageId": "1" } }).to_string();
        let headers = headers([("authorization", authorization)]);
        let at = Timestamp::from_second(950).expect("a time");
        let said = |body: &str| {
            accept(
                &spec("gcr", &[]),
                &secret(TOKEN),
                &Webhook { headers: &headers, body: body.as_bytes(), at, google: &keys },
            )
        };
        insta::assert_snapshot!(said(&body).expect("taken"), @r#"{"action":"INSERT","digest":"gcr.io/app@sha256:1","tag":"gcr.io/app:v1"}"#);
        for body in ["", "{}", "{\"message\":{\"data\":\"?\"}}", "{\"message\":{\"data\":\"W10=\"}}"] {
            assert!(matches!(said(body), Err(Refusal::Body(_))), "{body}");
        }
    }

    #[test]
    fn a_cd_event_says_of_what_it_is_and_when() {
        let event = json!({
            "context": {
                "version": "0.4.1", "id": "1", "source": "/ci", "type": "dev.cdevents.change.merged.0.2.0",
                "timestamp": "2026-01-02T03:04:05Z",
            },
            "subject": { "id": "42", "content": {} },
        });
        assert!(is_cd_event(&event));
        let change = ("ce-type", "dev.cdevents.change.merged.0.1.2");
        let counted = spec("cdevents", &["Dev.CDEvents.change.merged.0.1.2"]);
        assert_eq!(outcome(&counted, &[change], &event.to_string()), event.to_string());
        assert!(outcome(&spec("cdevents", &["other"]), &[change], &event.to_string()).starts_with("the event"));
        for pointer in [
            "/context/version",
            "/context/id",
            "/context/source",
            "/context/type",
            "/context/timestamp",
            "/subject/id",
            "/subject/content",
        ] {
            let mut broken = event.clone();
            *broken.pointer_mut(pointer).expect("it is there") = json!(null);
            assert!(!is_cd_event(&broken), "{pointer}");
        }
    }
}
