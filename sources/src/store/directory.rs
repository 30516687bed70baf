//! One directory of a tree, as it is kept under its digest.

use std::{fmt::Write, str};

use fairlead_object::{Digest, EntryKind};

/// Whether a file may be executed. Nothing else of a file's mode is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A file like any other.
    Regular,
    /// A file with an executable bit.
    Executable,
}

/// What stands under a name in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// A file: the content is a blob.
    File { mode: Mode, digest: Digest, size_bytes: u64 },
    /// A directory: the listing is a tree.
    Directory { digest: Digest },
}

impl Node {
    pub(crate) fn kind(&self) -> EntryKind {
        match self {
            Self::File { .. } => EntryKind::File,
            Self::Directory { .. } => EntryKind::Directory,
        }
    }
}

/// A directory's entries, by name in byte order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Directory {
    entries: Vec<(String, Node)>,
}

impl Directory {
    /// The directory of `entries`, which are in byte order of their names.
    pub(crate) fn new(entries: Vec<(String, Node)>) -> Self {
        Self { entries }
    }

    pub(crate) fn entries(&self) -> &[(String, Node)] {
        &self.entries
    }

    pub(crate) fn get(&self, name: &str) -> Option<Node> {
        let index = self.entries.binary_search_by(|(entry, _)| entry.as_str().cmp(name)).ok()?;
        Some(self.entries[index].1)
    }

    /// One record for each entry: `<letter> <digest> <size> <name>` and a NUL byte, which no name holds.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut encoded = String::new();
        for (name, node) in &self.entries {
            let (letter, digest, size_bytes) = match node {
                Node::File { mode: Mode::Regular, digest, size_bytes } => ('f', digest, *size_bytes),
                Node::File { mode: Mode::Executable, digest, size_bytes } => ('x', digest, *size_bytes),
                Node::Directory { digest } => ('d', digest, 0),
            };
            write!(encoded, "{letter} {digest} {size_bytes} {name}\0").expect("a String takes any text");
        }
        encoded.into_bytes()
    }

    /// Reads what [`Directory::encode`] wrote; `None` for anything else.
    pub(crate) fn decode(encoded: &[u8]) -> Option<Self> {
        let records = str::from_utf8(encoded).ok()?.split_terminator('\0');
        records.map(decode_record).collect::<Option<_>>().map(Self::new)
    }
}

fn decode_record(record: &str) -> Option<(String, Node)> {
    let mut fields = record.splitn(4, ' ');
    let letter = fields.next()?;
    let digest = fields.next()?.parse().ok()?;
    let size_bytes = fields.next()?.parse().ok()?;
    let node = match letter {
        "f" => Node::File { mode: Mode::Regular, digest, size_bytes },
        "x" => Node::File { mode: Mode::Executable, digest, size_bytes },
        "d" => Node::Directory { digest },
        _ => return None,
    };
    Some((fields.next()?.to_owned(), node))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_reads_back_what_was_written() {
        let digest = Digest::of(b"x");
        let file = |mode| Node::File { mode, digest, size_bytes: 7 };
        let directory = Directory::new(vec![
            (" line\nbreak ".to_owned(), file(Mode::Regular)),
            ("a b".to_owned(), file(Mode::Executable)),
            ("é".to_owned(), Node::Directory { digest }),
        ]);
        assert_eq!(Directory::decode(&directory.encode()), Some(directory.clone()));
        assert_eq!(directory.get("a b"), Some(file(Mode::Executable)));
        assert_eq!(directory.get("a"), None);
        assert_eq!(Directory::decode(b""), Some(Directory::default()));
    }

    #[test]
    fn anything_else_is_no_directory() {
        let digest = Digest::of(b"x");
        let rows = [
            "x".to_owned(),
            format!("f {digest} 1"),
            format!("f {digest} -1 a\0"),
            format!("l {digest} 1 a\0"),
            "f sha256:00 1 a\0".to_owned(),
        ];
        for row in rows {
            assert_eq!(Directory::decode(row.as_bytes()), None, "{row:?}");
        }
        assert_eq!(Directory::decode(&[0xff, 0]), None);
    }
}
