//! Repositories as people write them, where they are at hand. What they show is also shown by `examples/`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use fairlead_manifests::{BuildRequest, Order, build};
use fairlead_object::LocalTree;

use crate::scene::request;

/// Every directory with a kustomization file, below `folder` of `root`.
fn kustomizations(root: &Path, folder: &Path, found: &mut Vec<String>) {
    if folder.join("kustomization.yaml").is_file() {
        let below = folder.strip_prefix(root).expect("a folder of the repository");
        found.push(below.to_str().expect("a text").to_owned());
    }
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    for folder in folders {
        kustomizations(root, &folder, found);
    }
}

#[test]
fn public_repositories_build_to_what_kustomize_builds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/repositories");
    if !corpus.is_dir() {
        println!("skipped: ../shared/corpus is not here");
        return;
    }
    let mut lines = Vec::new();
    for repository in ["flux2-kustomize-helm-example", "gitops-flux2-kustomize-helm-mt"] {
        let root = corpus.join(repository);
        let tree = LocalTree::open(&root).expect("a repository");
        let mut found = Vec::new();
        kustomizations(&root, &root, &mut found);
        for directory in found {
            let request = BuildRequest { order: Order::ByKind, ..request(&directory) };
            let built = build(&tree, &request).expect(&directory);
            lines.push(format!("{} {directory}", &built.digest().hex()[..16]));
        }
    }
    // The beginnings of `kustomize build DIRECTORY | sha256sum`, v5.8.1.
    insta::assert_snapshot!(lines.join("\n"), @r"
    26291f19ae949170 apps/base/podinfo
    b203fa6bb32756cf apps/production
    878054ebcec352a9 apps/staging
    e3b0c44298fc1c14 clusters/production/flux-system
    e3b0c44298fc1c14 clusters/staging/flux-system
    c828d7bc001e2aa3 infrastructure/configs
    c76bdc3eaa61ce6e infrastructure/controllers
    557c12d0b8df43b6 apps/base/podinfo
    5f58dc5d60045fbd apps/production
    b51f177b27bd56ef apps/staging
    4c2d86ab33f8d271 infrastructure
    837b18d68455246f infrastructure/nginx
    27f3a56e3671c83d infrastructure/redis
    c4036f56249e9fe2 infrastructure/sources
    ");
}
