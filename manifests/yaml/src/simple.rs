//! Reads the YAML that most manifests are, several times as fast as a parser of all of it.
//!
//! That is block collections whose scalars each stand on one line, literal texts, lists of words in brackets, and
//! comments. One pass goes from line to line, and gives up at the first thing that might be something else: a mistake, an
//! anchor, a tag, an escape, a text that goes on in the next line. Then [`parser`](crate::parser) reads the whole text
//! from its start and says what is wrong, if anything is. Of what both can read they make the same tree, which a property
//! test holds them to.

use crate::compose::{Composer, NO_ANCHOR, Placement};
use crate::{Mapping, Node, Position, Style, Value};

/// Longest key without quotes that is read here, in bytes. The parser's own limit is 1024 characters.
const LONGEST_KEY: usize = 256;

/// Reads the one document of `text`, whose first line is line `first_line` of what the user wrote; `None` if the text has
/// anything but simple YAML.
pub(crate) fn read(text: &str, first_line: u32) -> Option<Vec<Node>> {
    let is_plain_text = text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t'));
    if !is_plain_text {
        return None;
    }
    let mut lines = Lines { rest: text, number: first_line };
    if text.starts_with("---\n") {
        lines.next();
    }
    let mut reader = Reader { lines, open: Vec::new(), awaits_value: false, composer: Composer::default() };
    reader.document()?;
    Some(reader.composer.into_documents())
}

struct Reader<'a> {
    lines: Lines<'a>,
    open: Vec<Open>,
    /// Whether the last key has no value yet.
    awaits_value: bool,
    composer: Composer,
}

/// A block collection whose end has not been read.
#[derive(Clone, Copy)]
struct Open {
    kind: Kind,
    /// How many spaces are in front of its entries.
    indent: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sequence,
    Mapping,
}

/// What is left of a line, and where it stands.
#[derive(Clone, Copy)]
struct Rest<'a> {
    text: &'a str,
    line: u32,
    /// How many characters are before it.
    column: usize,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Option<()> {
        while let Some(line) = self.lines.next() {
            let rest = Rest { text: line.text, line: line.number, column: 0 }.skip(0);
            if rest.text.starts_with('#') {
                self.comment(rest, Placement::Alone);
            } else if !rest.text.is_empty() {
                self.content(rest)?;
            }
        }
        if self.awaits_value || self.open.is_empty() {
            return None;
        }
        while self.open.pop().is_some() {
            self.composer.end().ok()?;
        }
        self.composer.end_document();
        Some(())
    }

    /// Reads a line with a key or an item.
    fn content(&mut self, rest: Rest<'a>) -> Option<()> {
        let is_marker = rest.column == 0 && (rest.text.starts_with("---") || rest.text.starts_with("..."));
        if is_marker || rest.text.contains('\t') {
            return None;
        }
        let kind = if rest.item().is_some() { Kind::Sequence } else { Kind::Mapping };
        self.go_to(kind, rest)?;
        match kind {
            Kind::Sequence => self.item(rest),
            Kind::Mapping => self.entry(rest),
        }
    }

    /// Opens or closes collections until the last one is the one that an entry at `rest` belongs to.
    fn go_to(&mut self, kind: Kind, rest: Rest<'a>) -> Option<()> {
        if self.awaits_value {
            let holder = self.open.last()?.indent;
            self.awaits_value = false;
            return match kind {
                _ if rest.column > holder => self.start(kind, rest, rest),
                // The parser finds a list that is not indented where its first item is.
                Kind::Sequence if rest.column == holder => self.start(kind, rest, rest.item()?),
                Kind::Sequence | Kind::Mapping => None,
            };
        }
        if self.open.is_empty() {
            return self.start(kind, rest, rest);
        }
        while let Some(last) = self.open.last() {
            if last.indent == rest.column && last.kind == kind {
                return Some(());
            }
            let has_ended = last.indent > rest.column || last.indent == rest.column && last.kind == Kind::Sequence;
            if !has_ended {
                return None;
            }
            self.open.pop();
            self.composer.end().ok()?;
        }
        None
    }

    /// Opens a collection whose entries are at the column of `rest`, and which is found at `place`.
    fn start(&mut self, kind: Kind, rest: Rest<'a>, place: Rest<'a>) -> Option<()> {
        self.open.push(Open { kind, indent: rest.column });
        let empty = match kind {
            Kind::Sequence => Value::Sequence(Vec::new()),
            Kind::Mapping => Value::Mapping(Mapping::new()),
        };
        self.composer.start(place.node(empty, Style::Block), NO_ANCHOR).ok()
    }

    /// Reads `- value`, where the value may be an item or a key again.
    fn item(&mut self, rest: Rest<'a>) -> Option<()> {
        let rest = rest.item()?;
        if rest.item().is_some() {
            self.start(Kind::Sequence, rest, rest)?;
            return self.item(rest);
        }
        if rest.key().is_some() {
            self.start(Kind::Mapping, rest, rest)?;
            return self.entry(rest);
        }
        self.value(rest)
    }

    /// Reads `key: value`, where the value may be missing.
    fn entry(&mut self, rest: Rest<'a>) -> Option<()> {
        let (key, style, value) = rest.key()?;
        self.scalar(rest, key, style)?;
        if value.text.starts_with('#') {
            self.comment(value, Placement::Beside);
        } else if !value.text.is_empty() {
            return self.value(value);
        }
        self.awaits_value = true;
        Some(())
    }

    fn value(&mut self, rest: Rest<'a>) -> Option<()> {
        match rest.text.as_bytes().first()? {
            b'"' | b'\'' => {
                let (text, style, after) = rest.quoted()?;
                self.scalar(rest, text, style)?;
                self.end_line(after)
            }
            b'|' => self.literal(rest),
            b'[' => self.words(rest),
            b'{' => self.empty_mapping(rest),
            b'&' | b'*' | b'!' | b'%' | b'@' | b'`' | b'>' | b'?' | b',' | b']' | b'}' | b'#' | b':' => None,
            _ => self.plain(rest),
        }
    }

    fn plain(&mut self, rest: Rest<'a>) -> Option<()> {
        let end = rest.text.find(" #").unwrap_or(rest.text.len());
        let text = rest.text[..end].trim_end_matches(' ');
        if text.ends_with(':') || text.contains(": ") || rest.item().is_some() {
            return None;
        }
        self.scalar(rest, text, Style::Plain)?;
        self.end_line(rest.at(&rest.text[end..]))
    }

    fn empty_mapping(&mut self, rest: Rest<'a>) -> Option<()> {
        let after = rest.text.strip_prefix("{}")?;
        self.composer.start(rest.node(Value::Mapping(Mapping::new()), Style::Flow), NO_ANCHOR).ok()?;
        self.composer.end().ok()?;
        self.end_line(rest.at(after))
    }

    /// Reads a list of words in brackets.
    fn words(&mut self, rest: Rest<'a>) -> Option<()> {
        self.composer.start(rest.node(Value::Sequence(Vec::new()), Style::Flow), NO_ANCHOR).ok()?;
        let mut rest = rest.skip(1);
        if !rest.text.starts_with(']') {
            loop {
                let (text, style, after) = rest.quoted().or_else(|| rest.word())?;
                self.scalar(rest, text, style)?;
                rest = after.skip(0);
                if rest.text.starts_with(']') {
                    break;
                }
                rest = rest.at(rest.text.strip_prefix(',')?).skip(0);
            }
        }
        self.composer.end().ok()?;
        self.end_line(rest.at(&rest.text[1..]))
    }

    /// Reads a text in the style `|`.
    fn literal(&mut self, header: Rest<'a>) -> Option<()> {
        let chomp = header.text[1..].trim_end_matches(' ');
        let first = self.lines.clone().find(|line| !line.is_blank())?;
        let indent = first.indent();
        if indent <= self.open.last()?.indent || first.text[indent..].starts_with('\t') {
            return None;
        }
        let mut text = self.literal_lines(indent)?;
        let kept = text.trim_end_matches('\n').len();
        match chomp {
            "" => text.truncate(text.len().min(kept + 1)),
            "-" => text.truncate(kept),
            "+" => {}
            _ => return None,
        }
        let start = Rest { text: "", line: first.number, column: indent };
        self.composer.scalar(start.node(Value::Scalar(text.into()), Style::Literal), NO_ANCHOR).ok()
    }

    /// Reads the lines that are indented to `indent`, and the blank ones between and behind them.
    fn literal_lines(&mut self, indent: usize) -> Option<String> {
        let mut text = String::new();
        let mut lines = self.lines.clone();
        while let Some(line) = lines.next() {
            let is_blank = line.is_blank();
            if !is_blank && line.indent() < indent {
                break;
            }
            let content = line.text.get(indent..).unwrap_or_default();
            let is_above = is_blank && !content.is_empty() && text.bytes().all(|byte| byte == b'\n');
            if is_above || is_blank && !line.is_terminated {
                return None;
            }
            text.push_str(content);
            if line.is_terminated {
                text.push('\n');
            }
            self.lines = lines.clone();
        }
        Some(text)
    }

    fn scalar(&mut self, rest: Rest<'a>, text: &str, style: Style) -> Option<()> {
        self.composer.scalar(rest.node(Value::Scalar(text.into()), style), NO_ANCHOR).ok()
    }

    /// Reads what follows a node on its line: nothing, or a comment.
    fn end_line(&mut self, rest: Rest<'a>) -> Option<()> {
        let comment = rest.skip(0);
        if comment.text.is_empty() {
            return Some(());
        }
        if !comment.text.starts_with('#') || comment.column == rest.column {
            return None;
        }
        self.comment(comment, Placement::Beside);
        Some(())
    }

    fn comment(&mut self, rest: Rest<'a>, placement: Placement) {
        self.composer.comment(rest.text.to_owned(), placement, rest.position());
    }
}

impl<'a> Rest<'a> {
    /// What is left behind `bytes` and the spaces after them.
    fn skip(self, bytes: usize) -> Self {
        self.at(self.text[bytes..].trim_start_matches(' '))
    }

    /// The end `text` of this text.
    fn at(self, text: &'a str) -> Self {
        Self { text, column: self.column + self.text.len() - text.len(), ..self }
    }

    fn position(self) -> Position {
        let column = u32::try_from(self.column).unwrap_or(u32::MAX).saturating_add(1);
        Position { line: self.line, column }
    }

    fn node(self, value: Value, style: Style) -> Node {
        Node { position: self.position(), ..Node::new(value, style) }
    }

    /// What stands behind the `-` of an item.
    fn item(self) -> Option<Self> {
        let after = self.text.strip_prefix('-')?;
        (after.is_empty() || after.starts_with(' ')).then(|| self.skip(1))
    }

    /// The key that stands here, its style, and what is behind its colon.
    fn key(self) -> Option<(&'a str, Style, Self)> {
        let (key, style, after) = self.quoted().or_else(|| self.word())?;
        let value = after.text.strip_prefix(':')?;
        (value.is_empty() || value.starts_with(' ')).then(|| (key, style, after.skip(1)))
    }

    /// Text without quotes that means nothing in any place but itself.
    fn word(self) -> Option<(&'a str, Style, Self)> {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/');
        let length = self.text.bytes().take_while(is_part).count();
        let word = &self.text[..length];
        let is_word = length <= LONGEST_KEY && word.starts_with(|first: char| first != '-');
        is_word.then(|| (word, Style::Plain, self.at(&self.text[length..])))
    }

    /// The text between quotes, without an escape.
    fn quoted(self) -> Option<(&'a str, Style, Self)> {
        let (quote, style) = match self.text.as_bytes().first()? {
            b'"' => ('"', Style::DoubleQuoted),
            b'\'' => ('\'', Style::SingleQuoted),
            _ => return None,
        };
        let (text, after) = self.text[1..].split_once(quote)?;
        let is_whole = !(after.starts_with('\'') && quote == '\'' || quote == '"' && text.contains('\\'));
        is_whole.then(|| (text, style, self.at(after)))
    }
}

/// The lines of a text that have not been read.
#[derive(Clone)]
struct Lines<'a> {
    rest: &'a str,
    number: u32,
}

struct Line<'a> {
    text: &'a str,
    number: u32,
    is_terminated: bool,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let number = self.number;
        let (text, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        let is_terminated = text.len() < self.rest.len();
        (self.rest, self.number) = (rest, number.saturating_add(1));
        Some(Line { text, number, is_terminated })
    }
}

impl Line<'_> {
    fn indent(&self) -> usize {
        self.text.bytes().take_while(|byte| *byte == b' ').count()
    }

    fn is_blank(&self) -> bool {
        self.indent() == self.text.len()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use proptest::prelude::*;

    use super::*;
    use crate::{ParseError, document::Extent, parser};

    fn line() -> impl Strategy<Value = String> {
        let content = prop_oneof![
            "(- ){0,2}[ab]: ?[a-c:#\\[\\]{}|>&*!'\", -]{0,6}",
            "(- ){0,2}[ab]:( # beside| +|)",
            "(- ){1,2}[a-c:#'\" -]{0,4}( # beside)?",
            "[ab]: [|][-+]?",
            "([ab]|- [ab]|-|'a'|\"b\"): ?(\\[a, \"b c\", ''\\]|\\{\\}|\\[\\]|'a b'|\"# b\")( # beside)?",
            "# alone ?",
            "(---|\\.\\.\\.|%a|text|)",
        ];
        (0..5_usize, content).prop_map(|(indent, content)| format!("{}{content}", " ".repeat(indent)))
    }

    /// The lines of a block collection, indented against what is around it.
    fn collection() -> impl Strategy<Value = Vec<String>> {
        let scalar =
            prop_oneof!["[a-c]", "'a # b'", "\"[a-c]\"", "-[a-c]", "[a-c]:[a-c]#", "\\[a, 'b'\\] # beside", "\\{\\}"];
        let leaf = prop_oneof![
            4 => scalar.prop_map(|scalar| vec![format!(" {scalar}")]),
            1 => "[|][-+]?".prop_map(|header| vec![format!(" {header}"), "  text".to_owned(), String::new(), "   more".to_owned()]),
        ];
        let entry = leaf.prop_recursive(4, 24, 4, |value| {
            let children = prop::collection::vec((prop_oneof![3 => Just(""), 1 => Just("# above")], value), 1..4);
            (children, any::<bool>(), 0..3_usize).prop_map(|(children, is_list, indent)| {
                let mut lines = vec![String::new()];
                for (comment, value) in children {
                    let (lead, pad) = (if is_list { "-" } else { "a:" }, " ".repeat(indent));
                    lines.extend((!comment.is_empty()).then(|| format!("{pad}{comment}")));
                    lines.push(format!("{pad}{lead}{}", value[0]));
                    lines.extend(value[1..].iter().map(|line| format!("{pad}{line}")));
                }
                lines
            })
        });
        entry.prop_map(|lines| lines.into_iter().filter(|line| !line.is_empty()).collect())
    }

    fn read_by_parser(text: &str) -> Result<Vec<Node>, ParseError> {
        parser::read(text, 7, Extent::All)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

        #[test]
        fn what_is_read_here_is_what_the_parser_reads(
            mut lines in prop_oneof![prop::collection::vec(line(), 1..9), collection()],
            (odd, at) in (prop::option::of(line()), any::<prop::sample::Index>()),
            ending in "\n?",
        ) {
            if let Some(odd) = odd {
                lines.insert(at.index(lines.len() + 1), odd);
            }
            let text = lines.join("\n") + &ending;
            if let Some(nodes) = read(&text, 7) {
                prop_assert_eq!(read_by_parser(&text), Ok(nodes), "{}", text);
            }
        }
    }

    #[test]
    fn what_most_manifests_are_is_read_here() {
        let text = "\
---
# What it is for.
apiVersion: v1 # beside
kind: ConfigMap
metadata:
  name: \"web\"
  labels: {}
  # Above.
  annotations:
    app.kubernetes.io/name: 'a b' # beside

    example.com/url: http://example.com:80/#top
rules:
- apiGroups: [\"\", apps]
  verbs: [] # none
-   - a
    # Within.
    - b: --c
      d: -1
      # Below.
data:
  run.sh: |

    #!/bin/sh
      echo a: b

  # Between.
  keep: |+
    a

  strip: |-
    no end";
        let nodes = read(text, 7).expect("it is simple");
        assert_eq!(read_by_parser(text), Ok(nodes));
    }

    #[test]
    fn the_manifests_of_others_are_read_as_by_the_parser() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
        if !corpus.is_dir() {
            eprintln!("skipped: ../shared/corpus is not here");
            return;
        }
        let (mut simple, mut all, mut folders) = (0, 0, vec![corpus]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a readable folder") {
                let path = entry.expect("a readable folder").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
                    let Ok(text) = fs::read_to_string(&path) else { continue };
                    for document in crate::documents(&text).unwrap_or_default() {
                        all += 1;
                        if let Some(nodes) = read(document.text, 7) {
                            simple += 1;
                            assert_eq!(read_by_parser(document.text), Ok(nodes), "{}", path.display());
                        }
                    }
                }
            }
        }
        eprintln!("{simple} of {all} documents are simple");
        assert!(simple * 2 > all, "only {simple} of {all} documents are simple");
    }
}
