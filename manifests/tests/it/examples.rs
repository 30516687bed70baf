//! The repositories in `examples/`: they build to what kustomize makes of them, and hold what their clusters ask for.
//!
//! The files in `tests/expected/` are kustomize's own output, by `kustomize build --load-restrictor
//! LoadRestrictionsNone PATH`, v5.8.1; for a directory without a kustomization file, with one that lists its manifests.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use fairlead_api::{fairlead::FluxConfiguration, kustomize::Kustomization, source::GitRepository};
use fairlead_manifests::{BuildRequest, Built, Order, Substitution, Variables, build};
use fairlead_object::{LocalTree, Manifest};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::scene::{outcome, path, request};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn example(name: &str) -> LocalTree {
    LocalTree::open(&folder("../examples").join(name)).expect("an example")
}

fn manifests(example_name: &str, directory: &str) -> Vec<Manifest> {
    build(&example(example_name), &request(directory)).expect("an example builds").manifests
}

#[test]
fn every_example_builds_to_the_bytes_that_kustomize_builds() {
    let rows = [
        ("single-app", "manifests"),
        ("shop", "infrastructure"),
        ("shop", "apps/demo"),
        ("shop", "apps/staging"),
        ("shop", "apps/production"),
        ("tenants", "platform"),
        ("tenants/orders", "app"),
        ("tenants/orders", "settings"),
        ("tenants/payments", "app"),
    ];
    for (name, directory) in rows {
        let expected = format!("tests/expected/{}.yaml", format!("{name}-{directory}").replace('/', "-"));
        let expected = fs::read_to_string(folder(&expected)).expect(&expected);
        let text = outcome(&example(name), &BuildRequest { order: Order::ByKind, ..request(directory) }, Built::text);
        assert_same_text(&text, &expected, &format!("{name}/{directory}"));
    }
}

fn assert_same_text(text: &str, expected: &str, row: &str) {
    let difference = text.lines().zip(expected.lines()).position(|(ours, theirs)| ours != theirs);
    assert!(text == expected, "{row}: first difference at line {difference:?}\n{text}");
}

/// The objects of a cluster of the shop, built as its own Kustomizations ask for, with the variables of its settings.
fn cluster(name: &str) -> Vec<Manifest> {
    let objects = manifests("shop", &format!("clusters/{name}"));
    let settings = objects.iter().find(|manifest| manifest.id().name == "cluster-settings").expect("settings");
    let settings: BTreeMap<String, String> = serde_json::from_value(settings.body()["data"].clone()).expect("texts");
    let kustomizations = objects.iter().filter(|manifest| manifest.id().kind == "Kustomization");
    kustomizations
        .flat_map(|manifest| {
            let kustomization: Kustomization = serde_json::from_value(manifest.to_value()).expect("a Kustomization");
            let request = asked(&kustomization, &settings);
            build(&example("shop"), &request).expect("an example builds").manifests
        })
        .collect()
}

fn asked(kustomization: &Kustomization, settings: &BTreeMap<String, String>) -> BuildRequest {
    let spec = &kustomization.spec;
    let substitution = spec.post_build.as_ref().map(|post_build| {
        let mut variables = Variables::default();
        for (name, value) in settings.iter().chain(&post_build.substitute) {
            variables.set(name, value).expect("a name");
        }
        Substitution { variables, strict: true, ..Substitution::default() }
    });
    let directory = path(spec.path.as_deref().unwrap_or_default());
    BuildRequest { path: directory, substitution, ..BuildRequest::from(spec) }
}

#[test]
fn each_cluster_of_the_shop_gets_its_own_settings() {
    let shown = |name: &str| {
        let objects = cluster(name);
        let text: String = objects.iter().map(|manifest| fairlead_yaml::emit_json(&manifest.to_value())).collect();
        assert!(!text.contains("${"), "{name}: {text}");
        let words = ["host:", "replicas:", "PODINFO_", "image:", "cost-centre"];
        let mut lines: Vec<_> =
            text.lines().map(str::trim).filter(|line| words.iter().any(|word| line.contains(word))).collect();
        lines.dedup();
        lines.join("\n")
    };
    insta::assert_snapshot!(shown("demo"), @r"
    replicas: 0
    image: valkey/valkey:8.1-alpine
    replicas: 0
    - image: ghcr.io/stefanprodan/podinfo:6.9.2
    replicas: 0
    image: ghcr.io/stefanprodan/podinfo:6.9.2
    - host: shop.demo.example.com
    PODINFO_LEVEL: debug
    PODINFO_UI_COLOR: '#b5651d'
    PODINFO_UI_MESSAGE: Welcome to the demo shop
    ");
    insta::assert_snapshot!(shown("production"), @r"
    example.com/cost-centre: sales
    replicas: 1
    image: registry.example.com/mirror/valkey:8.1.2-alpine
    example.com/cost-centre: sales
    replicas: 3
    - image: ghcr.io/stefanprodan/podinfo:6.9.1
    example.com/cost-centre: sales
    image: ghcr.io/stefanprodan/podinfo:6.9.1
    example.com/cost-centre: sales
    - host: shop.example.com
    PODINFO_LEVEL: info
    PODINFO_UI_MESSAGE: Welcome to the production shop
    example.com/cost-centre: sales
    ");
}

#[test]
fn no_deployment_of_the_demo_needs_a_node() {
    let tenants = ["orders", "payments"].into_iter().flat_map(|name| manifests(&format!("tenants/{name}"), "app"));
    let objects = cluster("demo").into_iter().chain(tenants);
    let deployments: Vec<_> = objects.filter(|manifest| manifest.id().kind == "Deployment").collect();
    assert_eq!(deployments.len(), 5);
    for deployment in deployments {
        assert_eq!(deployment.body()["spec"]["replicas"], 0, "{}", deployment.id());
    }
}

#[test]
fn the_served_objects_of_the_examples_have_only_fields_that_are_served() {
    let directories = [
        ("single-app", ""),
        ("shop", "clusters/demo"),
        ("shop", "clusters/staging"),
        ("shop", "clusters/production"),
        ("tenants", "platform"),
    ];
    let mut checked = BTreeMap::new();
    for (name, directory) in directories {
        for manifest in sync_objects(name, directory) {
            let written = manifest.to_value();
            let served = match manifest.id().kind.as_str() {
                "GitRepository" => read_back::<GitRepository>(&written),
                "Kustomization" => read_back::<Kustomization>(&written),
                "FluxConfiguration" => read_back::<FluxConfiguration>(&written),
                _ => continue,
            };
            assert_contains(&served, &written, &manifest.origin().to_string());
            *checked.entry(manifest.id().kind.clone()).or_insert(0) += 1;
        }
    }
    insta::assert_snapshot!(format!("{checked:?}"), @r#"{"FluxConfiguration": 2, "GitRepository": 5, "Kustomization": 11}"#);
}

/// The objects of a directory; those of the single application stand beside its manifests, in files of their own.
fn sync_objects(name: &str, directory: &str) -> Vec<Manifest> {
    if name != "single-app" {
        return manifests(name, directory);
    }
    ["sync.yaml", "sync-without-nodes.yaml"]
        .into_iter()
        .flat_map(|file| {
            let text = fs::read_to_string(folder("../examples/single-app").join(file)).expect("a file");
            let tree = fairlead_object::MemoryTree::new([(file, text.as_str())]).expect("a path");
            build(&tree, &request("")).expect("a build").manifests
        })
        .collect()
}

fn read_back<T: Serialize + DeserializeOwned>(written: &Value) -> Value {
    let object: T = serde_json::from_value(written.clone()).expect("an object of its type");
    serde_json::to_value(object).expect("JSON")
}

/// Every field of `written` is in `served` too.
fn assert_contains(served: &Value, written: &Value, at: &str) {
    match written {
        Value::Object(fields) => {
            for (key, value) in fields {
                assert_contains(served.get(key).unwrap_or(&Value::Null), value, &format!("{at}.{key}"));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                assert_contains(served.get(index).unwrap_or(&Value::Null), item, &format!("{at}[{index}]"));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => assert_eq!(served, written, "{at}"),
    }
}
