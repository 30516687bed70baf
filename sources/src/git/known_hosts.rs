//! The keys that SSH servers are known to have, as OpenSSH writes them to `known_hosts`.
//!
//! Names may be patterns (`*`, `?`, `!`), carry a port (`[host]:port`) or be hashed (`|1|…`). A key marked `@revoked` is
//! refused whatever other lines say. Certificates of hosts are not supported: a line marked `@cert-authority` names no
//! key of a host.

use base64::{Engine, prelude::BASE64_STANDARD};
use ring::hmac;
use russh::keys::{Algorithm, HashAlg, PublicKey};

/// A parsed `known_hosts`.
#[derive(Clone)]
pub(crate) struct KnownHosts(Vec<Line>);

#[derive(Clone)]
struct Line {
    marker: Marker,
    names: Names,
    key: PublicKey,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Marker {
    Trusted,
    Revoked,
}

#[derive(Clone)]
enum Names {
    Patterns(Vec<String>),
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

/// A line of `known_hosts` that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of known_hosts {problem}")]
pub struct KnownHostsError {
    line: usize,
    problem: &'static str,
}

/// What `known_hosts` says about a server's key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the server's.
    Trusted,
    /// It must not be used any more.
    Revoked,
    /// The server should have another one.
    Mismatch {
        /// Fingerprints of the keys that it should have.
        expected: Vec<String>,
    },
    /// Nothing is said about this server.
    Unknown,
}

impl KnownHosts {
    pub(crate) fn parse(text: &str) -> Result<Self, KnownHostsError> {
        let parsed = text
            .lines()
            .enumerate()
            .map(|(index, line)| parse_line(line).map_err(|problem| KnownHostsError { line: index + 1, problem }));
        parsed.filter_map(Result::transpose).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is known about `key` at `host` and `port`.
    pub(crate) fn check(&self, host: &str, port: u16, key: &PublicKey) -> Verdict {
        let name = host_name(host, port);
        let lines = || self.0.iter().filter(|line| line.names.contain(&name));
        let has_key = |line: &&Line| line.key.key_data() == key.key_data();
        if lines().filter(has_key).any(|line| line.marker == Marker::Revoked) {
            return Verdict::Revoked;
        }
        let trusted: Vec<&Line> = lines().filter(|line| line.marker == Marker::Trusted).collect();
        if trusted.iter().any(has_key) {
            return Verdict::Trusted;
        }
        if trusted.is_empty() {
            return Verdict::Unknown;
        }
        Verdict::Mismatch { expected: trusted.iter().map(|line| fingerprint(&line.key)).collect() }
    }

    /// The algorithms of the keys that are known for a server, so that it is asked for one of those and no other.
    pub(crate) fn algorithms(&self, host: &str, port: u16) -> Vec<Algorithm> {
        let name = host_name(host, port);
        let mut found = Vec::new();
        for line in self.0.iter().filter(|line| line.marker == Marker::Trusted && line.names.contain(&name)) {
            for algorithm in signature_algorithms(&line.key) {
                if !found.contains(&algorithm) {
                    found.push(algorithm);
                }
            }
        }
        found
    }
}

/// How a host is named in `known_hosts`.
pub(super) fn host_name(host: &str, port: u16) -> String {
    if port == 22 { host.to_owned() } else { format!("[{host}]:{port}") }
}

/// A key's fingerprint as `ssh-keygen -l` shows it.
pub(super) fn fingerprint(key: &PublicKey) -> String {
    format!("{} {}", key.algorithm(), key.fingerprint(HashAlg::Sha256))
}

/// An RSA key signs in three ways; the one with SHA-1 comes last.
fn signature_algorithms(key: &PublicKey) -> Vec<Algorithm> {
    match key.algorithm() {
        Algorithm::Rsa { .. } => {
            [Some(HashAlg::Sha512), Some(HashAlg::Sha256), None].map(|hash| Algorithm::Rsa { hash }).to_vec()
        }
        other => vec![other],
    }
}

/// Reads one line; `None` if it names no key that a server could have.
fn parse_line(line: &str) -> Result<Option<Line>, &'static str> {
    let mut fields = line.split_whitespace().peekable();
    let marker = match fields.peek() {
        None | Some(&"@cert-authority") => return Ok(None),
        Some(first) if first.starts_with('#') => return Ok(None),
        Some(&"@revoked") => Marker::Revoked,
        Some(first) if first.starts_with('@') => return Err("starts with an unknown marker"),
        Some(_) => Marker::Trusted,
    };
    if marker == Marker::Revoked {
        fields.next();
    }
    let (Some(names), Some(algorithm), Some(key)) = (fields.next(), fields.next(), fields.next()) else {
        return Err("does not have a host, an algorithm and a key");
    };
    if Algorithm::new(algorithm).is_err() {
        return Ok(None);
    }
    let key = PublicKey::from_openssh(&format!("{algorithm} {key}")).map_err(|_| "holds a malformed key")?;
    Ok(Some(Line { marker, names: Names::parse(names)?, key }))
}

impl Names {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let Some(hashed) = text.strip_prefix("|1|") else {
            return Ok(Self::Patterns(text.split(',').map(str::to_ascii_lowercase).collect()));
        };
        let malformed = "holds a malformed hashed host";
        let (salt, hash) = hashed.split_once('|').ok_or(malformed)?;
        let decode = |text: &str| BASE64_STANDARD.decode(text).map_err(|_| malformed);
        Ok(Self::Hashed { salt: decode(salt)?, hash: decode(hash)? })
    }

    fn contain(&self, name: &str) -> bool {
        match self {
            Self::Hashed { salt, hash } => {
                let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
                hmac::verify(&key, name.as_bytes(), hash).is_ok()
            }
            Self::Patterns(patterns) => {
                let excludes = |pattern: &String| pattern.strip_prefix('!').is_some_and(|pattern| glob(pattern, name));
                !patterns.iter().any(excludes) && patterns.iter().any(|pattern| glob(pattern, name))
            }
        }
    }
}

/// Whether `name` fits `pattern`, in which `*` stands for any text and `?` for one character.
fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    let mut retry = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p + 1, n));
                p += 1;
            }
            Some(&byte) if byte == b'?' || byte == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((after_star, matched)) = retry else { return false };
                retry = Some((after_star, matched + 1));
                p = after_star;
                n = matched + 1;
            }
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    fn key(text: &str) -> PublicKey {
        PublicKey::from_openssh(text).expect("a key")
    }

    fn verdict(known_hosts: &str, host: &str, port: u16) -> String {
        match KnownHosts::parse(known_hosts).expect("readable").check(host, port, &key(KEY)) {
            Verdict::Trusted => "trusted".to_owned(),
            Verdict::Revoked => "revoked".to_owned(),
            Verdict::Unknown => "unknown".to_owned(),
            Verdict::Mismatch { expected } => format!("mismatch, {}", expected.len()),
        }
    }

    /// `name` as `ssh-keygen -H` would write it.
    fn hashed(name: &str) -> String {
        let salt = [7; 20];
        let hash = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt), name.as_bytes());
        format!("|1|{}|{}", BASE64_STANDARD.encode(salt), BASE64_STANDARD.encode(hash))
    }

    #[test]
    fn a_key_is_trusted_for_the_hosts_that_its_line_names() {
        let rows = [
            (format!("example.com {KEY}"), "example.com", 22, "trusted"),
            (format!("example.com\t{KEY} a comment"), "example.com", 22, "trusted"),
            (format!("example.com {KEY}"), "example.org", 22, "unknown"),
            (format!("example.com {KEY}"), "example.com", 2222, "unknown"),
            (format!("[example.com]:2222 {KEY}"), "example.com", 2222, "trusted"),
            (format!("[example.com]:2222 {KEY}"), "example.com", 22, "unknown"),
            (format!("Example.com,192.0.2.1 {KEY}"), "192.0.2.1", 22, "trusted"),
            (format!("*.example.com {KEY}"), "git.example.com", 22, "trusted"),
            (format!("*.example.com,!git.example.com {KEY}"), "git.example.com", 22, "unknown"),
            (format!("git?.example.com {KEY}"), "git1.example.com", 22, "trusted"),
            (format!("{} {KEY}", hashed("example.com")), "example.com", 22, "trusted"),
            (format!("{} {KEY}", hashed("[example.com]:2222")), "example.com", 2222, "trusted"),
            (format!("{} {KEY}", hashed("example.com")), "example.org", 22, "unknown"),
            (format!("example.com {OTHER}"), "example.com", 22, "mismatch, 1"),
            (format!("example.com {OTHER}\nexample.com {KEY}"), "example.com", 22, "trusted"),
            (format!("example.com {KEY}\n@revoked * {KEY}"), "example.com", 22, "revoked"),
            (format!("@cert-authority * {KEY}"), "example.com", 22, "unknown"),
            (format!("# example.com {KEY}\n\n"), "example.com", 22, "unknown"),
            ("example.com ssh-unheard-of AAAA".to_owned(), "example.com", 22, "unknown"),
        ];
        for (known_hosts, host, port, expected) in rows {
            assert_eq!(verdict(&known_hosts, host, port), expected, "{known_hosts} for {host}:{port}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        let rows = [
            ("# ok\nexample.com", "line 2 of known_hosts does not have a host, an algorithm and a key"),
            ("example.com ssh-ed25519 AAAA", "line 1 of known_hosts holds a malformed key"),
            ("@mine example.com ssh-ed25519 AAAA", "line 1 of known_hosts starts with an unknown marker"),
        ];
        for (known_hosts, expected) in rows {
            let error = KnownHosts::parse(known_hosts).err().expect(expected);
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn a_server_is_asked_for_the_kinds_of_key_that_are_known() {
        let known = KnownHosts::parse(&format!("example.com {KEY}\nexample.org {OTHER}")).expect("readable");
        assert_eq!(known.algorithms("example.com", 22), [Algorithm::Ed25519]);
        assert_eq!(known.algorithms("example.com", 2222), []);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(@revoked |\\|1\\|)?[ -~\\n\\t]*") {
            let _ = KnownHosts::parse(&text);
        }
    }
}
