//! TOML to values.
//!
//! # Follows `BurntSushi/toml`
//! Integers are `int64` and times are `time.Time`; the words of its errors, for the mistakes that people make.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::codec::MAX_DEPTH;
use crate::functions::time_value;
use crate::number;
use crate::time;
use crate::value::{List, ListType, Map, Text, Value};

/// The map of a TOML text; an error in Go's words. Times without a zone are in `zone`.
pub(crate) fn decode(text: &str, zone: &TimeZone) -> Result<Value, String> {
    let mut reader = Reader { rest: text, line: 1, zone, last_key: None };
    reader.file().map(|table| to_map(table).into()).map_err(|problem| {
        let key = reader.last_key.as_ref().map_or_else(String::new, |key| format!(" (last key {})", quoted(key)));
        format!("toml: line {}{key}: {problem}", reader.line)
    })
}

/// A table while it is read.
type Table = BTreeMap<String, Entry>;

/// What stands under a key.
enum Entry {
    Value(Value),
    Table(Table),
    /// The tables of `[[headers]]`.
    Tables(Vec<Table>),
}

fn to_map(table: Table) -> Map {
    table.into_iter().map(|(key, entry)| (Text::from(key), to_value(entry))).collect()
}

fn to_value(entry: Entry) -> Value {
    match entry {
        Entry::Value(value) => value,
        Entry::Table(table) => to_map(table).into(),
        Entry::Tables(tables) => {
            let tables = tables.into_iter().map(|table| to_map(table).into()).collect();
            Value::List(List::of_type(tables, ListType::Maps))
        }
    }
}

/// The table at `path` below `table`, made on the way; of several tables the last one counts.
fn open<'t>(table: &'t mut Table, path: &[String]) -> Result<&'t mut Table, String> {
    let [key, rest @ ..] = path else { return Ok(table) };
    match table.entry(key.clone()).or_insert_with(|| Entry::Table(Table::new())) {
        Entry::Table(inside) => open(inside, rest),
        Entry::Tables(tables) => match tables.last_mut() {
            Some(last) => open(last, rest),
            None => Err(format!("Key {} has no table", quoted(key))),
        },
        Entry::Value(_) => Err(format!("Key {} has already been defined.", quoted(key))),
    }
}

fn quoted(text: &str) -> String {
    crate::fmt::quote(text.as_bytes())
}

struct Reader<'t> {
    rest: &'t str,
    line: usize,
    zone: &'t TimeZone,
    last_key: Option<String>,
}

type Read<T> = Result<T, String>;

impl<'t> Reader<'t> {
    fn file(&mut self) -> Read<Table> {
        let mut root = Table::new();
        let mut path: Vec<String> = Vec::new();
        loop {
            self.skip_lines();
            if self.rest.is_empty() {
                return Ok(root);
            }
            if self.take("[[") {
                path = self.header("]]")?;
                let Some((last, above)) = path.split_last() else { continue };
                let entry = open(&mut root, above)?.entry(last.clone()).or_insert_with(|| Entry::Tables(Vec::new()));
                match entry {
                    Entry::Tables(tables) => tables.push(Table::new()),
                    Entry::Value(_) | Entry::Table(_) => {
                        return Err(format!("Key {} has already been defined.", quoted(last)));
                    }
                }
            } else if self.take("[") {
                path = self.header("]")?;
                open(&mut root, &path)?;
            } else {
                let table = open(&mut root, &path)?;
                self.assignment(table, 0)?;
            }
            self.end_of_item()?;
        }
    }

    fn header(&mut self, end: &str) -> Read<Vec<String>> {
        let path =
            self.key_path(|found| format!("expected '.' or ']' to end table name, but got {found} instead"), ']')?;
        if self.take(end) { Ok(path) } else { Err(format!("expected {} to end table name", quoted(end))) }
    }

    /// Reads `key = value` into `table`.
    fn assignment(&mut self, table: &mut Table, depth: usize) -> Read<()> {
        let path = self.key_path(|found| format!("expected '.' or '=', but got {found} instead"), '=')?;
        self.take("=");
        self.skip_blanks();
        self.last_key = Some(path.join("."));
        let value = self.value(depth)?;
        self.last_key = None;
        let Some((last, above)) = path.split_last() else { return Ok(()) };
        if open(table, above)?.insert(last.clone(), Entry::Value(value)).is_some() {
            return Err(format!("Key {} has already been defined.", quoted(last)));
        }
        Ok(())
    }

    /// Reads keys with dots between them, up to `end`.
    fn key_path(&mut self, wrong: impl Fn(String) -> String, end: char) -> Read<Vec<String>> {
        let mut path = Vec::new();
        loop {
            self.skip_blanks();
            path.push(self.key()?);
            self.skip_blanks();
            match self.rest.chars().next() {
                Some('.') => self.rest = &self.rest[1..],
                Some(char) if char == end => return Ok(path),
                found => {
                    self.line += usize::from(found == Some('\n'));
                    return Err(wrong(show(found)));
                }
            }
        }
    }

    fn key(&mut self) -> Read<String> {
        match self.rest.chars().next() {
            Some('"') => self.basic_string(),
            Some('\'') => self.literal_string(),
            Some('.') => Err("unexpected '.': keys cannot start with a '.'".to_owned()),
            Some('=') => Err("unexpected '=': key name appears blank".to_owned()),
            found => {
                let is_bare = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
                let length = self.rest.find(|char| !is_bare(char)).unwrap_or(self.rest.len());
                if length == 0 {
                    return Err(format!("unexpected {}: bare keys cannot contain it", show(found)));
                }
                Ok(self.advance(length).to_owned())
            }
        }
    }

    fn value(&mut self, depth: usize) -> Read<Value> {
        if depth > MAX_DEPTH {
            return Err("nested too deeply".to_owned());
        }
        match self.rest.chars().next() {
            Some('"') if self.rest.starts_with("\"\"\"") => self.long_string("\"\"\"").map(Value::from),
            Some('\'') if self.rest.starts_with("'''") => self.long_string("'''").map(Value::from),
            Some('"') => self.basic_string().map(Value::from),
            Some('\'') => self.literal_string().map(Value::from),
            Some('[') => self.array(depth),
            Some('{') => self.inline_table(depth),
            Some('+' | '-' | '0'..='9' | 'a'..='z') => self.word(),
            found => Err(format!("expected value but found {} instead", show(found))),
        }
    }

    fn array(&mut self, depth: usize) -> Read<Value> {
        self.advance(1);
        let mut items = Vec::new();
        loop {
            self.skip_lines();
            if self.take("]") {
                return Ok(Value::list(items));
            }
            items.push(self.value(depth + 1)?);
            self.skip_lines();
            if !self.take(",") && !self.rest.starts_with(']') {
                let found = show(self.rest.chars().next());
                return Err(format!("expected a comma (',') or array terminator (']'), but got {found}"));
            }
        }
    }

    fn inline_table(&mut self, depth: usize) -> Read<Value> {
        self.advance(1);
        let mut table = Table::new();
        loop {
            self.skip_lines();
            if self.take("}") {
                return Ok(to_map(table).into());
            }
            self.assignment(&mut table, depth + 1)?;
            self.skip_lines();
            if !self.take(",") && !self.rest.starts_with('}') {
                let found = show(self.rest.chars().next());
                return Err(format!("expected a comma or an inline table terminator '}}', but got {found} instead"));
            }
        }
    }

    fn basic_string(&mut self) -> Read<String> {
        self.advance(1);
        let mut text = String::new();
        loop {
            match self.next() {
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape()?),
                None => return Err("unexpected EOF; expected '\"'".to_owned()),
                Some('\n') => return Err("strings cannot contain newlines".to_owned()),
                Some(char) => text.push(char),
            }
        }
    }

    fn literal_string(&mut self) -> Read<String> {
        self.advance(1);
        let length = self.rest.find(['\'', '\n']).filter(|at| self.rest[*at..].starts_with('\''));
        let text = self.advance(length.ok_or("strings cannot contain newlines")?).to_owned();
        self.advance(1);
        Ok(text)
    }

    /// A string on several lines. A break directly behind its quotes does not count.
    fn long_string(&mut self, quotes: &str) -> Read<String> {
        self.advance(3);
        if self.rest.starts_with(['\n', '\r']) {
            let length = if self.rest.starts_with("\r\n") { 2 } else { 1 };
            self.advance(length);
        }
        let mut text = String::new();
        loop {
            if self.rest.starts_with(quotes) {
                // One or two quotes may stand directly before the end.
                while self.rest[1..].starts_with(quotes) {
                    text.push_str(self.advance(1));
                }
                self.advance(3);
                return Ok(text);
            }
            match self.next() {
                None => return Err(format!("unexpected EOF; expected {}", quoted(quotes))),
                Some('\\') if quotes == "\"\"\"" => {
                    if self.rest.starts_with(['\n', '\r', ' ', '\t']) {
                        let length = self.rest.len() - self.rest.trim_start().len();
                        self.advance(length);
                    } else {
                        text.push(self.escape()?);
                    }
                }
                Some(char) => text.push(char),
            }
        }
    }

    fn escape(&mut self) -> Read<char> {
        let char = self.next().ok_or("unexpected EOF")?;
        let digits = match char {
            'b' => return Ok('\u{8}'),
            't' => return Ok('\t'),
            'n' => return Ok('\n'),
            'f' => return Ok('\u{c}'),
            'r' => return Ok('\r'),
            'e' => return Ok('\u{1b}'),
            '"' | '\\' => return Ok(char),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            char => return Err(format!("invalid escape character '{char}'")),
        };
        let digits = self.rest.get(..digits).ok_or("unexpected EOF")?;
        let code = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
        let char =
            code.ok_or_else(|| format!("escaped character '\\{char}{digits}' is not a valid UTF-8 codepoint"))?;
        self.advance(digits.len());
        Ok(char)
    }

    /// A number, a boolean or a time.
    fn word(&mut self) -> Read<Value> {
        let is_part = |char: char| char.is_ascii_alphanumeric() || matches!(char, '+' | '-' | '_' | '.' | ':');
        let mut length = self.rest.find(|char| !is_part(char)).unwrap_or(self.rest.len());
        // A blank may stand between a date and a time.
        let after = &self.rest[length..];
        if length == 10 && after.starts_with(' ') && after[1..].starts_with(|char: char| char.is_ascii_digit()) {
            length += 1 + after[1..].find(|char| !is_part(char)).unwrap_or(after.len() - 1);
        }
        let word = self.advance(length);
        let digits = word.trim_start_matches(['+', '-']).replace('_', "");
        let number = format!("{}{digits}", if word.starts_with('-') { "-" } else { "" });
        match word {
            "true" => return Ok(true.into()),
            "false" => return Ok(false.into()),
            _ if matches!(digits.as_str(), "inf" | "nan") => {
                return number::parse_float(&number).map(Value::Float).map_err(|_| "invalid float".to_owned());
            }
            _ => {}
        }
        if let Some(time) = self.time(word) {
            return Ok(time);
        }
        let is_prefixed = digits.starts_with("0x") || digits.starts_with("0o") || digits.starts_with("0b");
        if !is_prefixed && digits.contains(['.', 'e', 'E']) {
            return number::parse_float(&number)
                .map(Value::Float)
                .map_err(|_| format!("invalid float: {}", quoted(word)));
        }
        number::parse_int(&number).map(Value::int64).map_err(|_| match word.chars().next() {
            Some(char @ 'a'..='z') => format!("expected value but found '{char}' instead"),
            _ => format!("invalid integer: {}", quoted(word)),
        })
    }

    fn time(&self, word: &str) -> Option<Value> {
        let word = word.replace([' ', 't'], "T").replace('z', "Z");
        let layouts = ["2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02", "15:04:05"];
        let time = layouts.iter().find_map(|layout| time::parse(layout, &word, self.zone).ok())?;
        Some(time_value(time))
    }

    fn end_of_item(&mut self) -> Read<()> {
        self.skip_blanks();
        if self.rest.starts_with('#') {
            let length = self.rest.find('\n').unwrap_or(self.rest.len());
            self.advance(length);
        }
        match self.rest.chars().next() {
            None | Some('\n' | '\r') => Ok(()),
            found => {
                let found = show(found);
                Err(format!(
                    "expected a top-level item to end with a newline, comment, or EOF, but got {found} instead"
                ))
            }
        }
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    /// Skips blanks, breaks and comments.
    fn skip_lines(&mut self) {
        loop {
            let length = self.rest.len() - self.rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            self.advance(length);
            if !self.rest.starts_with('#') {
                return;
            }
            let length = self.rest.find('\n').unwrap_or(self.rest.len());
            self.advance(length);
        }
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.rest.starts_with(text);
        if found {
            self.advance(text.len());
        }
        found
    }

    fn next(&mut self) -> Option<char> {
        let char = self.rest.chars().next()?;
        self.advance(char.len_utf8());
        Some(char)
    }

    /// Goes on by `length` bytes, and gives what was passed.
    fn advance(&mut self, length: usize) -> &'t str {
        let (passed, rest) = self.rest.split_at(length);
        self.line += passed.matches('\n').count();
        self.rest = rest;
        passed
    }
}

/// A character as error messages show it.
fn show(char: Option<char>) -> String {
    match char {
        None => "end of file".to_owned(),
        Some(char) => crate::fmt::quote_char(char, false),
    }
}
