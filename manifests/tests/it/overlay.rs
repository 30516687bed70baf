//! What a request lays over the root.

use std::collections::BTreeMap;

use fairlead_manifests::{BuildMetadata, BuildRequest, Built, CommonMetadata, Image, Order, Patch, Selector};

use crate::scene::{config_map, outcome, request, tree};

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      - image: nginx:1.0
        name: web
";

/// What a root with the fields `kustomization` over `WEB` builds to under `request`.
fn overlaid(kustomization: &str, request: &BuildRequest) -> String {
    let root = format!("resources: [web.yaml]\n{kustomization}");
    outcome(&tree(&[("kustomization.yaml", root.as_str()), ("web.yaml", WEB)]), request, Built::text)
}

/// The lines of `text` that hold one of `words`.
fn lines_with(text: &str, words: &[&str]) -> String {
    let lines = text.lines().filter(|line| words.iter().any(|word| line.contains(word)));
    lines.flat_map(|line| [line.trim(), "\n"]).collect()
}

#[test]
fn namespace_prefix_and_suffix_replace_those_of_the_root() {
    let request = BuildRequest {
        target_namespace: Some("shop".into()),
        name_prefix: Some("a-".into()),
        name_suffix: Some("-b".into()),
        ..BuildRequest::default()
    };
    let written = "namespace: other\nnamePrefix: x-\nnameSuffix: -y\n";
    insta::assert_snapshot!(lines_with(&overlaid(written, &request), &["name"]), @r"
    name: a-web-b
    namespace: shop
    name: web
    ");
}

#[test]
fn patches_are_applied_after_those_of_the_root() {
    let patch = |patch: &str, kind: Option<&str>| {
        let target = kind.map(|kind| Selector { kind: kind.into(), ..Selector::default() });
        Patch { patch: patch.into(), target }
    };
    let request = BuildRequest {
        patches: vec![
            patch(
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2, paused: true}\n",
                None,
            ),
            patch("- {op: replace, path: /spec/replicas, value: 3}\n", Some("Deployment")),
        ],
        ..BuildRequest::default()
    };
    let written =
        "patches:\n- patch: |-\n    - {op: add, path: /spec/replicas, value: 1}\n  target: {kind: Deployment}\n";
    insta::assert_snapshot!(lines_with(&overlaid(written, &request), &["replicas", "paused"]), @r"
    paused: true
    replicas: 3
    ");
}

#[test]
fn images_are_merged_by_name_with_tag_and_digest_as_one() {
    let image = |new_name: Option<&str>, new_tag: Option<&str>, digest: Option<&str>| {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let image =
            Image { name: "nginx".into(), new_name: text(new_name), new_tag: text(new_tag), digest: text(digest) };
        BuildRequest { images: vec![image], ..BuildRequest::default() }
    };
    let rows = [
        ("nothing written", "", image(None, Some("2"), None), "nginx:2"),
        ("a name keeps the tag", "newTag: '1'", image(Some("mirror"), None, None), "mirror:1"),
        ("a tag keeps the name", "newName: mirror\n  newTag: '1'", image(None, Some("2"), None), "mirror:2"),
        ("a tag takes the place of a digest", "digest: sha256:00", image(None, Some("2"), None), "nginx:2"),
        ("a digest takes the place of a tag", "newTag: '1'", image(None, None, Some("sha256:01")), "nginx@sha256:01"),
        ("an empty field says nothing", "newTag: '1'", image(Some(""), Some(""), None), "nginx:1"),
    ];
    for (row, written, request, expected) in rows {
        let written = if written.is_empty() { String::new() } else { format!("images:\n- name: nginx\n  {written}\n") };
        let image = lines_with(&overlaid(&written, &request), &["image: "]);
        assert_eq!(image, format!("- image: {expected}\n"), "{row}");
    }
}

#[test]
fn components_are_used_after_those_of_the_root() {
    let component =
        |suffix: &str| format!("kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nnameSuffix: {suffix}\n");
    let files = [
        ("app/kustomization.yaml", "resources: [web.yaml]\ncomponents: [../first]\n"),
        ("app/web.yaml", WEB),
        ("first/kustomization.yaml", &component("-first")),
        ("second/kustomization.yaml", &component("-second")),
    ];
    let with = |components: &[&str], ignore_missing_components| {
        let components = components.iter().map(|component| (*component).to_owned()).collect();
        let request = BuildRequest { components, ignore_missing_components, ..request("app") };
        outcome(&tree(&files), &request, |built| built.manifests[0].id().name.clone())
    };
    assert_eq!(with(&["../second"], false), "web-first-second");
    assert_eq!(with(&["../absent", "../second"], true), "web-first-second");
    insta::assert_snapshot!(with(&["../second", "../absent"], false), @r"
    error: spec.components[1]: accumulating components: accumulateDirectory
      caused by: must build at directory: not a valid directory: evalsymlink failure on '/absent' : '/absent' doesn't exist
    ");
    insta::assert_snapshot!(with(&["https://example.com/components"], true), @r"
    error: spec.components[0]: accumulating components: accumulateDirectory
      caused by: spec.components[0]: `https://example.com/components` is remote, and a build fetches nothing
    hint: copy it into the source, or declare a source of its own for it
    ");
    insta::assert_snapshot!(with(&["../../elsewhere"], true), @r"
    error: spec.components[0]: accumulating components: accumulateDirectory
      caused by: spec.components[0]: security; file '../../elsewhere' is not in or below '/app'
    ");
}

#[test]
fn labels_and_annotations_for_every_object_win() {
    let entry = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
    let common_metadata = CommonMetadata { labels: entry("team", "shop"), annotations: entry("note", "from spec") };
    let request = BuildRequest { common_metadata, ..BuildRequest::default() };
    let text = overlaid("commonLabels: {team: other}\ncommonAnnotations: {note: other, kept: 'yes'}\n", &request);
    insta::assert_snapshot!(text.split("spec:").next().unwrap_or_default(), @r#"
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      annotations:
        kept: "yes"
        note: from spec
      labels:
        team: shop
      name: web
    "#);
}

#[test]
fn build_metadata_replaces_that_of_the_root() {
    let request = BuildRequest { build_metadata: vec![BuildMetadata::OriginAnnotations], ..BuildRequest::default() };
    let text = overlaid("buildMetadata: [managedByLabel]\n", &request);
    insta::assert_snapshot!(lines_with(&text, &["config.kubernetes.io", "path:", "managed-by"]), @r"
    config.kubernetes.io/origin: |
    path: web.yaml
    ");
}

#[test]
fn an_overlay_reaches_the_objects_of_a_plain_directory() {
    let request = BuildRequest { target_namespace: Some("shop".into()), ..request("apps") };
    let ids =
        outcome(&tree(&[("apps/a.yaml", &config_map("a"))]), &request, |built| built.manifests[0].id().to_string());
    assert_eq!(ids, "ConfigMap shop/a");
}

#[test]
fn objects_are_ordered_as_written_or_by_kind() {
    let files = [
        ("a.yaml", WEB),
        ("b.yaml", &config_map("b")),
        ("c.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: c}\n"),
    ];
    let kinds = |order| {
        let request = BuildRequest { order, ..BuildRequest::default() };
        outcome(&tree(&files), &request, |built| {
            built.manifests.iter().map(|manifest| manifest.id().kind.clone()).collect::<Vec<_>>().join(" ")
        })
    };
    assert_eq!(kinds(Order::AsWritten), "Deployment ConfigMap Namespace");
    assert_eq!(kinds(Order::ByKind), "Namespace ConfigMap Deployment");
}

#[test]
fn what_kustomize_warns_of_is_told_once_for_each_file_that_has_it() {
    let files = tree(&[
        ("kustomization.yaml", "bases: [base]\nvars: []\npatchesStrategicMerge:\n"),
        ("base/kustomization.yaml", "commonLabels: {a: b}\nresources: [a.yaml]\n"),
        ("base/a.yaml", config_map("a").as_str()),
    ]);
    let shown = outcome(&files, &BuildRequest::default(), |built| built.warnings.join("\n"));
    insta::assert_snapshot!(shown, @r"
    # Warning: 'bases' is deprecated. Please use 'resources' instead. Run 'kustomize edit fix' to update your Kustomization automatically.
    # Warning: 'vars' is deprecated. Please use 'replacements' instead. [EXPERIMENTAL] Run 'kustomize edit fix' to update your Kustomization automatically.
    # Warning: 'commonLabels' is deprecated. Please use 'labels' instead. Run 'kustomize edit fix' to update your Kustomization automatically.
    ");
}
