//! What `emit` keeps of how a text was written.

use fairlead_yaml::{Node, emit, parse};
use insta::assert_snapshot;

fn rewritten(text: &str) -> String {
    let nodes = parse(text).expect("the text is YAML");
    nodes.iter().map(emit).collect::<Vec<_>>().join("---\n")
}

/// Texts that are written exactly as they were read.
const KEPT: &[(&str, &str)] = &[
    ("styles", "a: x\nb: 'x'\nc: \"x\"\nd: |\n  x\n  y\ne: >-\n  x\n\n  y\n"),
    ("block ends", "a: |+\n  x\n\nb: |-\n  y\nc: |2\n    z\n"),
    ("flow collections", "a: [x, 'y', {b: c}]\nd: {}\ne: []\n"),
    ("bare values", "a:\nb: ~\nc: {d: '', e: 1}\nf:\n-\n- 1\n"),
    ("raw numbers", "a: 0644\nb: 1_000\nc: 1.0\nd: 2001-12-14\n"),
    ("tags", "a: !!str 1\nb: !local x\nc: !!map\n  d: 1\ne:\n- !!seq\n  - 1\n"),
    ("order", "z: 1\na: 2\nm: 3\n"),
    ("compact lists", "a:\n- - 1\n  - 2\n- b: 1\n  c:\n  - 2\n"),
    ("comments", "# top\na: 1 # one\n\n# about b\nb: # the list\n# first\n- x\n- y # second\n\n# end\n"),
    ("comment on a block", "a: | # why\n  x\nb: 1\n"),
    ("comments in an item", "l:\n# about the item\n- a: 1\n  # about b\n  b: 2\n"),
    ("comments below", "a:\n  b: 1\n  # nothing after b\nc: 2\n"),
    ("a document that is one scalar", "# why\nplain\n"),
    ("keys", "? |-\n  a\n  b\n: 1\n\"yes\": 2\n'on': 3\n"),
];

#[test]
fn a_text_in_the_usual_layout_is_written_as_it_was() {
    for (what, text) in KEPT {
        let written = rewritten(text);
        let trimmed = |text: &str| text.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
        assert_eq!(trimmed(&written), trimmed(text), "{what}");
        assert_eq!(rewritten(&written), written, "{what} again");
    }
}

#[test]
fn another_layout_becomes_the_usual_one() {
    let text = "a:\n    - x\n    -   b:   1\n        c: \"multi\n          line\"\nd: plain\n  text\ne: {\n  f: 1, # one\n  g: [2] }\n";
    assert_snapshot!(rewritten(text), @r#"
    a:
    - x
    - b: 1
      c: "multi line"
    d: plain text
    e:
      f: 1 # one
      g: [2]
    "#);
}

#[test]
fn a_style_that_cannot_hold_the_text_gives_way() {
    let with = |text: &str| {
        let mut node =
            parse("plain: a\nsingle: 'a'\nliteral: |\n  a\nflow: [a]\n").expect("the text is YAML").remove(0);
        for key in ["plain", "single", "literal"] {
            if let Some(value) = node.get_mut(key) {
                value.value = fairlead_yaml::Value::Scalar(text.into());
            }
        }
        if let Some(items) = node.get_mut("flow").and_then(Node::as_sequence_mut) {
            items[0].value = fairlead_yaml::Value::Scalar(text.into());
        }
        emit(&node)
    };
    assert_snapshot!(with("a: b, c"), @r"
    plain: 'a: b, c'
    single: 'a: b, c'
    literal: |-
      a: b, c
    flow: ['a: b, c']
    ");
    assert_snapshot!(with("x\ny\n"), @r#"
    plain: |
      x
      y
    single: 'x

      y

      '
    literal: |
      x
      y
    flow: ["x\ny\n"]
    "#);
    assert_snapshot!(with("tab\t"), @r#"
    plain: "tab\t"
    single: "tab\t"
    literal: "tab\t"
    flow: ["tab\t"]
    "#);
}

#[test]
fn nothing_in_braces_is_an_empty_text_without_them_too() {
    let text = "a: {b, c: [d, {e: }] # why\n}\n";
    assert_snapshot!(rewritten(text), @r"
    a:
      b: ''
      c: [d, {e: ''}] # why
    ");
    assert_eq!(crate::read(&rewritten(text)), crate::read(text));
}

#[test]
fn an_expanded_alias_is_written_where_it_stood() {
    assert_snapshot!(rewritten("a: &a {x: 1}\nb: *a\nc:\n  <<: *a\n  y: 2\n"), @r"
    a: {x: 1}
    b: {x: 1}
    c:
      y: 2
      x: 1
    ");
}

#[test]
fn a_bare_document_is_null() {
    assert_snapshot!(rewritten("---\n"), @"null");
}
