//! Google Cloud Storage, by its JSON interface.

use std::{io::Read, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use fairlead_object::Digest;
use jiff::SignedDuration;
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use ureq::{
    Body,
    http::{Method, Response, StatusCode, header},
};

use super::{
    BucketRequest, Clock,
    error::{BucketSettingsError, ServiceError},
    service::{AGENT, Object, Opened, Page, Service, read_body, refusal},
};
use crate::{
    deadline::Deadline,
    grants,
    identity::{CloudIdentity, IdentityError},
    secret::{SecretData, SecretError, fingerprint, keyed_digest, text},
    transport::{Client, Encryption, Refusal, may_lead, remote_text},
    url::{Url, encode},
};

/// Google Cloud Storage, and who asks it.
#[derive(Clone)]
pub struct GcsAccount {
    endpoint: Url,
    access: Access,
}

/// How requests show who asks.
#[derive(Clone)]
enum Access {
    /// Not at all.
    Anonymous,
    /// By tokens of a service account.
    Account(Arc<Identity>),
    /// By tokens that Google gives to this process.
    Cloud(CloudIdentity),
}

/// A service account with its key.
struct Identity {
    email: String,
    key: RsaKeyPair,
    token_url: Url,
    fingerprint: Digest,
}

const KEY: &str = "serviceaccount";
const LISTING_KIND: &str = "storage#objects";
const SCOPE: &str = "https://www.googleapis.com/auth/devstorage.read_only";
const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// How long a signed question for a token may be used.
const ASSERTION_LIFETIME: SignedDuration = SignedDuration::from_mins(10);

impl GcsAccount {
    /// The service at `endpoint` (`storage.googleapis.com`), asked as the service account whose key is under
    /// `serviceaccount` in `data`, the Secret that `spec.secretRef` names. Without a Secret it is asked as anyone may.
    pub fn new(endpoint: &str, encryption: Encryption, data: Option<&SecretData>) -> Result<Self, BucketSettingsError> {
        let host = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
        let endpoint = Url::parse_http(&format!("{}://{host}", encryption.scheme()))
            .map_err(|_| BucketSettingsError::Endpoint("is not the name of a host"))?;
        let access = match data {
            None => Access::Anonymous,
            Some(data) => Access::Account(Arc::new(Identity::read(data)?)),
        };
        Ok(Self { endpoint, access })
    }

    /// The same service, asked with the identity of this process.
    ///
    /// # Errors
    /// If the service is not Google's own.
    pub fn with_identity(self, identity: CloudIdentity) -> Result<Self, IdentityError> {
        identity.check_host(self.endpoint.host(), self.endpoint.scheme_name() == "https")?;
        Ok(Self { access: Access::Cloud(identity), ..self })
    }

    pub(super) fn fingerprint(&self) -> Digest {
        let access = match &self.access {
            Access::Anonymous => String::new(),
            Access::Account(account) => account.fingerprint.hex(),
            Access::Cloud(identity) => identity.fingerprint().hex(),
        };
        keyed_digest([self.endpoint.authority().as_bytes(), access.as_bytes()])
    }

    pub(super) fn service(&self, request: &BucketRequest, clock: Clock, deadline: &Deadline) -> Gcs {
        let grant = [self.fingerprint().hex(), request.transport.fingerprint().hex()];
        Gcs {
            client: Client::new(self.endpoint.endpoint(), &request.transport, AGENT, deadline),
            account: self.clone(),
            bucket: encode(&request.bucket),
            prefix: request.prefix.clone(),
            grant: keyed_digest(grant.iter().map(String::as_bytes)),
            clock,
            deadline: deadline.clone(),
        }
    }
}

impl Identity {
    fn read(data: &SecretData) -> Result<Self, SecretError> {
        #[derive(Deserialize)]
        struct Written {
            client_email: String,
            private_key: String,
            token_uri: Option<String>,
        }
        let malformed = |problem| SecretError::Malformed { key: KEY, problem };
        let json = text(data, KEY)?.ok_or(SecretError::Missing(KEY))?;
        let written: Written = serde_json::from_str(json.expose_secret())
            .map_err(|_| malformed("is not the key of a service account in JSON"))?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(written.private_key.as_bytes())
            .ok()
            .and_then(|der| RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).ok())
            .ok_or_else(|| malformed("has a 'private_key' that is not an RSA key in PEM"))?;
        let token_url = Url::parse_http(written.token_uri.as_deref().unwrap_or(TOKEN_URL))
            .map_err(|_| malformed("has a 'token_uri' that is not a URL"))?;
        Ok(Self { email: written.client_email, key, token_url, fingerprint: fingerprint(data) })
    }

    /// A question for a token, signed by the account's key.
    fn assertion(&self, clock: Clock) -> String {
        let now = clock.now();
        let claims = json!({
            "iss": self.email,
            "scope": SCOPE,
            "aud": self.token_url.in_request().expose_secret(),
            "iat": now.as_second(),
            "exp": (now + ASSERTION_LIFETIME).as_second(),
        });
        let encoded = |json: &str| BASE64_URL_SAFE_NO_PAD.encode(json);
        let signed = format!("{}.{}", encoded(r#"{"alg":"RS256","typ":"JWT"}"#), encoded(&claims.to_string()));
        let mut signature = vec![0; self.key.public().modulus_len()];
        let random = SystemRandom::new();
        self.key
            .sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature)
            .expect("the buffer is as long as a signature");
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}

/// One bucket, for whoever asks.
pub(super) struct Gcs {
    client: Client,
    account: GcsAccount,
    bucket: String,
    prefix: String,
    /// Under which tokens are kept.
    grant: Digest,
    clock: Clock,
    deadline: Deadline,
}

/// An object as the service lists it.
#[derive(Deserialize)]
struct Item {
    name: String,
    #[serde(default)]
    etag: String,
}

impl Gcs {
    fn get(&self, path: &str, query: &[String]) -> Result<Response<Body>, ServiceError> {
        let url = self.account.endpoint.with(path, query.iter().map(String::as_str));
        let authorization = self.authorization()?;
        let response = self.client.send(&url, Client::request(Method::GET, &url), authorization.as_ref(), ())?;
        if response.status() == StatusCode::UNAUTHORIZED {
            grants::forget(&self.grant);
        }
        Ok(response)
    }

    /// The header of each request, for which a token is asked where there is none.
    fn authorization(&self) -> Result<Option<SecretString>, ServiceError> {
        #[derive(Deserialize)]
        struct Granted {
            access_token: String,
            expires_in: u64,
        }
        let identity = match &self.account.access {
            Access::Anonymous => return Ok(None),
            Access::Account(identity) => identity,
            Access::Cloud(identity) => return Ok(Some(identity.storage_authorization(&self.deadline)?)),
        };
        if let Some(known) = grants::recall(&self.grant) {
            return Ok(Some(known));
        }
        let url = &identity.token_url;
        may_lead(&self.account.endpoint, url)?;
        let form = format!("grant_type={}&assertion={}", encode(GRANT_TYPE), identity.assertion(self.clock));
        let request =
            Client::request(Method::POST, url).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let response = self.client.send(url, request, None, form.as_bytes())?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read_body(self.client.body(url, response))?;
        if status != StatusCode::OK {
            let said = oauth_error(&body);
            return Err(match refusal(status, &headers, "", "") {
                Refusal::Status { .. } => Refusal::Unauthorized { said },
                refusal => refusal,
            }
            .into());
        }
        let granted: Granted = serde_json::from_slice(&body)
            .map_err(|_| ServiceError::Malformed("the token server gives no token".to_owned()))?;
        if !granted.access_token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ServiceError::Malformed("the token cannot stand in a header".to_owned()));
        }
        let authorization = SecretString::from(format!("Bearer {}", granted.access_token));
        grants::keep(self.grant, authorization.clone(), Duration::from_secs(granted.expires_in));
        Ok(Some(authorization))
    }

    fn complaint(&self, response: Response<Body>) -> ServiceError {
        #[derive(Deserialize)]
        struct ErrorBody {
            error: Complaint,
        }
        #[derive(Deserialize)]
        struct Complaint {
            message: String,
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read_body(self.client.body(&self.account.endpoint, response)).unwrap_or_default();
        let message =
            serde_json::from_slice(&body).map_or_else(|_| String::new(), |body: ErrorBody| body.error.message);
        let code = status.canonical_reason().unwrap_or("no reason");
        refusal(status, &headers, if message.is_empty() { "" } else { code }, &message).into()
    }

    fn json<T: for<'de> Deserialize<'de>>(&self, response: Response<Body>) -> Result<T, ServiceError> {
        let body = read_body(self.client.body(&self.account.endpoint, response))?;
        serde_json::from_slice(&body)
            .map_err(|error| ServiceError::Malformed(format!("the JSON cannot be read: {error}")))
    }
}

/// What a token server says of a question that it refuses.
fn oauth_error(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct ErrorBody {
        error: String,
        #[serde(default)]
        error_description: String,
    }
    let body: Option<ErrorBody> = serde_json::from_slice(body).ok();
    body.map_or_else(
        || "the token server refuses the service account".to_owned(),
        |body| remote_text(format!("{}: {}", body.error, body.error_description).as_bytes()),
    )
}

impl Service for Gcs {
    fn page(&self, next: Option<&str>) -> Result<Page, ServiceError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Listed {
            kind: String,
            #[serde(default)]
            items: Vec<Item>,
            next_page_token: Option<String>,
        }
        let mut query = vec!["fields=kind,items(name,etag),nextPageToken".to_owned(), "maxResults=1000".to_owned()];
        query.push(format!("prefix={}", encode(&self.prefix)));
        query.extend(next.map(|next| format!("pageToken={}", encode(next))));
        let response = self.get(&format!("/storage/v1/b/{}/o", self.bucket), &query)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(ServiceError::BucketMissing),
            _ => return Err(self.complaint(response)),
        }
        let listed: Listed = self.json(response)?;
        if listed.kind != LISTING_KIND {
            return Err(ServiceError::Malformed("the JSON is no list of objects".to_owned()));
        }
        let objects = listed.items.into_iter().map(|item| Object { key: item.name, etag: item.etag }).collect();
        Ok(Page { objects, next: listed.next_page_token.filter(|token| !token.is_empty()) })
    }

    fn open(&self, key: &str, listed: Option<&Object>) -> Result<Option<Opened>, ServiceError> {
        let path = format!("/download/storage/v1/b/{}/o/{}", self.bucket, encode(key));
        let response = self.get(&path, &["alt=media".to_owned()])?;
        match response.status() {
            StatusCode::OK => {
                let named = response.headers().get(header::ETAG).and_then(|value| value.to_str().ok());
                let etag = named.map(|etag| etag.trim_matches('"').to_owned());
                let etag = etag.or_else(|| listed.map(|listed| listed.etag.clone())).unwrap_or_default();
                let content: Box<dyn Read> = Box::new(self.client.body(&self.account.endpoint, response));
                Ok(Some(Opened { etag, content }))
            }
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(self.complaint(response)),
        }
    }
}
