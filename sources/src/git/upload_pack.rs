//! The conversation with a server's `git-upload-pack`: which refs are there, and the objects of one commit.
//!
//! Both protocol versions are spoken: with version 2 the server is asked for the refs that matter, with versions 0 and 1
//! it lists all of them unasked. A fetch is a clone of depth 1 without negotiation: the one question that says what is
//! wanted also says that nothing is there yet, so one answer follows. See `gitprotocol-v2(5)` and `gitprotocol-pack(5)`.

use std::io::{self, Read};

use super::{
    error::CloneError,
    packet::{Message, Packet, PacketReader, line_text},
    refs::{Capabilities, Greeting, ObjectId, RemoteRef, read_greeting, read_listed},
};
use crate::transport::remote_text;

/// How bytes get to a server and back.
pub(crate) trait Wire {
    /// What the server says first.
    fn greeting(&mut self) -> Result<Box<dyn Read + '_>, CloneError>;

    /// The answer to `question`.
    fn ask(&mut self, question: Vec<u8>) -> Result<Box<dyn Read + '_>, CloneError>;
}

/// The refs of a remote that were asked for.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(super) refs: Vec<RemoteRef>,
    /// Whether the remote has no ref at all.
    pub(super) is_empty: bool,
}

/// How we call ourselves. Some servers answer only to names that start with `git/`.
pub(super) const AGENT: &str = concat!("git/fairlead-", env!("CARGO_PKG_VERSION"));

/// Lists the refs of a remote whose names start with one of `prefixes`.
pub(super) fn list(wire: &mut dyn Wire, prefixes: &[String]) -> Result<Listing, CloneError> {
    let is_wanted = |found: &RemoteRef| prefixes.iter().any(|prefix| found.name.starts_with(prefix));
    match greet(wire, is_wanted)? {
        Greeting::V0 { refs, is_empty, .. } => Ok(Listing { refs, is_empty }),
        Greeting::V2(capabilities) => {
            let refs = list_matching(wire, &capabilities, prefixes)?;
            let is_empty = refs.is_empty() && list_matching(wire, &capabilities, &["refs/".to_owned()])?.is_empty();
            Ok(Listing { refs, is_empty })
        }
    }
}

fn greet(wire: &mut dyn Wire, keep: impl Fn(&RemoteRef) -> bool) -> Result<Greeting, CloneError> {
    read_greeting(&mut PacketReader::new(Limited::new(wire.greeting()?)), keep)
}

fn list_matching(
    wire: &mut dyn Wire,
    capabilities: &Capabilities,
    prefixes: &[String],
) -> Result<Vec<RemoteRef>, CloneError> {
    let mut question = command("ls-refs", capabilities);
    question.line("peel");
    for prefix in prefixes.iter().filter(|prefix| may_be_name(prefix)) {
        question.line(&format!("ref-prefix {prefix}"));
    }
    question.flush();
    read_listed(&mut PacketReader::new(Limited::new(wire.ask(question.into_bytes())?)))
}

/// Longest list of refs that is read.
pub(super) const REFS_LIMIT_BYTES: u64 = 64 << 20;

/// A list of refs that ends with an error where it is too long.
struct Limited<R> {
    from: R,
    left_bytes: u64,
}

impl<R> Limited<R> {
    fn new(from: R) -> Self {
        Self { from, left_bytes: REFS_LIMIT_BYTES }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.from.read(buffer)?;
        self.left_bytes = self.left_bytes.checked_sub(length as u64).ok_or_else(|| {
            let limit = format!("{REFS_LIMIT_BYTES} bytes");
            io::Error::other(CloneError::Limit { what: "the server's list of refs".to_owned(), limit })
        })?;
        Ok(length)
    }
}

/// Longest name of a ref that is asked for.
const NAME_LIMIT_BYTES: usize = 4 << 10;

/// Whether a ref can have this name. One that cannot is not there, and would break the line that asks for it.
fn may_be_name(text: &str) -> bool {
    text.len() <= NAME_LIMIT_BYTES && !text.contains(|c: char| c.is_control() || c == ' ')
}

fn command(name: &str, capabilities: &Capabilities) -> Message {
    let mut message = Message::default();
    message.line(&format!("command={name}"));
    message.line(&format!("agent={AGENT}"));
    if capabilities.has("object-format") {
        message.line("object-format=sha1");
    }
    message.delimiter();
    message
}

/// Fetches the commit at `target`, or the tag there with its commit, and hands the pack to `take` piece by piece.
///
/// A server that gives out nothing but what its refs name, and does not name `target`, is asked for all branches with
/// their history.
pub(super) fn fetch(
    wire: &mut dyn Wire,
    targets: &[ObjectId],
    take: &mut dyn FnMut(&[u8]) -> Result<(), CloneError>,
) -> Result<(), CloneError> {
    fetch_pack(wire, targets, take).map_err(|error| missing(error, targets))
}

fn fetch_pack(
    wire: &mut dyn Wire,
    targets: &[ObjectId],
    take: &mut dyn FnMut(&[u8]) -> Result<(), CloneError>,
) -> Result<(), CloneError> {
    let may_be_wanted = |found: &RemoteRef| targets.contains(&found.id) || found.name.starts_with("refs/heads/");
    match greet(wire, may_be_wanted)? {
        Greeting::V2(capabilities) => {
            let question = question_v2(&capabilities, targets);
            let mut reader = PacketReader::new(wire.ask(question)?);
            skip_to_pack(&mut reader)?;
            read_pack(&mut reader, take)
        }
        Greeting::V0 { capabilities, refs, .. } => {
            let (question, depth) = question_v0(&capabilities, &refs, targets)?;
            let mut reader = PacketReader::new(wire.ask(question)?);
            if depth == Depth::One {
                skip_shallow(&mut reader)?;
            }
            skip_acknowledgement(&mut reader)?;
            read_pack(&mut reader, take)
        }
    }
}

fn question_v2(capabilities: &Capabilities, targets: &[ObjectId]) -> Vec<u8> {
    let mut question = command("fetch", capabilities);
    question.line("ofs-delta");
    question.line("no-progress");
    for target in targets {
        question.line(&format!("want {target}"));
    }
    if capabilities.offers("fetch", "shallow") {
        question.line("deepen 1");
    }
    question.line("done");
    question.flush();
    question.into_bytes()
}

/// How much history is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    One,
    All,
}

fn question_v0(
    capabilities: &Capabilities,
    refs: &[RemoteRef],
    targets: &[ObjectId],
) -> Result<(Vec<u8>, Depth), CloneError> {
    if !capabilities.has("side-band-64k") {
        return Err(CloneError::Protocol("the server does not offer side-band-64k".to_owned()));
    }
    let (wants, depth) = wanted_v0(capabilities, refs, targets);
    let Some((first, others)) = wants.split_first() else {
        return Err(CloneError::CommitMissing(joined(targets)));
    };
    let mut question = Message::default();
    question.line(&format!("want {first} {}", chosen_words(capabilities)));
    for want in others {
        question.line(&format!("want {want}"));
    }
    if depth == Depth::One {
        question.line("deepen 1");
    }
    question.flush();
    question.line("done");
    Ok((question.into_bytes(), depth))
}

/// What is asked for: the targets, or all branches where the server does not give out the targets.
fn wanted_v0(capabilities: &Capabilities, refs: &[RemoteRef], targets: &[ObjectId]) -> (Vec<ObjectId>, Depth) {
    let is_named = |target: &ObjectId| refs.iter().any(|found| found.id == *target);
    let gives_all = ["allow-reachable-sha1-in-want", "allow-any-sha1-in-want"];
    if !targets.iter().all(is_named) && !gives_all.iter().any(|word| capabilities.has(word)) {
        return (branches(refs), Depth::All);
    }
    let depth = if capabilities.has("shallow") { Depth::One } else { Depth::All };
    (targets.to_vec(), depth)
}

/// What of the server's offers is used. Some servers insist on `multi_ack`, though nothing is negotiated.
fn chosen_words(capabilities: &Capabilities) -> String {
    let known = ["multi_ack_detailed", "multi_ack", "side-band-64k", "ofs-delta", "no-progress", "shallow"];
    let mut words: Vec<String> =
        known.iter().filter(|word| capabilities.has(word)).map(|word| (*word).to_owned()).collect();
    if capabilities.has("agent") {
        words.push(format!("agent={AGENT}"));
    }
    words.join(" ")
}

fn branches(refs: &[RemoteRef]) -> Vec<ObjectId> {
    let mut tips: Vec<ObjectId> =
        refs.iter().filter(|found| found.name.starts_with("refs/heads/")).map(|found| found.id).collect();
    tips.sort_unstable();
    tips.dedup();
    tips
}

/// Reads up to the section of version 2 that holds the pack.
fn skip_to_pack(reader: &mut PacketReader<impl Read>) -> Result<(), CloneError> {
    loop {
        match reader.next()? {
            Packet::Data(line) if line_text(line) == b"packfile" => return Ok(()),
            Packet::Data(_) | Packet::Delimiter => {}
            Packet::Flush | Packet::ResponseEnd => {
                return Err(CloneError::Protocol("the server sent no pack".to_owned()));
            }
        }
    }
}

/// Reads the commits whose parents are left out; the depth is known, so nothing in them is news.
fn skip_shallow(reader: &mut PacketReader<impl Read>) -> Result<(), CloneError> {
    while reader.next()? != Packet::Flush {}
    Ok(())
}

fn skip_acknowledgement(reader: &mut PacketReader<impl Read>) -> Result<(), CloneError> {
    match reader.next()? {
        Packet::Data(line) if line_text(line) == b"NAK" => Ok(()),
        Packet::Data(line) => {
            Err(CloneError::Protocol(format!("in place of `NAK` the server sent `{}`", remote_text(line))))
        }
        Packet::Flush | Packet::Delimiter | Packet::ResponseEnd => {
            Err(CloneError::Protocol("the server sent no `NAK`".to_owned()))
        }
    }
}

/// Reads the pack from the first of three bands; the second tells of progress, the third why the server gave up.
fn read_pack(
    reader: &mut PacketReader<impl Read>,
    take: &mut dyn FnMut(&[u8]) -> Result<(), CloneError>,
) -> Result<(), CloneError> {
    loop {
        match reader.next()? {
            Packet::Data([1, content @ ..]) => take(content)?,
            Packet::Data([2, ..] | []) => {}
            Packet::Data([3, message @ ..]) => return Err(CloneError::Remote(remote_text(message))),
            Packet::Flush | Packet::ResponseEnd => return Ok(()),
            Packet::Data(_) | Packet::Delimiter => {
                return Err(CloneError::Protocol("a packet of the pack belongs to no band".to_owned()));
            }
        }
    }
}

/// The error of a server that does not have what it was asked for, or does not give it out: in the words of Git or `JGit`.
fn missing(error: CloneError, targets: &[ObjectId]) -> CloneError {
    match error {
        CloneError::Remote(text) if text.contains("not our ref") || text.contains("not valid") => {
            CloneError::CommitMissing(joined(targets))
        }
        other => other,
    }
}

fn joined(targets: &[ObjectId]) -> String {
    targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that has its answers ready.
    struct Recorded {
        answers: Vec<Vec<u8>>,
        questions: Vec<String>,
    }

    impl Recorded {
        fn new(answers: &[&[&str]]) -> Self {
            let packet = |line: &&str| match *line {
                "" => "0000".to_owned(),
                "-" => "0001".to_owned(),
                line => format!("{:04x}{line}", line.len() + 4),
            };
            let answer = |lines: &&[&str]| lines.iter().map(packet).collect::<String>().into_bytes();
            Self { answers: answers.iter().rev().map(answer).collect(), questions: Vec::new() }
        }

        fn answer(&mut self) -> Box<dyn Read> {
            Box::new(std::io::Cursor::new(self.answers.pop().unwrap_or_default()))
        }
    }

    impl Wire for Recorded {
        fn greeting(&mut self) -> Result<Box<dyn Read + '_>, CloneError> {
            Ok(self.answer())
        }

        fn ask(&mut self, question: Vec<u8>) -> Result<Box<dyn Read + '_>, CloneError> {
            self.questions.push(shown(&question));
            Ok(self.answer())
        }
    }

    /// The lines of a message, with `--` and `.` for the marks between and after them.
    fn shown(question: &[u8]) -> String {
        let mut reader = PacketReader::new(question);
        let mut lines = Vec::new();
        loop {
            match reader.next() {
                Ok(Packet::Data(line)) => lines.push(String::from_utf8_lossy(line_text(line)).replace(AGENT, "AGENT")),
                Ok(Packet::Delimiter) => lines.push("--".to_owned()),
                Ok(Packet::Flush | Packet::ResponseEnd) => lines.push(".".to_owned()),
                Err(_) => return lines.join("\n"),
            }
        }
    }

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    const V2: &[&str] = &["version 2\n", "ls-refs\n", "fetch=shallow filter\n", "object-format=sha1\n", ""];

    fn fetched(wire: &mut Recorded, target: &str) -> String {
        let mut pack = Vec::new();
        let target = target.parse().expect("an id");
        let outcome = fetch(wire, &[target], &mut |piece| {
            pack.extend_from_slice(piece);
            Ok(())
        });
        outcome.map_or_else(|error| error.to_string(), |()| String::from_utf8_lossy(&pack).into_owned())
    }

    #[test]
    fn version_2_is_asked_for_the_refs_that_matter_only() {
        let main = format!("{A} refs/heads/main\n");
        let mut wire = Recorded::new(&[V2, &[&main, ""]]);
        let listing = list(&mut wire, &["refs/heads/main".to_owned()]).expect("listed");
        assert_eq!(listing.refs.len(), 1);
        insta::assert_snapshot!(wire.questions.join("\n"), @r"
        command=ls-refs
        agent=AGENT
        object-format=sha1
        --
        peel
        ref-prefix refs/heads/main
        .
        ");
    }

    #[test]
    fn a_name_that_no_ref_can_have_is_not_asked_for() {
        let mut wire = Recorded::new(&[V2, &[""], &[""]]);
        let prefixes =
            ["HEAD".to_owned(), "refs/heads/a\nb".to_owned(), "refs/heads/".to_owned() + &"x".repeat(70_000)];
        list(&mut wire, &prefixes).expect("listed");
        assert_eq!(
            wire.questions[0].lines().filter(|line| line.starts_with("ref-prefix")).collect::<Vec<_>>(),
            ["ref-prefix HEAD"]
        );
    }

    #[test]
    fn a_listing_without_the_ref_is_told_from_an_empty_repository() {
        let other = format!("{A} refs/heads/other\n");
        let prefixes = ["refs/heads/main".to_owned()];
        let listed = |answers: &[&[&str]]| list(&mut Recorded::new(answers), &prefixes).expect("listed").is_empty;
        assert!(!listed(&[V2, &[""], &[&other, ""]]));
        assert!(listed(&[V2, &[""], &[""]]));
    }

    #[test]
    fn a_pack_is_fetched_with_depth_one_in_either_version() {
        let mut v2 = Recorded::new(&[
            V2,
            &["shallow-info\n", "shallow x\n", "-", "packfile\n", "\u{1}PA", "\u{2}wait", "\u{1}CK", ""],
        ]);
        assert_eq!(fetched(&mut v2, A), "PACK");
        let greeting = format!("{A} refs/heads/main\0multi_ack side-band-64k ofs-delta shallow agent=git/2\n");
        let mut v0 = Recorded::new(&[&[&greeting, ""], &["shallow x\n", "", "NAK\n", "\u{1}PACK", ""]]);
        assert_eq!(fetched(&mut v0, A), "PACK");
        insta::assert_snapshot!([v2.questions, v0.questions].concat().join("\n\n"), @r"
        command=fetch
        agent=AGENT
        object-format=sha1
        --
        ofs-delta
        no-progress
        want aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
        deepen 1
        done
        .

        want aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa multi_ack side-band-64k ofs-delta shallow agent=AGENT
        deepen 1
        .
        done
        ");
    }

    #[test]
    fn version_0_is_asked_for_all_branches_where_a_commit_is_not_given_out() {
        let greeting = format!("{A} refs/heads/main\0side-band-64k shallow\n");
        let mut wire = Recorded::new(&[&[&greeting, ""], &["NAK\n", "\u{1}PACK", ""]]);
        assert_eq!(fetched(&mut wire, B), "PACK");
        insta::assert_snapshot!(wire.questions.join("\n"), @r"
        want aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa side-band-64k shallow
        .
        done
        ");
    }

    #[test]
    fn a_list_of_refs_without_end_is_left() {
        let mut limited = Limited::new(io::repeat(b'x'));
        let error = io::copy(&mut limited, &mut io::sink()).expect_err("it has no end");
        assert_eq!(error.to_string(), "the server's list of refs exceeds the limit of 67108864 bytes");
    }

    #[test]
    fn a_server_that_gives_up_says_why() {
        let rows: [(&[&str], &str); 4] = [
            (&["packfile\n", "\u{3}out of memory\n"], "remote: out of memory"),
            (&["packfile\n", "\u{1}PA"], "protocol error: the server ended its answer early"),
            (
                &["ERR upload-pack: not our ref aaaa\n"],
                "object not found: the server has no commit aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            ),
            (&["acknowledgments\n", ""], "protocol error: the server sent no pack"),
        ];
        for (answer, expected) in rows {
            assert_eq!(fetched(&mut Recorded::new(&[V2, answer]), A), expected, "{answer:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_answer_makes_the_conversation_panic(
            greeting in "(0013version 2\n0011fetch=shallow\n0000)?[ -~\n]{0,40}",
            answer in "(000dpackfile\n|0008NAK\n)?([0-9a-f]{4}[ -~\u{1}-\u{3}]{0,12}){0,4}",
        ) {
            let wire = || Recorded {
                answers: vec![answer.clone().into_bytes(), greeting.clone().into_bytes()],
                questions: Vec::new(),
            };
            let _ = list(&mut wire(), &["refs/".to_owned()]);
            fetched(&mut wire(), A);
        }
    }
}
