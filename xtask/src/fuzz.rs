//! Runs libFuzzer.

use std::{fs, io, os::unix::process::CommandExt, path::Path};

use crate::cargo::{self, CargoError};

/// What LLVM adds so that libFuzzer sees which branches an input takes; a stable compiler does it as well.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";

/// What one input may cost.
const LIMITS: [&str; 3] = ["-max_len=4096", "-timeout=20", "-rss_limit_mb=3000"];

/// Replaces this process by the fuzzer, which runs `property` for `minutes`.
///
/// Returns only if that fails.
pub(crate) fn run(property: &str, minutes: u64) -> Result<CargoError, Box<dyn std::error::Error>> {
    let fuzzer = cargo::build_with_flags("fuzz/driver/Cargo.toml", "fairlead-fuzz-driver", COVERAGE)?;
    let folder = fairlead_tools::target_directory().join("fuzz");
    let (corpus, findings) = (folder.join("corpus").join(property), folder.join("findings").join(property));
    fs::create_dir_all(&findings)?;
    fs::create_dir_all(&corpus)?;
    seed(property, &corpus)?;
    let mut command = fairlead_tools::command(&fuzzer);
    command.arg(&corpus).args(LIMITS).arg(format!("-max_total_time={}", minutes * 60));
    command.arg(format!("-artifact_prefix={}/", findings.display())).env("FAIRLEAD_FUZZ", property);
    Ok(CargoError::Start { program: fuzzer.display().to_string(), source: command.exec() })
}

/// Puts what is kept for `property` into `corpus`, or else every file of our golden cases.
fn seed(property: &str, corpus: &Path) -> io::Result<()> {
    let repository = fairlead_tools::repository();
    let own = repository.join("fuzz/seeds").join(property);
    let cases = ["manifests/kustomize/tests/cases", "manifests/helm/tests/cases"];
    let mut folders =
        if own.is_dir() { vec![own] } else { cases.iter().map(|folder| repository.join(folder)).collect() };
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                count += 1;
                fs::copy(path, corpus.join(format!("case-{count}")))?;
            }
        }
    }
    Ok(())
}
