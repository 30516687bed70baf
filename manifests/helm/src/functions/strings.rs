//! Texts. Lengths and positions count bytes, as in Go.

use super::{Call, Function, Returned, Type};
use crate::fmt;
use crate::template::CallError;
use crate::unicode;
use crate::value::{Entries, ListType, Map, MapType, Text, Value};

const TEXT: &[Type] = &[Type::Text];
const TWO: &[Type] = &[Type::Text, Type::Text];
const THREE: &[Type] = &[Type::Text, Type::Text, Type::Text];
const NUMBER: &[Type] = &[Type::INT, Type::Text];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("trim", TEXT, trim, "A text without space around it (Sprig)."),
    Function::new("upper", TEXT, upper, "A text in upper case (Sprig)."),
    Function::new("lower", TEXT, lower, "A text in lower case (Sprig)."),
    Function::new("trimAll", TWO, trim_all, "A text without some characters around it (Sprig)."),
    Function::new("trimall", TWO, trim_all, "A text without some characters around it (Sprig)."),
    Function::new("trimSuffix", TWO, trim_suffix, "A text without an end (Sprig)."),
    Function::new("trimPrefix", TWO, trim_prefix, "A text without a start (Sprig)."),
    Function::new("nospace", TEXT, nospace, "A text without any space (Sprig)."),
    Function::new("repeat", NUMBER, repeat, "A text so many times (Sprig)."),
    Function::new("substr", &[Type::INT, Type::INT, Type::Text], substr, "The part between two positions (Sprig)."),
    Function::new("trunc", NUMBER, trunc, "The first bytes of a text, or the last for a negative number (Sprig)."),
    Function::new("abbrev", NUMBER, abbrev, "A text cut to a length, with `...` at its end (Sprig)."),
    Function::new(
        "abbrevboth",
        &[Type::INT, Type::INT, Type::Text],
        abbrev_both,
        "A text cut at both ends, with `...` there (Sprig).",
    ),
    Function::new("contains", TWO, contains, "Whether the first text is in the second (Sprig)."),
    Function::new("hasPrefix", TWO, has_prefix, "Whether the first text starts the second (Sprig)."),
    Function::new("hasSuffix", TWO, has_suffix, "Whether the first text ends the second (Sprig)."),
    Function::new("replace", THREE, replace, "A text with every occurrence of one replaced by another (Sprig)."),
    Function::new("quote", &[], quote, "Values in double quotes, escaped as Go does (Sprig).").rest(Type::Any),
    Function::new("squote", &[], squote, "Values in single quotes, not escaped (Sprig).").rest(Type::Any),
    Function::new("cat", &[], cat, "Values with blanks between them (Sprig).").rest(Type::Any),
    Function::new("indent", NUMBER, indent, "A text with every line indented (Sprig)."),
    Function::new("nindent", NUMBER, nindent, "A line break, then a text with every line indented (Sprig)."),
    Function::new("wrap", NUMBER, wrap, "A text in lines of a length, words kept whole (Sprig)."),
    Function::new(
        "wrapWith",
        &[Type::INT, Type::Text, Type::Text],
        wrap_with,
        "A text in lines of a length with a separator, long words broken (Sprig).",
    ),
    Function::new("plural", &[Type::Text, Type::Text, Type::INT], plural, "One word or the other by a count (Sprig)."),
    Function::new("toString", &[Type::Any], to_string, "A value as text (Sprig)."),
    Function::new("toStrings", &[Type::Any], to_strings, "The items of a list as texts (Sprig)."),
    Function::new("join", &[Type::Text, Type::Any], join, "The items of a list as one text (Sprig)."),
    Function::new("split", TWO, split, "The parts of a text, as a map with the keys `_0`, `_1`, … (Sprig)."),
    Function::new("splitList", TWO, split_list, "The parts of a text, as a list (Sprig)."),
    Function::new(
        "splitn",
        &[Type::Text, Type::INT, Type::Text],
        split_n,
        "At most so many parts of a text, as a map with the keys `_0`, `_1`, … (Sprig).",
    ),
];

/// A value as Sprig turns it into text: a string and bytes as they are, the rest as `%v` prints it.
pub(super) fn to_text(value: &Value) -> Text {
    match value {
        Value::Text(text) | Value::Bytes(text) => text.clone(),
        Value::Object(object) => object.verb_text().into(),
        Value::Missing
        | Value::Nil
        | Value::Bool(_)
        | Value::Int(..)
        | Value::Uint(..)
        | Value::Float(_)
        | Value::List(_)
        | Value::Map(_) => {
            let mut text = Vec::new();
            fmt::write_value(&mut text, value);
            text.into()
        }
    }
}

/// The items of a list as texts, without those that are nothing; anything else is a list of itself.
pub(super) fn to_texts(value: &Value) -> Vec<Text> {
    match super::logic::elements(value) {
        Some(items) => items.iter().filter(|item| !item.is_nil()).map(to_text).collect(),
        None if value.is_nil() => Vec::new(),
        None => vec![to_text(value)],
    }
}

fn trim(call: &mut Call<'_, '_>) -> Returned {
    let text = call.text(0);
    Ok(trim_where(text, |char, _| unicode::is_space(char)).into())
}

/// `text` without the characters around it for which `is_cut` holds.
fn trim_where(text: &[u8], is_cut: impl Fn(char, &[u8]) -> bool) -> &[u8] {
    let mut start = None;
    let (mut end, mut position) = (0, 0);
    for (char, bytes) in unicode::chars(text) {
        if !is_cut(char, bytes) {
            start.get_or_insert(position);
            end = position + bytes.len();
        }
        position += bytes.len();
    }
    start.map_or(&[], |start| &text[start..end])
}

impl From<&[u8]> for Value {
    fn from(text: &[u8]) -> Self {
        Self::Text(text.into())
    }
}

fn upper(call: &mut Call<'_, '_>) -> Returned {
    Ok(map_chars(call.text(0), super::cases::to_upper).into())
}

fn lower(call: &mut Call<'_, '_>) -> Returned {
    Ok(map_chars(call.text(0), super::cases::to_lower).into())
}

/// `text` with each character replaced by one; what is no UTF-8 becomes U+FFFD, as in Go's `strings.Map`.
pub(super) fn map_chars(text: &[u8], mut replace: impl FnMut(char) -> char) -> Vec<u8> {
    let mut mapped = Vec::with_capacity(text.len());
    for (char, _) in unicode::chars(text) {
        mapped.extend_from_slice(replace(char).encode_utf8(&mut [0; 4]).as_bytes());
    }
    mapped
}

fn trim_all(call: &mut Call<'_, '_>) -> Returned {
    let cut: Vec<char> = unicode::chars(call.text(0)).map(|(char, _)| char).collect();
    Ok(trim_where(call.text(1), |char, _| cut.contains(&char)).into())
}

fn trim_suffix(call: &mut Call<'_, '_>) -> Returned {
    let text = call.text(1);
    Ok(text.strip_suffix(&**call.text(0)).map_or_else(|| text.clone(), Text::from).into())
}

fn trim_prefix(call: &mut Call<'_, '_>) -> Returned {
    let text = call.text(1);
    Ok(text.strip_prefix(&**call.text(0)).map_or_else(|| text.clone(), Text::from).into())
}

fn nospace(call: &mut Call<'_, '_>) -> Returned {
    let kept = unicode::chars(call.text(0)).filter(|(char, _)| !unicode::is_space(*char));
    Ok(kept
        .fold(Vec::new(), |mut text, (char, _)| {
            text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            text
        })
        .into())
}

fn repeat(call: &mut Call<'_, '_>) -> Returned {
    let count = usize::try_from(call.int(0)).map_err(|_| CallError::from("strings: negative Repeat count"))?;
    let text = call.text(1);
    call.charge(text.len().saturating_mul(count))?;
    Ok(text.repeat(count).into())
}

fn substr(call: &mut Call<'_, '_>) -> Returned {
    let (start, end, text) = (call.int(0), call.int(1), call.text(2));
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    if start < 0 {
        return part(text, 0, end, || format!("slice bounds out of range [:{end}] with length {length}"));
    }
    if end < 0 || end > length {
        return part(text, start, length, || format!("slice bounds out of range [{start}:{length}]"));
    }
    part(text, start, end, || format!("slice bounds out of range [{start}:{end}]"))
}

/// The bytes from `start` to `end`, or Go's run-time error.
fn part(text: &Text, start: i64, end: i64, problem: impl FnOnce() -> String) -> Returned {
    let bounds = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let part = bounds.and_then(|(start, end)| text.get(start..end));
    let negative = |end: i64| format!("slice bounds out of range [:{end}]");
    let message = || if end < 0 { negative(end) } else { problem() };
    Ok(part.ok_or_else(|| format!("runtime error: {}", message()))?.into())
}

fn trunc(call: &mut Call<'_, '_>) -> Returned {
    let (count, text) = (call.int(0), call.text(1));
    let bytes = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if bytes >= text.len() {
        return Ok(text.clone().into());
    }
    Ok(if count < 0 { &text[text.len() - bytes..] } else { &text[..bytes] }.into())
}

fn abbrev(call: &mut Call<'_, '_>) -> Returned {
    let (width, text) = (call.int(0), call.text(1));
    Ok(if width < 4 { text.clone() } else { abbreviated(text, 0, width) }.into())
}

fn abbrev_both(call: &mut Call<'_, '_>) -> Returned {
    let (left, right, text) = (call.int(0), call.int(1), call.text(2));
    let is_too_narrow = right < 4 || left > 0 && right < 7;
    Ok(if is_too_narrow { text.clone() } else { abbreviated(text, left, right) }.into())
}

/// `text` cut to `width` bytes around `offset`, with `...` where something is missing.
fn abbreviated(text: &Text, offset: i64, width: i64) -> Text {
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    if length <= width {
        return text.clone();
    }
    let mut offset = offset.min(length);
    let shown = width - 3;
    if length - offset < shown {
        offset = length - shown;
    }
    let cut = |start: i64, end: i64| {
        let at = |position: i64| usize::try_from(position).unwrap_or_default().min(text.len());
        &text[at(start)..at(end)]
    };
    if offset <= 4 {
        return [cut(0, shown), b"..."].concat().into();
    }
    if width < 7 {
        return Text::default();
    }
    if offset + shown < length {
        let rest = abbreviated(&cut(offset, length).into(), 0, shown);
        return [b"...", &*rest].concat().into();
    }
    [b"...", cut(length - shown, length)].concat().into()
}

fn contains(call: &mut Call<'_, '_>) -> Returned {
    Ok(find(call.text(1), call.text(0)).is_some().into())
}

/// Where `pattern` is found first.
fn find(text: &[u8], pattern: &[u8]) -> Option<usize> {
    if pattern.is_empty() {
        return Some(0);
    }
    text.windows(pattern.len()).position(|window| window == pattern)
}

fn has_prefix(call: &mut Call<'_, '_>) -> Returned {
    Ok(call.text(1).starts_with(call.text(0)).into())
}

fn has_suffix(call: &mut Call<'_, '_>) -> Returned {
    Ok(call.text(1).ends_with(call.text(0)).into())
}

fn replace(call: &mut Call<'_, '_>) -> Returned {
    let (old, new, text) = (call.text(0), call.text(1), call.text(2));
    let parts = split_text(text, old);
    call.charge(text.len() + parts.len() * new.len())?;
    if old.is_empty() {
        // Go replaces the nothing before, between and after the characters.
        let spread = parts.iter().flat_map(|part| [&**new, *part]).chain([&**new]);
        return Ok(spread.collect::<Vec<_>>().concat().into());
    }
    Ok(parts.join(&**new).into())
}

fn quote(call: &mut Call<'_, '_>) -> Returned {
    let quoted = |value: &Value| fmt::quote(&to_text(value));
    let parts: Vec<String> = call.all().iter().filter(|value| !value.is_nil()).map(quoted).collect();
    Ok(parts.join(" ").into())
}

fn squote(call: &mut Call<'_, '_>) -> Returned {
    let mut text = Vec::new();
    for value in call.all().iter().filter(|value| !value.is_nil()) {
        if !text.is_empty() {
            text.push(b' ');
        }
        text.push(b'\'');
        fmt::write_value(&mut text, value);
        text.push(b'\'');
    }
    Ok(text.into())
}

fn cat(call: &mut Call<'_, '_>) -> Returned {
    let shown = |value: &Value| {
        let mut text = Vec::new();
        fmt::write_value(&mut text, value);
        text
    };
    let parts: Vec<Vec<u8>> = call.all().iter().filter(|value| !value.is_nil()).map(shown).collect();
    Ok(parts.join(&b' ').into())
}

fn indent(call: &mut Call<'_, '_>) -> Returned {
    Ok(indented(call, Vec::new())?.into())
}

fn nindent(call: &mut Call<'_, '_>) -> Returned {
    Ok(indented(call, vec![b'\n'])?.into())
}

fn indented(call: &mut Call<'_, '_>, mut out: Vec<u8>) -> Result<Vec<u8>, CallError> {
    let count = usize::try_from(call.int(0)).map_err(|_| CallError::from("strings: negative Repeat count"))?;
    let text = call.text(1);
    let lines = unicode::line_breaks(text) + 1;
    let length = text.len() + lines.saturating_mul(count);
    call.charge(length)?;
    out.reserve(length);
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if index > 0 {
            out.push(b'\n');
        }
        out.resize(out.len() + count, b' ');
        out.extend_from_slice(line);
    }
    Ok(out)
}

fn wrap(call: &mut Call<'_, '_>) -> Returned {
    Ok(wrapped(call.text(1), call.int(0), b"\n", LongWords::Kept).into())
}

fn wrap_with(call: &mut Call<'_, '_>) -> Returned {
    let separator: &[u8] = if call.text(1).is_empty() { b"\n" } else { call.text(1) };
    Ok(wrapped(call.text(2), call.int(0), separator, LongWords::Broken).into())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LongWords {
    Kept,
    Broken,
}

fn wrapped(text: &[u8], length: i64, separator: &[u8], long_words: LongWords) -> Vec<u8> {
    let length = usize::try_from(length).unwrap_or_default().max(1);
    let (mut out, mut rest) = (Vec::new(), text);
    while rest.len() > length {
        if rest[0] == b' ' {
            rest = &rest[1..];
            continue;
        }
        let space = rest[..=length].iter().rposition(|byte| *byte == b' ');
        let end = match (space, long_words) {
            (Some(space), _) => space,
            (None, LongWords::Broken) => length,
            (None, LongWords::Kept) => match rest[length..].iter().position(|byte| *byte == b' ') {
                Some(space) => space + length,
                None => break,
            },
        };
        out.extend_from_slice(&rest[..end]);
        out.extend_from_slice(separator);
        let breaks_word = space.is_none() && long_words == LongWords::Broken;
        rest = &rest[if breaks_word { end } else { end + 1 }..];
    }
    out.extend_from_slice(rest);
    out
}

fn plural(call: &mut Call<'_, '_>) -> Returned {
    Ok(call.any(usize::from(call.int(2) != 1)).clone())
}

fn to_string(call: &mut Call<'_, '_>) -> Returned {
    Ok(to_text(call.any(0)).into())
}

fn to_strings(call: &mut Call<'_, '_>) -> Returned {
    if let Value::List(list) = call.any(0)
        && list.list_type() == ListType::NilTexts
    {
        return Ok(call.any(0).clone());
    }
    Ok(Value::texts(to_texts(call.any(0))))
}

fn join(call: &mut Call<'_, '_>) -> Returned {
    let texts = to_texts(call.any(1));
    let joined = texts.join(&**call.text(0));
    call.charge(joined.len())?;
    Ok(joined.into())
}

/// The parts of `text` between the occurrences of `separator`; its characters if that is empty.
fn split_text<'t>(text: &'t [u8], separator: &[u8]) -> Vec<&'t [u8]> {
    split_at_most(text, separator, usize::MAX)
}

fn split_at_most<'t>(text: &'t [u8], separator: &[u8], most: usize) -> Vec<&'t [u8]> {
    let (mut parts, mut rest) = (Vec::new(), text);
    if separator.is_empty() {
        while let Some((_, length)) = unicode::decode(rest).filter(|_| parts.len() + 1 < most) {
            let (char, after) = rest.split_at(length);
            parts.push(char);
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(rest);
        }
        return parts;
    }
    while parts.len() + 1 < most {
        let Some(at) = find(rest, separator) else { break };
        parts.push(&rest[..at]);
        rest = &rest[at + separator.len()..];
    }
    parts.push(rest);
    parts
}

fn numbered(parts: Vec<&[u8]>) -> Value {
    let entries: Entries = parts
        .into_iter()
        .enumerate()
        .map(|(index, part)| (Text::from(format!("_{index}")), Value::from(part)))
        .collect();
    Map::of_type(entries, MapType::Texts).into()
}

fn split(call: &mut Call<'_, '_>) -> Returned {
    Ok(numbered(split_text(call.text(1), call.text(0))))
}

fn split_list(call: &mut Call<'_, '_>) -> Returned {
    Ok(Value::texts(split_text(call.text(1), call.text(0))))
}

fn split_n(call: &mut Call<'_, '_>) -> Returned {
    let most = match call.int(1) {
        0 => return Ok(numbered(Vec::new())),
        count => usize::try_from(count).unwrap_or(usize::MAX),
    };
    Ok(numbered(split_at_most(call.text(2), call.text(0), most)))
}
