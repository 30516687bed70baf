//! Git over HTTP: one GET that greets, and a POST for each question.
//!
//! Credentials, client certificate included, are bound to scheme, host and port of the source's URL. The greeting may be
//! redirected; where that leads elsewhere the rest goes there without credentials, and never from `https` to `http`.

use std::io::Read;

use secrecy::{ExposeSecret, SecretString};
use ureq::{
    AsSendBody, Body,
    http::{HeaderValue, Method, Response, StatusCode, request::Builder},
};

use super::{
    GitUrl,
    auth::{GitAuth, authorization},
    error::{CloneError, Failure},
    upload_pack::{AGENT, Wire},
};
use crate::{
    deadline::Deadline,
    secret::SecretData,
    transport::{Client, Transport, TransportError, redirected, remote_text},
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
    client: Client,
    authorization: Option<SecretString>,
    /// Where the greeting came from, after redirects.
    base: GitUrl,
}

impl HttpWire {
    pub(super) fn new(url: &GitUrl, auth: &GitAuth, deadline: &Deadline) -> Result<Self, Failure> {
        let (authorization, transport) = match auth {
            GitAuth::Http(credentials) => (credentials.authorization.clone(), credentials.transport.clone()),
            GitAuth::App(app) => (Some(app.authorization(deadline)?), app.transport.clone()),
            GitAuth::Cloud(cloud) => {
                let authorization = cloud.identity.git_authorization(deadline).map_err(CloneError::from)?;
                (Some(authorization), cloud.transport.clone())
            }
            GitAuth::Anonymous | GitAuth::Ssh(_) => (authorization(url, &SecretData::new())?, Transport::default()),
        };
        let client = Client::new(url.endpoint(), &transport, AGENT, deadline);
        Ok(Self { client, authorization, base: url.clone() })
    }

    fn get(&self) -> Result<Response<Body>, TransportError> {
        let target = request_url(&self.base, GREETING_PATH, Some(SERVICE_QUERY));
        self.send(Client::request(Method::GET, &target), ())
    }

    fn post(&self, question: &[u8]) -> Result<Response<Body>, TransportError> {
        let target = request_url(&self.base, QUESTION_PATH, None);
        let request = Client::request(Method::POST, &target);
        self.send(request.header("Content-Type", QUESTION_TYPE).header("Accept", ANSWER_TYPE), question)
    }

    fn send(&self, request: Builder, body: impl AsSendBody) -> Result<Response<Body>, TransportError> {
        let authorization = self.authorization.as_ref().filter(|_| self.client.is_home(&self.base));
        self.client.send(&self.base, request.header("Git-Protocol", "version=2"), authorization, body)
    }

    /// Follows one redirect of the greeting.
    fn move_to(&mut self, response: &Response<Body>) -> Result<(), TransportError> {
        let target = redirected(&self.base, response)?;
        let problem = "which does not answer for a repository";
        let base = target.without(GREETING_PATH, SERVICE_QUERY);
        self.base = base.ok_or_else(|| TransportError::Redirect { target: target.to_string(), problem })?;
        Ok(())
    }

    fn answer(&self, response: Response<Body>) -> Result<Response<Body>, CloneError> {
        match response.status() {
            StatusCode::OK => Ok(response),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(self.refusal()),
            StatusCode::NOT_FOUND => Err(CloneError::NotFound),
            status if status.is_redirection() => Err(CloneError::Transport(TransportError::Redirect {
                target: "another place".to_owned(),
                problem: "which is followed for the first request only, and not forever",
            })),
            status => Err(CloneError::Status(status.as_u16())),
        }
    }

    fn body(&self, response: Response<Body>) -> Box<dyn Read> {
        Box::new(self.client.body(&self.base, response))
    }

    fn refusal(&self) -> CloneError {
        match (&self.authorization, self.client.is_home(&self.base)) {
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

/// The URL of a request below the repository at `base`; a query of the repository's own URL stays.
fn request_url(base: &GitUrl, path: &str, query: Option<&str>) -> GitUrl {
    let own = base.query().map(ExposeSecret::expose_secret);
    base.with(&format!("{}{path}", base.path().trim_end_matches('/')), own.into_iter().chain(query))
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
            assert_eq!(request.in_request().expose_secret(), expected);
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
            let greeting =
                moved.map(|base| request_url(&base, GREETING_PATH, None).in_request().expose_secret().to_owned());
            assert_eq!(greeting.as_deref(), expected, "{location}");
        }
    }
}
