//! Packets: the frames in which Git's protocols speak.
//!
//! Four hex digits give a packet's length, themselves included; the lengths 0, 1 and 2 are marks without content. See
//! `gitprotocol-common(5)`.

use std::{
    error::Error,
    io::{self, Read},
};

use super::error::CloneError;
use crate::transport::{TransportError, remote_text};

/// One packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Packet<'a> {
    /// The end of a message.
    Flush,
    /// The end of a section of a message.
    Delimiter,
    /// The end of an answer over a connection that keeps no state.
    ResponseEnd,
    /// A line or a piece of a stream.
    Data(&'a [u8]),
}

/// Longest packet that the protocol allows, its length included.
const PACKET_LIMIT_BYTES: usize = 65520;

/// Reads packets from a stream that may hold anything.
pub(super) struct PacketReader<R> {
    from: R,
    content: Vec<u8>,
}

impl<R: Read> PacketReader<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, content: Vec::new() }
    }

    /// The next packet. What a server sends to say that it gives up is an error.
    pub(super) fn next(&mut self) -> Result<Packet<'_>, CloneError> {
        let mut header = [0; 4];
        self.from.read_exact(&mut header).map_err(stream_failed)?;
        let length = match length(header)? {
            0 => return Ok(Packet::Flush),
            1 => return Ok(Packet::Delimiter),
            2 => return Ok(Packet::ResponseEnd),
            length => length,
        };
        self.content.resize(length - header.len(), 0);
        self.from.read_exact(&mut self.content).map_err(stream_failed)?;
        match self.content.strip_prefix(b"ERR ") {
            Some(message) => Err(CloneError::Remote(remote_text(message))),
            None => Ok(Packet::Data(&self.content)),
        }
    }
}

/// Reads the length of a packet: 0 to 2 for a mark, otherwise at least 4.
fn length(header: [u8; 4]) -> Result<usize, CloneError> {
    let mut bytes = [0; 2];
    let length = hex::decode_to_slice(header, &mut bytes).map(|()| usize::from(u16::from_be_bytes(bytes)));
    match length {
        Ok(length @ (0..=2 | 4..=PACKET_LIMIT_BYTES)) => Ok(length),
        _ => Err(CloneError::Protocol(format!("`{}` is not the length of a packet", header.escape_ascii()))),
    }
}

/// What a failed read means: the error that a transport put into it, or a stream that ended too early.
pub(super) fn stream_failed(error: io::Error) -> CloneError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return CloneError::Protocol("the server ended its answer early".to_owned());
    }
    let text = error.to_string();
    match error.into_inner().map(<dyn Error + Send + Sync>::downcast::<CloneError>) {
        Some(Ok(inner)) => *inner,
        Some(Err(other)) => match other.downcast::<TransportError>() {
            Ok(inner) => (*inner).into(),
            Err(_) => CloneError::Protocol(text),
        },
        None => CloneError::Protocol(text),
    }
}

/// A message under construction.
#[derive(Default)]
pub(super) struct Message(Vec<u8>);

impl Message {
    /// Adds a line; the line break that ends it is added here.
    pub(super) fn line(&mut self, text: &str) {
        self.0.extend(format!("{:04x}{text}\n", text.len() + 5).bytes());
    }

    pub(super) fn flush(&mut self) {
        self.0.extend(b"0000");
    }

    pub(super) fn delimiter(&mut self) {
        self.0.extend(b"0001");
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// The text of a line, without its line break.
pub(super) fn line_text(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(bytes: &[u8]) -> String {
        let mut reader = PacketReader::new(bytes);
        let mut shown = Vec::new();
        for _ in 0..bytes.len() {
            match reader.next() {
                Ok(Packet::Data(content)) => shown.push(format!("'{}'", content.escape_ascii())),
                Ok(mark) => shown.push(format!("{mark:?}")),
                Err(error) => {
                    shown.push(error.to_string());
                    break;
                }
            }
        }
        shown.join(" ")
    }

    #[test]
    fn a_stream_is_read_packet_by_packet() {
        let end = "protocol error: the server ended its answer early";
        let rows = [
            ("0006a\n0000", format!("'a\\n' Flush {end}")),
            ("000bcommand0001", format!("'command' Delimiter {end}")),
            ("00040002", format!("'' ResponseEnd {end}")),
            ("000Aabcdef", format!("'abcdef' {end}")),
            ("000", end.to_owned()),
            ("0009abc", end.to_owned()),
            ("0003", "protocol error: `0003` is not the length of a packet".to_owned()),
            ("fff1", "protocol error: `fff1` is not the length of a packet".to_owned()),
            ("<htm", "protocol error: `<htm` is not the length of a packet".to_owned()),
            ("+001", "protocol error: `+001` is not the length of a packet".to_owned()),
            ("0019ERR access\x1b[1m denied", "remote: access [1m denied".to_owned()),
        ];
        for (stream, expected) in rows {
            assert_eq!(read_all(stream.as_bytes()), expected, "{stream}");
        }
    }

    #[test]
    fn a_message_is_written_as_it_is_read() {
        let mut message = Message::default();
        message.line("command=ls-refs");
        message.delimiter();
        message.line("peel");
        message.flush();
        assert_eq!(message.into_bytes(), b"0014command=ls-refs\n00010009peel\n0000");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            read_all(&bytes);
        }

        #[test]
        fn what_is_written_is_read_back(text in "[a-z ]{0,200}") {
            let mut message = Message::default();
            message.line(&text);
            let bytes = message.into_bytes();
            let line = format!("{text}\n");
            let read = PacketReader::new(bytes.as_slice()).next().map(|packet| packet == Packet::Data(line.as_bytes()));
            proptest::prop_assert!(text.starts_with("ERR ") || read.is_ok_and(|same| same));
        }
    }
}
