//! The artifact store: the files of every source, by content.
//!
//! A file's content is kept once, under its SHA-256, however many revisions and sources hold it; a directory is kept once
//! as the list of its names, modes and digests; and an index says which trees each source's kept revisions are. Only the
//! index gives anything a name, and it changes by one rename: what is put before that rename is nobody's until it
//! happens, and goes with the next collection if it never does.
//!
//! All calls block; callers in an async task use `spawn_blocking`.
//!
//! # On disk
//! `blobs/ab/<digest>` and `trees/ab/<digest>` are contents, `index/<digest of the key>` are sources, `tmp/` is what is
//! being written, `scratch/` what is being fetched, and `lock` keeps a second process out.
//!
//! # The packed form
//! The `.tar.gz` that Flux's consumers fetch is a blob like any other, made when a tree is first published. It is kept
//! rather than made for each request because its digest stands in `status.artifact`: a later version of the compressor may
//! give other bytes. Sources with equal trees share it.
//!
//! Some artifacts are files that come from elsewhere and must be served as they came: a layer that is copied, the index of
//! a Helm repository, a chart. Such a file is a blob too, and a tree stands beside it that says what builds read. It cannot
//! be made again here: where it is lost, its source counts as not fetched.
//!
//! # What reaches the disk when
//! The file of an index entry is synced before its rename. Contents are not: after a power failure one may be short or
//! gone, which its digest tells when it is next read. It then counts as missing, and its source is fetched again.
//!
//! # Follows Flux
//! Paths of artifacts, the layout of the archive, and which revisions are kept.
//! # Differs from Flux
//! Retention looks at all sources at once instead of one at a time, and an artifact is checked when it is read instead of
//! on every pass.

use std::{
    fs::{self, File, TryLockError},
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash},
    io,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use fairlead_object::Digest;
use jiff::Timestamp;
use tempfile::TempDir;

mod artifact;
mod checkout;
mod collect;
mod compare;
mod directory;
mod error;
#[cfg(test)]
mod faults;
mod file;
mod files;
mod index;
mod key;
mod objects;
mod pins;
mod tree;
mod writer;

pub use artifact::{Artifact, Form, Release};
pub use collect::Collected;
pub use compare::{Change, differences};
pub use directory::Mode;
pub use error::{StoreError, TreeLimit};
pub use file::StoredFile;
pub use key::{SourceKey, SourceKind};
pub use tree::StoredTree;
pub use writer::TreeWriter;

pub(crate) use directory::Node;

use files::{Files, Permit, failed};
use index::{Index, Packed};
use objects::{ObjectKind, Objects};
use pins::Pins;

use crate::archive;

/// How long revisions are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// How old a revision that is not the current one may become (`--artifact-retention-ttl`).
    pub retention_ttl: Duration,
    /// How many revisions of one source are kept, the current one included (`--artifact-retention-records`).
    pub retention_records: usize,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self { retention_ttl: Duration::from_mins(1), retention_records: 2 }
    }
}

/// The artifact store in one folder. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    objects: Objects,
    settings: StoreSettings,
    index: Mutex<Index>,
    pins: Mutex<Pins>,
    /// Held for reading while something comes into use, for writing while unused contents are removed.
    sweep: RwLock<()>,
    /// Whether something may be there that nothing refers to.
    has_garbage: AtomicBool,
    /// One publication of a source at a time.
    publishing: Turns,
    /// One packing of a tree at a time.
    packing: Turns,
    collecting: Mutex<()>,
    /// Locked as long as the store is open.
    _lock: File,
}

impl Store {
    /// Opens the store in the folder `root`, which is created if it is not there.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if another process has it open.
    pub fn open(root: &Path, settings: StoreSettings) -> Result<Self, StoreError> {
        Self::open_with(root, settings, Box::new(|| Ok(())))
    }

    fn open_with(root: &Path, settings: StoreSettings, permit: Permit) -> Result<Self, StoreError> {
        fs::create_dir_all(root).map_err(failed("create", root))?;
        let lock = lock(root)?;
        let files = Files::open(root, permit)?;
        remove_scratch(&files.at(SCRATCH))?;
        let index = Index::load(&files)?;
        let inner = Inner {
            objects: Objects::new(files),
            settings,
            index: Mutex::new(index),
            pins: Mutex::default(),
            sweep: RwLock::new(()),
            has_garbage: AtomicBool::new(true),
            publishing: Turns::default(),
            packing: Turns::default(),
            collecting: Mutex::new(()),
            _lock: lock,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// A new folder on the store's disk for what is being fetched. It is removed when the answer is dropped, or else when
    /// the store is next opened.
    pub(crate) fn scratch(&self) -> io::Result<TempDir> {
        let parent = self.objects().files().at(SCRATCH);
        fs::create_dir_all(&parent)?;
        TempDir::new_in(parent)
    }

    /// Starts a new tree.
    pub fn writer(&self) -> TreeWriter {
        TreeWriter::new(self.clone())
    }

    /// The content of a file.
    pub(crate) fn read(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        self.objects().read(ObjectKind::Blob, digest)
    }

    /// The tree at `root`.
    pub fn tree(&self, root: &Digest) -> Result<StoredTree, StoreError> {
        let _no_sweep = self.hold_sweep();
        self.objects().size_bytes(ObjectKind::Tree, root)?;
        self.pins().add_reader(*root);
        Ok(StoredTree::new(self.clone(), *root))
    }

    /// Makes `release` the current revision of the source `key`.
    ///
    /// Publishing what is current already changes nothing, the time included.
    pub fn publish(&self, key: &SourceKey, release: &Release<'_>, now: Timestamp) -> Result<Artifact, StoreError> {
        let path = key.path_of(&key.archive_name(release.revision))?;
        let packed = self.pack(release.tree)?;
        self.make_current(key, Form::Packed.artifact(release, path, packed, now))
    }

    /// Makes `release` the current revision of the source `key`, of which `file` is served under `file_name` as it is.
    /// Builds read its tree, which may be what the file unpacks to.
    ///
    /// Publishing what is current already changes nothing, the time included.
    pub fn publish_file(
        &self,
        key: &SourceKey,
        release: &Release<'_>,
        (file_name, file): (&str, &StoredFile),
        now: Timestamp,
    ) -> Result<Artifact, StoreError> {
        let path = key.path_of(file_name)?;
        self.check(release.tree)?;
        let given = Packed { digest: file.digest(), size_bytes: file.size_bytes() };
        self.make_current(key, Form::Given.artifact(release, path, given, now))
    }

    fn make_current(&self, key: &SourceKey, mut artifact: Artifact) -> Result<Artifact, StoreError> {
        let _turn = self.inner.publishing.take(key);
        let kept = self.index().kept(key).to_vec();
        if let Some(current) = kept.first().filter(|current| current.is_same_content(&artifact)) {
            if current.verified == artifact.verified {
                return Ok(current.clone());
            }
            artifact.last_update_time = current.last_update_time;
        }
        let replaced = kept.into_iter().filter(|kept| kept.path != artifact.path);
        self.commit(key, std::iter::once(artifact.clone()).chain(replaced).collect())?;
        Ok(artifact)
    }

    /// The current revision of `key`; `None` if there is none, or if something of it is known to be lost.
    pub fn artifact(&self, key: &SourceKey) -> Option<Artifact> {
        let index = self.index();
        index.kept(key).first().filter(|artifact| !index.is_incomplete(&artifact.tree)).cloned()
    }

    /// The kept revision that is served at `path`.
    pub(crate) fn artifact_at(&self, path: &str) -> Option<Artifact> {
        let key = SourceKey::of_path(path)?;
        if key.newest_path().is_ok_and(|newest| newest == path) {
            return self.artifact(&key);
        }
        self.index().kept(&key).iter().find(|artifact| artifact.path == path).cloned()
    }

    /// What is served of `artifact`, at its start. A packed form that is damaged or gone is packed again from its tree.
    pub(crate) fn open_served(&self, artifact: &Artifact) -> Result<File, StoreError> {
        let digest = artifact.digest;
        if !self.index().is_verified(&digest) {
            let verified = self.objects().copy(&digest, |_| Ok(()));
            match verified {
                Err(error @ (StoreError::Missing { .. } | StoreError::Damaged { .. })) => match artifact.form {
                    Form::Packed => self.repack(artifact)?,
                    Form::Given => {
                        self.lost(ObjectKind::Blob, &digest, artifact.tree);
                        return Err(error);
                    }
                },
                verified => verified?,
            }
            self.index().set_verified(digest);
        }
        self.objects().open(ObjectKind::Blob, &digest)
    }

    /// Gives up everything that is kept of `key`.
    pub fn withdraw(&self, key: &SourceKey) -> Result<(), StoreError> {
        let _turn = self.inner.publishing.take(key);
        self.commit(key, Vec::new())
    }

    /// The sources of which something is kept.
    pub fn keys(&self) -> Vec<SourceKey> {
        self.index().keys().cloned().collect()
    }

    /// Replaces what is kept of `key`, whose turn the caller holds.
    fn commit(&self, key: &SourceKey, artifacts: Vec<Artifact>) -> Result<(), StoreError> {
        index::save(self.objects().files(), key, &artifacts)?;
        self.index().set(key, artifacts);
        self.set_garbage();
        Ok(())
    }

    /// Reads all of `tree` if something of it, or of what is served beside it, was found to be lost.
    fn check(&self, tree: &StoredTree) -> Result<(), StoreError> {
        let root = tree.root();
        if !self.index().is_incomplete(&root) {
            return Ok(());
        }
        tree.walk(&mut |_, node| match node {
            Node::File { digest, .. } => tree.copy(digest, |_| Ok(())),
            Node::Directory { .. } => Ok(()),
        })?;
        self.index().set_complete(&root);
        Ok(())
    }

    /// The packed form of `tree`, made if it is not there. All files of the tree are read for it.
    fn pack(&self, tree: &StoredTree) -> Result<Packed, StoreError> {
        let root = tree.root();
        let _turn = self.inner.packing.take(&root);
        {
            let index = self.index();
            if let Some(packed) = index.packed(&root)
                && !index.is_incomplete(&root)
            {
                return Ok(packed);
            }
        }
        let mut file = self.objects().files().temporary()?;
        let (digest, size_bytes) = archive::pack(tree, |chunk| file.write(chunk))?;
        let packed = Packed { digest, size_bytes };
        let _no_sweep = self.hold_sweep();
        file.keep_as(&self.objects().path(ObjectKind::Blob, &digest))?;
        let mut index = self.index();
        index.set_packed(root, packed);
        index.set_verified(digest);
        index.set_complete(&root);
        Ok(packed)
    }

    /// Makes the packed form of `artifact` again.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if it has become another one, which happens when the compressor is not the one that made
    /// it. The source is then published again.
    fn repack(&self, artifact: &Artifact) -> Result<(), StoreError> {
        let Artifact { digest, tree, .. } = *artifact;
        self.index().set_incomplete(tree);
        let packed = self.pack(&self.tree(&tree)?)?;
        if packed.digest == digest {
            return Ok(());
        }
        self.index().set_incomplete(tree);
        Err(StoreError::Missing { digest, file: self.objects().path(ObjectKind::Blob, &digest) })
    }

    /// Takes note that the content `digest` of the tree at `root` is gone or damaged.
    fn lost(&self, kind: ObjectKind, digest: &Digest, root: Digest) {
        self.index().set_incomplete(root);
        let _sweeping = self.inner.sweep.write().unwrap_or_else(PoisonError::into_inner);
        // Someone may have put it again since.
        if let Err(error @ StoreError::Damaged { .. }) = self.objects().read(kind, digest) {
            tracing::warn!(%error, "damaged content removed from the artifact store");
            // Left where it is, it is found to be damaged again, or overwritten.
            let _ = self.objects().remove(kind, digest);
        }
    }

    /// Ends one reading of the tree at `root`.
    fn release(&self, root: &Digest) {
        self.pins().remove_reader(root);
        if !self.index().is_kept(root) {
            self.set_garbage();
        }
    }

    fn set_garbage(&self) {
        self.inner.has_garbage.store(true, Ordering::Release);
    }

    fn objects(&self) -> &Objects {
        &self.inner.objects
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.inner.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pins(&self) -> MutexGuard<'_, Pins> {
        self.inner.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps contents from being removed while something comes into use.
    fn hold_sweep(&self) -> RwLockReadGuard<'_, ()> {
        self.inner.sweep.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Form {
    /// The artifact of `release` in this form.
    fn artifact(self, release: &Release<'_>, path: String, served: Packed, now: Timestamp) -> Artifact {
        let Packed { digest, size_bytes } = served;
        let last_update_time = Timestamp::from_second(now.as_second()).expect("the seconds of a time are a time");
        let (revision, tree, metadata) = (release.revision.to_owned(), release.tree.root(), release.metadata.clone());
        let verified = release.verified.clone();
        Artifact { revision, digest, size_bytes, path, last_update_time, tree, form: self, metadata, verified }
    }
}

/// The folder of what is being fetched.
const SCRATCH: &str = "scratch";

/// Removes what a process that was killed had fetched.
fn remove_scratch(folder: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", folder)(error)),
        _ => Ok(()),
    }
}

fn lock(root: &Path) -> Result<File, StoreError> {
    let path = root.join("lock");
    let file = File::create(&path).map_err(failed("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(root.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed("lock", &path)(error)),
    }
}

/// Lets one at a time do something with the same thing; different things seldom wait for each other.
#[derive(Default)]
struct Turns {
    places: [Mutex<()>; 32],
}

impl Turns {
    fn take(&self, thing: &impl Hash) -> MutexGuard<'_, ()> {
        let place = BuildHasherDefault::<DefaultHasher>::default().hash_one(thing) % self.places.len() as u64;
        let place = usize::try_from(place).expect("smaller than an array's length");
        self.places[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
