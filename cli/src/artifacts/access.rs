//! Who reads and writes a registry, and what of it.

use std::{error::Error, iter, net::IpAddr};

use clap::Args;
use fairlead_reconciler::clock::Clock;
use fairlead_sources::{
    identity::{CloudIdentity, Environment},
    oci::{
        LAYER_LIMIT_BYTES, LayerSelector, OciAuth, OciReference, OciReferenceFields, OciRequest, OciUrl, RegistryError,
    },
    transport::{Encryption, Refusal, Transport, TransportError},
};
use serde_json::json;

use super::docker;
use crate::{
    connection::Connection,
    output::{CommandError, Hinted},
    provider::Provider,
};

/// How a registry is reached.
#[derive(Args)]
pub(crate) struct Access {
    /// User and password, or a token alone; otherwise what `docker login` has written.
    #[arg(long, value_name = "USER:PASSWORD")]
    creds: Option<String>,
    /// Who gives the credentials: a cloud, or else the command line or Docker's configuration.
    #[arg(long, value_enum, default_value = "generic")]
    provider: Provider,
    /// Speak to the registry without TLS; one on this machine is always spoken to so.
    #[arg(long)]
    insecure_registry: bool,
}

impl Access {
    /// The request of what `written` names: `oci://<host>/<path>`, and `:<tag>` or `@<digest>`.
    pub(crate) fn request(&self, written: &str, connection: &Connection) -> Result<OciRequest, CommandError> {
        let (url, reference) = named(written)?;
        self.request_of(OciUrl::parse(url).map_err(|error| refused(written, &error))?, reference, connection)
    }

    /// The request of the repository that `written` names, `oci://<host>/<path>`.
    pub(crate) fn repository(&self, written: &str, connection: &Connection) -> Result<OciRequest, CommandError> {
        let url = OciUrl::parse(written).map_err(|error| refused(written, &error))?;
        self.request_of(url, OciReference::new(OciReferenceFields::default()), connection)
    }

    fn request_of(
        &self,
        url: OciUrl,
        reference: OciReference,
        connection: &Connection,
    ) -> Result<OciRequest, CommandError> {
        let is_plain = self.insecure_registry || is_on_this_machine(url.registry());
        Ok(OciRequest {
            auth: self.auth(&url)?,
            url,
            reference,
            layer: LayerSelector::default(),
            transport: Transport::default(),
            encryption: if is_plain { Encryption::Off } else { Encryption::Tls },
            verification: None,
            limit_bytes: LAYER_LIMIT_BYTES,
            timeout: connection.timeout,
        })
    }

    fn auth(&self, url: &OciUrl) -> Result<OciAuth, CommandError> {
        if let Some(cloud) = self.provider.cloud() {
            let identity = CloudIdentity::new(cloud, Environment::of_process(), Clock::system().now());
            return Ok(OciAuth::of_cloud(identity));
        }
        let Some(creds) = &self.creds else { return docker::login(url) };
        let login = match creds.split_once(':') {
            Some((username, password)) => json!({ "username": username, "password": password }),
            None => json!({ "registrytoken": creds }),
        };
        let config = json!({ "auths": { url.registry(): login } }).to_string();
        Ok(docker::auth(config)?)
    }
}

fn refused(written: &str, error: &impl Error) -> CommandError {
    format!("invalid URL `{written}`: {error}").into()
}

/// Splits the URL of a repository from what is named of it.
fn named(written: &str) -> Result<(&str, OciReference), CommandError> {
    let last = written.rfind('/').map_or(0, |slash| slash + 1);
    let end = written[last..].find([':', '@']).map_or(written.len(), |at| last + at);
    let (url, rest) = written.split_at(end);
    if rest.ends_with([':', '@']) {
        return Err(format!("invalid URL `{written}`: a tag or digest is missing at its end").into());
    }
    let (tag, digest) = rest.split_once('@').map_or((rest, None), |(tag, digest)| (tag, Some(digest)));
    let fields = OciReferenceFields { tag: tag.strip_prefix(':'), digest, ..OciReferenceFields::default() };
    Ok((url, OciReference::new(fields)))
}

fn is_on_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    };
    let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// The repository as image names write it: without the scheme.
pub(crate) fn place(url: &OciUrl) -> String {
    let url = url.to_string();
    url.strip_prefix("oci://").unwrap_or(&url).to_owned()
}

/// An error of a registry with what can be tried on the command line.
pub(crate) fn explained(error: impl Error + Send + Sync + 'static) -> CommandError {
    let causes = iter::successors(Some(&error as &(dyn Error + 'static)), |&error| error.source());
    let hint = causes.filter_map(|cause| cause.downcast_ref()).find_map(hint);
    match hint {
        Some(hint) => Hinted::new(error, hint).into(),
        None => error.into(),
    }
}

fn hint(error: &RegistryError) -> Option<&'static str> {
    let is_refusal =
        matches!(error, RegistryError::Unauthenticated(_) | RegistryError::Refused(Refusal::Unauthorized { .. }));
    let is_unencrypted = matches!(error, RegistryError::Transport(TransportError::Tls(_)));
    if is_refusal {
        return Some("give --creds USER:PASSWORD, or log in with `docker login`");
    }
    is_unencrypted.then_some("a registry without TLS needs --insecure-registry")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_with_a_tag_a_digest_or_nothing() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let rows = [
            ("oci://ghcr.io/a/b:v1".to_owned(), "oci://ghcr.io/a/b", OciReference::Tag("v1".into())),
            ("oci://ghcr.io/a/b".to_owned(), "oci://ghcr.io/a/b", OciReference::Tag("latest".into())),
            ("oci://localhost:5000/ab".to_owned(), "oci://localhost:5000/ab", OciReference::Tag("latest".into())),
            (format!("oci://a.io/b@{digest}"), "oci://a.io/b", OciReference::Digest(digest.clone())),
            (format!("oci://a.io/b:v1@{digest}"), "oci://a.io/b", OciReference::Digest(digest.clone())),
            ("oci://podinfo:6.0.0".to_owned(), "oci://podinfo", OciReference::Tag("6.0.0".into())),
        ];
        for (written, url, reference) in rows {
            assert_eq!(named(&written).expect("readable"), (url, reference), "{written}");
        }
        assert!(named("oci://ghcr.io/a/b:").is_err() && named("oci://ghcr.io/a/b@").is_err());
    }

    #[test]
    fn only_registries_on_this_machine_are_plain_unasked() {
        for host in ["localhost:5000", "127.0.0.1:5000", "127.1.2.3", "[::1]:5000"] {
            assert!(is_on_this_machine(host), "{host}");
        }
        for host in ["ghcr.io", "localhost.example.com", "10.0.0.1:5000", "[::2]:5000"] {
            assert!(!is_on_this_machine(host), "{host}");
        }
    }
}
