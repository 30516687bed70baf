//! Azure Blob Storage.

use std::{io::Read, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use fairlead_object::Digest;
use ring::hmac;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use ureq::{
    Body,
    http::{Method, Response, StatusCode},
};

use super::{
    BucketRequest, Clock,
    error::{BucketSettingsError, ServiceError},
    service::{AGENT, Object, Opened, Page, Service, opened, read_body, refusal},
    xml,
};
use crate::{
    deadline::Deadline,
    identity::{CloudIdentity, IdentityError},
    secret::{SecretData, SecretError, keyed_digest, line},
    transport::Client,
    url::{Url, encode, query_pairs},
};

/// A storage account, and who asks it.
#[derive(Clone)]
pub struct AzureAccount {
    endpoint: Url,
    access: Access,
}

/// How requests show who asks.
#[derive(Clone)]
enum Access {
    /// Not at all.
    Anonymous,
    /// By a signature of the account's key.
    Key { account: String, key: Arc<SecretSlice<u8>> },
    /// By a signature that someone made before, as a query.
    Signature(Arc<SecretString>),
    /// By tokens that Azure gives to this process.
    Cloud(CloudIdentity),
}

/// The version of the protocol.
const VERSION: &str = "2021-08-06";

impl AzureAccount {
    /// The account at `endpoint` (`https://<account>.blob.core.windows.net`), asked as `data`, the Secret that
    /// `spec.secretRef` names, has it: by `accountKey` or `sasKey`. Without a Secret it is asked as anyone may.
    ///
    /// # Errors
    /// If the Secret names an identity (`clientId`), which is not supported, or nothing that is known.
    pub fn new(endpoint: &str, data: Option<&SecretData>) -> Result<Self, BucketSettingsError> {
        let endpoint = Url::parse_http(endpoint)
            .map_err(|_| BucketSettingsError::Endpoint("does not start with `https://` or `http://` and a host"))?;
        let access = match data {
            None => Access::Anonymous,
            Some(data) => Access::read(&endpoint, data)?,
        };
        Ok(Self { endpoint, access })
    }

    /// The same account, asked with the identity of this process.
    ///
    /// # Errors
    /// If the account is not one of Azure's own.
    pub fn with_identity(self, identity: CloudIdentity) -> Result<Self, IdentityError> {
        identity.check_host(self.endpoint.host(), self.endpoint.scheme_name() == "https")?;
        Ok(Self { access: Access::Cloud(identity), ..self })
    }

    pub(super) fn fingerprint(&self) -> Digest {
        let url = self.endpoint.parts();
        let url = url.iter().map(|part| part.expose_secret().as_bytes());
        match &self.access {
            Access::Anonymous => keyed_digest(url),
            Access::Key { account, key } => keyed_digest(url.chain([account.as_bytes(), key.expose_secret()])),
            Access::Signature(query) => keyed_digest(url.chain([query.expose_secret().as_bytes()])),
            Access::Cloud(identity) => keyed_digest(url.chain([identity.fingerprint().hex().as_bytes()])),
        }
    }

    pub(super) fn service(&self, request: &BucketRequest, clock: Clock, deadline: &Deadline) -> Azure {
        Azure {
            client: Client::new(self.endpoint.endpoint(), &request.transport, AGENT, deadline),
            account: self.clone(),
            container: request.bucket.clone(),
            prefix: request.prefix.clone(),
            clock,
            deadline: deadline.clone(),
        }
    }
}

impl Access {
    fn read(endpoint: &Url, data: &SecretData) -> Result<Self, BucketSettingsError> {
        if data.contains_key("clientId") {
            let problem = "names an identity, which is not supported yet: use 'accountKey' or 'sasKey'";
            return Err(SecretError::Malformed { key: "clientId", problem }.into());
        }
        if let Some(key) = line(data, "accountKey")? {
            let malformed = SecretError::Malformed { key: "accountKey", problem: "is not base64" };
            let key = BASE64_STANDARD.decode(key.expose_secret()).map_err(|_| malformed)?;
            return Ok(Self::Key { account: account_name(endpoint)?, key: Arc::new(key.into()) });
        }
        if let Some(signature) = line(data, "sasKey")? {
            let query = signature.expose_secret();
            let query = query.strip_prefix('?').unwrap_or(query);
            if query.is_empty() || !query.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
                return Err(SecretError::Malformed { key: "sasKey", problem: "is not the query of a URL" }.into());
            }
            return Ok(Self::Signature(Arc::new(SecretString::from(query))));
        }
        Err(SecretError::Missing("accountKey").into())
    }
}

/// The account that `endpoint` names: the first part of its host, or of its path where the host is an address.
fn account_name(endpoint: &Url) -> Result<String, BucketSettingsError> {
    let host = endpoint.host();
    let is_address = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok();
    let name = if is_address {
        endpoint.path().split('/').nth(1).filter(|name| !name.is_empty())
    } else {
        host.split_once('.').filter(|(_, rest)| rest.contains('.')).map(|(name, _)| name)
    };
    name.map(str::to_owned).ok_or(BucketSettingsError::Endpoint("does not name a storage account"))
}

/// One container, for whoever asks.
pub(super) struct Azure {
    client: Client,
    account: AzureAccount,
    container: String,
    prefix: String,
    clock: Clock,
    deadline: Deadline,
}

impl Azure {
    /// Asks for what is at `path` below the container, which is escaped. `query` is sorted by its names, as signatures want
    /// it.
    fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Response<Body>, ServiceError> {
        let endpoint = &self.account.endpoint;
        let path = format!("{}/{}{path}", endpoint.path().trim_end_matches('/'), encode(&self.container));
        let url = endpoint.with(&path, self.query(query).iter().map(String::as_str));
        let time = self.clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let request = Client::request(Method::GET, &url).header("x-ms-date", &time).header("x-ms-version", VERSION);
        let authorization = match &self.account.access {
            Access::Key { account, key } => Some(authorization(account, key, &path, query, &time)),
            Access::Cloud(identity) => Some(identity.storage_authorization(&self.deadline)?),
            Access::Anonymous | Access::Signature(_) => None,
        };
        Ok(self.client.send(&url, request, authorization.as_ref(), ())?)
    }

    /// The parameters of a request; those of a signature count before those of the endpoint.
    fn query(&self, own: &[(&str, &str)]) -> Vec<String> {
        let written =
            |query: Option<&SecretString>| query.map_or_else(Vec::new, |query| query_pairs(query.expose_secret()));
        let signature = match &self.account.access {
            Access::Signature(query) => written(Some(query)),
            Access::Anonymous | Access::Key { .. } | Access::Cloud(_) => Vec::new(),
        };
        let endpoint = written(self.account.endpoint.query());
        let endpoint = endpoint.into_iter().filter(|(name, _)| !signature.iter().any(|(signed, _)| signed == name));
        let given: Vec<(String, String)> = endpoint.chain(signature.iter().cloned()).collect();
        let own = own.iter().map(|(name, value)| format!("{name}={}", encode(value)));
        own.chain(given.iter().map(|(name, value)| format!("{name}={value}"))).collect()
    }

    fn complaint(&self, response: Response<Body>) -> ServiceError {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read_body(self.client.body(&self.account.endpoint, response)).unwrap_or_default();
        let (_, texts) = xml::parse(&body, "Error", "").unwrap_or_default();
        let code = texts.get("Code").map_or("", String::as_str);
        let message = texts.get("Message").map_or("", String::as_str);
        if status == StatusCode::NOT_FOUND && matches!(code, "ContainerNotFound" | "ResourceNotFound" | "") {
            return ServiceError::BucketMissing;
        }
        refusal(status, &headers, code, message).into()
    }
}

impl Service for Azure {
    fn page(&self, next: Option<&str>) -> Result<Page, ServiceError> {
        let mut query = vec![("comp", "list")];
        query.extend(next.map(|next| ("marker", next)));
        query.extend([("prefix", self.prefix.as_str()), ("restype", "container")]);
        let response = self.get("", &query)?;
        if response.status() != StatusCode::OK {
            return Err(self.complaint(response));
        }
        let body = read_body(self.client.body(&self.account.endpoint, response))?;
        let (items, mut texts) = xml::parse(&body, "EnumerationResults", "Blob")?;
        let objects = items.into_iter().map(|mut item| {
            let key = item.remove("Name").ok_or_else(|| ServiceError::Malformed("a blob has no name".to_owned()))?;
            Ok(Object { key, etag: etag(&item.remove("Etag").unwrap_or_default()) })
        });
        let objects = objects.collect::<Result<_, ServiceError>>()?;
        Ok(Page { objects, next: texts.remove("NextMarker").filter(|marker| !marker.is_empty()) })
    }

    fn open(&self, key: &str, _listed: Option<&Object>) -> Result<Option<Opened>, ServiceError> {
        let path: Vec<String> = key.split('/').map(encode).collect();
        let response = self.get(&format!("/{}", path.join("/")), &[])?;
        let content = |response| Box::new(self.client.body(&self.account.endpoint, response)) as Box<dyn Read>;
        opened(response, etag, content, |response| self.complaint(response))
    }
}

/// An etag as Flux lists it: the hex digits of its text, without quotes.
fn etag(written: &str) -> String {
    hex::encode(written.trim_matches('"'))
}

/// The header of a request that is signed by the account's key ("Authorize with Shared Key").
fn authorization(account: &str, key: &SecretSlice<u8>, path: &str, query: &[(&str, &str)], time: &str) -> SecretString {
    const ABSENT_HEADERS: &str = "\n\n\n\n\n\n\n\n\n\n\n\n";
    let query = query.iter().map(|(name, value)| format!("\n{name}:{value}")).collect::<Vec<_>>().concat();
    let text = format!("GET{ABSENT_HEADERS}x-ms-date:{time}\nx-ms-version:{VERSION}\n/{account}{path}{query}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret());
    let signature = BASE64_STANDARD.encode(hmac::sign(&key, text.as_bytes()));
    format!("SharedKey {account}:{signature}").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::tests::data;

    #[test]
    fn a_secret_names_one_way_to_show_who_asks() {
        let told = |data: SecretData| match AzureAccount::new("https://shop.blob.core.windows.net", Some(&data)) {
            Ok(AzureAccount { access: Access::Anonymous, .. }) => "anonymous".to_owned(),
            Ok(AzureAccount { access: Access::Key { account, .. }, .. }) => format!("key of {account}"),
            Ok(AzureAccount { access: Access::Signature(query), .. }) => query.expose_secret().to_owned(),
            Ok(AzureAccount { access: Access::Cloud(_), .. }) => "identity".to_owned(),
            Err(error) => error.to_string(),
        };
        let rows = [
            (data([("accountKey", "YWJj\n"), ("sasKey", "?sig=a")]), "key of shop"),
            (data([("sasKey", "?sv=1&sig=a%2F\n")]), "sv=1&sig=a%2F"),
            (data([("sasKey", "sig=a b")]), "'sasKey' is not the query of a URL"),
            (data([("accountKey", "?")]), "'accountKey' is not base64"),
            (data([("other", "x")]), "key 'accountKey' is missing"),
            (
                data([("clientId", "x"), ("accountKey", "YWJj")]),
                "'clientId' names an identity, which is not supported yet: use 'accountKey' or 'sasKey'",
            ),
        ];
        for (data, expected) in rows {
            assert_eq!(told(data), expected);
        }
    }

    #[test]
    fn the_account_is_named_by_the_host_or_by_the_path_at_an_address() {
        let name = |endpoint: &str| account_name(&Url::parse(endpoint).expect("a URL")).ok();
        assert_eq!(name("https://shop.blob.core.windows.net").as_deref(), Some("shop"));
        assert_eq!(name("http://127.0.0.1:10000/devstoreaccount1").as_deref(), Some("devstoreaccount1"));
        assert_eq!(name("http://127.0.0.1:10000/"), None);
        assert_eq!(name("https://shop.example"), None);
    }

    #[test]
    fn a_listed_and_a_fetched_etag_are_one() {
        assert_eq!(etag("0x8D"), "30783844");
        assert_eq!(etag("\"0x8D\""), "30783844");
    }
}
