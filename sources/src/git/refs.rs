//! The refs of a remote.

use std::{fmt, io::Read, str::FromStr};

use super::{
    error::CloneError,
    packet::{Packet, PacketReader, line_text},
};
use crate::transport::remote_text;

/// The SHA-1 id of a Git object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ObjectId([u8; 20]);

/// A text that is not 40 hex digits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoObjectId;

impl ObjectId {
    /// What a server without any ref names in place of one.
    pub(super) const ZERO: Self = Self([0; Self::LENGTH_BYTES]);

    pub(super) const LENGTH_BYTES: usize = 20;

    /// Takes the bytes of an id; `None` if they are too few or too many.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for ObjectId {
    type Err = NoObjectId;

    fn from_str(text: &str) -> Result<Self, NoObjectId> {
        let mut bytes = [0; 20];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| NoObjectId)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One ref of a remote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RemoteRef {
    /// Its full name, such as `refs/heads/main`.
    pub(super) name: String,
    /// The object that it names.
    pub(super) id: ObjectId,
    /// What an annotated tag stands for in the end.
    pub(super) peeled: Option<ObjectId>,
}

impl RemoteRef {
    /// The commit: the object itself unless it is an annotated tag.
    pub(super) fn commit(&self) -> ObjectId {
        self.peeled.unwrap_or(self.id)
    }
}

/// Which versions of the protocol a server answers in, and what it says first.
#[derive(Debug)]
pub(super) enum Greeting {
    /// Version 2: capabilities only; refs are asked for.
    V2(Capabilities),
    /// Versions 0 and 1: all refs at once.
    V0 {
        /// What the server can do.
        capabilities: Capabilities,
        /// The refs that were to be kept.
        refs: Vec<RemoteRef>,
        /// Whether there was any ref at all.
        is_empty: bool,
    },
}

/// What a server can do: words, some with a value.
#[derive(Debug, Default)]
pub(super) struct Capabilities(Vec<String>);

impl Capabilities {
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|word| word == name) || self.value(name).is_some()
    }

    /// The text after `name=`.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    /// Whether the value of `name` holds `feature` among its words.
    pub(super) fn offers(&self, name: &str, feature: &str) -> bool {
        self.value(name).is_some_and(|features| features.split(' ').any(|word| word == feature))
    }

    /// Refuses a repository whose ids are not SHA-1.
    fn check_format(&self) -> Result<(), CloneError> {
        match self.value("object-format") {
            None | Some("sha1") => Ok(()),
            Some(format) => Err(CloneError::Protocol(format!("repositories in {format} are not supported"))),
        }
    }
}

/// Reads what a server says first. Of the refs that it lists unasked, those stay that `keep` wants.
pub(super) fn read_greeting(
    reader: &mut PacketReader<impl Read>,
    keep: impl Fn(&RemoteRef) -> bool,
) -> Result<Greeting, CloneError> {
    let mut line = next_line(reader)?;
    if line.as_deref().is_some_and(|line| line.starts_with(b"# service=")) {
        if next_line(reader)?.is_some() {
            return Err(CloneError::Protocol("the service line is followed by something else".to_owned()));
        }
        line = next_line(reader)?;
    }
    match line.as_deref() {
        Some(b"version 2") => read_capabilities(reader).map(Greeting::V2),
        Some(b"version 1") => {
            let first = next_line(reader)?;
            read_refs(reader, first, keep)
        }
        _ => read_refs(reader, line, keep),
    }
}

fn read_capabilities(reader: &mut PacketReader<impl Read>) -> Result<Capabilities, CloneError> {
    let mut words = Vec::new();
    while let Some(line) = next_line(reader)? {
        words.push(String::from_utf8_lossy(&line).into_owned());
    }
    let capabilities = Capabilities(words);
    capabilities.check_format()?;
    Ok(capabilities)
}

fn read_refs(
    reader: &mut PacketReader<impl Read>,
    first: Option<Vec<u8>>,
    keep: impl Fn(&RemoteRef) -> bool,
) -> Result<Greeting, CloneError> {
    let (mut refs, mut is_empty, mut capabilities) = (Vec::new(), true, Capabilities::default());
    let mut next = first;
    if let Some(line) = &mut next
        && let Some(end) = line.iter().position(|byte| *byte == 0)
    {
        let words = String::from_utf8_lossy(&line[end + 1..]).split_whitespace().map(str::to_owned).collect();
        capabilities = Capabilities(words);
        capabilities.check_format()?;
        line.truncate(end);
    }
    let mut last: Option<RemoteRef> = None;
    while let Some(line) = next {
        match parse_advertised(&line)? {
            Advertised::Ref(found) => {
                is_empty = false;
                refs.extend(last.replace(found).filter(&keep));
            }
            Advertised::Peeled { name, id } => match &mut last {
                Some(tag) if tag.name == name => tag.peeled = Some(id),
                Some(_) | None => {}
            },
            Advertised::Nothing => {}
        }
        next = next_line(reader)?;
    }
    refs.extend(last.filter(&keep));
    Ok(Greeting::V0 { capabilities, refs, is_empty })
}

/// One line of an advertisement of version 0.
#[derive(Debug, PartialEq, Eq)]
enum Advertised {
    Ref(RemoteRef),
    /// What the tag in the line before stands for.
    Peeled {
        name: String,
        id: ObjectId,
    },
    /// A line that names no ref: of an empty repository, of a shallow one, or with a name that is no text.
    Nothing,
}

fn parse_advertised(line: &[u8]) -> Result<Advertised, CloneError> {
    if line.starts_with(b"shallow ") {
        return Ok(Advertised::Nothing);
    }
    let (id, name) = split_id(line)?;
    let Ok(name) = std::str::from_utf8(name) else { return Ok(Advertised::Nothing) };
    if id == ObjectId::ZERO {
        return Ok(Advertised::Nothing);
    }
    Ok(match name.strip_suffix("^{}") {
        Some(name) => Advertised::Peeled { name: name.to_owned(), id },
        None => Advertised::Ref(RemoteRef { name: name.to_owned(), id, peeled: None }),
    })
}

/// Reads the answer to `ls-refs`.
pub(super) fn read_listed(reader: &mut PacketReader<impl Read>) -> Result<Vec<RemoteRef>, CloneError> {
    let mut refs = Vec::new();
    while let Some(line) = next_line(reader)? {
        refs.extend(parse_listed(&line)?);
    }
    Ok(refs)
}

/// Reads one line of the answer to `ls-refs`; `None` for a ref that names no object yet, or whose name is no text.
fn parse_listed(line: &[u8]) -> Result<Option<RemoteRef>, CloneError> {
    if line.starts_with(b"unborn ") {
        return Ok(None);
    }
    let (id, rest) = split_id(line)?;
    let Ok(rest) = std::str::from_utf8(rest) else { return Ok(None) };
    let mut words = rest.split(' ');
    let name = words.next().unwrap_or_default().to_owned();
    let peeled = words.find_map(|word| word.strip_prefix("peeled:"));
    let peeled = peeled.map(|id| id.parse().map_err(|_| malformed(line))).transpose()?;
    Ok(Some(RemoteRef { name, id, peeled }))
}

fn split_id(line: &[u8]) -> Result<(ObjectId, &[u8]), CloneError> {
    let (id, rest) = line.split_at_checked(40).ok_or_else(|| malformed(line))?;
    let id = std::str::from_utf8(id).ok().and_then(|id| id.parse().ok()).ok_or_else(|| malformed(line))?;
    match rest {
        [b' ', name @ ..] if !name.is_empty() => Ok((id, name)),
        _ => Err(malformed(line)),
    }
}

fn malformed(line: &[u8]) -> CloneError {
    CloneError::Protocol(format!("`{}` is not the line of a ref", remote_text(line)))
}

/// The next line without its line break; `None` at the end of the message.
fn next_line(reader: &mut PacketReader<impl Read>) -> Result<Option<Vec<u8>>, CloneError> {
    match reader.next()? {
        Packet::Data(line) => Ok(Some(line_text(line).to_vec())),
        Packet::Flush => Ok(None),
        Packet::Delimiter | Packet::ResponseEnd => Err(CloneError::Protocol("a list of refs has sections".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    const ZERO: &str = "0000000000000000000000000000000000000000";

    fn stream(lines: &[&str]) -> Vec<u8> {
        let packet =
            |line: &&str| if line.is_empty() { "0000".to_owned() } else { format!("{:04x}{line}", line.len() + 4) };
        lines.iter().map(packet).collect::<String>().into_bytes()
    }

    fn show_refs(refs: &[RemoteRef]) -> String {
        let show = |found: &RemoteRef| {
            let peeled = found.peeled.map_or_else(String::new, |id| format!("^{}", &id.to_string()[..1]));
            format!("{}={}{peeled}", found.name, &found.id.to_string()[..1])
        };
        refs.iter().map(show).collect::<Vec<_>>().join(" ")
    }

    fn show_greeting(lines: &[&str]) -> String {
        match read_greeting(&mut PacketReader::new(stream(lines).as_slice()), |_| true) {
            Ok(Greeting::V2(capabilities)) => format!("v2 {}", capabilities.0.join("|")),
            Ok(Greeting::V0 { capabilities, refs, is_empty }) => {
                format!(
                    "v0 {} [{}]{}",
                    show_refs(&refs),
                    capabilities.0.join("|"),
                    if is_empty { " empty" } else { "" }
                )
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_greeting_tells_the_version_and_what_it_brings() {
        let service = "# service=git-upload-pack\n";
        let head = format!("{A} HEAD\0multi_ack agent=git/2 object-format=sha1\n");
        let (main, tag, peeled) =
            (format!("{A} refs/heads/main\n"), format!("{B} refs/tags/v1\n"), format!("{A} refs/tags/v1^{{}}\n"));
        let rows: Vec<(Vec<&str>, &str)> = vec![
            (vec!["version 2\n", "ls-refs=unborn\n", "fetch=shallow\n", ""], "v2 ls-refs=unborn|fetch=shallow"),
            (vec![service, "", "version 2\n", "agent=x\n", ""], "v2 agent=x"),
            (
                vec![service, "", &head, &main, &tag, &peeled, ""],
                "v0 HEAD=a refs/heads/main=a refs/tags/v1=b^a [multi_ack|agent=git/2|object-format=sha1]",
            ),
            (vec!["version 1\n", &head, ""], "v0 HEAD=a [multi_ack|agent=git/2|object-format=sha1]"),
            (vec![""], "v0  [] empty"),
            (
                vec!["version 2\n", "object-format=sha256\n", ""],
                "protocol error: repositories in sha256 are not supported",
            ),
            (vec!["hello\n", ""], "protocol error: `hello` is not the line of a ref"),
            (vec![service, &main], "protocol error: the service line is followed by something else"),
            (vec![&main], "protocol error: the server ended its answer early"),
        ];
        for (lines, expected) in rows {
            assert_eq!(show_greeting(&lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_repository_without_a_commit_greets_with_no_id() {
        let none = format!("{ZERO} capabilities^{{}}\0multi_ack\n");
        assert_eq!(show_greeting(&[&none, ""]), "v0  [multi_ack] empty");
    }

    #[test]
    fn a_listed_ref_may_have_attributes() {
        let rows = [
            (format!("{A} HEAD symref-target:refs/heads/main"), "HEAD=a"),
            (format!("{B} refs/tags/v1 peeled:{A}"), "refs/tags/v1=b^a"),
            ("unborn HEAD symref-target:refs/heads/main".to_owned(), ""),
        ];
        for (line, expected) in rows {
            let listed = parse_listed(line.as_bytes()).expect("well-formed");
            assert_eq!(show_refs(listed.as_slice()), expected, "{line}");
        }
        for line in [A.to_owned(), format!("{A} "), "x".to_owned(), format!("{A} refs/x peeled:1")] {
            assert!(parse_listed(line.as_bytes()).is_err(), "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_parsers_panic(bytes: Vec<u8>, line in "[0-9a-f]{38,41} ?[ -~]{0,20}") {
            let _ = read_greeting(&mut PacketReader::new(bytes.as_slice()), |_| true);
            let _ = read_listed(&mut PacketReader::new(bytes.as_slice()));
            for line in [bytes.as_slice(), line.as_bytes()] {
                let _ = parse_advertised(line);
                let _ = parse_listed(line);
            }
        }
    }
}
