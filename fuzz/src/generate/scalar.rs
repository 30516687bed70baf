//! Scalars that tools read in different ways, and names that meet each other.

use super::yaml::Yaml;
use crate::Choices;

/// Names of objects: few, so that they refer to each other and collide.
pub(super) const NAMES: &[&str] = &["web", "db", "app", "cache", "web", "db", "app", "\"1e3\""];

/// Namespaces, none included.
pub(super) const NAMESPACES: &[&str] = &["", "", "", "a", "b", "default"];

/// Images in every form, odd ones included.
pub(super) const IMAGES: &[&str] = &[
    "nginx",
    "nginx:1.2",
    "reg.io:5000/x/nginx:1",
    "nginx@sha256:abc",
    "app:1@sha256:d00d",
    "reg.io/app",
    "redis:$(TAG)",
    "a/b/c:1.0-x",
    "\"nginx:1.0\"",
    "",
];

/// Scalars that are written the same in a block and inside brackets.
const SCALARS: &[&str] = &[
    "a",
    "1",
    "\"1\"",
    "true",
    "\"true\"",
    "True",
    "yes",
    "no",
    "on",
    "y",
    "n",
    "null",
    "~",
    "Null",
    "",
    "0",
    "-0",
    "0644",
    "0o17",
    "0x1F",
    "0b11",
    "1_000",
    "-5",
    "+5",
    ".5",
    "5.",
    "1e3",
    "1.0",
    "1.10",
    "3.14159",
    "1e21",
    "1.5e-7",
    "-1.5E+10",
    "10000000000000000000",
    "99999999999999999999999",
    "9007199254740993",
    "123456.7",
    "1234567.8",
    "0.00001",
    "08",
    "09.5",
    "2020-01-01",
    "2020-01-01T10:20:30Z",
    "2001-12-14 21:59:43.10 -5",
    "12:30",
    "12:30:45",
    "190:20:30",
    ".nan",
    ".inf",
    "NaN",
    "x_y",
    "a:b",
    "a#b",
    "a b",
    "'it''s'",
    "\"a b\"",
    "'# no'",
    "\"tab\\there\"",
    "é",
    "\"\\U0001F600\"",
    "\"\\x07\"",
    "😀",
    "!!str 123",
    "!!str",
    "!!int \"7\"",
    "!!float 1",
    "!!binary aGVsbG8=",
    "!local x",
    "'{}'",
    "'[a]'",
    "\"- x\"",
    "\"a: b\"",
    "\"line1\\nline2\"",
    "\"line\\n\"",
    "\"line\\n\\n\"",
    "\"\\nlead\"",
    "\"  lead\"",
    "\"trail \"",
    "\" \\n x\"",
    "\"a\\tb\\nc\"",
    "\"trail \\nnext\"",
    "=",
    "\"null\"",
    "'~'",
    "'*'",
    "\"%\"",
    "'@at'",
    "'`b'",
    "'-'",
    "'?'",
    "_",
    "\"\"",
    "''",
    "\"a \\\"quoted\\\" word\"",
    "'a \"quoted\" word'",
    "\"it's\"",
    "\"\\\\\"",
    "'\\n'",
    "\"\\u00a0\"",
    "--",
    "a-",
    "<<x",
    "\"<\"",
    "\"&\"",
    "\"a,b\"",
    "\"---\"",
    "\"...\"",
    "\"--- a\"",
    "\"$\"",
    "$(V1)",
    "$$(V1)",
    "$(V1)-$(V2)",
    "word word word word word word word word word word word word word word word word word word word",
    "\"word: word word word word word word word word word word word word word word word word word: word\"",
    "\"  word word word word word word word word word word word word word word word word  word word word\\n\"",
    "'word, word word word word word word word word word word word word word word word, word word word'",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b",
    "\"éééééééééééééééééééééééééééééé éééééééééééééééééééééééééééééééé éééééééééééééééééé éééééééééé ééé\"",
];

/// Block scalars.
const BLOCKS: &[(&str, &[&str])] = &[
    ("|", &["one", "two"]),
    ("|-", &["one", "  two", "", "three"]),
    ("|+", &["one", "", ""]),
    (">", &["folded", "text", "", "and more"]),
    (">-", &["folded", "  indented", "text"]),
    (">+", &["a", ""]),
    ("|2", &["  lead", "x"]),
    ("|", &["key: value", "list:", "- a", "- b: c"]),
    ("|", &["{\"a\": {\"b\": 1, \"c\": [1, 2]}}"]),
    ("|", &["trailing ", "x"]),
    ("|", &["a\tb"]),
    ("|", &["---", "not a document"]),
    (">", &["word word word word word word word word word word word word word word word word word word word word"]),
    ("|", &["# no comment"]),
    ("|-", &[""]),
];

/// Keys of labels and data.
pub(super) const KEYS: &[&str] =
    &["k", "k1", "k10", "k2", "Z", "a.b", "a-b", "a_b", "\"1\"", "y", "\"yes\"", "'n'", "é", "on", "x/y", "\"a b\""];

/// Texts that are strings in every reading.
pub(super) const STRINGS: &[&str] =
    &["a", "b", "\"1\"", "'true'", "x-y", "web", "\"yes\"", "v1.2", "\"\"", "'2020-01-01'"];

/// Some scalar.
pub(super) fn scalar(choices: &mut Choices) -> Yaml {
    if choices.chance(12) {
        let (header, lines) = choices.pick(BLOCKS);
        return Yaml::Lines(header, lines.to_vec());
    }
    choices.pick(SCALARS).into()
}

/// A map from some of `keys` to values that `value` makes.
pub(super) fn some_entries(
    choices: &mut Choices,
    keys: &[&str],
    most: usize,
    mut value: impl FnMut(&mut Choices) -> Yaml,
) -> Yaml {
    let keys = choices.some(keys, 1, most);
    Yaml::Map(keys.into_iter().map(|key| (key.to_owned(), value(choices))).collect())
}

/// Some string.
pub(super) fn string(choices: &mut Choices) -> Yaml {
    choices.pick(STRINGS).into()
}

/// Some name of an object.
pub(super) fn name(choices: &mut Choices) -> Yaml {
    choices.pick(NAMES).into()
}
