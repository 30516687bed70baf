//! URLs, as Go's `net/url` reads and writes them.

use super::{Call, Function, Returned, Type};
use crate::template::CallError;
use crate::value::{Map, Text, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("urlParse", &[Type::Text], parse, "The parts of a URL (Sprig)."),
    Function::new("urlJoin", &[Type::Map], join, "A URL of its parts (Sprig)."),
];

/// `text` escaped for a query: a blank is `+`.
pub(super) fn query_escape(text: &[u8]) -> Vec<u8> {
    escaped(text, |byte| byte == b' ', |_| false)
        .into_iter()
        .map(|byte| if byte == b' ' { b'+' } else { byte })
        .collect()
}

/// `text` with every byte escaped that is neither unreserved nor kept.
fn escaped(text: &[u8], is_blank: impl Fn(u8) -> bool, is_kept: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        let is_plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
        if is_plain || is_blank(*byte) || is_kept(*byte) {
            out.push(*byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    out
}

fn escape(text: &str, kept: &str) -> String {
    let bytes = escaped(text.as_bytes(), |_| false, |byte| kept.as_bytes().contains(&byte));
    String::from_utf8_lossy(&bytes).into_owned()
}

fn unescape(text: &str) -> Result<String, String> {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        if bytes[at] != b'%' {
            out.push(bytes[at]);
            at += 1;
            continue;
        }
        let digits = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let Some(code) = code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) else {
            let end = bytes.len().min(at + 3);
            let shown = crate::fmt::quote(&bytes[at..end]);
            return Err(format!("invalid URL escape {shown}"));
        };
        out.push(code);
        at += 3;
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// The parts of a URL.
#[derive(Default)]
struct Url {
    scheme: String,
    opaque: String,
    userinfo: Option<String>,
    host: String,
    path: String,
    query: String,
    fragment: String,
}

impl Url {
    fn parse(text: &str) -> Result<Self, String> {
        if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
        let (scheme, rest) = split_scheme(rest)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut url = Self {
            scheme: scheme.to_ascii_lowercase(),
            query: query.to_owned(),
            fragment: unescape(fragment)?,
            ..Self::default()
        };
        if !rest.starts_with('/') {
            if !scheme.is_empty() {
                rest.clone_into(&mut url.opaque);
                return Ok(url);
            }
            if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        let path = match rest.strip_prefix("//") {
            Some(authority) if !scheme.is_empty() || !rest.starts_with("///") => {
                let end = authority.find('/').unwrap_or(authority.len());
                url.authority(&authority[..end])?;
                &authority[end..]
            }
            _ => rest,
        };
        url.path = unescape(path)?;
        Ok(url)
    }

    fn authority(&mut self, authority: &str) -> Result<(), String> {
        let host = match authority.rsplit_once('@') {
            None => authority,
            Some((userinfo, host)) => {
                let (user, password) =
                    userinfo.split_once(':').map_or((userinfo, None), |(user, word)| (user, Some(word)));
                let user = escape(&unescape(user)?, "$&+,;=");
                self.userinfo = Some(match password {
                    Some(password) => format!("{user}:{}", escape(&unescape(password)?, "$&+,;=")),
                    None => user,
                });
                host
            }
        };
        let port = if host.starts_with('[') {
            let end = host.rfind(']').ok_or("missing ']' in host")?;
            &host[end + 1..]
        } else {
            host.rfind(':').map_or("", |at| &host[at..])
        };
        let is_port = port.is_empty() || port.starts_with(':') && port[1..].bytes().all(|byte| byte.is_ascii_digit());
        if !is_port {
            return Err(format!("invalid port {} after host", crate::fmt::quote(port.as_bytes())));
        }
        if host.contains(' ') {
            return Err("invalid character \" \" in host name".to_owned());
        }
        self.host = unescape(host)?;
        Ok(())
    }

    fn hostname(&self) -> &str {
        let host = match self.host.rfind(':') {
            Some(at) if !self.host[at..].contains(']') => &self.host[..at],
            _ => &self.host,
        };
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    fn write(&self) -> String {
        let mut out = String::new();
        if !self.scheme.is_empty() {
            out.push_str(&self.scheme);
            out.push(':');
        }
        if self.opaque.is_empty() {
            if !self.scheme.is_empty() || !self.host.is_empty() || self.userinfo.is_some() {
                if !self.host.is_empty() || !self.path.is_empty() || self.userinfo.is_some() {
                    out.push_str("//");
                }
                if let Some(userinfo) = &self.userinfo {
                    out.push_str(userinfo);
                    out.push('@');
                }
                out.push_str(&escape(&self.host, "!$&'()*+,;=:[]<>\""));
            }
            let path = escape(&self.path, "$&+,/:;=@");
            if !path.is_empty() && !path.starts_with('/') && !self.host.is_empty() {
                out.push('/');
            }
            out.push_str(&path);
        } else {
            out.push_str(&self.opaque);
        }
        if !self.query.is_empty() {
            out.push('?');
            out.push_str(&self.query);
        }
        if !self.fragment.is_empty() {
            out.push('#');
            out.push_str(&escape(&self.fragment, "$&+,/:;=?@!()*'"));
        }
        out
    }
}

/// The scheme and what follows its colon.
fn split_scheme(text: &str) -> Result<(&str, &str), String> {
    let end = text.find(|char: char| !(char.is_ascii_alphanumeric() || matches!(char, '+' | '-' | '.')));
    match end {
        Some(0) if text.starts_with(':') => Err("missing protocol scheme".to_owned()),
        Some(end) if text[end..].starts_with(':') && text.starts_with(|char: char| char.is_ascii_alphabetic()) => {
            Ok((&text[..end], &text[end + 1..]))
        }
        _ => Ok(("", text)),
    }
}

fn parse(call: &mut Call<'_, '_>) -> Returned {
    let text = call.text(0).to_str();
    let url = Url::parse(&text).map_err(|problem| {
        let quoted = crate::fmt::quote(text.as_bytes());
        CallError::from(format!("unable to parse url: parse {quoted}: {problem}"))
    })?;
    let parts = [
        ("hostname", url.hostname().to_owned()),
        ("scheme", url.scheme),
        ("host", url.host),
        ("path", url.path),
        ("query", url.query),
        ("opaque", url.opaque),
        ("fragment", url.fragment),
        ("userinfo", url.userinfo.unwrap_or_default()),
    ];
    Ok(parts.into_iter().map(|(key, part)| (Text::from(key), Value::from(part))).collect::<Map>().into())
}

fn join(call: &mut Call<'_, '_>) -> Returned {
    let map = call.map(0);
    let part = |key: &str| match map.get(key.as_bytes()) {
        None => Ok(String::new()),
        Some(Value::Text(text)) => Ok(text.to_string()),
        Some(Value::Nil | Value::Missing) => Err(CallError::from(super::NIL_POINTER)),
        Some(other) => {
            let kind = other.kind().name();
            Err(format!("unable to parse {key} key, must be of type string, but {kind} found").into())
        }
    };
    let userinfo = part("userinfo")?;
    let url = Url {
        scheme: part("scheme")?,
        host: part("host")?,
        path: part("path")?,
        query: part("query")?,
        opaque: part("opaque")?,
        fragment: part("fragment")?,
        userinfo: (!userinfo.is_empty()).then_some(userinfo),
    };
    Ok(url.write().into())
}
