//! A pack on its way from a server to the disk.
//!
//! libgit2 holds an object that is stored as a delta in memory as a whole, however large the delta says it is, and knows
//! no limit for that. So the pack is looked through as it arrives: a delta of a few bytes that would become gigabytes
//! ends the fetch before anything of it is resolved. The format is `gitformat-pack(5)`.

use std::{io::Write, path::Path};

use flate2::{Decompress, FlushDecompress, Status};
use git2::Indexer;

use super::error::CloneError;
use crate::deadline::Deadline;

/// Most bytes that a server may send for one fetch.
pub(super) const PACK_LIMIT_BYTES: u64 = 1 << 30;

/// Most objects that one fetch may bring.
pub(super) const OBJECTS_LIMIT: u32 = 1_000_000;

/// Largest object that is held in memory: a file that is kept, a directory, or anything stored as a delta.
pub(super) const OBJECT_LIMIT_BYTES: u64 = 128 << 20;

/// Writes a pack to the disk and indexes it there.
pub(super) struct PackWriter<'a> {
    check: PackCheck,
    indexer: Indexer<'a>,
    received_bytes: u64,
    deadline: Deadline,
}

impl PackWriter<'_> {
    /// Starts a pack below `folder`, which must exist.
    pub(super) fn new(folder: &Path, deadline: &Deadline) -> Result<Self, CloneError> {
        let packs = folder.join("pack");
        std::fs::create_dir_all(&packs).map_err(CloneError::Scratch)?;
        let mut indexer = Indexer::new(None, &packs, 0o600, false).map_err(unreadable)?;
        let watched = deadline.clone();
        indexer.progress(move |_| watched.left().is_ok());
        Ok(Self { check: PackCheck::new(), indexer, received_bytes: 0, deadline: deadline.clone() })
    }

    pub(super) fn take(&mut self, piece: &[u8]) -> Result<(), CloneError> {
        self.received_bytes += piece.len() as u64;
        if self.received_bytes > PACK_LIMIT_BYTES {
            let what = "what the server sends for one commit".to_owned();
            return Err(CloneError::Limit { what, limit: format!("{PACK_LIMIT_BYTES} bytes") });
        }
        self.check.take(piece)?;
        let written = self.indexer.write_all(piece);
        self.deadline.left()?;
        written.map_err(|error| CloneError::Objects(error.to_string()))
    }

    /// Resolves the deltas; the objects can be read from then on.
    pub(super) fn finish(self) -> Result<(), CloneError> {
        if !self.check.is_done() {
            return Err(malformed("ends early"));
        }
        let finished = self.indexer.commit();
        self.deadline.left()?;
        finished.map(drop).map_err(unreadable)
    }
}

/// What libgit2 says about objects that it cannot read.
#[expect(clippy::needless_pass_by_value, reason = "it is passed to `map_err`")]
pub(super) fn unreadable(error: git2::Error) -> CloneError {
    CloneError::Objects(error.message().to_owned())
}

fn malformed(problem: &str) -> CloneError {
    CloneError::Objects(format!("the pack {problem}"))
}

/// Looks through a pack that arrives in pieces of any size.
struct PackCheck {
    state: State,
    /// The bytes of a field that is not complete yet.
    field: Vec<u8>,
    objects_left: u32,
}

enum State {
    /// In the twelve bytes that begin the pack.
    Beginning,
    /// In an object's kind and size.
    Object,
    /// In what names the base of a delta of this size.
    Base(Base, u64),
    /// In an object's compressed content.
    Content(Content),
    /// Behind the last object.
    End,
}

/// How a delta names its base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base {
    Offset,
    Id,
}

/// What an object's first bytes say.
#[derive(Debug, PartialEq, Eq)]
enum Stored {
    Whole { size_bytes: u64 },
    Delta { base: Base, size_bytes: u64 },
}

impl PackCheck {
    const BEGINNING_BYTES: usize = 12;
    const ID_BYTES: usize = 20;
    /// Longest number of the format, in bytes.
    const NUMBER_LIMIT_BYTES: usize = 9;

    fn new() -> Self {
        Self { state: State::Beginning, field: Vec::new(), objects_left: 0 }
    }

    fn is_done(&self) -> bool {
        matches!(self.state, State::End)
    }

    fn take(&mut self, mut piece: &[u8]) -> Result<(), CloneError> {
        while let [first, rest @ ..] = piece {
            piece = match &mut self.state {
                State::End => return Ok(()),
                State::Content(content) => match content.take(piece)? {
                    Inflated::Wants => return Ok(()),
                    Inflated::Done(rest) => {
                        self.next_object();
                        rest
                    }
                },
                State::Beginning | State::Object | State::Base(..) => {
                    self.field.push(*first);
                    self.take_field()?;
                    rest
                }
            };
        }
        Ok(())
    }

    /// Goes on if the field is complete.
    fn take_field(&mut self) -> Result<(), CloneError> {
        let ends_number = self.field.last().is_some_and(|byte| byte & 0x80 == 0);
        let length = self.field.len();
        match self.state {
            State::Beginning if length == Self::BEGINNING_BYTES => {
                self.objects_left = parse_beginning(&self.field)?;
                self.next_object();
            }
            State::Object if ends_number => self.start(&parse_stored(&self.field)?)?,
            State::Base(Base::Offset, size_bytes) if ends_number => self.unfold(Content::delta(size_bytes)),
            State::Base(Base::Id, size_bytes) if length == Self::ID_BYTES => self.unfold(Content::delta(size_bytes)),
            State::Object | State::Base(Base::Offset, _) if length == Self::NUMBER_LIMIT_BYTES => {
                return Err(malformed("holds a number that is too long"));
            }
            State::Beginning | State::Object | State::Base(..) | State::Content(_) | State::End => {}
        }
        Ok(())
    }

    fn next_object(&mut self) {
        self.field.clear();
        self.state = if self.objects_left == 0 { State::End } else { State::Object };
        self.objects_left = self.objects_left.saturating_sub(1);
    }

    fn start(&mut self, stored: &Stored) -> Result<(), CloneError> {
        match *stored {
            Stored::Whole { size_bytes } => self.unfold(Content::whole(size_bytes)),
            Stored::Delta { base, size_bytes } => {
                check_size(size_bytes)?;
                self.field.clear();
                self.state = State::Base(base, size_bytes);
            }
        }
        Ok(())
    }

    fn unfold(&mut self, content: Content) {
        self.field.clear();
        self.state = State::Content(content);
    }
}

/// Reads how many objects follow.
fn parse_beginning(field: &[u8]) -> Result<u32, CloneError> {
    let [b'P', b'A', b'C', b'K', 0, 0, 0, 2 | 3, count @ ..] = field else {
        return Err(malformed("does not begin as one"));
    };
    let count = count.try_into().map(u32::from_be_bytes).map_err(|_| malformed("does not begin as one"))?;
    if count > OBJECTS_LIMIT {
        let what = format!("a commit with {count} objects");
        return Err(CloneError::Limit { what, limit: format!("{OBJECTS_LIMIT} objects") });
    }
    Ok(count)
}

/// Reads an object's kind and size: three bits and four, and seven with each byte that follows.
fn parse_stored(field: &[u8]) -> Result<Stored, CloneError> {
    let Some((first, more)) = field.split_first() else { return Err(malformed("ends early")) };
    let size_bytes = more
        .iter()
        .zip((4..).step_by(7))
        .fold(u64::from(first & 0x0f), |size, (byte, shift)| size | u64::from(byte & 0x7f) << shift);
    match first >> 4 & 7 {
        1..=4 => Ok(Stored::Whole { size_bytes }),
        6 => Ok(Stored::Delta { base: Base::Offset, size_bytes }),
        7 => Ok(Stored::Delta { base: Base::Id, size_bytes }),
        _ => Err(malformed("holds an object of an unknown kind")),
    }
}

fn check_size(size_bytes: u64) -> Result<(), CloneError> {
    if size_bytes > OBJECT_LIMIT_BYTES {
        let what = format!("an object with {size_bytes} bytes");
        return Err(CloneError::Limit { what, limit: format!("{OBJECT_LIMIT_BYTES} bytes in memory") });
    }
    Ok(())
}

/// An object's content while it is inflated.
struct Content {
    inflate: Decompress,
    size_bytes: u64,
    /// For a delta, its first bytes until they have told the sizes of its base and of what it makes.
    sizes: Option<Vec<u8>>,
}

/// What became of a piece.
enum Inflated<'a> {
    /// It is used up, and the content goes on.
    Wants,
    /// The content is complete; this follows it.
    Done(&'a [u8]),
}

impl Content {
    const SCRATCH_BYTES: usize = 8 << 10;

    fn whole(size_bytes: u64) -> Self {
        Self { inflate: Decompress::new(true), size_bytes, sizes: None }
    }

    fn delta(size_bytes: u64) -> Self {
        Self { inflate: Decompress::new(true), size_bytes, sizes: Some(Vec::new()) }
    }

    fn take<'a>(&mut self, mut piece: &'a [u8]) -> Result<Inflated<'a>, CloneError> {
        let mut scratch = [0; Self::SCRATCH_BYTES];
        loop {
            let (taken_before, made_before) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self.inflate.decompress(piece, &mut scratch, FlushDecompress::None);
            let status = status.map_err(|_| malformed("holds an object that cannot be inflated"))?;
            let taken = length(self.inflate.total_in() - taken_before);
            let made = length(self.inflate.total_out() - made_before);
            self.check(&scratch[..made])?;
            piece = &piece[taken..];
            match status {
                Status::StreamEnd if self.inflate.total_out() == self.size_bytes => return Ok(Inflated::Done(piece)),
                Status::StreamEnd => return Err(malformed("holds an object that is shorter than it says")),
                Status::Ok | Status::BufError if made == scratch.len() => {}
                Status::Ok | Status::BufError if piece.is_empty() => return Ok(Inflated::Wants),
                Status::Ok | Status::BufError if taken == 0 => {
                    return Err(malformed("holds an object that cannot be inflated"));
                }
                Status::Ok | Status::BufError => {}
            }
        }
    }

    fn check(&mut self, made: &[u8]) -> Result<(), CloneError> {
        if self.inflate.total_out() > self.size_bytes {
            return Err(malformed("holds an object that is longer than it says"));
        }
        let Some(sizes) = &mut self.sizes else { return Ok(()) };
        sizes.extend(made.iter().take(2 * PackCheck::NUMBER_LIMIT_BYTES));
        let Some((base_bytes, rest)) = parse_number(sizes)? else { return Ok(()) };
        let Some((made_bytes, _)) = parse_number(rest)? else { return Ok(()) };
        self.sizes = None;
        check_size(base_bytes)?;
        check_size(made_bytes)
    }
}

fn length(bytes: u64) -> usize {
    usize::try_from(bytes).expect("no more than the length of a slice")
}

/// Reads a number of seven bits a byte, lowest first; `None` if it is not complete.
fn parse_number(bytes: &[u8]) -> Result<Option<(u64, &[u8])>, CloneError> {
    let Some(last) = bytes.iter().position(|byte| byte & 0x80 == 0) else {
        let is_too_long = bytes.len() >= PackCheck::NUMBER_LIMIT_BYTES;
        return if is_too_long { Err(malformed("holds a number that is too long")) } else { Ok(None) };
    };
    if last >= PackCheck::NUMBER_LIMIT_BYTES {
        return Err(malformed("holds a number that is too long"));
    }
    let (digits, rest) = bytes.split_at(last + 1);
    let value = digits.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f));
    Ok(Some((value, rest)))
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::ZlibEncoder};

    use super::*;

    fn number(mut value: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        while value > 0x7f {
            bytes.push(0x80 | (value & 0x7f) as u8);
            value >>= 7;
        }
        bytes.push((value & 0x7f) as u8);
        bytes
    }

    /// An object of `kind` that says it has `size` bytes, with `base` before its content.
    fn object(kind: u8, size: u64, base: &[u8], content: &[u8]) -> Vec<u8> {
        let first = kind << 4 | (size & 0x0f) as u8;
        let mut bytes = if size > 0x0f { [vec![first | 0x80], number(size >> 4)].concat() } else { vec![first] };
        bytes.extend_from_slice(base);
        let mut deflate = ZlibEncoder::new(bytes, Compression::default());
        deflate.write_all(content).expect("memory");
        deflate.finish().expect("memory")
    }

    fn pack(objects: &[Vec<u8>]) -> Vec<u8> {
        let count = u32::try_from(objects.len()).expect("few").to_be_bytes();
        [b"PACK\0\0\0\x02".as_slice(), &count, &objects.concat(), &[7; 20]].concat()
    }

    fn checked(pack: &[u8], piece_bytes: usize) -> String {
        let mut check = PackCheck::new();
        for piece in pack.chunks(piece_bytes) {
            if let Err(error) = check.take(piece) {
                return error.to_string();
            }
        }
        if check.is_done() { "done".to_owned() } else { "not done".to_owned() }
    }

    fn delta(base_bytes: u64, made_bytes: u64) -> Vec<u8> {
        [number(base_bytes), number(made_bytes), vec![0x90, 1]].concat()
    }

    #[test]
    fn a_pack_is_looked_through_in_pieces_of_any_size() {
        let content = vec![b'x'; 100_000];
        let small = delta(100_000, 300);
        let size = small.len() as u64;
        let whole = pack(&[
            object(3, 100_000, &[], &content),
            object(6, size, &[0x81, 0x05], &small),
            object(7, size, &[9; 20], &small),
            object(1, 0, &[], &[]),
        ]);
        for piece_bytes in [1, 2, 7, 1000, whole.len()] {
            assert_eq!(checked(&whole, piece_bytes), "done", "{piece_bytes}");
            assert_eq!(checked(&whole[..whole.len() - 21], piece_bytes), "not done", "{piece_bytes}");
        }
        assert_eq!(checked(&pack(&[]), 3), "done");
    }

    #[test]
    fn what_would_not_fit_into_memory_is_refused_before_it_is_resolved() {
        let unfolding = |base_bytes, made_bytes| {
            let delta = delta(base_bytes, made_bytes);
            pack(&[object(6, delta.len() as u64, &[1], &delta)])
        };
        let too_large = "an object with 4294967296 bytes exceeds the limit of 134217728 bytes in memory";
        let mut too_many = pack(&[]);
        too_many[8..12].copy_from_slice(&2_000_000_u32.to_be_bytes());
        let rows = [
            (unfolding(1 << 20, 4 << 30), too_large),
            (unfolding(4 << 30, 10), too_large),
            (pack(&[object(6, 4 << 30, &[1], b"x")]), too_large),
            (too_many, "a commit with 2000000 objects exceeds the limit of 1000000 objects"),
        ];
        for (pack, expected) in rows {
            assert_eq!(checked(&pack, 5), expected);
        }
    }

    #[test]
    fn a_broken_pack_is_told_by_what_is_broken() {
        let cannot = "the fetched objects cannot be read: the pack";
        let rows = [
            (b"KCAP\0\0\0\x02\0\0\0\0".to_vec(), "does not begin as one"),
            (pack(&[object(5, 1, &[], b"x")]), "holds an object of an unknown kind"),
            (pack(&[object(3, 2, &[], b"x")]), "holds an object that is shorter than it says"),
            (pack(&[object(3, 1, &[], b"xy")]), "holds an object that is longer than it says"),
            (pack(&[vec![0x31, b'x', b'y', b'z']]), "holds an object that cannot be inflated"),
            (pack(&[vec![0xff; 12]]), "holds a number that is too long"),
            (pack(&[object(6, 12, &[1], &[0xff; 12])]), "holds a number that is too long"),
        ];
        for (pack, expected) in rows {
            assert_eq!(checked(&pack, 4), format!("{cannot} {expected}"));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_check_panic(bytes: Vec<u8>, count in 0_u32..4, piece_bytes in 1_usize..9) {
            let bytes = [b"PACK\0\0\0\x02".as_slice(), &count.to_be_bytes(), &bytes].concat();
            checked(&bytes, piece_bytes);
        }
    }
}
