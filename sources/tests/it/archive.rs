//! The packed form of a tree, and archives that want to do harm.

use std::{
    fs,
    io::{Read, Write},
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use fairlead_sources::{
    archive::{ArchiveError, ArchiveRules, Limits, PackError, SymbolicLinks, pack_file, pack_files, unpack},
    ignore::Ignore,
    store::{Change, Mode, Release, TreeWriter, differences},
};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use proptest::prelude::*;
use tar::{EntryType, Header};

use crate::scene::{Scene, at, chain, contents, key};

/// The packed form of a source with `files`.
fn packed(scene: &Scene, files: &[(&str, &str)]) -> Vec<u8> {
    let artifact = scene.publish("shop", "main@sha1:1", files, 0);
    std::fs::read(scene.file_of("blobs", &artifact.digest)).expect("packed")
}

/// What `tar -tv` would say of an archive.
fn listing(archive: &[u8]) -> String {
    let mut archive = tar::Archive::new(GzDecoder::new(archive));
    let lines = archive.entries().expect("entries").map(|entry| {
        let entry = entry.expect("an entry");
        let header = entry.header();
        let numbers = [header.uid(), header.gid(), header.mtime()].map(|number| number.expect("a number"));
        let mode = header.mode().expect("a mode");
        format!("{mode:04o} {numbers:?} {:>3} {}", entry.size(), String::from_utf8_lossy(&entry.path_bytes()))
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_tree_is_packed_as_flux_packs_it() {
    let long = "d".repeat(90);
    let longer = "n".repeat(120);
    let archive = packed(
        &Scene::new(),
        &[
            ("b.yaml", "b: 1"),
            ("a/z.yaml", ""),
            ("a-b/run.sh", "echo"),
            ("a/é.yaml", "é"),
            (&format!("{long}/{long}"), "x"),
            (&format!("a/{longer}"), "y"),
        ],
    );
    let listing = listing(&archive).replace(&long, "<90 d>").replace(&longer, "<120 n>");
    insta::assert_snapshot!(listing, @r"
    0750 [0, 0, 0]   0 .
    0750 [0, 0, 0]   0 a
    0600 [0, 0, 0]   1 a/<120 n>
    0600 [0, 0, 0]   0 a/z.yaml
    0600 [0, 0, 0]   2 a/é.yaml
    0750 [0, 0, 0]   0 a-b
    0700 [0, 0, 0]   4 a-b/run.sh
    0600 [0, 0, 0]   4 b.yaml
    0750 [0, 0, 0]   0 <90 d>
    0600 [0, 0, 0]   1 <90 d>/<90 d>
    ");
    assert_eq!(archive[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255], "a gzip header without name, time and system");
}

#[test]
fn equal_trees_are_packed_into_equal_bytes() {
    let files = [("a.yaml", "a: 1"), ("b/c.yaml", "c: 1")];
    let reversed = [files[1], files[0]];
    assert_eq!(packed(&Scene::new(), &files), packed(&Scene::new(), &reversed));
}

#[test]
fn what_was_packed_is_unpacked_to_the_same_tree() {
    let scene = Scene::new();
    let long = "n".repeat(300);
    let files = [("a.yaml", "a: 1"), ("apps/run.sh", "echo"), ("é/ü.yaml", "x"), (long.as_str(), "y")];
    let archive = packed(&scene, &files);
    let other = Scene::new();
    let mut writer = other.store.writer();
    unpack(archive.as_slice(), &ArchiveRules::default(), &mut writer).expect("unpacked");
    let tree = writer.finish().expect("finished");
    assert_eq!(tree.root(), scene.store.artifact(&key("shop")).expect("published").tree);
}

/// An archive that is written byte by byte, as nobody's library would.
struct Forged(GzEncoder<Vec<u8>>);

impl Forged {
    fn new() -> Self {
        Self(GzEncoder::new(Vec::new(), Compression::best()))
    }

    fn entry(self, name: &str, kind: EntryType, content: &[u8]) -> Self {
        self.lying(name, kind, content, content.len() as u64)
    }

    /// An entry whose header says that it has `size_bytes`.
    fn lying(mut self, name: &str, kind: EntryType, content: &[u8], size_bytes: u64) -> Self {
        let mut header = Header::new_ustar();
        header.as_ustar_mut().expect("USTAR").name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o4755);
        header.set_size(size_bytes);
        header.set_cksum();
        self.0.write_all(header.as_bytes()).expect("written");
        self.0.write_all(content).expect("written");
        self.0.write_all(&vec![0; content.len().next_multiple_of(512) - content.len()]).expect("written");
        self
    }

    fn bytes(mut self) -> Vec<u8> {
        self.0.write_all(&[0; 1024]).expect("written");
        self.0.finish().expect("packed")
    }
}

fn unpacked(archive: impl Read, limits: &Limits) -> String {
    let scene = Scene::new();
    let mut writer: TreeWriter = scene.store.writer();
    let rules = ArchiveRules { limits: *limits, ..ArchiveRules::default() };
    let result: Result<(), ArchiveError> = unpack(archive, &rules, &mut writer);
    match result {
        Ok(()) => contents(&writer.finish().expect("finished")).expect("whole"),
        Err(error) => chain(&error),
    }
}

#[test]
fn entries_that_want_out_or_are_not_files_are_refused_by_name() {
    let pax = |record: &str| {
        let length = record.len() + 4;
        format!("{length} {record}\n")
    };
    let file = EntryType::Regular;
    let rows = [
        Forged::new().entry("../sibling.yaml", file, b"x"),
        Forged::new().entry("a/../../b", file, b"x"),
        Forged::new().entry("a/..", EntryType::Directory, b""),
        Forged::new().entry("/etc/passwd", file, b"x"),
        Forged::new().entry("a\\..\\b", file, b"x"),
        Forged::new().entry("", file, b"x"),
        Forged::new().entry(".", file, b"x"),
        Forged::new().entry("link", EntryType::Symlink, b""),
        Forged::new().entry("hard", EntryType::Link, b""),
        Forged::new().entry("fifo", EntryType::Fifo, b""),
        Forged::new().entry("disk", EntryType::Block, b""),
        Forged::new().entry("sparse", EntryType::GNUSparse, b""),
        Forged::new().entry("a", file, b"x").entry("./a", file, b"y"),
        Forged::new().entry("a", file, b"x").entry("a/b", file, b"y"),
        Forged::new().entry("d", EntryType::Directory, b"x"),
        Forged::new().entry("x", EntryType::XHeader, pax("path=../long").as_bytes()).entry("a", file, b"x"),
        Forged::new().entry("x", EntryType::XHeader, pax("size=999999").as_bytes()).entry("a", file, b"x"),
        Forged::new().entry("x", EntryType::XHeader, pax("GNU.sparse.size=9").as_bytes()).entry("a", file, b"x"),
        Forged::new().entry("L", EntryType::GNULongName, b"../long\0").entry("a", file, b"x"),
    ];
    let told = rows.map(|forged| unpacked(forged.bytes().as_slice(), &Limits::default()));
    insta::assert_snapshot!(told.join("\n"), @r"
    entry `../sibling.yaml` of the archive leaves the archive
    entry `a/../../b` of the archive leaves the archive
    entry `a/..` of the archive leaves the archive
    entry `/etc/passwd` of the archive is not a relative path with `/` between its parts
    entry `a\..\b` of the archive is not a relative path with `/` between its parts
    entry `` of the archive has no name
    cannot store entry `.` of the archive: `.` is in the source twice, or is both a file and a directory
    entry `link` of the archive is a symbolic link; only regular files and directories are read
    entry `hard` of the archive is a hard link; only regular files and directories are read
    entry `fifo` of the archive is a device, or something unknown; only regular files and directories are read
    entry `disk` of the archive is a device, or something unknown; only regular files and directories are read
    entry `sparse` of the archive is a sparse file; only regular files and directories are read
    cannot store entry `a` of the archive: `a` is in the source twice, or is both a file and a directory
    cannot store entry `a/b` of the archive: `a/b` is in the source twice, or is both a file and a directory
    entry `d` of the archive is a directory with content; only regular files and directories are read
    entry `../long` of the archive leaves the archive
    entry `x` of the archive is one that sets the size of the next; only regular files and directories are read
    entry `x` of the archive is the beginning of a sparse file; only regular files and directories are read
    entry `../long` of the archive leaves the archive
    ");
}

#[test]
fn harmless_oddities_are_read() {
    let archive = Forged::new()
        .entry("pax_global_header", EntryType::XGlobalHeader, b"18 comment=abcdef\n")
        .entry("./", EntryType::Directory, b"")
        .entry("old-style-directory/", EntryType::Regular, b"")
        .entry("x", EntryType::XHeader, b"18 path=long.yaml\n")
        .entry("long.y", EntryType::Regular, b"a: 1")
        .entry("./b//c.yaml", EntryType::Regular, b"c: 1");
    assert_eq!(unpacked(archive.bytes().as_slice(), &Limits::default()), "long.yaml: a: 1\nb/c.yaml: c: 1\n");
}

#[test]
fn every_limit_is_named_with_the_entry_that_exceeded_it() {
    let file = EntryType::Regular;
    let zeros = vec![0; 40 << 20];
    let two = || Forged::new().entry("a", file, b"12345678").entry("b", file, b"12345678").bytes();
    let all = Limits::default();
    let rows = [
        (Limits { entries: 1, ..all }, two()),
        (Limits { file_bytes: 7, ..all }, two()),
        (Limits { total_bytes: 1024, ..all }, two()),
        (all, Forged::new().entry("bomb", file, &zeros).bytes()),
        (all, Forged::new().lying("huge", file, b"", 1 << 40).bytes()),
        (all, Forged::new().lying("x", EntryType::XHeader, b"", 1 << 30).bytes()),
        (all, Forged::new().lying("d", EntryType::Directory, &zeros, 1 << 62).bytes()),
    ];
    let told = rows.map(|(limits, archive)| unpacked(archive.as_slice(), &limits));
    insta::assert_snapshot!(told.join("\n"), @r"
    entry `b` of the archive exceeds the limit of 1 entries in one archive
    entry `a` of the archive exceeds the limit of 7 bytes in one file
    entry `a` of the archive exceeds the limit of 1024 bytes in one archive
    entry `bomb` of the archive exceeds the limit of 200 unpacked bytes for each packed one
    entry `huge` of the archive exceeds the limit of 268435456 bytes in one file
    entry `x` of the archive exceeds the limit of 65536 bytes in one extension header
    entry `d` of the archive is a directory with content; only regular files and directories are read
    ");
}

#[test]
fn damaged_and_shortened_archives_are_not_taken() {
    let whole = Forged::new().entry("a", EntryType::Regular, &[7; 3000]).bytes();
    let mut broken = whole.clone();
    let checksum = broken.len() - 6;
    broken[checksum] ^= 1;
    let short = Forged::new().lying("a", EntryType::Regular, b"x", 5000).bytes();
    let rows = [&whole[..whole.len() / 2], &whole[..whole.len() - 1], &broken, &short, b"not gzip", b""];
    let told = rows.map(|archive| unpacked(archive, &Limits::default()));
    insta::assert_snapshot!(told.join("\n"), @r"
    the archive cannot be read beyond its start: incomplete deflate stream
    the archive cannot be read beyond entry `a`: unexpected end of file
    the archive cannot be read beyond entry `a`: corrupt gzip stream does not have a matching checksum
    the archive cannot be read beyond entry `a`: unexpected end of file
    the archive cannot be read beyond its start: unexpected end of file
    the archive cannot be read beyond its start: unexpected end of file
    ");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_tree_survives_being_packed(
        files in prop::collection::btree_map("[a-dé ]{1,2}(/[a-d~]{1,110}){0,3}", "[a-z\n]{0,600}", 0..6),
    ) {
        let scene = Scene::new();
        let mut writer = scene.store.writer();
        for (path, content) in &files {
            let digest = writer.put(content.as_bytes()).expect("put");
            // A file may stand where another one needs a directory; the first one stays.
            let _ = writer.add(&path.parse().expect("relative"), Mode::Regular, digest);
        }
        let tree = writer.finish().expect("finished");
        let artifact = scene.store.publish(&key("shop"), &Release::new("sha1:1", &tree), at(0)).expect("published");
        let archive = std::fs::read(scene.file_of("blobs", &artifact.digest)).expect("packed");
        let mut writer = scene.store.writer();
        unpack(archive.as_slice(), &ArchiveRules::default(), &mut writer).expect("unpacked");
        prop_assert_eq!(writer.finish().expect("finished").root(), tree.root());
    }

    #[test]
    fn a_damaged_archive_is_read_or_refused_and_nothing_else(
        flips in prop::collection::vec((0_usize..4096, any::<u8>()), 1..8),
    ) {
        let whole = Forged::new()
            .entry("x", EntryType::XHeader, b"18 path=long.yaml\n")
            .entry("a.yaml", EntryType::Regular, b"a: 1")
            .entry("L", EntryType::GNULongName, b"b/c.yaml\0")
            .entry("b", EntryType::Regular, b"b: 1");
        let mut bytes = Vec::new();
        GzDecoder::new(whole.bytes().as_slice()).read_to_end(&mut bytes).expect("whole");
        for (at, byte) in flips {
            bytes[at] = byte;
        }
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&bytes).expect("packed");
        unpacked(packed.finish().expect("packed").as_slice(), &Limits::default());
    }
}

/// A folder with files, each with its permissions, and symbolic links.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |path: &str| folder.path().join(path);
    fs::create_dir_all(at("apps/.git")).expect("made");
    for (path, mode) in
        [("b.yaml", 0o644), ("apps/run.sh", 0o755), ("apps/logo.png", 0o644), ("apps/.git/config", 0o600)]
    {
        fs::write(at(path), path).expect("written");
        fs::set_permissions(at(path), PermissionsExt::from_mode(mode)).expect("set");
    }
    for path in ["", "apps", "apps/.git"] {
        fs::set_permissions(at(path), PermissionsExt::from_mode(0o755)).expect("set");
    }
    symlink("../b.yaml", at("apps/link.yaml")).expect("linked");
    symlink("..", at("apps/round")).expect("linked");
    folder
}

fn local(path: &Path, links: SymbolicLinks) -> Result<Vec<u8>, PackError> {
    let patterns = [".git/", "*.png"].map(str::to_owned);
    pack_files(path, &Ignore::of_patterns(&patterns), links)
}

#[test]
fn files_of_this_machine_are_packed_as_flux_packs_what_it_pushes() {
    let folder = folder();
    insta::assert_snapshot!(listing(&local(folder.path(), SymbolicLinks::Skip).expect("packed")), @r"
    0755 [0, 0, 0]   0 .
    0755 [0, 0, 0]   0 apps
    0755 [0, 0, 0]  11 apps/run.sh
    0644 [0, 0, 0]   6 b.yaml
    ");
    let file = local(&folder.path().join("apps/logo.png"), SymbolicLinks::Skip).expect("packed");
    insta::assert_snapshot!(listing(&file), @"0644 [0, 0, 0]  13 logo.png");
    let input = pack_file(&"stdin.yaml".parse().expect("a path"), b"a: 1");
    insta::assert_snapshot!(listing(&input), @"0644 [0, 0, 0]   4 stdin.yaml");
}

#[test]
fn symbolic_links_are_resolved_on_request_and_never_round_in_circles() {
    let resolved = local(folder().path(), SymbolicLinks::Resolve).expect("packed");
    insta::assert_snapshot!(listing(&resolved), @r"
    0755 [0, 0, 0]   0 .
    0755 [0, 0, 0]   0 apps
    0644 [0, 0, 0]   6 apps/link.yaml
    0755 [0, 0, 0]  11 apps/run.sh
    0644 [0, 0, 0]   6 b.yaml
    ");
}

#[test]
fn what_cannot_be_packed_is_named() {
    let folder = folder();
    let shown = |path: &str, links| {
        let Err(error) = local(&folder.path().join(path), links) else { panic!("{path} is no input") };
        chain(&error).replace(folder.path().to_str().expect("text"), "FOLDER")
    };
    insta::assert_snapshot!(shown("lost", SymbolicLinks::Skip), @"cannot read `FOLDER/lost`: No such file or directory (os error 2)");
    symlink("nowhere", folder.path().join("dangling")).expect("linked");
    insta::assert_snapshot!(shown("", SymbolicLinks::Resolve), @"cannot read `FOLDER/dangling`: No such file or directory (os error 2)");
}

#[test]
fn a_tree_is_written_to_a_folder_and_compared() {
    let scene = Scene::new();
    let stored = |archive: &[u8]| {
        let mut writer = scene.store.writer();
        unpack(archive, &ArchiveRules::default(), &mut writer).expect("unpacked");
        writer.finish().expect("finished")
    };
    let from = folder();
    let before = stored(&local(from.path(), SymbolicLinks::Skip).expect("packed"));
    let to = tempfile::tempdir().expect("a folder");
    symlink("elsewhere", to.path().join("b.yaml")).expect("linked");
    before.write_to(to.path()).expect("written");
    assert_eq!(fs::read_to_string(to.path().join("b.yaml")).expect("a file"), "b.yaml");
    assert!(!to.path().join("elsewhere").exists(), "a link that is in the way is not followed");
    let again = stored(&local(to.path(), SymbolicLinks::Skip).expect("packed"));
    assert_eq!(differences(&before, &again).expect("compared"), []);

    fs::write(to.path().join("b.yaml"), "other").expect("written");
    fs::write(to.path().join("c.yaml"), "new").expect("written");
    fs::remove_file(to.path().join("apps/run.sh")).expect("removed");
    let changed = stored(&local(to.path(), SymbolicLinks::Skip).expect("packed"));
    let path = |text: &str| text.parse().expect("a path");
    let expected =
        [(path("apps/run.sh"), Change::Deleted), (path("b.yaml"), Change::Changed), (path("c.yaml"), Change::Created)];
    assert_eq!(differences(&before, &changed).expect("compared"), expected);
}
