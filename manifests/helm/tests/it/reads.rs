//! Which values templates read.

use fairlead_helm::{Limits, Release, UserValues, ValuesChange, render_noting_values};

use crate::scene::{StillWorld, chart};

const VALUES: &str = "\
image: {repository: web, tag: '1'}
unused: {a: 1, b: 2}
labels: {tier: front}
hosts: [a, b]
name: shop
enabled: true
";

const TEMPLATE: &str = "\
{{- if .Values.enabled }}
kind: A
metadata: {name: {{ .Values.name }}}
image: {{ .Values.image.tag }}
---
kind: B
labels: {{ toJson .Values.labels }}
{{- range .Values.hosts }}
host: {{ . }}
{{- end }}
{{- if .Values.extra }}
extra: {}
{{- end }}
{{- end }}
";

fn set(text: &str) -> Vec<UserValues> {
    vec![UserValues::Set(text.to_owned())]
}

#[test]
fn a_manifest_names_the_values_that_were_read_for_it() {
    let chart = chart(&[("values.yaml", VALUES), ("templates/t.yaml", TEMPLATE)]);
    let world = StillWorld::default();
    let (rendered, _) =
        render_noting_values(&chart, &Release::default(), &[], &world, Limits::default()).expect("rendered");
    let read: Vec<String> = rendered
        .manifests
        .iter()
        .map(|manifest| {
            let values: Vec<String> = manifest.values.iter().map(ToString::to_string).collect();
            format!("{}: {}", manifest.kind, values.join(" "))
        })
        .collect();
    assert_eq!(read, ["A: enabled image image.tag name", "B: enabled extra hosts labels"]);
}

#[test]
fn only_a_change_of_what_was_read_asks_for_another_rendering() {
    let chart = chart(&[("values.yaml", VALUES), ("templates/t.yaml", TEMPLATE)]);
    let world = StillWorld::default();
    let (_, read) =
        render_noting_values(&chart, &Release::default(), &[], &world, Limits::default()).expect("rendered");
    let change = |text: &str| match read.first_change(&chart, &Release::default(), &set(text)).expect("values") {
        None => "nothing".to_owned(),
        Some(ValuesChange::Charts) => "charts".to_owned(),
        Some(ValuesChange::Value(path)) => path.to_string(),
    };
    for (text, expected) in [
        ("unused.a=5", "nothing"),
        ("unused=null", "nothing"),
        ("more.b=1", "nothing"),
        ("image.repository=db", "nothing"),
        ("image.tag=2", "image.tag"),
        ("image=x", "image"),
        ("labels.zone=b", "labels"),
        ("hosts[0]=c", "hosts"),
        ("extra=true", "extra"),
        ("name=null", "name"),
        ("enabled=true", "nothing"),
    ] {
        assert_eq!(change(text), expected, "{text}");
    }
}

#[test]
fn what_a_template_sets_is_not_taken_for_what_was_given() {
    let template = "{{ $_ := set .Values \"made\" 1 }}made: {{ .Values.made }}";
    let chart = chart(&[("values.yaml", VALUES), ("templates/t.yaml", template)]);
    let world = StillWorld::default();
    let (_, read) =
        render_noting_values(&chart, &Release::default(), &[], &world, Limits::default()).expect("rendered");
    assert_eq!(read.first_change(&chart, &Release::default(), &[]).expect("values"), None);
}
