//! The layout in which Helm writes an index: a line for each key, indented by spaces, with long texts on lines of their own.
//!
//! A reader of lines takes a small part of the time that one takes that knows all of YAML. It takes what it knows for certain
//! and nothing else: flow collections, anchors, tags, comments behind values, unusual keys or characters end it with
//! [`Stopped::Unusual`], and the general reader begins again at the start of the index. What both read, they read the same.

use std::io::{BufRead, BufReader, Read};

use super::index::{self, Collection, IndexError, Listed, Reading};

/// How much is read at once.
const BUFFER_BYTES: usize = 64 << 10;
/// Longest line that is read.
const LINE_LIMIT_BYTES: usize = 1 << 20;
/// Longest key; a longer one is written in another way.
const KEY_LIMIT_BYTES: usize = 512;
/// Deepest nesting that is read.
const DEPTH_LIMIT: usize = 32;

/// Why an index was not read to its end.
#[derive(Debug)]
pub(super) enum Stopped<E> {
    /// It may well be an index, but it is not laid out as most are.
    Unusual,
    /// Whoever takes what is listed does not go on.
    Refused(E),
}

/// It is not laid out as most are.
#[derive(Debug)]
struct Unusual;

impl<E> From<Unusual> for Stopped<E> {
    fn from(_: Unusual) -> Self {
        Self::Unusual
    }
}

/// Reads `index` from its beginning to its end, and gives `take` all that it lists.
pub(super) fn read<E>(index: impl Read, mut take: impl FnMut(Listed) -> Result<(), E>) -> Result<(), Stopped<E>> {
    let mut lines = BufReader::with_capacity(BUFFER_BYTES, index);
    let mut layout = Layout::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = lines.by_ref().take(LINE_LIMIT_BYTES as u64).read_until(b'\n', &mut line).map_err(|_| Unusual)?;
        if length == 0 {
            break;
        }
        if length == LINE_LIMIT_BYTES {
            return Err(Stopped::Unusual);
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        layout.line(checked(text)?)?;
        for listed in layout.listed.drain(..) {
            take(listed).map_err(Stopped::Refused)?;
        }
    }
    layout.end_all()?;
    for listed in layout.listed.drain(..) {
        take(listed).map_err(Stopped::Refused)?;
    }
    layout.reading.end().map_err(|_: IndexError| Stopped::Unusual)
}

/// The text of a line that has only characters which mean themselves everywhere.
fn checked(line: &[u8]) -> Result<&str, Unusual> {
    let is_odd = |byte: &u8| !matches!(byte, b' '..=b'~');
    if !line.iter().any(is_odd) {
        return std::str::from_utf8(line).map_err(|_| Unusual);
    }
    let text = std::str::from_utf8(line).map_err(|_| Unusual)?;
    let is_plain = |character: char| {
        matches!(character, ' '..='~' | '\u{A0}'..='\u{2027}' | '\u{2030}'..='\u{FEFE}' | '\u{FF00}'..='\u{FFFD}')
            || character >= '\u{10000}'
    };
    if text.chars().all(is_plain) { Ok(text) } else { Err(Unusual) }
}

/// Where in the lines the reading is.
#[derive(Default)]
struct Layout {
    reading: Reading,
    listed: Vec<Listed>,
    /// The collections around what comes next, the outermost first, each in the column of its keys or dashes.
    around: Vec<Around>,
    open: Open,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Around {
    column: usize,
    collection: Collection,
}

/// What the line before may be continued by.
#[derive(Clone, Copy, Default)]
enum Open {
    /// Nothing: its value is complete.
    #[default]
    Nothing,
    /// The value is on other lines, or missing.
    Value,
    /// A text without quotes, which goes on where a line is indented more than `column`.
    Plain { column: usize, matters: bool },
    /// A text in quotes.
    Quoted { quote: Quote, column: usize },
    /// A text that is all that is indented more than `column`.
    Block { column: usize, indent: Option<usize>, widest_blank: usize },
}

/// The quotes around a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quote {
    Single,
    Double,
}

impl Layout {
    fn line(&mut self, line: &str) -> Result<(), Unusual> {
        let content = line.trim_start_matches(' ');
        let indent = line.len() - content.len();
        match self.open {
            Open::Quoted { quote, column } => return self.quoted_line(quote, column, (indent, content)),
            Open::Block { .. } => {
                if self.block_line(indent, content)? {
                    return Ok(());
                }
            }
            Open::Nothing | Open::Value | Open::Plain { .. } => {}
        }
        if content.is_empty() {
            return Ok(());
        }
        if content.starts_with('#') {
            // A text without quotes does not go on behind it.
            if let Open::Plain { .. } = self.open {
                self.open = Open::Nothing;
            }
            return Ok(());
        }
        if let Open::Plain { column, matters } = self.open
            && indent > column
        {
            return if matters { Err(Unusual) } else { check_plain(content) };
        }
        self.entry(indent, content)
    }

    /// A line inside of a block of text. Whether it still is one.
    fn block_line(&mut self, at: usize, content: &str) -> Result<bool, Unusual> {
        let Open::Block { column, indent, widest_blank } = &mut self.open else { return Ok(false) };
        if content.is_empty() {
            *widest_blank = at.max(*widest_blank);
            return Ok(true);
        }
        if at <= *column {
            self.open = Open::Nothing;
            return Ok(false);
        }
        // Blank lines before the first one may not be wider than that.
        let first = match *indent {
            None if *widest_blank > at => return Err(Unusual),
            None => at,
            Some(first) => first,
        };
        *indent = Some(first);
        if at < first { Err(Unusual) } else { Ok(true) }
    }

    fn quoted_line(&mut self, quote: Quote, column: usize, (indent, content): (usize, &str)) -> Result<(), Unusual> {
        if content.is_empty() {
            return Ok(());
        }
        if indent <= column {
            return Err(Unusual);
        }
        if let Some(end) = quote.end(content)? {
            self.open = Open::Nothing;
            return if content[end..].trim_end_matches(' ').is_empty() { Ok(()) } else { Err(Unusual) };
        }
        Ok(())
    }

    /// A line that begins something: dashes, a key, a value, or some of them.
    fn entry(&mut self, mut column: usize, mut content: &str) -> Result<(), Unusual> {
        if self.around.is_empty() && column == 0 && content == "---" {
            return Ok(());
        }
        let mut is_item = false;
        while let Some(rest) = content.strip_prefix('-').filter(|rest| rest.is_empty() || rest.starts_with(' ')) {
            self.come_to(column, Collection::Sequence)?;
            let rest = rest.trim_start_matches(' ');
            self.open = Open::Value;
            if rest.is_empty() {
                return Ok(());
            }
            column += content.len() - rest.len();
            content = rest;
            is_item = true;
        }
        if let Some((key, value)) = split_key(content) {
            self.come_to(column, Collection::Mapping)?;
            self.reading.scalar(key);
            return self.value(value.trim_matches(' '), column);
        }
        if !is_item {
            return Err(Unusual);
        }
        let around = self.around.last().ok_or(Unusual)?.column;
        self.value(content.trim_end_matches(' '), around)
    }

    /// Ends and begins collections, so that the innermost one is that of `collection` at `column`.
    fn come_to(&mut self, column: usize, collection: Collection) -> Result<(), Unusual> {
        let is_awaited = matches!(std::mem::take(&mut self.open), Open::Value);
        let begins = match self.around.last() {
            None => column == 0,
            Some(inner) if !is_awaited => {
                if inner.column < column {
                    return Err(Unusual);
                }
                false
            }
            Some(inner) => {
                let (is_mapping, is_sequence) =
                    (inner.collection == Collection::Mapping, collection == Collection::Sequence);
                column > inner.column || (column == inner.column && is_mapping && is_sequence)
            }
        };
        if begins {
            return self.begin(Around { column, collection });
        }
        if is_awaited {
            self.reading.scalar(NULL);
        }
        while let Some(inner) = self.around.last() {
            if *inner == (Around { column, collection }) {
                return Ok(());
            }
            let is_left = inner.column > column || (inner.column == column && inner.collection == Collection::Sequence);
            if !is_left {
                break;
            }
            self.end_innermost();
        }
        Err(Unusual)
    }

    fn begin(&mut self, around: Around) -> Result<(), Unusual> {
        if self.around.len() == DEPTH_LIMIT {
            return Err(Unusual);
        }
        self.listed.extend(self.reading.begin(around.collection));
        self.around.push(around);
        Ok(())
    }

    fn end_innermost(&mut self) {
        self.listed.extend(self.reading.end_collection());
        self.around.pop();
    }

    fn end_all(&mut self) -> Result<(), Unusual> {
        match std::mem::take(&mut self.open) {
            Open::Value => self.reading.scalar(NULL),
            Open::Quoted { .. } => return Err(Unusual),
            Open::Nothing | Open::Plain { .. } | Open::Block { .. } => {}
        }
        while !self.around.is_empty() {
            self.end_innermost();
        }
        Ok(())
    }

    /// A value, or the beginning of one, in a collection at `column`.
    fn value(&mut self, text: &str, column: usize) -> Result<(), Unusual> {
        let matters = self.reading.reads_next_value();
        self.open = match text {
            "" => Open::Value,
            "[]" | "{}" => {
                let collection = if text == "[]" { Collection::Sequence } else { Collection::Mapping };
                self.listed.extend(self.reading.begin(collection));
                self.listed.extend(self.reading.end_collection());
                Open::Nothing
            }
            "|" | "|-" | "|+" | ">" | ">-" | ">+" => {
                self.unread(matters)?;
                Open::Block { column, indent: None, widest_blank: 0 }
            }
            _ => {
                if let Some((quote, rest)) = Quote::of(text) {
                    self.quoted(quote, rest, column, matters)?
                } else {
                    check_first(text)?;
                    check_plain(text)?;
                    self.reading.scalar(text);
                    Open::Plain { column, matters }
                }
            }
        };
        Ok(())
    }

    /// A value in quotes, without the first of them.
    fn quoted(&mut self, quote: Quote, rest: &str, column: usize, matters: bool) -> Result<Open, Unusual> {
        let Some(end) = quote.end(rest)? else {
            self.unread(matters)?;
            return Ok(Open::Quoted { quote, column });
        };
        if end != rest.len() {
            return Err(Unusual);
        }
        let text = &rest[..end - 1];
        if text.contains(quote.escape()) {
            self.unread(matters)?;
        } else {
            self.reading.scalar(text);
        }
        Ok(Open::Nothing)
    }

    /// A value whose text is not looked at; it must not be one that matters.
    fn unread(&mut self, matters: bool) -> Result<(), Unusual> {
        if matters {
            return Err(Unusual);
        }
        self.reading.scalar("");
        Ok(())
    }
}

/// What a value that is missing is read as.
const NULL: &str = "~";

impl Quote {
    /// The quote that `text` begins with, and what follows it.
    fn of(text: &str) -> Option<(Self, &str)> {
        let quotes = [('"', Self::Double), ('\'', Self::Single)];
        quotes.into_iter().find_map(|(written, quote)| Some((quote, text.strip_prefix(written)?)))
    }

    /// With what a character begins that does not stand for itself.
    fn escape(self) -> char {
        match self {
            Self::Single => '\'',
            Self::Double => '\\',
        }
    }

    /// Where the text is behind the quote that ends it; `None` where it goes on in the next line.
    fn end(self, text: &str) -> Result<Option<usize>, Unusual> {
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            at += 1;
            match (self, byte) {
                (Self::Single, b'\'') if bytes.get(at) == Some(&b'\'') => at += 1,
                (Self::Single, b'\'') | (Self::Double, b'"') => return Ok(Some(at)),
                (Self::Double, b'\\') => at += escaped(&bytes[at..])?,
                _ => {}
            }
        }
        Ok(None)
    }
}

/// How many bytes of `text` belong to the backslash before it.
fn escaped(text: &[u8]) -> Result<usize, Unusual> {
    match text.first() {
        // The line break is escaped.
        None => Ok(0),
        Some(b'"' | b'\\' | b'/' | b'0' | b'a' | b'b' | b'e' | b'f' | b'n' | b'r' | b't' | b'v' | b' ' | b'_') => Ok(1),
        Some(b'x') => coded(text, 2),
        Some(b'u') => coded(text, 4),
        Some(b'U') => coded(text, 8),
        Some(_) => Err(Unusual),
    }
}

/// How many bytes a character takes that is written as a letter and hex digits.
fn coded(text: &[u8], digits: usize) -> Result<usize, Unusual> {
    let written = text.get(1..=digits).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or(Unusual)?;
    let is_hex = written.bytes().all(|digit| digit.is_ascii_hexdigit());
    let code = u32::from_str_radix(written, 16).ok().filter(|_| is_hex);
    code.and_then(char::from_u32).map(|_| 1 + digits).ok_or(Unusual)
}

/// Splits a line at its key, if it begins with one.
fn split_key(content: &str) -> Option<(&str, &str)> {
    let is_of_key = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/');
    let length = content.bytes().position(|byte| !is_of_key(byte))?;
    let (key, rest) = content.split_at(length);
    let value = rest.strip_prefix(':').filter(|value| value.is_empty() || value.starts_with(' '))?;
    let begins_well = key.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    (begins_well && length <= KEY_LIMIT_BYTES).then_some((key, value))
}

/// Refuses what does not begin like a text without quotes.
fn check_first(text: &str) -> Result<(), Unusual> {
    let mut bytes = text.bytes();
    match bytes.next() {
        Some(b'[' | b']' | b'{' | b'}' | b',' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'%' | b'@' | b'`')
        | None => Err(Unusual),
        Some(b'-' | b'?' | b':') if bytes.next().is_none_or(|byte| byte == b' ') => Err(Unusual),
        Some(_) => Ok(()),
    }
}

/// Refuses a text without quotes in which there is a key or a comment.
fn check_plain(text: &str) -> Result<(), Unusual> {
    let bytes = text.trim_end_matches(' ').as_bytes();
    let mut before = b' ';
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b':' if bytes.get(at + 1).is_none_or(|after| *after == b' ') => return Err(Unusual),
            b'#' if before == b' ' => return Err(Unusual),
            _ => {}
        }
        before = *byte;
    }
    Ok(())
}

/// What both readers list of `index`; the first one nothing where it is not laid out as most are.
pub(crate) fn read_in_both_ways(bytes: &[u8]) -> (Option<Vec<Listed>>, Result<Vec<Listed>, IndexError>) {
    let (mut usual, mut general) = (Vec::new(), Vec::new());
    let is_usual = read(bytes, |listed| {
        usual.push(listed);
        Ok::<_, IndexError>(())
    });
    let is_read = index::read(bytes, |listed| {
        general.push(listed);
        Ok(())
    });
    (is_usual.is_ok().then_some(usual), is_read.map(|()| general))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_usual(index: &str) -> bool {
        read_in_both_ways(index.as_bytes()).0.is_some()
    }

    /// An index with one version, which has `fields` besides.
    fn with(fields: &str) -> String {
        let indented = fields.replace('\n', "\n    ");
        format!("apiVersion: v1\nentries:\n  shop:\n  - version: 1.0.0\n    {indented}\n  other:\n  - version: 2.0.0\n")
    }

    #[test]
    fn what_helm_writes_is_read_as_the_general_reader_reads_it() {
        let rows = [
            "annotations:\n  category: Web\n  images: |\n    - name: a\n      image: b\n\n    - c\n  last: x",
            "description: A text that is\n  wrapped, and \"quoted\"\n  - or so",
            "name: shop\n - a",
            "description: 'It''s\n  wrapped'",
            "description: \"wrapped \\\n  \\ with \\u00e9, \\x41, \\U0001F600 and \\\" and \\n\"",
            "description: >-\n  folded\n\n    and deeper\n  text",
            "description: |+\n\n  text\n\n",
            "description: |",
            "dependencies:\n- name: base\n  repository: https://example.com\n  version: 1.x.x\n- name: more",
            "dependencies: []\nannotations: {}",
            "urls:\n- https://example.com/shop-1.0.0.tgz\n- 'b.tgz'\n- \"c.tgz\"",
            "urls:\n  - a.tgz\n  -\n  - b.tgz",
            "created: \"2026-01-01T00:00:00.123456789Z\"\ndigest: aa\nicon: https://x/y.svg#z",
            "digest:\nhome:\nname: shop",
            "sources:\n-\n  - a\n  - b\n- - c\n  - d",
            "keywords:\n- é\n- a:b\n- -1\n- ?x",
            "# a comment\nname: shop   ",
            "maintainers:\n- email: a@example.com\n  name: a\n\n- name: b",
            "maintainers:\n-   name: wide\n    email: b",
        ];
        for fields in rows {
            let index = with(fields);
            let (usual, general) = read_in_both_ways(index.as_bytes());
            assert_eq!(usual.map(Ok), Some(general), "{index}");
        }
    }

    #[test]
    fn what_is_not_for_certain_is_left_to_the_general_reader() {
        let rows = [
            "urls: [a.tgz]",
            "annotations: {a: b}",
            "annotations: &a\n  b: c",
            "annotations: *a",
            "description: !!str text",
            "description: text # comment",
            "description: a: b",
            "description: text\n  # comment\n  more",
            "description: \"a\" b",
            "description: \"\\q\"",
            "description: \"\\ud800\"",
            "description: \"a\nb\"",
            "description: \"open",
            "description: |2\n   text",
            "description: |\n    a\n  b",
            "description: |\n      \n  b",
            "description: a\tb",
            "description: a\u{85}b",
            "description: - a",
            "version: 1.0.0\n  wrapped",
            "version: |\n  1.0.0",
            "version: \"1\\n\"",
            "\"name\": shop",
            "? name\n: shop",
            "<<: x",
            "a b: c",
            "name: shop\r",
            "name: shop\n  key: value",
            "@x: y",
            "text",
            "%x",
        ];
        for fields in rows {
            assert!(!is_usual(&with(fields)), "{fields}");
        }
        for index in
            ["", "# nothing\n", "{}", "text", "entries: {}\n", "apiVersion: v1\n---\na: b", " a: b\nc: d", "a: b\n..."]
        {
            assert!(!is_usual(index), "{index}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_unusual_and_an_index_without_a_last_line_break_is_not() {
        assert!(!is_usual(&with(&format!("description: {}", "x".repeat(LINE_LIMIT_BYTES)))));
        assert!(is_usual("---\napiVersion: v1\nentries: {}"));
    }

    proptest::proptest! {
        #[test]
        fn both_readers_read_the_same(
            pieces in proptest::collection::vec(proptest::sample::select(vec![
                "\n", "\n", "\n  ", "\n    ", "\n      ", "\n  - ", "\n- ", "\n    - ", "- ", "version: ", "urls:", "a:", "a: ",
                "b", "c d", "\"", "'", "''", "\\", "|", ">-", "#", " # ", ": ", "[]", "{}", "~", "digest: ", "x\n", "é", "- -",
                "created: ", "2026-01-01T00:00:00Z", "*a", "&a ", "...", "---", "?", " ",
            ]), 0..40),
        ) {
            let index = format!("apiVersion: v1\nentries:\n  shop:\n  - version: 1{}", pieces.concat());
            let (usual, general) = read_in_both_ways(index.as_bytes());
            if usual.is_some() {
                proptest::prop_assert_eq!(usual.map(Ok), Some(general), "{}", index);
            }
        }
    }
}
