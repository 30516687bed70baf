//! Whether a build must be done again.

use fairlead_manifests::{BuildInputs, BuildRequest, InputChange, Substitution, Variables, build};
use fairlead_object::{MemoryTree, Tree};

use crate::scene::{config_map, path, request, tree};

fn shop() -> MemoryTree {
    tree(&[
        ("apps/kustomization.yaml", "resources: [../base, plain]\n"),
        ("apps/plain/kustomization.yaml", "resources: [a.yaml]\n"),
        ("apps/plain/a.yaml", &config_map("a")),
        ("apps/plain/unused.yaml", &config_map("unused")),
        ("base/kustomization.yaml", "resources: [b.yaml]\n"),
        ("base/b.yaml", &config_map("b")),
        ("docs/README.md", "about the shop"),
    ])
}

fn inputs(tree: &dyn Tree, request: &BuildRequest) -> BuildInputs {
    build(tree, request).expect("a build").inputs
}

/// What has changed, in a word.
fn change(inputs: &BuildInputs, tree: &dyn Tree, request: &BuildRequest) -> String {
    match inputs.first_change(tree, request) {
        None => "nothing".to_owned(),
        Some(InputChange::Request) => "the request".to_owned(),
        Some(InputChange::Path(path)) => path.to_string(),
    }
}

#[test]
fn only_a_change_of_what_was_read_asks_for_another_build() {
    let inputs = inputs(&shop(), &request("apps"));
    let rows = [
        ("docs/README.md", "nothing"),
        ("docs/more.yaml", "nothing"),
        ("apps/plain/unused.yaml", "nothing"),
        ("base/b.yaml", "base/b.yaml"),
        ("apps/plain/a.yaml", "apps/plain/a.yaml"),
        ("apps/kustomization.yaml", "apps/kustomization.yaml"),
        ("base/Kustomization", "base/Kustomization"),
    ];
    for (file, expected) in rows {
        let mut changed = shop();
        changed.insert(path(file), config_map("changed").into_bytes());
        assert_eq!(change(&inputs, &changed, &request("apps")), expected, "{file}");
    }
}

#[test]
fn a_new_file_in_a_plain_directory_asks_for_another_build() {
    let inputs = inputs(&shop(), &request("docs"));
    let mut changed = shop();
    changed.insert(path("docs/deep/new.yaml"), config_map("new").into_bytes());
    assert_eq!(change(&inputs, &changed, &request("docs")), "docs");
}

#[test]
fn a_component_that_comes_into_being_asks_for_another_build() {
    let components = vec!["../component".to_owned()];
    let request = BuildRequest { components, ignore_missing_components: true, ..request("apps") };
    let inputs = inputs(&shop(), &request);
    assert_eq!(change(&inputs, &shop(), &request), "nothing");
    let mut changed = shop();
    changed.insert(path("component/kustomization.yaml"), b"kind: Component\n".as_slice());
    assert_eq!(change(&inputs, &changed, &request), "component");
}

#[test]
fn another_variable_or_path_asks_for_another_build() {
    let with = |value: &str| {
        let mut variables = Variables::default();
        variables.set("a", value).expect("a name");
        BuildRequest { substitution: Some(Substitution { variables, ..Substitution::default() }), ..request("apps") }
    };
    let inputs = inputs(&shop(), &with("1"));
    assert_eq!(change(&inputs, &shop(), &with("1")), "nothing");
    assert_eq!(change(&inputs, &shop(), &with("2")), "the request");
    assert_eq!(change(&inputs, &shop(), &request("base")), "the request");
}

#[test]
fn building_again_gives_the_same_bytes() {
    let text = || build(&shop(), &request("apps")).expect("a build").text();
    assert_eq!(text(), text());
}
