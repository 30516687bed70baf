//! What a chart may not use up.

use fairlead_helm::Limits;

use crate::scene::{chart, rendered, template};

fn stopped(text: &str, limits: Limits) -> String {
    let error = rendered(&chart(&[("templates/t.yaml", text)]), &[], limits).expect_err("too much");
    let error = error.to_string();
    error.lines().last().unwrap_or_default().trim().rsplit(": ").next().unwrap_or_default().to_owned()
}

#[test]
fn a_chart_that_evaluates_too_much_is_stopped() {
    let text = "{{ range until 10000 }}{{ range until 10000 }}{{ $x := 1 }}{{ end }}{{ end }}";
    let limits = Limits { steps: 100_000, ..Limits::default() };
    assert_eq!(stopped(text, limits), "the chart evaluates more than 100000 steps");
}

#[test]
fn a_chart_that_makes_too_much_text_is_stopped_before_it_is_made() {
    for text in [
        "{{ repeat 2000000000 \"x\" }}",
        "{{ until 2000000000 }}",
        "{{ indent 2000000000 \"x\" }}",
        "{{ $x := \"xxxxxxxxxx\" }}{{ range until 100 }}{{ $x = printf \"%s%s\" $x $x }}{{ end }}",
    ] {
        let limits = Limits { bytes: 1 << 20, ..Limits::default() };
        assert_eq!(stopped(text, limits), "the chart makes more than 1048576 bytes of text and lists", "{text}");
    }
}

#[test]
fn templates_that_call_each_other_without_end_are_stopped() {
    let plain = "{{ define \"a\" }}{{ template \"a\" . }}{{ end }}{{ template \"a\" . }}";
    assert_eq!(stopped(plain, Limits::default()), "templates are nested deeper than 10000");
    let included = "{{ define \"a\" }}{{ include \"a\" . }}{{ end }}{{ include \"a\" . }}";
    assert_eq!(stopped(included, Limits::default()), "unable to execute template");
    let text = "{{ $x := \"{{ tpl . . }}\" }}{{ tpl $x $x }}";
    assert_eq!(stopped(text, Limits::default()), "templates are nested deeper than 2000");
}

#[test]
fn a_map_that_contains_itself_is_no_endless_one() {
    let made = "{{ $d := dict \"a\" 1 }}{{ $_ := set $d \"d\" $d }}";
    assert_eq!(template(&format!("{made}{{{{ toJson $d }}}}{{{{ toYaml $d }}}}{{{{ kindOf (deepCopy $d) }}}}")), "map");
    assert_eq!(template(&format!("{made}{{{{ eq (len (print $d)) 0 }}}}")), "false");
    assert_eq!(template(&format!("{made}{{{{ has $d (list (deepCopy $d)) }}}}")), "true");
}

#[test]
fn expressions_that_are_nested_too_deeply_are_refused() {
    let text = format!("{{{{ {}1{} }}}}", "(".repeat(5000), ")".repeat(5000));
    let error = template(&text);
    assert_eq!(error, "error: parse error at (shop/templates/t.yaml:1): max expression depth exceeded");
}
