//! Artifacts that are made here: pushed, tagged and listed as Flux's command line does it.
//!
//! # Follows Flux
//! An artifact is an image with one layer, a `.tar.gz`, with Flux's media types and the annotations that say where it
//! comes from. Tags under which signatures are kept are not listed.

use std::{
    collections::BTreeMap,
    io::{self, Read},
};

use fairlead_object::Digest;
use flate2::read::MultiGzDecoder;
use regex::Regex;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    OciReference, OciRequest, OciUrl, Resolved,
    error::RegistryError,
    reference::check_tag,
    registry::{LAYER_LIMIT_BYTES, Pushed, Registry},
    run,
};
use crate::{
    identity::IdentityError,
    version::{VersionRange, parse_tag},
};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.cncf.flux.config.v1+json";
const LAYER: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";

/// An artifact to push.
pub struct NewArtifact {
    /// Its files, as a `.tar.gz`.
    pub layer: Vec<u8>,
    /// What is said of it.
    pub annotations: BTreeMap<String, String>,
}

/// Why a repository could not be written to, or looked through.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The identity of this process gives no access to the registry.
    #[error("cannot log in to the registry")]
    Identity(#[from] IdentityError),
    /// The artifact was not pushed.
    #[error("failed to push artifact to '{url}'")]
    Push {
        /// The repository.
        url: OciUrl,
        /// What failed.
        source: RegistryError,
    },
    /// A tag was not set.
    #[error("failed to tag artifact of '{url}'")]
    Tag {
        /// The repository.
        url: OciUrl,
        /// What failed.
        source: RegistryError,
    },
    /// The tags, or what stands under one, could not be read.
    #[error("failed to list artifacts of '{url}'")]
    List {
        /// The repository.
        url: OciUrl,
        /// What failed.
        source: RegistryError,
    },
}

/// Pushes `artifact` under the tag that `request` names, and returns the digest that it then has.
pub async fn push(request: &OciRequest, artifact: NewArtifact) -> Result<Digest, PublishError> {
    let reference = request.reference.clone();
    let failed = |url, source| PublishError::Push { url, source };
    let push = move |registry: Registry<'_>| {
        let OciReference::Tag(tag) = &reference else { return Err(not_a_tag(&reference)) };
        check_tag(tag)?;
        push_to(&registry.writable(), tag, &artifact)
    };
    within(request, failed, push).await
}

/// Gives `tags` to the image that was resolved.
pub async fn tag(request: &OciRequest, resolved: &Resolved, tags: &[String]) -> Result<(), PublishError> {
    let (digest, tags) = (resolved.digest, tags.to_vec());
    let failed = |url, source| PublishError::Tag { url, source };
    let tag = move |registry: Registry<'_>| {
        tags.iter().try_for_each(|tag| check_tag(tag))?;
        let registry = registry.writable();
        let document = registry.manifest(digest)?;
        tags.iter().try_for_each(|tag| registry.publish(tag, &document))
    };
    within(request, failed, tag).await
}

/// Returns those tags of the repository that `filter` lets through, in descending order of their characters.
pub async fn tags(request: &OciRequest, filter: TagFilter) -> Result<Vec<String>, PublishError> {
    let list = move |registry: Registry<'_>| {
        let mut tags = registry.tags()?;
        tags.retain(|tag| filter.lets_through(tag));
        tags.sort_unstable_by(|a, b| b.cmp(a));
        Ok(tags)
    };
    within(request, not_listed, list).await
}

/// Returns what is said of the image that was resolved.
pub async fn annotations(request: &OciRequest, resolved: &Resolved) -> Result<BTreeMap<String, String>, PublishError> {
    let digest = resolved.digest;
    within(request, not_listed, move |registry: Registry<'_>| Ok(registry.image(digest)?.annotations)).await
}

fn not_listed(url: OciUrl, source: RegistryError) -> PublishError {
    PublishError::List { url, source }
}

/// Does `work` with the repository; `failed` says what it was that did not succeed.
async fn within<T: Send + 'static>(
    request: &OciRequest,
    failed: fn(OciUrl, RegistryError) -> PublishError,
    work: impl FnOnce(Registry<'_>) -> Result<T, RegistryError> + Send + 'static,
) -> Result<T, PublishError> {
    let done = run(request, move |request, deadline| {
        work(Registry::new(&request, &deadline)).map_err(|source| failed(request.url.clone(), source))
    });
    done.await
}

/// Which tags are listed.
#[derive(Debug, Default)]
pub struct TagFilter {
    range: Option<VersionRange>,
    pattern: Option<Regex>,
}

impl TagFilter {
    /// Reads a filter: tags that are versions in the range `semver`, and that `regex` matches somewhere.
    pub fn parse(semver: Option<&str>, regex: Option<&str>) -> Result<Self, RegistryError> {
        let range = semver.map(|range| {
            VersionRange::parse(range)
                .map_err(|source| RegistryError::MalformedRange { range: range.to_owned(), source })
        });
        let pattern =
            regex.map(|regex| Regex::new(regex).map_err(|_| RegistryError::MalformedFilter(regex.to_owned())));
        Ok(Self { range: range.transpose()?, pattern: pattern.transpose()? })
    }

    fn lets_through(&self, tag: &str) -> bool {
        let is_within = |range: &VersionRange| parse_tag(tag).is_some_and(|version| range.matches(&version));
        !is_signature(tag)
            && self.range.as_ref().is_none_or(is_within)
            && self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(tag))
    }
}

/// Whether `tag` is one under which cosign keeps something about another image.
fn is_signature(tag: &str) -> bool {
    let end = tag.strip_prefix("sha256-").and_then(|rest| rest.split_once('.'));
    end.is_some_and(|(_, end)| matches!(end, "sig" | "att" | "sbom"))
}

fn not_a_tag(reference: &OciReference) -> RegistryError {
    let written = match reference {
        OciReference::Digest(digest) => digest,
        OciReference::Semver { range, .. } => range,
        OciReference::Tag(tag) => tag,
    };
    RegistryError::MalformedTag(written.clone())
}

fn push_to(registry: &Registry<'_>, tag: &str, artifact: &NewArtifact) -> Result<Digest, RegistryError> {
    if artifact.layer.len() as u64 > LAYER_LIMIT_BYTES {
        return Err(RegistryError::Limit { what: "the layer", limit: format!("{LAYER_LIMIT_BYTES} bytes") });
    }
    let config = config(&artifact.layer).map_err(|error| RegistryError::Malformed(error.to_string()))?;
    registry.upload(&artifact.layer)?;
    registry.upload(&config)?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(CONFIG, &config),
        "layers": [descriptor(LAYER, &artifact.layer)],
        "annotations": artifact.annotations,
    });
    let document = Pushed { media_type: MANIFEST.to_owned(), json: manifest.to_string().into_bytes() };
    registry.publish(tag, &document)?;
    Ok(Digest::of(&document.json))
}

fn descriptor(media_type: &str, blob: &[u8]) -> Value {
    json!({ "mediaType": media_type, "size": blob.len(), "digest": Digest::of(blob).to_string() })
}

/// What tools for images read of an image that runs nowhere.
fn config(layer: &[u8]) -> io::Result<Vec<u8>> {
    let rootfs = json!({ "type": "layers", "diff_ids": [unpacked_digest(layer)?.to_string()] });
    Ok(json!({ "architecture": "", "os": "", "config": {}, "rootfs": rootfs }).to_string().into_bytes())
}

/// The digest of what `layer` is when it is not compressed.
fn unpacked_digest(layer: &[u8]) -> io::Result<Digest> {
    let (mut from, mut hasher, mut buffer) = (MultiGzDecoder::new(layer), Sha256::new(), vec![0; 64 << 10]);
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(Digest::from_bytes(hasher.finalize().into())),
            length => hasher.update(&buffer[..length]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_lets_through_versions_and_patterns_and_never_signatures() {
        let tags = ["1.2.0", "v2.0.0", "latest", "sha256-4f2a.sig", "sha256-4f2a.att"];
        let kept = |semver, regex| {
            let filter = TagFilter::parse(semver, regex).expect("readable");
            tags.into_iter().filter(|tag| filter.lets_through(tag)).collect::<Vec<_>>()
        };
        assert_eq!(kept(None, None), ["1.2.0", "v2.0.0", "latest"]);
        assert_eq!(kept(Some(">=1.0.0"), None), ["1.2.0", "v2.0.0"]);
        assert_eq!(kept(Some(">=1.0.0"), Some("^v")), ["v2.0.0"]);
        assert_eq!(kept(None, Some("t$")), ["latest"]);
        assert!(TagFilter::parse(Some("a"), None).is_err() && TagFilter::parse(None, Some("[")).is_err());
    }
}
