//! Reading a `.tar.gz` from elsewhere into the store.
//!
//! Nothing of it ever becomes a path on disk: names become tree paths, contents become blobs. Only regular files and
//! directories are read; a directory is what the paths of files name. Everything that could make a small archive large or
//! slow has a limit, which is checked before the bytes are there.
//!
//! # Follows Flux
//! Names that are empty, absolute, climb or hold a backslash are refused; symbolic links are refused or left out, as the
//! kind of source has it; an archive that is not compressed is not read.
//! # Differs from Flux
//! Hard links, sparse files, names that come twice and lying sizes are refused as well, and nothing is unlimited.

use std::{
    cell::Cell,
    fmt,
    io::{self, Read},
    str,
};

use fairlead_object::{Digest, EntryKind, TreePath};
use flate2::read::MultiGzDecoder;
use tar::EntryType;

use crate::{
    ignore::Ignore,
    store::{Mode, StoreError, TreeWriter},
};

/// How an archive is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct ArchiveRules<'a> {
    /// What it may not exceed.
    pub limits: Limits,
    /// What its symbolic links mean.
    pub links: Links,
    /// Which of its files are taken.
    pub taken: Taken<'a>,
}

/// What symbolic links in an archive mean. Hard links are refused always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Links {
    /// The archive is refused.
    #[default]
    Refuse,
    /// They are left out.
    Skip,
}

/// Which files of an archive are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Taken<'a> {
    /// All of them.
    #[default]
    All,
    /// Those that neither its `.sourceignore` files nor this text (`spec.ignore`) nor Flux's default list exclude.
    Unignored(Option<&'a str>),
}

/// What an archive may not exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Entries, directories and extension headers included.
    pub entries: usize,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Bytes of the whole archive when it is unpacked.
    pub total_bytes: u64,
    /// Unpacked bytes for each packed one, over the archive so far.
    pub ratio: u64,
}

impl Limits {
    /// Bytes that are unpacked before the ratio counts: the beginning of an honest archive may be all zeros.
    pub const RATIO_GRACE_BYTES: u64 = 16 << 20;
    /// Bytes of an extension header, which holds a long name.
    pub const EXTENSION_BYTES: u64 = 64 << 10;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 2 * TreeWriter::FILES_LIMIT,
            file_bytes: TreeWriter::FILE_LIMIT_BYTES,
            total_bytes: TreeWriter::TOTAL_LIMIT_BYTES,
            ratio: 200,
        }
    }
}

/// A limit that an archive exceeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveLimit {
    /// Too many entries.
    Entries(usize),
    /// A file that is too large.
    FileBytes(u64),
    /// Too many bytes.
    TotalBytes(u64),
    /// Packed too well to be honest.
    Ratio(u64),
    /// An extension header that is too large.
    ExtensionBytes(u64),
}

impl fmt::Display for ArchiveLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entries(entries) => write!(f, "{entries} entries in one archive"),
            Self::FileBytes(bytes) => write!(f, "{bytes} bytes in one file"),
            Self::TotalBytes(bytes) => write!(f, "{bytes} bytes in one archive"),
            Self::Ratio(ratio) => write!(f, "{ratio} unpacked bytes for each packed one"),
            Self::ExtensionBytes(bytes) => write!(f, "{bytes} bytes in one extension header"),
        }
    }
}

/// Why an archive is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is damaged, cut short, or no gzip-compressed tar archive at all.
    #[error("the archive cannot be read beyond {place}")]
    Unreadable {
        /// The last entry whose name was read, or the start.
        place: String,
        /// What is wrong.
        source: io::Error,
    },
    /// A name that is no path inside the archive.
    #[error("entry `{name}` of the archive {problem}")]
    Name {
        /// The name as it is written.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An entry that is neither a regular file nor a directory.
    #[error("entry `{name}` of the archive is {kind}; only regular files and directories are read")]
    Kind {
        /// The entry.
        name: String,
        /// What it is.
        kind: &'static str,
    },
    /// It exceeds a limit.
    #[error("entry `{name}` of the archive exceeds the limit of {limit}")]
    Limit {
        /// The entry that exceeded it.
        name: String,
        /// The limit.
        limit: ArchiveLimit,
    },
    /// The store did not take an entry.
    #[error("cannot store entry `{name}` of the archive")]
    Store {
        /// The entry.
        name: String,
        /// Why not.
        source: StoreError,
    },
}

/// Adds files of the `.tar.gz` that `archive` yields to the tree of `writer`.
pub fn unpack(archive: impl Read, rules: &ArchiveRules<'_>, writer: &mut TreeWriter) -> Result<(), ArchiveError> {
    let ArchiveRules { limits, links, taken } = rules;
    let contents = read(archive, limits, *links, writer)?;
    let ignore = match taken {
        Taken::All => None,
        Taken::Unignored(spec) => {
            let texts = contents.ignores.iter().map(|(directory, text)| (directory.clone(), text.as_str()));
            Some(Ignore::new(texts, *spec))
        }
    };
    let is_taken = |path: &TreePath| ignore.as_ref().is_none_or(|ignore| !ignore.excludes(path, EntryKind::File));
    for Unpacked { path, mode, digest } in contents.files.iter().filter(|file| is_taken(&file.path)) {
        let unstored = |source| ArchiveError::Store { name: path.to_string(), source };
        writer.add(path, *mode, *digest).map_err(unstored)?;
    }
    Ok(())
}

/// Whether `content` begins like an archive that is compressed.
pub(crate) fn is_archive(content: impl Read) -> bool {
    const MAGIC: &[u8] = b"ustar";
    const MAGIC_OFFSET: usize = 257;
    let mut beginning = [0; MAGIC_OFFSET + MAGIC.len()];
    MultiGzDecoder::new(content).read_exact(&mut beginning).is_ok() && beginning.ends_with(MAGIC)
}

/// What is in an archive.
#[derive(Default)]
struct Contents {
    files: Vec<Unpacked>,
    /// The `.sourceignore` files, each with the directory that it speaks for.
    ignores: Vec<(TreePath, String)>,
}

/// A file of an archive, whose content is in the store.
struct Unpacked {
    path: TreePath,
    mode: Mode,
    digest: Digest,
}

/// Puts the contents of an archive's files into the store.
fn read(archive: impl Read, limits: &Limits, links: Links, writer: &TreeWriter) -> Result<Contents, ArchiveError> {
    let exceeded = Cell::new(None);
    let packed = Counting { from: archive, bytes: 0 };
    let metered = Metered { from: MultiGzDecoder::new(packed), bytes: 0, limits, exceeded: &exceeded };
    let mut archive = tar::Archive::new(metered);
    let contents = Contents::default();
    let name = String::new();
    let mut unpacking = Unpacking { limits, links, exceeded: &exceeded, writer, contents, name, next_name: None };

    let entries = archive.entries().map_err(|error| unpacking.unreadable(error))?;
    for (count, entry) in entries.raw(true).enumerate() {
        let mut entry = entry.map_err(|error| unpacking.unreadable(error))?;
        unpacking.entry(&mut entry)?;
        if count >= limits.entries {
            return Err(unpacking.over(ArchiveLimit::Entries(limits.entries)));
        }
    }
    // The checksum of the packed bytes stands after the last entry.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(|error| unpacking.unreadable(error))?;
    Ok(unpacking.contents)
}

/// The state between two entries of an archive.
struct Unpacking<'a> {
    limits: &'a Limits,
    links: Links,
    exceeded: &'a Cell<Option<ArchiveLimit>>,
    writer: &'a TreeWriter,
    contents: Contents,
    /// The entry that is read, or was read last.
    name: String,
    /// The name that an extension header gave to the entry after it.
    next_name: Option<Vec<u8>>,
}

impl Unpacking<'_> {
    fn entry(&mut self, entry: &mut tar::Entry<'_, impl Read>) -> Result<(), ArchiveError> {
        let kind = entry.header().entry_type();
        let is_extension = kind.is_pax_local_extensions()
            || kind.is_pax_global_extensions()
            || kind.is_gnu_longname()
            || kind.is_gnu_longlink();
        let given = if is_extension { None } else { self.next_name.take() };
        let name = given.unwrap_or_else(|| entry.header().path_bytes().into_owned());
        self.name = String::from_utf8_lossy(&name).into_owned();
        let size_bytes = entry.header().entry_size().map_err(|error| self.unreadable(error))?;
        match kind {
            EntryType::XHeader => {
                let records = self.extension(entry, size_bytes)?;
                self.next_name = self.name_in(&records)?.or(self.next_name.take());
            }
            EntryType::GNULongName => {
                let mut long_name = self.extension(entry, size_bytes)?;
                long_name.truncate(long_name.iter().position(|byte| *byte == 0).unwrap_or(long_name.len()));
                self.next_name = Some(long_name);
            }
            // What holds for all entries is nothing that is needed, and links are not read.
            EntryType::XGlobalHeader | EntryType::GNULongLink => drop(self.extension(entry, size_bytes)?),
            EntryType::Regular if !name.ends_with(b"/") => self.file(entry, &name, size_bytes)?,
            EntryType::Regular | EntryType::Directory if size_bytes == 0 => drop(self.path(&name)?),
            EntryType::Regular | EntryType::Directory => return Err(self.refused_kind("a directory with content")),
            EntryType::Symlink if self.links == Links::Skip => {}
            EntryType::Symlink => return Err(self.refused_kind("a symbolic link")),
            EntryType::Link => return Err(self.refused_kind("a hard link")),
            EntryType::GNUSparse => return Err(self.refused_kind("a sparse file")),
            _ => return Err(self.refused_kind("a device, or something unknown")),
        }
        Ok(())
    }

    fn file(
        &mut self,
        entry: &mut tar::Entry<'_, impl Read>,
        name: &[u8],
        size_bytes: u64,
    ) -> Result<(), ArchiveError> {
        let path = self.path(name)?;
        if size_bytes > self.limits.file_bytes {
            return Err(self.over(ArchiveLimit::FileBytes(self.limits.file_bytes)));
        }
        let bits = entry.header().mode().map_err(|error| self.unreadable(error))?;
        let mode = if bits & 0o111 == 0 { Mode::Regular } else { Mode::Executable };
        let mut content = Counting { from: entry, bytes: 0 };
        let digest = if path.file_name() == Some(Ignore::FILE_NAME) {
            self.ignore_file(&path, &mut content)?
        } else {
            self.writer.blob(&mut content).map_err(|error| match error {
                StoreError::Input(error) => self.unreadable(error),
                source => self.unstored(source),
            })?
        };
        if content.bytes != size_bytes {
            return Err(self.unreadable(io::ErrorKind::UnexpectedEof.into()));
        }
        self.contents.files.push(Unpacked { path, mode, digest });
        Ok(())
    }

    /// Stores a `.sourceignore` file, and remembers what it says.
    fn ignore_file(&mut self, path: &TreePath, content: &mut impl Read) -> Result<Digest, ArchiveError> {
        let mut bytes = Vec::new();
        content.take(Ignore::FILE_LIMIT_BYTES + 1).read_to_end(&mut bytes).map_err(|error| self.unreadable(error))?;
        if bytes.len() as u64 > Ignore::FILE_LIMIT_BYTES {
            return Err(self.over(ArchiveLimit::FileBytes(Ignore::FILE_LIMIT_BYTES)));
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        self.contents.ignores.push((path.parent().unwrap_or_default(), text));
        self.writer.put(&bytes).map_err(|source| self.unstored(source))
    }

    /// Reads the content of an extension header.
    fn extension(&self, entry: &mut impl Read, size_bytes: u64) -> Result<Vec<u8>, ArchiveError> {
        if size_bytes > Limits::EXTENSION_BYTES {
            return Err(self.over(ArchiveLimit::ExtensionBytes(Limits::EXTENSION_BYTES)));
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(|error| self.unreadable(error))?;
        Ok(content)
    }

    /// The name that PAX records give to the next entry.
    fn name_in(&self, records: &[u8]) -> Result<Option<Vec<u8>>, ArchiveError> {
        let mut name = None;
        for record in tar::PaxExtensions::new(records) {
            let record = record.map_err(|error| self.unreadable(error))?;
            match record.key_bytes() {
                b"path" => name = Some(record.value_bytes().to_owned()),
                // It would override the size that all limits go by.
                b"size" => return Err(self.refused_kind("one that sets the size of the next")),
                key if key.starts_with(b"GNU.sparse.") => {
                    return Err(self.refused_kind("the beginning of a sparse file"));
                }
                _ => {}
            }
        }
        Ok(name)
    }

    fn path(&self, name: &[u8]) -> Result<TreePath, ArchiveError> {
        let refused = |problem| ArchiveError::Name { name: self.name.clone(), problem };
        let name = str::from_utf8(name).map_err(|_| refused("has a name that is not UTF-8"))?;
        if name.is_empty() {
            return Err(refused("has no name"));
        }
        if name.split('/').any(|part| part == "..") {
            return Err(refused("leaves the archive"));
        }
        name.parse().map_err(|_| refused("is not a relative path with `/` between its parts"))
    }

    fn refused_kind(&self, kind: &'static str) -> ArchiveError {
        ArchiveError::Kind { name: self.name.clone(), kind }
    }

    fn unstored(&self, source: StoreError) -> ArchiveError {
        ArchiveError::Store { name: self.name.clone(), source }
    }

    fn over(&self, limit: ArchiveLimit) -> ArchiveError {
        ArchiveError::Limit { name: self.name.clone(), limit }
    }

    /// Why reading failed: a limit, if one was exceeded, or else `source`.
    fn unreadable(&self, source: io::Error) -> ArchiveError {
        match self.exceeded.get() {
            Some(limit) => self.over(limit),
            None if self.name.is_empty() => ArchiveError::Unreadable { place: "its start".to_owned(), source },
            None => ArchiveError::Unreadable { place: format!("entry `{}`", self.name), source },
        }
    }
}

struct Counting<R> {
    from: R,
    bytes: u64,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.from.read(buffer)?;
        self.bytes += length as u64;
        Ok(length)
    }
}

/// Unpacks, and fails when the unpacked bytes exceed a limit.
struct Metered<'a, R> {
    from: MultiGzDecoder<Counting<R>>,
    bytes: u64,
    limits: &'a Limits,
    exceeded: &'a Cell<Option<ArchiveLimit>>,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.from.read(buffer)?;
        self.bytes += length as u64;
        let Limits { total_bytes, ratio, .. } = *self.limits;
        let packed_bytes = self.from.get_ref().bytes;
        let exceeded = if self.bytes > total_bytes {
            ArchiveLimit::TotalBytes(total_bytes)
        } else if self.bytes > Limits::RATIO_GRACE_BYTES && self.bytes / packed_bytes.max(1) > ratio {
            ArchiveLimit::Ratio(ratio)
        } else {
            return Ok(length);
        };
        self.exceeded.set(Some(exceeded));
        Err(io::ErrorKind::FileTooLarge.into())
    }
}
