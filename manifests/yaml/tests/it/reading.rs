//! What a tree knows about its text.

use fairlead_yaml::{Document, Node, Position, Schema, Style, documents, parse};
use insta::assert_snapshot;

use crate::{read, read_as};

fn only(text: &str) -> Node {
    let mut nodes = parse(text).expect("the text is YAML");
    assert_eq!(nodes.len(), 1, "{text:?} has one document");
    nodes.remove(0)
}

#[test]
fn every_node_knows_its_line_and_column() {
    let node = only("a: 1\nb:\n  - x\n  - é: [y, z]\n");
    let list = node.get("b").and_then(Node::as_sequence).expect("b is a list");
    let inner = list[1].get("é").and_then(Node::as_sequence).expect("é is a list");
    let at = |node: &Node| (node.position.line, node.position.column);
    assert_eq!(at(&node), (1, 1));
    assert_eq!(at(&list[0]), (3, 5));
    assert_eq!(at(&list[1]), (4, 5));
    assert_eq!(at(&inner[1]), (4, 12));
    assert_eq!(format!("deploy.yaml:{}", inner[1].position), "deploy.yaml:4");
}

#[test]
fn every_node_keeps_its_style_and_its_tag() {
    let node = only("a: x\nb: 'x'\nc: \"x\"\nd: |\n  x\ne: >\n  x\nf: [x]\ng:\n- x\nh: !!str 1\ni: !local {}\n");
    let style = |key: &str| node.get(key).map(|value| value.style);
    let styles = ["a", "b", "c", "d", "e", "f", "g"].map(|key| style(key).expect("the key is there"));
    assert_eq!(
        styles,
        [
            Style::Plain,
            Style::SingleQuoted,
            Style::DoubleQuoted,
            Style::Literal,
            Style::Folded,
            Style::Flow,
            Style::Block
        ]
    );
    let tag = |key: &str| node.get(key).and_then(|value| value.tag.as_deref());
    assert_eq!((tag("h"), tag("i"), tag("a")), (Some("!!str"), Some("!local"), None));
}

#[test]
fn comments_belong_to_what_they_explain() {
    let node =
        only("# the name\nname: web # in production\n\n# the list\nitems:\n# first\n- a\n- b # second\n\n# the end\n");
    let mapping = node.as_mapping().expect("a mapping");
    let (name, web) = mapping.get_entry("name").expect("a name");
    let (items, list) = mapping.get_entry("items").expect("items");
    let list = list.as_sequence().expect("a list");
    let above = |node: &Node| node.comments.as_ref().map(|comments| comments.above.join("|")).unwrap_or_default();
    let beside = |node: &Node| node.comments.as_ref().and_then(|comments| comments.beside.clone()).unwrap_or_default();
    assert_eq!(above(name), "# the name");
    assert_eq!(beside(web), "# in production");
    assert_eq!(above(items), "# the list");
    assert_eq!(above(&list[0]), "# first");
    assert_eq!(beside(&list[1]), "# second");
    assert_eq!(node.comments.as_ref().map(|comments| comments.below.join("|")).as_deref(), Some("# the end"));
}

#[test]
fn what_is_not_written_is_told_from_a_spelled_null() {
    let node = only("bare:\nspelled: null\ntilde: ~\nempty: ''\ntagged: !!null\nflow: {a: , b}\n");
    let is = |key: &str| node.get(key).map(|value| (value.is_bare(), value.is_null()));
    assert_eq!(is("bare"), Some((true, true)));
    assert_eq!(is("spelled"), Some((false, true)));
    assert_eq!(is("tilde"), Some((false, true)));
    assert_eq!(is("empty"), Some((false, false)));
    assert_eq!(is("tagged"), Some((false, true)));
    let flow = node.get("flow").expect("a mapping");
    assert!(flow.get("a").is_some_and(Node::is_bare) && flow.get("b").is_some_and(Node::is_bare));
}

#[test]
fn a_bare_value_in_braces_is_an_empty_string_for_kustomize() {
    let text = "block:\nflow: {a: , b}\nlist: [a: ]\n";
    assert_snapshot!(read(text), @r#"{"block":null,"flow":{"a":"","b":""},"list":[{"a":""}]}"#);
    assert_snapshot!(read_as(text, Schema::SigsYaml), @r#"{"block":null,"flow":{"a":null,"b":null},"list":[{"a":null}]}"#);
}

#[test]
fn an_empty_text_has_no_documents_and_an_empty_document_is_null() {
    assert_eq!(parse(""), Ok(vec![]));
    assert_eq!(parse("# nothing\n"), Ok(vec![]));
    assert_snapshot!(read("---\n---\na: 1\n"), @r#"
    null
    {"a":1}
    "#);
}

#[test]
fn aliases_are_replaced_by_what_they_name() {
    assert_snapshot!(read("base: &base {x: 1, l: &l [a]}\nsame: *base\nlist: *l\n"), @r#"{"base":{"l":["a"],"x":1},"list":["a"],"same":{"l":["a"],"x":1}}"#);
    assert_snapshot!(read("a: &x 1\nb: &x 2\nc: *x\n"), @r#"{"a":1,"b":2,"c":2}"#);
    assert_snapshot!(read("&key name: 1\nother: *key\n"), @r#"{"name":1,"other":"name"}"#);
}

#[test]
fn an_anchor_ends_with_its_document() {
    assert_snapshot!(read("a: &x 1\n---\nb: *x\n"), @"yaml: line 3: unknown anchor 'x' referenced");
}

#[test]
fn merge_keys_add_what_is_missing() {
    let text = "base: &base {a: 1, b: 1}\nmore: &more {b: 2, c: 2}\n";
    let merged = |entries: &str| {
        let node = only(&format!("{text}merged:\n{entries}"));
        node.get("merged").map(|merged| merged.to_json(Schema::Kyaml).expect("it has a JSON form").to_string())
    };
    assert_eq!(merged("  <<: *base\n  b: 3\n").as_deref(), Some(r#"{"a":1,"b":3}"#));
    assert_eq!(merged("  b: 3\n  <<: *base\n").as_deref(), Some(r#"{"a":1,"b":3}"#));
    assert_eq!(merged("  <<: [*base, *more]\n").as_deref(), Some(r#"{"a":1,"b":1,"c":2}"#));
    assert_eq!(merged("  <<: []\n  d: 1\n").as_deref(), Some(r#"{"d":1}"#));
}

#[test]
fn only_mappings_can_be_merged() {
    assert_snapshot!(read("a: 1\n<<: 1\n"), @"yaml: line 2: map merge requires map or sequence of maps as the value");
    assert_snapshot!(read("<<: [{a: 1}, b]\n"), @"yaml: line 1: map merge requires map or sequence of maps as the value");
}

#[test]
fn a_quoted_merge_key_is_a_key_for_kubectl_and_nothing_for_kustomize() {
    let text = "\"<<\": {a: 1}\nb: 2\n";
    assert_snapshot!(read(text), @r#"{"b":2}"#);
    assert_snapshot!(read_as(text, Schema::SigsYaml), @r#"{"<<":{"a":1},"b":2}"#);
}

#[test]
fn a_repeated_key_is_kept_with_both_positions() {
    let node = only("env: 1\nname: a\nenv: 2\n");
    let duplicate = node.as_mapping().and_then(fairlead_yaml::Mapping::duplicate).expect("env is there twice");
    assert_eq!((duplicate.key.as_str(), duplicate.first.line, duplicate.again.line), ("env", 1, 3));
    assert_snapshot!(read("env: 1\nname: a\nenv: 2\n"), @r#"
    yaml: unmarshal errors:
      line 3: mapping key "env" already defined at line 1
    "#);
    assert_snapshot!(read_as("env: 1\nname: a\nenv: 2\n", Schema::SigsYaml), @r#"{"env":2,"name":"a"}"#);
}

#[test]
fn documents_know_where_they_begin() {
    let text = "a: 1\n--- # second\n\nb: 2\n---\n---\nc: 3\n";
    let documents = documents(text).expect("the separators are right");
    let expected = [("a: 1\n", 1), ("\nb: 2\n", 3), ("", 6), ("c: 3\n", 7)];
    assert_eq!(documents, expected.map(|(text, line)| Document { text, line }));
    let last = documents[3].parse().expect("the document is YAML");
    assert_eq!(last[0].position, Position { line: 7, column: 1 });
}

#[test]
fn a_separator_stands_alone() {
    let error = |text: &str| documents(text).expect_err("the separator is wrong").to_string();
    assert_snapshot!(error("a: 1\n--- foo\nb: 2\n"), @"yaml: line 2: invalid document separator: --- foo");
    assert_snapshot!(error("a: 1\n---foo\n"), @"yaml: line 2: invalid document separator: ---foo");
    assert!(documents("a: |\n  ---\n  --- x\n").is_ok_and(|documents| documents.len() == 1));
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_not_content() {
    assert_snapshot!(read("\u{feff}a: 1\r\nb: |\r\n  x\r\n  y\r\n"), @r#"{"a":1,"b":"x\ny\n"}"#);
    assert_eq!(documents("a: 1\r\n---\r\nb: 2\r\n").map(|documents| documents.len()), Ok(2));
}

#[test]
fn a_next_line_ends_a_line_wherever_it_stands() {
    assert_eq!(read("a: \"x\u{85}y\"\n"), r#"{"a":"x y"}"#);
    assert_eq!(read("a: |\n  x\u{85}  y\n"), r#"{"a":"x\ny\n"}"#);
    assert_eq!(read("a: x # c\u{85}b: y\n"), r#"{"a":"x","b":"y"}"#);
    assert!(parse("a: x\u{85}y\n").is_err());
}

#[test]
fn a_byte_order_mark_is_a_letter_unless_it_starts_a_line() {
    assert_eq!(read("a: \u{feff}x\nb: y\u{feff}z\n"), "{\"a\":\"\u{feff}x\",\"b\":\"y\u{feff}z\"}");
    assert_eq!(read("a:\n  \u{feff}b: x\n"), "{\"a\":{\"\u{feff}b\":\"x\"}}");
    assert_eq!(read("a: x\n\u{feff}b: y\n"), r#"{"a":"x","b":"y"}"#);
    assert_eq!(read("a: \"\\ufdd0\"\nb: \u{fdd0}\n"), "{\"a\":\"\u{fdd0}\",\"b\":\"\u{fdd0}\"}");
}

#[test]
fn a_block_scalar_at_the_end_of_a_file_ends_as_the_file_does() {
    assert_snapshot!(read("a: |\n  x"), @r#"{"a":"x"}"#);
    assert_snapshot!(read("a: |\n  x\n"), @r#"{"a":"x\n"}"#);
    assert_snapshot!(read("a: >+\n  x\n  y"), @r#"{"a":"x y"}"#);
    assert_snapshot!(read("a: |\n  x\n  "), @r#"{"a":"x\n"}"#);
    assert_snapshot!(read(r#"a: "x\n""#), @r#"{"a":"x\n"}"#);
}

#[test]
fn quoted_text_may_go_on_at_the_margin() {
    assert_snapshot!(read("data:\n  json: '{\n\"a\": 1,\n\n\"b\": 2\n}'\n  next: 1\n"), @r#"{"data":{"json":"{ \"a\": 1,\n\"b\": 2 }","next":1}}"#);
    assert_snapshot!(read("a:\n- \"x\ny\"\n- \"x\n\tz\"\n"), @r#"{"a":["x y","x z"]}"#);
}

#[test]
fn errors_name_the_line_in_the_words_of_kubectl() {
    assert_snapshot!(read("a: 1\nb: c: d\n"), @"yaml: line 2: mapping values are not allowed in this context");
    assert_snapshot!(read("a:\n\tb: 1\n"), @"yaml: line 2: found character that cannot start any token: a tab, indent with spaces");
    assert_snapshot!(read("a: @x\n"), @"yaml: line 1: found character that cannot start any token");
    assert_snapshot!(read("a: \"x\n"), @"yaml: line 1: found unexpected end of stream");
    assert_snapshot!(read("a: [1, 2\n"), @"yaml: line 1: did not find expected ',' or ']'");
    assert_snapshot!(read("a: {b: 1\n"), @"yaml: line 1: did not find expected ',' or '}'");
    assert_snapshot!(read("a: b\nc\n"), @"yaml: line 2: could not find expected ':'");
    assert_snapshot!(read("a: 'b' c\n"), @"yaml: line 1: did not find expected key");
    assert_snapshot!(read("a: \"\\q\"\n"), @"yaml: line 1: found unknown escape character");
    assert_snapshot!(read("a: !x!y 1\n"), @"yaml: line 1: found undefined tag handle");
    assert_snapshot!(read("a: 1\nb: *nope\n"), @"yaml: line 2: unknown anchor 'nope' referenced");
    assert_snapshot!(read("a: &a [*a]\n"), @"yaml: line 1: anchor 'a' value contains itself");
    assert_snapshot!(read("a: 1\nb: x\u{7}\n"), @"yaml: line 2: control characters are not allowed");
    assert_snapshot!(read("a: |\n  x\n  y\u{81}\n# \u{1b}\n"), @"yaml: line 2: control characters are not allowed");
}

#[test]
fn a_mapping_is_changed_by_key_and_keeps_its_order() {
    let mut node = only("b: 1\na: 2\nc: 3\n");
    let mapping = node.as_mapping_mut().expect("a mapping");
    assert_eq!(
        mapping.insert("a", Node::plain("4")).and_then(|old| old.as_str().map(str::to_owned)).as_deref(),
        Some("2")
    );
    assert!(mapping.insert("yes", Node::string("on")).is_none());
    assert!(mapping.remove("b").is_some() && mapping.remove("b").is_none());
    mapping.get_or_insert_with("list", || Node::sequence(vec![])).as_sequence_mut().expect("a list").push(Node::null());
    mapping.retain(|key, _| key.as_str() != Some("c"));
    assert_eq!(mapping.keys().collect::<Vec<_>>(), ["a", "yes", "list"]);
    assert_snapshot!(fairlead_yaml::emit(&node), @r#"
    a: 4
    "yes": "on"
    list:
    - null
    "#);
}
