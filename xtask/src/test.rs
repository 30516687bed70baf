//! Runs every test and counts them over all runners.

use std::{
    fmt,
    io::{self, BufRead, BufReader},
    process::{ExitCode, Stdio},
};

use crate::cargo::{CargoError, cargo};

/// How many tests ended which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u64,
    failed: u64,
}

impl Count {
    /// Adds what `line` reports, if it is the summary of a runner.
    fn add(&mut self, line: &str) {
        let Some(summary) = line.strip_prefix("test result: ") else { return };
        self.passed += number_before(" passed;", summary);
        self.failed += number_before(" failed;", summary);
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// Runs `cargo test` over the workspace, its documentation included, and prints the sum as the last line.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, CargoError> {
    let failed_to_start = |source| CargoError::Start { program: "cargo test".into(), source };
    let mut child = cargo()
        .args(["test", "--workspace", "--locked", "--no-fail-fast"])
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed_to_start)?;
    let output = child.stdout.take().expect("standard output is piped");
    let count = pass_on(BufReader::new(output)).map_err(failed_to_start)?;
    let status = child.wait().map_err(failed_to_start)?;
    if !status.success() && count.failed == 0 {
        eprintln!("error: `cargo test` failed before it ran every test, its message is above");
    }
    println!("{count}");
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn pass_on(output: impl BufRead) -> io::Result<Count> {
    let mut count = Count::default();
    for line in output.lines() {
        let line = line?;
        count.add(&line);
        println!("{line}");
    }
    Ok(count)
}

fn number_before(label: &str, summary: &str) -> u64 {
    let before = summary.split(label).next().unwrap_or_default();
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_sums_all_runners() {
        let output = "\
            running 2 tests\n\
            test one ... ok\n\
            test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
            test result: FAILED. 10 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 2.00s\n";
        assert_eq!(pass_on(output.as_bytes()).unwrap().to_string(), "12 passed, 3 failed");
    }
}
