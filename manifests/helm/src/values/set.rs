//! The texts of `--set` and its relatives.
//!
//! # Follows Helm
//! `a.b[1]=x,c={y,z}`: paths separated by dots, lists by index, a backslash before what should mean nothing. A number
//! keeps no sign of how it was written, so `--set` makes integers of what looks like one and leaves `1.5` and `0123`
//! as text.
//! # Differs from Helm
//! An index that is not closed is an error. Helm takes no notice of it, nor of what follows it.

use std::num::IntErrorKind;

use crate::value::{List, Map, Text, Value};

/// Why the text of a `--set` is refused, in Helm's own words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// A path is followed by no `=`.
    #[error("key {0:?} has no value")]
    NoValue(String),
    /// A path goes on below a key, and what follows sets nothing there.
    #[error("key map {0:?} has no value")]
    EmptyMap(String),
    /// A key has no value and another one follows.
    #[error("key {0:?} has no value (cannot end with ,)")]
    EndsWithComma(String),
    /// A list is not closed.
    #[error("list must terminate with '}}'")]
    OpenList,
    /// An index is none.
    #[error("error parsing index: strconv.Atoi: parsing {text:?}: {problem}")]
    BadIndex {
        /// What stands in its place.
        text: String,
        /// What Go says of it.
        problem: &'static str,
    },
    /// An index is below zero.
    #[error("negative {0} index not allowed")]
    NegativeIndex(i64),
    /// An index is too large.
    #[error("index of {index} is greater than maximum supported index of {MAX_INDEX}")]
    LargeIndex {
        /// The index.
        index: i64,
    },
    /// A path is too long.
    #[error("value name nested level is greater than maximum supported nested level of {MAX_LEVEL}")]
    Deep,
    /// Something stands behind an index that does not belong there.
    #[error("unexpected data at end of array index")]
    AfterIndex,
    /// A value is no JSON.
    #[error("error parsing JSON {text:?}: {problem}")]
    Json {
        /// The text.
        text: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// Largest index of a list.
const MAX_INDEX: i64 = 65_536;

/// Longest path.
const MAX_LEVEL: usize = 30;

/// Sets what `--set` says.
pub(super) fn typed(values: &Map, text: &str) -> Result<(), SetError> {
    Reader::new(text, Typing::Guessed).assignments(values)
}

/// Sets what `--set-string` says.
pub(super) fn strings(values: &Map, text: &str) -> Result<(), SetError> {
    Reader::new(text, Typing::Text).assignments(values)
}

/// Sets what `--set-json` says.
pub(super) fn json(values: &Map, text: &str) -> Result<(), SetError> {
    Reader::new(text, Typing::Json).assignments(values)
}

/// Sets what `--set-literal` says: everything behind the first `=` is the value.
pub(super) fn literal(values: &Map, text: &str) -> Result<(), SetError> {
    let mut reader = Reader::new(text, Typing::Literal);
    let path = reader.path()?;
    if !reader.take('=') {
        return Err(SetError::NoValue(show(&path)));
    }
    set(values, &path, reader.rest().into())
}

/// Sets the text at a path.
pub(super) fn text_at(values: &Map, path: &str, content: &str) -> Result<(), SetError> {
    let path = Reader::new(path, Typing::Text).path()?;
    set(values, &path, content.into())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Typing {
    Guessed,
    Text,
    Json,
    Literal,
}

/// One part of a path.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Key(String),
    Index(usize),
}

fn show(path: &[Step]) -> String {
    let last = path.iter().rev().find_map(|step| if let Step::Key(key) = step { Some(key.clone()) } else { None });
    last.unwrap_or_default()
}

struct Reader {
    chars: Vec<char>,
    position: usize,
    typing: Typing,
}

impl Reader {
    fn new(text: &str, typing: Typing) -> Self {
        Self { chars: text.chars().collect(), position: 0, typing }
    }

    fn assignments(&mut self, values: &Map) -> Result<(), SetError> {
        while self.position < self.chars.len() {
            let path = self.path()?;
            if !self.take('=') {
                let is_last = self.position >= self.chars.len();
                return Err(if is_last {
                    SetError::NoValue(show(&path))
                } else {
                    SetError::EndsWithComma(show(&path))
                });
            }
            let value = self.value()?;
            set(values, &path, value)?;
            self.take(',');
        }
        Ok(())
    }

    fn path(&mut self) -> Result<Vec<Step>, SetError> {
        let mut path = Vec::new();
        loop {
            let key = self.until(&['.', '=', '[', ',']);
            path.push(Step::Key(key));
            while self.take('[') {
                path.push(Step::Index(self.index()?));
            }
            if path.len() > MAX_LEVEL {
                return Err(SetError::Deep);
            }
            if !self.take('.') {
                let ends = matches!(self.chars.get(self.position), None | Some('=' | ','));
                return if ends { Ok(path) } else { Err(SetError::AfterIndex) };
            }
        }
    }

    fn index(&mut self) -> Result<usize, SetError> {
        let text = self.until(&[']']);
        self.take(']');
        let index = text.parse::<i64>().map_err(|error| {
            let problem = match error.kind() {
                IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "value out of range",
                _ => "invalid syntax",
            };
            SetError::BadIndex { text, problem }
        })?;
        if index < 0 {
            return Err(SetError::NegativeIndex(index));
        }
        if index > MAX_INDEX {
            return Err(SetError::LargeIndex { index });
        }
        Ok(usize::try_from(index).unwrap_or_default())
    }

    fn value(&mut self) -> Result<Value, SetError> {
        match self.typing {
            Typing::Json => self.json(),
            Typing::Literal => Ok(self.rest().into()),
            Typing::Guessed | Typing::Text => {
                if self.take('{') {
                    return self.list();
                }
                let text = self.until(&[',']);
                Ok(self.typed(text))
            }
        }
    }

    fn list(&mut self) -> Result<Value, SetError> {
        let mut items = Vec::new();
        loop {
            let text = self.until(&[',', '}']);
            match self.chars.get(self.position) {
                None => return Err(SetError::OpenList),
                Some('}') => {
                    self.position += 1;
                    items.push(self.typed(text));
                    return Ok(Value::list(items));
                }
                Some(_) => {
                    self.position += 1;
                    items.push(self.typed(text));
                }
            }
        }
    }

    fn json(&mut self) -> Result<Value, SetError> {
        let text = self.rest();
        let mut stream = serde_json::Deserializer::from_str(&text).into_iter::<serde_json::Value>();
        let value = match stream.next() {
            Some(Ok(value)) => Value::from_json(&value),
            Some(Err(error)) => return Err(SetError::Json { text, problem: error.to_string() }),
            None => Value::Nil,
        };
        let read = text[..stream.byte_offset()].chars().count();
        self.position = self.chars.len() - text.chars().count() + read;
        Ok(value)
    }

    fn typed(&self, text: String) -> Value {
        if self.typing != Typing::Guessed {
            return text.into();
        }
        match text.to_ascii_lowercase().as_str() {
            "true" => true.into(),
            "false" => false.into(),
            "null" => Value::Nil,
            "0" => Value::int64(0),
            _ => match text.parse::<i64>() {
                Ok(number) if !text.starts_with(['0', '+']) => Value::int64(number),
                _ => text.into(),
            },
        }
    }

    /// Reads up to one of `ends`, a backslash before a character taking its meaning.
    fn until(&mut self, ends: &[char]) -> String {
        let mut text = String::new();
        while let Some(char) = self.chars.get(self.position) {
            if ends.contains(char) {
                break;
            }
            if *char == '\\' && self.typing != Typing::Literal {
                self.position += 1;
            }
            text.extend(self.chars.get(self.position));
            self.position += 1;
        }
        text
    }

    fn take(&mut self, char: char) -> bool {
        let found = self.chars.get(self.position) == Some(&char);
        self.position += usize::from(found);
        found
    }

    fn rest(&mut self) -> String {
        self.chars.get(self.position..).unwrap_or_default().iter().collect()
    }
}

/// Puts `value` at `path`, and maps and lists on the way there.
fn set(values: &Map, path: &[Step], value: Value) -> Result<(), SetError> {
    let [Step::Key(name), rest @ ..] = path else { return Ok(()) };
    if name.is_empty() {
        return Ok(());
    }
    let key = Text::from(name.as_str());
    let old = values.get(&key).unwrap_or(Value::Nil);
    let new = placed(old, rest, value)?;
    if matches!((rest, &new), ([Step::Key(_), ..], Value::Map(map)) if map.is_empty()) {
        return Err(SetError::EmptyMap(name.clone()));
    }
    values.insert(key, new);
    Ok(())
}

/// `old` with `value` at `path` inside of it.
fn placed(old: Value, path: &[Step], value: Value) -> Result<Value, SetError> {
    match path {
        [] => Ok(value),
        [Step::Key(_), ..] => {
            let map = if let Value::Map(map) = old { map } else { Map::default() };
            set(&map, path, value)?;
            Ok(map.into())
        }
        [Step::Index(index), rest @ ..] => {
            let mut items = if let Value::List(list) = old { list.to_vec() } else { Vec::new() };
            if items.len() <= *index {
                items.resize(index + 1, Value::Nil);
            }
            items[*index] = placed(std::mem::replace(&mut items[*index], Value::Nil), rest, value)?;
            Ok(Value::List(List::new(items)))
        }
    }
}
