//! The one place where the store changes its disk.
//!
//! A file is written under a temporary name and renamed when it is whole, so that a name always stands for a whole file.
//! Temporary files live in `tmp/`, which is emptied when the store is opened.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use super::StoreError;

/// Sources may hold what is not for other users of the machine.
const FILE_MODE: u32 = 0o600;
const DIRECTORY_MODE: u32 = 0o700;

/// Asked before each change of the disk. A test answers with an error to see what a stop at that instant leaves.
pub(crate) type Permit = Box<dyn Fn() -> io::Result<()> + Send + Sync>;

/// The files below one root.
pub(crate) struct Files {
    root: PathBuf,
    permit: Permit,
    next_temporary: AtomicU64,
}

impl Files {
    const TEMPORARY: &'static str = "tmp";

    pub(crate) fn open(root: &Path, permit: Permit) -> Result<Self, StoreError> {
        let files = Self { root: root.to_owned(), permit, next_temporary: AtomicU64::new(0) };
        files.create_directory(&files.at(Self::TEMPORARY))?;
        for leftover in files.list(Self::TEMPORARY)? {
            files.remove(&leftover)?;
        }
        Ok(files)
    }

    pub(crate) fn at(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Starts a file that has no name yet.
    pub(crate) fn temporary(&self) -> Result<Temporary<'_>, StoreError> {
        let number = self.next_temporary.fetch_add(1, Ordering::Relaxed);
        let path = self.root.join(Self::TEMPORARY).join(number.to_string());
        let file = (self.permit)()
            .and_then(|()| OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&path))
            .map_err(failed("create", &path))?;
        Ok(Temporary { files: self, path, file, is_kept: false })
    }

    pub(crate) fn create_directory(&self, path: &Path) -> Result<(), StoreError> {
        (self.permit)()
            .and_then(|()| DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(path))
            .map_err(failed("create", path))
    }

    /// Removes a file; one that is gone already is no error.
    pub(crate) fn remove(&self, path: &Path) -> Result<(), StoreError> {
        match (self.permit)().and_then(|()| fs::remove_file(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
            _ => Ok(()),
        }
    }

    /// The entries of the directory at `relative`; none if it does not exist.
    pub(crate) fn list(&self, relative: &str) -> Result<Vec<PathBuf>, StoreError> {
        let path = self.at(relative);
        let found = match fs::read_dir(&path) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(Vec::new());
            }
            found => found.map_err(failed("list", &path))?,
        };
        found.map(|entry| Ok(entry.map_err(failed("list", &path))?.path())).collect()
    }
}

/// A file that nobody sees until it is kept. Dropped otherwise, it is removed.
pub(crate) struct Temporary<'a> {
    files: &'a Files,
    path: PathBuf,
    file: File,
    is_kept: bool,
}

impl Temporary<'_> {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.write_all(bytes).map_err(failed("write", &self.path))
    }

    /// Waits until the content has reached the disk.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        (self.files.permit)().and_then(|()| self.file.sync_data()).map_err(failed("write", &self.path))
    }

    /// Gives the file its name, over one that has it.
    pub(crate) fn keep_as(mut self, target: &Path) -> Result<(), StoreError> {
        let rename = || (self.files.permit)().and_then(|()| fs::rename(&self.path, target));
        let mut renamed = rename();
        if let (Err(error), Some(directory)) = (&renamed, target.parent())
            && error.kind() == io::ErrorKind::NotFound
        {
            self.files.create_directory(directory)?;
            renamed = rename();
        }
        renamed.map_err(failed("create", target))?;
        self.is_kept = true;
        Ok(())
    }
}

impl Write for Temporary<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.files.permit)()?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            // What cannot be removed now goes when the store is next opened.
            let _ = self.files.remove(&self.path);
        }
    }
}

pub(crate) fn failed(action: &'static str, file: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let file = file.to_owned();
    move |source| StoreError::Io { action, file, source }
}
