//! What `emit_json` writes, byte for byte as `kustomize build` does.

use fairlead_yaml::emit_json;
use insta::assert_snapshot;
use serde_json::{Value, json};

/// Each row: a string, and how it is written as a value.
const STRINGS: &[(&str, &str)] = &[
    ("", r#""""#),
    ("web", "web"),
    ("two words", "two words"),
    ("yes", r#""yes""#),
    ("Y", r#""Y""#),
    ("n", r#""n""#),
    ("Off", r#""Off""#),
    ("~", r#""~""#),
    ("NULL", r#""NULL""#),
    ("true", r#""true""#),
    ("nuLL", "nuLL"),
    ("oN", "oN"),
    ("inf", "inf"),
    ("nan", "nan"),
    ("=", "="),
    ("<<", "<<"),
    ("0755", r#""0755""#),
    ("0o7", r#""0o7""#),
    ("0b11", r#""0b11""#),
    ("0b2", "0b2"),
    ("0x1F", r#""0x1F""#),
    ("0x", "0x"),
    ("1_000", r#""1_000""#),
    ("_1", "_1"),
    ("+5", r#""+5""#),
    ("08", r#""08""#),
    (".5", r#"".5""#),
    ("5.", r#""5.""#),
    ("1e3", r#""1e3""#),
    ("1e", "1e"),
    ("1e400", "1e400"),
    (".inf", r#"".inf""#),
    (".NaN", r#"".NaN""#),
    ("1.2.3", "1.2.3"),
    ("12:30", r#""12:30""#),
    ("12:30:45", r#""12:30:45""#),
    ("12:30:45.5", r#""12:30:45.5""#),
    ("12:60", "12:60"),
    ("2020-1-1", r#""2020-1-1""#),
    ("2020-01-01T00:00:00Z", r#""2020-01-01T00:00:00Z""#),
    ("2020-13-01", "2020-13-01"),
    ("# x", "'# x'"),
    (",x", "',x'"),
    ("[x", "'[x'"),
    ("]x", "']x'"),
    ("{x", "'{x'"),
    ("}x", "'}x'"),
    ("&x", "'&x'"),
    ("*x", "'*x'"),
    ("!x", "'!x'"),
    ("|x", "'|x'"),
    (">x", "'>x'"),
    ("'x", "'''x'"),
    ("\"x", "'\"x'"),
    ("%x", "'%x'"),
    ("@x", "'@x'"),
    ("`x", "'`x'"),
    ("-", "'-'"),
    ("- x", "'- x'"),
    ("-x", "-x"),
    ("?", "'?'"),
    ("?x", "?x"),
    (":", "':'"),
    (":x", ":x"),
    ("a: b", "'a: b'"),
    ("a:b", "a:b"),
    ("a:", "'a:'"),
    ("a #b", "'a #b'"),
    ("a#b", "a#b"),
    (" a", "' a'"),
    ("a ", "'a '"),
    ("---", "'---'"),
    ("--- a", "'--- a'"),
    ("...", "'...'"),
    ("a\tb", r#""a\tb""#),
    ("a\rb", r#""a\rb""#),
    ("a\u{7f}b", r#""a\x7Fb""#),
    ("a\u{1b}\0b", r#""a\e\0b""#),
    ("é 日本", "é 日本"),
    ("a\u{a0}b", "a\u{a0}b"),
    ("😀", r#""\U0001F600""#),
    ("a\u{feff}b", r#""a\uFEFFb""#),
    ("\u{feff}b", r#""\uFEFF\x62""#),
    ("a\u{85}b", r#""a\Nb""#),
    ("a\u{2028}b", r#""a\Lb""#),
    ("\\", "\\"),
    ("a\\b\"c\t", r#""a\\b\"c\t""#),
    ("${VAR}", "${VAR}"),
    ("http://x.y:80/z?a=b&c", "http://x.y:80/z?a=b&c"),
];

#[test]
fn strings_are_quoted_where_yaml_1_1_reads_something_else() {
    for (text, expected) in STRINGS {
        assert_eq!(emit_json(&json!({ "a": text })), format!("a: {expected}\n"), "{text:?}");
        assert_eq!(emit_json(&json!([text])), format!("- {expected}\n"), "{text:?}");
    }
}

#[test]
fn keys_are_quoted_like_values() {
    let keys = json!({"on": 1, "1": 1, "n": 1, "": 1, "<<": 1, "a: b": 1, "x y": 1});
    assert_snapshot!(emit_json(&keys), @r#"
    "": 1
    "<<": 1
    "1": 1
    'a: b': 1
    "n": 1
    "on": 1
    x y: 1
    "#);
}

#[test]
fn keys_are_in_natural_order() {
    let keys = [
        "x1y10", "x1y2", "b", "ab", "a10", "a02", "a2", "a1", "a_b", "a/b", "a.b", "a-b", "a b", "a", "Z", "B", "A",
        "10", "2", "1", "~", "_a", "-a",
    ];
    let object: Value = keys.iter().map(|key| ((*key).to_owned(), Value::from(0))).collect();
    let order: Vec<String> = emit_json(&object).lines().map(|line| line.trim_end_matches(": 0").to_owned()).collect();
    assert_eq!(
        order.join(" | "),
        r#"-a | _a | "~" | "1" | "2" | "10" | A | B | Z | a | a b | a-b | a.b | a/b | a_b | a1 | a2 | a02 | a10 | ab | b | x1y2 | x1y10"#
    );
}

#[test]
fn numbers_are_printed_as_go_prints_them_after_json() {
    let table: &[(Value, &str)] = &[
        (json!(1), "1"),
        (json!(-9_223_372_036_854_775_808_i64), "-9223372036854775808"),
        (json!(18_446_744_073_709_551_615_u64), "18446744073709551615"),
        (json!(1.0), "1"),
        (json!(-0.0), "0"),
        (json!(1e3), "1000"),
        (json!(1.5e10), "15000000000"),
        (json!(0.5), "0.5"),
        (json!(123_456.5), "123456.5"),
        (json!(1_234_567.5), "1.2345675e+06"),
        (json!(0.0001), "0.0001"),
        (json!(0.00001), "1e-05"),
        (json!(1e20), "1e+20"),
        (json!(18_446_744_073_709_551_616.0), "1.8446744073709552e+19"),
        (json!(902_736_108_005_286_500.0), "902736108005286500"),
        (json!(-153_291_173_439_595.62), "-1.5329117343959562e+14"),
        (json!(5e-324), "5e-324"),
        (json!(-1.5e300), "-1.5e+300"),
    ];
    for (number, expected) in table {
        assert_eq!(emit_json(number), format!("{expected}\n"), "{number}");
    }
}

#[test]
fn collections_nest_as_kustomize_lays_them_out() {
    let json = json!({
        "kind": "Deployment",
        "spec": {"args": ["a", ["b", ["c"]], {"k": "v", "l": [1]}, {}, []], "empty": {}, "list": [], "nothing": null},
        "data": {"a": "x\ny\n", "b": true},
    });
    assert_snapshot!(emit_json(&json), @r"
    data:
      a: |
        x
        y
      b: true
    kind: Deployment
    spec:
      args:
      - a
      - - b
        - - c
      - k: v
        l:
        - 1
      - {}
      - []
      empty: {}
      list: []
      nothing: null
    ");
}

#[test]
fn a_document_may_be_anything() {
    for (json, expected) in [
        (json!(null), "null\n"),
        (json!("x"), "x\n"),
        (json!({}), "{}\n"),
        (json!([]), "[]\n"),
        (json!("a\nb"), "|-\n  a\n  b\n"),
        (json!([[1]]), "- - 1\n"),
    ] {
        assert_eq!(emit_json(&json), expected);
    }
}

#[test]
fn text_with_line_breaks_is_a_block_that_says_how_it_ends() {
    for (text, expected) in [
        ("a\nb", "|-\n    a\n    b\n"),
        ("a\nb\n", "|\n    a\n    b\n"),
        ("a\n\n", "|+\n    a\n\n"),
        ("\n", "|2+\n\n"),
        ("\n\n", "|2+\n\n\n"),
        (" a\nb", "|2-\n     a\n    b\n"),
        ("\na", "|2-\n\n    a\n"),
        ("a\n\n  b\n", "|\n    a\n\n      b\n"),
        ("é\n日本", "|-\n    é\n    日本\n"),
        ("a \nb", "\"a \\nb\"\n"),
        ("a\nb ", "\"a\\nb \"\n"),
        ("a\tb\n", "\"a\\tb\\n\"\n"),
        ("a\r\nb\n", "\"a\\r\\nb\\n\"\n"),
        ("😀\n", "\"\\U0001F600\\n\"\n"),
    ] {
        assert_eq!(emit_json(&json!({"k": {"t": text}})), format!("k:\n  t: {expected}"), "{text:?}");
    }
}

#[test]
fn a_block_that_keeps_its_breaks_is_followed_by_the_next_key() {
    assert_snapshot!(emit_json(&json!({"a": "x\n\n", "b": "z"})), @r"
    a: |+
      x

    b: z
    ");
}

#[test]
fn long_lines_are_folded_after_column_80() {
    let words = "word ".repeat(20) + "end";
    let json = json!({
        "plain": words,
        "single": format!("- {words}"),
        "double": format!("{words}\t{words}"),
        "list": [words],
        "unbroken": "x".repeat(100),
        "spaces": format!("{}  two  three", "x".repeat(80)),
    });
    assert_snapshot!(emit_json(&json), @r#"
    double: "word word word word word word word word word word word word word word word
      word word word word word end\tword word word word word word word word word word
      word word word word word word word word word word end"
    list:
    - word word word word word word word word word word word word word word word word
      word word word word end
    plain: word word word word word word word word word word word word word word word
      word word word word word end
    single: '- word word word word word word word word word word word word word word word
      word word word word word end'
    spaces: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx  two  three
    unbroken: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
    "#);
}

#[test]
fn columns_are_characters_and_a_folded_space_is_escaped_in_double_quotes() {
    let json = json!({"a": format!("{} é é", "é".repeat(70)), "b": format!("{}  x\t", "y".repeat(80))});
    assert_snapshot!(emit_json(&json), @r#"
    a: éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé é é
    b: "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
      \ x\t"
    "#);
}

#[test]
fn keys_of_several_lines_or_more_than_128_bytes_get_a_question_mark() {
    let long = "k".repeat(129);
    let json = json!({long: {"a": 1}, "k\nl": [1, 2], "z": {"m\nn": {}}});
    let text = emit_json(&json).replace(&"k".repeat(129), "<129>");
    assert_snapshot!(text, @r"
    ? |-
      k
      l
    : - 1
      - 2
    ? <129>
    : a: 1
    z:
      ? |-
        m
        n
      : {}
    ");
}
