//! What is wrong with a source is said whole: which file, which line, which object, and what to do.

use std::fmt::Write as _;

use fairlead_manifests::{BuildRequest, Built};
use fairlead_object::LocalTree;

use crate::scene::{config_map, listed, outcome, path, printed, request, tree};

#[test]
fn yaml_that_cannot_be_read() {
    insta::assert_snapshot!(printed(&[("a.yaml", &format!("{}  labels: {{a: b\n", config_map("a")))]), @r"
    error: a.yaml:5: MalformedYAMLError
      caused by: yaml: line 5: did not find expected ',' or '}'
    ");
    insta::assert_snapshot!(printed(&[("a.yaml", &format!("{}---\nkind: [\n", config_map("a")))]), @r"
    error: a.yaml:6: MalformedYAMLError
      caused by: yaml: line 6: did not find expected ',' or ']'
    ");
    insta::assert_snapshot!(printed(&[("a.yaml", "apiVersion: v1\n\tkind: Secret\n")]), @r"
    error: a.yaml:1: MalformedYAMLError
      caused by: yaml: line 1: found a tab
    ");
    insta::assert_snapshot!(printed(&[("a.yaml", &format!("{}data: *nowhere\n", config_map("a")))]), @r"
    error: a.yaml:5: MalformedYAMLError
      caused by: yaml: line 5: unknown anchor 'nowhere' referenced
    ");
    insta::assert_snapshot!(printed(&[("kustomization.yaml", "resources:\n- a.yaml\n  - b.yaml: c\n")]), @r"
    error: kustomization.yaml:3: MalformedYAMLError
      caused by: yaml: line 3: mapping values are not allowed in this context
    ");
}

#[test]
fn a_file_that_is_no_text() {
    let mut files = tree(&[("b.yaml", &config_map("b"))]);
    files.insert(path("a.yaml"), [0xff, 0xfe, 0x00].as_slice());
    insta::assert_snapshot!(outcome(&files, &BuildRequest::default(), Built::text), @"error: a.yaml:1: the file is not UTF-8");
}

#[test]
fn duplicate_keys() {
    insta::assert_snapshot!(printed(&[("a.yaml", &format!("{}data: {{}}\nkind: Secret\n", config_map("a")))]), @r#"
    error: a.yaml:6: cannot read the object
      caused by: yaml: unmarshal errors:
      line 6: mapping key "kind" already defined at line 2
    "#);
    insta::assert_snapshot!(printed(&[("a.yaml", &format!("{}data:\n  x: a\n  y: b\n  x: c\n", config_map("a")))]), @r#"
    error: a.yaml:8: cannot read the object
      caused by: yaml: unmarshal errors:
      line 8: mapping key "x" already defined at line 6
    "#);
}

#[test]
fn documents_that_are_no_objects() {
    insta::assert_snapshot!(printed(&[("a.yaml", "- just\n- a list\n")]), @"error: a.yaml:1: json: cannot unmarshal array into Go value of type map[string]interface {}");
    insta::assert_snapshot!(printed(&[("values.yaml", "replicas: 2\nimage: nginx\n")]), @r"
    error: values.yaml:1: missing Resource metadata
    hint: a directory without a kustomization file is applied whole: name what is meant in a `kustomization.yaml`, or leave the file out with a `.sourceignore`
    ");
    insta::assert_snapshot!(printed(&[("a.yaml", &format!("{}---\napiVersion: v1\nkind: Secret\nmetadata: {{}}\n", config_map("a")))]), @r"
    error: a.yaml:6: missing metadata.name in object
    hint: a directory without a kustomization file is applied whole: name what is meant in a `kustomization.yaml`, or leave the file out with a `.sourceignore`
    ");
    insta::assert_snapshot!(printed(&[("a.yaml", "kind: Secret\nmetadata: {name: a}\n")]), @"error: a.yaml:1: `apiVersion` is missing or not a text");
}

#[test]
fn missing_files_and_directories() {
    let kustomization = "resources:\n- web.yaml\n- wbe.yaml\n";
    insta::assert_snapshot!(printed(&[("kustomization.yaml", kustomization), ("web.yaml", &config_map("a"))]), @r"
    error: kustomization.yaml:3: accumulating resources: accumulation err='accumulating resources from 'wbe.yaml': evalsymlink failure on '/wbe.yaml' : '/wbe.yaml' doesn't exist'
      caused by: must build at directory: not a valid directory: evalsymlink failure on '/wbe.yaml' : '/wbe.yaml' doesn't exist
    hint: did you mean `web.yaml`?
    ");
    insta::assert_snapshot!(printed(&[("kustomization.yaml", "\n\nresources: [../../elsewhere]\n")]), @r"
    error: kustomization.yaml:3: accumulating resources: accumulation err='accumulating resources from '../../elsewhere': security; file '../../elsewhere' is not in or below '/''
      caused by: kustomization.yaml:3: security; file '../../elsewhere' is not in or below '/'
    ");
    insta::assert_snapshot!(printed(&[("kustomization.yaml", "resources: [empty]\n"), ("empty/README.md", "")]), @r"
    error: kustomization.yaml:1: accumulating resources from 'empty'
      caused by: unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '/empty'
    ");
    insta::assert_snapshot!(listed(&tree(&[("apps/a.yaml", "")]), "app"), @"error: kustomization path not found: `app` is not in the source");
    insta::assert_snapshot!(listed(&tree(&[("apps/a.yaml", "")]), "apps/a.yaml"), @"error: kustomization path not found: `apps/a.yaml` is a file, and only a directory can be built");
}

#[test]
fn fields_that_do_not_exist() {
    let files = [("kustomization.yaml", "resources: [a.yaml]\nnamePrefx: a-\n"), ("a.yaml", &config_map("a"))];
    insta::assert_snapshot!(printed(&files), @r#"
    error: kustomization.yaml:2: invalid Kustomization: json: unknown field "namePrefx"
    hint: did you mean `namePrefix`?
    "#);
}

#[test]
fn bases_that_go_round_in_a_circle() {
    let files = [("a/kustomization.yaml", "resources:\n- ../b\n"), ("b/kustomization.yaml", "resources:\n- ../a\n")];
    insta::assert_snapshot!(listed(&tree(&files), "a"), @r"
    error: a/kustomization.yaml:2: accumulating resources from '../b'
      caused by: b/kustomization.yaml:2: accumulating resources: accumulation err='accumulating resources from '../a': '/a' must resolve to a file'
      caused by: b/kustomization.yaml:2: cycle detected: candidate root '/a' contains visited root '/a'
    ");
    insta::assert_snapshot!(listed(&tree(&[("a/kustomization.yaml", "resources: [.]\n")]), "a"), @r"
    error: a/kustomization.yaml:1: accumulating resources: accumulation err='accumulating resources from '.': '/a' must resolve to a file'
      caused by: a/kustomization.yaml:1: cycle detected: candidate root '/a' contains visited root '/a'
    ");
}

#[test]
fn bases_on_the_network() {
    let rows = [
        "https://example.com/manifests.yaml",
        "github.com/org/repository//base?ref=v1",
        "git@example.com:org/repository",
    ];
    let mut text = String::new();
    for row in rows {
        let files = [("kustomization.yaml", format!("resources:\n- {row}\n"))];
        write!(text, "{}", printed(&files)).expect("a text grows");
    }
    insta::assert_snapshot!(text, @r"
    error: kustomization.yaml:2: `https://example.com/manifests.yaml` is remote, and a build fetches nothing
    hint: copy it into the source, or declare a source of its own for it
    error: kustomization.yaml:2: `github.com/org/repository//base?ref=v1` is remote, and a build fetches nothing
    hint: copy it into the source, or declare a source of its own for it
    error: kustomization.yaml:2: `git@example.com:org/repository` is remote, and a build fetches nothing
    hint: copy it into the source, or declare a source of its own for it
    ");
}

#[test]
fn patches_without_an_object() {
    let with = |patch: &str| {
        let kustomization = format!("resources: [web.yaml]\npatches:\n{patch}");
        printed(&[("kustomization.yaml", &kustomization), ("web.yaml", &config_map("web"))])
    };
    insta::assert_snapshot!(with("- patch: |-\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: wbe}\n"), @r#"
    error: kustomization.yaml:3: no resource matches strategic merge patch "ConfigMap.v1.[noGrp]/wbe.[noNs]": no matches for Id ConfigMap.v1.[noGrp]/wbe.[noNs]; failed to find unique target for patch ConfigMap.v1.[noGrp]/wbe.[noNs]
    hint: did you mean `ConfigMap.v1.[noGrp]/web.[noNs]`?
    "#);
    insta::assert_snapshot!(with("- path: absent.yaml\n"), @"error: kustomization.yaml:3: evalsymlink failure on '/absent.yaml' : '/absent.yaml' doesn't exist");
    insta::assert_snapshot!(with("- target: {kind: ConfigMap}\n  patch: |-\n    - {op: replace, path: /data/x, value: 1}\n"), @"error: kustomization.yaml:3: cannot patch ConfigMap.v1.[noGrp]/web.[noNs]: replace operation does not apply: doc is missing path: /data/x: missing value");
}

#[test]
fn an_object_that_is_there_twice() {
    let files = [("a.yaml", config_map("same")), ("b/c.yaml", format!("\n{}", config_map("same")))];
    insta::assert_snapshot!(printed(&files), @r"
    error: b/c.yaml:2: may not add resource with an already registered id: ConfigMap.v1.[noGrp]/same.[noNs]
    hint: the first one is at a.yaml:1
    ");
    let two_versions =
        "apiVersion: a.io/v1\nkind: X\nmetadata: {name: x}\n---\napiVersion: a.io/v2\nkind: X\nmetadata: {name: x}\n";
    insta::assert_snapshot!(printed(&[("a.yaml", two_versions)]), @"error: a.yaml:5: X x is there twice; the first is at a.yaml:1");
}

#[test]
fn aliases_that_grow_without_end() {
    let mut text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, before) in ('b'..='i').zip('a'..) {
        let aliases = format!("*{before}, ").repeat(10);
        writeln!(text, "{name}: &{name} [{aliases}]").expect("a text grows");
    }
    insta::assert_snapshot!(printed(&[("bomb.yaml", &text)]), @r"
    error: bomb.yaml:5: MalformedYAMLError
      caused by: yaml: line 5: document contains excessive aliasing: more than 100000 nodes
    ");
}

#[test]
fn nesting_without_end() {
    insta::assert_snapshot!(printed(&[("deep.yaml", &format!("a: {}\n", "[".repeat(100_000)))]), @r"
    error: deep.yaml:1: MalformedYAMLError
      caused by: yaml: line 1: exceeded max depth of 255
    ");
}

#[test]
fn a_file_that_is_too_large() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = std::fs::File::create(folder.path().join("huge.yaml")).expect("created");
    file.set_len(LocalTree::FILE_LIMIT_BYTES + 1).expect("a sparse file");
    let tree = LocalTree::open(folder.path()).expect("a folder");
    insta::assert_snapshot!(outcome(&tree, &request(""), Built::text), @r"
    error: huge.yaml:1: cannot read the source
      caused by: `huge.yaml` has 67108865 bytes, more than the 67108864 that one file may have
    ");
}
