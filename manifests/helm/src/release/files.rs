//! `.Files`: what templates may read of their chart.

#![expect(clippy::unnecessary_wraps, reason = "methods have the signature of all functions")]

use base64::Engine;

use crate::chart::File;
use crate::codec::yaml;
use crate::functions::{Call, Function, Returned, Type, base_name};
use crate::value::{Entries, Map, MapType, Named, Text, Value};

/// The object of `files`.
pub(super) fn files_object(files: &[File]) -> Map {
    let entries = files.iter().map(|file| (file.path.as_str().into(), Value::Bytes(file.content.clone()))).collect();
    Map::of_type(entries, MapType::Named(&FILES))
}

static FILES: Named = Named {
    name: "engine.files",
    zero: || Value::Bytes(Text::default()),
    methods: &[
        Function::new("Get", &[Type::Text], get, "The content of a file; empty without one."),
        Function::new("GetBytes", &[Type::Text], get_bytes, "The bytes of a file; empty without one."),
        Function::new("Glob", &[Type::Text], glob, "The files whose path matches a pattern."),
        Function::new("AsConfig", &[], as_config, "The contents by file name, as YAML."),
        Function::new("AsSecrets", &[], as_secrets, "The contents by file name, in base64, as YAML."),
        Function::new("Lines", &[Type::Text], lines, "The lines of a file."),
    ],
};

fn receiver(call: &Call<'_, '_>) -> Map {
    if let Value::Map(map) = call.receiver() { map.clone() } else { Map::default() }
}

fn content(call: &Call<'_, '_>, path: &Text) -> Option<Text> {
    match receiver(call).get(path) {
        Some(Value::Bytes(content)) => Some(content),
        _ => None,
    }
}

fn get(call: &mut Call<'_, '_>) -> Returned {
    Ok(content(call, call.text(0)).unwrap_or_default().into())
}

fn get_bytes(call: &mut Call<'_, '_>) -> Returned {
    Ok(Value::Bytes(content(call, call.text(0)).unwrap_or_default()))
}

fn glob(call: &mut Call<'_, '_>) -> Returned {
    let pattern = Pattern::parse(&call.text(0).to_str());
    let matches = |path: &Text| pattern.as_ref().is_none_or(|pattern| pattern.matches(&path.to_str()));
    let entries: Entries = receiver(call).snapshot().into_iter().filter(|(path, _)| matches(path)).collect();
    Ok(Map::of_type(entries, MapType::Named(&FILES)).into())
}

fn as_config(call: &mut Call<'_, '_>) -> Returned {
    by_name(call, Clone::clone)
}

fn as_secrets(call: &mut Call<'_, '_>) -> Returned {
    by_name(call, |content| base64::engine::general_purpose::STANDARD.encode(&**content).into())
}

/// The files by their names alone, as YAML.
fn by_name(call: &Call<'_, '_>, write: impl Fn(&Text) -> Text) -> Returned {
    let mut entries = Entries::new();
    for (path, content) in receiver(call).snapshot() {
        if let Value::Bytes(content) = content {
            entries.insert(base_name(&path.to_str()).into(), write(&content).into());
        }
    }
    Ok(yaml::encode(&Map::of_type(entries, MapType::Texts).into()).unwrap_or_default().into())
}

fn lines(call: &mut Call<'_, '_>) -> Returned {
    let Some(content) = content(call, call.text(0)) else { return Ok(Value::texts(Vec::<Text>::new())) };
    if content.is_empty() {
        return Ok(Value::texts(Vec::<Text>::new()));
    }
    let content = content.strip_suffix(b"\n").unwrap_or(&content);
    Ok(Value::texts(content.split(|byte| *byte == b'\n')))
}

/// A pattern of `Glob`.
///
/// # Follows `gobwas/glob`
/// `*` and `?` stay within a part of the path, `**` does not; `[ab]`, `[!a-z]` and `{one,two}` are alternatives.
struct Pattern(regex::Regex);

impl Pattern {
    /// `None` for a pattern that is none; Helm then gives all files.
    fn parse(pattern: &str) -> Option<Self> {
        let mut regex = String::from("(?s)^");
        let (mut rest, mut open) = (pattern, 0);
        while let Some(char) = rest.chars().next() {
            rest = &rest[char.len_utf8()..];
            match char {
                '*' if rest.starts_with('*') => {
                    rest = rest.trim_start_matches('*');
                    regex.push_str(".*");
                }
                '*' => regex.push_str("[^/]*"),
                '?' => regex.push_str("[^/]"),
                '{' => {
                    open += 1;
                    regex.push_str("(?:");
                }
                '}' if open > 0 => {
                    open -= 1;
                    regex.push(')');
                }
                ',' if open > 0 => regex.push('|'),
                '[' => {
                    let end = rest.find(']')?;
                    let (class, after) = rest.split_at(end);
                    let (negated, class) = class.strip_prefix('!').map_or(("", class), |class| ("^", class));
                    let class = class.replace('\\', "\\\\").replace(['[', '&', '~'], "");
                    regex.push_str(&format!("[{negated}{class}]"));
                    rest = &after[1..];
                }
                '\\' => {
                    let char = rest.chars().next()?;
                    rest = &rest[char.len_utf8()..];
                    regex.push_str(&regex::escape(char.encode_utf8(&mut [0; 4])));
                }
                char => regex.push_str(&regex::escape(char.encode_utf8(&mut [0; 4]))),
            }
        }
        // What is open at the end is closed there.
        regex.push_str(&")".repeat(open));
        regex.push('$');
        regex::Regex::new(&regex).ok().map(Self)
    }

    fn matches(&self, path: &str) -> bool {
        self.0.is_match(path)
    }
}
