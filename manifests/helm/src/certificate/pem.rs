//! PEM: base64 between two lines.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// `content` under a label.
pub(super) fn encode(label: &str, content: &[u8]) -> String {
    const LINE: usize = 64;
    let encoded = STANDARD.encode(content);
    let lines: Vec<&str> =
        (0..encoded.len()).step_by(LINE).map(|at| &encoded[at..encoded.len().min(at + LINE)]).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// The label and content of the first block of `text`.
pub(super) fn decode(text: &str) -> Option<(String, Vec<u8>)> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    // Headers end with an empty line.
    let body = body.split_once("\n\n").map_or(body, |(_, body)| body);
    let encoded: String = body.split_whitespace().collect();
    Some((label.to_owned(), STANDARD.decode(encoded).ok()?))
}
