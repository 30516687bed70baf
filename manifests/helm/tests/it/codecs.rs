//! What codecs say of texts that they cannot read, in Helm's words.

use crate::scene::template;

#[test]
fn a_number_out_of_range_is_told_and_the_rest_is_kept() {
    let rows = [
        (
            r#"{{ fromJson "{\"a\": 1e400}" | toJson }}"#,
            r#"{"Error":"json: cannot unmarshal number 1e400 into Go value of type float64","a":null}"#,
        ),
        (
            r#"{{ fromJson "{\"a\": {\"1e999\": [1, -1e999]}}" | toJson }}"#,
            r#"{"Error":"json: cannot unmarshal number -1e999 into Go value of type float64","a":{"1e999":[1,null]}}"#,
        ),
        (
            r#"{{ fromJson "[1e400]" | toJson }}"#,
            r#"{"Error":"json: cannot unmarshal array into Go value of type map[string]interface {}"}"#,
        ),
        (
            r#"{{ fromJsonArray "[1e400]" | toJson }}"#,
            r#"["json: cannot unmarshal number 1e400 into Go value of type float64"]"#,
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(template(text), expected, "{text}");
    }
}

#[test]
fn a_directive_without_a_name_is_told() {
    let rows = [
        ("%: v", "yaml: could not find expected directive name"),
        ("%b: 2", "yaml: found unexpected non-alphabetical character"),
        (r"a: 1\n%b: 2", "yaml: line 2: found unexpected non-alphabetical character"),
    ];
    for (text, expected) in rows {
        let shown = template(&format!("{{{{ fromYaml \"{text}\" | toJson }}}}"));
        assert_eq!(shown, format!(r#"{{"Error":"error converting YAML to JSON: {expected}"}}"#), "{text}");
    }
}
