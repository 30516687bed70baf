//! Contents by digest: `blobs/ab/<digest>` for files, `trees/ab/<digest>` for directories.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read},
    path::PathBuf,
};

use fairlead_object::Digest;
use sha2::{Digest as _, Sha256};

use super::{
    StoreError,
    directory::Directory,
    files::{Files, Temporary, failed},
};

/// What a content is, and with it the folder it lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectKind {
    /// The content of a file.
    Blob,
    /// The listing of a directory.
    Tree,
}

impl ObjectKind {
    fn folder(self) -> &'static str {
        match self {
            Self::Blob => "blobs",
            Self::Tree => "trees",
        }
    }
}

/// The contents of a store. Whoever reads one gets what was put, or an error.
pub(crate) struct Objects {
    files: Files,
}

impl Objects {
    /// How much of a content is in memory at once while it is copied.
    const CHUNK_BYTES: usize = 64 << 10;

    pub(crate) fn new(files: Files) -> Self {
        Self { files }
    }

    pub(crate) fn files(&self) -> &Files {
        &self.files
    }

    pub(crate) fn path(&self, kind: ObjectKind, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.files.at(&format!("{}/{}/{hex}", kind.folder(), &hex[..2]))
    }

    /// The size of a content that is there; not whether it is what was put.
    pub(crate) fn size_bytes(&self, kind: ObjectKind, digest: &Digest) -> Result<u64, StoreError> {
        let file = self.path(kind, digest);
        fs::metadata(&file).map(|metadata| metadata.len()).map_err(|error| absent(*digest, file, error))
    }

    /// Opens a content without looking at it.
    pub(crate) fn open(&self, kind: ObjectKind, digest: &Digest) -> Result<File, StoreError> {
        let file = self.path(kind, digest);
        File::open(&file).map_err(|error| absent(*digest, file, error))
    }

    pub(crate) fn read(&self, kind: ObjectKind, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let file = self.path(kind, digest);
        let content = fs::read(&file).map_err(|error| absent(*digest, file.clone(), error))?;
        if Digest::of(&content) == *digest { Ok(content) } else { Err(StoreError::Damaged { digest: *digest, file }) }
    }

    /// Reads the directory at `digest`.
    pub(crate) fn directory(&self, digest: &Digest) -> Result<Directory, StoreError> {
        let damaged = || StoreError::Damaged { digest: *digest, file: self.path(ObjectKind::Tree, digest) };
        Directory::decode(&self.read(ObjectKind::Tree, digest)?).ok_or_else(damaged)
    }

    /// Reads a content chunk by chunk into `to`; fails at the end if it was not what was put.
    pub(crate) fn copy(
        &self,
        digest: &Digest,
        mut to: impl FnMut(&[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let file = self.path(ObjectKind::Blob, digest);
        let mut content = self.open(ObjectKind::Blob, digest)?;
        let copied = copy_hashed(&mut |buffer| content.read(buffer).map_err(failed("read", &file)), &mut to)?;
        if copied == *digest { Ok(()) } else { Err(StoreError::Damaged { digest: *digest, file }) }
    }

    /// Puts `content`, which has `digest`; over what is there, unless it is the same.
    pub(crate) fn put(&self, kind: ObjectKind, digest: &Digest, content: &[u8]) -> Result<(), StoreError> {
        let target = self.path(kind, digest);
        if fs::read(&target).is_ok_and(|kept| kept == content) {
            return Ok(());
        }
        let mut file = self.files.temporary()?;
        file.write(content)?;
        file.keep_as(&target)
    }

    /// Writes what `from` yields to a file without a name, and says what its digest is.
    pub(crate) fn stage(&self, from: &mut impl Read, limit_bytes: u64) -> Result<(Temporary<'_>, Digest), StoreError> {
        let mut file = self.files.temporary()?;
        let mut left_bytes = limit_bytes;
        let digest = copy_hashed(&mut |buffer| from.read(buffer).map_err(StoreError::Input), &mut |chunk| {
            left_bytes = left_bytes.checked_sub(chunk.len() as u64).ok_or(StoreError::BlobTooLarge { limit_bytes })?;
            file.write(chunk)
        })?;
        Ok((file, digest))
    }

    /// Every content of one kind. A file whose name is no digest is not ours and stays.
    pub(crate) fn list(&self, kind: ObjectKind) -> Result<Vec<Digest>, StoreError> {
        let folder = kind.folder();
        let mut found = Vec::new();
        for fan in self.files.list(folder)? {
            let Some(fan) = fan.file_name().and_then(OsStr::to_str) else { continue };
            for path in self.files.list(&format!("{folder}/{fan}"))? {
                let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
                found.extend(format!("sha256:{name}").parse::<Digest>());
            }
        }
        Ok(found)
    }

    pub(crate) fn remove(&self, kind: ObjectKind, digest: &Digest) -> Result<(), StoreError> {
        self.files.remove(&self.path(kind, digest))
    }
}

fn copy_hashed(
    read: &mut impl FnMut(&mut [u8]) -> Result<usize, StoreError>,
    write: &mut impl FnMut(&[u8]) -> Result<(), StoreError>,
) -> Result<Digest, StoreError> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; Objects::CHUNK_BYTES];
    loop {
        let length = read(&mut buffer)?;
        let chunk = &buffer[..length];
        if chunk.is_empty() {
            return Ok(Digest::from_bytes(hasher.finalize().into()));
        }
        hasher.update(chunk);
        write(chunk)?;
    }
}

fn absent(digest: Digest, file: PathBuf, error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::NotFound => StoreError::Missing { digest, file },
        _ => failed("read", &file)(error),
    }
}
