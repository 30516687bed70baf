//! Git's objects: a commit becomes a list of files.
//!
//! libgit2 reads them out of a pack and checks each against its id. Commits, tags and trees are taken apart here, because
//! nothing of a repository is there but its objects, and because every name in a tree comes from outside.

use std::{path::Path, str};

use fairlead_object::TreePath;
use git2::{ObjectType, Odb, Oid};

use super::{
    error::CloneError,
    pack::{OBJECT_LIMIT_BYTES, unreadable},
    refs::ObjectId,
};
use crate::{
    deadline::Deadline,
    store::{Mode, TreeWriter},
};

/// Most entries of trees that are looked at in one commit, ignored ones included.
pub(super) const ENTRIES_LIMIT: usize = 1_000_000;

/// Longest chain of tags that stand for tags.
const TAGS_LIMIT: usize = 8;

/// The objects of a pack.
pub(super) struct Objects {
    odb: Odb<'static>,
}

/// A commit, and what of it is used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) id: ObjectId,
    tree: ObjectId,
    /// The first line of its message.
    pub(super) subject: String,
    /// When it was committed, in seconds since 1970.
    pub(super) committed_at: i64,
}

/// The files and the submodules of a commit.
pub(super) struct Listing {
    /// In byte order of each directory's names.
    pub(super) files: Vec<File>,
    pub(super) submodules: Vec<Link>,
}

/// A submodule: a commit of another repository.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) path: TreePath,
    pub(super) target: ObjectId,
}

/// A file of a commit.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: TreePath,
    pub(super) mode: Mode,
    id: ObjectId,
}

impl Objects {
    /// Opens the packs below `folder`.
    pub(super) fn open(folder: &Path) -> Result<Self, CloneError> {
        // Every object is read once: a cache of them would only hold memory.
        git2::opts::enable_caching(false);
        let odb = Odb::new().map_err(unreadable)?;
        let folder = folder.to_str().ok_or_else(|| CloneError::Objects("the store's path is not UTF-8".to_owned()))?;
        odb.add_disk_alternate(folder).map_err(unreadable)?;
        Ok(Self { odb })
    }

    /// The commit that the object at `target` is, or stands for as a tag.
    pub(super) fn commit(&self, target: ObjectId) -> Result<Commit, CloneError> {
        if !self.odb.exists(oid(target)) {
            return Err(CloneError::CommitMissing(target.to_string()));
        }
        let mut id = target;
        for _ in 0..TAGS_LIMIT {
            let object = self.read(id, || id.to_string())?;
            match object.kind() {
                ObjectType::Commit => return parse_commit(id, object.data()).ok_or_else(|| malformed("commit", id)),
                ObjectType::Tag => id = parse_tag(object.data()).ok_or_else(|| malformed("tag", id))?,
                _ => break,
            }
        }
        Err(CloneError::NotCommit(target.to_string()))
    }

    /// The content of the commit or tag whose id is written as `id`.
    pub(super) fn named(&self, id: &str) -> Result<Vec<u8>, CloneError> {
        let parsed = id.parse().map_err(|_| CloneError::MalformedCommit(id.to_owned()))?;
        Ok(self.read(parsed, || id.to_owned())?.data().to_vec())
    }

    /// The files of `commit` as they are below `folder`. Links are left out, as Flux does.
    pub(super) fn files(&self, commit: &Commit, folder: &TreePath, deadline: &Deadline) -> Result<Listing, CloneError> {
        let mut walk = Walk { objects: self, files: Vec::new(), submodules: Vec::new(), entries: 0, deadline };
        walk.directory(folder, commit.tree)?;
        Ok(Listing { files: walk.files, submodules: walk.submodules })
    }

    /// Shows `take` the content of `file`.
    pub(super) fn content<T>(&self, file: &File, take: impl FnOnce(&[u8]) -> T) -> Result<T, CloneError> {
        Ok(take(self.read(file.id, || format!("`{}`", file.path))?.data()))
    }

    /// Reads an object that an error calls `name`.
    fn read(&self, id: ObjectId, name: impl FnOnce() -> String) -> Result<git2::OdbObject<'_>, CloneError> {
        let (size_bytes, _) = self.odb.read_header(oid(id)).map_err(unreadable)?;
        if size_bytes as u64 > OBJECT_LIMIT_BYTES {
            let what = format!("{} with {size_bytes} bytes", name());
            return Err(CloneError::Limit { what, limit: format!("{OBJECT_LIMIT_BYTES} bytes for one file") });
        }
        self.odb.read(oid(id)).map_err(unreadable)
    }
}

struct Walk<'a> {
    objects: &'a Objects,
    files: Vec<File>,
    submodules: Vec<Link>,
    entries: usize,
    deadline: &'a Deadline,
}

impl Walk<'_> {
    fn directory(&mut self, path: &TreePath, id: ObjectId) -> Result<(), CloneError> {
        self.deadline.left()?;
        if path.parts().count() >= TreeWriter::DEPTH_LIMIT {
            let limit = format!("{} parts in one path", TreeWriter::DEPTH_LIMIT);
            return Err(CloneError::Limit { what: format!("`{path}`"), limit });
        }
        let object = self.objects.read(id, || format!("`{path}`"))?;
        let entries = parse_tree(object.data()).ok_or_else(|| malformed("tree", id))?;
        self.entries += entries.len();
        if self.entries > ENTRIES_LIMIT {
            return Err(CloneError::Limit { what: format!("`{path}`"), limit: format!("{ENTRIES_LIMIT} entries") });
        }
        for entry in entries {
            self.entry(path, &entry)?;
        }
        Ok(())
    }

    fn entry(&mut self, directory: &TreePath, entry: &TreeEntry<'_>) -> Result<(), CloneError> {
        match entry.kind {
            Kind::Link => Ok(()),
            Kind::Submodule => {
                self.submodules.push(Link { path: checked_path(directory, entry.name)?, target: entry.id });
                Ok(())
            }
            Kind::Directory => self.directory(&checked_path(directory, entry.name)?, entry.id),
            Kind::File(mode) => {
                self.files.push(File { path: checked_path(directory, entry.name)?, mode, id: entry.id });
                Ok(())
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct TreeEntry<'a> {
    name: &'a [u8],
    kind: Kind,
    id: ObjectId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    File(Mode),
    Directory,
    Link,
    Submodule,
}

impl Kind {
    fn from_mode(mode: u32) -> Option<Self> {
        match mode & 0o170_000 {
            0o040_000 => Some(Self::Directory),
            0o120_000 => Some(Self::Link),
            0o160_000 => Some(Self::Submodule),
            0o100_000 if mode & 0o111 != 0 => Some(Self::File(Mode::Executable)),
            0o100_000 => Some(Self::File(Mode::Regular)),
            _ => None,
        }
    }
}

/// Takes a tree apart: `<octal mode> <name>\0<id>`, again and again.
fn parse_tree(mut data: &[u8]) -> Option<Vec<TreeEntry<'_>>> {
    let mut entries = Vec::new();
    while !data.is_empty() {
        let (mode, rest) = split_at_byte(data, b' ')?;
        let (name, rest) = split_at_byte(rest, 0)?;
        let (id, rest) = rest.split_at_checked(ObjectId::LENGTH_BYTES)?;
        let mode = u32::from_str_radix(str::from_utf8(mode).ok()?, 8).ok()?;
        entries.push(TreeEntry { name, kind: Kind::from_mode(mode)?, id: ObjectId::from_bytes(id)? });
        data = rest;
    }
    Some(entries)
}

fn split_at_byte(data: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = data.iter().position(|candidate| *candidate == byte)?;
    Some((&data[..at], &data[at + 1..]))
}

fn parse_commit(id: ObjectId, data: &[u8]) -> Option<Commit> {
    let text = String::from_utf8_lossy(data);
    let (header, message) = text.split_once("\n\n").unwrap_or((&text, ""));
    let tree = header.lines().next()?.strip_prefix("tree ")?.parse().ok()?;
    let committer = header.lines().find_map(|line| line.strip_prefix("committer "))?;
    let mut from_end = committer.rsplit(' ');
    let committed_at = from_end.nth(1)?.parse().ok()?;
    let subject = message.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned();
    Some(Commit { id, tree, subject, committed_at })
}

/// The object that a tag annotates.
fn parse_tag(data: &[u8]) -> Option<ObjectId> {
    let (line, _) = split_at_byte(data, b'\n')?;
    str::from_utf8(line.strip_prefix(b"object ")?).ok()?.parse().ok()
}

fn checked_path(directory: &TreePath, name: &[u8]) -> Result<TreePath, CloneError> {
    checked_name(name).map(|name| directory.join(name)).map_err(|problem| {
        let folder = if directory.as_str().is_empty() { String::new() } else { format!("{directory}/") };
        CloneError::Name { path: format!("{folder}{}", name.escape_ascii()), problem }
    })
}

/// A name that is safe in an artifact, wherever that is unpacked.
fn checked_name(name: &[u8]) -> Result<&str, &'static str> {
    let name = str::from_utf8(name).map_err(|_| "whose name is not UTF-8")?;
    if matches!(name, "" | "." | "..") || name.contains(['/', '\\', '\0']) {
        return Err("whose name is not a single part of a path");
    }
    if is_git_folder(name) {
        return Err("whose name stands for `.git` on some systems");
    }
    Ok(name)
}

/// Whether some file system takes `name` for `.git`: it may ignore case and some characters, leave out what follows `:`
/// and dots or spaces at the end, or know it as `git~1`.
fn is_git_folder(name: &str) -> bool {
    let is_ignored =
        |c: char| matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}');
    let visible: String = name.chars().filter(|c| !is_ignored(*c)).flat_map(char::to_lowercase).collect();
    let stem = visible.split(':').next().unwrap_or_default().trim_end_matches(['.', ' ']);
    matches!(stem, ".git" | "git~1")
}

fn oid(id: ObjectId) -> Oid {
    Oid::from_bytes(id.as_bytes()).expect("an id has 20 bytes")
}

fn malformed(what: &str, id: ObjectId) -> CloneError {
    CloneError::Objects(format!("{what} {id} is malformed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> ObjectId {
        ObjectId::from_bytes(&[byte; 20]).expect("20 bytes")
    }

    #[test]
    fn names_that_stand_for_git_somewhere_are_refused() {
        let git = Err("whose name stands for `.git` on some systems");
        let part = Err("whose name is not a single part of a path");
        let rows: [(&[u8], Result<&str, &str>); 16] = [
            (b"deploy.yaml", Ok("deploy.yaml")),
            (b".gitignore", Ok(".gitignore")),
            (b".github", Ok(".github")),
            (b"git", Ok("git")),
            ("caf\u{e9}".as_bytes(), Ok("caf\u{e9}")),
            (b".git", git),
            (b".GIT", git),
            (b".git.", git),
            (b".git ", git),
            (b".git::$INDEX_ALLOCATION", git),
            (b"GIT~1", git),
            (".g\u{200c}it".as_bytes(), git),
            (b"..", part),
            (b"a/b", part),
            (b"a\\b", part),
            (b"\xff", Err("whose name is not UTF-8")),
        ];
        for (name, expected) in rows {
            assert_eq!(checked_name(name), expected, "{}", name.escape_ascii());
        }
    }

    #[test]
    fn a_tree_is_taken_apart_by_kind() {
        let mut data = Vec::new();
        for (mode, name, byte) in [
            ("100644", "a", 1),
            ("100755", "b", 2),
            ("120000", "c", 3),
            ("40000", "d", 4),
            ("160000", "e", 5),
            ("100664", "f", 6),
        ] {
            data.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            data.extend_from_slice(&[byte; 20]);
        }
        let kinds: Vec<_> = parse_tree(&data).expect("well-formed").into_iter().map(|entry| entry.kind).collect();
        let (regular, executable) = (Kind::File(Mode::Regular), Kind::File(Mode::Executable));
        assert_eq!(kinds, [regular, executable, Kind::Link, Kind::Directory, Kind::Submodule, regular]);
        assert_eq!(parse_tree(&data[..data.len() - 1]), None);
        assert_eq!(parse_tree(b"10644x a\0"), None);
    }

    #[test]
    fn a_commit_tells_its_tree_its_subject_and_its_time() {
        let text = format!(
            "tree {}\nparent {}\nauthor A <a@b> 1 +0000\ncommitter C D <c@d> 1700000000 -0130\ngpgsig x\n y\n\n\n  Fix it  \n\nBecause.\n",
            id(0xab),
            id(0xcd)
        );
        let commit = parse_commit(id(1), text.as_bytes()).expect("well-formed");
        let expected = Commit { id: id(1), tree: id(0xab), subject: "Fix it".into(), committed_at: 1_700_000_000 };
        assert_eq!(commit, expected);
        assert_eq!(parse_commit(id(1), b"tree 12\n\n"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_parsers_panic(bytes: Vec<u8>, text in "(tree|object|committer) ?[0-9a-f]{38,41}\n?[ -~\n]*") {
            for data in [bytes.as_slice(), text.as_bytes()] {
                let _ = parse_tree(data);
                let _ = parse_commit(id(1), data);
                let _ = parse_tag(data);
                let _ = checked_name(data);
            }
        }
    }
}
