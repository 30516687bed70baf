//! What a hostile text can cost.

use fairlead_yaml::{MAX_ALIASED_NODES, MAX_BYTES, MAX_DEPTH, parse};
use insta::assert_snapshot;

fn error(text: &str) -> String {
    parse(text).expect_err("the text is refused").to_string()
}

#[test]
fn aliases_of_aliases_are_stopped_before_they_are_copied() {
    let tenfold = |level: usize| format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", "));
    let levels: Vec<String> = (1..10).map(tenfold).collect();
    let text = format!("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n{}", levels.concat());
    assert_snapshot!(error(&text), @"yaml: line 5: document contains excessive aliasing: more than 100000 nodes");
}

#[test]
fn a_long_text_behind_an_alias_is_counted_in_bytes() {
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(1024 * 1024), vec!["*a"; 100].join(", "));
    assert_snapshot!(error(&text), @"yaml: line 2: document contains excessive aliasing: more than 67108864 bytes");
}

#[test]
fn the_limit_holds_for_all_documents_of_a_text_together() {
    let list = vec!["*a"; 1000].join(", ");
    let text = format!("---\na: &a 1\nb: [{list}]\n").repeat(MAX_ALIASED_NODES / 1000);
    assert!(error(&text).contains("excessive aliasing"));
}

#[test]
fn usual_aliases_are_far_below_the_limit() {
    let text = format!("a: &a {{b: [1, 2, 3]}}\nl: [{}]\n", vec!["*a"; 5000].join(", "));
    assert!(parse(&text).is_ok());
}

#[test]
fn nesting_is_bounded_in_every_way_to_nest() {
    let flow = format!("a: {}{}", "[".repeat(MAX_DEPTH + 1), "]".repeat(MAX_DEPTH + 1));
    assert_snapshot!(error(&flow), @"yaml: line 1: exceeded max depth of 255");
    let block: Vec<String> = (0..=MAX_DEPTH).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert!(error(&block.concat()).contains("exceeded max depth of 255"));
    let mixed = format!("{}{}", "- ".repeat(200), "[".repeat(200) + &"]".repeat(200));
    assert_snapshot!(error(&mixed), @"yaml: line 1: exceeded max depth of 255");
}

#[test]
fn an_alias_cannot_nest_what_its_text_does_not() {
    let (open, close) = ("[".repeat(100), "]".repeat(100));
    let text = format!("a: &a {open}x{close}\nb: &b {open}*a{close}\nc: &c {open}*b{close}\n");
    assert_snapshot!(error(&text), @"yaml: line 3: exceeded max depth of 255");
}

#[test]
fn the_deepest_text_that_is_read_can_be_walked() {
    let depth = MAX_DEPTH - 1;
    let node = parse(&format!("{}x{}", "[".repeat(depth), "]".repeat(depth))).expect("it is not too deep").remove(0);
    let json = node.to_json(fairlead_yaml::Schema::Kyaml).expect("it has a JSON form");
    assert!(fairlead_yaml::emit_json(&json).starts_with("- - - "));
    assert!(fairlead_yaml::emit(&node).starts_with("[[["));
}

#[test]
fn a_text_that_is_too_long_is_not_looked_at() {
    let text = "#".repeat(MAX_BYTES + 1);
    assert_snapshot!(error(&text), @"yaml: line 1: text has 134217729 bytes, at most 134217728 are read");
}

#[test]
fn many_comments_in_a_row_are_comments() {
    let text = "# c\n".repeat(5000) + "a: 1\n";
    assert!(parse(&text).is_ok());
}
