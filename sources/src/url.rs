//! URLs of sources.

use std::{fmt, sync::Arc};

use secrecy::{ExposeSecret, SecretString};

/// The URL of a source: `http`, `https` or `ssh`, with a host and a path.
///
/// A user and password in it are honoured and never shown: `Display` and `Debug` write `***` in their place, and do the
/// same with a query, because that is where tokens are put.
#[derive(Clone)]
pub struct Url(Arc<Parts>);

#[derive(Clone)]
struct Parts {
    scheme: Scheme,
    username: Option<SecretString>,
    password: Option<SecretString>,
    host: String,
    port: Option<u16>,
    path: String,
    query: Option<SecretString>,
}

/// How a source is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    Http,
    Https,
    Ssh,
}

/// Why a text is not the URL of a source. None of these texts repeats the URL, which may hold a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Something else than `http`, `https` or `ssh`; the scp form `git@host:path` ends here too.
    #[error("it does not start with `http://`, `https://` or `ssh://`")]
    Scheme,
    /// Something else than `http` or `https`, where only these make sense.
    #[error("it does not start with `http://` or `https://`")]
    NotHttp,
    /// No host, or one that could be read as something else.
    #[error("it has no valid host")]
    Host,
    /// A port that is not a number from 1 to 65535.
    #[error("its port is not a number from 1 to 65535")]
    Port,
    /// A `%` that is not followed by two hex digits, or one that hides a byte that is no text.
    #[error("it has a `%` that two hex digits do not follow, or that do not stand for UTF-8 text")]
    Escape,
    /// White space or a control character.
    #[error("it holds white space or a control character")]
    Character,
}

/// Scheme, host and port: what credentials are bound to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Endpoint {
    pub(crate) scheme: Scheme,
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Url {
    /// Reads a URL that must be one of HTTP.
    pub fn parse_http(text: &str) -> Result<Self, UrlError> {
        match Self::parse(text) {
            Ok(url) if url.is_ssh() => Err(UrlError::NotHttp),
            Err(UrlError::Scheme) => Err(UrlError::NotHttp),
            parsed => parsed,
        }
    }

    /// Reads a URL.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(UrlError::Character);
        }
        let (scheme, rest) = Scheme::split(text)?;
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (rest, _fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        let (userinfo, host_port) = authority.rsplit_once('@').map_or((None, authority), |(u, h)| (Some(u), h));
        let (host, port) = split_port(host_port)?;
        let (username, password) = match userinfo {
            Some(userinfo) => split_userinfo(userinfo)?,
            None => (None, None),
        };
        decode(path)?;
        let path = if path.is_empty() { "/".to_owned() } else { path.to_owned() };
        let query = query.map(|query| SecretString::from(query.to_owned()));
        Ok(Self(Arc::new(Parts { scheme, username, password, host, port, path, query })))
    }

    /// The host, in lower case; an IPv6 address stands without its brackets.
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// Whether the source is reached by SSH, so that a key and `known_hosts` are needed.
    pub fn is_ssh(&self) -> bool {
        self.0.scheme == Scheme::Ssh
    }

    pub(crate) fn scheme_name(&self) -> &'static str {
        self.0.scheme.name()
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint {
            scheme: self.0.scheme,
            host: self.0.host.clone(),
            port: self.0.port.unwrap_or(self.0.scheme.default_port()),
        }
    }

    /// The port, where it was written.
    pub(crate) fn port(&self) -> Option<u16> {
        self.0.port
    }

    pub(crate) fn username(&self) -> Option<&SecretString> {
        self.0.username.as_ref()
    }

    pub(crate) fn password(&self) -> Option<&SecretString> {
        self.0.password.as_ref()
    }

    /// The path as it was written, escapes and all.
    pub(crate) fn path(&self) -> &str {
        &self.0.path
    }

    /// The path with its escapes resolved, as a server that gets no URL needs it.
    pub(crate) fn decoded_path(&self) -> String {
        decode(&self.0.path).expect("a parsed path has valid escapes")
    }

    pub(crate) fn query(&self) -> Option<&SecretString> {
        self.0.query.as_ref()
    }

    /// What `location`, the target of a redirect, means where this URL was asked for.
    pub(crate) fn join(&self, location: &str) -> Result<Self, UrlError> {
        if location.starts_with("//") {
            return Self::parse(&format!("{}:{location}", self.0.scheme));
        }
        if location.starts_with('/') {
            return Self::parse(&format!("{}{location}", self.authority()));
        }
        let path_length = location.find(['?', '#']).unwrap_or(location.len());
        if location[..path_length].contains("://") {
            return Self::parse(location);
        }
        let folder = self.0.path.rfind('/').map_or("/", |end| &self.0.path[..=end]);
        Self::parse(&format!("{}{folder}{location}", self.authority()))
    }

    /// The URL as a request names it: without user and password, with the query.
    pub(crate) fn in_request(&self) -> SecretString {
        let query = self.0.query.as_ref().map_or_else(String::new, |query| format!("?{}", query.expose_secret()));
        SecretString::from(format!("{}{}{query}", self.authority(), self.0.path))
    }

    /// Another path and another query at the same server, for the same user. The path begins with a slash, and both are
    /// escaped already.
    pub(crate) fn with<'a>(&self, path: &str, query: impl IntoIterator<Item = &'a str>) -> Self {
        let query = query.into_iter().collect::<Vec<_>>().join("&");
        let query = Some(query).filter(|query| !query.is_empty()).map(SecretString::from);
        Self(Arc::new(Parts { path: path.to_owned(), query, ..Parts::clone(&self.0) }))
    }

    /// The URL to which `path` and `query` were added to make this one; `None` if they were not.
    pub(crate) fn without(&self, path: &str, query: &str) -> Option<Self> {
        let path = self.0.path.strip_suffix(path)?.to_owned();
        let rest = self.0.query.as_ref()?.expose_secret().strip_suffix(query)?;
        let query = match rest {
            "" => None,
            rest => Some(SecretString::from(rest.strip_suffix('&')?.to_owned())),
        };
        Some(Self(Arc::new(Parts { path, query, ..Parts::clone(&self.0) })))
    }

    /// Everything that tells this URL from another one, secrets included: for keyed digests only.
    pub(crate) fn parts(&self) -> Vec<SecretString> {
        let secret = |part: Option<&SecretString>| {
            SecretString::from(part.map_or_else(String::new, |part| format!("={}", part.expose_secret())))
        };
        vec![
            SecretString::from(self.authority()),
            secret(self.username()),
            secret(self.password()),
            SecretString::from(self.0.path.clone()),
            secret(self.query()),
        ]
    }

    /// Scheme, host and, where it was written, port.
    pub(crate) fn authority(&self) -> String {
        format!("{}://{}", self.0.scheme, self.host_port())
    }

    fn host_port(&self) -> String {
        let host = if self.0.host.contains(':') { format!("[{}]", self.0.host) } else { self.0.host.clone() };
        self.0.port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"))
    }
}

impl Endpoint {
    /// Host and port, as an error names a server.
    pub(crate) fn host_port(&self) -> String {
        if self.host.contains(':') {
            return format!("[{}]:{}", self.host, self.port);
        }
        format!("{}:{}", self.host, self.port)
    }
}

impl Scheme {
    fn split(text: &str) -> Result<(Self, &str), UrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        match scheme.to_ascii_lowercase().as_str() {
            "http" => Ok((Self::Http, rest)),
            "https" => Ok((Self::Https, rest)),
            "ssh" => Ok((Self::Ssh, rest)),
            _ => Err(UrlError::Scheme),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Ssh => "ssh",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
            Self::Ssh => 22,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = if self.0.username.is_some() || self.0.password.is_some() { "***@" } else { "" };
        let query = if self.0.query.is_some() { "?***" } else { "" };
        write!(f, "{}://{user}{}{}{query}", self.0.scheme, self.host_port(), self.0.path)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

type Userinfo = (Option<SecretString>, Option<SecretString>);

fn split_userinfo(userinfo: &str) -> Result<Userinfo, UrlError> {
    let (username, password) = userinfo.split_once(':').map_or((userinfo, None), |(u, p)| (u, Some(p)));
    let secret = |text: &str| decode(text).map(SecretString::from);
    let username = if username.is_empty() { None } else { Some(secret(username)?) };
    Ok((username, password.map(secret).transpose()?))
}

/// Splits the port off; the host may be a name, an IPv4 address or an IPv6 address in brackets.
fn split_port(host_port: &str) -> Result<(String, Option<u16>), UrlError> {
    if let Some(rest) = host_port.strip_prefix('[') {
        let (address, rest) = rest.split_once(']').ok_or(UrlError::Host)?;
        let address: std::net::Ipv6Addr = address.parse().map_err(|_| UrlError::Host)?;
        let port = match rest {
            "" => None,
            rest => Some(port(rest.strip_prefix(':').ok_or(UrlError::Host)?)?),
        };
        return Ok((address.to_string(), port));
    }
    let (host, port) = match host_port.rsplit_once(':') {
        Some((host, "")) => (host, None),
        Some((host, digits)) => (host, Some(port(digits)?)),
        None => (host_port, None),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if host.is_empty() || host.starts_with(['-', '.']) || !host.chars().all(is_name) {
        return Err(UrlError::Host);
    }
    Ok((host.to_ascii_lowercase(), port))
}

fn port(digits: &str) -> Result<u16, UrlError> {
    match digits.parse() {
        Ok(port) if port > 0 && digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(port),
        _ => Err(UrlError::Port),
    }
}

/// Resolves `%2F` and the like.
fn decode(text: &str) -> Result<String, UrlError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let [byte] = tail.get(..2).and_then(hex_byte).ok_or(UrlError::Escape)?;
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err(UrlError::Escape),
    }
}

/// Writes `text` so that it can be a value in a query or one part of a path.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(byte.into()),
            other => encoded.extend(['%', hex_digit(other >> 4), hex_digit(other & 15)]),
        }
    }
    encoded
}

/// The parameters of a query as they are written, escapes and all.
pub(crate) fn query_pairs(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

fn hex_digit(value: u8) -> char {
    char::from_digit(value.into(), 16).expect("four bits are one digit").to_ascii_uppercase()
}

fn hex_byte(digits: &[u8]) -> Option<[u8; 1]> {
    let mut byte = [0];
    hex::decode_to_slice(digits, &mut byte).ok().map(|()| byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_what_is_secret_in_it() {
        let rows = [
            ("https://example.com/a/b.git", "https://example.com/a/b.git"),
            ("HTTPS://Example.COM", "https://example.com/"),
            ("https://user:pa%2Fss@example.com:8443/r?sig=abc#x", "https://***@example.com:8443/r?***"),
            ("https://token@example.com/r", "https://***@example.com/r"),
            ("ssh://git@example.com/~me/r", "ssh://***@example.com/~me/r"),
            ("ssh://[::1]:2222/r", "ssh://[::1]:2222/r"),
            ("http://user:a@b@example.com/r", "http://***@example.com/r"),
        ];
        for (text, shown) in rows {
            let url = Url::parse(text).expect(text);
            assert_eq!(url.to_string(), shown, "{text}");
            assert_eq!(format!("{url:?}"), shown, "{text}");
        }
    }

    #[test]
    fn what_is_no_url_of_a_source_is_refused_by_cause() {
        let rows = [
            ("git@example.com:a/b", UrlError::Scheme),
            ("file:///srv/a", UrlError::Scheme),
            ("git://example.com/a", UrlError::Scheme),
            ("example.com/a", UrlError::Scheme),
            ("", UrlError::Scheme),
            ("https:///a", UrlError::Host),
            ("ssh://-oProxyCommand=x/a", UrlError::Host),
            ("https://exa mple.com/a", UrlError::Character),
            ("https://example.com/a\nb", UrlError::Character),
            ("https://example.com/a\0b", UrlError::Character),
            ("https://ex$mple.com/a", UrlError::Host),
            ("https://[::1/a", UrlError::Host),
            ("https://[::1]x/a", UrlError::Host),
            ("https://example.com:0/a", UrlError::Port),
            ("https://example.com:65536/a", UrlError::Port),
            ("https://example.com:+1/a", UrlError::Port),
            ("https://example.com/%2", UrlError::Escape),
            ("https://example.com/%00", UrlError::Escape),
            ("https://us%ffer@example.com/", UrlError::Escape),
        ];
        for (text, expected) in rows {
            assert_eq!(Url::parse(text).expect_err(text), expected, "{text}");
        }
    }

    #[test]
    fn userinfo_is_decoded_and_an_empty_port_is_the_default() {
        let url = Url::parse("https://a%40b:c%3Ad@example.com:/r").expect("valid");
        let exposed = |secret: Option<&SecretString>| secret.map(|secret| secret.expose_secret().to_owned());
        assert_eq!(exposed(url.username()).as_deref(), Some("a@b"));
        assert_eq!(exposed(url.password()).as_deref(), Some("c:d"));
        assert_eq!(url.endpoint().port, 443);
    }

    #[test]
    fn a_redirect_is_read_from_where_it_was_met() {
        let rows = [
            ("/c?d", "https://example.com:8443/c?d"),
            ("c", "https://example.com:8443/a/c"),
            ("?d=http://x/", "https://example.com:8443/a/?d=http://x/"),
            ("//other/c", "https://other/c"),
            ("http://other/c", "http://other/c"),
        ];
        let met = Url::parse("https://user:word@example.com:8443/a/b?q").expect("valid");
        for (location, expected) in rows {
            let target = met.join(location).expect(location);
            assert_eq!(target.in_request().expose_secret(), expected, "{location}");
        }
    }

    #[test]
    fn a_url_of_http_is_asked_for_where_nothing_else_makes_sense() {
        assert!(Url::parse_http("http://example.com").is_ok());
        assert_eq!(Url::parse_http("ssh://example.com/a").expect_err("not HTTP"), UrlError::NotHttp);
        assert_eq!(Url::parse_http("example.com").expect_err("not HTTP"), UrlError::NotHttp);
    }

    proptest::proptest! {
        #[test]
        fn what_is_encoded_is_decoded_to_the_same_text(text in "[^\\x00]*") {
            proptest::prop_assert_eq!(decode(&encode(&text)), Ok(text));
        }

        #[test]
        fn no_text_makes_the_parser_panic_and_no_password_is_shown(text in "\\PC*", password in "[a-z]{12}") {
            let _ = Url::parse(&text);
            if let Ok(url) = Url::parse(&format!("https://u:{password}@host/{text}")) {
                proptest::prop_assert!(text.contains(&password) || !url.to_string().contains(&password));
            }
        }
    }
}
