//! Whether a build must be done again.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use fairlead_manifests::{BuildInputs, BuildRequest, InputChange, Substitution, Variables, build};
use fairlead_object::{Digest, Entry, MemoryTree, Tree, TreeError, TreePath};

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

const OVERLAYS: usize = 500;

/// Overlays of one base, each with a file of its own; every tenth has a component besides.
fn fleet() -> MemoryTree {
    let mut tree = tree(&[
        ("base/kustomization.yaml", "resources: [web.yaml]\n"),
        ("base/web.yaml", &config_map("web")),
        (
            "component/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: c-\n",
        ),
    ]);
    for number in 0..OVERLAYS {
        let components = if number % 10 == 0 { "components: [../component]\n" } else { "" };
        let kustomization = format!("resources: [../base, own.yaml]\n{components}");
        tree.insert(path(&format!("overlay-{number}/kustomization.yaml")), kustomization.into_bytes());
        tree.insert(path(&format!("overlay-{number}/own.yaml")), config_map("own").into_bytes());
    }
    tree
}

/// How many of the overlays must be built again after `file` has changed.
fn rebuilt(inputs: &[BuildInputs], file: &str) -> usize {
    let mut changed = fleet();
    changed.insert(path(file), config_map("changed").into_bytes());
    let requests = (0..OVERLAYS).map(|number| request(&format!("overlay-{number}")));
    inputs.iter().zip(requests).filter(|(inputs, request)| inputs.first_change(&changed, request).is_some()).count()
}

#[test]
fn of_500_overlays_of_one_base_exactly_those_are_built_again_that_read_what_changed() {
    let tree = fleet();
    let inputs: Vec<_> = (0..OVERLAYS).map(|number| inputs(&tree, &request(&format!("overlay-{number}")))).collect();
    let rows = [
        ("overlay-7/own.yaml", 1),
        ("overlay-7/kustomization.yaml", 1),
        ("overlay-7/unused.yaml", 0),
        ("component/kustomization.yaml", OVERLAYS / 10),
        ("base/web.yaml", OVERLAYS),
        ("README.md", 0),
    ];
    for (file, expected) in rows {
        assert_eq!(rebuilt(&inputs, file), expected, "{file}");
    }
}

/// A tree that counts what is asked of it.
#[derive(Default)]
struct Counting {
    tree: MemoryTree,
    contents: AtomicUsize,
    digests: AtomicUsize,
}

impl Tree for Counting {
    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        self.tree.entry(path)
    }

    fn list(&self, path: &TreePath) -> Result<Vec<Entry>, TreeError> {
        self.tree.list(path)
    }

    fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, TreeError> {
        self.contents.fetch_add(1, Ordering::Relaxed);
        self.tree.read(path)
    }

    fn digest(&self, path: &TreePath) -> Result<Digest, TreeError> {
        self.digests.fetch_add(1, Ordering::Relaxed);
        self.tree.digest(path)
    }
}

#[test]
fn where_nothing_changed_only_digests_are_compared() {
    let inputs = inputs(&fleet(), &request("overlay-10"));
    let again = Counting { tree: fleet(), ..Counting::default() };
    assert_eq!(change(&inputs, &again, &request("overlay-10")), "nothing");
    assert_eq!(again.contents.load(Ordering::Relaxed), 0, "contents that were read");
    assert_eq!(again.digests.load(Ordering::Relaxed), 5, "two kustomizations, a component and two files");
}
