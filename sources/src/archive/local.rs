//! Packing files of this machine, as Flux packs what it pushes.
//!
//! # Follows Flux
//! Every path is judged alone by the patterns; entries have no owner and no time, and the permissions that they have on
//! disk; what is neither a file nor a directory is left out.
//! # Differs from Flux
//! With [`SymbolicLinks::Resolve`] nothing is copied first, and a link to a directory that holds it is left out.

use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use fairlead_object::{EntryKind, TreePath};
use tar::EntryType;

use super::pack::Archive;
use crate::{
    ignore::Ignore,
    store::{StoreError, TreeWriter},
};

/// What symbolic links are packed as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SymbolicLinks {
    /// They are left out.
    #[default]
    Skip,
    /// As what they lead to.
    Resolve,
}

/// Why files of this machine were not packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The operating system refused.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// Which file or directory.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// A name that no archive can hold.
    #[error("`{}` has a name that is not UTF-8", .0.display())]
    NotText(PathBuf),
    /// Something else than a file or a directory was named.
    #[error("`{}` is neither a file nor a directory", .0.display())]
    Kind(PathBuf),
    /// No source would take it.
    #[error("`{}` makes it more than {limit_bytes} bytes, which is more than a source may have", path.display())]
    TooLarge {
        /// The file that exceeds the limit.
        path: PathBuf,
        /// The limit.
        limit_bytes: u64,
    },
}

/// The permissions of a file that is on no disk.
const REGULAR_MODE: u32 = 0o644;
/// The bits of a mode that say who may do what.
const PERMISSIONS: u32 = 0o7777;

/// Packs the file or directory at `path` as a `.tar.gz`: of a directory what `ignore` does not exclude.
pub fn pack_files(path: &Path, ignore: &Ignore, links: SymbolicLinks) -> Result<Vec<u8>, PackError> {
    let mut packed = Vec::new();
    let archive = InMemory::new(|chunk| {
        packed.extend_from_slice(chunk);
        Ok(())
    });
    Packing { archive, ignore, links, above: Vec::new(), bytes: 0 }.pack(path)?;
    Ok(packed)
}

/// Packs one file called `name` with `content` as a `.tar.gz`.
pub fn pack_file(name: &TreePath, content: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut archive = InMemory::new(|chunk| {
        packed.extend_from_slice(chunk);
        Ok(())
    });
    archive.file(name, REGULAR_MODE, content);
    archive.finish();
    packed
}

/// Files that are on their way into an archive.
struct Packing<'a, F: FnMut(&[u8]) -> Result<(), StoreError>> {
    archive: InMemory<F>,
    ignore: &'a Ignore,
    links: SymbolicLinks,
    /// The directories that are open, as they are found without links.
    above: Vec<PathBuf>,
    /// How much was packed.
    bytes: u64,
}

impl<F: FnMut(&[u8]) -> Result<(), StoreError>> Packing<'_, F> {
    fn pack(mut self, path: &Path) -> Result<(), PackError> {
        let metadata = fs::metadata(path).map_err(unreadable(path))?;
        if metadata.is_dir() {
            self.directory(path, &TreePath::root(), &metadata)?;
        } else if metadata.is_file() {
            let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
            self.file(path, &name.ok_or_else(|| PackError::NotText(path.to_owned()))?, &metadata)?;
        } else {
            return Err(PackError::Kind(path.to_owned()));
        }
        self.archive.finish();
        Ok(())
    }

    fn entry(&mut self, full: &Path, path: &TreePath) -> Result<(), PackError> {
        let metadata = match self.links {
            SymbolicLinks::Skip => fs::symlink_metadata(full),
            SymbolicLinks::Resolve => fs::metadata(full),
        };
        let metadata = metadata.map_err(unreadable(full))?;
        if metadata.is_dir() {
            self.directory(full, path, &metadata)
        } else if metadata.is_file() && !self.ignore.excludes(path, EntryKind::File) {
            self.file(full, path, &metadata)
        } else {
            Ok(())
        }
    }

    /// Packs a directory, unless it holds itself. What is in it is judged even where it is excluded itself.
    fn directory(&mut self, full: &Path, path: &TreePath, metadata: &Metadata) -> Result<(), PackError> {
        let real = fs::canonicalize(full).map_err(unreadable(full))?;
        if self.above.contains(&real) {
            return Ok(());
        }
        if path.as_str().is_empty() || !self.ignore.excludes(path, EntryKind::Directory) {
            self.archive.directory(path, mode(metadata));
        }
        self.above.push(real);
        for name in names(full)? {
            self.entry(&full.join(&name), &path.join(&name))?;
        }
        self.above.pop();
        Ok(())
    }

    fn file(&mut self, full: &Path, path: &TreePath, metadata: &Metadata) -> Result<(), PackError> {
        let exceeds = |limit_bytes| PackError::TooLarge { path: full.to_owned(), limit_bytes };
        if metadata.len() > TreeWriter::FILE_LIMIT_BYTES {
            return Err(exceeds(TreeWriter::FILE_LIMIT_BYTES));
        }
        self.bytes += metadata.len();
        if self.bytes > TreeWriter::TOTAL_LIMIT_BYTES {
            return Err(exceeds(TreeWriter::TOTAL_LIMIT_BYTES));
        }
        let content = fs::read(full).map_err(unreadable(full))?;
        self.archive.file(path, mode(metadata), &content);
        Ok(())
    }
}

/// The names in a directory, in byte order.
fn names(directory: &Path) -> Result<Vec<String>, PackError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable(directory))? {
        let entry = entry.map_err(unreadable(directory))?;
        names.push(entry.file_name().into_string().map_err(|_| PackError::NotText(entry.path()))?);
    }
    names.sort_unstable();
    Ok(names)
}

fn mode(metadata: &Metadata) -> u32 {
    metadata.permissions().mode() & PERMISSIONS
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> PackError {
    move |source| PackError::Read { path: path.to_owned(), source }
}

/// An archive whose bytes go to memory, which takes all of them.
struct InMemory<F: FnMut(&[u8]) -> Result<(), StoreError>>(Archive<F>);

const TAKES_ALL: &str = "memory takes all bytes";

impl<F: FnMut(&[u8]) -> Result<(), StoreError>> InMemory<F> {
    fn new(to: F) -> Self {
        Self(Archive::new(to))
    }

    fn directory(&mut self, path: &TreePath, mode: u32) {
        self.0.header(path, EntryType::Directory, mode, 0).expect(TAKES_ALL);
    }

    fn file(&mut self, path: &TreePath, mode: u32, content: &[u8]) {
        let size_bytes = content.len() as u64;
        let header = self.0.header(path, EntryType::Regular, mode, size_bytes);
        header.and_then(|()| self.0.write(content)).and_then(|()| self.0.pad(size_bytes)).expect(TAKES_ALL);
    }

    fn finish(self) {
        self.0.finish().expect(TAKES_ALL);
    }
}
