//! The pages about the served kinds: their examples are accepted as they stand, and they speak of every field.

use std::fs;
use std::path::Path;

use fairlead_api::fairlead::FluxConfiguration;
use fairlead_api::helm::HelmRelease;
use fairlead_api::kustomize::Kustomization;
use fairlead_api::notification::Receiver;
use fairlead_api::source::{Bucket, ExternalArtifact, GitRepository, HelmChart, HelmRepository, OciRepository};
use fairlead_yaml::Schema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::schema::{complaints, definition, schema};

const PAGES: [(&str, &str); 10] = [
    ("Bucket", "bucket.md"),
    ("ExternalArtifact", "externalartifact.md"),
    ("FluxConfiguration", "fluxconfiguration.md"),
    ("GitRepository", "gitrepository.md"),
    ("HelmChart", "helmchart.md"),
    ("HelmRelease", "helmrelease.md"),
    ("HelmRepository", "helmrepository.md"),
    ("Kustomization", "kustomization.md"),
    ("OCIRepository", "ocirepository.md"),
    ("Receiver", "receiver.md"),
];

fn read(page: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The objects in the fenced YAML of `page`.
fn examples(page: &str) -> Vec<Value> {
    let text = read(page);
    let fences = text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().expect("a fence ends"));
    let parse = |fence: &str| fairlead_yaml::parse(fence).unwrap_or_else(|error| panic!("{page}: {error}"));
    let nodes = fences.flat_map(parse);
    nodes.map(|node| node.to_json(Schema::SigsYaml).unwrap_or_else(|error| panic!("{page}: {error}"))).collect()
}

fn load<K: DeserializeOwned>(object: &Value) -> K {
    serde_json::from_value(object.clone()).unwrap_or_else(|error| panic!("{object}: {error}"))
}

#[test]
fn examples_are_accepted_and_everything_in_them_is_honoured() {
    for (kind, page) in PAGES {
        let examples = examples(page);
        let served: Vec<&Value> = examples.iter().filter(|object| object["kind"] == kind).collect();
        assert!(!served.is_empty(), "{page} has an example");
        for object in served {
            assert_eq!(complaints(object, None), Vec::<String>::new(), "{page}");
            assert_eq!(unsupported(object), Vec::<&str>::new(), "{page}");
        }
    }
}

fn unsupported(object: &Value) -> Vec<&'static str> {
    match object["kind"].as_str() {
        Some("FluxConfiguration") => {
            let configuration: FluxConfiguration = load(object);
            assert_eq!(configuration.check(), Ok(()));
            configuration.spec.unsupported()
        }
        Some("GitRepository") => load::<GitRepository>(object).spec.unsupported(),
        Some("Bucket") => load::<Bucket>(object).spec.unsupported(),
        Some("ExternalArtifact") => {
            load::<ExternalArtifact>(object);
            Vec::new()
        }
        Some("HelmChart") => {
            load::<HelmChart>(object);
            Vec::new()
        }
        Some("HelmRelease") => load::<HelmRelease>(object).spec.unsupported(),
        Some("HelmRepository") => {
            load::<HelmRepository>(object);
            Vec::new()
        }
        Some("OCIRepository") => load::<OciRepository>(object).spec.unsupported(),
        Some("Kustomization") => load::<Kustomization>(object).spec.unsupported(),
        Some("Receiver") => load::<Receiver>(object).spec.unsupported(),
        other => panic!("{other:?} is not served"),
    }
}

#[test]
fn every_field_is_spoken_of() {
    for (kind, page) in PAGES {
        let text = read(page);
        let properties =
            schema(definition(kind))["properties"]["spec"]["properties"].as_object().expect("a spec has fields");
        let is_missing =
            |name: &&String| ["`", ".", "[", " "].iter().all(|end| !text.contains(&format!("`{name}{end}")));
        assert_eq!(properties.keys().filter(is_missing).collect::<Vec<_>>(), Vec::<&String>::new(), "{page}");
    }
}

/// The text of every file of Rust below `folder`.
fn rust_below(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("listed").path());
    let texts = paths.map(|path| match path.extension() {
        _ if path.is_dir() => rust_below(&path),
        Some(extension) if extension == "rs" => fs::read_to_string(&path).expect("text"),
        Some(_) | None => String::new(),
    });
    texts.collect()
}

#[test]
fn every_test_that_stands_against_an_advisory_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let tests: String = ["sources", "reconciler", "tests"].map(|folder| rust_below(&root.join(folder))).concat();
    let rows = read("security.md");
    let rows = rows.lines().filter(|line| line.starts_with("| CVE") || line.starts_with("| Audit"));
    let mut count = 0;
    for row in rows {
        let cell = row.trim_end_matches(" |").rsplit(" | ").next().expect("a row has cells");
        for name in cell.split(", ").map(|name| name.trim_matches('`')) {
            assert!(tests.contains(&format!("fn {name}(")), "{name} of {row}");
            count += 1;
        }
    }
    assert!(count > 0, "the page has a table");
}
