//! The corners of YAML that its specification and its test suite are about, each in a text of our own.
//!
//! The rows stand in the order of the suite's topics: plain, quoted and block scalars with folding, chomping and
//! indentation indicators; block collections with explicit and empty keys, empty nodes and uneven indentation; flow
//! collections with pairs and JSON; tags, anchors and aliases; comments; whitespace and tabs; documents, their markers
//! and directives. [`REFUSED`] has the suite's errors by the same topics. Where go-yaml does not follow the suite, we
//! follow go-yaml: versions other than 1.1, tabs before a block scalar, keys that are no scalars. What it refuses and YAML
//! allows without a doubt we read: a tab on a line without text or behind a dash, an empty key, a slash or a character in
//! two halves that is escaped as in JSON.

use fairlead_yaml::Schema;

use crate::{read, read_as};

/// Each row: what it is about, a text, and what it means as JSON, one line for each document.
const TABLE: &[(&str, &str, &str)] = &[
    // Plain scalars.
    ("plain text goes on in indented lines", "a: one\n  two\n\n  three\nb: 1\n", r#"{"a":"one two\nthree","b":1}"#),
    (
        "a colon inside a word is text",
        "a: x:y\nb: ::z\nc: http://h:80/p\n",
        r#"{"a":"x:y","b":"::z","c":"http://h:80/p"}"#,
    ),
    ("a hash inside a word is text", "a: x#y # z\n", r#"{"a":"x#y"}"#),
    ("indicators may begin a word", "a: -x\nb: ?x\nc: :x\n", r#"{"a":"-x","b":"?x","c":":x"}"#),
    ("brackets inside plain text in a block", "a: x]y, {z\n", r#"{"a":"x]y, {z"}"#),
    ("blanks around a value do not count", "a:   x   \nb:\ty\t\n", r#"{"a":"x","b":"y"}"#),
    ("keys may have spaces and dots", "a b.c: 1\n-x: 2\n", r#"{"-x":2,"a b.c":1}"#),
    ("text outside ASCII", "ключ: 值 😀\n", r#"{"ключ":"值 😀"}"#),
    ("a comment ends plain text", "a: x\n  # no\nb: y\n", r#"{"a":"x","b":"y"}"#),
    ("plain text as the document", "one\ntwo\n", r#""one two""#),
    // Quoted scalars.
    ("a quote is doubled in single quotes", "a: 'it''s'\n", r#"{"a":"it's"}"#),
    ("a backslash is text in single quotes", "a: 'x\\n'\n", r#"{"a":"x\\n"}"#),
    (
        "escapes",
        r#"a: "\0\a\b\t\n\v\f\r\e\"\/\\\N\_\L\P""#,
        "{\"a\":\"\\u0000\\u0007\\b\\t\\n\\u000b\\f\\r\\u001b\\\"/\\\\\u{85}\u{a0}\u{2028}\u{2029}\"}",
    ),
    ("escapes by number", r#"a: "\x41\u00e9\U0001F600""#, r#"{"a":"Aé😀"}"#),
    ("surrogate pairs as in JSON", r#"a: "\ud83d\ude00""#, r#"{"a":"😀"}"#),
    (
        "line breaks in quotes are folded",
        "a: \"x\n  y\n\n  z\"\nb: 'x\n  y\n\n\n  z'\n",
        r#"{"a":"x y\nz","b":"x y\n\nz"}"#,
    ),
    ("an escaped line break joins", "a: \"x\\\n  y\\\n  \\ z\"\n", r#"{"a":"xy z"}"#),
    ("blanks before a break go, escaped ones stay", "a: \"x  \n  y\\t\n  z\"\n", r#"{"a":"x y\t z"}"#),
    ("indicators mean nothing in quotes", "a: \"# - : {\"\nb: '%@`'\n", r##"{"a":"# - : {","b":"%@`"}"##),
    ("quoted keys", "\"a b\": 1\n'c: d': 2\n\"\": 3\n", r#"{"":3,"a b":1,"c: d":2}"#),
    ("further lines at the margin", "a: 'x\ny'\nb: \"z\n\"\n", r#"{"a":"x y","b":"z "}"#),
    ("quotes around nothing but line breaks", "a: \"\n\n\"\n", r#"{"a":"\n"}"#),
    // Block scalars.
    ("literal keeps line breaks", "a: |\n  x\n   y\n\n  z\n", r#"{"a":"x\n y\n\nz\n"}"#),
    (
        "strip, clip and keep",
        "a: |-\n  x\n\nb: |\n  x\n\nc: |+\n  x\n\nd: 1\n",
        r#"{"a":"x","b":"x\n","c":"x\n\n","d":1}"#,
    ),
    ("the header may say the indentation", "a: |2\n    x\n  y\nb: |1-\n  z\n", r#"{"a":"  x\ny\n","b":" z"}"#),
    ("the header may have a comment", "a: | # why\n  x\n", r#"{"a":"x\n"}"#),
    (
        "literal text is not parsed",
        "a: |\n  # no comment\n  - no: list\n  \"\\n\" --- ...\n",
        "{\"a\":\"# no comment\\n- no: list\\n\\\"\\\\n\\\" --- ...\\n\"}",
    ),
    ("leading empty lines count", "a: |\n\n\n  x\n", r#"{"a":"\n\nx\n"}"#),
    ("a literal without text", "a: |\nb: |+\n\nc: >\n", r#"{"a":"","b":"\n","c":""}"#),
    ("tabs in a literal are text", "a: |\n  x\ty\n  \tz\n", r#"{"a":"x\ty\n\tz\n"}"#),
    ("folded joins lines", "a: >\n  x\n  y\n\n  z\n", r#"{"a":"x y\nz\n"}"#),
    ("a block scalar in a list", "- |\n  x\n- >-\n  y\n  z\n", r#"["x\n","y z"]"#),
    ("a block scalar as the document", "--- |\n  x\n  y\n", r#""x\ny\n""#),
    ("windows line ends in a literal", "a: |\r\n  x\r\n  y\r\n", r#"{"a":"x\ny\n"}"#),
    ("blanks behind the header", "a: | \n  x\nb: |\t\n  y\n", r#"{"a":"x\n","b":"y\n"}"#),
    // Block collections.
    ("a list at the indentation of its key", "a:\n- x\n- y\nb: 1\n", r#"{"a":["x","y"],"b":1}"#),
    ("lists in lists", "- - x\n  - y\n-\n  - z\n", r#"[["x","y"],["z"]]"#),
    ("mappings in lists", "- a: 1\n  b: 2\n-\n  c: 3\n", r#"[{"a":1,"b":2},{"c":3}]"#),
    ("lists in mappings in lists", "- a:\n  - x\n  b: y\n", r#"[{"a":["x"],"b":"y"}]"#),
    ("nothing is null", "a:\nb:\n  - \n  -\nc: {}\nd: []\n", r#"{"a":null,"b":[null,null],"c":{},"d":[]}"#),
    ("uneven indentation", "a:\n   b:\n     c: 1\n   d: 2\n", r#"{"a":{"b":{"c":1},"d":2}}"#),
    ("a value on the next line", "a:\n  x\nb:\n  'y'\n", r#"{"a":"x","b":"y"}"#),
    ("explicit keys", "? a\n: 1\n? b\n? |-\n  c\n  d\n: - x\n  - y\n", r#"{"a":1,"b":null,"c\nd":["x","y"]}"#),
    ("no key", ": a\n", r#"{"":"a"}"#),
    ("blanks behind anything", "a: 1 \t \nb:  \n  - x\t\n", r#"{"a":1,"b":["x"]}"#),
    ("a tab behind an indicator", "a:\t1\nb:\n-\tx\n", r#"{"a":1,"b":["x"]}"#),
    ("lines of blanks are empty", "a: |\n  x\n \n  y\nb:\n  \n  c: 1\n", r#"{"a":"x\n\ny\n","b":{"c":1}}"#),
    ("an explicit key over two lines", "? a\n  b\n: c\n", r#"{"a b":"c"}"#),
    ("an explicit key in quotes", "? \"a: b\"\n: - x\n", r#"{"a: b":["x"]}"#),
    // Flow collections.
    ("flow collections over several lines", "a: [x,\n  y, {b: 1,\n  c: 2},\n]\n", r#"{"a":["x","y",{"b":1,"c":2}]}"#),
    ("pairs in flow lists", "[a: 1, {b: 2}, ? c : 3]\n", r#"[{"a":1},{"b":2},{"c":3}]"#),
    ("JSON is YAML", "{\"a\":1,\"b\":[true,null,\"x\"],\"c\":{}}\n", r#"{"a":1,"b":[true,null,"x"],"c":{}}"#),
    ("a colon without a blank in a flow is text", "{a:1, b: [c:d]}\n", r#"{"a:1":"","b":["c:d"]}"#),
    ("comments in flow collections", "a: [ # one\n  x, # two\n  y ]\n", r#"{"a":["x","y"]}"#),
    ("plain text in flow collections ends at a comma", "[a b, c-d, e]\n", r#"["a b","c-d","e"]"#),
    ("quoted keys right before their values in a flow", "{\"a\":1, 'b':2}\n", r#"{"a":1,"b":2}"#),
    ("nothing in flow collections", "{a: , b: [], c: {}, ? d}\n", r#"{"a":"","b":[],"c":{},"d":""}"#),
    ("tabs in flow collections", "a: [x,\t y,\n\t z]\n", r#"{"a":["x","y","z"]}"#),
    // Properties.
    ("tags by their full name", "a: !<tag:yaml.org,2002:str> 1\n", r#"{"a":"1"}"#),
    ("tags by a declared handle", "%TAG !y! tag:yaml.org,2002:\n---\na: !y!str 1\n", r#"{"a":"1"}"#),
    (
        "tags of others are ignored",
        "a: !Ref x\nb: !GetAtt [x, y]\nc: !Sub {d: 1}\n",
        r#"{"a":"x","b":["x","y"],"c":{"d":1}}"#,
    ),
    ("an empty tagged value", "a: !!str\nb: !!null\n", r#"{"a":"","b":null}"#),
    (
        "anchors and tags in either order",
        "a: &x !!str 1\nb: !!str &y 2\nc: [*x, *y]\n",
        r#"{"a":"1","b":"2","c":["1","2"]}"#,
    ),
    ("an anchor on nothing", "a: &x\nb: *x\n", r#"{"a":null,"b":null}"#),
    ("an alias as key", "a: &x k\n*x : 1\n", r#"{"a":"k","k":1}"#),
    ("sets", "a: !!set {x, y}\n", r#"{"a":{"x":"","y":""}}"#),
    ("ordered mappings", "a: !!omap [b: 1, c: 2]\n", r#"{"a":[{"b":1},{"c":2}]}"#),
    ("anchors on keys and collections", "&a a: &b [x]\nc: [*a, *b]\n", r#"{"a":["x"],"c":["a",["x"]]}"#),
    ("an anchor that is there again", "a: &x-1 1\nb: &x-1 2\nc: *x-1\n", r#"{"a":1,"b":2,"c":2}"#),
    ("an alias in a flow", "a: &x 1\nb: [*x, {c: *x}]\n", r#"{"a":1,"b":[1,{"c":1}]}"#),
    ("a tag on a key", "!!str 1: a\n", r#"{"1":"a"}"#),
    ("tags on collections", "a: !!seq\n- x\nb: !!map\n  c: d\n", r#"{"a":["x"],"b":{"c":"d"}}"#),
    // Comments.
    ("comments between items", "a:\n# one\n- x\n  # two\n- y\n# three\n", r#"{"a":["x","y"]}"#),
    ("comments count for no indentation", "a:\n    # deep\n  b: 1\n", r#"{"a":{"b":1}}"#),
    // Streams.
    ("several documents", "a: 1\n---\nb: 2\n...\n---\nc: 3\n", "{\"a\":1}\n{\"b\":2}\n{\"c\":3}"),
    ("a document on the line of its marker", "--- {a: 1}\n--- x\n", "{\"a\":1}\n\"x\""),
    ("an end with comments", "a: 1\n... # end\n# more\n", r#"{"a":1}"#),
    ("a comment on the line of a marker", "--- # why\na: 1\n", r#"{"a":1}"#),
    ("nothing at all", "", ""),
    ("nothing but comments", "# a\n\n# b\n", ""),
    ("directives", "%YAML 1.1\n---\na: 1\n...\n# more\n%TAG ! !\n---\nb: 2\n", "{\"a\":1}\n{\"b\":2}"),
    ("empty documents", "---\n---\n", "null\nnull"),
    ("comments between documents", "# a\n---\n# b\na: 1\n# c\n---\n# d\n", "{\"a\":1}\nnull"),
    ("markers inside text are text", "a: |\n  ---\nb: x --- y\nc: '...'\n", r#"{"a":"---\n","b":"x --- y","c":"..."}"#),
    ("windows line ends", "a: 1\r\nb:\r\n  - x\r\n", r#"{"a":1,"b":["x"]}"#),
];

#[test]
fn each_text_means_what_the_specification_says() {
    for (what, text, expected) in TABLE {
        assert_eq!(read(text), *expected, "{what}");
    }
}

#[test]
fn folded_text_keeps_what_is_indented_more_until_kustomize_writes_it() {
    let rows = [
        ("a: >-\n  x\n   y\n   z\n  w\n", r#"{"a":"x\n y\n z\nw"}"#, r#"{"a":"x\n\n y\n z\nw"}"#),
        ("a: >-\n  x\n\n   y\n\n  z\n", r#"{"a":"x\n\n y\n\nz"}"#, r#"{"a":"x\n\n\n y\n\nz"}"#),
        ("a: >-\n  x\n   y\n    \n  z\n", r#"{"a":"x\n y\n  \nz"}"#, r#"{"a":"x\n y\n  \nz"}"#),
        ("a: >+\n\n  x\n\nb: 1\n", r#"{"a":"\nx\n\n","b":1}"#, r#"{"a":"\nx\n\n\n","b":1}"#),
    ];
    for (text, expected, written_again) in rows {
        assert_eq!(read_as(text, Schema::SigsYaml), expected, "{text}");
        assert_eq!(read(text), written_again, "{text}");
    }
}

/// Each row: what is wrong, and a text that no parser may accept.
const REFUSED: &[(&str, &str)] = &[
    ("a mapping on the line of another", "a: b: c\n"),
    ("a list on the line of its key", "a: - b\n"),
    ("a list item outside the list", "a:\n  - b\n - c\n"),
    ("a key after a list", "- a\nb: c\n"),
    ("an open quote", "a: 'b\n"),
    ("an open bracket", "a: [b\n"),
    ("an open brace", "a: {b: c\n"),
    ("a bracket that closes nothing", "a: b\n]\n"),
    ("brackets that do not match", "a: [b}\n"),
    ("text after a quote", "a: \"b\" c\n"),
    ("text after a bracket", "a: [b] c\n"),
    ("an unknown escape", "a: \"\\z\"\n"),
    ("a tab as indentation", "a:\n\tb: 1\n"),
    ("a reserved indicator", "a: @b\n"),
    ("a percent sign at the start of a value", "a: %b\n"),
    ("an alias without an anchor", "a: *b\n"),
    ("an undeclared tag handle", "a: !b!c d\n"),
    ("a block scalar header with more", "a: | b\n  c\n"),
    ("a block scalar with no indentation", "a: |0\n  b\n"),
    ("a document marker in quotes", "a: 'b\n---\nc'\n"),
    ("a key without a colon", "a: b\nc\n"),
    ("an implicit key over two lines", "a\nb: c\n"),
    ("a block scalar in brackets", "a: [|\n x]\n"),
    ("two anchors", "a: &x &y b\n"),
    ("two tags", "a: !!str !!str b\n"),
    ("an anchor on an alias", "a: &x b\nc: &y *x\n"),
    ("nothing between commas", "a: [b,,c]\n"),
    ("a comma in front", "a: [,b]\n"),
    ("a directive that is none", "%FOO bar\n---\na: 1\n"),
    ("a version that go-yaml does not read", "%YAML 1.2\n---\na: 1\n"),
    ("two versions", "%YAML 1.1\n%YAML 1.1\n---\na: 1\n"),
    ("a directive without a document", "%YAML 1.1\na: 1\n"),
    ("a tab before the text of a block scalar", "a: |\n  \tb\n"),
    ("a bracket right behind a tag", "a: [b, !!str]\n"),
];

#[test]
fn what_is_no_yaml_is_refused_with_its_place() {
    for (what, text) in REFUSED {
        let error = fairlead_yaml::parse(text).expect_err(what);
        assert!((1..=3).contains(&error.position.line), "{what}: {error}");
    }
}
