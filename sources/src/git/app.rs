//! GitHub Apps: the key of an app becomes a token that reads the repositories of one installation, for an hour.
//!
//! # Follows Flux
//! The keys of the Secret, the times in the signed question, and that the base URL is used as it is written.

use std::{
    io::Read,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use fairlead_object::Digest;
use jiff::{SignedDuration, Timestamp};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;
use ureq::http::{Method, StatusCode, header};

use super::{auth::CredentialError, error::CloneError};
use crate::{
    deadline::Deadline,
    grants,
    secret::{self, SecretData, SecretError, basic, keyed_digest},
    transport::{Client, Transport, TransportError, remote_text},
    url::{Url, encode},
};

/// An app and its installation.
pub struct AppCredentials {
    app: String,
    installation: Installation,
    key: RsaKeyPair,
    base: Url,
    pub(super) transport: Transport,
    pub(super) fingerprint: Digest,
    /// The time when this was read, by the clock of whoever read it.
    read_at: (Timestamp, Instant),
}

/// Which installation of the app.
enum Installation {
    Id(String),
    /// That of an organisation or a user.
    Owner(String),
}

const BASE: &str = "https://api.github.com";
const AGENT: &str = concat!("fairlead/", env!("CARGO_PKG_VERSION"));
const USER: &str = "x-access-token";
/// How far the clocks of two machines may differ.
const SKEW: SignedDuration = SignedDuration::from_secs(30);
/// How long a signed question may be used.
const QUESTION_LIFETIME: SignedDuration = SignedDuration::from_mins(2);
/// Largest answer that is read.
const ANSWER_LIMIT_BYTES: u64 = 1 << 20;

impl AppCredentials {
    /// Reads the data of the Secret that `spec.secretRef` names: `githubAppID`, `githubAppPrivateKey`,
    /// `githubAppInstallationID` or `githubAppInstallationOwner`, and `githubAppBaseURL` where it is not GitHub's own.
    pub(super) fn read(data: &SecretData, transport: Transport, now: Timestamp) -> Result<Self, CredentialError> {
        let required = |key| secret::line(data, key)?.ok_or(SecretError::Missing(key)).map_err(CredentialError::from);
        let exposed = |text: SecretString| text.expose_secret().to_owned();
        let malformed = |key, problem| SecretError::Malformed { key, problem };
        let installation = match (
            secret::line(data, "githubAppInstallationID")?.map(exposed),
            secret::line(data, "githubAppInstallationOwner")?.map(exposed),
        ) {
            (Some(id), None) => Installation::Id(id),
            (None, Some(owner)) => Installation::Owner(owner),
            (None, None) => return Err(SecretError::Missing("githubAppInstallationID").into()),
            (Some(_), Some(_)) => {
                let problem = "and 'githubAppInstallationID' cannot be set together";
                return Err(malformed("githubAppInstallationOwner", problem).into());
            }
        };
        let key = required("githubAppPrivateKey")?;
        let key =
            private_key(key.expose_secret()).ok_or(malformed("githubAppPrivateKey", "holds no RSA key in PEM"))?;
        let base = secret::line(data, "githubAppBaseURL")?.map_or_else(|| BASE.to_owned(), exposed);
        let base = Url::parse_http(&base).map_err(|_| malformed("githubAppBaseURL", "is no URL"))?;
        let own = [secret::fingerprint(data).hex(), transport.fingerprint().hex(), "app".to_owned()];
        Ok(Self {
            app: exposed(required("githubAppID")?),
            installation,
            key,
            base,
            transport,
            fingerprint: keyed_digest(own.iter().map(String::as_bytes)),
            read_at: (now, Instant::now()),
        })
    }

    /// The header that reads the repositories of the installation.
    pub(super) fn authorization(&self, deadline: &Deadline) -> Result<SecretString, CloneError> {
        #[derive(Deserialize)]
        struct Granted {
            token: String,
            expires_at: Timestamp,
        }
        if let Some(known) = grants::recall(&self.fingerprint) {
            return Ok(known);
        }
        let client = Client::new(self.base.endpoint(), &self.transport, AGENT, deadline);
        let question = Question { app: self, client, authorization: format!("Bearer {}", self.assertion()).into() };
        let installation = question.installation()?;
        let path = format!("/app/installations/{}/access_tokens", encode(&installation));
        let granted: Granted = question.ask(Method::POST, &path)?;
        let authorization = basic(&USER.into(), Some(&granted.token.into()));
        let lifetime: Duration = granted.expires_at.duration_since(self.now()).try_into().unwrap_or_default();
        grants::keep(self.fingerprint, authorization.clone(), lifetime);
        Ok(authorization)
    }

    fn now(&self) -> Timestamp {
        let (at, since) = self.read_at;
        at + since.elapsed()
    }

    /// A question for a token, signed by the app's key.
    fn assertion(&self) -> String {
        let issued_at = self.now() - SKEW;
        let claims = json!({
            "iss": self.app,
            "iat": issued_at.as_second(),
            "exp": (issued_at + QUESTION_LIFETIME).as_second(),
        });
        let encoded = |json: &str| BASE64_URL_SAFE_NO_PAD.encode(json);
        let signed = format!("{}.{}", encoded(r#"{"alg":"RS256","typ":"JWT"}"#), encoded(&claims.to_string()));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .expect("the buffer is as long as a signature");
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}

fn private_key(pem: &str) -> Option<RsaKeyPair> {
    match PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok()? {
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()).ok(),
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).ok(),
        _ => None,
    }
}

/// What is asked of GitHub.
struct Question<'a> {
    app: &'a AppCredentials,
    client: Client,
    authorization: SecretString,
}

impl Question<'_> {
    /// The number of the installation; that of an owner is asked for, who is an organisation or a user.
    fn installation(&self) -> Result<String, CloneError> {
        #[derive(Deserialize)]
        struct Found {
            id: u64,
        }
        let owner = match &self.app.installation {
            Installation::Id(id) => return Ok(id.clone()),
            Installation::Owner(owner) => encode(owner),
        };
        let of_organisation: Result<Found, _> = self.ask(Method::GET, &format!("/orgs/{owner}/installation"));
        let found = match of_organisation {
            Err(CloneError::App { status: 404, .. }) => self.ask(Method::GET, &format!("/users/{owner}/installation")),
            answer => answer,
        };
        found.map(|Found { id }| id.to_string())
    }

    fn ask<T: DeserializeOwned>(&self, method: Method, path: &str) -> Result<T, CloneError> {
        let base = &self.app.base;
        let url = base.with(&format!("{}{path}", base.path().trim_end_matches('/')), []);
        let request = Client::request(method, &url).header(header::ACCEPT, "application/vnd.github+json");
        let response = self.client.send(&url, request, Some(&self.authorization), ())?;
        let status = response.status();
        let mut answer = Vec::new();
        let read = self.client.body(&url, response).take(ANSWER_LIMIT_BYTES).read_to_end(&mut answer);
        if !matches!(status, StatusCode::OK | StatusCode::CREATED) {
            return Err(CloneError::App { status: status.as_u16(), said: remote_text(&answer) });
        }
        read.map_err(|error| TransportError::Protocol(error.to_string()))?;
        serde_json::from_slice(&answer)
            .map_err(|_| CloneError::Protocol("the answer of GitHub to its app cannot be read".to_owned()))
    }
}
