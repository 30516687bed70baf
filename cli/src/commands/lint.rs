//! `fairlead lint`: everything that is wrong with charts, as far as it can be found in one run.
//!
//! Ends with 0 if nothing is, with 1 if a chart has errors or cannot be read.

use std::{path::PathBuf, process::ExitCode};

use clap::Args as Flags;
use fairlead_manifests::{Finding, Severity, lint_chart};

use crate::{
    charts::{LocalChart, ReleaseFlags, this_machine},
    connection::Connection,
    output::{CommandError, print},
};

/// Flags of `lint`.
#[derive(Flags)]
pub(crate) struct Args {
    /// The charts.
    #[arg(default_value = ".", value_name = "CHART")]
    paths: Vec<PathBuf>,
    /// Fail for warnings too.
    #[arg(long)]
    strict: bool,
    /// Tell of warnings and errors only.
    #[arg(long)]
    quiet: bool,
    #[command(flatten)]
    release: ReleaseFlags,
}

pub(crate) fn run(args: &Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    let mut failed = 0;
    for path in &args.paths {
        let chart = LocalChart::find(path, &args.release, None, connection.given_namespace())?;
        let chart = chart.ok_or_else(|| format!("`{}` is no chart", path.display()))?;
        let findings = lint_chart(&chart.place.tree, &chart.request, &this_machine())?;
        failed += usize::from(findings.iter().any(|finding| finding.severity >= args.limit()));
        let shown = findings.iter().filter(|finding| !args.quiet || finding.severity > Severity::Info);
        let lines: String = shown.map(|finding| chart.place.shown.in_text(&line(finding))).collect();
        print(&format!("==> Linting {}\n{lines}\n", path.display()))?;
    }
    print(&format!("{} chart(s) linted, {failed} chart(s) failed\n", args.paths.len()))?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Args {
    /// The least that makes a chart fail.
    fn limit(&self) -> Severity {
        if self.strict { Severity::Warning } else { Severity::Error }
    }
}

fn line(finding: &Finding) -> String {
    match &finding.hint {
        Some(hint) => format!("{finding}\n  hint: {hint}\n"),
        None => format!("{finding}\n"),
    }
}
