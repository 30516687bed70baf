//! Charts that a kustomization names, and charts alone.

use std::sync::atomic::{AtomicUsize, Ordering};

use fairlead_helm::{ChartCache, World};
use fairlead_manifests::{BuildRequest, Built, ChartRequest, ValuesSource, attempt_chart, build, lint_chart};
use fairlead_object::MemoryTree;
use jiff::{Timestamp, Zoned, tz::TimeZone};

use crate::scene::{listed, outcome, printed, request, tree};

const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.0.0\n";
const VALUES: &str = "size: 1\nlist: [a, b]\nmap: {x: 1, z: 2}\n";

/// A template that shows what it was rendered with.
const SHOWN: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  namespace: {{ .Release.Namespace }}
  values: {{ toJson .Values | quote }}
";

/// The chart below `charts`, and a kustomization.
fn with_chart<'a>(kustomization: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let files = [
        ("charts/web/Chart.yaml", CHART),
        ("charts/web/values.yaml", VALUES),
        ("charts/web/templates/shown.yaml", SHOWN),
        ("kustomization.yaml", kustomization),
    ];
    files.into_iter().chain(more.iter().copied()).collect()
}

#[test]
fn a_chart_becomes_objects_that_the_overlay_works_on() {
    let files = with_chart(
        "\
namePrefix: prod-
labels:
- pairs: {env: prod}
helmCharts:
- name: web
  releaseName: shop
  namespace: orders
patches:
- target: {kind: ConfigMap}
  patch: |
    - {op: add, path: /data/more, value: x}
",
        &[],
    );
    insta::assert_snapshot!(printed(&files), @r#"
    apiVersion: v1
    data:
      more: x
      namespace: orders
      values: '{"list":["a","b"],"map":{"x":1,"z":2},"size":1}'
    kind: ConfigMap
    metadata:
      labels:
        env: prod
      name: prod-shop
    "#);
}

#[test]
fn an_object_says_which_line_of_which_template_made_it() {
    let pair = "\
{{- range $name := list \"a\" \"b\" }}
---
{{ if true }}
apiVersion: v1
kind: Secret
metadata:
  name: {{ $name }}
{{ end }}
{{- end }}
";
    let hook = "# A hook.\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: h, annotations: {helm.sh/hook: test}}\n";
    let subchart = "apiVersion: v2\nname: sub\nversion: 1.0.0\n";
    let list =
        "# A list.\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: s}\n";
    let more = [
        ("charts/web/templates/pair.yaml", pair),
        ("charts/web/templates/hook.yaml", hook),
        ("charts/web/charts/sub/Chart.yaml", subchart),
        ("charts/web/charts/sub/templates/list.yaml", list),
    ];
    let files = with_chart("helmCharts:\n- {name: web}\n", &more);
    insta::assert_snapshot!(listed(&tree(&files), ""), @"
    Secret a  charts/web/templates/pair.yaml:4
    Secret b  charts/web/templates/pair.yaml:4
    ConfigMap release-name  charts/web/templates/shown.yaml:1
    Pod h  charts/web/templates/hook.yaml:3
    Service s  charts/web/charts/sub/templates/list.yaml:5
    ");
}

#[test]
fn values_are_laid_over_each_other_as_the_entry_says() {
    let rows = [
        ("the chart's own", "", r#"{"list":["a","b"],"map":{"x":1,"z":2},"size":1}"#),
        ("a file in their place", "valuesFile: own.yaml", r#"{"list":["c"],"map":{"x":1,"z":2},"size":2}"#),
        (
            "inline over those of the file",
            "valuesInline: {list: [d], map: {x: 3}}",
            r#"{"list":["d"],"map":{"x":3,"z":2},"size":1}"#,
        ),
        (
            "the file over those inline",
            "valuesMerge: merge, valuesInline: {size: 4, more: true}",
            r#"{"list":["a","b"],"map":{"x":1,"z":2},"more":true,"size":1}"#,
        ),
        (
            "inline in place of the file",
            "valuesMerge: replace, valuesFile: own.yaml, valuesInline: {more: yes}",
            r#"{"list":["a","b"],"map":{"x":1,"z":2},"more":true,"size":1}"#,
        ),
        (
            "further files over all",
            "valuesInline: {size: 4}, additionalValuesFiles: [own.yaml, more.yaml]",
            r#"{"list":["c"],"map":{"x":5,"z":2},"size":2}"#,
        ),
    ];
    let more = [("own.yaml", "size: 2\nlist: [c]\n"), ("more.yaml", "map: {x: 5}\n")];
    for (what, fields, expected) in rows {
        let kustomization = format!("helmCharts:\n- {{name: web, {fields}}}\n");
        let shown = printed(&with_chart(&kustomization, &more));
        assert!(shown.contains(&format!("values: '{expected}'")), "{what}: {shown}");
    }
}

#[test]
fn the_namespace_is_the_one_of_the_nearest_kustomization_and_templates_decide_what_they_do_with_it() {
    let chart = with_chart("helmCharts:\n- {name: web}\n", &[]);
    let mut files: Vec<(String, &str)> = chart.iter().map(|(path, text)| (format!("base/{path}"), *text)).collect();
    let web = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n";
    files.push(("kustomization.yaml".into(), "namespace: shop\nresources: [base, service.yaml]\n"));
    files.push(("service.yaml".into(), web));
    insta::assert_snapshot!(printed(&files), @r#"
    apiVersion: v1
    data:
      namespace: shop
      values: '{"list":["a","b"],"map":{"x":1,"z":2},"size":1}'
    kind: ConfigMap
    metadata:
      name: release-name
    ---
    apiVersion: v1
    kind: Service
    metadata:
      name: web
      namespace: shop
    "#);
}

#[test]
fn definitions_hooks_and_tests_come_as_they_are_asked_for() {
    let hook = |name: &str, event: &str| {
        format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n  annotations: {{helm.sh/hook: {event}}}\n")
    };
    let (before, test) = (hook("before", "pre-install"), hook("test", "test"));
    let more = [
        (
            "charts/web/crds/widget.yaml",
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets}\n",
        ),
        ("charts/web/templates/before.yaml", before.as_str()),
        ("charts/web/templates/test.yaml", test.as_str()),
    ];
    let rows = [
        ("", "ConfigMap Pod/before Pod/test"),
        ("skipTests: true", "ConfigMap Pod/before"),
        ("skipHooks: true", "ConfigMap"),
        ("includeCRDs: true, skipHooks: true", "CustomResourceDefinition ConfigMap"),
    ];
    for (fields, expected) in rows {
        let kustomization = format!("helmCharts:\n- {{name: web, {fields}}}\n");
        let found = outcome(&tree(&with_chart(&kustomization, &more)), &BuildRequest::default(), |built: &Built| {
            let ids = built.manifests.iter().map(|manifest| match manifest.id() {
                id if id.kind == "Pod" => format!("Pod/{}", id.name),
                id => id.kind.clone(),
            });
            ids.collect::<Vec<_>>().join(" ")
        });
        assert_eq!(found, expected, "{fields}");
    }
}

#[test]
fn every_spelling_of_a_chart_means_the_same() {
    let rows = [
        ("a field", "helmCharts:\n- {name: web, releaseName: shop}\nhelmGlobals: {chartHome: charts}\n"),
        ("the old field", "helmChartInflationGenerator:\n- {chartName: web, releaseName: shop, chartHome: charts}\n"),
        ("a template of the name", "helmCharts:\n- {name: web, nameTemplate: '{{ lower \"SHOP\" }}'}\n"),
        (
            "a generator",
            "generators:\n- |\n  apiVersion: builtin\n  kind: HelmChartInflationGenerator\n  metadata: {name: any}\n  \
             name: web\n  releaseName: shop\n",
        ),
    ];
    for (what, kustomization) in rows {
        let found = listed(&tree(&with_chart(kustomization, &[])), "");
        assert_eq!(found, "ConfigMap shop  charts/web/templates/shown.yaml:1\n", "{what}");
    }
}

#[test]
fn a_chart_that_was_fetched_lies_in_a_folder_with_its_version() {
    let files = [
        ("vendor/web-1.0.0/web/Chart.yaml", CHART),
        ("vendor/web-1.0.0/web/values.yaml", ""),
        ("vendor/web-1.0.0/web/templates/shown.yaml", SHOWN),
        (
            "kustomization.yaml",
            "helmGlobals: {chartHome: vendor}\nhelmCharts:\n- {name: web, version: 1.0.0, repo: 'https://charts.example'}\n",
        ),
    ];
    assert!(printed(&files).contains("values: '{}'"), "{}", printed(&files));
}

#[test]
fn what_cannot_be_rendered_is_refused_with_its_place() {
    let rows = [
        "name: ''",
        "name: -f",
        "name: web, releaseName: --post-renderer=x",
        "name: wbe",
        "name: wbe, repo: 'https://charts.example', version: 1.0.0",
        "name: web, valuesMerge: over",
        "name: web, valuesFile: ../own.yaml",
        "name: web, valuesFile: none.yaml",
        "name: web, releaseName: a, nameTemplate: b",
        "name: web, kubeVersion: x",
    ];
    let refusals = rows.map(|fields| {
        let kustomization = format!("helmCharts:\n- {{{fields}}}\n");
        format!("{fields}\n{}", printed(&with_chart(&kustomization, &[])))
    });
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    name: ''
    error: kustomization.yaml:2: chart name cannot be empty

    name: -f
    error: kustomization.yaml:2: chart name must not start with '-', got "-f"

    name: web, releaseName: --post-renderer=x
    error: kustomization.yaml:2: releaseName must not start with '-', got "--post-renderer=x"

    name: wbe
    error: kustomization.yaml:2: no repo specified for pull, no chart found at '/charts/wbe'

    name: wbe, repo: 'https://charts.example', version: 1.0.0
    error: kustomization.yaml:2: `repo` is not supported: no chart found at '/charts/wbe-1.0.0/wbe', and nothing is fetched from https://charts.example
    hint: keep the chart in the source, unpacked at `charts/wbe-1.0.0/wbe`, or render it as a HelmRelease

    name: web, valuesMerge: over
    error: kustomization.yaml:2: valuesMerge must be one of [merge override replace]

    name: web, valuesFile: ../own.yaml
    error: kustomization.yaml:2: security; file '../own.yaml' is not in or below '/'

    name: web, valuesFile: none.yaml
    error: kustomization.yaml:2: evalsymlink failure on '/none.yaml' : '/none.yaml' doesn't exist

    name: web, releaseName: a, nameTemplate: b
    error: kustomization.yaml:2: cannot render the chart `charts/web`
      caused by: cannot set --name-template and also specify a name

    name: web, kubeVersion: x
    error: kustomization.yaml:2: cannot render the chart `charts/web`
      caused by: invalid kube version 'x': could not parse "x" as version
    "#);
}

#[test]
fn a_chart_that_is_different_every_time_is_refused() {
    let broken = |template: &str| {
        let files = with_chart("helmCharts:\n- {name: web}\n", &[]);
        let more = [("charts/web/templates/more.yaml", template)];
        printed(&files.into_iter().chain(more).collect::<Vec<_>>())
    };
    insta::assert_snapshot!(broken("# {{ randAlphaNum 8 }}"), @r"
    error: kustomization.yaml:2: cannot render the chart `charts/web`
      caused by: its templates ask for random numbers, and a build gives the same objects every time: give the values that they are to stand in for, such as passwords and keys
    ");
    insta::assert_snapshot!(broken("# {{ now | date \"2006\" }}"), @r"
    error: kustomization.yaml:2: cannot render the chart `charts/web`
      caused by: its templates ask for the time, and a build gives the same objects whenever it is done
    ");
    insta::assert_snapshot!(broken("a: {{ .Values.size | required }}"), @r#"
    error: kustomization.yaml:2: cannot render the chart `charts/web`
      caused by: web/templates/more.yaml:1:21
      executing "web/templates/more.yaml" at <required>:
        wrong number of args for required: want 2 got 1
    "#);
}

#[test]
fn a_chart_that_does_not_end_is_stopped() {
    let template = "{{ range until 100000000 }}{{ end }}";
    let files = with_chart("helmCharts:\n- {name: web}\n", &[("charts/web/templates/more.yaml", template)]);
    insta::assert_snapshot!(printed(&files), @r#"
    error: kustomization.yaml:2: cannot render the chart `charts/web`
      caused by: template: web/templates/more.yaml:1:9: executing "web/templates/more.yaml" at <until 100000000>: error calling until: the chart makes more than 1073741824 bytes of text and lists
    "#);
}

#[test]
fn a_build_depends_on_what_its_charts_are_made_of() {
    let kustomization = "helmCharts:\n- {name: web}\n";
    let built = build(&tree(&with_chart(kustomization, &[])), &request("")).expect("built");
    let needs_another = |path: &str| {
        let mut files = with_chart(kustomization, &[]);
        files.retain(|(kept, _)| *kept != path);
        files.push((path, "# Another text.\n"));
        built.inputs.first_change(&tree(&files), &request("")).is_some()
    };
    let rows = [
        ("elsewhere.yaml", false),
        ("charts/web/templates/shown.yaml", true),
        ("charts/web/templates/new.yaml", true),
        ("charts/web/values.yaml", true),
    ];
    for (path, expected) in rows {
        assert_eq!(needs_another(path), expected, "{path}");
    }
}

/// A world that counts how often a template looks something up.
#[derive(Default)]
struct CountingWorld {
    lookups: AtomicUsize,
}

impl World for CountingWorld {
    fn now(&self) -> Zoned {
        Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC)
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }

    fn lookup(&self, _: &str, _: &str, _: &str, _: &str) -> Option<serde_json::Value> {
        self.lookups.fetch_add(1, Ordering::Relaxed);
        None
    }
}

#[test]
fn a_change_of_values_that_no_template_read_renders_nothing() {
    let template =
        "kind: A\nmetadata: {name: {{ .Values.name }}}\nfound: {{ lookup \"v1\" \"Pod\" \"\" \"\" | len }}\n";
    let tree = |values: &str, given: &str, template: &str| {
        let files = [
            ("web/Chart.yaml", CHART),
            ("web/values.yaml", values),
            ("web/templates/t.yaml", template),
            ("own.yaml", given),
        ];
        MemoryTree::new(files).expect("paths")
    };
    let request = ChartRequest {
        path: "web".parse().expect("a path"),
        values: vec![ValuesSource::File("own.yaml".parse().expect("a path"))],
        ..ChartRequest::default()
    };
    let world = CountingWorld::default();
    let attempt =
        attempt_chart(&tree("name: a\nsize: 1\n", "more: 1\n", template), &request, &ChartCache::default(), &world);
    attempt.outcome.expect("rendered");

    let change = |values: &str, given: &str, template: &str| {
        attempt.inputs.first_change(&tree(values, given, template), &request).map(|change| change.to_string())
    };
    assert_eq!(change("name: a\nsize: 2\n", "more: 2\nother: {}\n", template), None);
    assert_eq!(change("name: a # the name\nsize: 1\n", "", template), None);
    assert_eq!(change("name: b\nsize: 1\n", "", template).as_deref(), Some("`.Values.name`"));
    assert_eq!(change("name: a\nsize: 1\n", "name: b\n", template).as_deref(), Some("`.Values.name`"));
    assert_eq!(change("name: [", "", template).as_deref(), Some("own.yaml"));
    assert_eq!(change("name: a\nsize: 2\n", "", "kind: B\n").as_deref(), Some("web/templates/t.yaml"));
    assert_eq!(world.lookups.into_inner(), 1, "it was rendered once");
}

#[test]
fn all_that_keeps_a_chart_from_being_loaded_is_told_at_once() {
    let files = [
        ("Chart.yaml", "apiVersion: v2\nname: web\n"),
        ("values.yaml", "- a\n"),
        (".helmignore", "a/**/b\n"),
        ("templates/a.yaml", "{{ if }}"),
        ("templates/b.yaml", "{{ nothing }}"),
        ("templates/c.yaml", "fine: true\n"),
        ("charts/db/Chart.yaml", "name: [\n"),
        ("charts/db/templates/d.yaml", "{{ end }}"),
        ("charts/cache/values.yaml", "a: 1\n"),
    ];
    let tree = MemoryTree::new(files).expect("paths");
    let findings = lint_chart(&tree, &ChartRequest::default(), &CountingWorld::default()).expect("readable");
    let places: Vec<&str> = findings.iter().map(|finding| finding.place.as_str()).collect();
    assert_eq!(
        places,
        [
            ".helmignore",
            "values.yaml",
            "Chart.yaml",
            "charts/cache",
            "charts/db",
            "web/templates/a.yaml:1",
            "web/templates/b.yaml:1",
            "web/charts/db/templates/d.yaml:1",
        ]
    );
}
