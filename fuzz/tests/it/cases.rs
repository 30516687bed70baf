//! The golden cases of charts, against Helm itself.
//!
//! `FAIRLEAD_ACCEPT=1 cargo test -p fairlead-fuzz --test it cases` writes down what Helm says.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use fairlead_fuzz::helm::{Golden, Helm};
use fairlead_tools::Tool;

#[test]
fn the_golden_cases_of_charts_are_what_helm_says() {
    fairlead_tools::provide(&[Tool::Helm], |line| println!("{line}")).expect("helm");
    let helm = Helm::new(Tool::Helm.path());
    let topics = folders(&fairlead_tools::repository().join("manifests/helm/tests/cases"));
    let cases: Vec<_> = topics.iter().flat_map(|topic| folders(topic)).collect();
    assert!(!cases.is_empty(), "there are cases");
    let accept = env::var_os("FAIRLEAD_ACCEPT").is_some();
    let failures: Vec<_> = cases.iter().filter_map(|case| check(&helm, case, accept).err()).collect();
    assert!(failures.is_empty(), "{} of {} cases differ:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut folders: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn check(helm: &Helm, case: &Path, accept: bool) -> Result<(), String> {
    let Golden { file, text } = helm.golden(case).map_err(|error| format!("{}: {error}", case.display()))?;
    if accept {
        for other in ["expected.yaml", "expected-error"] {
            drop(fs::remove_file(case.join(other)));
        }
        return fs::write(case.join(file), &text).map_err(|error| error.to_string());
    }
    let expected = fs::read_to_string(case.join(file)).unwrap_or_default();
    if expected == text {
        return Ok(());
    }
    let diff = similar::TextDiff::from_lines(expected.as_str(), text.as_str());
    Err(format!("--- {}\n{}", case.display(), diff.unified_diff().header("expected", file)))
}
