//! Requests of one source.

use std::{
    io::{self, Read},
    sync::OnceLock,
};

use secrecy::{ExposeSecret, SecretString};
use ureq::{
    Agent, AsSendBody, Body,
    http::{Method, Request, Response, header, request::Builder},
    unversioned::transport::DefaultConnector,
};

use super::{Egress, EgressError, Transport, TransportError, egress::CheckedResolver, trust::ShowCertificate};
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
    egress: Egress,
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
            egress: Egress::of_process(),
            at_home: OnceLock::new(),
            elsewhere: OnceLock::new(),
        }
    }

    /// The same, for a server that the environment of this process names, wherever that is.
    pub(crate) fn for_the_cloud(self) -> Self {
        Self { egress: Egress::anywhere(), ..self }
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
        let config = Agent::config_builder()
            .tls_config(self.transport.trust.tls_config(show))
            .proxy(None)
            .user_agent(self.user_agent)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .build();
        Agent::with_parts(config, DefaultConnector::new(), CheckedResolver::new(self.egress.clone()))
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
        ureq::Error::Other(error) => match error.downcast::<EgressError>() {
            Ok(refused) => TransportError::Egress(*refused),
            Err(_) => connect("the request could not be made".to_owned()),
        },
        _ => connect("the request could not be made".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        net::{Ipv4Addr, TcpListener},
        thread,
        time::Duration,
    };

    use super::*;
    use crate::{secret::tests::data, transport::Proxy};

    /// A server that answers one request with `answer`, and the port it is at.
    fn server(answer: String) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("bound").port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a request");
            let read = stream.read(&mut [0; 4096]).expect("a question");
            assert!(read > 0, "nothing was asked");
            stream.write_all(answer.as_bytes()).expect("an answer");
        });
        port
    }

    fn redirect(target: &str) -> String {
        format!("HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    }

    /// What comes of a request of `url` where sources may reach `allowed` besides.
    fn outcome(url: &str, proxy: Option<&str>, allowed: &[&str]) -> String {
        let url = Url::parse(url).expect("a URL");
        let proxy = proxy.map(|address| Proxy::from_secret(&data([("address", address)])).expect("a proxy"));
        let transport = Transport { proxy: proxy.unwrap_or_default(), ..Transport::default() };
        let (deadline, _guard) = Deadline::after(Duration::from_secs(30));
        let allowed = allowed.iter().map(|network| network.parse().expect("a network")).collect();
        let mut client = Client::new(url.endpoint(), &transport, "test", &deadline);
        client.egress = Egress::guarded(allowed, Vec::new());
        match client.follow(&Method::GET, &url, "*/*", None) {
            Ok((_, response)) => response.status().to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_server_on_this_machine_is_not_asked_unless_that_is_allowed() {
        let port = server("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".to_owned());
        assert_eq!(
            outcome(&format!("http://127.0.0.1:{port}/"), None, &[]),
            "127.0.0.1 is at 127.0.0.1, and sources may not reach loopback addresses unless the controller runs with \
             --allow-egress=127.0.0.1"
        );
        assert_eq!(outcome(&format!("http://127.0.0.1:{port}/"), None, &["127.0.0.0/8"]), "204 No Content");
    }

    #[test]
    fn cve_2026_44936_fleet_a_redirect_to_a_metadata_service_is_not_followed() {
        for host in ["169.254.169.254", "2852039166", "[::ffff:169.254.169.254]"] {
            let port = server(redirect(&format!("http://{host}/latest/meta-data/")));
            let outcome = outcome(&format!("http://127.0.0.1:{port}/"), None, &["127.0.0.0/8"]);
            assert!(outcome.contains("may not reach addresses of cloud metadata services"), "{host}: {outcome}");
        }
    }

    #[test]
    fn the_address_of_a_proxy_is_checked_too() {
        for scheme in ["http", "socks5"] {
            let proxy = format!("{scheme}://127.0.0.1:9");
            let outcome = outcome("http://example.com/", Some(&proxy), &[]);
            assert!(outcome.contains("may not reach loopback addresses"), "{scheme}: {outcome}");
        }
    }
}
