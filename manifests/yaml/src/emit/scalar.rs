//! Scalars, in each of their styles.

use super::analysis::is_printable;
use super::layout::STEP;
use super::output::Output;
use crate::Style;

/// What surrounds a scalar that is written.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// Where a further line of the scalar starts.
    pub(super) indent: usize,
    /// Column after which a line is folded at its next single space.
    pub(super) fold_after: Option<usize>,
    /// The comment that ends the first line of a block scalar.
    pub(super) comment: Option<&'a str>,
}

impl Place<'_> {
    /// A place where lines are as long as they are.
    pub(super) fn at(indent: usize) -> Self {
        Self { indent, fold_after: None, comment: None }
    }

    fn is_past_fold(self, out: &Output) -> bool {
        self.fold_after.is_some_and(|width| out.line_bytes() > width && out.column() > width)
    }

    /// Whether `text` stays on one line if it is written now.
    fn fits(self, out: &Output, text: &str) -> bool {
        self.fold_after.is_none_or(|width| out.line_bytes() + text.len() <= width)
    }
}

/// Writes `text` in `style`, which must suit it.
pub(super) fn write_scalar(out: &mut Output, text: &str, style: Style, place: Place<'_>) {
    match style {
        Style::Plain | Style::Flow | Style::Block => write_lines(out, text, Quote::None, place),
        Style::SingleQuoted => {
            out.push('\'');
            write_lines(out, text, Quote::Single, place);
            out.push('\'');
        }
        Style::DoubleQuoted => write_double_quoted(out, text, place),
        Style::Literal => write_literal(out, text, place),
        Style::Folded => write_folded(out, text, place),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quote {
    None,
    Single,
}

/// Writes a plain or single-quoted scalar, whose spaces may be replaced by line breaks and whose breaks are doubled.
fn write_lines(out: &mut Output, text: &str, quote: Quote, place: Place<'_>) {
    let is_as_written = |byte| byte != b'\n' && (byte != b'\'' || quote == Quote::None);
    if place.fits(out, text) && text.bytes().all(is_as_written) {
        out.push_str(text);
        return;
    }
    let (mut after_space, mut after_break) = (false, false);
    for (at, char) in text.char_indices() {
        if char == ' ' {
            let rest = &text[at + 1..];
            let is_inner = quote == Quote::None || (at > 0 && !rest.is_empty());
            // Counting the column comes last: on a long line without a place to fold it would be done for every space.
            if is_inner && !after_space && !rest.starts_with(' ') && place.is_past_fold(out) {
                out.start_line(place.indent);
            } else {
                out.push(' ');
            }
            after_space = true;
        } else if char == '\n' {
            if !after_break {
                out.push_line_break();
            }
            out.push_line_break();
            after_break = true;
        } else {
            if after_break {
                out.pad(place.indent);
            }
            if char == '\'' && quote == Quote::Single {
                out.push('\'');
            }
            out.push(char);
            (after_space, after_break) = (false, false);
        }
    }
    if after_break {
        out.pad(place.indent);
    }
}

fn write_double_quoted(out: &mut Output, text: &str, place: Place<'_>) {
    out.push('"');
    // libyaml looks for a byte order mark in the first place only, and then escapes everything after it.
    let escape_all = text.starts_with('\u{feff}');
    let needs_escape = |char: char| escape_all || matches!(char, '"' | '\\' | '\n') || !is_printable(char);
    if place.fits(out, text) && !text.contains(needs_escape) {
        out.push_str(text);
    } else {
        write_escaped(out, text, needs_escape, place);
    }
    out.push('"');
}

fn write_escaped(out: &mut Output, text: &str, needs_escape: impl Fn(char) -> bool, place: Place<'_>) {
    let mut after_space = false;
    for (at, char) in text.char_indices() {
        if needs_escape(char) {
            write_escape(out, char);
            after_space = false;
        } else if char == ' ' {
            let rest = &text[at + 1..];
            if at > 0 && !rest.is_empty() && !after_space && place.is_past_fold(out) {
                out.start_line(place.indent);
                if rest.starts_with(' ') {
                    out.push('\\');
                }
            } else {
                out.push(' ');
            }
            after_space = true;
        } else {
            out.push(char);
            after_space = false;
        }
    }
}

fn write_escape(out: &mut Output, char: char) {
    let short = match char {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => return out.push_str(&numeric_escape(char)),
    };
    out.push('\\');
    out.push(short);
}

fn numeric_escape(char: char) -> String {
    match u32::from(char) {
        code @ ..=0xff => format!("\\x{code:02X}"),
        code @ ..=0xffff => format!("\\u{code:04X}"),
        code => format!("\\U{code:08X}"),
    }
}

fn write_literal(out: &mut Output, text: &str, place: Place<'_>) {
    out.push('|');
    write_block_header(out, text, place);
    for line in text.split_inclusive('\n') {
        match line.strip_suffix('\n') {
            Some("") => {}
            Some(content) => write_indented(out, content, place),
            None => return write_indented(out, line, place),
        }
        out.push_line_break();
    }
}

fn write_indented(out: &mut Output, line: &str, place: Place<'_>) {
    out.pad(place.indent);
    out.push_str(line);
}

/// Writes a folded block scalar: a break between two lines of text is doubled, so that it is not read as a space.
fn write_folded(out: &mut Output, text: &str, place: Place<'_>) {
    out.push('>');
    write_block_header(out, text, place);
    let (mut after_break, mut starts_blank) = (true, true);
    for (at, char) in text.char_indices() {
        let rest = &text[at..];
        if char == '\n' {
            let next = rest.trim_start_matches('\n').chars().next();
            if !after_break && !starts_blank && next.is_some_and(|next| !matches!(next, ' ' | '\t')) {
                out.push_line_break();
            }
            out.push_line_break();
            after_break = true;
            continue;
        }
        if after_break {
            out.pad(place.indent);
            starts_blank = matches!(char, ' ' | '\t');
        }
        if !after_break && char == ' ' && !rest[1..].starts_with(' ') && place.is_past_fold(out) {
            out.start_line(place.indent);
        } else {
            out.push(char);
        }
        after_break = false;
    }
}

/// Writes how a block scalar is indented, where its first line does not show it, and which breaks at its end count.
fn write_block_header(out: &mut Output, text: &str, place: Place<'_>) {
    if text.starts_with([' ', '\n']) {
        out.push_str(&STEP.to_string());
    }
    match text.strip_suffix('\n') {
        None => out.push('-'),
        Some(rest) if rest.is_empty() || rest.ends_with('\n') => out.push('+'),
        Some(_) => {}
    }
    if let Some(comment) = place.comment {
        out.push(' ');
        out.push_str(comment);
    }
    out.push_line_break();
}
