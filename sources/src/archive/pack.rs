//! Writing a tree as the `.tar.gz` that Flux's consumers expect.
//!
//! Equal trees give equal bytes: entries in byte order below a first entry `.`, directories before what they hold and
//! without a slash at the end, no owners, no times, and the modes `0750`, `0600` and `0700`; then gzip without a name or
//! time. The header is USTAR, with a PAX record where a name does not fit into it.

use std::io::{self, Write};

use fairlead_object::{Digest, TreePath};
use flate2::{Compression, GzBuilder, write::GzEncoder};
use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};

use crate::store::{Mode, Node, StoreError, StoredTree};

const DIRECTORY_MODE: u32 = 0o750;
const REGULAR_MODE: u32 = 0o600;
const EXECUTABLE_MODE: u32 = 0o700;
/// The gzip header's byte for "made by no system that we name".
const UNKNOWN_SYSTEM: u8 = 255;
const BLOCK_BYTES: usize = 512;
const BLOCK: [u8; BLOCK_BYTES] = [0; BLOCK_BYTES];

/// Packs `tree` into `to` chunk by chunk, and returns the digest and size of what it wrote.
pub(crate) fn pack(
    tree: &StoredTree,
    to: impl FnMut(&[u8]) -> Result<(), StoreError>,
) -> Result<(Digest, u64), StoreError> {
    let mut archive = Archive::new(to);
    tree.walk(&mut |path, node| match node {
        Node::Directory { .. } => archive.header(path, EntryType::Directory, DIRECTORY_MODE, 0),
        Node::File { mode, digest, size_bytes } => {
            archive.header(path, EntryType::Regular, mode_bits(*mode), *size_bytes)?;
            tree.copy(digest, |chunk| archive.write(chunk))?;
            archive.pad(*size_bytes)
        }
    })?;
    archive.finish()
}

fn mode_bits(mode: Mode) -> u32 {
    match mode {
        Mode::Regular => REGULAR_MODE,
        Mode::Executable => EXECUTABLE_MODE,
    }
}

pub(super) struct Archive<F: FnMut(&[u8]) -> Result<(), StoreError>> {
    to: GzEncoder<Tally<F>>,
}

impl<F: FnMut(&[u8]) -> Result<(), StoreError>> Archive<F> {
    pub(super) fn new(to: F) -> Self {
        let tally = Tally { to, hasher: Sha256::new(), size_bytes: 0 };
        let to = GzBuilder::new().mtime(0).operating_system(UNKNOWN_SYSTEM).write(tally, Compression::new(6));
        Self { to }
    }

    pub(super) fn header(
        &mut self,
        path: &TreePath,
        kind: EntryType,
        mode: u32,
        size_bytes: u64,
    ) -> Result<(), StoreError> {
        let name = path.to_string();
        let (prefix, base) = if let Some(split) = ustar_name(&name) {
            split
        } else {
            self.long_name(&name)?;
            ("", "PaxNamed")
        };
        self.block(prefix, base, kind, mode, size_bytes)
    }

    /// The PAX record that names the entry after it.
    fn long_name(&mut self, name: &str) -> Result<(), StoreError> {
        let record = pax_record("path", name);
        let size_bytes = record.len() as u64;
        self.block("", "PaxHeaders.0", EntryType::XHeader, 0, size_bytes)?;
        self.write(record.as_bytes())?;
        self.pad(size_bytes)
    }

    fn block(
        &mut self,
        prefix: &str,
        name: &str,
        kind: EntryType,
        mode: u32,
        size_bytes: u64,
    ) -> Result<(), StoreError> {
        let mut header = Header::new_ustar();
        let fields = header.as_ustar_mut().expect("made as USTAR");
        fields.name[..name.len()].copy_from_slice(name.as_bytes());
        fields.prefix[..prefix.len()].copy_from_slice(prefix.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(size_bytes);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_cksum();
        self.write(header.as_bytes())
    }

    /// Fills the last block of an entry's content.
    pub(super) fn pad(&mut self, size_bytes: u64) -> Result<(), StoreError> {
        let used = usize::try_from(size_bytes % BLOCK_BYTES as u64).expect("smaller than a block");
        if used == 0 { Ok(()) } else { self.write(&BLOCK[used..]) }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.to.write_all(bytes).map_err(into_store_error)
    }

    pub(super) fn finish(mut self) -> Result<(Digest, u64), StoreError> {
        self.write(&BLOCK)?;
        self.write(&BLOCK)?;
        let tally = self.to.finish().map_err(into_store_error)?;
        Ok((Digest::from_bytes(tally.hasher.finalize().into()), tally.size_bytes))
    }
}

/// Splits `name` into the prefix and the name of a USTAR header, where it fits.
fn ustar_name(name: &str) -> Option<(&str, &str)> {
    const NAME_BYTES: usize = 100;
    const PREFIX_BYTES: usize = 155;
    if !name.is_ascii() {
        return None;
    }
    if name.len() <= NAME_BYTES {
        return Some(("", name));
    }
    name.match_indices('/')
        .map(|(at, _)| (&name[..at], &name[at + 1..]))
        .find(|(prefix, base)| prefix.len() <= PREFIX_BYTES && base.len() <= NAME_BYTES)
}

/// One PAX record: its own length in decimal, the key and the value.
fn pax_record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    format!("{length}{rest}")
}

/// Passes bytes on, and counts and digests them.
struct Tally<F> {
    to: F,
    hasher: Sha256,
    size_bytes: u64,
}

impl<F: FnMut(&[u8]) -> Result<(), StoreError>> Write for Tally<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.to)(bytes).map_err(io::Error::other)?;
        self.hasher.update(bytes);
        self.size_bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Unwraps what [`Tally`] has wrapped.
fn into_store_error(error: io::Error) -> StoreError {
    match error.downcast::<StoreError>() {
        Ok(error) => error,
        Err(error) => StoreError::Input(error),
    }
}
