//! Manifests and indexes of images, as far as a source needs them.
//!
//! A document is read only after its digest was checked, and it must be one of the two kinds: one that lists both layers
//! and manifests could mean different things to different readers (CVE-2021-41190), and is refused.

use std::collections::BTreeMap;

use fairlead_object::Digest;
use serde::{Deserialize, Deserializer};

use super::error::RegistryError;

/// The kinds of documents that are asked for.
pub(super) const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json";

/// The platform whose image is taken where there are several, as in Flux.
const PLATFORM: (&str, &str) = ("linux", "amd64");

/// A document that a registry keeps under a tag or digest.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Document {
    /// One image.
    Image(Image),
    /// Images for several platforms; this is the digest of the one that is taken.
    Index(Digest),
}

/// An image: what is said of it, and its layers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Image {
    pub(super) annotations: BTreeMap<String, String>,
    pub(crate) layers: Vec<Layer>,
}

/// One layer of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(super) media_type: String,
    pub(super) digest: Digest,
    pub(super) size_bytes: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    schema_version: Option<u64>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    #[serde(default, deserialize_with = "null_is_default")]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    size: u64,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    os: String,
    architecture: String,
}

fn null_is_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

impl Document {
    /// Reads a document.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, RegistryError> {
        let written: Written = serde_json::from_slice(json)
            .map_err(|error| RegistryError::Malformed(format!("the manifest cannot be read: {error}")))?;
        match (written.layers, written.manifests) {
            (Some(_), Some(_)) => Err(malformed("the manifest lists layers and manifests at once")),
            (None, Some(manifests)) => select(&manifests).map(Self::Index),
            (Some(layers), None) => {
                let layers = layers.iter().map(Layer::read).collect::<Result<_, _>>()?;
                Ok(Self::Image(Image { annotations: written.annotations, layers }))
            }
            (None, None) if written.schema_version == Some(1) => {
                Err(malformed("the manifest has version 1, which is not supported"))
            }
            (None, None) => Ok(Self::Image(Image { annotations: written.annotations, layers: Vec::new() })),
        }
    }
}

/// The image for our platform; one that does not say what it is for counts as that.
fn select(manifests: &[Descriptor]) -> Result<Digest, RegistryError> {
    let fits = |descriptor: &&Descriptor| {
        let platform = descriptor.platform.as_ref();
        platform.is_none_or(|platform| (platform.os.as_str(), platform.architecture.as_str()) == PLATFORM)
    };
    let found = manifests.iter().find(fits).ok_or(RegistryError::NoPlatform)?;
    digest(&found.digest)
}

impl Layer {
    fn read(descriptor: &Descriptor) -> Result<Self, RegistryError> {
        let Descriptor { media_type, size, .. } = descriptor;
        Ok(Self { media_type: media_type.clone(), digest: digest(&descriptor.digest)?, size_bytes: *size })
    }
}

/// Reads a digest; only SHA-256 is known.
pub(super) fn digest(text: &str) -> Result<Digest, RegistryError> {
    text.parse().map_err(|_| malformed(&format!("`{}` is not a SHA-256 digest", text.escape_debug())))
}

fn malformed(problem: &str) -> RegistryError {
    RegistryError::Malformed(problem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(json: &str) -> String {
        match Document::parse(json.as_bytes()) {
            Ok(Document::Index(digest)) => format!("index {}", &digest.hex()[..4]),
            Ok(Document::Image(Image { annotations, layers })) => {
                let layers: Vec<_> = layers
                    .iter()
                    .map(|layer| format!("{} {} {}", layer.media_type, &layer.digest.hex()[..4], layer.size_bytes))
                    .collect();
                format!("image {annotations:?} [{}]", layers.join(", "))
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_document_is_an_image_or_an_index_and_never_both() {
        let of = |digit: &str| format!("sha256:{}", digit.repeat(64));
        let (a, b) = (of("a"), of("b"));
        let rows = [
            (
                format!(
                    r#"{{"schemaVersion":2,"annotations":{{"k":"v"}},"layers":[{{"mediaType":"x/y","digest":"{a}","size":3}}]}}"#
                ),
                r#"image {"k": "v"} [x/y aaaa 3]"#,
            ),
            (r#"{"schemaVersion":2,"layers":[],"annotations":null}"#.to_owned(), "image {} []"),
            (r#"{"schemaVersion":2,"config":{}}"#.to_owned(), "image {} []"),
            (
                format!(
                    r#"{{"manifests":[{{"digest":"{a}","size":3,"platform":{{"os":"linux","architecture":"arm64"}}}},
                    {{"digest":"{b}","size":3,"platform":{{"os":"linux","architecture":"amd64"}}}}]}}"#
                ),
                "index bbbb",
            ),
            (format!(r#"{{"manifests":[{{"digest":"{a}","size":3}}]}}"#), "index aaaa"),
            (
                format!(
                    r#"{{"manifests":[{{"digest":"{a}","size":3,"platform":{{"os":"linux","architecture":"arm64"}}}}]}}"#
                ),
                "no child with platform linux/amd64 in index",
            ),
            (
                format!(r#"{{"layers":[],"manifests":[{{"digest":"{a}","size":3}}]}}"#),
                "malformed answer: the manifest lists layers and manifests at once",
            ),
            (
                r#"{"schemaVersion":1,"fsLayers":[]}"#.to_owned(),
                "malformed answer: the manifest has version 1, which is not supported",
            ),
            (
                r#"{"layers":[{"digest":"sha512:00","size":3}]}"#.to_owned(),
                "malformed answer: `sha512:00` is not a SHA-256 digest",
            ),
            (
                r#"{"layers":[{"digest":"../../x","size":3}]}"#.to_owned(),
                "malformed answer: `../../x` is not a SHA-256 digest",
            ),
            ("<html>".to_owned(), "malformed answer: the manifest cannot be read: expected value at line 1 column 1"),
        ];
        for (json, expected) in rows {
            assert_eq!(shown(&json), expected, "{json}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*|[\\[\\]{}\",:a-z0-9]{0,60}") {
            let _ = Document::parse(text.as_bytes());
        }
    }
}
