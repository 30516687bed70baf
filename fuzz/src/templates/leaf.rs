//! Constants, values, and the texts between actions.

use std::fmt::Write as _;

use super::functions::Kind;
use crate::Choices;

const TEXTS: &[&str] = &[
    "",
    "a",
    "Hello World",
    "a,b,c",
    " x ",
    "fooBar_baz-Qux9",
    "HTTPServer20Foo",
    "ünï😀",
    "line\nbreak\n",
    "a\tb",
    "true",
    "1.50",
    "0x1F",
    "<a href='x'>&\\\"",
    "$1 ${a} %d",
    "a: 1\nb: [x, null]",
    "{\"a\": {\"b\": 1.0}}",
    "key = 1\n[t]\nx = true",
    "\u{a0}é",
    "a b  c",
    "---",
    "- 1\n- a",
    "abcdefghijklmnopqrstuvwxyz",
    "~",
    "null",
    "012",
    "a\r\nb",
    "{{ 1 }}",
    "2024-02-29",
    "ß İ ǆ",
];

const PATTERNS: &[&str] = &[
    "a",
    "a*",
    "(o+)|(x)",
    "[a-z]+",
    "^.",
    "b?$",
    "(?P<n>\\\\w+)\\\\s",
    "\\\\d{1,2}",
    "[[:alpha:]-]+",
    "(?i)HELLO",
    "é|ü",
    "x{,2}",
    "\\\\bW",
    ".*?o",
];

const VERSIONS: &[&str] =
    &["1.2.3", "v1.20.0", "1.2", "2.0.0-alpha.1+build", "1.28.3-gke.1", "0.0.1", "1", "01.2.3", "3.0.0-rc1", "x"];

const RANGES: &[&str] = &[
    ">=1.19-0",
    "^1.2",
    "~1.2.0",
    "1.x",
    "*",
    ">1.0, <2.0.0 || 3.0.0",
    "!=1.2.3",
    "1.2 - 1.4.5",
    "<=2",
    "=1.2.3",
    "~>1",
    "^0.0.1",
    ">= 1.28.0-0 <2",
    "",
    "bad range",
];

const LAYOUTS: &[&str] = &[
    "2006-01-02",
    "2006-01-02T15:04:05Z07:00",
    "Mon, 02 Jan 2006 15:04:05 MST",
    "Jan _2 3:04PM",
    "15.04.05.000",
    "06/1/2",
    "January 2 -0700",
    "002 .999999",
    "20060102150405",
];

const SPANS: &[&str] = &["1h", "-90m", "1h30m10s", "1.5s", "95", "0", "100ms", "36h", "1us", "x", "-0.5h", "8760h"];

const FORMATS: &[&str] = &[
    "%v",
    "%d",
    "%s",
    "%q",
    "%5.2f|",
    "%-8s|",
    "%08d",
    "%+v",
    "%T",
    "%t",
    "%x",
    "%X",
    "% x",
    "%#v",
    "%c",
    "%U",
    "%e",
    "%g",
    "%08.3f",
    "%6v|",
    "%.2s",
    "%+d",
    "%o",
    "%b",
    "%#x",
    "%G",
    "%%",
    "%!",
    "%",
    "%z",
    "%[2]v %[1]v",
    "%*d",
    "%.*f",
    "%v %v %v",
    "%-+5d|",
    "%x %q",
    "%.1q",
    "%p",
    "%O",
    "%6.3v|",
];

const PATHS: &[&str] = &["/a/b/../c.txt", "a//b", "", ".", "/", "../x.tar.gz", "./a.b/", "a/b.c"];

const FILE_PATHS: &[&str] = &["files/a.txt", "files/b.yaml", "files/sub/c.txt", "d.bin", "values.yaml", "files", ""];

const GLOBS: &[&str] = &[
    "files/*",
    "**",
    "*",
    "**.txt",
    "files/**/*.txt",
    "files/?.{txt,yaml}",
    "files/[a-b].*",
    "d.bin",
    "[",
    "{a,",
    "x",
];

const URLS: &[&str] = &[
    "http://u:p@h:80/a?q=1#f",
    "https://example.com",
    "/only/path",
    "a:b",
    "mailto:x@y.z",
    "http://[::1]:8080/p%20q",
    "//host/x?y",
    "http://a b",
    "",
];

const DATES: &[&str] = &["2020-01-02", "1999-12-31", "2024-02-29", "2020-1-2", ""];

const INTS: &[&str] = &["0", "1", "2", "3", "-1", "7", "10", "-5", "100", "'a'", "0x10", "1_000", "64"];

/// Numbers that repeat, pad and count; small ones.
const COUNTS: &[&str] = &["0", "1", "2", "3", "5", "-1", "8"];

const FLOATS: &[&str] =
    &["0.0", "1.5", "-2.25", "1e3", "1e21", "0.1", "123456.789", "1e-7", "2.5", "3.0", "1e6", "0.5"];

const YAMLS: &[&str] = &[
    "a: 1\nb: [1, 2.5, x, null, yes]\n",
    "[1, {a: b}]",
    "a: &x {b: 1}\nc: *x\n",
    "",
    "text",
    "a: |\n  x\n  y\n",
    "a: 0x10\nb: 1e3\nc: 012\n",
    "a: b: c",
    "- 1\n-  - 2\n",
    "{a: 1, a: 2}",
    "'1': x\n2: y\ntrue: z\n",
    "a: !!str 1\n",
    "a: 2001-12-14\n",
    "? a\n: b\n",
    "a: >\n  x\n  y\n\n  z\n",
    "\ta: 1",
    "a: 1\n---\nb: 2\n",
    "# only\n",
    "a: 'it''s'\nb: \"\\x41\"\n",
    "<<: {a: 1}\nb: 2\n",
];

const JSONS: &[&str] = &[
    "{\"a\":1,\"b\":[true,null]}",
    "[1,\"a\",{}]",
    "1",
    "\"x\"",
    "{",
    "{\"a\":1e400}",
    "{\"\\u0041\":\"\\u00e9\"}",
    "[1,]",
    " {} ",
];

const TOMLS: &[&str] = &[
    "a = 1\n",
    "[t]\nx = [1, 2]\n[[l]]\ny = 'z'\n",
    "d = 2020-01-02T03:04:05Z\n",
    "a = 2\n",
    "a.b.c = 1.5\n",
    "s = \"\"\"\nx\"\"\"\n",
    "h = 0xff\ni = inf\n",
];

const VALUES: &[(&str, Kind)] = &[
    (".Values.text", Kind::Text),
    (".Values.text2", Kind::Text),
    (".Values.map.t", Kind::Text),
    (".Release.Name", Kind::Text),
    (".Chart.Version", Kind::Version),
    (".Values.number", Kind::Float),
    (".Values.number2", Kind::Float),
    (".Values.yes", Kind::Bool),
    (".Values.list", Kind::List),
    (".Values.texts", Kind::List),
    (".Values.numbers", Kind::List),
    (".Values.maps", Kind::List),
    (".Values.map", Kind::Map),
    (".Values.deep", Kind::Map),
    (".Values.deep.a", Kind::Map),
    (".Values.nothing", Kind::Any),
    (".Values.missing", Kind::Any),
    (".Values.deep.a.b", Kind::Any),
    ("(.Values.missing).x", Kind::Any),
    (".", Kind::Any),
];

/// A constant or value of `kind`.
pub(super) fn leaf(kind: Kind, choices: &mut Choices) -> String {
    let values: Vec<&str> = VALUES.iter().filter(|(_, held)| *held == kind).map(|(path, _)| *path).collect();
    if !values.is_empty() && choices.chance(55) {
        let path = choices.pick(&values);
        // Inside of `with` and `range`, dot is something else.
        return if path.starts_with(".V") {
            format!("${path}")
        } else {
            path.replace("(.V", "($.V").replace(".R", "$.R").replace(".C", "$.C")
        };
    }
    match kind {
        Kind::Text => quoted(choices.pick(TEXTS)),
        Kind::Int => choices.pick(INTS).to_owned(),
        Kind::Count => choices.pick(COUNTS).to_owned(),
        Kind::Float => choices.pick(FLOATS).to_owned(),
        Kind::Bool => choices.pick(&["true", "false"]).to_owned(),
        Kind::List => choices
            .pick(&[
                "list",
                "(list 1 2 3)",
                "(list \"b\" \"a\" \"b\")",
                "(list nil 1.5 true \"x\")",
                "(list (list 1) (dict \"a\" 1))",
            ])
            .to_owned(),
        Kind::Map => choices
            .pick(&[
                "dict",
                "(dict \"a\" 1 \"b\" \"x\")",
                "(dict \"a\" (dict \"b\" nil) \"c\" (list 1))",
                "(dict \"\" 1.0)",
            ])
            .to_owned(),
        Kind::Any => choices.pick(&["nil", "0", "\"\"", "false", "(list)", "1", "\"a\"", "1.0"]).to_owned(),
        Kind::Pattern => literal(choices.pick(PATTERNS)),
        Kind::Version => literal(choices.pick(VERSIONS)),
        Kind::VersionRange => literal(choices.pick(RANGES)),
        Kind::Layout => literal(choices.pick(LAYOUTS)),
        Kind::Span => literal(choices.pick(SPANS)),
        Kind::Format => literal(choices.pick(FORMATS)),
        Kind::Path => literal(choices.pick(PATHS)),
        Kind::FilePath => literal(choices.pick(FILE_PATHS)),
        Kind::Glob => literal(choices.pick(GLOBS)),
        Kind::Url => literal(choices.pick(URLS)),
        Kind::Yaml => quoted(choices.pick(YAMLS)),
        Kind::Json => quoted(choices.pick(JSONS)),
        Kind::Toml => quoted(choices.pick(TOMLS)),
        Kind::Time => format!("(toDate \"2006-01-02\" {})", literal(choices.pick(DATES))),
    }
}

/// A text that holds escapes already.
fn literal(text: &str) -> String {
    format!("\"{text}\"")
}

fn quoted(text: &str) -> String {
    let escaped =
        text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
    format!("\"{escaped}\"")
}

/// Text between actions.
pub(super) fn text_between(choices: &mut Choices) -> String {
    choices
        .pick(&["a", "\n", "  x: ", "\n  \t\n", "}", "{", "é ", "<no value>", " - ", "# y\r\n", "\"", "end "])
        .to_owned()
}

const SCALARS: &[&str] = &[
    "hello",
    "\"a,b\"",
    "''",
    "\" x \"",
    "ünï",
    "\"line\\nbreak\\n\"",
    "1",
    "0",
    "-3",
    "1000000",
    "1.5",
    "1e3",
    "0x1F",
    "12345678901",
    "1e21",
    ".5",
    "012",
    "0o17",
    "1_000",
    "true",
    "no",
    "null",
    "~",
    "\"true\"",
    "\"1.50\"",
    "2001-12-14",
    "12:30",
    "'it''s'",
    "|\n    two\n    lines",
    "1e-7",
    "9007199254740993",
    "\"<a&b>\"",
    "Off",
    "\"\\t\"",
    "1.0",
    "!!str 5",
    "1e5",
];

pub(super) fn values(choices: &mut Choices) -> String {
    let mut text = String::new();
    let mut one = |from: &[&'static str]| choices.pick(from);
    let texts = [
        "hello",
        "\"a,b\"",
        "''",
        "\" x \"",
        "ünï",
        "\"line\\nbreak\\n\"",
        "\"1.50\"",
        "|\n  two\n  lines",
        "\"\\U0001F600 \\u0085\"",
    ];
    let numbers = ["1", "0", "-3", "1000000", "1.5", "1e21", ".5", "12345678901", "1e-7", "1.0"];
    for key in ["text", "text2"] {
        writeln!(text, "{key}: {}", one(&texts)).expect("a text grows");
    }
    for key in ["number", "number2"] {
        writeln!(text, "{key}: {}", one(&numbers)).expect("a text grows");
    }
    writeln!(text, "yes: {}\n\"yes\": {}\nnothing: null", one(&["true", "false"]), one(&["true", "false"]))
        .expect("a text grows");
    writeln!(text, "texts: [b, a, {}, c]\nnumbers: [{}, {}, 2]", one(&["'x y'", "b"]), one(&numbers), one(&numbers))
        .expect("a text grows");
    writeln!(
        text,
        "list:\n- {}\n- {}\n- [1, {{a: b}}]",
        one(SCALARS).replace("\n    ", "\n  "),
        one(SCALARS).replace("\n    ", "\n  ")
    )
    .expect("a text grows");
    writeln!(
        text,
        "maps:\n- {{name: b, n: 1}}\n- {{name: a, n: 2}}\nmap:\n  t: {}\n  a: {}\n  z: {}",
        one(&["x", "\"1\""]),
        one(SCALARS),
        one(SCALARS)
    )
    .expect("a text grows");
    writeln!(
        text,
        "deep:\n  a:\n    b: {}\n    c: {{d: {{e: [1, 2]}}}}\n  a2: x\n  a10: y",
        one(&["1", "x", "null", "[]"])
    )
    .expect("a text grows");
    text
}
