//! Directories without a kustomization file.

use fairlead_manifests::{BuildRequest, Built, DIRECTORY_LIMIT_DEPTH};

use crate::scene::{config_map, listed, outcome, printed, tree};

#[test]
fn every_manifest_below_a_directory_is_built_by_name_in_byte_order() {
    let object = |name: &str| config_map(name);
    let files = [
        ("apps/b.yaml", object("b")),
        ("apps/a.yml", object("a")),
        ("apps/Z.yaml", object("z")),
        ("apps/a/inner.yaml", object("inner")),
        ("apps/.hidden.yaml", object("hidden")),
        ("apps/.hidden/x.yaml", object("hidden-x")),
        ("apps/.git/refs/heads/new.yaml", "not a manifest".to_owned()),
        ("apps/README.md", "# not a manifest".to_owned()),
        ("apps/data.json", "{}".to_owned()),
        ("apps/upper.YAML", "not: a manifest".to_owned()),
        ("other/c.yaml", object("c")),
    ];
    insta::assert_snapshot!(listed(&tree(&files), "apps"), @r"
    ConfigMap hidden-x  apps/.hidden/x.yaml:1
    ConfigMap hidden  apps/.hidden.yaml:1
    ConfigMap z  apps/Z.yaml:1
    ConfigMap inner  apps/a/inner.yaml:1
    ConfigMap a  apps/a.yml:1
    ConfigMap b  apps/b.yaml:1
    ");
}

#[test]
fn a_directory_with_a_kustomization_file_is_built_as_that_file_says() {
    let files = [
        ("a/kustomization.yml", "resources: [used.yaml]\nnamePrefix: a-\n"),
        ("a/used.yaml", &config_map("used")),
        ("a/unused.yaml", &config_map("unused")),
        ("a/below/unused.yaml", &config_map("below")),
        ("b/Kustomization", "resources: [used.yaml]\nnamePrefix: b-\n"),
        ("b/used.yaml", &config_map("used")),
        ("c.yaml", &config_map("c")),
    ];
    insta::assert_snapshot!(listed(&tree(&files), ""), @r"
    ConfigMap a-used  a/used.yaml:1
    ConfigMap b-used  b/used.yaml:1
    ConfigMap c  c.yaml:1
    ");
}

#[test]
fn the_origin_of_an_object_names_its_line_and_only_files_that_are_there() {
    let files = [
        ("a/kustomization.yaml", "resources: [x.yaml]\n"),
        ("a/x.yaml", &format!("# a comment\n---\n{}---\n{}", config_map("one"), config_map("two"))),
    ];
    let origins = outcome(&tree(&files), &BuildRequest::default(), |built| {
        let lines = built.manifests.iter().map(|manifest| {
            let overlays: Vec<_> = manifest.origin().overlays.iter().map(ToString::to_string).collect();
            format!("{} {} by {}\n", manifest.id().name, manifest.origin(), overlays.join(", "))
        });
        lines.collect()
    });
    insta::assert_snapshot!(origins, @r"
    one a/x.yaml:3 by a/kustomization.yaml
    two a/x.yaml:8 by a/kustomization.yaml
    ");
}

#[test]
fn a_list_is_built_as_its_items() {
    let list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: a}}\n- {apiVersion: v1, kind: Secret, metadata: {name: b}}\n";
    insta::assert_snapshot!(listed(&tree(&[("list.yaml", list)]), ""), @r"
    Secret a  list.yaml:4
    Secret b  list.yaml:5
    ");
}

#[test]
fn a_directory_in_which_nothing_is_found_builds_to_nothing() {
    for files in [
        &[("README.md", "nothing to apply yet")][..],
        &[("kustomization.yaml", "")],
        &[("kustomization.yaml", "resources: []\n")],
    ] {
        assert_eq!(printed(files), "", "{files:?}");
    }
}

#[test]
fn kustomizes_own_objects_are_not_applied() {
    let build_file =
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nmetadata:\n  name: not-a-resource\n";
    let files = [("a.yaml", config_map("a")), ("saved.yaml", build_file.to_owned())];
    assert_eq!(printed(&files), config_map("a"));
}

#[test]
fn the_text_has_sorted_keys_and_its_digest_is_the_builds() {
    let files = [
        ("a.yaml", "kind: ConfigMap\nmetadata: {name: a}\ndata: {z: \"yes\", b: 'no'}\napiVersion: v1\n"),
        ("b.yaml", &config_map("b")),
    ];
    let text = outcome(&tree(&files), &BuildRequest::default(), |built| {
        assert_eq!(built.digest(), fairlead_object::Digest::of(built.text().as_bytes()));
        Built::text(built)
    });
    insta::assert_snapshot!(text, @r#"
    apiVersion: v1
    data:
      b: "no"
      z: "yes"
    kind: ConfigMap
    metadata:
      name: a
    ---
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: b
    "#);
}

#[test]
fn directories_are_searched_up_to_a_depth() {
    let at_depth = |depth: usize| format!("{}a.yaml", "d/".repeat(depth));
    let build_at = |depth: usize| listed(&tree(&[(&at_depth(depth), &config_map("a"))]), "");
    assert_eq!(build_at(DIRECTORY_LIMIT_DEPTH), format!("ConfigMap a  {}:1\n", at_depth(DIRECTORY_LIMIT_DEPTH)));
    let directory = "d/".repeat(DIRECTORY_LIMIT_DEPTH + 1);
    assert_eq!(
        build_at(DIRECTORY_LIMIT_DEPTH + 1),
        format!("error: `{}` lies more than 64 directories deep\n", directory.trim_end_matches('/'))
    );
}
