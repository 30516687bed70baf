//! kustomize's own golden cases, where they lie beside the repository.

use std::{
    fs,
    path::{Path, PathBuf},
};

use fairlead_kustomize::{LoadRestrictions, ManagedByLabel, Options, Order};
use regex::Regex;
use serde_json::Value as Json;

use crate::golden::outcome;

/// Cases that are known to fail, with the reason.
const KNOWN_FAILURES: &[(&str, &str)] = &[];

#[test]
fn every_case_of_kustomize_builds_to_the_same_bytes_or_fails_for_the_same_reason() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/kustomize");
    if !corpus.is_dir() {
        println!("skipped: ../shared/corpus is not here");
        return;
    }
    let mut failures = Vec::new();
    for group in ["krusty", "plugin", "filter"] {
        let cases = cases(&corpus.join(group));
        let failed: Vec<_> = cases.iter().filter_map(|case| Some((name(&corpus, case), check(case).err()?))).collect();
        println!("{group}: {} passed, {} failed", cases.len() - failed.len(), failed.len());
        failures.extend(failed);
    }
    let is_known = |name: &str| KNOWN_FAILURES.iter().any(|(known, _)| *known == name);
    for (known, reason) in KNOWN_FAILURES {
        let still_fails = failures.iter().any(|(name, _)| name == known);
        assert!(still_fails, "{known} passes now, so it is no known failure any more ({reason})");
    }
    failures.retain(|(name, _)| !is_known(name));
    let report: Vec<_> = failures.iter().map(|(name, why)| format!("--- {name}\n{why}")).collect();
    assert!(failures.is_empty(), "{} cases fail:\n{}", failures.len(), report.join("\n"));
}

/// The folders of `group` that hold a case, those of failing builds included.
fn cases(group: &Path) -> Vec<PathBuf> {
    let mut cases = Vec::new();
    for folder in [group.to_owned(), group.join("errors")] {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        cases.extend(entries.filter(|path| path.join("options.json").is_file()));
    }
    cases.sort();
    cases
}

fn name(corpus: &Path, case: &Path) -> String {
    case.strip_prefix(corpus).unwrap_or(case).display().to_string()
}

fn check(case: &Path) -> Result<(), String> {
    let target = fs::read_to_string(case.join("target")).map_err(|error| error.to_string())?;
    let settings = json(&case.join("options.json"))?;
    let outcome = outcome(&case.join("input"), target.trim().trim_start_matches('/'), &options(&settings));
    match fs::read_to_string(case.join("expected.yaml")) {
        Ok(expected) => match outcome {
            Ok(printed) if printed == expected => Ok(()),
            Ok(printed) => Err(difference(&expected, &printed)),
            Err(error) => Err(error),
        },
        Err(_) => check_error(&json(&case.join("expected-error.json"))?, &settings, outcome),
    }
}

fn json(path: &Path) -> Result<Json, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn options(json: &Json) -> Options {
    Options {
        load_restrictions: match json["load_restrictions"].as_str() {
            Some("none") => LoadRestrictions::None,
            _ => LoadRestrictions::Root,
        },
        order: if json["reorder"] == "legacy" { Order::Legacy } else { Order::Fifo },
        managed_by_label: match json["add_managedby_label"].as_bool() {
            Some(true) => ManagedByLabel::Always,
            _ => ManagedByLabel::WhereAsked,
        },
        ..Options::default()
    }
}

fn difference(expected: &str, printed: &str) -> String {
    let diff = similar::TextDiff::from_lines(expected, printed);
    diff.unified_diff().header("kustomize", "fairlead").to_string()
}

/// Holds an error to the conditions of kustomize's own test.
fn check_error(expected: &Json, options: &Json, outcome: Result<String, String>) -> Result<(), String> {
    let error = match outcome {
        Ok(printed) => return Err(format!("built, but should fail: {}\n{printed}", expected["observed"])),
        Err(error) => error,
    };
    // Some of kustomize's tests fail in their harness before they come to what they test; only the failure is theirs.
    if options["oracle"] == "fails-with-other-text" {
        return Ok(());
    }
    for check in expected["checks"].as_array().into_iter().flatten() {
        let text = check["text"].as_str().unwrap_or_default();
        let holds = match check["kind"].as_str() {
            Some("contains") => error.contains(text),
            Some("equals") => without_position(&error).trim() == text.trim(),
            Some("regexp") => Regex::new(text).is_ok_and(|pattern| pattern.is_match(&error)),
            _ => false,
        };
        if !holds {
            return Err(format!("{check}\n{error}"));
        }
    }
    Ok(())
}

/// Our errors begin with `file:line`, which kustomize's do not.
fn without_position(error: &str) -> &str {
    let position = Regex::new(r"^[^ ]+:\d+: ").ok().and_then(|pattern| pattern.find(error));
    position.map_or(error, |position| &error[position.end()..])
}
