//! What scalars mean to kustomize and to kubectl.

use fairlead_yaml::{Node, Schema, emit_json, parse};
use insta::assert_snapshot;

use crate::{read, read_as};

/// Each row: what is written, what kustomize reads, what `sigs.k8s.io/yaml` reads.
const TABLE: &[(&str, &str, &str)] = &[
    ("yes", r#""yes""#, "true"),
    ("On", r#""On""#, "true"),
    ("y", r#""y""#, "true"),
    ("no", r#""no""#, "false"),
    ("OFF", r#""OFF""#, "false"),
    ("N", r#""N""#, "false"),
    ("oN", r#""oN""#, r#""oN""#),
    ("true", "true", "true"),
    ("True", "true", "true"),
    ("TRUE", "true", "true"),
    ("tRUE", r#""tRUE""#, r#""tRUE""#),
    ("False", "false", "false"),
    ("", "null", "null"),
    ("~", "null", "null"),
    ("Null", "null", "null"),
    ("nuLL", r#""nuLL""#, r#""nuLL""#),
    ("0", "0", "0"),
    ("-0", "0", "0"),
    ("+5", "5", "5"),
    ("0644", "420", "420"),
    ("0o644", "420", "420"),
    ("0O7", "7", "7"),
    ("-0o7", "-7", "-7"),
    ("0o8", r#""0o8""#, r#""0o8""#),
    ("08", "8", "8"),
    ("0123456789", "123456789", "123456789"),
    ("0b11", "3", "3"),
    ("-0b11", "-3", "-3"),
    ("0b-1", "-1", "-1"),
    ("0o-7", "-7", r#""0o-7""#),
    ("0b2", r#""0b2""#, r#""0b2""#),
    ("0x1F", "31", "31"),
    ("-0x1F", "-31", "-31"),
    ("0x", r#""0x""#, r#""0x""#),
    ("0x_1F", "31", "31"),
    ("1_000", "1000", "1000"),
    ("_1", r#""_1""#, r#""_1""#),
    ("1,000", r#""1,000""#, r#""1,000""#),
    ("9223372036854775807", "9223372036854775807", "9223372036854775807"),
    ("-9223372036854775808", "-9223372036854775808", "-9223372036854775808"),
    ("18446744073709551615", "18446744073709551615", "18446744073709551615"),
    ("18446744073709551616", "1.8446744073709552e+19", "1.8446744073709552e+19"),
    ("-9223372036854775809", "-9.223372036854776e+18", "-9.223372036854776e+18"),
    ("1.0", "1", "1"),
    ("1e3", "1000", "1000"),
    ("1.5e10", "15000000000", "15000000000"),
    ("1e21", "1e+21", "1e+21"),
    ("1e-7", "1e-7", "1e-7"),
    ("-0.0", "0", "0"),
    (".5", "0.5", "0.5"),
    ("5.", "5", "5"),
    ("+.5", "0.5", "0.5"),
    ("0.1_1", "0.11", "0.11"),
    ("._1", r#""._1""#, r#""._1""#),
    (".e3", r#"".e3""#, r#"".e3""#),
    ("1e400", r#""1e400""#, r#""1e400""#),
    ("1e-400", "0", "0"),
    ("1e", r#""1e""#, r#""1e""#),
    ("1.2.3", r#""1.2.3""#, r#""1.2.3""#),
    ("1:30", r#""1:30""#, r#""1:30""#),
    ("12:30:45", r#""12:30:45""#, r#""12:30:45""#),
    ("=", r#""=""#, r#""=""#),
    ("<<", r#""<<""#, r#""<<""#),
    ("2001-12-14", r#""2001-12-14T00:00:00Z""#, r#""2001-12-14""#),
    ("2020-1-1", r#""2020-01-01T00:00:00Z""#, r#""2020-1-1""#),
    ("2001-12-14t21:59:43.10-05:00", r#""2001-12-14T21:59:43.1-05:00""#, r#""2001-12-14t21:59:43.10-05:00""#),
    ("2001-12-14 21:59:43.10", r#""2001-12-14T21:59:43.1Z""#, r#""2001-12-14 21:59:43.10""#),
    ("2001-12-14T21:59:43+00:00", r#""2001-12-14T21:59:43Z""#, r#""2001-12-14T21:59:43+00:00""#),
    ("2001-2-30", r#""2001-2-30""#, r#""2001-2-30""#),
    ("2001-12-14T24:00:00Z", r#""2001-12-14T24:00:00Z""#, r#""2001-12-14T24:00:00Z""#),
    ("!!str 123", r#""123""#, r#""123""#),
    ("!!int 12", "12", "12"),
    ("!!float 1", "1", "1"),
    ("!!binary aGk=", r#""hi""#, r#""hi""#),
    ("!local 12", r#""12""#, r#""12""#),
    ("'12'", r#""12""#, r#""12""#),
    ("\"yes\"", r#""yes""#, r#""yes""#),
];

#[test]
fn each_schema_reads_scalars_by_its_own_rules() {
    for (written, kyaml, sigs) in TABLE {
        let text = format!("a: {written}\n");
        assert_eq!(read_as(&text, Schema::Kyaml), format!("{{\"a\":{kyaml}}}"), "{written} for kustomize");
        assert_eq!(read_as(&text, Schema::SigsYaml), format!("{{\"a\":{sigs}}}"), "{written} for kubectl");
    }
}

#[test]
fn keys_are_strings_whatever_they_look_like_where_the_tool_allows_it() {
    assert_snapshot!(read("yes: 1\ny: 2\n8080: 3\n"), @r#"{"8080":3,"y":2,"yes":1}"#);
    assert_snapshot!(read_as("yes: 1\n8080: 3\n1.5: 4\n0x10: 5\n", Schema::SigsYaml), @r#"{"1.5":4,"16":5,"8080":3,"true":1}"#);
}

#[test]
fn keys_that_no_json_object_has_are_errors() {
    assert_snapshot!(read("a:\n  true: 1\n"), @"yaml: line 2: unsupported map key: true");
    assert_snapshot!(read("a:\n  ~: 1\n"), @"yaml: line 2: unsupported map key: ~");
    assert_snapshot!(read_as("a: 1\nnull: 1\n", Schema::SigsYaml), @"yaml: line 2: unsupported map key: null");
    assert_snapshot!(read("a: {{ .x }}\n"), @"yaml: line 1: unsupported map key: a mapping");
    assert_snapshot!(read("? [a]\n: 1\n"), @"yaml: line 1: unsupported map key: a sequence");
}

#[test]
fn values_without_a_json_form_are_errors_with_their_line() {
    assert_snapshot!(read("a: 1\nb: .inf\n"), @"yaml: line 2: json: unsupported value: .inf");
    assert_snapshot!(read("a: 1\nb: -.Inf\n"), @"yaml: line 2: json: unsupported value: -.Inf");
    assert_snapshot!(read("a: [1, .NaN]\n"), @"yaml: line 1: json: unsupported value: .NaN");
    assert_snapshot!(read("a: 1\nb: !!int foo\n"), @"yaml: line 2: cannot decode `foo` as a !!int");
    assert_snapshot!(read("a: !!binary '*'\n"), @"yaml: line 1: cannot decode `*` as a !!binary");
}

#[test]
fn a_tree_made_of_json_means_the_same_in_every_schema() {
    let json = parse("{a: 'yes', b: [1, 2.5, null, true, '', '0644', '2001-12-14'], c: {'on': \"x\\ny\"}}")
        .expect("the text is YAML")[0]
        .to_json(Schema::Kyaml)
        .expect("it has a JSON form");
    let node = Node::from_json(&json);
    assert_eq!(node.to_json(Schema::Kyaml), Ok(json.clone()));
    assert_eq!(node.to_json(Schema::SigsYaml), Ok(json.clone()));
    assert_eq!(fairlead_yaml::emit(&node), emit_json(&json));
}
