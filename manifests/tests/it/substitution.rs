//! Variables from end to end.

use fairlead_manifests::{BuildRequest, Built, Strategy, Substitution, Variables};

use crate::scene::{outcome, tree};

const SETTINGS: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  host: shop.${domain}
  port: \"${port}\"
  level: ${level:=info}
  script: |
    for file in $(ls); do echo $${file}; done
";

fn request(values: &[(&str, &str)], strict: bool) -> BuildRequest {
    let mut variables = Variables::default();
    for (name, value) in values {
        variables.set(name, value).expect("a name");
    }
    let substitution = Substitution { variables, strategy: Strategy::WithVariables, strict };
    BuildRequest { substitution: Some(substitution), ..BuildRequest::default() }
}

#[test]
fn variables_get_their_values_after_the_build() {
    let text = outcome(
        &tree(&[("settings.yaml", SETTINGS)]),
        &request(&[("domain", "example.com"), ("port", "80")], true),
        Built::text,
    );
    insta::assert_snapshot!(text, @r"
    apiVersion: v1
    data:
      host: shop.example.com
      level: info
      port: 80
      script: |
        for file in $(ls); do echo ${file}; done
    kind: ConfigMap
    metadata:
      name: settings
    ");
}

#[test]
fn without_a_request_for_it_nothing_is_substituted() {
    let text = outcome(&tree(&[("settings.yaml", SETTINGS)]), &BuildRequest::default(), Built::text);
    assert!(text.contains("host: shop.${domain}\n") && text.contains("echo $${file}"), "{text}");
}

#[test]
fn a_variable_that_is_not_set_is_an_error_or_empty() {
    let tree = tree(&[("apps/settings.yaml", &format!("---\n{SETTINGS}"))]);
    insta::assert_snapshot!(outcome(&tree, &request(&[("port", "80")], true), Built::text), @r#"
    error: apps/settings.yaml:2: cannot substitute the variables of ConfigMap settings in `data.host`
      caused by: `${domain}`: variable not set (strict mode): "domain"
    hint: set `domain` in `postBuild`, give it a default as `${domain:=…}`, or write `$${domain}` to keep `${domain}` as it is
    "#);
    let lenient = outcome(&tree, &request(&[("port", "80")], false), Built::text);
    assert!(lenient.contains("host: shop.\n"), "{lenient}");
}

#[test]
fn a_variable_can_make_two_objects_one_and_that_is_refused() {
    let object = |variable: &str| format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: ${{{variable}}}\n");
    let files = [("a.yaml", object("a")), ("b.yaml", format!("\n\n{}", object("b")))];
    let text = outcome(&tree(&files), &request(&[("a", "same"), ("b", "same")], true), Built::text);
    insta::assert_snapshot!(text, @"error: b.yaml:3: Secret same is there twice; the first is at a.yaml:1");
}
