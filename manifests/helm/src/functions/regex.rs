//! Regular expressions with Go's syntax, in linear time.
//!
//! # Follows Go
//! `\d`, `\w`, `\s` and `\b` are ASCII, and some characters mean nothing that the `regex` crate gives a meaning.
//! [`translated`] writes a pattern so that the crate reads it as Go does.

use std::sync::Arc;

use regex::{NoExpand, Regex};

use super::{Call, Function, Returned, Type};
use crate::patterns;
use crate::template::CallError;
use crate::value::{List, ListType, Value};

const TWO: &[Type] = &[Type::Text, Type::Text];
const THREE: &[Type] = &[Type::Text, Type::Text, Type::Text];
const COUNT: &[Type] = &[Type::Text, Type::Text, Type::INT];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("regexMatch", TWO, is_match, "Whether a pattern is found; false if it is none (Sprig)."),
    Function::new("mustRegexMatch", TWO, must_match, "Whether a pattern is found (Sprig)."),
    Function::new("regexFind", TWO, find, "The first text that a pattern finds (Sprig)."),
    Function::new("mustRegexFind", TWO, must_find, "The first text that a pattern finds (Sprig)."),
    Function::new("regexFindAll", COUNT, find_all, "So many texts that a pattern finds (Sprig)."),
    Function::new("mustRegexFindAll", COUNT, must_find_all, "So many texts that a pattern finds (Sprig)."),
    Function::new("regexReplaceAll", THREE, replace, "What a pattern finds replaced, `${1}` being a group (Sprig)."),
    Function::new("mustRegexReplaceAll", THREE, must_replace, "What a pattern finds replaced (Sprig)."),
    Function::new("regexReplaceAllLiteral", THREE, literal, "What a pattern finds replaced by a text (Sprig)."),
    Function::new("mustRegexReplaceAllLiteral", THREE, must_literal, "What a pattern finds replaced (Sprig)."),
    Function::new("regexSplit", COUNT, split, "The parts between what a pattern finds (Sprig)."),
    Function::new("mustRegexSplit", COUNT, must_split, "The parts between what a pattern finds (Sprig)."),
    Function::new("regexQuoteMeta", &[Type::Text], quote_meta, "A pattern that finds a text (Sprig)."),
];

/// The pattern at index 0, or what Go says is wrong with it.
fn pattern(call: &Call<'_, '_>) -> Result<Arc<Regex>, String> {
    let pattern = call.text(0).to_str();
    let problem = |problem: String| format!("error parsing regexp: {problem}");
    let translated = translated(&pattern).map_err(problem)?;
    patterns::compiled(&translated).map_err(|error| problem(first_line(&error)))
}

/// The pattern, with the words in which Go's `MustCompile` panics.
fn must_compile(call: &Call<'_, '_>) -> Result<Arc<Regex>, CallError> {
    let name = call.text(0).to_str();
    let quoted = if name.contains('`') { crate::fmt::quote(name.as_bytes()) } else { format!("`{name}`") };
    pattern(call).map_err(|problem| format!("regexp: Compile({quoted}): {problem}").into())
}

fn first_line(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

fn is_match(call: &mut Call<'_, '_>) -> Returned {
    let found = pattern(call).is_ok_and(|regex| regex.is_match(&call.text(1).to_str()));
    Ok(found.into())
}

fn must_match(call: &mut Call<'_, '_>) -> Returned {
    Ok(pattern(call)?.is_match(&call.text(1).to_str()).into())
}

fn find(call: &mut Call<'_, '_>) -> Returned {
    found(&*must_compile(call)?, call)
}

fn must_find(call: &mut Call<'_, '_>) -> Returned {
    found(&*pattern(call)?, call)
}

fn found(regex: &Regex, call: &Call<'_, '_>) -> Returned {
    Ok(regex.find(&call.text(1).to_str()).map_or("", |found| found.as_str()).into())
}

fn find_all(call: &mut Call<'_, '_>) -> Returned {
    all_found(&*must_compile(call)?, call)
}

fn must_find_all(call: &mut Call<'_, '_>) -> Returned {
    all_found(&*pattern(call)?, call)
}

fn all_found(regex: &Regex, call: &Call<'_, '_>) -> Returned {
    let most = usize::try_from(call.int(2)).unwrap_or(usize::MAX);
    let text = call.text(1).to_str();
    let found: Vec<&str> = regex.find_iter(&text).take(most).map(|found| found.as_str()).collect();
    if found.is_empty() {
        return Ok(Value::List(List::nil(ListType::NilTexts)));
    }
    Ok(Value::texts(found))
}

fn replace(call: &mut Call<'_, '_>) -> Returned {
    replaced(&*must_compile(call)?, call)
}

fn must_replace(call: &mut Call<'_, '_>) -> Returned {
    replaced(&*pattern(call)?, call)
}

fn replaced(regex: &Regex, call: &mut Call<'_, '_>) -> Returned {
    let text = regex.replace_all(&call.text(1).to_str(), &*call.text(2).to_str()).into_owned();
    call.charge(text.len())?;
    Ok(text.into())
}

fn literal(call: &mut Call<'_, '_>) -> Returned {
    literally_replaced(&*must_compile(call)?, call)
}

fn must_literal(call: &mut Call<'_, '_>) -> Returned {
    literally_replaced(&*pattern(call)?, call)
}

fn literally_replaced(regex: &Regex, call: &mut Call<'_, '_>) -> Returned {
    let text = regex.replace_all(&call.text(1).to_str(), NoExpand(&call.text(2).to_str())).into_owned();
    call.charge(text.len())?;
    Ok(text.into())
}

fn split(call: &mut Call<'_, '_>) -> Returned {
    parts(&*must_compile(call)?, call)
}

fn must_split(call: &mut Call<'_, '_>) -> Returned {
    parts(&*pattern(call)?, call)
}

/// The parts of a text between what is found, at most so many. An empty find at the start or end separates nothing.
fn parts(regex: &Regex, call: &Call<'_, '_>) -> Returned {
    let most = match call.int(2) {
        0 => return Ok(Value::List(List::nil(ListType::NilTexts))),
        count => usize::try_from(count).unwrap_or(usize::MAX),
    };
    let text = call.text(1).to_str();
    if !regex.as_str().is_empty() && text.is_empty() {
        return Ok(Value::texts([""]));
    }
    let (mut parts, mut start, mut end) = (Vec::new(), 0, 0);
    for found in regex.find_iter(&text) {
        if parts.len() + 1 >= most {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            parts.push(&text[start..end]);
        }
        start = found.end();
    }
    if end != text.len() {
        parts.push(&text[start..]);
    }
    Ok(Value::texts(parts))
}

fn quote_meta(call: &mut Call<'_, '_>) -> Returned {
    let mut quoted = Vec::new();
    for byte in call.text(0).iter() {
        if br"\.+*?()|[]{}^$".contains(byte) {
            quoted.push(b'\\');
        }
        quoted.push(*byte);
    }
    Ok(quoted.into())
}

/// `pattern` in the syntax of the `regex` crate; an error in Go's words.
fn translated(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    let (mut open, mut can_repeat) = (0_usize, false);
    while let Some(char) = rest.chars().next() {
        let after = &rest[char.len_utf8()..];
        let mut repeats = true;
        rest = match char {
            '\\' => escape(after, Inside::Pattern, &mut out)?,
            '[' => class(after, &mut out).ok_or_else(|| format!("missing closing ]: `{rest}`"))??,
            '(' => {
                open += 1;
                repeats = false;
                group(rest, &mut out)?
            }
            ')' if open == 0 => return Err(format!("unexpected ): `{pattern}`")),
            ')' => {
                open -= 1;
                out.push(')');
                after
            }
            '*' | '+' | '?' if !can_repeat => return Err(format!("missing argument to repetition operator: `{char}`")),
            '{' if !is_repetition(rest) => {
                out.push_str("\\{");
                after
            }
            '{' if !can_repeat => {
                let end = rest.find('}').map_or(rest.len(), |end| end + 1);
                return Err(format!("missing argument to repetition operator: `{}`", &rest[..end]));
            }
            '|' => {
                repeats = false;
                out.push('|');
                after
            }
            char => {
                out.push(char);
                after
            }
        };
        can_repeat = repeats;
    }
    if open > 0 { Err(format!("missing closing ): `{pattern}`")) } else { Ok(out) }
}

/// Reads `(` with the flags or the name behind it, and returns what follows.
fn group<'p>(rest: &'p str, out: &mut String) -> Result<&'p str, String> {
    let Some(special) = rest.strip_prefix("(?") else {
        out.push('(');
        return Ok(&rest[1..]);
    };
    let is_name = special.starts_with("P<")
        || special.starts_with('<') && !special.starts_with("<=") && !special.starts_with("<!");
    let flags = special.find(|char: char| !matches!(char, 'i' | 'm' | 's' | 'U' | '-')).unwrap_or(special.len());
    let ends_flags = special[flags..].starts_with([':', ')']) && !special.starts_with(')');
    if !is_name && !ends_flags {
        let shown: String = rest.chars().take(3 + flags).collect();
        return Err(format!("invalid or unsupported Perl syntax: `{shown}`"));
    }
    out.push_str("(?");
    out.push_str(&special[..flags]);
    Ok(&special[flags..])
}

/// Whether a `{` begins a repetition such as `{2,3}`.
fn is_repetition(rest: &str) -> bool {
    let Some(end) = rest.find('}') else { return false };
    let (least, most) = rest[1..end].split_once(',').unwrap_or((&rest[1..end], ""));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number(least) && (most.is_empty() || is_number(most))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Pattern,
    Class,
}

/// Reads what follows a `\`, and returns what follows that.
fn escape<'p>(rest: &'p str, inside: Inside, out: &mut String) -> Result<&'p str, String> {
    let Some(char) = rest.chars().next() else { return Err("trailing backslash at end of expression: ``".to_owned()) };
    let after = &rest[char.len_utf8()..];
    match (char, inside) {
        ('d', Inside::Pattern) => out.push_str("[0-9]"),
        ('d', Inside::Class) => out.push_str("0-9"),
        ('D', _) => out.push_str("[^0-9]"),
        ('w', Inside::Pattern) => out.push_str("[0-9A-Za-z_]"),
        ('w', Inside::Class) => out.push_str("0-9A-Za-z_"),
        ('W', _) => out.push_str("[^0-9A-Za-z_]"),
        ('s', Inside::Pattern) => out.push_str("[\\t\\n\\f\\r ]"),
        ('s', Inside::Class) => out.push_str("\\t\\n\\f\\r "),
        ('S', _) => out.push_str("[^\\t\\n\\f\\r ]"),
        ('b', Inside::Pattern) => out.push_str("(?-u:\\b)"),
        ('Q', Inside::Pattern) => {
            let (quoted, after) = after.split_once("\\E").unwrap_or((after, ""));
            out.push_str(&regex::escape(quoted));
            return Ok(after);
        }
        ('A' | 'B' | 'z', Inside::Pattern) | ('a' | 'f' | 'n' | 'r' | 't' | 'v' | 'x' | 'p' | 'P', _) => {
            out.push('\\');
            out.push(char);
        }
        ('0', _) => {
            let digits = rest.bytes().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
            let code = u32::from_str_radix(&rest[..digits], 8).unwrap_or_default();
            out.push_str(&format!("\\x{{{code:X}}}"));
            return Ok(&rest[digits..]);
        }
        (char, _) if char.is_ascii() && !char.is_ascii_alphanumeric() => {
            if !matches!(char, '<' | '>') {
                out.push('\\');
            }
            out.push(char);
        }
        _ => return Err(format!("invalid escape sequence: `\\{char}`")),
    }
    Ok(after)
}

/// Reads a class behind its `[`, and returns what follows; `None` if it does not end.
fn class<'p>(rest: &'p str, out: &mut String) -> Option<Result<&'p str, String>> {
    out.push('[');
    let mut rest = rest;
    if let Some(after) = rest.strip_prefix('^') {
        out.push('^');
        rest = after;
    }
    let mut first = true;
    loop {
        let char = rest.chars().next()?;
        let after = &rest[char.len_utf8()..];
        rest = match char {
            ']' if !first => {
                out.push(']');
                return Some(Ok(after));
            }
            '\\' => match escape(after, Inside::Class, out) {
                Ok(after) => after,
                Err(problem) => return Some(Err(problem)),
            },
            '[' if after.starts_with(':') && after.contains(":]") => {
                let end = after.find(":]").map_or(0, |end| end + 2);
                out.push('[');
                out.push_str(&after[..end]);
                &after[end..]
            }
            '[' | ']' | '&' | '~' | '^' => {
                out.push('\\');
                out.push(char);
                after
            }
            char => {
                out.push(char);
                after
            }
        };
        first = false;
    }
}
