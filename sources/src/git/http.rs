//! Git over HTTP: one GET that greets, and a POST for each question.
//!
//! Credentials, client certificate included, are bound to scheme, host and port of the source's URL. The greeting may be
//! redirected; where that leads elsewhere the rest goes there without credentials, and never from `https` to `http`.

use std::{
    io::{self, Read},
    sync::{Arc, LazyLock},
};

use secrecy::{ExposeSecret, SecretString};
use ureq::{
    Agent, Body, RequestBuilder,
    http::{HeaderValue, Response, StatusCode},
    tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, parse_pem},
};

use super::{
    auth::{CredentialError, GitAuth, HttpCredentials, SecretData, authorization},
    deadline::Deadline,
    error::CloneError,
    packet::remote_text,
    upload_pack::{AGENT, Wire},
    url::{Endpoint, GitUrl, Scheme},
};

/// How often a greeting may be redirected.
const REDIRECTS_LIMIT: usize = 5;

const GREETING_PATH: &str = "/info/refs";
const GREETING_TYPE: &str = "application/x-git-upload-pack-advertisement";
const QUESTION_PATH: &str = "/git-upload-pack";
const QUESTION_TYPE: &str = "application/x-git-upload-pack-request";
const ANSWER_TYPE: &str = "application/x-git-upload-pack-result";
const SERVICE_QUERY: &str = "service=git-upload-pack";

/// A conversation over HTTP.
pub(super) struct HttpWire {
    url: GitUrl,
    credentials: Option<Arc<HttpCredentials>>,
    authorization: Option<SecretString>,
    /// Where the greeting came from, after redirects.
    base: GitUrl,
    agent: Agent,
    deadline: Deadline,
}

impl HttpWire {
    pub(super) fn new(url: &GitUrl, auth: &GitAuth, deadline: &Deadline) -> Result<Self, CredentialError> {
        let credentials = match auth {
            GitAuth::Http(credentials) => Some(Arc::clone(credentials)),
            GitAuth::Anonymous | GitAuth::Ssh(_) => None,
        };
        let authorization = match &credentials {
            Some(credentials) => credentials.authorization.clone(),
            None => authorization(url, &SecretData::new())?,
        };
        let agent = agent(credentials.as_deref(), ShowCertificate::Yes);
        Ok(Self { url: url.clone(), credentials, authorization, base: url.clone(), agent, deadline: deadline.clone() })
    }

    /// Whether what is asked now may see the credentials.
    fn is_at_home(&self) -> bool {
        self.base.endpoint() == self.url.endpoint()
    }

    fn authorization(&self) -> Option<&str> {
        self.authorization.as_ref().filter(|_| self.is_at_home()).map(ExposeSecret::expose_secret)
    }

    fn get(&self) -> Result<Response<Body>, CloneError> {
        let target = request_url(&self.base, GREETING_PATH, Some(SERVICE_QUERY));
        let request = self.prepare(self.agent.get(target.expose_secret()))?;
        request.call().map_err(|error| failed(error, &self.base, &self.deadline))
    }

    fn post(&self, question: &[u8]) -> Result<Response<Body>, CloneError> {
        let target = request_url(&self.base, QUESTION_PATH, None);
        let request = self.prepare(self.agent.post(target.expose_secret()))?;
        let request = request.header("Content-Type", QUESTION_TYPE).header("Accept", ANSWER_TYPE);
        request.send(question).map_err(|error| failed(error, &self.base, &self.deadline))
    }

    fn prepare<B>(&self, request: RequestBuilder<B>) -> Result<RequestBuilder<B>, CloneError> {
        let request = request.header("Git-Protocol", "version=2");
        let request = match self.authorization() {
            Some(authorization) => request.header("Authorization", authorization),
            None => request,
        };
        Ok(request.config().timeout_global(Some(self.deadline.left()?)).build())
    }

    /// Follows one redirect of the greeting.
    fn move_to(&mut self, response: &Response<Body>) -> Result<(), CloneError> {
        let location = response.headers().get("location").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let authority = if location.starts_with('/') { self.base.authority() } else { String::new() };
        let refused = |target: String, problem| CloneError::Redirect { target, problem };
        let target = GitUrl::parse(&format!("{authority}{location}"))
            .map_err(|_| refused("another place".to_owned(), "which is no URL of a repository"))?;
        match (self.base.endpoint().scheme, target.endpoint().scheme) {
            (_, Scheme::Ssh) => return Err(refused(target.to_string(), "which is not HTTP")),
            (Scheme::Https, Scheme::Http) => return Err(refused(target.to_string(), "which is not encrypted")),
            (Scheme::Http | Scheme::Https | Scheme::Ssh, Scheme::Http | Scheme::Https) => {}
        }
        self.base = target
            .without(GREETING_PATH, SERVICE_QUERY)
            .ok_or_else(|| refused(target.to_string(), "which does not answer for a repository"))?;
        if !self.is_at_home() {
            self.agent = agent(self.credentials.as_deref(), ShowCertificate::No);
        }
        Ok(())
    }

    fn answer(&self, response: Response<Body>) -> Result<Response<Body>, CloneError> {
        match response.status() {
            StatusCode::OK => Ok(response),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(self.refusal()),
            StatusCode::NOT_FOUND => Err(CloneError::NotFound),
            status if status.is_redirection() => Err(CloneError::Redirect {
                target: "another place".to_owned(),
                problem: "which is followed for the first request only, and not forever",
            }),
            status => Err(CloneError::Status(status.as_u16())),
        }
    }

    fn body(&self, response: Response<Body>) -> Box<dyn Read> {
        let body = response.into_body().into_with_config().limit(u64::MAX).reader();
        Box::new(Answer { body, at: self.base.clone(), deadline: self.deadline.clone() })
    }

    fn refusal(&self) -> CloneError {
        match (&self.authorization, self.is_at_home()) {
            (None, _) => CloneError::Unauthenticated("the server wants credentials, and there are none"),
            (Some(_), true) => CloneError::Unauthorized("the server does not accept the credentials"),
            (Some(_), false) => CloneError::Unauthenticated(
                "the server redirected to another one, which wants credentials too and does not get these",
            ),
        }
    }
}

impl Wire for HttpWire {
    fn greeting(&mut self) -> Result<Box<dyn Read + '_>, CloneError> {
        let mut response = self.get()?;
        for _ in 0..REDIRECTS_LIMIT {
            if !response.status().is_redirection() {
                break;
            }
            self.move_to(&response)?;
            response = self.get()?;
        }
        let response = self.answer(response)?;
        let content_type = response.headers().get("content-type").map(HeaderValue::as_bytes).unwrap_or_default();
        if content_type != GREETING_TYPE.as_bytes() {
            let content_type = remote_text(content_type);
            return Err(CloneError::Protocol(format!(
                "the server answers with `{content_type}`, which is not Git's smart protocol"
            )));
        }
        Ok(self.body(response))
    }

    fn ask(&mut self, question: Vec<u8>) -> Result<Box<dyn Read + '_>, CloneError> {
        let response = self.answer(self.post(&question)?)?;
        Ok(self.body(response))
    }
}

/// The body of a response, whose failures are ours.
struct Answer<R> {
    body: R,
    at: GitUrl,
    deadline: Deadline,
}

impl<R: Read> Read for Answer<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.deadline.left().map_err(io::Error::other)?;
        self.body.read(buffer).map_err(|error| io::Error::other(failed(error.into(), &self.at, &self.deadline)))
    }
}

/// What a failed request means, in words that hold nothing of the URL but its host.
fn failed(error: ureq::Error, at: &GitUrl, deadline: &Deadline) -> CloneError {
    let connect = |problem: String| CloneError::Connect { host: host_port(&at.endpoint()), problem };
    match error {
        ureq::Error::Timeout(_) => deadline.passed(),
        ureq::Error::Tls(problem) => CloneError::Tls(problem.to_owned()),
        ureq::Error::Rustls(error) => CloneError::Tls(error.to_string()),
        ureq::Error::HostNotFound => connect("no such host".to_owned()),
        ureq::Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(error) => CloneError::Tls(error.to_string()),
            None => connect(error.to_string()),
        },
        ureq::Error::Protocol(error) => CloneError::Protocol(error.to_string()),
        ureq::Error::ConnectionFailed => connect("the connection failed".to_owned()),
        ureq::Error::LargeResponseHeader(..) => CloneError::Protocol("the header of the answer is too long".to_owned()),
        _ => connect("the request could not be made".to_owned()),
    }
}

fn host_port(endpoint: &Endpoint) -> String {
    if endpoint.host.contains(':') {
        return format!("[{}]:{}", endpoint.host, endpoint.port);
    }
    format!("{}:{}", endpoint.host, endpoint.port)
}

/// The URL of a request below the repository at `base`; a query of the repository's own URL stays.
fn request_url(base: &GitUrl, path: &str, query: Option<&str>) -> SecretString {
    let own = base.query().map(ExposeSecret::expose_secret);
    let query: Vec<&str> = own.into_iter().chain(query).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    SecretString::from(format!("{}{}{path}{query}", base.authority(), base.path().trim_end_matches('/')))
}

/// Whether a server may see our client certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ShowCertificate {
    Yes,
    No,
}

fn agent(credentials: Option<&HttpCredentials>, show: ShowCertificate) -> Agent {
    let client =
        credentials.and_then(|credentials| credentials.client.as_ref()).filter(|_| show == ShowCertificate::Yes);
    let client = client.map(|client| {
        let chain: Vec<_> = parse_pem(client.certificate.expose_secret())
            .filter_map(|item| match item {
                Ok(ureq::tls::PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        let key = PrivateKey::from_pem(client.key.expose_secret()).expect("credentials hold a readable key");
        ClientCert::new_with_certs(&chain, key)
    });
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(roots(credentials))
        .client_cert(client)
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .user_agent(AGENT)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .build()
        .new_agent()
}

/// The CAs of the system, and those of the credentials.
fn roots(credentials: Option<&HttpCredentials>) -> RootCerts {
    static SYSTEM: LazyLock<Arc<Vec<Certificate<'static>>>> = LazyLock::new(|| {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "cannot read the system's certificates");
        }
        Arc::new(found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect())
    });
    let own = credentials.map(|credentials| credentials.authorities.as_slice()).unwrap_or_default();
    if own.is_empty() {
        return RootCerts::Specific(Arc::clone(&SYSTEM));
    }
    let own = own.iter().map(|der| Certificate::from_der(der).to_owned());
    RootCerts::from(SYSTEM.iter().cloned().chain(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_go_below_the_url_and_keep_its_query() {
        let rows = [
            ("https://example.com/a.git", "https://example.com/a.git/info/refs?service=git-upload-pack"),
            ("https://example.com:8443/a/", "https://example.com:8443/a/info/refs?service=git-upload-pack"),
            ("http://u:p@example.com", "http://example.com/info/refs?service=git-upload-pack"),
            ("https://example.com/a?v=1", "https://example.com/a/info/refs?v=1&service=git-upload-pack"),
        ];
        for (url, expected) in rows {
            let url = GitUrl::parse(url).expect("a URL");
            let request = request_url(&url, GREETING_PATH, Some(SERVICE_QUERY));
            assert_eq!(request.expose_secret(), expected);
        }
    }

    #[test]
    fn a_redirect_of_the_greeting_tells_where_the_repository_is() {
        let rows = [
            (
                "https://example.com/c.git/info/refs?service=git-upload-pack",
                Some("https://example.com/c.git/info/refs"),
            ),
            (
                "https://example.com/c/info/refs?v=1&service=git-upload-pack",
                Some("https://example.com/c/info/refs?v=1"),
            ),
            ("https://example.com/login?next=/c.git/info/refs?service=git-upload-pack", None),
            ("https://example.com/login#/c.git/info/refs?service=git-upload-pack", None),
            ("https://example.com/c.git/info/refs?noservice=git-upload-pack", None),
            ("https://example.com/c.git/info/refs", None),
        ];
        for (location, expected) in rows {
            let moved = GitUrl::parse(location).expect("a URL").without(GREETING_PATH, SERVICE_QUERY);
            let greeting = moved.map(|base| request_url(&base, GREETING_PATH, None).expose_secret().to_owned());
            assert_eq!(greeting.as_deref(), expected, "{location}");
        }
    }
}
