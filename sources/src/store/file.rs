//! A file that is served as it came.

use std::{fs::File, io::Read, sync::Arc};

use fairlead_object::Digest;

use super::{Store, StoreError, objects::ObjectKind, pins::WriterId};

/// A file in the store that may become an artifact. It stays there as long as this or a clone of it lives, and from then on
/// as long as a source names it.
#[derive(Clone)]
pub struct StoredFile {
    pinned: Arc<Pinned>,
    digest: Digest,
    size_bytes: u64,
}

/// Keeps a file from being removed.
struct Pinned {
    store: Store,
    pin: WriterId,
}

impl Store {
    /// Stores what `content` yields, up to `limit_bytes`, as one file.
    pub fn file(&self, content: &mut impl Read, limit_bytes: u64) -> Result<StoredFile, StoreError> {
        let (staged, digest) = self.objects().stage(content, limit_bytes)?;
        let pin = self.pins().add_writer();
        let pinned = Arc::new(Pinned { store: self.clone(), pin });
        let _no_sweep = self.hold_sweep();
        self.pins().pin(pin, digest);
        staged.keep_as(&self.objects().path(ObjectKind::Blob, &digest))?;
        let size_bytes = self.objects().size_bytes(ObjectKind::Blob, &digest)?;
        self.index().set_verified(digest);
        Ok(StoredFile { pinned, digest, size_bytes })
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
        self.pinned.store.objects().open(ObjectKind::Blob, &self.digest)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        self.store.pins().remove_writer(self.pin);
        self.store.set_garbage();
    }
}
