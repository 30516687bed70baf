//! Azure: tokens of workload identity and of managed identities, and what its registries give for them.

use std::time::Duration;

use secrecy::ExposeSecret;
use serde::Deserialize;
use ureq::http::Method;

use super::{
    IdentityError, Lease,
    exchange::{Exchange, Question, json, text_of},
};
use crate::url::{Url, encode};

/// The hosts that are shown a token: storage, registries and repositories.
pub(super) const HOSTS: &[&str] = &[
    ".blob.core.windows.net",
    ".blob.core.chinacloudapi.cn",
    ".blob.core.usgovcloudapi.net",
    ".azurecr.io",
    ".azurecr.cn",
    ".azurecr.de",
    ".azurecr.us",
    "dev.azure.com",
    ".visualstudio.com",
];

/// What storage is called.
pub(super) const STORAGE: &str = "https://storage.azure.com/";
/// What repositories are called.
pub(super) const DEVOPS: &str = "499b84ac-1321-427f-aa17-267ca6975798/";
/// What registries are called.
const MANAGEMENT: &str = "https://management.azure.com/";

const ENTRA: &str = "Microsoft Entra";
const METADATA: &str = "the metadata service";
const REGISTRY: &str = "the registry";

/// An access token for `resource`: of the workload that the environment names, or of the machine.
pub(super) fn token(exchange: &Exchange<'_>, resource: &str) -> Result<Lease, IdentityError> {
    match exchange.environment.get("AZURE_FEDERATED_TOKEN_FILE") {
        Some(file) => of_workload(exchange, &file, resource),
        None => of_machine(exchange, resource),
    }
}

fn of_workload(exchange: &Exchange<'_>, file: &str, resource: &str) -> Result<Lease, IdentityError> {
    #[derive(Deserialize)]
    struct Granted {
        access_token: String,
        expires_in: u64,
    }
    let missing = |problem| IdentityError::None { cloud: "Azure", problem };
    let environment = exchange.environment;
    let tenant = environment.get("AZURE_TENANT_ID").ok_or(missing("`AZURE_TENANT_ID` is not set"))?;
    let client = environment.get("AZURE_CLIENT_ID").ok_or(missing("`AZURE_CLIENT_ID` is not set"))?;
    let path = format!("/{}/oauth2/v2.0/token", encode(&tenant));
    let url = environment.url("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com", &path);
    let url = url.ok_or(missing("`AZURE_AUTHORITY_HOST` is no URL"))?;
    let assertion = text_of(file)?;
    let fields = [
        ("client_assertion", assertion.as_str()),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_id", &client),
        ("grant_type", "client_credentials"),
        ("scope", &format!("{resource}.default")),
    ];
    let granted: Granted = exchange.ask_form(ENTRA, &url, &fields)?;
    Ok(Lease { what: granted.access_token.into(), lifetime: Duration::from_secs(granted.expires_in) })
}

fn of_machine(exchange: &Exchange<'_>, resource: &str) -> Result<Lease, IdentityError> {
    #[derive(Deserialize)]
    struct Granted {
        access_token: String,
        /// Seconds, as a text.
        expires_in: String,
    }
    let resource = resource.trim_end_matches('/');
    let client = exchange.environment.get("AZURE_CLIENT_ID");
    let client = client.map_or_else(String::new, |client| format!("&client_id={}", encode(&client)));
    let path = format!("/metadata/identity/oauth2/token?api-version=2018-02-01&resource={}{client}", encode(resource));
    let url = exchange.environment.url("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://169.254.169.254", &path);
    let problem = "`AZURE_POD_IDENTITY_AUTHORITY_HOST` is no URL";
    let url = url.ok_or(IdentityError::None { cloud: "Azure", problem })?;
    let headers = vec![("metadata", "true".into())];
    let answer =
        exchange.ask(Question { from: METADATA, method: Method::GET, url: &url, headers, body: String::new() })?;
    let granted: Granted = json(METADATA, &answer)?;
    let seconds = granted.expires_in.parse().unwrap_or_default();
    Ok(Lease { what: granted.access_token.into(), lifetime: Duration::from_secs(seconds) })
}

/// How long a registry's token is used; it holds for three hours.
const REFRESH_LIFETIME: Duration = Duration::from_hours(1);

/// The token that the registry at `host` gives for ours, and for which it gives others.
pub(super) fn refresh_token(exchange: &Exchange<'_>, host: &str) -> Result<Lease, IdentityError> {
    #[derive(Deserialize)]
    struct Granted {
        refresh_token: String,
    }
    let scheme = if exchange.environment.is_trusted(host.rsplit_once(':').map_or(host, |(name, _)| name)) {
        "http"
    } else {
        "https"
    };
    let url = Url::parse_http(&format!("{scheme}://{host}/oauth2/exchange"));
    let url = url.map_err(|_| IdentityError::Malformed { from: REGISTRY, problem: "has no valid host" })?;
    let token = token(exchange, MANAGEMENT)?;
    let fields = [("access_token", token.what.expose_secret()), ("grant_type", "access_token"), ("service", host)];
    let granted: Granted = exchange.ask_form(REGISTRY, &url, &fields)?;
    Ok(Lease { what: granted.refresh_token.into(), lifetime: REFRESH_LIFETIME })
}
