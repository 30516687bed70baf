//! Amazon S3, and what speaks like it.

use std::{
    io::Read,
    sync::{Arc, Mutex, PoisonError},
};

use fairlead_object::Digest;
use secrecy::{ExposeSecret, SecretString};
use ureq::{
    Body,
    http::{Method, Response, StatusCode},
};

use super::{
    BucketRequest, Clock,
    error::{BucketSettingsError, ServiceError},
    service::{AGENT, Object, Opened, Page, Service, opened, read_body, refusal},
    sign::{Signer, Unsigned},
    xml,
};
use crate::{
    deadline::Deadline,
    identity::{CloudIdentity, IdentityError},
    secret::{SecretData, SecretError, keyed_digest, line},
    transport::{Client, Encryption},
    url::{Url, encode},
};

/// An S3 service, and who asks it.
#[derive(Clone)]
pub struct S3Account {
    endpoint: Url,
    region: Option<String>,
    access: Access,
}

/// How requests show who asks.
#[derive(Clone)]
enum Access {
    /// Not at all.
    Anonymous,
    /// By signatures with keys.
    Keys(Arc<S3Keys>),
    /// By signatures with the keys that Amazon gives to this process.
    Identity(CloudIdentity),
}

/// Keys that sign requests.
pub struct S3Keys {
    pub(super) access_key: SecretString,
    pub(super) secret_key: SecretString,
    pub(super) session_token: Option<SecretString>,
}

/// The region where nothing else is said.
const DEFAULT_REGION: &str = "us-east-1";
const AMAZON: &str = ".amazonaws.com";
const REGION_HEADER: &str = "x-amz-bucket-region";

impl S3Account {
    /// The service at `endpoint` (`<host>[:<port>]`), asked without keys.
    pub fn anonymous(
        endpoint: &str,
        region: Option<&str>,
        encryption: Encryption,
    ) -> Result<Self, BucketSettingsError> {
        if endpoint.contains("://") || endpoint.contains('/') {
            return Err(BucketSettingsError::Endpoint("must be a host with or without a port, and nothing else"));
        }
        let endpoint = Url::parse_http(&format!("{}://{endpoint}", encryption.scheme()))
            .ok()
            .filter(|url| url.username().is_none() && url.query().is_none())
            .ok_or(BucketSettingsError::Endpoint("is not the name of a host"))?;
        let region = region.filter(|region| !region.is_empty()).map(str::to_owned);
        Ok(Self { endpoint, region, access: Access::Anonymous })
    }

    /// The same service, asked with `keys`.
    #[must_use]
    pub fn with_keys(self, keys: S3Keys) -> Self {
        Self { access: Access::Keys(Arc::new(keys)), ..self }
    }

    /// The same service, asked with the identity of this process.
    ///
    /// # Errors
    /// If the service is not Amazon's own.
    pub fn with_identity(self, identity: CloudIdentity) -> Result<Self, IdentityError> {
        identity.check_host(self.endpoint.host(), self.endpoint.scheme_name() == "https")?;
        Ok(Self { access: Access::Identity(identity), ..self })
    }

    pub(super) fn fingerprint(&self) -> Digest {
        let access = match &self.access {
            Access::Anonymous => String::new(),
            Access::Keys(keys) => keys.fingerprint().hex(),
            Access::Identity(identity) => identity.fingerprint().hex(),
        };
        let parts = [self.endpoint.authority(), self.region.clone().unwrap_or_default(), access];
        keyed_digest(parts.iter().map(String::as_bytes))
    }

    pub(super) fn service(&self, request: &BucketRequest, clock: Clock, deadline: &Deadline) -> S3 {
        let bucket = &request.bucket;
        let base = self.base(bucket);
        let region = self.region.clone().or_else(|| region_of(self.endpoint.host()).map(str::to_owned));
        S3 {
            client: Client::new(base.endpoint(), &request.transport, AGENT, deadline),
            base,
            prefix: request.prefix.clone(),
            access: self.access.clone(),
            deadline: deadline.clone(),
            region: Mutex::new(region.unwrap_or_else(|| DEFAULT_REGION.to_owned())),
            clock,
        }
    }

    /// The bucket's URL: a host of its own at Amazon, where its name can be one, and a path elsewhere.
    fn base(&self, bucket: &str) -> Url {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.endpoint.host().ends_with(AMAZON) && !bucket.is_empty() && bucket.chars().all(is_name) {
            let authority = self.endpoint.authority().replacen("://", &format!("://{bucket}."), 1);
            return Url::parse(&authority).expect("a host stays one with a name before it");
        }
        self.endpoint.with(&format!("/{}", encode(bucket)), [])
    }
}

impl S3Keys {
    /// Keys, with the token of a session where they belong to one.
    pub fn new(access_key: SecretString, secret_key: SecretString, session_token: Option<SecretString>) -> Self {
        Self { access_key, secret_key, session_token }
    }

    /// Reads the Secret that `spec.secretRef` names: `accesskey` and `secretkey`.
    pub fn from_secret(data: &SecretData) -> Result<Self, SecretError> {
        let required = |key| line(data, key)?.ok_or(SecretError::Missing(key));
        let access_key = required("accesskey")?;
        let is_word = access_key.expose_secret().bytes().all(|byte| byte.is_ascii_graphic());
        if !is_word {
            let problem = "holds a byte that cannot stand in a header";
            return Err(SecretError::Malformed { key: "accesskey", problem });
        }
        Ok(Self::new(access_key, required("secretkey")?, None))
    }

    fn fingerprint(&self) -> Digest {
        let token = self.session_token.as_ref().map_or("", ExposeSecret::expose_secret);
        keyed_digest([self.access_key.expose_secret(), self.secret_key.expose_secret(), token].map(str::as_bytes))
    }
}

/// The region that a host of Amazon names: `s3.<region>.amazonaws.com`.
fn region_of(host: &str) -> Option<&str> {
    let region = host.strip_prefix("s3.").or_else(|| host.strip_prefix("s3-"))?.strip_suffix(AMAZON)?;
    Some(region).filter(|region| !region.contains('.'))
}

/// One bucket, for whoever asks.
pub(super) struct S3 {
    client: Client,
    base: Url,
    prefix: String,
    access: Access,
    deadline: Deadline,
    region: Mutex<String>,
    clock: Clock,
}

impl S3 {
    /// Asks for what is at `path` below the bucket.
    fn get(&self, path: &str, query: &str) -> Result<Response<Body>, ServiceError> {
        let response = self.send(path, query)?;
        let named = response.headers().get(REGION_HEADER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let is_elsewhere = response.status() != StatusCode::OK && response.status() != StatusCode::NOT_FOUND;
        match named {
            Some(region) if is_elsewhere && self.is_signed() && self.move_to(&region) => self.send(path, query),
            Some(_) | None => Ok(response),
        }
    }

    fn is_signed(&self) -> bool {
        match &self.access {
            Access::Anonymous => false,
            Access::Keys(_) | Access::Identity(_) => true,
        }
    }

    /// Signs for `region` from now on, and says whether that is another one.
    fn move_to(&self, region: &str) -> bool {
        let mut known = self.region.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *known, region.to_owned()) != region
    }

    fn send(&self, path: &str, query: &str) -> Result<Response<Body>, ServiceError> {
        let path = format!("{}{path}", self.base.path().trim_end_matches('/'));
        let path = if path.is_empty() { "/".to_owned() } else { path };
        let url = self.base.with(&path, Some(query).filter(|query| !query.is_empty()));
        let mut request = Client::request(Method::GET, &url);
        for (name, value) in self.signed(&url, &path, query)? {
            request = request.header(name, value.expose_secret());
        }
        Ok(self.client.send(&url, request, None, ())?)
    }

    fn signed(&self, url: &Url, path: &str, query: &str) -> Result<Vec<(&'static str, SecretString)>, ServiceError> {
        let region = self.region.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let keys = match &self.access {
            Access::Anonymous => return Ok(Vec::new()),
            Access::Keys(keys) => Arc::clone(keys),
            Access::Identity(identity) => Arc::new(identity.s3_keys(&region, &self.deadline)?),
        };
        let signer = Signer { keys: &keys, service: "s3", region: &region, now: self.clock.now() };
        let authority = url.authority();
        let host = authority.split_once("://").map_or("", |(_, host)| host);
        Ok(signer.headers(&Unsigned { method: "GET", host, path, query, target: None, body: b"" }))
    }

    fn complaint(&self, response: Response<Body>) -> ServiceError {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read_body(self.client.body(&self.base, response)).unwrap_or_default();
        let (_, texts) = xml::parse(&body, "Error", "").unwrap_or_default();
        let code = texts.get("Code").map_or("", String::as_str);
        let message = texts.get("Message").map_or("", String::as_str);
        if status == StatusCode::NOT_FOUND && matches!(code, "NoSuchBucket" | "") {
            return ServiceError::BucketMissing;
        }
        refusal(status, &headers, code, message).into()
    }
}

impl Service for S3 {
    fn page(&self, next: Option<&str>) -> Result<Page, ServiceError> {
        let mut query = Vec::new();
        query.extend(next.map(|next| format!("continuation-token={}", encode(next))));
        query.extend(["list-type=2".to_owned(), "max-keys=1000".to_owned()]);
        query.push(format!("prefix={}", encode(&self.prefix)));
        let response = self.get("", &query.join("&"))?;
        if response.status() != StatusCode::OK {
            return Err(self.complaint(response));
        }
        let body = read_body(self.client.body(&self.base, response))?;
        let (items, mut texts) = xml::parse(&body, "ListBucketResult", "Contents")?;
        let objects = items.into_iter().map(|mut item| {
            let key = item.remove("Key").ok_or_else(|| ServiceError::Malformed("an object has no key".to_owned()))?;
            Ok(Object { key, etag: etag(&item.remove("ETag").unwrap_or_default()) })
        });
        let objects = objects.collect::<Result<_, ServiceError>>()?;
        let next = texts.remove("NextContinuationToken");
        match texts.get("IsTruncated").map(String::as_str) {
            Some("true") if next.is_none() => {
                Err(ServiceError::Malformed("the listing does not say how it goes on".into()))
            }
            Some("true") => Ok(Page { objects, next }),
            Some(_) | None => Ok(Page { objects, next: None }),
        }
    }

    fn open(&self, key: &str, _listed: Option<&Object>) -> Result<Option<Opened>, ServiceError> {
        let path: Vec<String> = key.split('/').map(encode).collect();
        let response = self.get(&format!("/{}", path.join("/")), "")?;
        let content = |response| Box::new(self.client.body(&self.base, response)) as Box<dyn Read>;
        opened(response, etag, content, |response| self.complaint(response))
    }
}

/// An etag without its quotes.
fn etag(written: &str) -> String {
    written.trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::tests::data;

    #[test]
    fn a_bucket_has_a_host_at_amazon_and_a_path_elsewhere() {
        let rows = [
            ("s3.amazonaws.com", "shop", "https://shop.s3.amazonaws.com/"),
            ("s3.eu-west-1.amazonaws.com", "shop.example", "https://s3.eu-west-1.amazonaws.com/shop.example"),
            ("minio.example:9000", "shop", "https://minio.example:9000/shop"),
        ];
        for (endpoint, bucket, expected) in rows {
            let account = S3Account::anonymous(endpoint, None, Encryption::Tls).expect("a host");
            assert_eq!(account.base(bucket).to_string(), expected, "{endpoint}");
        }
    }

    #[test]
    fn an_endpoint_is_a_host_and_nothing_else() {
        for endpoint in ["https://s3.amazonaws.com", "s3.amazonaws.com/shop", "", "user@host", "host:port", "host?x"] {
            assert!(S3Account::anonymous(endpoint, None, Encryption::Tls).is_err(), "{endpoint}");
        }
    }

    #[test]
    fn amazon_s_hosts_name_their_region() {
        let rows = [
            ("s3.eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("s3-us-west-2.amazonaws.com", Some("us-west-2")),
            ("s3.amazonaws.com", None),
            ("minio.example", None),
        ];
        for (host, expected) in rows {
            assert_eq!(region_of(host), expected, "{host}");
        }
    }

    #[test]
    fn both_keys_must_be_there() {
        let told = |data: SecretData| S3Keys::from_secret(&data).err().map(|error| error.to_string());
        assert_eq!(told(data([("accesskey", "a")])).as_deref(), Some("key 'secretkey' is missing"));
        assert_eq!(told(data([("secretkey", "a")])).as_deref(), Some("key 'accesskey' is missing"));
        assert_eq!(told(data([("accesskey", "a"), ("secretkey", "b\n")])), None);
    }
}
