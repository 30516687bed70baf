//! Paths that try to leave the tree, in every spelling and at every place that takes one.

use std::{fs, os::unix::fs::symlink, path::Path};

use fairlead_manifests::Built;
use fairlead_object::LocalTree;

use crate::scene::{config_map, outcome, request, tree};

/// The kustomizations that name `path`, one for each place that takes one.
fn places(path: &str) -> Vec<(&'static str, String)> {
    vec![
        ("resources", format!("resources:\n- {path}\n")),
        ("components", format!("resources: [a.yaml]\ncomponents:\n- {path}\n")),
        ("patches", format!("resources: [a.yaml]\npatches:\n- path: {path}\n")),
        ("files", format!("configMapGenerator:\n- name: x\n  files:\n  - {path}\n")),
        ("envs", format!("configMapGenerator:\n- name: x\n  envs:\n  - {path}\n")),
        ("secrets", format!("secretGenerator:\n- name: x\n  files:\n  - key={path}\n")),
    ]
}

#[test]
fn a_path_that_climbs_out_of_the_tree_is_refused_wherever_it_stands() {
    let spellings = [
        "../../../etc/passwd",
        "/etc/passwd",
        "./x/../../../../etc/passwd",
        "..%2f..%2f..%2fetc/passwd",
        "..\\..\\etc\\passwd",
    ];
    let a = config_map("a");
    for spelling in spellings {
        for (place, kustomization) in places(spelling) {
            let files = [("app/kustomization.yaml", kustomization.as_str()), ("app/a.yaml", &a)];
            let text = outcome(&tree(&files), &request("app"), Built::text);
            assert!(text.starts_with("error: app/kustomization.yaml:"), "{spelling} in {place}: {text}");
        }
    }
}

/// A folder with a kustomization that names `link`, which points to `target`, and a file outside of it.
fn with_link(kustomization: &str, target: &str) -> String {
    let outside = tempfile::tempdir().expect("a folder");
    let folder = tempfile::tempdir().expect("a folder");
    let write = |root: &Path, name: &str, content: &str| fs::write(root.join(name), content).expect("written");
    write(outside.path(), "secret.yaml", &config_map("from-outside"));
    write(folder.path(), "kustomization.yaml", kustomization);
    write(folder.path(), "a.yaml", &config_map("a"));
    let target = target.replace("OUTSIDE", &outside.path().display().to_string());
    symlink(target, folder.path().join("link")).expect("linked");
    symlink("link", folder.path().join("chain")).expect("linked");
    outcome(&LocalTree::open(folder.path()).expect("a folder"), &request(""), Built::text)
}

#[test]
fn a_link_that_leaves_the_tree_is_refused_wherever_it_is_named() {
    for target in ["OUTSIDE/secret.yaml", "OUTSIDE", "/etc/passwd", "../..", "link", "nowhere"] {
        for name in ["link", "chain"] {
            for (place, kustomization) in places(name) {
                let text = with_link(&kustomization, target);
                assert!(text.starts_with("error: kustomization.yaml:"), "{target} by {name} in {place}: {text}");
                assert!(text.contains("is a link that"), "{target} by {name} in {place}: {text}");
                assert!(!text.contains("from-outside"), "{target} by {name} in {place}: {text}");
            }
        }
    }
}

#[test]
fn a_link_inside_of_the_tree_is_followed() {
    assert_eq!(with_link("resources: [chain]\n", "a.yaml"), config_map("a"));
}

#[test]
fn a_circle_of_links_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.yaml"), config_map("a")).expect("written");
    symlink(".", folder.path().join("again")).expect("linked");
    let text = outcome(&LocalTree::open(folder.path()).expect("a folder"), &request(""), Built::text);
    insta::assert_snapshot!(text, @r"
    error: again/a.yaml:1: may not add resource with an already registered id: ConfigMap.v1.[noGrp]/a.[noNs]
    hint: the first one is at a.yaml:1
    ");
}
