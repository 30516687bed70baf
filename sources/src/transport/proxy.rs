//! Which proxy a request goes through.
//!
//! # Follows Flux
//! A Secret's proxy is used for every request. Without one the environment decides as for Go's programs: `HTTPS_PROXY`
//! and `HTTP_PROXY` by the scheme of the URL, `NO_PROXY` with domains (which stand for what is below them too), addresses,
//! networks and ports; what is on this machine is never asked for through a proxy.
//! # Differs from Flux
//! Plain HTTP goes through a tunnel (`CONNECT`) like HTTPS.

use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, LazyLock},
};

use fairlead_object::Digest;
use secrecy::ExposeSecret;
use ureq::{Proxy as Hop, ProxyProtocol};

use super::Network;
use crate::{
    secret::{SecretData, SecretError, fingerprint, keyed_digest, line},
    url::{Scheme, Url},
};

/// Which proxy the requests of a source go through.
#[derive(Clone, Default)]
pub struct Proxy {
    /// The proxy of a Secret and the digest of that Secret; without it the environment decides.
    given: Option<Arc<(Hop, Digest)>>,
}

/// Longest address of a proxy that is read.
const ADDRESS_LIMIT_BYTES: usize = 2048;

impl Proxy {
    /// Reads the Secret that `spec.proxySecretRef` names: `address` (`http`, `https` or `socks5`), `username` and
    /// `password`.
    pub fn from_secret(data: &SecretData) -> Result<Self, SecretError> {
        let address = line(data, "address")?.ok_or(SecretError::Missing("address"))?;
        let (username, password) = (line(data, "username")?, line(data, "password")?);
        let exposed =
            |value: &Option<_>| value.as_ref().map(|value: &secrecy::SecretString| value.expose_secret().to_owned());
        let hop = hop(address.expose_secret(), exposed(&username), exposed(&password))
            .ok_or(SecretError::Malformed { key: "address", problem: "is not the URL of a proxy" })?;
        Ok(Self { given: Some(Arc::new((hop, fingerprint(data)))) })
    }

    /// The proxy for a request of `url`.
    pub(super) fn towards(&self, url: &Url) -> Option<Hop> {
        match &self.given {
            Some(given) => Some(given.0.clone()),
            None => ENVIRONMENT.towards(url),
        }
    }

    pub(super) fn fingerprint(&self) -> Digest {
        self.given.as_ref().map_or_else(|| keyed_digest([]), |given| given.1)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.given.is_some() { "Proxy(given)" } else { "Proxy(environment)" })
    }
}

/// Reads the address of a proxy; user and password beside it count before those in it.
fn hop(address: &str, username: Option<String>, password: Option<String>) -> Option<Hop> {
    if address.len() > ADDRESS_LIMIT_BYTES {
        return None;
    }
    let (scheme, rest) = address.split_once("://")?;
    let (protocol, scheme) = match scheme.to_ascii_lowercase().as_str() {
        "http" => (ProxyProtocol::Http, "http"),
        "https" => (ProxyProtocol::Https, "https"),
        "socks5" => (ProxyProtocol::Socks5h, "http"),
        _ => return None,
    };
    let url = Url::parse(&format!("{scheme}://{rest}")).ok()?;
    let exposed = |value: Option<&secrecy::SecretString>| value.map(|value| value.expose_secret().to_owned());
    let username = username.or_else(|| exposed(url.username()));
    let password = password.or_else(|| exposed(url.password()));
    let host = if url.host().contains(':') { format!("[{}]", url.host()) } else { url.host().to_owned() };
    let mut builder = Hop::builder(protocol).host(&host);
    if let Some(port) = url.port() {
        builder = builder.port(port);
    }
    if let Some(username) = username {
        builder = builder.username(&username);
    }
    if let Some(password) = password {
        builder = builder.password(&password);
    }
    builder.build().ok()
}

/// What the environment of this process says.
static ENVIRONMENT: LazyLock<Environment> =
    LazyLock::new(|| Environment::read(|name| std::env::var(name).ok().filter(|value| !value.is_empty())));

/// Whether the environment names this proxy.
pub(super) fn is_of_environment(hop: &Hop) -> bool {
    [&ENVIRONMENT.http, &ENVIRONMENT.https].into_iter().flatten().any(|known| known == hop)
}

/// What the environment says of proxies.
#[derive(Default)]
struct Environment {
    http: Option<Hop>,
    https: Option<Hop>,
    exempt: Vec<Exempt>,
}

/// One entry of `NO_PROXY`.
#[derive(Debug, PartialEq, Eq)]
enum Exempt {
    Everything,
    Network(Network),
    Address {
        address: IpAddr,
        port: Option<u16>,
    },
    /// What is below `domain`, and the domain itself where it does not start with a dot.
    Domain {
        domain: String,
        port: Option<u16>,
    },
}

impl Environment {
    fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let either = |upper: &str, lower: &str| variable(upper).or_else(|| variable(lower));
        let proxy = |upper, lower| {
            let written = either(upper, lower)?;
            let address = if written.contains("://") { written } else { format!("http://{written}") };
            let found = hop(&address, None, None);
            if found.is_none() {
                tracing::warn!(variable = upper, "the environment names a proxy that cannot be used");
            }
            found
        };
        let exempt = either("NO_PROXY", "no_proxy").unwrap_or_default();
        Self {
            http: proxy("HTTP_PROXY", "http_proxy"),
            https: proxy("HTTPS_PROXY", "https_proxy"),
            exempt: exempt.split(',').filter_map(Exempt::parse).collect(),
        }
    }

    fn towards(&self, url: &Url) -> Option<Hop> {
        let endpoint = url.endpoint();
        let hop = match endpoint.scheme {
            Scheme::Http => self.http.as_ref()?,
            Scheme::Https => self.https.as_ref()?,
            Scheme::Ssh => return None,
        };
        let address: Option<IpAddr> = endpoint.host.parse().ok();
        let is_here = endpoint.host == "localhost" || address.is_some_and(|address| address.is_loopback());
        let is_exempt = self.exempt.iter().any(|exempt| exempt.covers(&endpoint.host, address, endpoint.port));
        (!is_here && !is_exempt).then(|| hop.clone())
    }
}

impl Exempt {
    fn parse(written: &str) -> Option<Self> {
        let written = written.trim().to_ascii_lowercase();
        if written.is_empty() {
            return None;
        }
        if written == "*" {
            return Some(Self::Everything);
        }
        if written.contains('/') {
            return written.parse().ok().map(Self::Network);
        }
        if let Ok(address) = written.parse() {
            return Some(Self::Address { address, port: None });
        }
        let (host, port) = match written.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (written.as_str(), None),
        };
        if let Ok(address) = host.trim_matches(['[', ']']).parse() {
            return Some(Self::Address { address, port });
        }
        Some(Self::Domain { domain: host.strip_prefix('*').unwrap_or(host).to_owned(), port })
    }

    fn covers(&self, host: &str, address: Option<IpAddr>, port: u16) -> bool {
        match self {
            Self::Everything => true,
            Self::Network(network) => address.is_some_and(|address| network.contains(address)),
            Self::Address { address: exempt, port: only } => {
                address == Some(*exempt) && only.is_none_or(|only| only == port)
            }
            Self::Domain { domain, port: only } => {
                let is_below = match host.strip_suffix(domain.as_str()) {
                    Some("") => !domain.starts_with('.'),
                    Some(rest) => domain.starts_with('.') || rest.ends_with('.'),
                    None => false,
                };
                is_below && only.is_none_or(|only| only == port)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::tests::data;

    fn environment(entries: &[(&str, &str)]) -> Environment {
        Environment::read(|name| entries.iter().find(|(entry, _)| *entry == name).map(|(_, value)| (*value).to_owned()))
    }

    fn way(environment: &Environment, url: &str) -> String {
        let proxy = environment.towards(&Url::parse(url).expect("a URL"));
        proxy.map_or_else(|| "direct".to_owned(), |proxy| format!("{}:{}", proxy.host(), proxy.port()))
    }

    #[test]
    fn the_environment_decides_by_scheme_and_by_exemption() {
        let environment = environment(&[
            ("HTTPS_PROXY", "http://secure:3128"),
            ("http_proxy", "plain"),
            ("NO_PROXY", "a.example, .b.example,*.c.example,10.0.0.0/8,192.0.2.1,d.example:8443,fd00::/8"),
        ]);
        let rows = [
            ("https://example.com/", "secure:3128"),
            ("http://example.com/", "plain:80"),
            ("https://a.example/", "direct"),
            ("https://x.a.example/", "direct"),
            ("https://xa.example/", "secure:3128"),
            ("https://b.example/", "secure:3128"),
            ("https://x.b.example/", "direct"),
            ("https://c.example/", "secure:3128"),
            ("https://x.c.example/", "direct"),
            ("https://10.1.2.3/", "direct"),
            ("https://11.1.2.3/", "secure:3128"),
            ("https://192.0.2.1:8443/", "direct"),
            ("https://d.example/", "secure:3128"),
            ("https://d.example:8443/", "direct"),
            ("https://[fd00::1]/", "direct"),
            ("https://[fe00::1]/", "secure:3128"),
            ("https://localhost:5000/", "direct"),
            ("http://127.0.0.1/", "direct"),
            ("ssh://example.com/r", "direct"),
        ];
        for (url, expected) in rows {
            assert_eq!(way(&environment, url), expected, "{url}");
        }
    }

    #[test]
    fn everything_may_be_exempt() {
        let environment = environment(&[("HTTPS_PROXY", "http://proxy:3128"), ("no_proxy", "*")]);
        assert_eq!(way(&environment, "https://example.com/"), "direct");
    }

    #[test]
    fn a_secret_names_a_proxy_with_its_user() {
        let with = |entries: SecretData| match Proxy::from_secret(&entries) {
            Ok(proxy) => {
                let hop = proxy.towards(&Url::parse("http://localhost/").expect("a URL")).expect("for every request");
                format!(
                    "{} {} {:?} {:?}",
                    hop.protocol(),
                    hop.uri().authority().expect("a host").host(),
                    hop.username(),
                    hop.password()
                )
            }
            Err(error) => error.to_string(),
        };
        let rows = [
            (data([("address", "http://proxy:3128\n")]), "HTTP proxy None None"),
            (data([("address", "socks5://proxy")]), "SOCKS5h proxy None None"),
            (data([("address", "https://a:b@proxy")]), "HTTPS proxy Some(\"a\") Some(\"b\")"),
            (
                data([("address", "http://a:b@proxy"), ("username", "c"), ("password", "d:@/")]),
                "HTTP proxy Some(\"c\") Some(\"d:@/\")",
            ),
            (data([("username", "c")]), "key 'address' is missing"),
            (data([("address", "proxy:3128")]), "'address' is not the URL of a proxy"),
            (data([("address", "ftp://proxy")]), "'address' is not the URL of a proxy"),
        ];
        for (data, expected) in rows {
            assert_eq!(with(data), expected);
        }
    }

    #[test]
    fn a_proxy_is_not_printed() {
        let proxy = Proxy::from_secret(&data([("address", "http://a:canary@proxy")])).expect("readable");
        assert_eq!(format!("{proxy:?}"), "Proxy(given)");
    }
}
