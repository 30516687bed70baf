//! Our own golden cases, below `tests/cases/<topic>/<case>`.
//!
//! A case is a folder: `input/` is a chart, which must print `expected.yaml` or fail with what `expected-error` says.
//! `values.yaml` beside it holds the user's values and `options.json` the flags, where there are some. What is expected is
//! what Helm says, which a test of `fairlead-fuzz` holds it to; `FAIRLEAD_ACCEPT=1` makes that test write it down.

use std::{
    fs,
    path::{Path, PathBuf},
};

use fairlead_helm::load;
use fairlead_object::{LocalTree, TreePath};
use serde_json::Value as Json;

use crate::golden::Options;

#[test]
fn every_case_prints_what_helm_prints_or_fails_with_its_words() {
    let topics = folders(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases"));
    let cases: Vec<_> = topics.iter().flat_map(|topic| folders(topic)).collect();
    assert!(!cases.is_empty(), "there are cases");
    let failures: Vec<_> = cases.iter().filter_map(|case| check(case).err()).collect();
    assert!(failures.is_empty(), "{} of {} cases fail:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut folders: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn check(case: &Path) -> Result<(), String> {
    let file = match outcome(case) {
        Ok(printed) => ("expected.yaml", printed),
        Err(error) => ("expected-error", error),
    };
    let (name, found) = file;
    let expected = fs::read(case.join(name)).unwrap_or_default();
    let expected = String::from_utf8_lossy(&expected);
    if expected == found {
        return Ok(());
    }
    let diff = similar::TextDiff::from_lines(expected.as_ref(), found.as_str());
    Err(format!("--- {}\n{}", case.display(), diff.unified_diff().header(name, "found")))
}

fn outcome(case: &Path) -> Result<String, String> {
    let options = fs::read(case.join("options.json")).map_or(Json::Null, |text| {
        serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", case.display()))
    });
    let tree = LocalTree::open(&case.join("input")).map_err(|error| error.to_string())?;
    let chart = load(&tree, &TreePath::root()).map_err(|error| format!("Error: {error}\n"))?;
    Options::read(&options).printed(&chart, fs::read(case.join("values.yaml")).ok())
}
