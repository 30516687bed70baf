//! Our builds against kustomize's, over trees that are made up.
//!
//! `FAIRLEAD_DIFFERENTIAL_CASES` says how many trees there are, `FAIRLEAD_DIFFERENTIAL_SEED` the seed of the first one.
//! Every seventh tree is spoilt after it was made, and so are the golden cases of `manifests/kustomize`, every tenth.
//! A tree that differs is cut down and written to `target/differential/<seed>/`: `input/` is a golden case already.

use std::{
    collections::BTreeMap,
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use fairlead_fuzz::{
    Choices, Source, generate, mutate,
    oracle::{Kind, Oracle, Outcome, difference, ours},
    shrink::shrink,
};
use fairlead_tools::Tool;

const CASES: u64 = 150;
const FIRST_SEED: u64 = 960_000;
/// How many differences are cut down before the run ends.
const MOST_FINDINGS: usize = 20;

#[test]
fn made_up_trees_build_as_with_kustomize() {
    fairlead_tools::provide(&[Tool::Kustomize], |line| println!("{line}")).expect("kustomize");
    compare(&Oracle::kustomize(Tool::Kustomize.path()), number("CASES", CASES));
}

#[test]
fn golden_cases_build_as_with_kustomize() {
    fairlead_tools::provide(&[Tool::Kustomize], |line| println!("{line}")).expect("kustomize");
    let oracle = Oracle::kustomize(Tool::Kustomize.path());
    let differ = |(name, source): (String, Source)| {
        let (mine, theirs) = (ours(&source), oracle.build(&source).expect("kustomize runs"));
        difference(&mine, &theirs).map(|_| format!("--- {name}\n{}", shown(&mine, &theirs)))
    };
    let findings: Vec<_> = golden_cases().into_iter().filter_map(differ).collect();
    assert!(findings.is_empty(), "{} differences:\n{}", findings.len(), findings.join("\n"));
}

#[test]
fn made_up_trees_build_as_with_kubectl() {
    let kubectl = Tool::Kubectl.path();
    if !kubectl.is_file() {
        println!("skipped: kubectl is not here");
        return;
    }
    compare(&Oracle::kubectl(kubectl), number("CASES", CASES) / 5);
}

/// Cases of what came to kustomize's library after its last release.
const NEWER: &[&str] = &["generators/a_merged_secret_keeps_texts_in_base64", "labels/selectors_templates_and_fields"];

fn number(name: &str, default: u64) -> u64 {
    env::var(format!("FAIRLEAD_DIFFERENTIAL_{name}")).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn compare(oracle: &Oracle, cases: u64) {
    let first = number("SEED", FIRST_SEED);
    let golden: Vec<Source> = golden_cases().into_iter().map(|(_, source)| source).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut findings = Vec::new();
    for seed in first..first + cases {
        let source = made_up(seed, &golden);
        let (mine, theirs) = (ours(&source), oracle.build(&source).expect("kustomize runs"));
        *counts.entry(word(&mine, &theirs)).or_default() += 1;
        if let Some(kind) = difference(&mine, &theirs) {
            findings.push(report(seed, &source, kind, oracle));
        }
        if findings.len() >= MOST_FINDINGS {
            break;
        }
    }
    println!("{counts:?}");
    assert!(findings.is_empty(), "{} differences:\n{}", findings.len(), findings.join("\n"));
}

fn word(mine: &Outcome, theirs: &Outcome) -> &'static str {
    match (difference(mine, theirs), theirs) {
        (Some(_), _) => "differ",
        (None, Outcome::Printed(_)) => "print the same",
        (None, Outcome::Failed(_) | Outcome::Panicked(_)) => "fail both",
    }
}

/// The tree of a seed.
fn made_up(seed: u64, golden: &[Source]) -> Source {
    let mut choices = Choices::seeded(seed);
    let mut source = match seed % 10 {
        0 if !golden.is_empty() => golden[choices.below(golden.len())].clone(),
        1 | 2 => generate::patched(&mut choices),
        _ => tree(&mut choices),
    };
    if seed.is_multiple_of(7) || seed.is_multiple_of(10) {
        for _ in 0..choices.between(1, 2) {
            mutate::spoil(&mut source, &mut choices);
        }
    }
    source
}

/// A tree that mostly builds: both failing says little.
fn tree(choices: &mut Choices) -> Source {
    let mut tree = generate::tree(choices);
    for _ in 0..choices.pick(&[0, 3, 3, 3]) {
        if matches!(ours(&tree), Outcome::Printed(_)) {
            break;
        }
        tree = generate::tree(choices);
    }
    tree
}

/// The names and inputs of our own golden cases, without those that kustomize would work on for too long, and
/// those of what its release does not do.
fn golden_cases() -> Vec<(String, Source)> {
    let cases = fairlead_tools::repository().join("manifests/kustomize/tests/cases");
    let is_newer = |case: &PathBuf| NEWER.iter().any(|newer| case.ends_with(newer));
    let is_bounded = |case: &PathBuf| {
        fs::read_to_string(case.join("expected-error")).is_ok_and(|error| error.contains(" more than "))
    };
    let cases = folders(&cases)
        .into_iter()
        .flat_map(|topic| folders(&topic))
        .filter(|case| !is_bounded(case) && !is_newer(case));
    let read = |case: PathBuf| {
        let input = case.join("input");
        let target = if input.join("overlay").is_dir() { "overlay" } else { "." };
        Some((case.display().to_string(), Source::read(&input, target).ok()?))
    };
    // kustomize would fetch what is remote.
    let is_local = |(_, source): &(String, Source)| {
        !source.files.values().any(|text| text.contains("://") || text.contains("github"))
    };
    cases.filter_map(read).filter(is_local).collect()
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut folders: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// Cuts a difference down, writes it out and shows it.
fn report(seed: u64, source: &Source, kind: Kind, oracle: &Oracle) -> String {
    let both = |source: &Source| Some((ours(source), oracle.build(source).ok()?));
    let shrunk =
        shrink(source, |source| both(source).is_some_and(|(mine, theirs)| difference(&mine, &theirs) == Some(kind)));
    let folder = fairlead_tools::target_directory().join("differential").join(seed.to_string());
    drop(fs::remove_dir_all(&folder));
    let mut text = format!("seed {seed}, {kind:?}, in {}\n", folder.display());
    if let Err(error) = shrunk.write(&folder.join("input")) {
        write!(text, "cannot be written: {error}").expect("a text grows");
    }
    for (path, content) in &shrunk.files {
        write!(text, "--- {path}\n{content}").expect("a text grows");
    }
    if let Some((mine, theirs)) = both(&shrunk) {
        text.push_str(&shown(&mine, &theirs));
    }
    drop(fs::write(folder.join("report"), &text));
    text
}

fn shown(mine: &Outcome, theirs: &Outcome) -> String {
    if let (Outcome::Printed(mine), Outcome::Printed(theirs)) = (mine, theirs) {
        let diff = similar::TextDiff::from_lines(theirs.as_str(), mine.as_str());
        return diff.unified_diff().header("kustomize", "ours").to_string();
    }
    format!("ours: {mine:?}\nkustomize: {theirs:?}\n")
}
