//! The image that `fairlead install` runs, as an OCI archive: the binary, the roots of public certificate authorities,
//! and a user that is not root. There is no shell, no package and no library in it.
//!
//! Equal inputs give equal archives, byte for byte: files are dated to 1970 and nothing tells who packed them.

use std::{
    env::consts,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

/// The name under which `fairlead install` expects the image.
pub const REFERENCE: &str = concat!("localhost/fairlead:v", env!("CARGO_PKG_VERSION"));

/// Where the binary is in the image.
const BINARY: &str = "usr/local/bin/fairlead";

/// Where the roots of certificate authorities are in the image, and on the Debian that builds it.
const AUTHORITIES: &str = "etc/ssl/certs/ca-certificates.crt";

/// The user and group of the process.
const USER: &str = "65532:65532";

const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// A file that belongs into the image, or the archive, cannot be read or written.
    #[error("cannot read or write `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The machine that builds has no certificate authorities.
    #[error("missing: `/{AUTHORITIES}`\nInstall with: apt-get install --yes ca-certificates")]
    NoAuthorities,
    /// The binary would not start in the image.
    #[error("`{}` needs a dynamic loader, and the image has none", .0.display())]
    NotStatic(PathBuf),
}

/// An image with its parts, as a registry keeps them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The files, packed.
    pub layer: Blob,
    /// What is started, and as whom.
    pub config: Blob,
    /// Names the other two.
    pub manifest: Blob,
}

/// Something that is known by its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// What it is.
    pub media_type: &'static str,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// The content.
    pub bytes: Vec<u8>,
}

/// Packs the binary at `binary` with this machine's certificate authorities.
///
/// # Errors
/// If the binary or the authorities cannot be read, or the binary needs a dynamic loader.
pub fn pack(binary: &Path) -> Result<Image, ImageError> {
    let program = read(binary)?;
    if needs_loader(&program) {
        return Err(ImageError::NotStatic(binary.to_owned()));
    }
    let path = Path::new("/").join(AUTHORITIES);
    if !path.is_file() {
        return Err(ImageError::NoAuthorities);
    }
    let authorities = read(&path)?;
    Image::new(&program, &authorities).map_err(|source| ImageError::File { path: binary.to_owned(), source })
}

fn read(path: &Path) -> Result<Vec<u8>, ImageError> {
    fs::read(path).map_err(|source| ImageError::File { path: path.to_owned(), source })
}

impl Image {
    fn new(program: &[u8], authorities: &[u8]) -> io::Result<Self> {
        let files = files(program, authorities)?;
        let mut packed = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
        packed.write_all(&files)?;
        let layer = Blob::new(LAYER_TYPE, packed.finish()?);
        let config = Blob::json(CONFIG_TYPE, &configuration(&digest(&files)));
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": config.descriptor(),
            "layers": [layer.descriptor()],
        });
        let manifest = Blob::json(MANIFEST_TYPE, &manifest);
        Ok(Self { layer, config, manifest })
    }

    /// Writes the image as an archive that `docker load`, `podman load`, `ctr images import` and `skopeo` read.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), ImageError> {
        let archive = self.archive().and_then(|archive| fs::write(path, archive));
        archive.map_err(|source| ImageError::File { path: path.to_owned(), source })
    }

    fn archive(&self) -> io::Result<Vec<u8>> {
        let mut tar = Builder::new(Vec::new());
        let mut blobs = [&self.layer, &self.config, &self.manifest];
        blobs.sort_by(|a, b| a.digest.cmp(&b.digest));
        directory(&mut tar, "blobs/")?;
        directory(&mut tar, "blobs/sha256/")?;
        for blob in blobs {
            let hex = blob.digest.trim_start_matches("sha256:");
            file(&mut tar, &format!("blobs/sha256/{hex}"), &blob.bytes, 0o644)?;
        }
        file(&mut tar, "index.json", self.index().to_string().as_bytes(), 0o644)?;
        file(&mut tar, "oci-layout", json!({ "imageLayoutVersion": "1.0.0" }).to_string().as_bytes(), 0o644)?;
        tar.into_inner()
    }

    fn index(&self) -> Value {
        let mut manifest = self.manifest.descriptor();
        let (_, tag) = REFERENCE.rsplit_once(':').unwrap_or_default();
        manifest["annotations"] =
            json!({ "io.containerd.image.name": REFERENCE, "org.opencontainers.image.ref.name": tag });
        json!({ "schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [manifest] })
    }
}

impl Blob {
    fn new(media_type: &'static str, bytes: Vec<u8>) -> Self {
        Self { media_type, digest: digest(&bytes), bytes }
    }

    fn json(media_type: &'static str, content: &Value) -> Self {
        Self::new(media_type, content.to_string().into_bytes())
    }

    fn descriptor(&self) -> Value {
        json!({ "mediaType": self.media_type, "digest": self.digest, "size": self.bytes.len() })
    }
}

fn digest(bytes: &[u8]) -> String {
    let hex: Vec<String> = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{}", hex.concat())
}

/// All files of the image, unpacked, in order.
fn files(program: &[u8], authorities: &[u8]) -> io::Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::new());
    for path in ["etc/", "etc/ssl/", "etc/ssl/certs/"] {
        directory(&mut tar, path)?;
    }
    file(&mut tar, AUTHORITIES, authorities, 0o644)?;
    for path in ["usr/", "usr/local/", "usr/local/bin/"] {
        directory(&mut tar, path)?;
    }
    file(&mut tar, BINARY, program, 0o755)?;
    tar.into_inner()
}

fn directory(tar: &mut Builder<Vec<u8>>, path: &str) -> io::Result<()> {
    append(tar, path, EntryType::Directory, &[], 0o755)
}

fn file(tar: &mut Builder<Vec<u8>>, path: &str, content: &[u8], mode: u32) -> io::Result<()> {
    append(tar, path, EntryType::Regular, content, mode)
}

fn append(tar: &mut Builder<Vec<u8>>, path: &str, kind: EntryType, content: &[u8], mode: u32) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(content.len() as u64);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    tar.append_data(&mut header, path, content)
}

fn configuration(files: &str) -> Value {
    json!({
        "architecture": architecture(),
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {
            "User": USER,
            "Entrypoint": [format!("/{BINARY}")],
            "WorkingDir": "/",
            "Labels": {
                "org.opencontainers.image.title": "Fairlead",
                "org.opencontainers.image.version": env!("CARGO_PKG_VERSION"),
                "org.opencontainers.image.licenses": env!("CARGO_PKG_LICENSE"),
            },
        },
        "rootfs": { "type": "layers", "diff_ids": [files] },
    })
}

/// This machine's architecture by the name that Go has for it, as OCI does.
fn architecture() -> &'static str {
    match consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// The kind of a program header that names the dynamic loader (`PT_INTERP` of the ELF format).
const INTERPRETER: u32 = 3;

/// Whether an ELF program of 64 bits, little-endian, names a dynamic loader.
fn needs_loader(program: &[u8]) -> bool {
    let number = |at: usize, length: usize| {
        let bytes = program.get(at..at + length)?;
        Some(bytes.iter().rev().fold(0_usize, |number, byte| number << 8 | usize::from(*byte)))
    };
    let headers = || Some((number(0x20, 8)?, number(0x36, 2)?, number(0x38, 2)?));
    let Some((first, length, count)) = headers() else { return false };
    (0..count).any(|at| number(first.saturating_add(at * length), 4) == Some(INTERPRETER as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> Image {
        Image::new(b"program", b"authorities").unwrap()
    }

    #[test]
    fn the_image_holds_two_files_and_starts_one_of_them_as_nobody() {
        let image = image();
        let mut files = tar::Archive::new(flate2::read::GzDecoder::new(image.layer.bytes.as_slice()));
        let listed = files.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            let path = entry.path().unwrap().display().to_string();
            format!("{:o} {} {path}", header.mode().unwrap(), header.mtime().unwrap())
        });
        let config: Value = serde_json::from_slice(&image.config.bytes).unwrap();
        assert_eq!(
            listed.collect::<Vec<_>>().join("\n"),
            "755 0 etc/\n755 0 etc/ssl/\n755 0 etc/ssl/certs/\n644 0 etc/ssl/certs/ca-certificates.crt\n\
             755 0 usr/\n755 0 usr/local/\n755 0 usr/local/bin/\n755 0 usr/local/bin/fairlead"
        );
        assert_eq!(config["config"]["User"], "65532:65532");
        assert_eq!(config["config"]["Entrypoint"], json!(["/usr/local/bin/fairlead"]));
    }

    #[test]
    fn equal_inputs_give_equal_archives() {
        assert_eq!(image().archive().unwrap(), image().archive().unwrap());
    }

    #[test]
    fn a_program_with_a_dynamic_loader_is_refused() {
        let this = std::env::current_exe().unwrap();
        assert!(needs_loader(&fs::read(this).unwrap()), "tests are linked dynamically");
        assert!(!needs_loader(b"\x7fELF"));
        assert!(!needs_loader(&[0; 64]));
    }
}
