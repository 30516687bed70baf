//! A folder on this machine.

use std::{
    fs::{self, File},
    io::{self, Read},
    iter,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};

use crate::{Entry, EntryKind, Tree, TreeError, TreePath};

/// Linux's error number for links that lead in a circle; `io::ErrorKind` has no stable name for it.
const ELOOP: i32 = 40;

/// A folder on this machine, read as it is now.
///
/// Links are followed as long as they stay below the folder; one that leaves it is an error that names the link.
#[derive(Clone, Debug)]
pub struct LocalTree {
    root: PathBuf,
}

impl LocalTree {
    /// Largest file that is read, in bytes.
    pub const FILE_LIMIT_BYTES: u64 = 64 << 20;

    /// The tree below `root`, which must be a folder.
    pub fn open(root: &Path) -> io::Result<Self> {
        let root = fs::canonicalize(root)?;
        if !root.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "not a directory"));
        }
        Ok(Self { root })
    }

    /// Where `path` is on this machine, as it is written.
    pub fn full_path(&self, path: &TreePath) -> PathBuf {
        self.root.join(path.as_str())
    }

    /// Where `path` really lies, with its links followed; `None` if nothing is there.
    fn resolve(&self, path: &TreePath) -> Result<Option<PathBuf>, TreeError> {
        let written = self.root.join(path.as_str());
        match fs::canonicalize(&written) {
            Ok(real) if real.starts_with(&self.root) => Ok(Some(real)),
            Ok(_) => Err(TreeError::Link { path: path.clone(), problem: "leaves the source" }),
            Err(error) if error.raw_os_error() == Some(ELOOP) => {
                Err(TreeError::Link { path: path.clone(), problem: "points to itself" })
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                match fs::symlink_metadata(&written) {
                    Ok(_) => Err(TreeError::Link { path: path.clone(), problem: "points to nothing" }),
                    Err(_) => Ok(None),
                }
            }
            Err(source) => Err(TreeError::Io { path: path.clone(), source }),
        }
    }

    fn existing(&self, path: &TreePath) -> Result<PathBuf, TreeError> {
        self.resolve(path)?.ok_or_else(|| TreeError::Missing(path.clone()))
    }

    /// What is at `path`, opened in one step; `None` if that fails for any reason, a link on the way among them. The root
    /// has no links, so what is opened lies below it.
    fn opened_without_links(&self, path: &TreePath, flags: OFlags) -> Option<File> {
        let resolve = ResolveFlags::NO_SYMLINKS;
        let opened = openat2(CWD, self.root.join(path.as_str()), flags | OFlags::CLOEXEC, Mode::empty(), resolve);
        opened.ok().map(File::from)
    }
}

impl Tree for LocalTree {
    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        let metadata = match self.opened_without_links(path, OFlags::PATH) {
            Some(found) => found.metadata(),
            None => match self.resolve(path)? {
                Some(real) => fs::metadata(real),
                None => return Ok(None),
            },
        };
        let metadata = metadata.map_err(|source| TreeError::Io { path: path.clone(), source })?;
        let name = path.file_name().unwrap_or_default().to_owned();
        Ok(kind(&metadata).map(|kind| Entry { name, kind }))
    }

    fn list(&self, path: &TreePath) -> Result<Vec<Entry>, TreeError> {
        let real = self.existing(path)?;
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::NotADirectory => TreeError::NotDirectory(path.clone()),
            _ => TreeError::Io { path: path.clone(), source },
        };
        let mut entries = Vec::new();
        for found in fs::read_dir(real).map_err(failed)? {
            let found = found.map_err(failed)?;
            let Ok(name) = found.file_name().into_string() else { continue };
            let entry = match found.file_type().map_err(failed)? {
                file_type if file_type.is_file() => Some(Entry { name, kind: EntryKind::File }),
                file_type if file_type.is_dir() => Some(Entry { name, kind: EntryKind::Directory }),
                // A link that leads nowhere is an error only for who reads it.
                _ => self.entry(&path.join(&name)).unwrap_or_default(),
            };
            entries.extend(entry);
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, TreeError> {
        let failed = |source| TreeError::Io { path: path.clone(), source };
        let file = match self.opened_without_links(path, OFlags::RDONLY) {
            Some(file) => file,
            None => File::open(self.existing(path)?).map_err(failed)?,
        };
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(TreeError::IsDirectory(path.clone()));
        }
        if metadata.len() > Self::FILE_LIMIT_BYTES {
            let (size_bytes, limit_bytes) = (metadata.len(), Self::FILE_LIMIT_BYTES);
            return Err(TreeError::TooLarge { path: path.clone(), size_bytes, limit_bytes });
        }
        content(file, metadata.len()).map_err(failed)
    }
}

/// What is in `file`, which has had `size_bytes` when it was opened. A file of the kernel says that it has none.
fn content(mut file: File, size_bytes: u64) -> io::Result<Arc<[u8]>> {
    let size = usize::try_from(size_bytes).map_err(io::Error::other)?;
    if size == 0 {
        let mut content = Vec::new();
        file.take(LocalTree::FILE_LIMIT_BYTES).read_to_end(&mut content)?;
        return Ok(content.into());
    }
    let mut content: Arc<[u8]> = iter::repeat_n(0, size).collect();
    file.read_exact(Arc::get_mut(&mut content).expect("nobody else has it yet"))?;
    Ok(content)
}

fn kind(metadata: &fs::Metadata) -> Option<EntryKind> {
    if metadata.is_dir() {
        Some(EntryKind::Directory)
    } else if metadata.is_file() {
        Some(EntryKind::File)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_followed_inside_the_folder_and_refused_outside() {
        let outside = tempfile::tempdir().expect("a temporary folder");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("real.yaml"), "a: 1\n").expect("written");
        symlink("real.yaml", at("inside.yaml")).expect("linked");
        symlink(outside.path(), at("outside")).expect("linked");
        symlink("loop", at("loop")).expect("linked");
        symlink("nowhere", at("dangling")).expect("linked");

        let tree = LocalTree::open(folder.path()).expect("a folder");
        let read = |path: &str| match tree.read(&path.parse().expect("relative")) {
            Ok(content) => String::from_utf8_lossy(&content).into_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(read("inside.yaml"), "a: 1\n");
        assert_eq!(read("outside"), "`outside` is a link that leaves the source");
        assert_eq!(read("loop"), "`loop` is a link that points to itself");
        assert_eq!(read("dangling"), "`dangling` is a link that points to nothing");
        let names: Vec<_> = tree.list(&TreePath::root()).expect("listed").into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["inside.yaml", "real.yaml"]);
    }
}
