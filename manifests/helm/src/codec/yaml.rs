//! YAML, as `sigs.k8s.io/yaml` reads and writes it.

use fairlead_yaml::{Node, ParseError, ResolveError, Schema, emit_json};
use serde_json::{Map as JsonMap, Number, Value as Json};

use super::{MAX_DEPTH, keys, pretty};
use crate::unicode;
use crate::value::{MapType, Value};

/// Longest key that Go's YAML parser reads on the way to the output, in bytes.
const MAX_KEY_BYTES: usize = 1024;

/// `value` as YAML, without the line break at its end; an error in Go's words.
///
/// # Follows `sigs.k8s.io/yaml`
/// Go writes JSON and reads that as YAML before it writes YAML. What the reader in the middle refuses makes the whole
/// fail.
pub(crate) fn encode(value: &Value) -> Result<String, String> {
    let mut text = emit_json(&to_json(value, 0)?);
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

/// `value` as go-yaml v3 writes it, without the line break at its end.
pub(crate) fn encode_pretty(value: &Value) -> String {
    pretty::encode(value)
}

/// The JSON value that Go's encoder and a YAML reader make of `value`.
fn to_json(value: &Value, depth: usize) -> Result<Json, String> {
    if depth > MAX_DEPTH {
        return Err("json: unsupported value: encountered a cycle".to_owned());
    }
    Ok(match value {
        Value::Missing | Value::Nil => Json::Null,
        Value::Bool(bool) => Json::Bool(*bool),
        Value::Int(number, _) => (*number).into(),
        Value::Uint(number, _) => (*number).into(),
        Value::Float(number) => {
            let unsupported = || format!("json: unsupported value: {}", crate::number::not_finite(*number));
            Json::Number(Number::from_f64(*number).ok_or_else(unsupported)?)
        }
        Value::Text(text) => Json::String(readable(text)?),
        Value::Bytes(bytes) => {
            use base64::Engine;
            Json::String(base64::engine::general_purpose::STANDARD.encode(&**bytes))
        }
        Value::List(list) if list.is_nil() => Json::Null,
        Value::List(list) => Json::Array(list.iter().map(|item| to_json(item, depth + 1)).collect::<Result<_, _>>()?),
        Value::Map(map) if map.map_type() == MapType::NilTexts => Json::Null,
        Value::Map(map) => {
            let mut fields = JsonMap::new();
            for (key, item) in map.entries().iter() {
                if key.len() > MAX_KEY_BYTES {
                    return Err("error converting JSON to YAML: yaml: could not find expected ':'".to_owned());
                }
                fields.insert(readable(key)?, to_json(item, depth + 1)?);
            }
            Json::Object(fields)
        }
        Value::Object(object) => to_json(&object.plain(), depth + 1)?,
    })
}

/// What a YAML reader makes of a text in double quotes.
fn readable(text: &[u8]) -> Result<String, String> {
    if let Ok(plain) = std::str::from_utf8(text)
        && plain.bytes().all(|byte| byte.is_ascii() && byte != 0x7f)
    {
        return Ok(plain.to_owned());
    }
    let mut read = String::with_capacity(text.len());
    let mut chars = unicode::chars(text).map(|(char, _)| char).peekable();
    while let Some(char) = chars.next() {
        match char {
            '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {
                return Err("error converting JSON to YAML: yaml: control characters are not allowed".to_owned());
            }
            // A break within quotes, with the blanks around it.
            '\u{85}' => {
                read.truncate(read.trim_end_matches(' ').len());
                let mut breaks = 1;
                while let Some(char) = chars.next_if(|char| matches!(char, ' ' | '\u{85}')) {
                    breaks += usize::from(char == '\u{85}');
                }
                read.push_str(&if breaks == 1 { " ".to_owned() } else { "\n".repeat(breaks - 1) });
            }
            char => read.push(char),
        }
    }
    Ok(read)
}

/// The value of the first document of a YAML text; nothing for an empty one. An error in Go's words.
pub(crate) fn decode(text: &[u8]) -> Result<Value, String> {
    let text = String::from_utf8_lossy(text);
    decode_text(first_document(&text)).map_err(|problem| format!("error converting YAML to JSON: {problem}"))
}

/// The part of `text` up to its second document.
fn first_document(text: &str) -> &str {
    let mut offset = 0;
    let mut has_content = false;
    for line in text.split_inclusive('\n') {
        let is_separator = line.starts_with("---") && line[3..].trim_end().is_empty();
        if is_separator && has_content {
            return &text[..offset];
        }
        let trimmed = line.trim();
        has_content |= !(trimmed.is_empty() || trimmed.starts_with('#') || trimmed.starts_with('%'));
        offset += line.len();
    }
    text
}

fn decode_text(text: &str) -> Result<Value, String> {
    let Some(json) = first_json(text)? else { return Ok(Value::Nil) };
    Ok(Value::from_json(&json))
}

/// The JSON value of the first document of `text`; an error in go-yaml's words.
pub(crate) fn first_json(text: &str) -> Result<Option<Json>, String> {
    let Some(document) = first_node(text)? else { return Ok(None) };
    document.to_json(Schema::SigsYaml).map(Some).map_err(|error| unresolved(&document, &error))
}

/// The first document of `text`, which has a JSON value; an error in go-yaml's words.
pub(crate) fn first_checked(text: &str) -> Result<Option<Node>, String> {
    let Some(document) = first_node(text)? else { return Ok(None) };
    match document.check_sigs_yaml() {
        Ok(()) => Ok(Some(document)),
        Err(error) => Err(unresolved(&document, &error)),
    }
}

/// The JSON value of a part of a document that was checked.
pub(crate) fn checked_json(part: &Node) -> Json {
    part.to_json(Schema::SigsYaml).expect("the document was checked")
}

fn first_node(text: &str) -> Result<Option<Node>, String> {
    if let Some(line) = line_begun_with_tab(text) {
        return Err(at_line(scanned(line), "found character that cannot start any token"));
    }
    fairlead_yaml::parse_first(text).or_else(|error| {
        let alone = quoted_alone(text, &error);
        alone.unwrap_or_else(|| Err(in_go_words(text, &error)))
    })
}

/// The line, counted from zero, of the first tab before any text but comments: it indents nothing.
fn line_begun_with_tab(text: &str) -> Option<u32> {
    for (index, line) in text.lines().enumerate() {
        let content = line.trim_start();
        if line[..line.len() - content.len()].contains('\t') {
            return Some(u32::try_from(index).unwrap_or(u32::MAX));
        }
        if !content.is_empty() && !content.starts_with('#') {
            return None;
        }
    }
    None
}

/// The text in quotes that `text` begins with, if what is wrong is behind it.
///
/// # Follows go-yaml v2
/// It reads one document, which such a text is, and does not look at what follows it in its line, as long as that begins
/// like something.
fn quoted_alone(text: &str, error: &ParseError) -> Option<Result<Option<Node>, String>> {
    let begins = text.trim_start();
    if !begins.starts_with(['"', '\'']) || error.message != TRAILING {
        return None;
    }
    let line_start: usize = text.split_inclusive('\n').take(line_before(error)).map(str::len).sum();
    let column = usize::try_from(error.position.column).ok()?.saturating_sub(1);
    let (offset, _) = text[line_start..].char_indices().nth(column)?;
    let (quoted, rest) = text.split_at(line_start + offset);
    if rest.trim_start().starts_with(['"', '\''])
        && let Err(error) = fairlead_yaml::parse_first(rest)
    {
        return Some(Err(in_go_words(rest, &error)));
    }
    fairlead_yaml::parse_first(quoted).ok().map(Ok)
}

/// What is said of what follows a text in quotes.
const TRAILING: &str = "did not find expected key";

/// How many lines are before that of an error.
fn line_before(error: &ParseError) -> usize {
    usize::try_from(error.position.line).unwrap_or_default().saturating_sub(1)
}

fn at_line(line: u32, message: &str) -> String {
    if line == 0 { format!("yaml: {message}") } else { format!("yaml: line {line}: {message}") }
}

/// What go-yaml v2 says of a text that is no YAML.
///
/// # Follows go-yaml v2
/// It counts lines from zero, adds one for what its scanner objects to, and leaves the line out where that makes zero.
fn in_go_words(text: &str, error: &ParseError) -> String {
    // What is told beyond go-yaml's words.
    let message = error.message.split(": a tab,").next().unwrap_or_default();
    if message.starts_with("unknown anchor") || message.starts_with("control characters") {
        return format!("yaml: {}", message.replace(":' referenced", "' referenced"));
    }
    let line = error.position.line;
    if let Some(problem) = problem_of_directive(text, line) {
        return at_line(scanned(line.saturating_sub(1)), problem);
    }
    let is_of_parser = message.starts_with("did not find expected") && !message.ends_with("comment or line break");
    let needs_more = is_of_parser && (message.contains("','") || message.ends_with("node content"));
    let is_at_end = needs_more && rest_is_blank(text, error);
    let shown = match message {
        // These are found where the text ends, or where the next line begins.
        "found unexpected end of stream" => scanned(breaks(text)),
        "could not find expected ':'" => line + 1,
        _ if is_at_end => last_line(text),
        _ if is_of_parser => line.saturating_sub(1),
        _ => scanned(line.saturating_sub(1)),
    };
    // Where another item is open, the item is missed and not what follows it.
    let misses_item = is_at_end && text.trim_end().ends_with(['[', '{', ',']);
    at_line(shown, if misses_item { "did not find expected node content" } else { message })
}

/// What is wrong with the name of a directive, where the line `line`, counted from one, begins like one.
fn problem_of_directive(text: &str, line: u32) -> Option<&'static str> {
    let index = usize::try_from(line).ok()?.checked_sub(1)?;
    let directive = text.lines().nth(index)?.strip_prefix('%')?;
    let is_part = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
    match directive.trim_start_matches(is_part) {
        rest if rest.len() == directive.len() => Some("could not find expected directive name"),
        rest if rest.starts_with([' ', '\t']) || rest.is_empty() => None,
        _ => Some("found unexpected non-alphabetical character"),
    }
}

/// The line that is shown for what stands on a line counted from zero.
fn scanned(line: u32) -> u32 {
    if line == 0 { 0 } else { line + 1 }
}

/// The line on which `text` ends, counted from zero; one without a break at its end counts as if it had one.
fn last_line(text: &str) -> u32 {
    u32::try_from(text.lines().count()).unwrap_or(u32::MAX)
}

fn breaks(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}

/// Whether nothing stands below the line of an error, which is not about what closes a list or map.
fn rest_is_blank(text: &str, error: &ParseError) -> bool {
    let place = |number: u32| usize::try_from(number).unwrap_or_default();
    let (line, column) = (place(error.position.line), place(error.position.column));
    let here = text.lines().nth(line.saturating_sub(1)).and_then(|line| line.chars().nth(column.saturating_sub(1)));
    !matches!(here, Some(']' | '}')) && text.lines().skip(line).all(|line| line.trim().is_empty())
}

/// What go-yaml v2 and its caller say of a document that has no JSON form.
fn unresolved(document: &Node, error: &ResolveError) -> String {
    match error {
        ResolveError::Number { text, .. } => {
            let number = match text.trim_start_matches('+') {
                text if text.starts_with('-') => "-Inf",
                text if text.to_ascii_lowercase().contains("nan") => "NaN",
                _ => "+Inf",
            };
            format!("json: unsupported value: {number}")
        }
        ResolveError::Tag(error) => {
            format!("yaml: cannot decode !!str `{}` as a {}", error.text, error.tag)
        }
        ResolveError::Key { position, .. } => keys::problem(document, *position).unwrap_or_else(|| error.to_string()),
        ResolveError::Duplicate(_) => error.to_string(),
    }
}
