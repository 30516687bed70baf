//! Requests of one source.

use std::{
    io::{self, Read},
    sync::OnceLock,
};

use secrecy::{ExposeSecret, SecretString};
use ureq::{
    Agent, AsSendBody, Body,
    http::{Method, Request, Response, header, request::Builder},
};

use super::{Transport, TransportError, trust::ShowCertificate};
use crate::{
    deadline::Deadline,
    url::{Endpoint, Scheme, Url},
};

/// How often a request may be redirected.
const REDIRECTS_LIMIT: usize = 5;

/// Sends the requests of one source. Its client certificate is shown to its home only, which is the server that the
/// source's URL names; to whom an `Authorization` header goes is the caller's to decide, and redirects drop it elsewhere.
pub(crate) struct Client {
    home: Endpoint,
    transport: Transport,
    user_agent: &'static str,
    deadline: Deadline,
    at_home: OnceLock<Agent>,
    elsewhere: OnceLock<Agent>,
}

impl Client {
    pub(crate) fn new(home: Endpoint, transport: &Transport, user_agent: &'static str, deadline: &Deadline) -> Self {
        Self {
            home,
            transport: transport.clone(),
            user_agent,
            deadline: deadline.clone(),
            at_home: OnceLock::new(),
            elsewhere: OnceLock::new(),
        }
    }

    /// Whether `url` is at the server that credentials are for.
    pub(crate) fn is_home(&self, url: &Url) -> bool {
        url.endpoint() == self.home
    }

    /// Starts a request of `url`.
    pub(crate) fn request(method: Method, url: &Url) -> Builder {
        Request::builder().method(method).uri(url.in_request().expose_secret())
    }

    /// Sends `request`, which is one of `url`, and returns the answer whatever its status.
    pub(crate) fn send<B: AsSendBody>(
        &self,
        url: &Url,
        request: Builder,
        authorization: Option<&SecretString>,
        body: B,
    ) -> Result<Response<Body>, TransportError> {
        let request = match authorization {
            Some(authorization) => request.header(header::AUTHORIZATION, authorization.expose_secret()),
            None => request,
        };
        let request = request.body(body).map_err(|error| TransportError::Protocol(error.to_string()))?;
        let agent = self.agent(url);
        let request = agent
            .configure_request(request)
            .proxy(self.transport.proxy.towards(url))
            .timeout_global(Some(self.deadline.left()?))
            .build();
        agent.run(request).map_err(|error| failed(error, url, &self.deadline))
    }

    /// Asks for `url` by a method without a body, wherever redirects lead, and returns where the answer came from. The
    /// authorization goes no further than the home.
    pub(crate) fn follow(
        &self,
        method: &Method,
        url: &Url,
        accept: &'static str,
        authorization: Option<&SecretString>,
    ) -> Result<(Url, Response<Body>), TransportError> {
        let mut url = url.clone();
        for _ in 0..=REDIRECTS_LIMIT {
            let request = Self::request(method.clone(), &url).header(header::ACCEPT, accept);
            let response = self.send(&url, request, authorization.filter(|_| self.is_home(&url)), ())?;
            if !is_followed(&response) {
                return Ok((url, response));
            }
            url = redirected(&url, &response)?;
        }
        Err(TransportError::Redirect { target: url.endpoint().host_port(), problem: "and so on without an end" })
    }

    /// The body of an answer to a request of `url`, as long as there is time.
    pub(crate) fn body(&self, url: &Url, response: Response<Body>) -> impl Read + use<> {
        let body = response.into_body().into_with_config().limit(u64::MAX).reader();
        Answer { body, at: url.clone(), deadline: self.deadline.clone() }
    }

    fn agent(&self, url: &Url) -> &Agent {
        if self.is_home(url) || !self.transport.trust.has_certificate() {
            return self.at_home.get_or_init(|| self.new_agent(ShowCertificate::Yes));
        }
        self.elsewhere.get_or_init(|| self.new_agent(ShowCertificate::No))
    }

    fn new_agent(&self, show: ShowCertificate) -> Agent {
        Agent::config_builder()
            .tls_config(self.transport.trust.tls_config(show))
            .proxy(None)
            .user_agent(self.user_agent)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .build()
            .new_agent()
    }
}

fn is_followed(response: &Response<Body>) -> bool {
    response.status().is_redirection() && response.headers().contains_key(header::LOCATION)
}

/// Where `response`, the answer to a request of `url`, sends to.
///
/// # Errors
/// If that is no URL, not one of HTTP, or leaves encryption.
pub(crate) fn redirected(url: &Url, response: &Response<Body>) -> Result<Url, TransportError> {
    let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let refused = |target: String, problem| TransportError::Redirect { target, problem };
    let target = url.join(location).map_err(|_| refused("another place".to_owned(), "which is no URL of a server"))?;
    may_lead(url, &target)?;
    Ok(target)
}

/// Whether a server at `from` may send us to `to`.
///
/// # Errors
/// If that is not HTTP, or leaves encryption.
pub(crate) fn may_lead(from: &Url, to: &Url) -> Result<(), TransportError> {
    let problem = match (from.endpoint().scheme, to.endpoint().scheme) {
        (_, Scheme::Ssh) => "which is not HTTP",
        (Scheme::Https, Scheme::Http) => "which is not encrypted",
        (Scheme::Http | Scheme::Https | Scheme::Ssh, Scheme::Http | Scheme::Https) => return Ok(()),
    };
    Err(TransportError::Redirect { target: to.to_string(), problem })
}

/// The body of a response, whose failures are ours.
struct Answer<R> {
    body: R,
    at: Url,
    deadline: Deadline,
}

impl<R: Read> Read for Answer<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.deadline.left().map_err(|passed| io::Error::other(TransportError::Timeout(passed)))?;
        self.body.read(buffer).map_err(|error| io::Error::other(failed(error.into(), &self.at, &self.deadline)))
    }
}

/// What a failed request means, in words that hold nothing of the URL but its host.
fn failed(error: ureq::Error, at: &Url, deadline: &Deadline) -> TransportError {
    let host = at.endpoint().host_port();
    let connect = |problem: String| TransportError::Connect { host: host.clone(), problem };
    match error {
        ureq::Error::Timeout(_) => deadline.passed().into(),
        ureq::Error::Tls(problem) => TransportError::Tls(problem.to_owned()),
        ureq::Error::Rustls(error) => TransportError::Tls(error.to_string()),
        ureq::Error::HostNotFound => connect("no such host".to_owned()),
        ureq::Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(error) => TransportError::Tls(error.to_string()),
            None => connect(error.to_string()),
        },
        ureq::Error::Protocol(error) => TransportError::Protocol(error.to_string()),
        ureq::Error::ConnectProxyFailed(problem) => TransportError::Proxy { host, problem },
        ureq::Error::ConnectionFailed => connect("the connection failed".to_owned()),
        ureq::Error::LargeResponseHeader(..) => {
            TransportError::Protocol("the header of the answer is too long".to_owned())
        }
        _ => connect("the request could not be made".to_owned()),
    }
}
