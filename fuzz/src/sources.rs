//! What must hold for what sources are made of: whatever servers send, it is taken or refused, and nothing of it leaves its
//! place.

use std::{cell::RefCell, fs, io::Write};

use fairlead_object::{EntryKind, Tree, TreePath};
use fairlead_sources::{
    archive::{ArchiveError, ArchiveRules, Limits, Links, Taken, unpack},
    fuzzing,
    ignore::Ignore,
    store::{Release, SourceKey, SourceKind, Store, StoreSettings, StoredTree},
};
use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;
use tar::{EntryType, Header};
use tempfile::TempDir;

use crate::Choices;

/// Stands between the answers of a server.
const NEXT_ANSWER: &[u8] = b"----\n";

/// Any answers of a Git server give refs and a pack, or an error.
pub(crate) fn git(bytes: &[u8]) {
    let mut answers = Vec::new();
    let mut rest = bytes;
    while let Some(end) = rest.windows(NEXT_ANSWER.len()).position(|window| window == NEXT_ANSWER) {
        answers.push(&rest[..end]);
        rest = &rest[end + NEXT_ANSWER.len()..];
    }
    answers.push(rest);
    fuzzing::git_server(&answers);
}

/// Any text is a `known_hosts` or is refused, and a key that is revoked is never trusted.
pub(crate) fn known_hosts(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for (host, port) in [("example.com", 22), ("git.example.com", 2222), ("192.0.2.1", 22), ("::1", 22)] {
        fuzzing::known_hosts(&text, host, port);
    }
}

/// Any bytes are the index of a Helm repository or are refused, and both readers of it agree.
pub(crate) fn index(bytes: &[u8]) {
    fuzzing::helm_index(bytes);
    let mut index = b"apiVersion: v1\nentries:\n  shop:\n  - version: 1.0.0\n    ".to_vec();
    index.extend_from_slice(bytes);
    fuzzing::helm_index(&index);
}

/// Any answer of a registry is read or refused.
pub(crate) fn manifest(bytes: &[u8]) {
    fuzzing::registry(bytes);
}

/// Any text is a list of patterns; the last one that matches decides, and a comment changes nothing.
pub(crate) fn ignore(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (below, spec) = text.split_once('\u{1}').unwrap_or((&text, &text));
    let judge = |spec: &str| {
        let ignore = Ignore::new([(path("deploy"), below)], Some(spec));
        PATHS.map(|(written, kind)| ignore.excludes(&path(written), kind))
    };
    assert_eq!(judge(spec), judge(&format!("{spec}\n# a comment\n\n")), "a comment after {text:?}");
    let is_cut_short = text.lines().any(|line| line.len() >= 1 << 16);
    if !is_cut_short {
        assert_eq!(judge(&format!("{spec}\n*")), PATHS.map(|_| true), "everything after {text:?}");
        assert_eq!(judge(&format!("{spec}\n!*")), PATHS.map(|_| false), "nothing after {text:?}");
    }
}

const PATHS: [(&str, EntryKind); 6] = [
    ("a.yaml", EntryKind::File),
    ("deploy", EntryKind::Directory),
    ("deploy/a.yaml", EntryKind::File),
    ("deploy/b/c.yaml", EntryKind::File),
    (".git/config", EntryKind::File),
    ("é/x y/[z]", EntryKind::File),
];

/// Any archive is unpacked or refused; what is unpacked is packed and unpacked to the same.
///
/// The first byte says whether the others are an archive, packed or not, or say how one is made.
pub(crate) fn tar(bytes: &[u8]) {
    let (form, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let archive = match form % 4 {
        0 => rest.to_vec(),
        1 => compressed(rest),
        _ => compressed(&made(&mut Choices::given(rest))),
    };
    STORE.with_borrow_mut(|shelf| shelf.unpacks(&archive));
}

thread_local! {
    static STORE: RefCell<Shelf> = RefCell::new(Shelf::new());
}

/// A store that is emptied now and then.
struct Shelf {
    folder: TempDir,
    store: Store,
    archives: usize,
}

/// After how many archives the store is emptied.
const EMPTIED_AFTER: usize = 500;

/// What one archive may have.
const LIMITS: Limits = Limits { entries: 200, file_bytes: 1 << 16, total_bytes: 1 << 20, ratio: 200 };

impl Shelf {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let store = Store::open(folder.path(), StoreSettings::default()).expect("an empty store");
        Self { folder, store, archives: 0 }
    }

    fn unpacks(&mut self, archive: &[u8]) {
        self.archives += 1;
        if self.archives.is_multiple_of(EMPTIED_AFTER) {
            self.store.collect(Timestamp::UNIX_EPOCH).expect("emptied");
        }
        for links in [Links::Refuse, Links::Skip] {
            for taken in [Taken::All, Taken::Unignored(None)] {
                let rules = ArchiveRules { limits: LIMITS, links, taken };
                match self.unpacked(archive, &rules) {
                    Ok(tree) => self.holds(&tree),
                    Err(error) => drop(error.to_string()),
                }
            }
        }
    }

    fn unpacked(&self, archive: &[u8], rules: &ArchiveRules<'_>) -> Result<StoredTree, ArchiveError> {
        let mut writer = self.store.writer();
        unpack(archive, rules, &mut writer)?;
        Ok(writer.finish().expect("what was added is stored"))
    }

    /// Every path is inside of the tree, and the tree comes back from the archive that is served of it.
    fn holds(&self, tree: &StoredTree) {
        let mut directories = vec![TreePath::root()];
        while let Some(directory) = directories.pop() {
            for entry in tree.list(&directory).expect("a directory") {
                assert!(
                    !matches!(entry.name.as_str(), "" | "." | "..") && !entry.name.contains(['/', '\0']),
                    "{entry:?}"
                );
                match entry.kind {
                    EntryKind::Directory => directories.push(directory.join(&entry.name)),
                    EntryKind::File => drop(tree.read(&directory.join(&entry.name)).expect("a file")),
                }
            }
        }
        let key = SourceKey { kind: SourceKind::GitRepository, namespace: "fuzz".into(), name: "fuzz".into() };
        let artifact = self.store.publish(&key, &Release::new("r", tree), Timestamp::UNIX_EPOCH).expect("published");
        let hex = artifact.digest.hex();
        let served = fs::read(self.folder.path().join("blobs").join(&hex[..2]).join(hex)).expect("served");
        let again = self.unpacked(&served, &ArchiveRules::default()).expect("what is served is an archive");
        assert_eq!(again.root(), tree.root(), "packed and unpacked");
        self.store.withdraw(&key).expect("withdrawn");
    }
}

/// An archive whose headers are whole, whatever they say.
fn made(choices: &mut Choices) -> Vec<u8> {
    let mut archive = Vec::new();
    for _ in 0..choices.between(1, 6) {
        let kind = choices.pick(&KINDS);
        let name: Vec<u8> = match choices.pick(&NAMES) {
            "" => (0..choices.below(100)).map(|_| byte(choices)).collect(),
            name => name.as_bytes().to_vec(),
        };
        let content: Vec<u8> = match kind {
            EntryType::XHeader | EntryType::XGlobalHeader => record(choices),
            _ => (0..choices.below(80)).map(|_| byte(choices)).collect(),
        };
        let size_bytes = if choices.chance(90) { content.len() } else { choices.below(256) };
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(&name);
        header.set_entry_type(kind);
        header.set_mode(u32::from(byte(choices)));
        header.set_size(size_bytes as u64);
        header.set_cksum();
        archive.extend_from_slice(header.as_bytes());
        archive.extend_from_slice(&content);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

const KINDS: [EntryType; 11] = [
    EntryType::Regular,
    EntryType::Regular,
    EntryType::Directory,
    EntryType::XHeader,
    EntryType::XGlobalHeader,
    EntryType::GNULongName,
    EntryType::GNULongLink,
    EntryType::Symlink,
    EntryType::Link,
    EntryType::GNUSparse,
    EntryType::Fifo,
];

/// Names of entries; an empty one is made up.
const NAMES: [&str; 9] = ["", "a", "b/c", ".sourceignore", "../a", "/a", "d/", "a/../b", "./"];

/// A record of an extension header, whose length may be wrong.
fn record(choices: &mut Choices) -> Vec<u8> {
    let key = choices.pick(&["path", "size", "linkpath", "GNU.sparse.size", "comment"]);
    let value: Vec<u8> = (0..choices.below(40)).map(|_| byte(choices)).collect();
    let mut text = [b" ", key.as_bytes(), b"=", &value, b"\n"].concat();
    let length = text.len() + 2 + choices.below(3).saturating_sub(1);
    text.splice(..0, length.to_string().into_bytes());
    text
}

fn byte(choices: &mut Choices) -> u8 {
    u8::try_from(choices.below(256)).expect("below 256")
}

fn compressed(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).expect("written to memory");
    encoder.finish().expect("written to memory")
}

fn path(text: &str) -> TreePath {
    text.parse().expect("a relative path")
}
