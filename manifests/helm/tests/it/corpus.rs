//! Charts and templates with what Helm makes of them, where they lie beside the repository.

use std::{
    collections::BTreeMap,
    fs,
    num::NonZero,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use base64::Engine;
use fairlead_helm::{Chart, Limits, Release, UserValues, load, render_files};
use fairlead_object::{LocalTree, MemoryTree, TreePath};
use serde_json::Value as Json;

use crate::{
    golden::{Options, words},
    scene::StillWorld,
};

fn corpus() -> Option<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/helm");
    if !corpus.is_dir() {
        println!("skipped: ../shared/corpus is not here");
        return None;
    }
    Some(corpus)
}

#[test]
fn every_template_makes_the_same_bytes_or_fails_with_the_same_words() {
    let Some(corpus) = corpus() else { return };
    let mut failures = Vec::new();
    for group in entries(&corpus.join("vectors")) {
        let text = fs::read_to_string(&group).expect("readable");
        let vectors: Vec<Json> = serde_json::from_str(&text).expect("JSON");
        let name = group.file_stem().expect("a name").to_string_lossy().into_owned();
        let failed: Vec<_> = vectors.iter().filter_map(|vector| check_vector(vector).err()).collect();
        println!("{name}: {} of {}", vectors.len() - failed.len(), vectors.len());
        failures.extend(failed);
    }
    report("vectors", &failures);
}

#[test]
fn every_chart_renders_to_the_same_bytes_or_fails_with_the_same_words() {
    let Some(corpus) = corpus() else { return };
    let charts: Vec<PathBuf> =
        entries(&corpus.join("charts")).iter().flat_map(|repository| entries(repository)).collect();
    let (next, failures, count) = (AtomicUsize::new(0), Mutex::new(Vec::new()), AtomicUsize::new(0));
    let work = || {
        while let Some(chart) = charts.get(next.fetch_add(1, Ordering::Relaxed)) {
            let loaded = loaded(&chart.join("chart"));
            for case in entries(&chart.join("cases")) {
                count.fetch_add(1, Ordering::Relaxed);
                if let Err(failure) = check_case(&corpus, &loaded, &case) {
                    failures.lock().unwrap().push(failure);
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(work);
        }
    });
    let (mut failures, count) = (failures.into_inner().unwrap(), count.into_inner());
    failures.sort();
    println!("charts: {} of {count}", count - failures.len());
    report("charts", &failures);
}

/// Cases that are known to fail, with the reason.
const KNOWN_FAILURES: &[(&str, &str)] = &[
    ("from-yaml-516bc23a", WORDS),
    ("from-yaml-8cfdd64d", READ),
    ("yaml-keys-89d045f8", WRITTEN),
    ("yaml-scalars-34d72856", WRITTEN),
];

const WORDS: &str = "the YAML parser has other words for this mistake than go-yaml v2";
const READ: &str = "the YAML parser takes what go-yaml v2 refuses or reads as a blank";
const WRITTEN: &str = "what would be read back as something else is quoted";

/// Fails unless exactly the known cases of `group` fail. A failure begins with `--- ` and the name of its case.
fn report(group: &str, failures: &[String]) {
    let name_of = |failure: &str| failure.trim_start_matches("--- ").split([':', '\n']).next().map(str::to_owned);
    let failed: Vec<String> = failures.iter().filter_map(|failure| name_of(failure)).collect();
    for (known, reason) in
        KNOWN_FAILURES.iter().filter(|(known, _)| known.starts_with("charts/") == (group == "charts"))
    {
        assert!(failed.iter().any(|name| name == known), "{known} passes now, so it is no known failure ({reason})");
    }
    let is_known =
        |failure: &&String| KNOWN_FAILURES.iter().any(|(known, _)| name_of(failure).as_deref() == Some(*known));
    let unknown: Vec<&str> = failures.iter().filter(|failure| !is_known(failure)).map(String::as_str).collect();
    assert!(unknown.is_empty(), "{} fail:\n{}", unknown.len(), unknown.join("\n"));
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut entries: Vec<_> = entries.map(|entry| entry.path()).collect();
    entries.sort();
    entries
}

fn check_vector(vector: &Json) -> Result<(), String> {
    let text = |key: &str| vector[key].as_str().unwrap_or_default().to_owned();
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    files.insert("Chart.yaml".to_owned(), CHART.to_owned());
    files.insert("values.yaml".to_owned(), String::new());
    let is_whole_output = vector["output"] == "stdout";
    if !is_whole_output {
        files.insert("templates/t.yaml".to_owned(), text("template"));
    }
    for (path, content) in vector["files"].as_object().into_iter().flatten() {
        files.insert(path.clone(), content.as_str().unwrap_or_default().to_owned());
    }
    let values = text("values").into_bytes();
    let options = Options::read(&vector["options"]);
    let chart = memory_chart(&files);
    let outcome = if is_whole_output {
        chart.and_then(|chart| options.printed(&chart, Some(values))).map(String::into_bytes)
    } else {
        chart.and_then(|chart| file(&chart, &options.release, values))
    };
    let expected = match (vector["error"].as_str(), vector["expected_base64"].as_str()) {
        (Some(error), _) => Err(error.to_owned()),
        (None, Some(base64)) => Ok(base64::engine::general_purpose::STANDARD.decode(base64).expect("base64")),
        (None, None) => Ok(text("expected").into_bytes()),
    };
    let show = |outcome: &Result<Vec<u8>, String>| match outcome {
        Ok(text) => format!("{:?}", String::from_utf8_lossy(text)),
        Err(error) => format!("{error:?}"),
    };
    if outcome == expected {
        return Ok(());
    }
    let (id, template) = (text("id"), text("template"));
    Err(format!("--- {id}: {template}\n  expected {}\n  found    {}", show(&expected), show(&outcome)))
}

const CHART: &str = "apiVersion: v2\nname: vec\nversion: 0.1.0\nappVersion: \"1.2.3\"\n";

fn memory_chart(files: &BTreeMap<String, String>) -> Result<Chart, String> {
    let files = files.iter().map(|(path, content)| (path.as_str(), content.as_str()));
    let tree = MemoryTree::new(files).map_err(|error| error.to_string())?;
    load(&tree, &TreePath::root()).map_err(|error| format!("Error: {error}\n"))
}

fn file(chart: &Chart, release: &Release, values: Vec<u8>) -> Result<Vec<u8>, String> {
    let values = UserValues::File { name: "values.yaml".to_owned(), content: values };
    let files = render_files(chart, release, &[values], &StillWorld::default(), Limits::default());
    let files = files.map_err(|error| words(&error))?;
    let file = files.into_iter().find(|file| file.path == "vec/templates/t.yaml");
    file.map(|file| file.content).ok_or_else(|| "no such file".to_owned())
}

fn loaded(folder: &Path) -> Result<Chart, String> {
    let tree = LocalTree::open(folder).map_err(|error| error.to_string())?;
    load(&tree, &TreePath::root()).map_err(|error| format!("Error: {error}\n"))
}

fn check_case(corpus: &Path, chart: &Result<Chart, String>, case: &Path) -> Result<(), String> {
    let name = case.strip_prefix(corpus).unwrap_or(case).display();
    let read = |file: &str| fs::read(case.join(file));
    let options: Json = serde_json::from_slice(&read("options.json").expect("options")).expect("JSON");
    let (options, values) = (Options::read(&options), read("values.yaml").unwrap_or_default());
    let outcome = chart.as_ref().map_err(Clone::clone);
    let outcome = outcome.and_then(|chart| options.printed(chart, Some(values)));
    let as_text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let expected = match read("expected.yaml") {
        Ok(text) => Ok(as_text(text)),
        Err(_) => Err(as_text(read("expected-error.txt").expect("one of the two"))),
    };
    match (outcome, expected) {
        (outcome, expected) if outcome == expected => Ok(()),
        (Ok(found), Ok(expected)) => Err(format!("--- {name}\n{}", difference(&expected, &found))),
        (found, expected) => Err(format!("--- {name}\n  expected {expected:.400?}\n  found    {found:.400?}")),
    }
}

/// The first lines that differ.
fn difference(expected: &str, found: &str) -> String {
    let diff = similar::TextDiff::from_lines(expected, found);
    let text = diff.unified_diff().context_radius(2).to_string();
    text.lines().take(14).collect::<Vec<_>>().join("\n")
}
