//! What an `OCIRepository` follows, and which tag that is.

use fairlead_object::Digest;
use regex::Regex;

use super::error::RegistryError;
use crate::version::{VersionRange, parse_tag};

/// What a source follows in its repository: the `spec.ref` of an `OCIRepository`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OciReference {
    /// One manifest. It never changes.
    Digest(String),
    /// The highest tag that is a version within a range.
    Semver {
        /// The range.
        range: String,
        /// A regular expression; tags that it does not match anywhere are not looked at.
        filter: Option<String>,
    },
    /// A tag.
    Tag(String),
}

/// The fields of `spec.ref` as they were written.
#[derive(Clone, Copy, Debug, Default)]
pub struct OciReferenceFields<'a> {
    /// `spec.ref.digest`
    pub digest: Option<&'a str>,
    /// `spec.ref.semver`
    pub semver: Option<&'a str>,
    /// `spec.ref.semverFilter`
    pub semver_filter: Option<&'a str>,
    /// `spec.ref.tag`
    pub tag: Option<&'a str>,
}

/// The tag that is followed when nothing else is said.
const DEFAULT_TAG: &str = "latest";

/// The media type of Helm charts. What is `+` in their versions is `_` in their tags.
pub const CHART_MEDIA_TYPE: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

impl OciReference {
    /// The one field that counts: `digest` before `semver` and `tag`. An empty field counts as absent.
    pub fn new(fields: OciReferenceFields<'_>) -> Self {
        let written = |field: Option<&str>| field.filter(|text| !text.is_empty()).map(str::to_owned);
        if let Some(digest) = written(fields.digest) {
            return Self::Digest(digest);
        }
        if let Some(range) = written(fields.semver) {
            return Self::Semver { range, filter: written(fields.semver_filter) };
        }
        Self::Tag(written(fields.tag).unwrap_or_else(|| DEFAULT_TAG.to_owned()))
    }
}

/// What a reference stands for at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Flux's revision: `<tag>@sha256:<hex>`, or `sha256:<hex>` for a digest.
    pub revision: String,
    /// The digest of the manifest, or of the index of manifests.
    pub digest: Digest,
    /// The tag; `None` for a digest.
    pub tag: Option<String>,
}

impl Resolved {
    /// What the manifest at a digest stands for: itself.
    pub(super) fn pinned(written: &str) -> Result<Self, RegistryError> {
        let digest: Digest = written.parse().map_err(|_| RegistryError::MalformedDigest(written.to_owned()))?;
        Ok(Self { revision: digest.to_string(), digest, tag: None })
    }

    pub(super) fn tagged(tag: &str, digest: Digest) -> Self {
        Self { revision: format!("{tag}@{digest}"), digest, tag: Some(tag.to_owned()) }
    }
}

/// Whether `tag` can be in a request. The first character keeps it from being a path.
pub(super) fn check_tag(tag: &str) -> Result<(), RegistryError> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let is_first = tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if is_first && tag.len() <= 128 && tag.bytes().all(is_allowed) {
        return Ok(());
    }
    Err(RegistryError::MalformedTag(tag.to_owned()))
}

/// The highest version in `range` among those of `tags` that `filter` matches.
pub(super) fn highest(
    tags: &[String],
    range: &str,
    filter: Option<&str>,
    media_type: Option<&str>,
) -> Result<String, RegistryError> {
    let within = VersionRange::parse(range)
        .map_err(|source| RegistryError::MalformedRange { range: range.to_owned(), source })?;
    let filter = filter.map(|filter| Regex::new(filter).map_err(|_| RegistryError::MalformedFilter(filter.to_owned())));
    let filter = filter.transpose()?;
    let is_chart = media_type == Some(CHART_MEDIA_TYPE);
    let version = |tag: &String| if is_chart { parse_tag(&tag.replace('_', "+")) } else { parse_tag(tag) };
    tags.iter()
        .filter(|tag| filter.as_ref().is_none_or(|filter| filter.is_match(tag)))
        .filter_map(|tag| Some((version(tag)?, tag)))
        .filter(|(version, _)| within.matches(version))
        .max_by(|(a, a_tag), (b, b_tag)| a.cmp_precedence(b).then_with(|| a_tag.cmp(b_tag)))
        .map(|(_, tag)| tag.clone())
        .ok_or_else(|| RegistryError::NoVersion(range.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_counts_before_a_range_and_a_range_before_a_tag() {
        let all = OciReferenceFields {
            digest: Some("sha256:x"),
            semver: Some("1.x"),
            semver_filter: Some("-rc"),
            tag: Some("v1"),
        };
        let rows = [
            (all, OciReference::Digest("sha256:x".into())),
            (
                OciReferenceFields { digest: None, ..all },
                OciReference::Semver { range: "1.x".into(), filter: Some("-rc".into()) },
            ),
            (OciReferenceFields { digest: None, semver: Some(""), ..all }, OciReference::Tag("v1".into())),
            (OciReferenceFields::default(), OciReference::Tag("latest".into())),
        ];
        for (fields, expected) in rows {
            assert_eq!(OciReference::new(fields), expected, "{fields:?}");
        }
    }

    #[test]
    fn the_highest_tag_within_the_range_and_the_filter_is_followed() {
        let tags = ["1.0.0", "v1.2.0", "1.10.0-rc.1", "1.3.0_build.2", "2.0.0", "latest", "1.2"].map(str::to_owned);
        let chart = Some(CHART_MEDIA_TYPE);
        let rows = [
            ("1.x", None, None, "v1.2.0"),
            (">=1.0.0-0 <2", None, None, "1.10.0-rc.1"),
            (">=1.0.0-0", Some("-rc"), None, "1.10.0-rc.1"),
            ("1.x", None, chart, "1.3.0_build.2"),
            ("*", Some("^v?1\\."), None, "v1.2.0"),
            ("3.x", None, None, "no match found for semver: 3.x"),
            ("*", Some("["), None, "malformed semver filter `[`"),
            ("a", None, None, "malformed semver range `a`"),
        ];
        for (range, filter, media_type, expected) in rows {
            let outcome = highest(&tags, range, filter, media_type).unwrap_or_else(|error| error.to_string());
            assert_eq!(outcome, expected, "{range} {filter:?}");
        }
    }

    #[test]
    fn a_tag_cannot_be_a_path() {
        for tag in ["latest", "_x", "1.0.0-rc_1"] {
            assert!(check_tag(tag).is_ok(), "{tag}");
        }
        for tag in ["", "../x", ".x", "a/b", "a?b", "a@b", "é", &"a".repeat(129)] {
            assert!(check_tag(tag).is_err(), "{tag}");
        }
    }
}
