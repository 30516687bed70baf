//! Images, and what a registry holds of them.

use std::collections::BTreeMap;

use fairlead_object::Digest;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use tar::{EntryType, Header};

/// The kind of layer that `flux push artifact` makes.
pub(crate) const FLUX_LAYER: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &[u8] = b"{}";

/// What a registry holds of one repository.
#[derive(Clone, Default)]
pub(crate) struct Content {
    /// By tag and by digest: the media type and the document.
    pub(crate) manifests: BTreeMap<String, (&'static str, Vec<u8>)>,
    /// By digest.
    pub(crate) blobs: BTreeMap<String, Vec<u8>>,
    /// In the order in which they are listed.
    pub(crate) tags: Vec<String>,
}

impl Content {
    /// One image with one layer of `files` under `tag`.
    pub(crate) fn of_files(tag: &str, files: &[(&str, &str)]) -> Self {
        let mut content = Self::default();
        content.push(tag, &[(FLUX_LAYER, archive(files))]);
        content
    }

    /// Adds an image with these layers under `tag`, and returns its digest.
    pub(crate) fn push(&mut self, tag: &str, layers: &[(&str, Vec<u8>)]) -> String {
        let layers: Vec<Value> = layers.iter().map(|(media_type, layer)| self.add_blob(media_type, layer)).collect();
        let config = self.add_blob("application/vnd.cncf.flux.config.v1+json", CONFIG);
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config,
            "layers": layers,
            "annotations": { "org.opencontainers.image.revision": format!("{tag}@sha1:4f2a") },
        });
        self.tag(tag, MANIFEST, manifest.to_string().into_bytes())
    }

    /// Adds an index of the images at `digests`, each for a platform, under `tag`.
    pub(crate) fn push_index(&mut self, tag: &str, digests: &[(&str, &str)]) -> String {
        let manifests: Vec<Value> = digests
            .iter()
            .map(|(architecture, digest)| {
                let size = self.manifests[*digest].1.len();
                let platform = json!({ "os": "linux", "architecture": architecture });
                json!({ "mediaType": MANIFEST, "digest": digest, "size": size, "platform": platform })
            })
            .collect();
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
        self.tag(tag, INDEX, index.to_string().into_bytes())
    }

    fn tag(&mut self, tag: &str, media_type: &'static str, document: Vec<u8>) -> String {
        let digest = Digest::of(&document).to_string();
        self.manifests.insert(digest.clone(), (media_type, document.clone()));
        self.manifests.insert(tag.to_owned(), (media_type, document));
        self.tags.push(tag.to_owned());
        digest
    }

    fn add_blob(&mut self, media_type: &str, blob: &[u8]) -> Value {
        let digest = Digest::of(blob).to_string();
        self.blobs.insert(digest.clone(), blob.to_vec());
        json!({ "mediaType": media_type, "digest": digest, "size": blob.len() })
    }
}

/// A `.tar.gz` of `files`; one whose content starts with `-> ` is a symbolic link.
pub(crate) fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, content) in files {
        let mut header = Header::new_ustar();
        header.set_mode(0o644);
        if let Some(target) = content.strip_prefix("-> ") {
            header.set_entry_type(EntryType::Symlink);
            header.set_size(0);
            archive.append_link(&mut header, name, target).expect("a link");
        } else {
            header.set_size(content.len() as u64);
            archive.append_data(&mut header, name, content.as_bytes()).expect("a file");
        }
    }
    archive.into_inner().and_then(GzEncoder::finish).expect("an archive")
}
