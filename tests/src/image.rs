//! Images for tests, and what a registry holds of them.

use std::collections::BTreeMap;

use fairlead_object::Digest;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::{Value, json};
use tar::{EntryType, Header};

/// The kind of layer that `flux push artifact` makes.
pub const FLUX_LAYER: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";
/// The kind of one image.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The kind of a list of images.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &[u8] = b"{}";

/// What a registry holds of one repository.
#[derive(Clone, Default)]
pub struct Content {
    /// By tag and by digest: the media type and the document.
    pub manifests: BTreeMap<String, (&'static str, Vec<u8>)>,
    /// By digest.
    pub blobs: BTreeMap<String, Vec<u8>>,
    /// In the order in which they are listed.
    pub tags: Vec<String>,
}

impl Content {
    /// One image with one layer of `files` under `tag`.
    pub fn of_files(tag: &str, files: &[(&str, &str)]) -> Self {
        let mut content = Self::default();
        content.push(tag, &[(FLUX_LAYER, archive(files))]);
        content
    }

    /// Adds an image with these layers, each with its media type, under `tag`, and returns its digest.
    pub fn push(&mut self, tag: &str, layers: &[(&str, Vec<u8>)]) -> String {
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

    /// Adds a part with its media type and annotations to the document under `tag`, which is new if there is none.
    ///
    /// # Panics
    /// If what is under the tag is no document of parts.
    pub fn attach(&mut self, tag: &str, media_type: &str, part: &[u8], annotations: &Value) {
        let before = self.manifests.get(tag).map(|(_, document)| document.clone());
        let mut manifest = match before {
            Some(document) => serde_json::from_slice(&document).expect("a document"),
            None => self.document(),
        };
        let mut part = self.add_blob(media_type, part);
        part["annotations"] = annotations.clone();
        manifest["layers"].as_array_mut().expect("a list").push(part);
        self.tag(tag, MANIFEST, manifest.to_string().into_bytes());
    }

    /// Adds a document with one part that refers to the image at `digest`, and names it in the list of those that do.
    ///
    /// # Panics
    /// If there is no such image.
    pub fn refer(&mut self, digest: &str, media_type: &str, part: &[u8]) {
        self.refer_as(digest, media_type, media_type, part);
    }

    /// Adds a document as [`refer`](Self::refer) does, whose kind is another one than that of its part.
    ///
    /// # Panics
    /// If there is no such image.
    pub fn refer_as(&mut self, digest: &str, artifact_type: &str, media_type: &str, part: &[u8]) {
        let mut manifest = self.document();
        manifest["artifactType"] = json!(artifact_type);
        manifest["subject"] =
            json!({ "mediaType": MANIFEST, "digest": digest, "size": self.manifests[digest].1.len() });
        manifest["layers"] = json!([self.add_blob(media_type, part)]);
        let document = manifest.to_string().into_bytes();
        let referrer = Digest::of(&document).to_string();
        let size = document.len();
        self.manifests.insert(referrer.clone(), (MANIFEST, document));
        let tag = digest.replace(':', "-");
        let mut list = match self.manifests.get(&tag) {
            Some((_, list)) => serde_json::from_slice(list).expect("a list"),
            None => json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [] }),
        };
        let entry = json!({ "mediaType": MANIFEST, "digest": referrer, "size": size, "artifactType": artifact_type });
        list["manifests"].as_array_mut().expect("a list").push(entry);
        self.tag(&tag, INDEX, list.to_string().into_bytes());
    }

    /// A document without parts.
    fn document(&mut self) -> Value {
        let config = self.add_blob("application/vnd.oci.empty.v1+json", CONFIG);
        json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [] })
    }

    /// Adds an index of the images at `digests`, each for a platform, under `tag`, and returns its digest.
    ///
    /// # Panics
    /// If there is no image at one of them.
    pub fn push_index(&mut self, tag: &str, digests: &[(&str, &str)]) -> String {
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

    /// Pushes everything to the repository below `url`, a registry's `http://<host>/v2/<repository>`, as every client does:
    /// blobs, then manifests.
    ///
    /// # Panics
    /// If the registry does not take it.
    pub fn push_to(&self, url: &str) {
        for (digest, blob) in &self.blobs {
            let started = ureq::post(format!("{url}/blobs/uploads/")).send_empty().expect("an upload");
            let location = started.headers()["location"].to_str().expect("text").to_owned();
            let separator = if location.contains('?') { '&' } else { '?' };
            ureq::put(format!("{location}{separator}digest={digest}")).send(blob).expect("a blob");
        }
        let order = |kind: &'static str| self.manifests.iter().filter(move |(_, (media_type, _))| *media_type == kind);
        for (reference, (media_type, document)) in order(MANIFEST).chain(order(INDEX)) {
            let put = ureq::put(format!("{url}/manifests/{reference}")).content_type(*media_type);
            put.send(document).expect("a manifest");
        }
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

/// Returns a `.tar.gz` of `files`; one whose content starts with `-> ` is a symbolic link.
///
/// # Panics
/// If a name is none.
pub fn archive(files: &[(&str, &str)]) -> Vec<u8> {
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

/// Returns the files of a `.tar.gz` in its order, one a line, with line breaks in them as `; `.
///
/// # Panics
/// If it is none, or holds something else than texts.
pub fn unpacked(archive: &[u8]) -> String {
    let mut archive = tar::Archive::new(GzDecoder::new(archive));
    let entries = archive.entries().expect("an archive").map(|entry| {
        let mut entry = entry.expect("an entry");
        let path = entry.path().expect("a path").display().to_string();
        let content = std::io::read_to_string(&mut entry).expect("text");
        format!("{path}: {}\n", content.trim_end().replace('\n', "; "))
    });
    entries.collect()
}
