//! Where each field comes from, whatever has written it.

use std::collections::BTreeMap;

use fairlead_manifests::{BuildRequest, Built, CommonMetadata, Image, Patch, Selector, Substitution, Variables, build};
use fairlead_object::pointer_to;
use serde_json::Value;

use crate::scene::tree;

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  template:
    spec:
      containers:
      - name: web
        image: web:1
        envFrom:
        - configMapRef:
            name: settings
";

/// Every field of the built objects that holds no others, with the places that have written it, last one first.
fn origins(files: &[(&str, &str)], request: &BuildRequest) -> String {
    let built: Built = build(&tree(files), request).expect("it can be built");
    let mut lines = Vec::new();
    for manifest in &built.manifests {
        lines.push(format!("{} {}", manifest.id(), manifest.origin()));
        let mut add = |pointer: &str| {
            let places: Vec<_> = manifest.places(pointer).iter().map(ToString::to_string).collect();
            lines.push(format!("  {pointer} {}", places.join(" over ")));
        };
        leaves(&manifest.to_value(), "", &mut add);
    }
    // What names an object says nothing here.
    lines.retain(|line| !line.contains("/kind ") && !line.contains("/apiVersion "));
    lines.join("\n")
}

fn leaves(value: &Value, pointer: &str, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| leaves(value, &pointer_to(pointer, name), visit));
        }
        Value::Array(items) => {
            let item = |(index, value): (usize, &Value)| leaves(value, &pointer_to(pointer, &index.to_string()), visit);
            items.iter().enumerate().for_each(item);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => visit(pointer),
    }
}

fn overlay(kustomization: &str) -> String {
    let kustomization = format!("resources: [../base]\n{kustomization}");
    let files = [
        ("base/kustomization.yaml", "resources: [web.yaml]\n"),
        ("base/web.yaml", WEB),
        ("prod/kustomization.yaml", kustomization.as_str()),
        (
            "prod/merge.yaml",
            "# A comment.\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 2\n  paused: true\n",
        ),
        (
            "prod/operations.yaml",
            "- op: replace\n  path: /spec/replicas\n  value: 4\n- op: add\n  path: /spec/template/spec/containers/0/args\n  value: [run]\n",
        ),
        (
            "tier/kustomization.yaml",
            "kind: Component\nlabels:\n- pairs:\n    tier: front\nreplicas:\n- {name: web, count: 7}\n",
        ),
    ];
    let request = BuildRequest::new("prod".parse().expect("a path"));
    let all = origins(&files, &request);
    // What the overlay leaves alone is shown once, by the first test.
    let is_told = |line: &&str| !line.contains("base/") || line.contains(" over ") || !line.starts_with(' ');
    all.lines().filter(is_told).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_field_that_nothing_has_changed_is_where_it_was_written() {
    let files = [("app/web.yaml", WEB)];
    insta::assert_snapshot!(origins(&files, &BuildRequest::new("app".parse().expect("a path"))), @r"
    Deployment web app/web.yaml:1
      /metadata/name app/web.yaml:4
      /spec/replicas app/web.yaml:6
      /spec/template/spec/containers/0/envFrom/0/configMapRef/name app/web.yaml:14
      /spec/template/spec/containers/0/image app/web.yaml:11
      /spec/template/spec/containers/0/name app/web.yaml:10
    ");
}

#[test]
fn a_strategic_merge_patch_in_a_file_names_its_own_lines() {
    insta::assert_snapshot!(overlay("patches:\n- path: merge.yaml\n"), @r"
    Deployment web base/web.yaml:1
      /spec/paused prod/merge.yaml:8
      /spec/replicas prod/merge.yaml:7 over base/web.yaml:6
    ");
}

#[test]
fn an_inline_patch_names_the_lines_of_the_kustomization() {
    insta::assert_snapshot!(overlay("\
patches:
- target: {kind: Deployment}
  patch: |
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: any
    spec:
      replicas: 9
"), @r"
    Deployment web base/web.yaml:1
      /spec/replicas prod/kustomization.yaml:10 over base/web.yaml:6
    ");
}

#[test]
fn a_json_patch_names_the_operation() {
    insta::assert_snapshot!(overlay("patches:\n- path: operations.yaml\n  target: {kind: Deployment}\n"), @r"
    Deployment web base/web.yaml:1
      /spec/replicas prod/operations.yaml:1 over base/web.yaml:6
      /spec/template/spec/containers/0/args/0 prod/operations.yaml:4
    ");
}

#[test]
fn fields_of_a_kustomization_name_their_entries() {
    insta::assert_snapshot!(overlay("\
namespace: shop
namePrefix: prod-
images:
- name: web
  newTag: '2'
replicas:
- name: web
  count: 3
labels:
- pairs: {env: prod}
"), @r"
    Deployment shop/prod-web base/web.yaml:1
      /metadata/labels/env prod/kustomization.yaml:11
      /metadata/name prod/kustomization.yaml:3 over base/web.yaml:4
      /metadata/namespace prod/kustomization.yaml:2
      /spec/replicas prod/kustomization.yaml:8 over base/web.yaml:6
      /spec/template/spec/containers/0/image prod/kustomization.yaml:5 over base/web.yaml:11
    ");
}

#[test]
fn several_layers_are_all_told() {
    insta::assert_snapshot!(overlay("components: [../tier]\npatches:\n- path: merge.yaml\nreplicas:\n- {name: web, count: 3}\n"), @r"
    Deployment web base/web.yaml:1
      /metadata/labels/tier tier/kustomization.yaml:3
      /spec/paused prod/merge.yaml:8
      /spec/replicas prod/kustomization.yaml:6 over prod/merge.yaml:7 over tier/kustomization.yaml:6 over base/web.yaml:6
    ");
}

#[test]
fn a_reference_is_written_by_what_named_its_target() {
    insta::assert_snapshot!(overlay("\
configMapGenerator:
- name: settings
  literals: [colour=blue]
"), @r"
    Deployment web base/web.yaml:1
      /spec/template/spec/containers/0/envFrom/0/configMapRef/name prod/kustomization.yaml:3 over base/web.yaml:14
    ConfigMap settings-6g6gd9868f prod/kustomization.yaml:3
      /data/colour prod/kustomization.yaml:3
      /metadata/name prod/kustomization.yaml:3
    ");
}

#[test]
fn a_replacement_names_its_entry() {
    insta::assert_snapshot!(overlay("\
replacements:
- source: {kind: Deployment, name: web}
  targets:
  - select: {kind: Deployment}
    fieldPaths: ['spec.template.spec.containers.[name=web].image']
"), @r"
    Deployment web base/web.yaml:1
      /spec/template/spec/containers/0/image prod/kustomization.yaml:3 over base/web.yaml:11
    ");
}

#[test]
fn common_labels_name_their_field_in_selectors_and_templates_too() {
    insta::assert_snapshot!(overlay("\
commonLabels:
  env: prod
commonAnnotations:
  team: web
"), @r"
    Deployment web base/web.yaml:1
      /metadata/annotations/team prod/kustomization.yaml:5
      /metadata/labels/env prod/kustomization.yaml:3
      /spec/selector/matchLabels/env prod/kustomization.yaml:3
      /spec/template/metadata/annotations/team prod/kustomization.yaml:5
      /spec/template/metadata/labels/env prod/kustomization.yaml:3
    ");
}

#[test]
fn a_var_names_its_entry() {
    insta::assert_snapshot!(overlay("\
patches:
- target: {kind: Deployment}
  patch: |
    - op: add
      path: /spec/template/spec/containers/0/args
      value: [$(IMAGE), --of=$(IMAGE)]
vars:
- name: IMAGE
  objref: {apiVersion: apps/v1, kind: Deployment, name: web}
  fieldref: {fieldPath: spec.replicas}
"), @r"
    Deployment web base/web.yaml:1
      /spec/template/spec/containers/0/args/0 prod/kustomization.yaml:9 over prod/kustomization.yaml:5
      /spec/template/spec/containers/0/args/1 prod/kustomization.yaml:9 over prod/kustomization.yaml:5
    ");
}

#[test]
fn what_a_kustomization_object_adds_is_named_by_its_field() {
    let target = Selector { kind: "Deployment".into(), ..Selector::default() };
    let mut variables = Variables::default();
    variables.set("size", "5").expect("a name");
    let request = BuildRequest {
        patches: vec![Patch {
            patch: "- {op: replace, path: /spec/replicas, value: '${size}'}\n".into(),
            target: Some(target),
        }],
        images: vec![Image { name: "web".into(), new_tag: Some("3".into()), ..Image::default() }],
        target_namespace: Some("shop".into()),
        common_metadata: CommonMetadata {
            labels: BTreeMap::from([("team/name".into(), "a".into())]),
            ..CommonMetadata::default()
        },
        substitution: Some(Substitution { variables, ..Substitution::default() }),
        ..BuildRequest::new("app".parse().expect("a path"))
    };
    insta::assert_snapshot!(origins(&[("app/web.yaml", WEB)], &request), @r"
    Deployment shop/web app/web.yaml:1
      /metadata/labels/team~1name spec.commonMetadata
      /metadata/name app/web.yaml:4
      /metadata/namespace spec.targetNamespace
      /spec/replicas spec.postBuild over spec.patches[0] over app/web.yaml:6
      /spec/template/spec/containers/0/envFrom/0/configMapRef/name app/web.yaml:14
      /spec/template/spec/containers/0/image spec.images[0] over app/web.yaml:11
      /spec/template/spec/containers/0/name app/web.yaml:10
    ");
}
