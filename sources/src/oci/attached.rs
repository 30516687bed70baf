//! What is attached to an image: documents that refer to it, and such whose tag is named after it.

use std::collections::BTreeMap;

use fairlead_object::Digest;
use serde::Deserialize;

use super::{
    error::RegistryError,
    manifest::digest,
    registry::{MANIFEST_LIMIT_BYTES, PAGES_LIMIT, Registry, next_page},
};
use crate::transport::Refusal;

/// Largest signature that is read.
const ATTACHED_LIMIT_BYTES: u64 = 8 << 20;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
const ANYTHING: &str = "*/*";

/// One document that is attached to an image.
#[derive(Debug, Deserialize)]
pub(super) struct Attached {
    #[serde(default)]
    layers: Vec<Part>,
}

/// One part of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Part {
    #[serde(default)]
    pub(super) media_type: String,
    digest: String,
    #[serde(default)]
    pub(super) annotations: BTreeMap<String, String>,
}

impl Attached {
    /// The parts whose kind starts with `kind`.
    pub(super) fn parts(&self, kind: &str) -> impl Iterator<Item = &Part> {
        self.layers.iter().filter(move |part| part.media_type.starts_with(kind))
    }
}

#[derive(Deserialize)]
struct Referrers {
    #[serde(default)]
    manifests: Vec<Referrer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Referrer {
    digest: String,
    artifact_type: Option<String>,
}

impl Registry<'_> {
    /// The documents that refer to `image` and whose kind, where it is told, starts with `kind`. A registry that does not
    /// know which do keeps a list of them under a tag.
    pub(super) fn referrers(&self, image: Digest, kind: &str) -> Result<Vec<Digest>, RegistryError> {
        let listed = match self.referrers_of_api(image) {
            Err(RegistryError::NotFound { .. } | RegistryError::Refused(Refusal::Status { .. })) => {
                self.referrers_of_tag(image)?
            }
            listed => listed?,
        };
        let is_wanted =
            |referrer: &&Referrer| referrer.artifact_type.as_ref().is_none_or(|told| told.starts_with(kind));
        listed.iter().filter(is_wanted).map(|referrer| digest(&referrer.digest)).collect()
    }

    fn referrers_of_api(&self, image: Digest) -> Result<Vec<Referrer>, RegistryError> {
        let mut referrers = Vec::new();
        let mut url = self.below(&format!("referrers/{image}"));
        for _ in 0..PAGES_LIMIT {
            let (at, response) = self.get(&url, INDEX)?;
            let next = next_page(response.headers()).map(str::to_owned);
            let json = self.read_body(&at, response, LIST, MANIFEST_LIMIT_BYTES)?;
            referrers.extend(list(&json)?);
            let Some(next) = next else { return Ok(referrers) };
            url = self.page(&at, &next)?;
        }
        Err(RegistryError::Limit { what: LIST, limit: format!("{PAGES_LIMIT} pages") })
    }

    fn referrers_of_tag(&self, image: Digest) -> Result<Vec<Referrer>, RegistryError> {
        let url = self.below(&format!("manifests/{}", image_tag(image)));
        match self.read(&url, INDEX, LIST, MANIFEST_LIMIT_BYTES) {
            Err(RegistryError::NotFound { .. }) => Ok(Vec::new()),
            json => list(&json?),
        }
    }

    /// The document under `reference`, a tag or a digest, if there is one.
    pub(super) fn attached(&self, reference: &str) -> Result<Option<Attached>, RegistryError> {
        let url = self.below(&format!("manifests/{reference}"));
        let json = match self.read(&url, MANIFEST, DOCUMENT, MANIFEST_LIMIT_BYTES) {
            Err(RegistryError::NotFound { .. }) => return Ok(None),
            json => json?,
        };
        if let Ok(wanted) = digest(reference) {
            check(&json, wanted)?;
        }
        let attached = serde_json::from_slice(&json);
        attached.map(Some).map_err(|error| RegistryError::Malformed(format!("{DOCUMENT} cannot be read: {error}")))
    }

    /// The content of one part.
    pub(super) fn part(&self, part: &Part) -> Result<Vec<u8>, RegistryError> {
        let wanted = digest(&part.digest)?;
        let url = self.below(&format!("blobs/{wanted}"));
        let content = self.read(&url, ANYTHING, "the signature", ATTACHED_LIMIT_BYTES)?;
        check(&content, wanted)?;
        Ok(content)
    }
}

const LIST: &str = "the list of referrers";
const DOCUMENT: &str = "the manifest of the signature";

/// The tag that is named after `image`.
pub(super) fn image_tag(image: Digest) -> String {
    format!("sha256-{}", image.hex())
}

fn list(json: &[u8]) -> Result<Vec<Referrer>, RegistryError> {
    let listed: Referrers = serde_json::from_slice(json)
        .map_err(|error| RegistryError::Malformed(format!("{LIST} cannot be read: {error}")))?;
    Ok(listed.manifests)
}

fn check(content: &[u8], wanted: Digest) -> Result<(), RegistryError> {
    let got = Digest::of(content);
    if got == wanted { Ok(()) } else { Err(RegistryError::WrongDigest { what: "the signature", wanted, got }) }
}
