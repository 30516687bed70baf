//! Google Cloud: tokens of the metadata server, and of workload identity federation.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use ureq::http::Method;

use super::{
    IdentityError, Lease,
    exchange::{Exchange, Question, json, text_of},
};
use crate::url::Url;

/// The hosts that are shown a token: storage, and registries.
pub(super) const HOSTS: &[&str] = &[".googleapis.com", "gcr.io", "-docker.pkg.dev"];

const METADATA: &str = "the metadata server";
const STS: &str = "Google's token service";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const UNREADABLE: &str =
    "has credentials in `GOOGLE_APPLICATION_CREDENTIALS` that are not of workload identity federation";

/// A token, and for how many seconds it holds.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

/// An access token: of the federation that the environment names, or of the machine.
pub(super) fn token(exchange: &Exchange<'_>) -> Result<Lease, IdentityError> {
    match exchange.environment.get("GOOGLE_APPLICATION_CREDENTIALS") {
        Some(file) => federated(exchange, &text_of(&file)?),
        None => of_machine(exchange),
    }
}

fn of_machine(exchange: &Exchange<'_>) -> Result<Lease, IdentityError> {
    let path = "/computeMetadata/v1/instance/service-accounts/default/token";
    let url = exchange.environment.url("GCE_METADATA_HOST", "metadata.google.internal", path);
    let url = url.ok_or(IdentityError::None { cloud: "Google", problem: "`GCE_METADATA_HOST` is no host" })?;
    let headers = vec![("metadata-flavor", "Google".into())];
    let answer =
        exchange.ask(Question { from: METADATA, method: Method::GET, url: &url, headers, body: String::new() })?;
    json::<Granted>(METADATA, &answer).map(Granted::lease)
}

/// What a file for workload identity federation says.
#[derive(Deserialize)]
struct Federation {
    #[serde(rename = "type")]
    type_: String,
    audience: String,
    subject_token_type: String,
    token_url: String,
    credential_source: CredentialSource,
    service_account_impersonation_url: Option<String>,
}

#[derive(Deserialize)]
struct CredentialSource {
    file: Option<String>,
    #[serde(default)]
    format: Value,
}

/// A token for one of another issuer.
fn federated(exchange: &Exchange<'_>, written: &str) -> Result<Lease, IdentityError> {
    let malformed = || IdentityError::Malformed { from: "the environment", problem: UNREADABLE };
    let federation: Federation = serde_json::from_str(written).map_err(|_| malformed())?;
    let url = Url::parse_http(&federation.token_url).map_err(|_| malformed())?;
    let file = federation.credential_source.file.as_deref().filter(|_| federation.type_ == "external_account");
    let subject = subject_token(&federation.credential_source.format, &text_of(file.ok_or_else(malformed)?)?);
    let fields = [
        ("audience", federation.audience.as_str()),
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("scope", SCOPE),
        ("subject_token", &subject.ok_or_else(malformed)?),
        ("subject_token_type", &federation.subject_token_type),
    ];
    let granted: Granted = exchange.ask_form(STS, &url, &fields)?;
    match federation.service_account_impersonation_url {
        Some(account) => impersonated(exchange, &account, &granted.access_token),
        None => Ok(granted.lease()),
    }
}

/// The token in a file, which may be JSON around it.
fn subject_token(format: &Value, content: &str) -> Option<String> {
    if format["type"] != "json" {
        return Some(content.to_owned());
    }
    let content: Value = serde_json::from_str(content).ok()?;
    content[format["subject_token_field_name"].as_str()?].as_str().map(str::to_owned)
}

/// A token of a service account that the federated identity may act as.
fn impersonated(exchange: &Exchange<'_>, account: &str, token: &str) -> Result<Lease, IdentityError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Impersonated {
        access_token: String,
        expire_time: Timestamp,
    }
    let malformed = || IdentityError::Malformed { from: "the environment", problem: UNREADABLE };
    let url = Url::parse_http(account).map_err(|_| malformed())?;
    let headers =
        vec![("authorization", format!("Bearer {token}").into()), ("content-type", "application/json".into())];
    let body = serde_json::json!({ "scope": [SCOPE], "lifetime": "3600s" }).to_string();
    let answer = exchange.ask(Question { from: STS, method: Method::POST, url: &url, headers, body })?;
    let granted: Impersonated = json(STS, &answer)?;
    Ok(Lease { what: granted.access_token.into(), lifetime: exchange.until(granted.expire_time) })
}

impl Granted {
    fn lease(self) -> Lease {
        Lease { what: self.access_token.into(), lifetime: Duration::from_secs(self.expires_in) }
    }
}
