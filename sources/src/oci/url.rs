//! Names of repositories in registries.

use std::{fmt, sync::Arc};

use crate::{transport::Encryption, url::Url};

/// A repository in a registry: `oci://<host>[:<port>]/<path>`.
///
/// # Follows Flux
/// A first part without a dot and a port is no host: the repository is one of Docker Hub then, and one without a slash is
/// in its `library/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OciUrl(Arc<Parts>);

#[derive(Debug, PartialEq, Eq)]
struct Parts {
    written: String,
    registry: String,
    repository: String,
}

/// Why a text is not the URL of a repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OciUrlError {
    /// It does not start with `oci://`.
    #[error("URL must be in format 'oci://<domain>/<org>/<repo>'")]
    Scheme,
    /// The path ends with a tag.
    #[error("URL must not contain a tag; remove ':{0}'")]
    Tag(String),
    /// The path ends with a digest.
    #[error("URL must not contain a digest; remove '@{0}'")]
    Digest(String),
    /// The path is empty, or has something else in it than registries allow.
    #[error("repository can only contain the characters `a-z0-9_-./`, and 2 to 255 of them: {0}")]
    Repository(String),
    /// The host is none.
    #[error("'{0}' is not the host of a registry")]
    Registry(String),
}

const SCHEME: &str = "oci://";
/// Where Docker Hub answers.
const DOCKER_HUB: &str = "index.docker.io";
/// How Docker Hub is called too.
const DOCKER_HUB_NAMES: [&str; 2] = ["docker.io", "registry-1.docker.io"];

impl OciUrl {
    /// Reads the URL of a repository.
    pub fn parse(text: &str) -> Result<Self, OciUrlError> {
        let name = text.strip_prefix(SCHEME).ok_or(OciUrlError::Scheme)?;
        let (host, path) = match name.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) => (canonical_host(host), path),
            _ => (DOCKER_HUB.to_owned(), name),
        };
        if let Some((_, digest)) = path.split_once('@') {
            return Err(OciUrlError::Digest(digest.to_owned()));
        }
        if let Some((_, tag)) = path.split_once(':') {
            return Err(OciUrlError::Tag(tag.to_owned()));
        }
        let is_allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b'/');
        let has_odd_part = path.split('/').any(|part| part.is_empty() || part.starts_with('.'));
        if !(2..=255).contains(&path.len()) || !path.bytes().all(is_allowed) || has_odd_part {
            return Err(OciUrlError::Repository(path.to_owned()));
        }
        let is_in_library = host == DOCKER_HUB && !path.contains('/');
        let repository = if is_in_library { format!("library/{path}") } else { path.to_owned() };
        if base(&host, Encryption::Tls).is_none() {
            return Err(OciUrlError::Registry(host));
        }
        Ok(Self(Arc::new(Parts { written: text.to_owned(), registry: host, repository })))
    }

    /// The registry's host, with its port where one is written.
    pub fn registry(&self) -> &str {
        &self.0.registry
    }

    /// The repository's path in its registry.
    pub fn repository(&self) -> &str {
        &self.0.repository
    }

    /// The registry's URL.
    pub(super) fn base(&self, encryption: Encryption) -> Url {
        base(&self.0.registry, encryption).expect("a parsed URL has a valid host")
    }
}

/// The URL of the registry at `host`; `None` if that is no host.
fn base(host: &str, encryption: Encryption) -> Option<Url> {
    if host.contains(['@', '?', '#']) {
        return None;
    }
    Url::parse_http(&format!("{}://{host}/", encryption.scheme())).ok()
}

/// The one name of a registry that has several.
pub(super) fn canonical_host(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    if DOCKER_HUB_NAMES.contains(&host.as_str()) { DOCKER_HUB.to_owned() } else { host }
}

impl fmt::Display for OciUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_docker_reads_it() {
        let rows = [
            ("oci://ghcr.io/stefanprodan/podinfo", "ghcr.io stefanprodan/podinfo"),
            ("oci://GHCR.io/a/b", "ghcr.io a/b"),
            ("oci://localhost:5000/ab", "localhost:5000 ab"),
            ("oci://[::1]:5000/ab", "[::1]:5000 ab"),
            ("oci://podinfo", "index.docker.io library/podinfo"),
            ("oci://stefanprodan/podinfo", "index.docker.io stefanprodan/podinfo"),
            ("oci://docker.io/podinfo", "index.docker.io library/podinfo"),
            ("oci://localhost/podinfo", "index.docker.io localhost/podinfo"),
            ("https://ghcr.io/a/b", "URL must be in format 'oci://<domain>/<org>/<repo>'"),
            ("oci://ghcr.io/a/b:v1", "URL must not contain a tag; remove ':v1'"),
            ("oci://ghcr.io/a/b@sha256:00", "URL must not contain a digest; remove '@sha256:00'"),
            ("oci://podinfo:6.0.0", "URL must not contain a tag; remove ':6.0.0'"),
            ("oci://ghcr.io/", "repository can only contain the characters `a-z0-9_-./`, and 2 to 255 of them: "),
            ("oci://ghcr.io/A/b", "repository can only contain the characters `a-z0-9_-./`, and 2 to 255 of them: A/b"),
            (
                "oci://ghcr.io/../b",
                "repository can only contain the characters `a-z0-9_-./`, and 2 to 255 of them: ../b",
            ),
            ("oci://ghcr.io//b", "repository can only contain the characters `a-z0-9_-./`, and 2 to 255 of them: /b"),
            ("oci://user:word@ghcr.io/a/b", "'user:word@ghcr.io' is not the host of a registry"),
            ("oci://ghcr.io:port/a/b", "'ghcr.io:port' is not the host of a registry"),
        ];
        for (text, expected) in rows {
            let outcome = match OciUrl::parse(text) {
                Ok(url) => format!("{} {}", url.registry(), url.repository()),
                Err(error) => error.to_string(),
            };
            assert_eq!(outcome, expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(oci://)?\\PC*") {
            let _ = OciUrl::parse(&text);
        }
    }
}
