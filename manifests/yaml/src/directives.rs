//! Directives: what is said above a document about how it is to be read.
//!
//! # Follows go-yaml
//! `%TAG` and `%YAML 1.1` are known. Another version, 1.2 included, and another directive are errors, whatever the
//! specification says of them.

use crate::{ParseError, Position};

/// Checks the directives of all documents of `text`, whose first line is line `first_line` of what the user wrote.
pub(crate) fn check(text: &str, first_line: u32) -> Result<(), ParseError> {
    if !text.contains('%') {
        return Ok(());
    }
    let mut is_above_document = true;
    for (line, content) in (first_line..).zip(text.lines()) {
        match content.trim_start() {
            "" => {}
            rest if rest.starts_with('#') => {}
            _ if is_above_document && content.starts_with('%') => {
                check_one(content).map_err(|problem| ParseError::new(Position { line, column: 1 }, problem))?;
            }
            _ => is_above_document = content.trim_end() == "..." || content.starts_with("... "),
        }
    }
    Ok(())
}

fn check_one(directive: &str) -> Result<(), &'static str> {
    let mut words = directive.split_ascii_whitespace();
    match (words.next(), words.next()) {
        (Some("%TAG"), _) | (Some("%YAML"), Some("1.1")) => Ok(()),
        (Some("%YAML"), Some(_)) => Err("found incompatible YAML document"),
        (Some("%YAML"), None) => Err("did not find expected digit or '.' character"),
        _ => Err("found unknown directive name"),
    }
}
