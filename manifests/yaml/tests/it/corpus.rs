//! What kustomize itself has printed.

use std::fs;
use std::path::{Path, PathBuf};

use fairlead_yaml::{Schema, documents, emit_json, parse};

/// The golden outputs of kustomize beside the repository, if they are there.
fn outputs() -> Vec<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/kustomize");
    let mut found = Vec::new();
    let mut folders = vec![corpus];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name == "expected.yaml") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn what_kustomize_printed_is_printed_again() {
    let outputs = outputs();
    if outputs.is_empty() {
        eprintln!("skipped: ../shared/corpus is not here");
    }
    for path in outputs {
        let text = fs::read_to_string(&path).expect("the output is text");
        let again: Vec<String> = documents(&text)
            .expect("the separators are right")
            .iter()
            .flat_map(|document| parse(document.text).expect("the output is YAML"))
            .map(|node| emit_json(&node.to_json(Schema::Kyaml).expect("it has a JSON form")))
            .collect();
        assert_eq!(again.join("---\n"), text, "{}", path.display());
    }
}
