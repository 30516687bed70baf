//! A file that is served as it came.

use std::{fs::File, io::Read};

use fairlead_object::Digest;

use super::{Store, StoreError, objects::ObjectKind, pins::WriterId};

/// A file in the store that may become an artifact. It stays there as long as this lives, and from then on as long as a
/// source names it.
pub struct StoredFile {
    store: Store,
    pin: WriterId,
    digest: Digest,
    size_bytes: u64,
}

impl Store {
    /// Stores what `content` yields, up to `limit_bytes`, as one file.
    pub fn file(&self, content: &mut impl Read, limit_bytes: u64) -> Result<StoredFile, StoreError> {
        let (staged, digest) = self.objects().stage(content, limit_bytes)?;
        let pin = self.pins().add_writer();
        let mut file = StoredFile { store: self.clone(), pin, digest, size_bytes: 0 };
        let _no_sweep = self.hold_sweep();
        self.pins().pin(pin, digest);
        staged.keep_as(&self.objects().path(ObjectKind::Blob, &digest))?;
        file.size_bytes = self.objects().size_bytes(ObjectKind::Blob, &digest)?;
        self.index().set_verified(digest);
        Ok(file)
    }
}

impl StoredFile {
    /// The digest of its content.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The size of its content.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Its content, at its start.
    pub fn open(&self) -> Result<File, StoreError> {
        self.store.objects().open(ObjectKind::Blob, &self.digest)
    }
}

impl Drop for StoredFile {
    fn drop(&mut self) {
        self.store.pins().remove_writer(self.pin);
        self.store.set_garbage();
    }
}
